package report

import (
	"slices"
	"time"
)

// Step is one step of a line of time.
type Step struct {
	Begin time.Time `json:"begin"`
	// Requests were made in it; Records are those that answers held, and Clear
	// those of them of which something was in clear.
	Requests int `json:"requests"`
	Records  int `json:"records"`
	Clear    int `json:"clear"`
}

// The units of a line of time.
const (
	Hour  = "hour"
	Day   = "day"
	Week  = "week"
	Month = "month"
	Year  = "year"
)

// maxSteps is how many steps a line of time has; more of them become fewer and
// longer ones.
const maxSteps = 72

// timeline counts by time. Its first unit is an hour; it grows with what there is.
type timeline struct {
	zone *time.Location
	unit int
	at   map[time.Time]*Step
}

func newTimeline(zone *time.Location) *timeline {
	return &timeline{zone: zone, at: map[time.Time]*Step{}}
}

func units() []string { return []string{Hour, Day, Week, Month, Year} }

func (t *timeline) request(at time.Time) { t.step(at).Requests++ }

func (t *timeline) shown(at time.Time, records, clear int) {
	if records == 0 {
		return
	}
	s := t.step(at)
	s.Records, s.Clear = s.Records+records, s.Clear+clear
}

func (t *timeline) step(at time.Time) *Step {
	begin := t.begin(at)
	s := t.at[begin]
	if s != nil {
		return s
	}
	s = &Step{Begin: begin}
	t.at[begin] = s
	if t.unit < len(units())-1 && t.long() {
		t.coarsen()
		return t.step(at)
	}
	return s
}

// long reports whether the first and the last step lie too many apart.
func (t *timeline) long() bool {
	first, last := t.ends()
	n := 0
	for at := first; !at.After(last); at = t.next(at) {
		if n++; n > maxSteps {
			return true
		}
	}
	return false
}

func (t *timeline) ends() (first, last time.Time) {
	for at := range t.at {
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	return first, last
}

func (t *timeline) coarsen() {
	old := t.at
	t.unit, t.at = t.unit+1, map[time.Time]*Step{}
	for at, s := range old {
		begin := t.begin(at)
		sum := t.at[begin]
		if sum == nil {
			sum = &Step{Begin: begin}
			t.at[begin] = sum
		}
		sum.Requests, sum.Records, sum.Clear = sum.Requests+s.Requests, sum.Records+s.Records, sum.Clear+s.Clear
	}
}

// begin is when the step of a time begins.
func (t *timeline) begin(at time.Time) time.Time {
	at = at.In(t.zone)
	y, m, d := at.Date()
	switch units()[t.unit] {
	case Hour:
		// Not by the clock's hour: one comes twice when summer ends.
		return at.Truncate(time.Minute).Add(-time.Duration(at.Minute()) * time.Minute)
	case Day:
	case Week:
		d -= (int(at.Weekday()) + 6) % 7
	case Month:
		d = 1
	default:
		m, d = 1, 1
	}
	return time.Date(y, m, d, 0, 0, 0, 0, t.zone)
}

func (t *timeline) next(at time.Time) time.Time {
	switch units()[t.unit] {
	case Hour:
		return at.Add(time.Hour)
	case Day:
		return at.AddDate(0, 0, 1)
	case Week:
		return at.AddDate(0, 0, 7)
	case Month:
		return at.AddDate(0, 1, 0)
	}
	return at.AddDate(1, 0, 0)
}

// steps are all of them, those without an access too.
func (t *timeline) steps() (unit string, all []Step) {
	all = []Step{}
	first, last := t.ends()
	for at := first; len(t.at) > 0 && !at.After(last); at = t.next(at) {
		s := Step{Begin: at}
		if had := t.at[at]; had != nil {
			s = *had
		}
		s.Begin = at.UTC()
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Step) int { return a.Begin.Compare(b.Begin) })
	return units()[t.unit], all
}
