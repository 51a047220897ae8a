package mask

import "github.com/crmgate/crmgate/internal/access"

// note writes down how a record's categories were treated. A field that can
// hold several categories is treated alike for each of them.
func (p *pass) note(f *access.FoundField, d decision) {
	if f.Record < 0 {
		return
	}
	treated := p.treated[f.Record]
	if treated == nil {
		treated = make(map[access.Category]access.Treatment, 8)
		p.treated[f.Record] = treated
	}
	for _, c := range f.Categories {
		if was, ok := treated[c]; !ok || d.tr > was {
			treated[c] = d.tr
		}
	}
	if len(f.Categories) == 0 {
		treated[access.Unclassified] = max(treated[access.Unclassified], d.tr)
	}
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
		d.Records = make([]access.DisclosedRecord, len(p.found.Records))
	}
	for i := range p.found.Records {
		d.Records[i] = access.DisclosedRecord{Record: p.found.Records[i].Record, Treated: p.treated[i]}
	}
	return d
}
