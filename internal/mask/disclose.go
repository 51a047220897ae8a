package mask

import (
	"math/bits"
	"slices"

	"github.com/crmgate/crmgate/internal/access"
)

// note writes down how a record's categories were treated: four bits for each, in
// the order of access.Categories, 0 for none and else 1 + the treatment. A field
// that can hold several categories is treated alike for each of them.
func (p *pass) note(f *access.FoundField, d decision) {
	if f.Record < 0 {
		return
	}
	treated := &p.treated[f.Record]
	for left := d.noted; left != 0; left &= left - 1 {
		place := bits.TrailingZeros64(left)
		if tr := uint64(d.tr) + 1; *treated>>place&noteMask < tr {
			*treated = *treated&^(noteMask<<place) | tr<<place
		}
	}
}

const (
	noteBits = 4
	noteMask = 1<<noteBits - 1
)

// noted has a bit at the place of each category. What is in no list is
// unclassified, as is a field without any.
func noted(categories []access.Category) uint64 {
	all := access.Categories()
	place := func(c access.Category) uint64 {
		i := slices.Index(all, c)
		if i < 0 {
			i = slices.Index(all, access.Unclassified)
		}
		return 1 << (noteBits * i)
	}
	if len(categories) == 0 {
		return place(access.Unclassified)
	}
	places := uint64(0)
	for _, c := range categories {
		places |= place(c)
	}
	return places
}

// treatments reads what note has written.
func treatments(note uint64) map[access.Category]access.Treatment {
	if note == 0 {
		return nil
	}
	treated := make(map[access.Category]access.Treatment, 8)
	for i, c := range access.Categories() {
		if tr := note >> (noteBits * i) & noteMask; tr > 0 {
			treated[c] = access.Treatment(tr - 1)
		}
	}
	return treated
}

// unnamed reports whether the field's record has no id by which the log could
// find it.
func (p *pass) unnamed(f *access.FoundField) bool {
	return f.Record < 0 || p.found.Records[f.Record].ID == ""
}

// identify keeps an identifying value of an unnamed record for the log's keyed
// hash, however it was treated: the rest of the row is about that person.
func (p *pass) identify(f *access.FoundField, text string) {
	switch f.Shape {
	case access.ShapeYear, access.ShapeMonth, access.ShapeDay:
		return // a part of a date identifies nobody
	}
	if text == "" {
		return
	}
	for _, c := range f.Categories {
		switch c {
		case access.Name, access.Email, access.Phone, access.Bank, access.TaxID, access.Identity, access.Birthdate:
			p.persons = append(p.persons, access.Identifier{Category: c, Value: text})
		}
	}
}

func (p *pass) disclosure() access.Disclosure {
	d := access.Disclosure{Rows: p.found.Rows, Identifying: p.persons, Withheld: p.withheld}
	if len(p.found.Records) > 0 {
		d.Records = make([]access.DisclosedRecord, 0, len(p.found.Records))
	}
	// Records that were treated alike share what says so.
	alike := map[uint64]map[access.Category]access.Treatment{}
	for i := range p.found.Records {
		if p.found.Records[i].ID == "" {
			continue // its values are among the identifying ones
		}
		note := p.treated[i]
		treated, ok := alike[note]
		if !ok {
			treated = treatments(note)
			alike[note] = treated
		}
		d.Records = append(d.Records, access.DisclosedRecord{Record: p.found.Records[i].Record, Treated: treated})
	}
	return d
}
