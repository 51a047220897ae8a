package policy

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

func treatment(t *testing.T, s *Snapshot, roles []string, e access.Entity, c access.Category, facts access.Facts) string {
	t.Helper()
	p, err := s.Plan(roles, access.Read)
	if err != nil {
		t.Fatal(err)
	}
	return p.Verdict(e, c, facts).Treatment.String()
}

// precedence is a policy in which lines compete.
type precedence struct {
	lines    []string
	roles    string
	category access.Category
	facts    access.Facts
	want     string
}

func (c precedence) check(t *testing.T) {
	t.Helper()
	for range 2 {
		s := loaded(t, c.lines...)
		if got := treatment(t, s, strings.Fields(c.roles), "contact", c.category, c.facts); got != c.want {
			t.Errorf("%q: got %s, want %s", c.lines, got, c.want)
		}
		// The order of lines has no meaning.
		slices.Reverse(c.lines)
	}
}

func TestNearestLineDecidesWithinARole(t *testing.T) {
	t.Parallel()
	own := access.Facts{"own": access.FactTrue}
	for name, c := range map[string]precedence{
		"category before group": {
			[]string{"g2, email, cd", "p, a, contact, email, read, partial, , allow", "p, a, contact, cd, read, clear, , allow"},
			"a", access.Email, nil, "partial",
		},
		"group before star": {
			[]string{"g2, email, cd", "p, a, contact, cd, read, hidden, , allow", "p, a, contact, *, read, clear, , allow"},
			"a", access.Email, nil, "hidden",
		},
		"entity before category": {
			[]string{"p, a, *, email, read, clear, , allow", "p, a, contact, *, read, partial, , allow"},
			"a", access.Email, nil, "partial",
		},
		"entity group before star": {
			[]string{"g3, contact, person", "p, a, *, email, read, clear, , allow", "p, a, person, *, read, hidden, , allow"},
			"a", access.Email, nil, "hidden",
		},
		"equal lines: the least revealing": {
			[]string{"p, a, contact, email, read, clear, , allow", "p, a, contact, email, read, pseudonym, , allow", "p, a, contact, email, read, partial, , allow"},
			"a", access.Email, nil, "pseudonym",
		},
		"a condition doesn't make a line nearer": {
			[]string{"p, a, contact, email, read, clear, own, allow", "p, a, contact, email, read, partial, , allow"},
			"a", access.Email, own, "partial",
		},
		"an action doesn't make a line nearer": {
			[]string{"p, a, contact, email, read, clear, , allow", "p, a, contact, email, *, partial, , allow"},
			"a", access.Email, nil, "partial",
		},
		"a condition that fails leaves the next line": {
			[]string{"p, a, contact, email, read, clear, own, allow", "p, a, contact, *, read, partial, , allow"},
			"a", access.Email, nil, "partial",
		},
		"a condition that holds decides": {
			[]string{"p, a, contact, email, read, clear, own, allow", "p, a, contact, *, read, partial, , allow"},
			"a", access.Email, own, "clear",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}

func TestMostRevealingRoleDecidesAndADenyBeatsAll(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]precedence{
		"between roles the most revealing": {
			[]string{"p, a, contact, email, read, hidden, , allow", "p, b, contact, *, read, partial, , allow"},
			"a b", access.Email, nil, "partial",
		},
		"an heir has what it inherits": {
			[]string{"g, lead, a", "p, a, contact, email, read, partial, , allow", "p, lead, contact, *, read, clear, , allow"},
			"lead", access.Email, nil, "clear",
		},
		"nobody inherits from an heir": {
			[]string{"g, lead, a", "p, a, contact, email, read, partial, , allow", "p, lead, contact, *, read, clear, , allow"},
			"a", access.Email, nil, "partial",
		},
		"a star doesn't cover unclassified": {
			[]string{"p, a, *, *, *, clear, , allow"}, "a", access.Unclassified, nil, "hidden",
		},
		"unclassified can be named": {
			[]string{"p, a, *, unclassified, *, clear, , allow"}, "a", access.Unclassified, nil, "clear",
		},
		"a star doesn't cover credentials": {
			[]string{"p, a, *, *, *, clear, , allow"}, "a", access.Credential, nil, "hidden",
		},
		"a general deny beats a special allow": {
			[]string{"g2, email, cd", "p, a, *, cd, *, , , deny", "p, a, contact, email, read, clear, , allow"},
			"a", access.Email, nil, "hidden",
		},
		"an unknown fact meets a deny": {
			[]string{"p, a, contact, email, read, , own, deny", "p, a, contact, email, read, clear, , allow"},
			"a", access.Email, nil, "hidden",
		},
		"a false fact meets no deny": {
			[]string{"p, a, contact, email, read, , own, deny", "p, a, contact, email, read, clear, , allow"},
			"a", access.Email,
			access.Facts{"own": access.FactFalse},
			"clear",
		},
		"an inherited deny counts": {
			[]string{"g, lead, a", "p, a, contact, email, read, , , deny", "p, lead, contact, email, read, clear, , allow"},
			"lead", access.Email, nil, "hidden",
		},
		"drop is less than no line": {
			[]string{"p, a, contact, email, read, drop, , allow"}, "a", access.Email, nil, "drop",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}

func TestVerdictNamesTheLineThatDecided(t *testing.T) {
	t.Parallel()
	p, err := office(t).Plan([]string{"sales"}, access.Read)
	if err != nil {
		t.Fatal(err)
	}
	for c, want := range map[access.Category]string{
		access.Phone:   "policy.csv:4: p, sales, contact, contact_data, read,   partial, , allow",
		access.Special: noLine,
		access.Bank:    noLine,
	} {
		if v := p.Verdict("contact", c, nil); v.Line != want {
			t.Errorf("%s: %q, want %q", c, v.Line, want)
		}
	}
}

func TestPlanIsOnePerRoleSetHoweverWritten(t *testing.T) {
	t.Parallel()
	s := office(t)
	first, err := s.Plan([]string{"sales", "boss"}, access.Read)
	if err != nil {
		t.Fatal(err)
	}
	for _, roles := range [][]string{{"boss", "sales"}, {"sales", "boss", "sales", "nobody"}} {
		if p, err := s.Plan(roles, access.Read); err != nil || p != first {
			t.Errorf("Plan(%q) is another plan (%v)", roles, err)
		}
	}
	for _, roles := range [][]string{{"boss"}, {"sales"}, {}} {
		if p, err := s.Plan(roles, access.Read); err != nil || p == first {
			t.Errorf("Plan(%q) is the plan of other roles (%v)", roles, err)
		}
	}
	if p, err := s.Plan([]string{"sales", "boss"}, access.Export); err != nil || p == first {
		t.Errorf("Plan for export is the plan for reading (%v)", err)
	}
	if !slices.Equal(first.Roles, []string{"boss", "sales"}) || first.Version != s.Version() {
		t.Errorf("plan of %q, version %s", first.Roles, first.Version)
	}
}

func TestPlanOfManyRolesIsFoundAgain(t *testing.T) {
	t.Parallel()
	var lines, roles []string
	for i := range 40 {
		roles = append(roles, fmt.Sprintf("r%d", i))
		lines = append(lines, fmt.Sprintf("p, r%d, contact, name, read, clear, , allow", i))
	}
	s := loaded(t, lines...)
	first, err := s.Plan(roles, access.Read)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(roles)
	if p, err := s.Plan(roles, access.Read); err != nil || p != first {
		t.Errorf("the same roles get another plan (%v)", err)
	}
}

func TestPlanIsCompiledOnceHoweverManyWait(t *testing.T) {
	t.Parallel()
	s := office(t)
	plans := make([]*access.Plan, 16)
	var wg sync.WaitGroup
	for i := range plans {
		wg.Go(func() {
			for _, a := range access.Actions() {
				p, err := s.Plan([]string{"sales", "boss"}, a)
				if err != nil {
					t.Error(err)
				}
				if a == access.Read {
					plans[i] = p
				}
			}
		})
	}
	wg.Wait()
	for _, p := range plans {
		if p != plans[0] {
			t.Fatal("two plans were compiled for the same roles")
		}
	}
}

func TestKeptPlansAreBounded(t *testing.T) {
	t.Parallel()
	s := office(t)
	big := &access.Plan{Cells: map[access.Entity]map[access.Category][]access.Verdict{
		"contact": {access.Name: make([]access.Verdict, maxVerdicts/2)},
	}}
	s.keep("one", &compiled{plan: big})
	s.keep("two", &compiled{plan: big})
	if shelf := s.plans.Load(); len(shelf.plans) != 1 || shelf.plans["two"] == nil {
		t.Errorf("%d plans of %d verdicts are kept", len(shelf.plans), shelf.verdicts)
	}
	s.keep("three", &compiled{plan: &access.Plan{}})
	if shelf := s.plans.Load(); len(shelf.plans) != 2 {
		t.Errorf("%d plans are kept, want 2", len(shelf.plans))
	}
}

func TestPlanCacheHitAllocatesNothing(t *testing.T) {
	s := office(t)
	roles := []string{"sales", "boss", "offline_access"}
	if _, err := s.Plan(roles, access.Read); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = s.Plan(roles, access.Read) }); n != 0 {
		t.Errorf("a hit allocates %v times", n)
	}
}

func TestPolicyOfTheDesignPageLoads(t *testing.T) {
	t.Parallel()
	s := loaded(t, strings.Split(`
    p, support,   contact, contact_data, read,   partial, ,                   allow
    p, support,   contact, bank,         read,   hidden,  ,                   allow
    p, sales,     contact, *,            read,   clear,   own,                allow
    p, marketing, contact, email,        read,   clear,   consent:newsletter, allow
    p, intern,    *,       *,            export, ,        ,                   deny
    g, sales_lead, sales
    g2, email, contact_data`, "\n")...)
	for _, c := range []struct {
		role  string
		cat   access.Category
		facts access.Facts
		want  string
	}{
		{"support", access.Email, nil, "partial"},
		{"support", access.Name, nil, "hidden"},
		{"sales_lead", access.Bank, access.Facts{"own": access.FactTrue}, "clear"},
		{"sales_lead", access.Bank, nil, "hidden"},
		{"marketing", access.Email, access.Facts{"consent:newsletter": access.FactTrue}, "clear"},
		{"marketing", access.Email, access.Facts{"consent:other": access.FactTrue}, "hidden"},
	} {
		if got := treatment(t, s, []string{c.role}, "contact", c.cat, c.facts); got != c.want {
			t.Errorf("%s %s %v: %s, want %s", c.role, c.cat, c.facts, got, c.want)
		}
	}
}

func TestExplainMarksTheLineThatDecided(t *testing.T) {
	t.Parallel()
	s := loaded(t,
		"g, lead, sales", "g2, email, cd",
		"p, sales, contact, *, read, hidden, , allow",
		"p, sales, contact, cd, read, partial, , allow",
		"p, sales, contact, email, read, clear, own, allow",
		"p, sales, contact, phone, read, clear, , allow",
		"p, lead, *, *, *, pseudonym, , allow",
		"p, other, contact, email, read, clear, , allow",
	)
	lines, v, err := s.Explain([]string{"lead"}, access.Read, "contact", access.Email, nil)
	if err != nil || v.Treatment != access.Partial {
		t.Fatalf("Explain: %+v, %v", v, err)
	}
	want := []Line{
		{Line: "policy.csv:7: p, lead, *, *, *, pseudonym, , allow", Role: "lead", Near: "any any", Holds: true},
		{Line: "policy.csv:3: p, sales, contact, *, read, hidden, , allow", Role: "sales", Near: "self any", Holds: true},
		{Line: "policy.csv:4: p, sales, contact, cd, read, partial, , allow", Role: "sales", Near: "self group", Holds: true, Decided: true},
		{Line: "policy.csv:5: p, sales, contact, email, read, clear, own, allow", Role: "sales", Near: "self self"},
	}
	if !slices.Equal(lines, want) {
		t.Errorf("Explain = %+v, want %+v", lines, want)
	}
	lines, v, err = s.Explain([]string{"sales"}, access.Read, "contact", access.Unclassified, nil)
	if err != nil || len(lines) != 0 || v.Line != noLine {
		t.Errorf("Explain of unclassified = %+v, %+v, %v", lines, v, err)
	}
}
