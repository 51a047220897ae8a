package consent

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/sealed"
)

// The kinds of identifiers.
const (
	byEmail  = "email"
	byPhone  = "phone"
	byRecord = "record"
)

// identifier is one thing by which a person is found. Its value is normal.
type identifier struct {
	kind, value string
}

// person is the document of one identifier: what stands for each purpose and channel.
type person struct {
	Kind string `json:"kind"`
	// Lines are by purpose and channel.
	Lines map[string]*line `json:"lines,omitempty"`
	// Proofs are those of the person, the oldest first.
	Proofs []proofRef `json:"proofs,omitempty"`
	// With are the keys of identifiers that were declared together with this one.
	With []string `json:"with,omitempty"`
	// Mails are when this address was written to lately.
	Mails []sent `json:"mails,omitempty"`
}

// line is what stands for one purpose and channel.
type line struct {
	State State `json:"state"`
	// At is when it was declared, Until when it ends by itself; zero is never.
	At    time.Time `json:"at"`
	Until time.Time `json:"until,omitzero"`
	Proof string    `json:"proof"`
	// Source says where it came from.
	Source string `json:"source,omitempty"`
	// Of, at a record, are the keys of the addresses that the declaration was about:
	// their own documents say the same. Empty is about the record itself, whatever
	// its addresses.
	Of []string `json:"of,omitempty"`
}

// proofRef names a proof of a person.
type proofRef struct {
	ID      string    `json:"id"`
	Purpose string    `json:"purpose"`
	Channel string    `json:"channel"`
	Until   time.Time `json:"until,omitzero"`
}

func lineName(purpose, channel string) string { return purpose + "/" + channel }

// standing is what a line says at a time: an end that has passed is Expired.
func (n *line) standing(now time.Time, within time.Duration) State {
	switch {
	case n == nil:
		return ""
	case n.State == Confirmed && !n.Until.IsZero() && !now.Before(n.Until):
		return Expired
	case n.State == Asked && now.Sub(n.At) > within:
		return Expired
	}
	return n.State
}

// identifiers are those of a subject that can be read, and whether some couldn't.
func (l *Ledger) identifiers(s Subject) (ids []identifier, unread []string) {
	for _, e := range s.Emails {
		if strings.TrimSpace(e) == "" {
			continue
		}
		if v, ok := normalEmail(e); ok {
			ids = append(ids, identifier{byEmail, v})
		} else {
			unread = append(unread, byEmail)
		}
	}
	for _, p := range s.Phones {
		if strings.TrimSpace(p) == "" {
			continue
		}
		if v, ok := normalPhone(p, l.Region); ok {
			ids = append(ids, identifier{byPhone, v})
		} else {
			unread = append(unread, byPhone)
		}
	}
	if s.Record != "" {
		ids = append(ids, identifier{byRecord, s.Entity + "/" + s.Record})
	}
	slices.SortFunc(ids, func(a, b identifier) int {
		return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.value, b.value))
	})
	return slices.Compact(ids), unread
}

// key is where an identifier's document lies.
func (l *Ledger) key(id identifier) sealed.Key { return l.Room.Key("who", l.Site, id.kind, id.value) }

// ref names a key within a document.
func ref(k sealed.Key) string { return base64.RawURLEncoding.EncodeToString(k[:]) }

// refs names the keys of identifiers.
func (l *Ledger) refs(ids []identifier) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = ref(l.key(id))
	}
	slices.Sort(all)
	return all
}

func (l *Ledger) proofKey(id string) sealed.Key { return l.Room.Key("proof", l.Site, id) }

// of returns the identifiers that a channel's declarations lie under: the addresses
// that the channel uses, or all for post.
func of(ids []identifier, channel string) (addresses []identifier, record *identifier) {
	for i, id := range ids {
		switch {
		case id.kind == byRecord:
			record = &ids[i]
		case channel == Post, channel == Email && id.kind == byEmail,
			(channel == Phone || channel == Messenger) && id.kind == byPhone:
			addresses = append(addresses, id)
		}
	}
	return addresses, record
}

