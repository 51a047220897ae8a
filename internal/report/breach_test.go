package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

func TestBreachReportCountsDifferentRecords(t *testing.T) {
	l := whole()
	l.add(audit.Entry{Time: *at(10), Kind: audit.Control, Event: audit.SignIn, Employee: paula, SourceIP: "198.51.100.9", Names: &audit.Names{Name: "Paula P"}})
	r := makeReport(t, l, Query{Kind: BreachKind, Employee: paula, Known: *at(60)})
	b := r.Breach
	// 7 was shown masked and in clear, 70 masked, 5, 6 and 8 in clear.
	if b.Distinct != 5 || b.Clear != 5 || b.Shown != 7 || b.Requests != 3 || b.Answers != 3 || b.Bytes != 3000 || b.Accounts != 1 {
		t.Errorf("%+v", b)
	}
	for _, c := range b.Categories {
		if c.Name == "bank" && (c.Clear != 4 || c.Masked != 1) {
			t.Errorf("bank %+v", c)
		}
	}
	i := slices.IndexFunc(b.Records, func(r BreachRecord) bool { return r.Record == "contact/7" })
	if i < 0 || b.Records[i].Answers != 2 || !slices.Contains(b.Records[i].Clear, access.Bank) || slices.Contains(b.Records[i].Masked, access.Bank) {
		t.Errorf("records %+v", b.Records)
	}
	if len(b.Exports) != 1 || b.Exports[0].Records != 3 || b.Exports[0].Clear != 3 || b.Exports[0].Bytes != 1000 {
		t.Errorf("exports %+v", b.Exports)
	}
	if len(b.Events) != 1 || b.Events[0].Address != "198.51.100.9" {
		t.Errorf("events %+v", b.Events)
	}
	raw, err := json.Marshal(r)
	if err != nil || strings.Contains(string(raw), "Paula P") || strings.Contains(string(raw), vera) {
		t.Errorf("the report names somebody: %s, %v", raw, err)
	}
}

// Of a period, it isn't said which accounts they were, or where they came from.
func TestBreachReportOfAPeriodNamesNoAccount(t *testing.T) {
	r := makeReport(t, whole(), Query{Kind: BreachKind, Since: *at(2), Until: *at(5)})
	if b := r.Breach; b.Accounts != 1 || b.Requests != 3 || b.Events != nil || b.Addresses != nil {
		t.Errorf("%+v", b)
	}
	raw, _ := json.Marshal(r)
	for _, no := range []string{`e-`, "192.0.2"} {
		if strings.Contains(string(raw), `"`+no) {
			t.Errorf("the report holds %s: %s", no, raw)
		}
	}
}

func TestBreachClockRunsOut(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		ago     time.Duration
		overdue bool
	}{{time.Hour, false}, {71 * time.Hour, false}, {73 * time.Hour, true}} {
		r, err := Make(t.Context(), []Source{whole()}, Query{Kind: BreachKind, Since: *at(0), Known: now.Add(-c.ago)}, nil, "n1/1", bounds())
		if err != nil {
			t.Fatal(err)
		}
		k := r.Breach.Clock
		if k.Overdue() != c.overdue || !k.Deadline.Equal(k.Known.Add(72*time.Hour)) {
			t.Errorf("%s ago: %+v", c.ago, k)
		}
		want := int64((72*time.Hour - c.ago) / time.Second)
		if d := want - k.Left; d < -2 || d > 120 {
			t.Errorf("%s ago: %d seconds left, want %d", c.ago, k.Left, want)
		}
	}
	r := makeReport(t, whole(), Query{Kind: BreachKind, Since: *at(0)})
	if r.Breach.Clock != nil || !slices.Contains(r.Gaps, Gap{What: "known_not_stated"}) {
		t.Errorf("without a time: %+v, %+v", r.Breach.Clock, r.Gaps)
	}
}

// Memory is bounded: beyond it records are counted as at least so many.
func TestBreachReportSaysWhatItCannotTellApart(t *testing.T) {
	l := newLog()
	for i := range 30 {
		l.show(i, l.ask(i, vera, "sales", access.Search), open(), fmt.Sprint(i))
	}
	r, err := Make(t.Context(), []Source{l}, Query{Kind: BreachKind, Since: *at(0)}, nil, "n1/1", Bounds{Time: time.Minute, Rows: 5, Distinct: 20})
	if err != nil {
		t.Fatal(err)
	}
	if b := r.Breach; b.Distinct != 20 || !b.AtLeast || len(b.Records) != 5 || b.Unlisted != 15 || b.Shown != 30 {
		t.Errorf("%d, %t, %d listed, %d unlisted, %d shown", b.Distinct, b.AtLeast, len(b.Records), b.Unlisted, b.Shown)
	}
}

// A line of time is never long, and none of what it counts is lost.
func TestTimelineGrowsCoarse(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	for days, unit := range map[int]string{1: Hour, 3: Hour, 30: Day, 200: Week, 1000: Month, 9000: Year} {
		l := newTimeline(berlin)
		end := time.Date(2026, 11, 23, 22, 10, 0, 0, berlin)
		for i := range days {
			l.shown(end.AddDate(0, 0, -i), 2, 1)
			l.request(end.AddDate(0, 0, -i))
		}
		got, steps := l.steps()
		sum := Step{}
		for _, s := range steps {
			sum.Requests, sum.Records, sum.Clear = sum.Requests+s.Requests, sum.Records+s.Records, sum.Clear+s.Clear
		}
		if got != unit || len(steps) > maxSteps || sum.Requests != days || sum.Records != 2*days || sum.Clear != days {
			t.Errorf("%d days: %d steps of a %s, %+v, want %s", days, len(steps), got, sum, unit)
		}
	}
}

func TestBreachReportKeepsItsShape(t *testing.T) {
	r := makeReport(t, whole(), Query{Kind: BreachKind, Employee: paula, Since: *at(0), Known: *at(60), Purpose: "breach", Note: "file 4711"})
	r.Breach.Clock.Left = 1
	for i := range r.Breach.Time {
		r.Breach.Time[i].Begin = r.Breach.Time[i].Begin.UTC()
	}
	golden(t, "breach.json", r)
}
