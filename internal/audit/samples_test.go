package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/crmgate/crmgate/internal/access"
)

// sampler makes entries as the gateway writes them, the same ones each time.
type sampler struct {
	*rand.Rand
	now time.Time
}

func newSampler(seed uint64) *sampler {
	return &sampler{
		Rand: rand.New(rand.NewPCG(seed, 1)),
		now:  time.Date(2026, 9, 7, 8, 0, 0, 0, time.UTC),
	}
}

func (s *sampler) id() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(s.Uint32())
	}
	b[6], b[8] = b[6]&15|0x70, b[8]&63|0x80
	return uuid.UUID(b).String()
}

func (s *sampler) hash() string {
	var b [32]byte
	for i := range b {
		b[i] = byte(s.Uint32())
	}
	return hex.EncodeToString(b[:])
}

func (s *sampler) pseudonym() string {
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	b := make([]byte, 26)
	for i := range b {
		b[i] = letters[s.IntN(32)]
	}
	return string(b)
}

func pick[T any](s *sampler, of ...T) T { return of[s.IntN(len(of))] }

type sampleEntity struct {
	entity access.Entity
	typ    string
	fields []access.Ref
}

func field(entity access.Entity, name string, categories ...access.Category) access.Ref {
	return access.Ref{Entity: entity, Field: name, Categories: categories}
}

func sampleEntities() []sampleEntity {
	return []sampleEntity{
		{"contact", "party.party", []access.Ref{
			field("contact", "name", access.Name), field("contact", "rec_name", access.Name, access.TaxID),
			field("contact", "contact_mechanisms", access.Email, access.Phone), field("contact", "addresses", access.Address),
			field("contact", "bank_accounts.rec_name", access.Bank), field("contact", "identifiers", access.TaxID),
			field("contact", "email", access.Email), field("contact", "phone", access.Phone),
			field("contact", "code", access.Public), field("contact", "lang", access.Public),
		}},
		{"lead", "sale.opportunity", []access.Ref{
			field("lead", "description", access.FreeText), field("lead", "comment", access.FreeText),
			field("lead", "party", access.Name), field("lead", "amount", access.Public),
			field("lead", "employee.rec_name", access.Name), field("lead", "state", access.Public),
		}},
		{"account", "Account", []access.Ref{
			field("account", "Name", access.Name), field("account", "Phone", access.Phone),
			field("account", "BillingStreet", access.Address), field("account", "Website", access.Online),
		}},
		{"contact", "contacts", []access.Ref{
			field("contact", "first_name", access.Name), field("contact", "last_name", access.Name),
			field("contact", "email", access.Email), field("contact", "phone_mobile", access.Phone),
			field("contact", "birthdate", access.Birthdate), field("contact", "primary_address_street", access.Address),
			field("contact", "iban", access.Bank), field("contact", "notes", access.FreeText),
		}},
		{"activity", "crm.lead", []access.Ref{
			field("activity", "email_from", access.Email), field("activity", "partner_name", access.Name),
			field("activity", "phone", access.Phone), field("activity", "ip_address", access.Online),
			field("activity", "religion", access.Special), field("activity", "passport", access.Identity),
			field("activity", "x_custom", access.Unclassified),
		}},
	}
}

