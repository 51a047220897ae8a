package command

import (
	"fmt"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// The plan of the bench is fixed, so that numbers of different days and machines
// mean the same: 12 fields a record, of which the employee sees two in part, one
// under a pseudonym and two not at all, and a free text in clear where the record
// is their own. The second pass is on, as it always is.
const (
	benchProfile = `profile: bench/1.0
evidence: live 1.0
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
  - {match: "GET /pass/{body}", pass: true, type: none}
  - match: GET /contacts/{body}
    name: contacts
    entity: contact
    action: search
    question: true
    records: [{at: "$.items[*]"}]
  - match: GET /pages/{body}
    name: page
    entity: contact
    action: search
    question: true
    type: html
    records: [{select: tr.contact, list: "table#contacts tbody", empty: p.none, id: "@data-id", fields: {td: "@class"}}]
  - match: GET /lines/{body}
    name: stream
    entity: contact
    action: search
    question: true
    type: ndjson
    stream: lines
    records: [{at: $}]
`
	benchPolicy = `p, bench, contact, email,     search, partial,   ,    allow
p, bench, contact, phone,     search, partial,   ,    allow
p, bench, contact, name,      search, pseudonym, ,    allow
p, bench, contact, bank,      search, hidden,    ,    allow
p, bench, contact, birthdate, search, hidden,    ,    allow
p, bench, contact, free_text, search, clear,     own, allow
`
	benchEmployee = "bench"
)

// benchPlan is what the bench measures with.
type benchPlan struct {
	profile, policy string
	bodies          []*benchBody
	// byID are the contacts of all bodies: what has one id is one contact.
	byID map[string]*benchContact
}

// benchFixedPlan returns the plan that is measured.
func benchFixedPlan() benchPlan {
	return newBenchPlan(
		newBenchList("2k", 2_000), newBenchList("110k", 110_000), newBenchList("5.7m", 5_700_000),
		newBenchPage("html60k", 60_000), newBenchStream("1g", 1<<20, 1<<30),
	)
}

func benchBodyNames() []string { return []string{"2k", "110k", "5.7m", "html60k", "1g"} }

func newBenchPlan(bodies ...*benchBody) benchPlan {
	p := benchPlan{profile: benchProfile, policy: benchPolicy, bodies: bodies, byID: map[string]*benchContact{}}
	for _, b := range bodies {
		for i := range b.contacts {
			p.byID[b.contacts[i].ID] = &b.contacts[i]
		}
	}
	return p
}

// benchContact is a record.
type benchContact struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Company   string `json:"company"`
	Email     string `json:"email"`
	Phone     string `json:"phone"`
	IBAN      string `json:"iban"`
	BirthDate string `json:"birth_date"`
	Status    string `json:"status"`
	Source    string `json:"source"`
	Owner     string `json:"owner"`
	CreatedAt string `json:"created_at"`
	Notes     string `json:"notes"`
}

// own reports whether the record belongs to the employee of the bench.
func (c *benchContact) own() bool { return c.Owner == benchEmployee }

// secrets are the values that may not stand in a masked answer anywhere.
func (c *benchContact) secrets() []string {
	return []string{c.Name, c.Email, c.Phone, c.IBAN, c.BirthDate}
}

// benchTreated is what the log has to say of a record.
func (c *benchContact) treated() map[access.Category]access.Treatment {
	t := map[access.Category]access.Treatment{
		access.Name: access.Pseudonym, access.Email: access.Partial, access.Phone: access.Partial,
		access.Bank: access.Hidden, access.Birthdate: access.Hidden, access.FreeText: access.Hidden,
	}
	if c.own() {
		t[access.FreeText] = access.Clear
	}
	return t
}

// A free text quotes the person's address and name, which the second pass has to
// find, between two texts that have to stay.
const benchAfter = ". Angebot liegt vor, Entscheidung im nächsten Quartal, Rabatt ist besprochen."

func benchBefore(i int) string {
	return []string{
		"Ruft gern zurück, am besten nachmittags; erreichbar unter ",
		"Zuständig für den Einkauf seit dem Frühjahr, Kontakt über ",
		"Messegespräch in Hannover, möchte Unterlagen per Post an ",
		"Bestandskunde mit Wartungsvertrag; Rechnungen bitte an ",
		"Hat zweimal verschoben, neuer Termin im Mai, Rückfragen: ",
		"Technische Fragen klärt das Werk, kaufmännische gehen an ",
	}[i/2%6]
}

func newBenchContact(i int) benchContact {
	first := []string{"Erika", "Jürgen", "Annegret", "Mehmet", "Sabine", "Wolfgang", "Zofia", "Björn", "Katharina", "Stefan", "Ayşe", "Friedrich"}
	last := []string{"Mustermann", "Schäfer", "Yıldırım", "Kowalczyk", "Brandstätter", "Hoffmann", "Lindqvist", "Großmann", "Petersen", "Wiśniewski", "Oberhuber"}
	name := first[i%len(first)] + " " + last[i/len(first)%len(last)] + fmt.Sprintf("-%c%c", 'A'+i%26, 'a'+i/26%26)
	owner := benchEmployee
	if i%2 == 1 {
		owner = "colleague"
	}
	c := benchContact{
		ID: fmt.Sprintf("c%07d", 4_000_000+i), Name: name, Company: fmt.Sprintf("Nordwerk Anlagenbau %d GmbH", i%17),
		Email: fmt.Sprintf("%s.%d@kunde%d.example", strings.ToLower(last[(i+3)%4][:4]), 1000+i, i%9),
		Phone: fmt.Sprintf("+49 30 %07d", 2_345_678+i*7919), IBAN: fmt.Sprintf("DE%02d500105175%09d", 10+i%80, 407_324_931+i*104_729),
		BirthDate: fmt.Sprintf("19%02d-%02d-%02d", 50+i%50, i%12+1, i%28+1), Status: []string{"active", "prospect", "dormant"}[i%3],
		Source: []string{"trade fair", "web form", "referral"}[i%3], Owner: owner, CreatedAt: "2026-03-01T10:00:00+01:00",
	}
	c.Notes = benchBefore(i) + c.Email + " oder über " + c.Name + benchAfter
	return c
}
