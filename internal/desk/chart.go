package desk

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

// Chart is a row of bars, one a day. Across it is measured in percent, so that it
// fits any width, and down in pixels.
type Chart struct {
	Height, Base int
	Bars         []Bar
	Lines        []ChartLine
	Labels       []ChartLabel
	Total, Most  int
	MostOn       time.Time
	Marked       int
}

// Bar is a day.
type Bar struct {
	X, Width       string
	ClearY, ClearH int
	MaskY, MaskH   int
	Unusual        bool
	Middle         string
	Day            *Day
}

// ChartLine is a line across, with its number.
type ChartLine struct{ Y, Value int }

// ChartLabel is a day below the bars.
type ChartLabel struct {
	X    string
	Date time.Time
}

const (
	chartHeight = 220
	chartBase   = 190 // where bars stand
	chartTop    = 26
)

// NewChart draws the records that were shown, day by day.
func NewChart(days []*Day, unusual []bool) Chart {
	c := Chart{Height: chartHeight, Base: chartBase}
	most := 0
	for _, d := range days {
		c.Total += d.Records
		if d.Records > most {
			most, c.MostOn = d.Records, d.Date
		}
	}
	c.Most = most
	top := roundUp(most)
	for _, part := range []int{2, 1} {
		if v := top * part / 2; v > 0 {
			c.Lines = append(c.Lines, ChartLine{chartBase - height(v, top), v})
		}
	}
	step := 100 / float64(max(len(days), 1))
	for i, d := range days {
		x := float64(i) * step
		b := Bar{X: percent(x + step*.12), Width: percent(step * .76), Middle: percent(x + step/2), Day: d}
		whole := height(d.Records, top)
		b.ClearH = height(d.Clear, top)
		b.ClearY = chartBase - b.ClearH
		b.MaskH = max(whole-b.ClearH, 0)
		b.MaskY = b.ClearY - b.MaskH
		if i < len(unusual) && unusual[i] {
			b.Unusual = true
			c.Marked++
		}
		c.Bars = append(c.Bars, b)
		if (len(days)-1-i)%14 == 6 {
			c.Labels = append(c.Labels, ChartLabel{b.Middle, d.Date})
		}
	}
	return c
}

func percent(f float64) string { return fmt.Sprintf("%.3f%%", f) }

// height is at least a pixel for what isn't nothing.
func height(n, top int) int {
	if n <= 0 || top <= 0 {
		return 0
	}
	return max(1, n*(chartBase-chartTop)/top)
}

// roundUp is the next of 2, 4, 10, 20, 40, 100, …
func roundUp(n int) int {
	for p := 1; ; p *= 10 {
		for _, m := range []int{2, 4, 10} {
			if n <= m*p {
				return m * p
			}
		}
	}
}

// CategoryBar is a category over all days.
type CategoryBar struct {
	Category access.Category
	Volume
	ClearW, MaskW, MaskX string
}

// CategoryBars adds the days up, the most shown category first.
func CategoryBars(days []*Day) []CategoryBar {
	sums := map[access.Category]Volume{}
	most := 1
	for _, d := range days {
		for c, v := range d.Categories {
			s := sums[c]
			s.Clear, s.Masked = s.Clear+v.Clear, s.Masked+v.Masked
			sums[c] = s
			most = max(most, s.Clear+s.Masked)
		}
	}
	var all []CategoryBar
	for c, v := range sums {
		clear, masked := 100*float64(v.Clear)/float64(most), 100*float64(v.Masked)/float64(most)
		all = append(all, CategoryBar{c, v, percent(clear), percent(masked), percent(clear)})
	}
	slices.SortFunc(all, func(a, b CategoryBar) int {
		return cmp.Or(cmp.Compare(b.Clear, a.Clear), cmp.Compare(b.Masked, a.Masked), cmp.Compare(a.Category, b.Category))
	})
	return all
}