// request makes the two entries of a request that discloses n records.
func (s *sampler) request(n int) (intent, disclosure *Entry) {
	s.now = s.now.Add(time.Duration(s.IntN(90_000_000_000)))
	e := pick(s, sampleEntities()...)
	action := pick(s, access.Read, access.Search, access.Read, access.Update, access.Create, access.Export)
	ids := make([]string, n)
	first := s.IntN(90_000)
	for i := range ids {
		ids[i] = strconv.Itoa(first + i*(1+s.IntN(3)))
		if e.typ == "Account" {
			ids[i] = "001" + s.pseudonym()[:15]
		}
	}
	a := access.Access{
		Route: pick(s, "rpc", "contacts", "contact", "leads", "api.contacts", "export.csv"), Action: action,
		Entity: e.entity, Type: e.typ,
		Call: pick(s, "", e.typ+".read", e.typ+".search_read", e.typ+".fields_view_get", e.typ+".on_change_with"),
	}
	if n > 0 && action == access.Read {
		a.IDs = ids
	}
	for _, f := range e.fields[:1+s.IntN(len(e.fields))] {
		f.Role = pick(s, access.RefSelect, access.RefSelect, access.RefSelect, access.RefFilter, access.RefSort, access.RefWrite)
		a.Refs = append(a.Refs, f)
	}
	if action == access.Export {
		a.Question = pick(s, `[["name","ilike","%mül%"]]`, "q=&sort=last_name&format=csv", `{"filter":{"city":"Wien"}}`)
	}
	employee := "e-" + s.pseudonym()
	intent = &Entry{
		Time: s.now, Kind: Intent, Request: s.id(), Employee: employee, Roles: pick(s, []string{"sales"}, []string{"support"}, []string{"sales", "sales_lead"}, []string{"master_data"}),
		Session: s.pseudonym(), Factor: pick(s, "amr=pwd,otp auth_time=2026-09-07T07:58:11Z", "amr=pwd,mfa acr=urn:acme:2fa auth_time=2026-09-07T06:30:00Z"),
		Gate: pick(s, "crm.example.de", "crm.example.com:8443"), Profile: pick(s, "tryton", "demo", "suitecrm", "espocrm"),
		SourceIP: fmt.Sprintf("10.%d.%d.%d", s.IntN(256), s.IntN(256), s.IntN(256)), Method: pick(s, "GET", "POST", "PUT", "DELETE", "PATCH"),
		Accesses: []access.Access{a},
		Decision: &Decision{Line: fmt.Sprintf("policy.csv:%d: p, sales, contact, *, read, clear, own, allow", s.IntN(60)), Policy: s.hash()[:16]},
	}
	if s.IntN(20) == 0 {
		intent.Decision = &Decision{Refused: true, Reason: pick(s, "no_line", "denied", "asks_masked", "unknown_route"), Line: "no line: hidden", Policy: s.hash()[:16]}
	}
	treated := map[access.Category]access.Treatment{}
	for _, f := range a.Refs {
		for _, c := range f.Categories {
			treated[c] = pick(s, access.Clear, access.Partial, access.Hidden, access.Pseudonym, access.Drop, access.Generalise)
		}
	}
	d := &access.Disclosure{}
	for _, id := range ids {
		d.Records = append(d.Records, access.DisclosedRecord{Record: access.Record{Entity: e.entity, Type: e.typ, ID: id}, Treated: treated})
	}
	if action == access.Export {
		d.Records, d.Rows = nil, n
	}
	disclosure = &Entry{
		Time: s.now.Add(time.Duration(s.IntN(400_000_000))), Kind: Disclosure, Request: intent.Request, Intent: s.Uint64N(2_000_000),
		Status: pick(s, 200, 200, 200, 200, 204, 302, 404, 502), Disclosure: d,
		BodySHA256: s.hash(), Bytes: int64(s.IntN(200_000)), DurationMS: int64(s.IntN(900)),
	}
	if d.Rows > 0 {
		for range n {
			disclosure.Keyed = append(disclosure.Keyed, pick(s, "email:", "phone:", "name:", "bank:")+s.pseudonym())
		}
	}
	if disclosure.Status == 502 {
		disclosure.Error, disclosure.Disclosure = pick(s, "malformed", "too_large", "upstream_down", "duplicate_key"), nil
	}
	return intent, disclosure
}

// control makes a control entry.
func (s *sampler) control() *Entry {
	event := pick(s, Start, Stop, SignIn, SignIn, SignIn, Refused, PolicyChange, Searched, SignOut, StepUp, Revoked)
	e := &Entry{Time: s.now, Kind: Control, Event: event, Gate: "crm.example.de", Employee: "e-" + s.pseudonym()}
	switch event {
	case SignIn, StepUp, SignOut, Revoked:
		e.Session, e.Factor = s.pseudonym(), "amr=pwd,otp auth_time=2026-09-07T07:58:11Z"
		e.Roles, e.SourceIP = []string{"sales"}, "192.0.2.7"
		if event == SignIn {
			e.Names = &Names{User: "a.meier", Email: "a.meier@example.de", Name: "Anna Meier"}
		}
	case PolicyChange:
		e.Detail = s.hash()[:16]
	case Searched:
		e.Detail = "record=party.party/47 since=2026-09-01T00:00:00Z"
	}
	return e
}

func (s *sampler) entries(requests int) []*Entry {
	var all []*Entry
	for i := range requests {
		n := pick(s, 0, 1, 1, 1, 1, 2, 5, 20, 50)
		a, b := s.request(n)
		all = append(all, a, b)
		if i%8 == 0 {
			all = append(all, s.control())
		}
	}
	return all
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
