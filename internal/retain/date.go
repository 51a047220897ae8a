package retain

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/doc"
)

// State says what is known of a date. The zero value is unknown.
type State uint8

// The states of a date.
const (
	Unknown State = iota
	// Empty is a field that holds nothing: what it dates hasn't happened.
	Empty
	Given
)

// Date is what a record says in one field.
type Date struct {
	State State
	// Day is the day, at midnight UTC.
	Day time.Time
}

// Dates are those of one record, by field. A missing one is unknown.
type Dates map[string]Date

// Word is the date as it is kept: `2026-11-24`, "" for an empty one, `?`.
func (d Date) Word() string {
	switch d.State {
	case Given:
		return d.Day.Format(time.DateOnly)
	case Empty:
		return ""
	}
	return "?"
}

// ParseWord reads what Word writes.
func ParseWord(s string) Date {
	if s == "" {
		return Date{State: Empty}
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}
	}
	return dayOf(t)
}

// ReadDate reads the value at a node, in any of the forms in which CRMs write dates.
func ReadDate(t *doc.Tree, node int) Date {
	if node < 0 || node >= len(t.Nodes) {
		return Date{}
	}
	switch t.Nodes[node].Kind {
	case doc.Null:
		return Date{State: Empty}
	case doc.Bool:
		if t.Text(node) == "false" { // Odoo's word for no value
			return Date{State: Empty}
		}
	case doc.Number, doc.String:
		return ParseDate(t.Text(node))
	case doc.Object:
		return readObject(t, node)
	}
	return Date{}
}

// readObject reads {"__class__": "datetime", "year": 2026, "month": 11, "day": 24, …}.
func readObject(t *doc.Tree, node int) Date {
	part := func(name string) int {
		n := t.Member(node, name)
		if n < 0 || t.Nodes[n].Kind != doc.Number {
			return 0
		}
		v, err := strconv.Atoi(t.Text(n))
		if err != nil {
			return 0
		}
		return v
	}
	class := t.Member(node, "__class__")
	if class < 0 || t.Text(class) != "date" && t.Text(class) != "datetime" {
		return Date{}
	}
	y, m, d := part("year"), part("month"), part("day")
	day := time.Date(y, time.Month(m), d, part("hour"), part("minute"), part("second"), 0, time.UTC)
	if y < firstYear || day.Year() != y || day.Month() != time.Month(m) || day.Day() != d {
		return Date{}
	}
	if t.Text(class) == "datetime" {
		day = day.Local() // Tryton's are UTC
	}
	return dayOf(day)
}

// layouts are the forms of dates with letters, dots or hyphens. Those with slashes are
// left out: which number is the day can't be told.
var layouts = [...]string{
	time.DateOnly,
	"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04",
	"02.01.2006", "02.01.2006 15:04", "02.01.2006 15:04:05", "02.01.2006, 15:04", "02.01.2006, 15:04:05",
}

// zoned are those that say where.
var zoned = [...]string{
	time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z0700", "2006-01-02T15:04Z07:00",
}

var dotNet = regexp.MustCompile(`^/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/$`)

// ParseDate reads a text or a number.
func ParseDate(s string) Date {
	s = strings.TrimSpace(s)
	const most = 40
	switch {
	case s == "", s == "0000-00-00", s == "0000-00-00 00:00:00": // what MySQL writes for none
		return Date{State: Empty}
	case len(s) > most:
		return Date{}
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return dayOf(t)
		}
	}
	for _, l := range zoned {
		if t, err := time.Parse(l, s); err == nil {
			return dayOf(t.Local())
		}
	}
	if m := dotNet.FindStringSubmatch(s); m != nil {
		ms, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			return Date{}
		}
		return dayOf(time.UnixMilli(ms))
	}
	return epoch(s)
}

// epoch reads seconds (9 or 10 digits: from 1973 to 2286) and milliseconds (12 or 13) since 1970. What has another
// length could be a date like 20261124, or anything.
func epoch(s string) Date {
	whole, fraction, _ := strings.Cut(s, ".")
	if strings.Trim(whole, "0123456789") != "" || strings.Trim(fraction, "0123456789") != "" {
		return Date{}
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || whole[0] == '0' {
		return Date{}
	}
	switch len(whole) {
	case 9, 10:
		return dayOf(time.Unix(n, 0))
	case 12, 13:
		return dayOf(time.UnixMilli(n))
	}
	return Date{}
}

// firstYear is the first year that a CRM can have meant.
const firstYear = 1900

func dayOf(t time.Time) Date {
	y, m, d := t.Date()
	if y < firstYear || y > 9999 {
		return Date{}
	}
	return Date{State: Given, Day: time.Date(y, m, d, 0, 0, 0, 0, time.UTC)}
}
