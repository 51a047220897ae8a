package gate

import (
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/retain"
)

func retentionOf(t *testing.T, lines ...string) error {
	t.Helper()
	h := &Handler{Profile: "demo"}
	d := caddyfile.NewTestDispenser(strings.Join(lines, "\n"))
	for d.Next() {
		if err := h.unmarshalWord(d); err != nil {
			return err
		}
	}
	src, err := profile.Builtin("demo")
	if err != nil {
		t.Fatal(err)
	}
	if h.profile, err = profile.Load(src); err != nil {
		t.Fatal(err)
	}
	return h.loadRetention()
}

func TestRetentionIsJudgedAtLoad(t *testing.T) {
	t.Parallel()
	const rule, role = "retain contact 3y after created_at", "overdue role dpo"
	tomorrow := time.Now().AddDate(0, 0, 1).Format(time.DateOnly)
	for _, ok := range [][]string{
		{},
		{rule, role},
		{rule, "retain contact 10y after birth_date", role},
		{"retain lead 6m after updated_at else created_at unless consent:newsletter:email", role},
		{rule, role, "overdue confirm council works_council", "overdue observe until " + tomorrow},
	} {
		if err := retentionOf(t, ok...); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, no := range []struct {
		want  string
		lines []string
	}{
		{"who still sees", []string{rule}},
		{"who still sees", []string{rule, "overdue confirm council"}},
		{"nothing is retained", []string{role}},
		{"no such kind of record", []string{"retain contakt 3y after created_at", role}},
		{"lists no field", []string{"retain contact 3y after closed_at", role}},
		{"is no period", []string{"retain contact 3w after created_at", role}},
		{"write `retain", []string{"retain contact 3y", role}},
		{"is no fact", []string{"retain contact 3y after created_at unless friend", role}},
		{"stands there twice", []string{rule, rule, role}},
		{"stands there twice", []string{rule, role, role}},
		{"is no role", []string{rule, "overdue role *"}},
		{"overdue takes", []string{rule, "overdue role"}},
		{"confirm", []string{rule, role, "overdue confirms x"}},
		{"is not a day", []string{rule, role, "overdue observe until tomorrow"}},
		{"more than 30 days", []string{rule, role, "overdue observe until 2199-01-01"}},
	} {
		if err := retentionOf(t, no.lines...); err == nil || !strings.Contains(err.Error(), no.want) {
			t.Errorf("%q: %v, want %q", no.lines, err, no.want)
		}
	}
}

// Nothing is deleted by a clock of which the log knows better.
func TestAClockThatGoesWrongDeletesNothing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	newest := func(entries ...audit.Entry) iter.Seq2[audit.Stored, error] {
		return func(yield func(audit.Stored, error) bool) {
			for _, e := range entries {
				if !yield(audit.Stored{Entry: e}, nil) {
					return
				}
			}
		}
	}
	at := func(ago time.Duration) audit.Entry { return audit.Entry{Time: now.Add(-ago)} }
	step := at(2 * time.Hour)
	step.Event = audit.ClockStep
	oldStep := at(30 * time.Hour)
	oldStep.Event = audit.ClockStep
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		entries []audit.Entry
		other   bool
		wrong   bool
	}{
		"as ever":                         {entries: []audit.Entry{at(0), at(time.Minute), at(20 * time.Hour), at(3 * day)}},
		"a new log":                       {},
		"the log is later":                {entries: []audit.Entry{at(0), at(time.Minute), at(-time.Hour)}, wrong: true},
		"another node's log is later":     {entries: []audit.Entry{at(-time.Hour)}, other: true, wrong: true},
		"another node sleeps":             {entries: []audit.Entry{at(100 * day)}, other: true},
		"set within the day":              {entries: []audit.Entry{at(0), step, at(3 * day)}, wrong: true},
		"set before":                      {entries: []audit.Entry{at(0), at(20 * time.Hour), oldStep}},
		"a month ahead since the restart": {entries: []audit.Entry{at(0), at(time.Minute), at(40 * day)}, wrong: true},
	} {
		if wrong, err := clockWrong(now, !c.other, newest(c.entries...)); err != nil || wrong != c.wrong {
			t.Errorf("%s: wrong %t, %v", name, wrong, err)
		}
	}
	broken := func(yield func(audit.Stored, error) bool) { yield(audit.Stored{}, errLog) }
	if _, err := clockWrong(now, true, broken); err == nil {
		t.Error("a log that can't be read says nothing against a clock")
	}
}

func TestDatesOfAllCRMsAreUnderstoodAndOthersAreNot(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"2023-11-24"`:                                         "2023-11-24",
		`"2023-11-24 23:59:59"`:                                "2023-11-24",
		`"2023-11-24T12:00:00Z"`:                               "2023-11-24",
		`"2023-11-24T12:00:00.123456Z"`:                        "2023-11-24",
		`"2023-11-24T12:00:00+01:00"`:                          "2023-11-24",
		`"2023-11-24T12:00:00.000+0000"`:                       "2023-11-24",
		`"2023-11-24 12:00:00+00:00"`:                          "2023-11-24",
		`"24.11.2023"`:                                         "2023-11-24",
		`"24.11.2023 12:30"`:                                   "2023-11-24",
		`1700827200`:                                           "2023-11-24",
		`"1700827200000"`:                                      "2023-11-24",
		`"/Date(1700827200000+0000)/"`:                         "2023-11-24",
		`{"__class__":"date","year":2023,"month":11,"day":24}`: "2023-11-24",
		`{"__class__":"datetime","year":2023,"month":11,"day":24,"hour":12,"minute":0,"second":0}`: "2023-11-24",
		`null`: "", `""`: "", `" "`: "", `false`: "", `"0000-00-00"`: "", `"0000-00-00 00:00:00"`: "",
		`"11/24/2023"`: "?", `20231124`: "?", `"20231124"`: "?", `1`: "?", `-1700827200`: "?", `true`: "?", `"soon"`: "?", `"2023-02-30"`: "?",
		`"••••••"`: "?", `[]`: "?", `{}`: "?", `"0001-01-01T00:00:00Z"`: "?", `{"__class__":"date","year":2023,"month":13,"day":24}`: "?",
		`{"__class__":"Decimal","decimal":"1"}`: "?", `170082720012345678901234567890`: "?", `"2023-11-24x"`: "?", `1.7e9`: "?",
	} {
		tree, err := json.Parse([]byte(`{"v":`+in+`}`), doc.DefaultLimits())
		if err != nil {
			t.Fatal(in, err)
		}
		d := readDate(tree, tree.Member(doc.Root, "v"))
		if d.Word() != want || retain.ParseWord(d.Word()) != d {
			t.Errorf("%s is read as %q, want %q", in, d.Word(), want)
		}
	}
}
