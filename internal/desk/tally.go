package desk

import (
	"maps"
	"slices"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// TallyDays is how many days are counted, today among them.
const TallyDays = 60

// Tally counts the accesses of the last days. It is not safe for concurrent use.
type Tally struct {
	zone *time.Location
	days map[string]*Day
	to   uint64 // all entries before this number are counted
}

// Day is what was counted on a day.
type Day struct {
	Date time.Time
	// Accesses are requests, Refused those that were refused among them; Records
	// counts the records in answers, Clear those of which something was clear.
	Accesses, Refused, Records, Clear int
	Categories                        map[access.Category]Volume
	Employees                         map[string]int
}

// Volume counts records by how a category of them was shown.
type Volume struct{ Clear, Masked int }

// NewTally begins with nothing counted.
func NewTally(zone *time.Location) *Tally { return &Tally{zone: zone, days: map[string]*Day{}} }

// Since is the first moment that is counted.
func (t *Tally) Since(now time.Time) time.Time {
	now = now.In(t.zone)
	return time.Date(now.Year(), now.Month(), now.Day()-TallyDays+1, 0, 0, 0, 0, t.zone)
}

// Counted is the number of the first entry that wasn't counted yet.
func (t *Tally) Counted() uint64 { return t.to }

// Reached says that all entries before a number are counted.
func (t *Tally) Reached(to uint64) { t.to = max(t.to, to) }

// Take counts an entry.
func (t *Tally) Take(e *audit.Entry) {
	if e.Kind == audit.Control || e.Piece > 1 && e.Kind == audit.Intent {
		return
	}
	d := t.day(e.Time)
	if e.Kind == audit.Intent {
		d.Accesses++
		if e.Decision != nil && e.Decision.Refused && !e.Decision.Observe {
			d.Refused++
		}
		return
	}
	if e.Disclosure == nil {
		return
	}
	d.Records += e.Disclosure.Rows
	n := e.Disclosure.Rows
	for _, r := range e.Disclosure.Records {
		if len(r.Treated) == 0 {
			continue // named only
		}
		n++
		d.takeRecord(r.Treated)
	}
	d.Employees[e.Employee] += n
}

func (d *Day) takeRecord(treated map[access.Category]access.Treatment) {
	d.Records++
	clear := false
	for c, how := range treated {
		if c == access.Public {
			continue
		}
		v := d.Categories[c]
		if how == access.Clear {
			v.Clear++
			clear = true
		} else {
			v.Masked++
		}
		d.Categories[c] = v
	}
	if clear {
		d.Clear++
	}
}

func (t *Tally) day(at time.Time) *Day {
	at = at.In(t.zone)
	key := at.Format(time.DateOnly)
	d := t.days[key]
	if d == nil {
		d = &Day{
			Date:       time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, t.zone),
			Categories: map[access.Category]Volume{}, Employees: map[string]int{},
		}
		t.days[key] = d
	}
	return d
}

// Days returns copies of the last days in their order, those without an access
// too, and forgets those before. What is counted later doesn't change them.
func (t *Tally) Days(now time.Time) []*Day {
	first := t.Since(now)
	var all []*Day
	for i := range TallyDays {
		d := *t.day(first.AddDate(0, 0, i).Add(12 * time.Hour))
		d.Categories, d.Employees = maps.Clone(d.Categories), maps.Clone(d.Employees)
		all = append(all, &d)
	}
	for key, d := range t.days {
		if d.Date.Before(first) {
			delete(t.days, key)
		}
	}
	return all
}

// Together adds the days of several tallies.
func Together(all [][]*Day) []*Day {
	if len(all) == 0 {
		return nil
	}
	days := all[0]
	for _, more := range all[1:] {
		for i, d := range more {
			days[i].add(d)
		}
	}
	return days
}

func (d *Day) add(o *Day) {
	d.Accesses, d.Refused = d.Accesses+o.Accesses, d.Refused+o.Refused
	d.Records, d.Clear = d.Records+o.Records, d.Clear+o.Clear
	for c, v := range o.Categories {
		had := d.Categories[c]
		d.Categories[c] = Volume{had.Clear + v.Clear, had.Masked + v.Masked}
	}
	for who, n := range o.Employees {
		d.Employees[who] += n
	}
}

// Unusual is a day on which an employee was shown far more records than before.
type Unusual struct {
	Date     time.Time
	Employee string
	Records  int
	// Usual is the median of that employee's days before, on which there were any.
	Usual int
}

// UnusualDays are the employees' unusual days, the newest first.
func UnusualDays(days []*Day) []Unusual {
	past := map[string][]int{}
	var all []Unusual
	for _, d := range days {
		for who, n := range d.Employees {
			if usual, is := unusual(past[who], n); is {
				all = append(all, Unusual{d.Date, who, n, usual})
			}
			past[who] = append(past[who], n)
		}
	}
	slices.SortFunc(all, func(a, b Unusual) int {
		if c := b.Date.Compare(a.Date); c != 0 {
			return c
		}
		return b.Records - a.Records
	})
	return all
}

// UnusualTotals says of each day whether its records are far more than before.
func UnusualTotals(days []*Day) []bool {
	var past []int
	marks := make([]bool, len(days))
	for i, d := range days {
		_, marks[i] = unusual(past, d.Records)
		if d.Records > 0 {
			past = append(past, d.Records)
		}
	}
	return marks
}

// The least that an unusual day takes: days before it to compare with, of which
// the last are, and records.
const (
	pastDays    = 5
	comparedTo  = 28
	fewRecords  = 30
	deviations  = 4
	asDeviation = 1.4826 // of a normal distribution, for the median deviation
)

// unusual compares a number with those before it: it is over twice their median,
// and over the median by four deviations. Median and median deviation aren't moved
// by single days that were unusual themselves.
func unusual(past []int, n int) (usual int, is bool) {
	if len(past) < pastDays {
		return 0, false
	}
	past = past[max(0, len(past)-comparedTo):]
	usual = median(past)
	apart := make([]int, len(past))
	for i, p := range past {
		apart[i] = max(p-usual, usual-p)
	}
	limit := float64(usual) + deviations*asDeviation*float64(median(apart))
	return usual, n >= fewRecords && n > 2*usual && float64(n) > limit
}

func median(of []int) int {
	s := slices.Sorted(slices.Values(of))
	return s[len(s)/2]
}
