package report

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

func trafficRegister() *Register {
	return &Register{Sites: []RegisterSite{
		{
			Name: "https://crm.example.de", Addresses: []string{"https://crm.example.de"}, Routes: []string{"contacts", "export"},
			Entities: []RegisterEntity{{Name: "contact", Categories: []access.Category{access.Name, access.Bank}}, {Name: "lead", Categories: []access.Category{access.Name}}},
		},
		{Name: "https://*.b.example.de", Addresses: []string{"https://*.b.example.de"}},
	}}
}

func known() TrafficKnown {
	return TrafficKnown{Roles: Names{"sales": true}, Machines: map[string]bool{"nightly": true}, Routes: map[string]bool{"contacts": true}}
}

func settled(t *testing.T, tr *Traffic, now time.Time) (*Register, *RegisterTraffic) {
	t.Helper()
	r := trafficRegister()
	r.Settle(map[string]*Traffic{"n1": tr}, now)
	return r, r.Sites[0].Traffic
}

// What was shown is counted by kind, category and role, in both spans; a role that the
// policy doesn't know isn't named, and what the profile lacks is marked.
func TestTrafficSaysWhatWasShown(t *testing.T) {
	l, now := newLog(), *at(0)
	both := map[access.Category]access.Treatment{access.Name: access.Clear, access.Bank: access.Partial, access.Public: access.Clear}
	ago := func(days int) int { return -days * 24 * 60 }
	l.show(ago(364), l.ask(ago(364), vera, "sales", access.Read), both, "1")
	l.show(ago(366), l.ask(ago(366), vera, "sales", access.Read), both, "0") // too long ago
	l.show(ago(29), l.ask(ago(29), paula, "Team Paula", access.Read), both, "1", "2")
	l.show(0, l.ask(0, vera, "sales", access.Read), map[access.Category]access.Treatment{access.Unclassified: access.Hidden}, "3")
	i := l.ask(0, vera, "sales", access.Read)
	l.entries[i].Entry.Accesses[0].Route = "GET /people/paula"
	l.add(audit.Entry{Time: now, Kind: audit.Disclosure, Gate: "sub.b.example.de:443", Factor: "machine nightly", Disclosure: &access.Disclosure{Rows: 7, Unread: true}})
	l.add(audit.Entry{Time: now, Kind: audit.Disclosure, Gate: "old.example.de", Disclosure: &access.Disclosure{Rows: 1}})
	tr := NewTraffic()
	if err := tr.Count(t.Context(), l, known(), now); err != nil {
		t.Fatal(err)
	}
	r, got := settled(t, tr, now)
	if len(got.Rows) != 3 || !slices.Equal(r.Elsewhere, []string{"old.example.de"}) || !r.Counted[0].Whole {
		t.Fatalf("%+v, elsewhere %q, counted %+v", got.Rows, r.Elsewhere, r.Counted)
	}
	name, bank, other := got.Rows[0], got.Rows[1], got.Rows[2]
	if name.Month.Clear != 2 || name.Year.Clear != 3 || name.Drift || len(name.To) != 2 || name.To[0].Kind != "other" || name.To[0].Name != "" || name.To[1].Year.Clear != 1 {
		t.Errorf("names %+v", name)
	}
	if bank.Year.Masked != 3 || bank.Year.Clear != 0 || !other.Drift || !got.Drifted {
		t.Errorf("bank %+v, unclassified %+v", bank, other)
	}
	if !slices.Equal(got.NeverEntities, []string{"lead"}) || !slices.Equal(got.NeverRoutes, []string{"export"}) || got.UnknownRoutes.Year != 1 {
		t.Errorf("never %q %q, unknown %+v", got.NeverEntities, got.NeverRoutes, got.UnknownRoutes)
	}
	if b := r.Sites[1].Traffic; b.Unnamed.Month != 7 || b.Unread.Year != 1 {
		t.Errorf("the other site %+v", b)
	}
}

// Counting that was cut goes on where it was, and counts nothing twice, whatever comes in
// between; what was counted once isn't read again.
func TestTrafficGoesOnWhereItWasCut(t *testing.T) {
	l, now := newLog(), *at(500)
	one := map[access.Category]access.Treatment{access.Name: access.Clear}
	more := func(n int) {
		for range n {
			l.show(400, l.ask(400, vera, "sales", access.Read), one, "1")
		}
	}
	more(20)
	tr := NewTraffic()
	for cut := 1; ; cut++ {
		l.slow = 7
		err := tr.Count(t.Context(), l, known(), now)
		if err == nil {
			break
		}
		if !errors.Is(err, context.DeadlineExceeded) || cut > 50 {
			t.Fatalf("after %d: %v", cut, err)
		}
		if r, _ := settled(t, tr, now); r.Counted[0].Whole {
			t.Fatal("it isn't whole yet")
		}
		if cut < 4 {
			more(2)
		}
	}
	want := 20 + 3*2
	if _, got := settled(t, tr, now); got.Rows[0].Year.Clear != want {
		t.Errorf("counted %d, want %d", got.Rows[0].Year.Clear, want)
	}
	more(1)
	l.slow = 5 // only what is new, and the first that was counted, are read
	if err := tr.Count(t.Context(), l, known(), now); err != nil {
		t.Fatal(err)
	}
	r, got := settled(t, tr, now)
	if got.Rows[0].Year.Clear != want+1 || !r.Counted[0].Whole {
		t.Errorf("counted %d, want %d", got.Rows[0].Year.Clear, want+1)
	}
	later := now.AddDate(1, 1, 0)
	if err := tr.Count(t.Context(), l, known(), later); err != nil || tr.keys != 0 {
		t.Errorf("a year later %d counts are left, %v", tr.keys, err)
	}
}

func TestHostsBelongToSites(t *testing.T) {
	r := &Register{Sites: []RegisterSite{
		{Addresses: []string{"https://<the site's host>"}},
		{Addresses: []string{"https://*.example.de"}},
		{Addresses: []string{"https://a.example.de:8443", "http://[::1]:80"}},
		{Addresses: []string{"https://a.example.de"}},
	}}
	for host, want := range map[string]int{
		"a.example.de:8443": 2, "a.example.de": 3, "A.example.de": 3, "b.example.de": 1, "b.example.de:443": 1, "other.de": 0, "[::1]:80": 2, "x.b.example.de": 0,
	} {
		if got := r.siteOf(host); got != want {
			t.Errorf("%s belongs to %d, want %d", host, got, want)
		}
	}
}
