package desk

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// The words of a search beside those of the log.
const (
	Clear   = "clear"
	Masked  = "masked"
	Allowed = "allowed"
	Refused = "refused"
)

// Query is what somebody searches for. Its zero value is everything.
type Query struct {
	// Record is type/id, or entity/id.
	Record   string
	Employee string
	Entity   string
	Category access.Category
	// Shown is how the category was: Clear, Masked, or either.
	Shown  string
	Action access.Action
	// Changed is a field of which a change is told.
	Changed  string
	Decision string
	Kind     audit.Kind
	// Since is the first time, Until the first time after.
	Since, Until time.Time
	// Node is the one whose log is searched; "" is all of them.
	Node string
	// Before is where a further page begins.
	Before Cursor
}

// maxValue is the longest value of a search in bytes.
const maxValue = 200

// ParseQuery reads a search as its form sends it. Wrong are the names of fields
// that hold what can't be searched for; they are left out of the query.
func ParseQuery(v url.Values, zone *time.Location) (q Query, wrong []string) {
	take := func(name string, ok func(string) bool) string {
		s := strings.TrimSpace(v.Get(name))
		if s == "" || (Plain(s, maxValue) && ok(s)) {
			return s
		}
		wrong = append(wrong, name)
		return ""
	}
	q.Record = take("record", isRecord)
	q.Employee = take("employee", IsPseudonym)
	q.Entity = take("entity", isWord)
	q.Category = access.Category(take("category", func(s string) bool { return access.Category(s).Valid() }))
	q.Shown = take("shown", func(s string) bool { return s == Clear || s == Masked })
	q.Action = access.Action(take("action", func(s string) bool { return access.Action(s).Valid() }))
	q.Changed = take("changed", isWord)
	q.Decision = take("decision", func(s string) bool { return s == Allowed || s == Refused })
	q.Kind = audit.Kind(take("kind", func(s string) bool {
		return slices.Contains([]audit.Kind{audit.Intent, audit.Control}, audit.Kind(s))
	}))
	q.Since = parseTime(take("since", func(s string) bool { return !parseTime(s, zone, false).IsZero() }), zone, false)
	q.Until = parseTime(take("until", func(s string) bool { return !parseTime(s, zone, true).IsZero() }), zone, true)
	q.Node = take("node", audit.IsNode)
	if before := strings.TrimSpace(v.Get("before")); before == "" || isCursor(before) {
		q.Before = Cursor(before)
	} else {
		wrong = append(wrong, "before")
	}
	return q, wrong
}

// Plain reports whether s is a line of text of at most n bytes.
func Plain(s string, n int) bool {
	return len(s) <= n && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func isRecord(s string) bool {
	typ, id, ok := strings.Cut(s, "/")
	return ok && typ != "" && id != ""
}

func isWord(s string) bool { return !strings.ContainsAny(s, " \"'<>&") }

// IsPseudonym reports whether s has the form of an employee's name in the log.
func IsPseudonym(s string) bool {
	return len(s) == 28 && strings.HasPrefix(s, "e-") && strings.Trim(s[2:], "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// parseTime reads a day, or a day and a time, of years that a log can have. The
// last day is meant whole.
func parseTime(s string, zone *time.Location, last bool) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, s, zone)
	if err == nil && last {
		t = t.AddDate(0, 0, 1)
	}
	if err != nil {
		t, err = time.ParseInLocation("2006-01-02T15:04", s, zone)
	}
	if err != nil || t.Year() < 1971 || t.Year() > 2199 {
		return time.Time{}
	}
	return t
}

// Values is the query as its form sends it.
func (q Query) Values() url.Values {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("record", q.Record)
	set("employee", q.Employee)
	set("entity", q.Entity)
	set("category", string(q.Category))
	set("shown", q.Shown)
	set("action", string(q.Action))
	set("changed", q.Changed)
	set("decision", q.Decision)
	set("kind", string(q.Kind))
	set("since", formTime(q.Since, false))
	set("until", formTime(q.Until, true))
	set("node", q.Node)
	set("before", string(q.Before))
	return v
}

// SinceDay and UntilDay are the days that its form shows.
func (q Query) SinceDay() string { return dayOf(formTime(q.Since, false)) }

// UntilDay is the last day.
func (q Query) UntilDay() string { return dayOf(formTime(q.Until, true)) }

func dayOf(s string) string {
	date, _, _ := strings.Cut(s, "T")
	return date
}

// formTime is the reverse of parseTime.
func formTime(t time.Time, last bool) string {
	switch {
	case t.IsZero():
		return ""
	case t.Hour() != 0 || t.Minute() != 0:
		return t.Format("2006-01-02T15:04")
	case last:
		t = t.AddDate(0, 0, -1)
	}
	return t.Format(time.DateOnly)
}

// String is the query as the entry of a look says it: employees by pseudonym.
func (q Query) String() string {
	var said []string
	for _, name := range []string{"record", "employee", "entity", "category", "shown", "action", "changed", "decision", "kind", "node"} {
		if s := q.Values().Get(name); s != "" {
			said = append(said, name+" "+strconv.Quote(s))
		}
	}
	if !q.Since.IsZero() {
		said = append(said, "since "+q.Since.UTC().Format(time.RFC3339))
	}
	if !q.Until.IsZero() {
		said = append(said, "until "+q.Until.UTC().Format(time.RFC3339))
	}
	if said == nil {
		said = []string{"everything"}
	}
	if q.Before != "" {
		said = append(said, "before entry "+string(q.Before))
	}
	return strings.Join(said, ", ")
}

// inLog is what the log's index answers of it; matches says the rest.
func (q Query) inLog() audit.Query {
	l := audit.Query{Record: q.Record, Changed: q.Changed, Employee: q.Employee, Since: q.Since, Until: q.Until}
	if q.Kind == audit.Control {
		l.Kind = audit.Control
	}
	return l
}

// byIndex reports whether the log's index knows the entries that are searched for: a row
// is made of those, and of their intents.
func (q Query) byIndex() bool { return q.Record != "" || q.Changed != "" }

// matches reports whether a row is one of those that are searched for.
func (q Query) matches(r *Row) bool {
	switch {
	case q.Kind == audit.Control && r.Event == "", q.Kind == audit.Intent && r.Event != "",
		q.Decision == Refused && !r.Refused, q.Decision == Allowed && (r.Refused || r.Event != ""),
		q.Action != "" && !slices.Contains(r.Actions, q.Action),
		q.Changed != "" && !r.changes(q.Changed),
		q.Entity != "" && !slices.Contains(r.Entities, q.Entity):
		return false
	}
	return q.Category == "" && q.Shown == "" || slices.ContainsFunc(r.Shown, func(s Shown) bool {
		if q.Category != "" && s.Category != q.Category {
			return false
		}
		return q.Shown == "" || (q.Shown == Clear) == (s.Treatment == access.Clear)
	})
}
