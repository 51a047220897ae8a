package consentfacts

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// Learn adds what is known to the records that were found in a document, and to the
// values that belong to no named record: those become one without an id for each place
// (a row, an object), known by its addresses alone. Plans whose lines name no such fact
// cost nothing.
func (k *Known) Learn(ctx context.Context, t *doc.Tree, found *access.Found, plan *access.Plan) error {
	if k == nil || len(found.Records)+len(found.Fields) == 0 {
		return nil
	}
	if !k.c.Always && (plan == nil || len(Names(plan.FactNames)) == 0) {
		return nil
	}
	unnamed(t, found)
	persons, of := k.persons(t, found)
	if len(persons) == 0 {
		return nil
	}
	facts, err := k.Facts(ctx, persons)
	for i, rec := range of {
		r := &found.Records[rec]
		r.Facts = Add(r.Facts, facts[i])
	}
	return err
}

// persons are the records of which the document shows a field, by their numbers.
func (k *Known) persons(t *doc.Tree, found *access.Found) (persons []Person, of []int) {
	at := make([]int, len(found.Records))
	add := func(rec int) *Person {
		if at[rec] == 0 {
			r := &found.Records[rec]
			persons = append(persons, Person{Subject: Subject{Entity: string(r.Entity), Record: r.ID}, Type: r.Type, Said: r.Said})
			of = append(of, rec)
			at[rec] = len(persons)
		}
		return &persons[at[rec]-1]
	}
	for i := range found.Fields {
		if f := &found.Fields[i]; f.Record >= 0 {
			add(f.Record).read(t, f)
		}
	}
	for rec := range found.Records {
		if k.c.Always { // what shows no field is kept, or not, all the same
			add(rec)
		}
	}
	// A record that stands in the document twice is one: what its one place shows holds
	// for the other.
	first := map[access.Record]int{}
	for i := range persons {
		r := found.Records[of[i]].Record
		if r.ID == "" {
			continue
		}
		j, ok := first[r]
		if !ok {
			first[r] = i
			continue
		}
		p := &persons[j]
		p.Emails, p.Phones = append(p.Emails, persons[i].Emails...), append(p.Phones, persons[i].Phones...)
		p.Said = append(slices.Clip(p.Said), persons[i].Said...)
	}
	for i := range persons {
		if r := found.Records[of[i]].Record; r.ID != "" {
			persons[i] = persons[first[r]]
		}
	}
	return persons, of
}

// read takes the addresses and numbers of a field. What can't be read as one goes to the
// ledger as it is: nobody can have consented for it.
func (p *Person) read(t *doc.Tree, f *access.FoundField) {
	email, phone := slices.Contains(f.Categories, access.Email), slices.Contains(f.Categories, access.Phone)
	if !email && !phone {
		return
	}
	for n := f.Node; n < int(t.Nodes[f.Node].Next); n++ {
		if k := t.Nodes[n].Kind; k != doc.String && k != doc.Number {
			continue
		}
		p.readText(t.Text(n), email, phone, len(f.Categories) == 1)
	}
	if f.Keys {
		for n := f.Node + 1; n < int(t.Nodes[f.Node].Next); n++ {
			if key := t.Key(n); key != "" {
				p.readText(key, email, phone, false)
			}
		}
	}
}

func (p *Person) readText(text string, email, phone, alone bool) {
	text = strings.TrimSpace(text)
	emails := emailsIn(text)
	switch {
	case text == "":
	case email && len(emails) > 0:
		p.Emails = append(p.Emails, emails...)
	case phone && (alone || isNumber(text)):
		p.Phones = append(p.Phones, strings.TrimPrefix(text, "tel:"))
	case email && alone:
		p.Emails = append(p.Emails, text)
	}
}

// emailsIn are the addresses in a text, in whichever way they stand there: alone, behind
// a name, several of them.
func emailsIn(text string) []string {
	var all []string
	between := " \t\r\n,;<>()\""
	if rest, ok := strings.CutPrefix(text, "mailto:"); ok { // copies go to others: mailto:a@b?cc=c@d
		text, between = rest, between+"?&="
		if plain, err := url.PathUnescape(rest); err == nil {
			text = plain
		}
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(between, r) }) {
		if strings.Contains(word, "@") {
			all = append(all, strings.Trim(word, ".:'?!"))
		}
	}
	return all
}

// isNumber reports whether a text, of a field that can hold other things too, can be a
// number that somebody is called by.
func isNumber(text string) bool {
	const fewest = 5
	digits := 0
	for _, r := range text {
		if r >= '0' && r <= '9' {
			digits++
		}
	}
	return digits >= fewest
}

// unnamed makes records without an id of the values that belong to none: one for each
// object or row, and kind of record, that shows an address or a number.
func unnamed(t *doc.Tree, found *access.Found) {
	type place struct {
		parent int32
		entity access.Entity
	}
	shows := map[place]int{}
	for i := range found.Fields {
		f := &found.Fields[i]
		if f.Record < 0 && (slices.Contains(f.Categories, access.Email) || slices.Contains(f.Categories, access.Phone)) {
			shows[place{t.Nodes[f.Node].Parent, f.Entity}] = -1
		}
	}
	if len(shows) == 0 {
		return
	}
	for i := range found.Fields {
		f := &found.Fields[i]
		at := place{t.Nodes[f.Node].Parent, f.Entity}
		rec, ok := shows[at]
		if f.Record >= 0 || !ok {
			continue
		}
		if rec < 0 {
			rec = len(found.Records)
			found.Records = append(found.Records, access.FoundRecord{Record: access.Record{Entity: f.Entity, Type: string(f.Entity)}})
			shows[at] = rec
		}
		f.Record = rec
	}
	for i := range found.Said {
		s := &found.Said[i]
		if rec, ok := shows[place{t.Nodes[s.Node].Parent, s.Entity}]; ok && rec >= 0 {
			found.Records[rec].Said = append(found.Records[rec].Said, s.Said)
		}
	}
}
