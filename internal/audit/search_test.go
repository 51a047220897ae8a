package audit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

func searchLog(t *testing.T) *Log {
	t.Helper()
	l := mustOpen(t, t.TempDir(), testRing(t), small())
	anna, bert := l.Employee("https://login", "1"), l.Employee("https://login", "2")
	at := func(h int) time.Time { return time.Date(2026, 9, 1, h, 0, 0, 0, time.UTC) }
	for _, e := range []*Entry{ // seq 1 …
		{Time: at(8), Kind: Control, Event: SignIn, Employee: anna, Names: &Names{User: "a.meier", Email: "A.Meier@example.de", Name: "Anna Meier"}},
		{Time: at(9), Kind: Intent, Request: "1", Employee: anna, Accesses: []access.Access{{Type: "party.party", Entity: "contact", IDs: []string{"46", "47"}}}},
		{Time: at(9), Kind: Disclosure, Request: "1", Intent: 2, Employee: anna, Disclosure: disclosed("party.party", "46", "47")},
		{Time: at(10), Kind: Intent, Request: "2", Employee: bert, Accesses: []access.Access{{Type: "party.party", Entity: "contact", Action: access.Search}}},
		{Time: at(10), Kind: Disclosure, Request: "2", Intent: 4, Employee: bert, Disclosure: disclosed("party.party", "47", "470")},
		{Time: at(11), Kind: Intent, Request: "3", Employee: bert, Accesses: []access.Access{{Type: "sale.opportunity", Entity: "lead", IDs: []string{"47"}}}},
		{Time: at(11), Kind: Disclosure, Request: "3", Intent: 6, Employee: bert, Disclosure: &access.Disclosure{
			Rows: 1, Identifying: []access.Identifier{{Category: access.Email, Value: "kunde@example.de"}},
		}},
		{Time: at(12), Kind: Control, Event: SignIn, Employee: bert, Names: &Names{User: "b.kurz"}},
	} {
		mustAppend(t, l, e)
	}
	return l
}

func disclosed(typ string, ids ...string) *access.Disclosure {
	d := &access.Disclosure{}
	for _, id := range ids {
		d.Records = append(d.Records, access.DisclosedRecord{Record: access.Record{Entity: "contact", Type: typ, ID: id}})
	}
	return d
}

func TestSearchFinds(t *testing.T) {
	l := searchLog(t)
	at := func(h int) time.Time { return time.Date(2026, 9, 1, h, 0, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		query Query
		want  []uint64
	}{
		"a record asked for or disclosed": {Query{Record: "party.party/47"}, []uint64{2, 3, 5}},
		"a record by its entity":          {Query{Record: "contact/47"}, []uint64{2, 3, 5}},
		"only disclosures":                {Query{Record: "party.party/47", Kind: Disclosure}, []uint64{3, 5}},
		"an employee by pseudonym":        {Query{Employee: l.Employee("https://login", "1")}, []uint64{1, 2, 3}},
		"an employee by e-mail":           {Query{Employee: "a.meier@EXAMPLE.de "}, []uint64{1, 2, 3}},
		"one who signed in later":         {Query{Employee: "b.kurz"}, []uint64{4, 5, 6, 7, 8}},
		"a record by an employee":         {Query{Record: "party.party/47", Employee: "b.kurz"}, []uint64{5}},
		"since and until":                 {Query{Since: at(10), Until: at(11)}, []uint64{4, 5}},
		"a keyed value":                   {Query{Keyed: l.Keyed("email", " Kunde@Example.DE")}, []uint64{7}},
		"nothing":                         {Query{Record: "party.party/4"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []uint64
			for _, s := range collect(t, l.Search(t.Context(), c.query)) {
				got = append(got, s.Seq)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
}

func TestUnknownNameIsSaidNotEmpty(t *testing.T) {
	l := searchLog(t)
	for _, err := range l.Search(t.Context(), Query{Employee: "nobody"}) {
		if !errors.Is(err, ErrNobody) {
			t.Errorf("error = %v, want ErrNobody", err)
		}
		if strings.Contains(err.Error(), "nobody") {
			t.Errorf("error %q quotes the name", err)
		}
	}
}

func TestSpellingsOfAValueHaveOneHash(t *testing.T) {
	n := newNames(testRing(t))
	for _, c := range []struct{ category, a, b string }{
		{"email", "Kunde@Example.de", " kunde@example.de\u00a0"},
		{"name", "Jose\u0301  Mu\u0308ller", "José Müller"},
		{"phone", "+49 (0)170 765-43.21", "00491707654321"},
		{"phone", "+49 170 7654321", "(+49) 170/7654321"},
		{"bank", "DE89 3704 0044 0532 0130 00", "de89370400440532013000"},
		{"tax_id", "DE 123.456-789", "de123456789"},
		{"identity", "L01X-00T47", "l01x00t47"},
	} {
		if n.keyed(c.category, c.a) != n.keyed(c.category, c.b) {
			t.Errorf("%s: %q and %q have different hashes", c.category, c.a, c.b)
		}
	}
	for _, c := range [][2]string{{"email", "name"}, {"bank", "tax_id"}} {
		if strings.TrimPrefix(n.keyed(c[0], "x"), c[0]) == strings.TrimPrefix(n.keyed(c[1], "x"), c[1]) {
			t.Errorf("%s and %s share hashes", c[0], c[1])
		}
	}
	if n.keyed("email", "a@b.de") == newNames(testRing(t)).keyed("email", "a@b.de") {
		t.Error("two installations share hashes")
	}
}

func TestPseudonymsDoNotRunTogether(t *testing.T) {
	l := mustOpen(t, t.TempDir(), testRing(t), small())
	a, b := l.Employee("https://x", "yz"), l.Employee("https://xy", "z")
	if a == b {
		t.Error("issuer and subject run together")
	}
	if !isPseudonym(a) || a != l.Employee("https://x", "yz") {
		t.Errorf("pseudonym = %q", a)
	}
}

func TestVerifyTellsItsProgress(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	for i := range 100 {
		mustAppend(t, l, intentOf(fmt.Sprint(i)))
	}
	mustClose(t, l)
	var done, total int64
	report, err := Verify(t.Context(), dir, ring, Check{Progress: func(d, n int64) {
		if d < done || d > n {
			t.Errorf("progress goes from %d to %d of %d", done, d, n)
		}
		done, total = d, n
	}})
	if err != nil || done != total || total == 0 {
		t.Errorf("Verify = %v; %d of %d", err, done, total)
	}
	if report.Size != 102 || report.Intents != 100 || report.Controls != 2 || report.Unfinished+report.Pending != 100 {
		t.Errorf("report = %+v", report)
	}
}
