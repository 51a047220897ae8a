package report

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// logOf is a log in memory. What its names are to the index, matches knows.
type logOf struct {
	entries []audit.Stored
	state   Log
	// slow is after how many entries the time is up; 0: never.
	slow int
}

func (l *logOf) Newest(_ context.Context, q audit.Query, before uint64) iter.Seq2[audit.Stored, error] {
	return func(yield func(audit.Stored, error) bool) {
		n := 0
		for _, s := range slices.Backward(l.entries) {
			if before > 0 && s.Seq >= before || !l.matches(&s.Entry, q) {
				continue
			}
			if n++; l.slow > 0 && n > l.slow {
				yield(audit.Stored{}, context.DeadlineExceeded)
				return
			}
			if !yield(s, nil) {
				return
			}
		}
	}
}

func (l *logOf) matches(e *audit.Entry, q audit.Query) bool {
	switch {
	case q.Kind != "" && e.Kind != q.Kind, q.Employee != "" && e.Employee != q.Employee,
		!q.Since.IsZero() && e.Time.Before(q.Since), !q.Until.IsZero() && !e.Time.Before(q.Until),
		q.Keyed != "" && !slices.Contains(e.Keyed, q.Keyed):
		return false
	}
	if q.Record == "" {
		return true
	}
	for _, c := range e.Changes {
		for _, id := range c.IDs {
			if named(access.Record{Entity: c.Entity, Type: c.Type, ID: id}, q.Record) {
				return true
			}
		}
	}
	for _, a := range e.Accesses {
		for _, id := range a.IDs {
			if named(access.Record{Entity: a.Entity, Type: a.Type, ID: id}, q.Record) {
				return true
			}
		}
	}
	return e.Disclosure != nil && slices.ContainsFunc(e.Disclosure.Records, func(r access.DisclosedRecord) bool { return named(r.Record, q.Record) })
}

func (l *logOf) One(ctx context.Context, seq uint64) (*audit.Stored, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if seq >= uint64(len(l.entries)) {
		return nil, nil
	}
	return &l.entries[seq], nil
}

func (l *logOf) State(context.Context) (Log, error) { return l.state, nil }

func (l *logOf) add(e audit.Entry) uint64 {
	seq := uint64(len(l.entries))
	l.entries = append(l.entries, audit.Stored{Seq: seq, Entry: e})
	return seq
}

func newLog() *logOf {
	return &logOf{state: Log{Node: "n1", Began: at(0), Entries: 99, Root: "root", Key: "key", Checkpoint: "note"}}
}

// at is a time some minutes after the log began.
func at(minutes int) *time.Time {
	t := time.Date(2026, 11, 2, 8, minutes, 0, 0, time.UTC)
	return &t
}

const (
	vera  = "e-veraveraveraveraveraverave"
	paula = "e-paulapaulapaulapaulapaulap"
)

// ask adds an intent and returns its number.
func (l *logOf) ask(minute int, who, role string, action access.Action, ids ...string) uint64 {
	return l.add(audit.Entry{
		Time: *at(minute), Kind: audit.Intent, Request: "r", Employee: who, Roles: []string{role}, Gate: "crm.example.de", SourceIP: "192.0.2.1",
		Session: "s", Factor: "amr=otp",
		Accesses: []access.Access{{Route: "contacts", Action: action, Entity: "contact", Type: "contact", IDs: ids}},
		Decision: &audit.Decision{Policy: "1"},
	})
}

// show adds an answer that holds records, each treated so.
func (l *logOf) show(minute int, intent uint64, treated map[access.Category]access.Treatment, ids ...string) {
	i := l.entries[intent].Entry
	d := &access.Disclosure{}
	for _, id := range ids {
		d.Records = append(d.Records, access.DisclosedRecord{Record: access.Record{Entity: "contact", Type: "contact", ID: id}, Treated: treated})
	}
	l.add(audit.Entry{
		Time: *at(minute), Kind: audit.Disclosure, Request: "r", Intent: intent, Employee: i.Employee, Roles: i.Roles, Gate: i.Gate, Factor: i.Factor,
		Status: 200, Bytes: 1000, Disclosure: d,
	})
}