// doc is a document of the ledger that was read, or will be saved.
type doc[T any] struct {
	item sealed.Item
	says T
}

// read opens a document; there may be none.
func read[T any](items map[sealed.Key]sealed.Item, key sealed.Key) (*doc[T], bool, error) {
	d := &doc[T]{item: sealed.Item{Key: key}}
	it, ok := items[key]
	if !ok {
		return d, false, nil
	}
	d.item = it
	if err := json.Unmarshal(it.Plain, &d.says); err != nil {
		return nil, false, fmt.Errorf("reading a document of the consents: %w", err)
	}
	return d, true, nil
}

// save is the item with which a document is saved, until its end.
func (d *doc[T]) save(until time.Time) (sealed.Item, error) {
	plain, err := json.Marshal(d.says)
	if err != nil {
		return sealed.Item{}, fmt.Errorf("writing a document of the consents: %w", err)
	}
	it := d.item
	it.Plain, it.Until = plain, until
	return it, nil
}

// persons reads the documents of identifiers, made where there are none.
func (l *Ledger) persons(ctx context.Context, ids []identifier) ([]*doc[person], error) {
	keys := make([]sealed.Key, len(ids))
	for i, id := range ids {
		keys[i] = l.key(id)
	}
	items, err := l.Room.Load(ctx, keys...)
	if err != nil {
		return nil, fmt.Errorf("reading consents: %w", err)
	}
	all := make([]*doc[person], len(ids))
	for i, id := range ids {
		d, _, err := read[person](items, keys[i])
		if err != nil {
			return nil, err
		}
		d.says.Kind = id.kind
		if d.says.Lines == nil {
			d.says.Lines = map[string]*line{}
		}
		all[i] = d
	}
	return all, nil
}

// until is the end of a person's document: that of what lies in it longest. Zero is
// none.
func (p *person) until() time.Time {
	var last time.Time
	for _, r := range p.Proofs {
		if r.Until.IsZero() {
			return time.Time{}
		}
		if r.Until.After(last) {
			last = r.Until
		}
	}
	for _, m := range p.Mails {
		if day := m.At.Add(24 * time.Hour); day.After(last) {
			last = day
		}
	}
	return last
}

// note keeps a proof's place and end in a person's document. Ends that have passed are
// forgotten, with the line that nothing stands behind any more.
func (p *person) note(ref proofRef, now time.Time) {
	p.Proofs = slices.DeleteFunc(p.Proofs, func(r proofRef) bool {
		return r.ID == ref.ID || !r.Until.IsZero() && r.Until.Before(now)
	})
	p.Proofs = append(p.Proofs, ref)
	for name, n := range p.Lines {
		if !slices.ContainsFunc(p.Proofs, func(r proofRef) bool { return r.ID == n.Proof }) {
			delete(p.Lines, name)
		}
	}
}

// declare sets what stands for a purpose and channel, where the declaration is newer
// than what stands; of the same time, a no stays. It reports whether it stands now.
func (p *person) declare(purpose, channel string, n line) bool {
	name := lineName(purpose, channel)
	had := p.Lines[name]
	if had != nil && had.State != Asked && had.State != Expired {
		if n.At.Before(had.At) || n.At.Equal(had.At) && had.State.negative() && !n.State.negative() {
			return false
		}
		if n.State == Asked {
			return false // a wish that nobody has confirmed changes nothing
		}
	}
	if had != nil && n.State == Expired && had.Proof != n.Proof {
		return false // another wish is open still
	}
	if had != nil && had.State == Confirmed && n.State == Confirmed && had.Of != nil && n.Of != nil {
		n.Of = union(had.Of, n.Of)
	}
	p.Lines[name] = &n
	return true
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
