package speed_test

import (
	"fmt"
	"strings"
)

// The plan is that of `crmgate bench`: 12 fields a record, of which two are seen
// in part, one under a pseudonym, two not at all, and a free text where the record
// is the employee's own. Each text quotes its person's address and name.
const (
	profileText = `profile: speed/1.0
evidence: documented
withheld: "Withheld. (crmgate)"
entities:
  contact:
    owner: owner
    fields:
      name: name
      email: email
      phone: phone
      iban: bank
      birth_date: birthdate
      notes: free_text
      owner|company|status|source|created_at: public
routes:
  - match: GET /contacts
    name: contacts
    entity: contact
    action: search
    records: [{at: "$.items[*]"}]
  - match: GET /stream
    name: stream
    entity: contact
    action: search
    stream: $.items
    records: [{at: "$"}]
  - match: GET /page
    name: page
    entity: contact
    action: search
    type: html
    records:
      - select: tr.row
        id: "@data-id"
        fields:
          ".name": name
          ".mail a": email
          ".mail a@href": email
          ".phone": phone
          ".iban": iban
          ".city": company
          ".notes": notes
          ".actions": status
`
	policyText = `p, sales, contact, email,     search, partial,   ,    allow
p, sales, contact, phone,     search, partial,   ,    allow
p, sales, contact, name,      search, pseudonym, ,    allow
p, sales, contact, bank,      search, hidden,    ,    allow
p, sales, contact, birthdate, search, hidden,    ,    allow
p, sales, contact, free_text, search, clear,     own, allow
`
	employee = "anna"
)

type person struct{ id, name, email, phone, iban, birth, owner, company, status, source, notes string }

func newPerson(i int) person {
	first := []string{"Erika", "Jürgen", "Annegret", "Mehmet", "Sabine", "Wolfgang", "Björn", "Katharina", "Stefan", "Friedrich", "Ayşe"}
	last := []string{"Mustermann", "Schäfer", "Kowalczyk", "Brandstätter", "Hoffmann", "Lindqvist", "Großmann", "Petersen", "Yıldırım"}
	before := []string{
		"Ruft gern zurück, am besten nachmittags; erreichbar unter ",
		"Zuständig für den Einkauf seit dem Frühjahr, Kontakt über ",
		"Messegespräch in Hannover, möchte Unterlagen per Post an ",
		"Technische Fragen klärt das Werk, kaufmännische gehen an ",
	}
	p := person{
		id: fmt.Sprintf("c%07d", 4_000_000+i), owner: []string{employee, "colleague"}[i%2], company: fmt.Sprintf("Nordwerk Anlagenbau %d GmbH", i%17),
		name:  first[i%len(first)] + " " + last[i/len(first)%len(last)] + fmt.Sprintf("-%c%c", 'A'+i%26, 'a'+i/26%26),
		email: fmt.Sprintf("%s.%d@kunde%d.example", []string{"erika", "j.muster", "a.k", "einkauf", "sw"}[i*3%5], 1000+i, i%9),
		phone: fmt.Sprintf("+49 30 %07d", 2_345_678+i*7919), iban: fmt.Sprintf("DE%02d500105175%09d", 10+i%80, 407_324_931+i*104_729),
		birth:  fmt.Sprintf("19%02d-%02d-%02d", 50+i%50, i%12+1, i%28+1),
		status: []string{"active", "prospect", "dormant"}[i%3], source: []string{"trade fair", "web form", "referral"}[i%3],
	}
	p.notes = before[i/2%len(before)] + p.email + " oder über " + p.name + ". Angebot liegt vor, Entscheidung im nächsten Quartal, Rabatt ist besprochen."
	return p
}

func (p person) json() []byte {
	return fmt.Appendf(nil, `{"id":%q,"name":%q,"company":%q,"email":%q,"phone":%q,"iban":%q,"birth_date":%q,"status":%q,"source":%q,`+
		`"owner":%q,"created_at":"2026-03-01T10:00:00+01:00","notes":%q}`,
		p.id, p.name, p.company, p.email, p.phone, p.iban, p.birth, p.status, p.source, p.owner, p.notes)
}

// listJSON is a list of about 110 KB.
func listJSON() []byte {
	var b strings.Builder
	b.WriteString(`{"total":1000,"items":[`)
	for i := range 235 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(newPerson(i).json())
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

// listHTML is a list view of about 60 KB.
func listHTML() []byte {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html><html><head><title>Contacts</title><script>var rows = 100;</script></head><body><table class=\"list\">\n")
	for i := range 100 {
		p := newPerson(i)
		fmt.Fprintf(&b, `<tr class="row" data-id=%q><td><input type="checkbox" name="sel" value=%q></td>`, p.id, p.id)
		fmt.Fprintf(&b, `<td class="name"><a href="/contacts/%s" title="Details">%s</a></td><td class="city">%s</td>`, p.id, p.name, p.company)
		fmt.Fprintf(&b, `<td class="mail"><a href="mailto:%s">%s</a></td><td class="phone">%s</td>`, p.email, p.email, p.phone)
		fmt.Fprintf(&b, `<td class="iban">%s</td><td class="notes">%s</td><td class="actions"><span class="icon"></span></td></tr>`+"\n", p.iban, p.notes)
	}
	b.WriteString("</table></body></html>\n")
	return []byte(b.String())
}
