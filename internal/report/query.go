package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Query says what a report is about. Its fields were checked by Check.
type Query struct {
	Kind Kind `json:"report"`
	// Records are those of one person (Art. 15): type/id or entity/id.
	Records []string `json:"records,omitempty"`
	// Employee is the pseudonym of the account of a breach.
	Employee string `json:"employee,omitempty"`
	// Since is the first time, Until the first time after.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// Known is when a breach became known.
	Known time.Time `json:"known,omitzero"`
	// Purpose is of the closed list, Note the occasion beside it.
	Purpose string `json:"purpose,omitempty"`
	Note    string `json:"note,omitempty"`
	// Of and Against are versions of the register, 0 for the newest and for the
	// one before it.
	Of      int `json:"of,omitempty"`
	Against int `json:"against,omitempty"`
}

// maxRecords is how many records one person may have.
const maxRecords = 20

// Check returns the names of the fields that are missing or can't be right.
func (q *Query) Check(now time.Time) []string {
	var wrong []string
	no := func(is bool, field string) {
		if is {
			wrong = append(wrong, field)
		}
	}
	no(!q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until), "until")
	switch q.Kind {
	case AccessKind:
		no(len(q.Records) == 0 || len(q.Records) > maxRecords, "record")
		for _, r := range q.Records {
			typ, id, ok := strings.Cut(r, "/")
			no(!ok || typ == "" || id == "" || len(r) > 200, "record")
		}
	case BreachKind:
		no(q.Employee == "" && q.Since.IsZero(), "since")
		no(q.Known.After(now), "known")
	}
	return wrong
}

// String is the query as the entry of a look says it.
func (q Query) String() string {
	said := []string{"report " + string(q.Kind)}
	for _, r := range q.Records {
		said = append(said, "record "+strconv.Quote(r))
	}
	if q.Employee != "" {
		said = append(said, "employee "+q.Employee)
	}
	for _, t := range []struct {
		name string
		at   time.Time
	}{{"since", q.Since}, {"until", q.Until}, {"known", q.Known}} {
		if !t.at.IsZero() {
			said = append(said, t.name+" "+t.at.UTC().Format(time.RFC3339))
		}
	}
	if q.Of > 0 || q.Against > 0 {
		said = append(said, fmt.Sprintf("versions %d and %d", q.Of, q.Against))
	}
	if q.Purpose != "" {
		said = append(said, fmt.Sprintf("purpose %s: %s", q.Purpose, q.Note))
	}
	return strings.Join(said, ", ")
}
