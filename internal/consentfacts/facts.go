// Package consentfacts knows, of the records in an answer and of those whom a request
// addresses, the facts `consent:<purpose>` and `consent:<purpose>:<channel>`: it asks the
// ledger of consents, in one question for a whole document, and remembers for a few
// seconds what that said.
package consentfacts

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/consent"
)

// prefix is what the names of these facts begin with.
const prefix = "consent:"

// fact is a fact's name, and where in the questions to the ledger it stands.
type fact struct {
	name string
	Wanted
	at int
	// channels are where the same purpose stands by channel, for a fact about any.
	channels map[string]int
}

// Names are those of some facts that are about consents, each once.
func Names(facts []string) []string {
	var names []string
	for _, f := range facts {
		if strings.HasPrefix(f, prefix) && !slices.Contains(names, f) {
			names = append(names, f)
		}
	}
	return names
}

// Parse takes a fact's name apart.
func Parse(name string) (Wanted, bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return Wanted{}, false
	}
	return consent.ParseWanted(rest)
}

// questionsOf are what the ledger is asked for some facts: of one about any channel, each
// channel too, for who objects to one of them doesn't to another.
func questionsOf(names []string) (facts []fact, all []Wanted) {
	add := func(w Wanted) int {
		at := slices.Index(all, w)
		if at < 0 {
			at, all = len(all), append(all, w)
		}
		return at
	}
	for _, name := range Names(names) {
		w, ok := Parse(name)
		if !ok {
			continue
		}
		f := fact{name: name, Wanted: w, at: add(w)}
		if w.Channel == "" {
			f.channels = map[string]int{}
			for _, c := range consent.Channels() {
				f.channels[c] = add(Wanted{Purpose: w.Purpose, Channel: c})
			}
		}
		facts = append(facts, f)
	}
	return facts, all
}

// Person is a record, or what stands in an answer or a request without naming one: who
// is asked about, by the record's id and by the addresses and numbers that it shows.
type Person struct {
	Subject
	// Type is the CRM's own word for the entity.
	Type string
	// Said is what the record's own fields say.
	Said []access.Said
}

// nobody reports whether nothing tells who it is.
func (p *Person) nobody() bool { return p.Record == "" && len(p.Emails)+len(p.Phones) == 0 }

// settle is a fact's state, by the ledger's answers and by what the record says of itself;
// against is what speaks against the ledger.
func (f *fact) settle(said []access.Said, states []access.FactState) (state access.FactState, against *access.Said) {
	state = states[f.at]
	if f.Channel != "" {
		switch by := f.objection(said, f.Channel); {
		case by == nil:
			return state, nil
		case state == access.FactTrue:
			return access.FactFalse, by
		}
		return access.FactFalse, nil
	}
	var by *access.Said
	open, shut := false, false
	for c, at := range f.channels {
		if no := f.objection(said, c); no != nil {
			by, shut = no, true
		} else if states[at] == access.FactTrue {
			open = true
		}
	}
	switch {
	case !shut || state == access.FactTrue && open:
		return state, nil
	case state != access.FactTrue:
		return access.FactFalse, nil
	}
	return access.FactFalse, by
}

// objection is what a record says itself against a channel, nil if nothing.
func (f *fact) objection(said []access.Said, channel string) *access.Said {
	for i := range said {
		s := &said[i]
		if s.State == access.FactFalse && (s.Purpose == "" || s.Purpose == f.Purpose) && (s.Channel == "" || s.Channel == channel) {
			return s
		}
	}
	return nil
}

// Contradiction is a record that says itself what speaks against a consent in the ledger.
type Contradiction struct {
	Entity access.Entity
	Type   string
	Record string
	Fact   string
	By     access.Said
}
