package alarm

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/audit"
)

// Line is an alarm as the desk shows it, with what was said to it.
type Line struct {
	// ID is the entry's, node/seq; Node and Seq are its parts.
	ID   string
	Node string
	Seq  uint64
	audit.Alarm
	Time     time.Time
	Site     string
	Employee string
	Observed bool
	// Seen are those who answered for it, in the order of time.
	Seen []Seen
}

// Seen is somebody who answered for an alarm, by their pseudonym.
type Seen struct {
	By, Said string
	At       time.Time
}

// The length of what somebody says, in bytes.
const (
	minSaid = 5
	maxSaid = 300
)

var idForm = regexp.MustCompile(`^[A-Za-z0-9.-]{1,63}/(0|[1-9][0-9]{0,17})$`)

// IsID reports whether s can be the id of an entry.
func IsID(s string) bool { return idForm.MatchString(s) }

// Said puts what somebody writes on one line, and reports whether it says enough.
func Said(text string) (string, bool) {
	text = strings.Join(strings.Fields(text), " ")
	plain := utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 })
	return text, plain && len(text) >= minSaid && len(text) <= maxSaid
}

// Board reads alarms out of the log's entries, in any order; the newest comes first.
// A answer counts for the alarm that it names, and stands beside those before it.
func Board(entries []audit.Stored) []Line {
	slices.SortStableFunc(entries, func(a, b audit.Stored) int {
		return cmp.Or(a.Entry.Time.Compare(b.Entry.Time), cmp.Compare(a.Seq, b.Seq))
	})
	var all []Line
	at := map[string]int{}
	for i := range entries {
		s := &entries[i]
		if s.Entry.Event != audit.AlarmRaised || s.Entry.Alarm == nil {
			continue
		}
		id := fmt.Sprintf("%s/%d", s.Node, s.Seq)
		at[id] = len(all)
		all = append(all, Line{
			ID: id, Node: s.Node, Seq: s.Seq, Alarm: *s.Entry.Alarm, Time: s.Entry.Time, Site: s.Entry.Gate,
			Employee: s.Entry.Employee, Observed: s.Entry.Observed != nil,
		})
	}
	for i := range entries {
		e := &entries[i].Entry
		if e.Event != audit.AlarmSeen || e.Alarm == nil {
			continue
		}
		if n, ok := at[e.Alarm.Entry]; ok {
			all[n].Seen = append(all[n].Seen, Seen{By: e.Employee, Said: e.Detail, At: e.Time})
		}
	}
	slices.Reverse(all)
	return all
}
