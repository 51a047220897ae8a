package retain_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/retain"
)

func day(t *testing.T, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func rule(t *testing.T, words string) retain.Rule {
	t.Helper()
	r, err := retain.ParseRule(strings.Fields(words))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPeriodsRunByTheCalendar(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"3y", "2023-11-24", "2026-11-24"},
		{"1m", "2023-01-31", "2023-02-28"},
		{"1m", "2024-01-31", "2024-02-29"},
		{"6m", "2023-08-31", "2024-02-29"},
		{"1y", "2024-02-29", "2025-02-28"},
		{"4y", "2024-02-29", "2028-02-29"},
		{"30d", "2024-02-01", "2024-03-02"},
		{"1y6m", "2023-12-31", "2025-06-30"},
		{"13m", "2023-01-31", "2024-02-29"},
		{"1m1d", "2023-01-31", "2023-03-01"},
	} {
		p, err := retain.ParsePeriod(c[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := p.After(day(t, c[1])).Format(time.DateOnly); got != c[2] || p.String() != c[0] {
			t.Errorf("%s after %s ends with %s, want %s (%s)", c[0], c[1], got, c[2], p)
		}
	}
	for _, s := range []string{"", "3", "y", "3w", "-1y", "0y", "3y ", "1d1y", "999y", "1.5y", "101y"} {
		if p, err := retain.ParsePeriod(s); err == nil {
			t.Errorf("%q is read as %s", s, p)
		}
	}
}

func TestRulesAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"3y after closed_at", "6m after last_contact unless consent:newsletter", "1y6m after a else b else c unless own"} {
		if r := rule(t, "contact "+s); r.Words() != s || r.Entity != "contact" {
			t.Errorf("%q is %q", s, r.Words())
		}
	}
	for _, s := range []string{
		"", "contact", "contact 3y", "contact 3y after", "contact 3y before closed_at", "contact 3y after a b", "contact 3y after a else a",
		"contact 3y after a unless b unless c", "contact 3y after a unless b else c", "contact after a 3y", "contact 3 after a", "contact 3y after a after b",
	} {
		if r, err := retain.ParseRule(strings.Fields(s)); err == nil {
			t.Errorf("%q is read as %q", s, r.Words())
		}
	}
	if _, err := retain.NewRules([]retain.Rule{rule(t, "contact 3y after a"), rule(t, "contact 3y after a")}); err == nil {
		t.Error("a rule stands there twice")
	}
}

func TestWhatIsUnknownIsOverdueAndWhatHasNotBegunIsNot(t *testing.T) {
	t.Parallel()
	rules, err := retain.NewRules([]retain.Rule{
		rule(t, "contact 3y after closed_at"),
		rule(t, "lead 6m after last_contact else created_at unless consent:newsletter"),
		rule(t, "case 1y after closed_at"), rule(t, "case 10y after created_at"),
	})
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) retain.Date { return retain.ParseDate(s) }
	now := time.Date(2026, 11, 24, 0, 30, 0, 0, time.Local)
	for name, c := range map[string]struct {
		entity                   access.Entity
		dates                    retain.Dates
		facts                    access.Facts
		overdue, unknown, lookUp bool
		rule                     string
	}{
		"the day itself":                  {entity: "contact", dates: retain.Dates{"closed_at": at("2023-11-24")}},
		"the day behind it":               {entity: "contact", dates: retain.Dates{"closed_at": at("2023-11-23")}, overdue: true, rule: "3y after closed_at"},
		"never closed":                    {entity: "contact", dates: retain.Dates{"closed_at": at("")}},
		"not told":                        {entity: "contact", dates: retain.Dates{}, overdue: true, unknown: true, lookUp: true},
		"not understood":                  {entity: "contact", dates: retain.Dates{"closed_at": at("soon")}, overdue: true, unknown: true},
		"in the future":                   {entity: "contact", dates: retain.Dates{"closed_at": at("2030-01-01")}},
		"else":                            {entity: "lead", dates: retain.Dates{"last_contact": at(""), "created_at": at("2026-01-01")}, overdue: true},
		"else isn't needed":               {entity: "lead", dates: retain.Dates{"last_contact": at("2026-11-01")}},
		"else isn't told":                 {entity: "lead", dates: retain.Dates{"last_contact": at("")}, overdue: true, unknown: true, lookUp: true},
		"the first isn't told":            {entity: "lead", dates: retain.Dates{"created_at": at("2026-11-01")}, overdue: true, unknown: true, lookUp: true},
		"consent":                         {entity: "lead", dates: retain.Dates{}, facts: access.Facts{"consent:newsletter": access.FactTrue}, lookUp: true},
		"no consent":                      {entity: "lead", dates: retain.Dates{"last_contact": at("2020-01-01")}, facts: access.Facts{"consent:newsletter": access.FactFalse}, overdue: true},
		"consent unknown":                 {entity: "lead", dates: retain.Dates{"last_contact": at("2020-01-01")}, facts: access.Facts{"consent:newsletter": access.FactUnknown}, overdue: true},
		"another consent":                 {entity: "lead", dates: retain.Dates{"last_contact": at("2020-01-01")}, facts: access.Facts{"consent:sms": access.FactTrue}, overdue: true},
		"two rules, none over":            {entity: "case", dates: retain.Dates{"closed_at": at(""), "created_at": at("2020-01-01")}},
		"two rules, the second over":      {entity: "case", dates: retain.Dates{"closed_at": at(""), "created_at": at("2010-01-01")}, overdue: true, rule: "10y after created_at"},
		"one unknown, the other for sure": {entity: "case", dates: retain.Dates{"closed_at": at("soon"), "created_at": at("2010-01-01")}, overdue: true, rule: "10y after created_at"},
		"no rule":                         {entity: "account"},
	} {
		v := rules.Judge(c.entity, c.dates, c.facts, now)
		if v.Overdue != c.overdue || v.Unknown != c.unknown || c.rule != "" && v.Rule != c.rule || rules.Complete(c.entity, c.dates) == c.lookUp {
			t.Errorf("%s: %+v, complete %t", name, v, rules.Complete(c.entity, c.dates))
		}
	}
}

func FuzzDatesKeepWhatTheySay(f *testing.F) {
	for _, s := range []string{"2023-11-24", "1700827200", "24.11.2023 12:30", "/Date(1)/", "2023-11-24T12:00:00Z", "••", "0000-00-00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := retain.ParseDate(s)
		if retain.ParseWord(d.Word()) != d || d.State == retain.Given && (d.Day.Year() < 1900 || d.Day.Hour() != 0) {
			t.Errorf("%q is %+v, kept as %q", s, d, d.Word())
		}
	})
}
