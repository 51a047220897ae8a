package retain

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Period is a span by the calendar: years, months and days as people count them.
type Period struct{ Years, Months, Days int }

var (
	errPeriod  = errors.New("is no period: write years, months and days as 3y, 6m, 90d or 1y6m")
	periodText = regexp.MustCompile(`^(?:(\d{1,3})y)?(?:(\d{1,4})m)?(?:(\d{1,5})d)?$`)
)

// longest is the longest period in days or so: more is a slip of the pen.
const longest = 100 * 366

// ParsePeriod reads 3y, 6m, 90d or 1y6m.
func ParsePeriod(s string) (Period, error) {
	m := periodText.FindStringSubmatch(s)
	if m == nil || s == "" {
		return Period{}, fmt.Errorf("%q %w", s, errPeriod)
	}
	var n [3]int
	for i := range n {
		if m[i+1] == "" {
			continue
		}
		v, err := strconv.Atoi(m[i+1])
		if err != nil {
			return Period{}, fmt.Errorf("%q %w", s, errPeriod)
		}
		n[i] = v
	}
	p := Period{Years: n[0], Months: n[1], Days: n[2]}
	if days := p.Years*366 + p.Months*31 + p.Days; days < 1 || days > longest {
		return Period{}, fmt.Errorf("%q %w, of a day to a hundred years", s, errPeriod)
	}
	return p, nil
}

// String is the period as a rule writes it.
func (p Period) String() string {
	var s strings.Builder
	for _, part := range []struct {
		n    int
		unit string
	}{{p.Years, "y"}, {p.Months, "m"}, {p.Days, "d"}} {
		if part.n > 0 {
			s.WriteString(strconv.Itoa(part.n) + part.unit)
		}
	}
	return s.String()
}

// After is the last day of the period that begins with the day of t: the day of the
// same number, or the month's last where it has no such day (§ 188 BGB: a month after
// 31 January is the end of February). Only the date of the result counts.
func (p Period) After(t time.Time) time.Time {
	y, m, d := t.Date()
	first := time.Date(y+p.Years, m+time.Month(p.Months), 1, 0, 0, 0, 0, time.UTC)
	if last := first.AddDate(0, 1, -1).Day(); d > last {
		d = last
	}
	return first.AddDate(0, 0, d-1+p.Days)
}
