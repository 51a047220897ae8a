package desk

import (
	"fmt"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

func TestUnusualIsFarAboveOnesOwnPast(t *testing.T) {
	usual := []int{20, 25, 18, 22, 30, 24, 21}
	for _, c := range []struct {
		past []int
		n    int
		is   bool
	}{
		{usual, 90, true},
		{usual, 44, false},                         // twice isn't over twice
		{usual, 60, true},                          // outside the spread
		{[]int{5, 60, 10, 80, 20, 70}, 140, false}, // spread widely as ever
		{usual[:4], 500, false},                    // too short a past to say
		{[]int{1, 1, 1, 1, 1, 1}, 29, false},       // too few to be worth a mark
		{[]int{1, 1, 1, 1, 1, 1}, 30, true},
		{[]int{20, 25, 900, 18, 22, 30, 24}, 90, true}, // one unusual day before hides nothing
	} {
		if _, is := unusual(c.past, c.n); is != c.is {
			t.Errorf("%d after %v: unusual is %t, want %t", c.n, c.past, is, c.is)
		}
	}
}

func TestTallyCountsRecordsByDayCategoryAndPerson(t *testing.T) {
	tally := NewTally(time.UTC)
	now := began.AddDate(0, 0, 3)
	take := func(e audit.Entry) { tally.Take(&e) }
	treated := map[access.Category]access.Treatment{access.Name: access.Clear, access.Bank: access.Hidden, access.Public: access.Clear}
	for i := range 3 {
		take(audit.Entry{Kind: audit.Intent, Time: began, Decision: &audit.Decision{Refused: i == 0}})
	}
	take(audit.Entry{Kind: audit.Control, Event: audit.SignIn, Time: began})
	take(audit.Entry{Kind: audit.Disclosure, Time: began, Employee: "e-1", Disclosure: &access.Disclosure{
		Rows: 4, Records: []access.DisclosedRecord{{Treated: treated}, {Treated: map[access.Category]access.Treatment{access.Bank: access.Hidden}}, {}},
	}})
	days := tally.Days(now)
	d := days[len(days)-4]
	got := fmt.Sprint(d.Accesses, d.Refused, d.Records, d.Clear, d.Categories, d.Employees)
	if want := "3 1 6 1 map[bank:{0 2} name:{1 0}] map[e-1:6]"; got != want || len(days) != TallyDays {
		t.Errorf("%d days, that day %s, want %s", len(days), got, want)
	}
	take(audit.Entry{Kind: audit.Disclosure, Time: began, Employee: "e-2", Disclosure: &access.Disclosure{Records: []access.DisclosedRecord{{Treated: treated}}}})
	if d.Records != 6 || len(d.Employees) != 1 || d.Categories[access.Name].Clear != 1 {
		t.Error("what a page shows changes while it is counted on")
	}
	if later := tally.Days(now.AddDate(0, 0, TallyDays)); later[0].Records != 0 || len(tally.days) != TallyDays {
		t.Errorf("%d days are kept", len(tally.days))
	}
}

// Bars stand on the line and stay within the picture, whatever the numbers.
func TestChartsFitTheirPicture(t *testing.T) {
	for _, most := range []int{0, 1, 2, 3, 7, 99, 100, 101, 123456789} {
		days := []*Day{{Records: most, Clear: most / 3}, {}, {Records: most / 2}}
		c := NewChart(days, []bool{true})
		for _, b := range c.Bars {
			if b.MaskY < chartTop || b.ClearY+b.ClearH != chartBase || b.MaskY+b.MaskH != b.ClearY || b.ClearH < 0 || b.MaskH < 0 {
				t.Errorf("%d records: bar %+v", most, b)
			}
		}
	}
}
