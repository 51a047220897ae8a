package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
)

// Query says which entries are searched. Every field that is set has to match.
type Query struct {
	// Record is "type/id": intents that asked for it, disclosures that hold it.
	Record string
	// Employee is a pseudonym, or a name that a sign_in in the log holds.
	Employee string
	// Employees are pseudonyms, of which one has to match; Employee is empty then.
	Employees []string
	// Keyed is a hash that Log.Keyed gives: entries whose answers named no
	// records but held that value.
	Keyed string
	// Changed is a field: disclosures that tell of a change of it. With Value, of one
	// from or to that value.
	Changed string
	Value   *string
	// Since is the first time, Until the first time after.
	Since, Until time.Time
	Kind         Kind
}

// ErrNobody says that no sign_in in the log holds the name that was searched.
var ErrNobody = errors.New("no sign_in names this employee; search for the pseudonym where there was none")

// Search returns the entries of the log in dir that match, in order. It reads
// the whole log.
func Search(ctx context.Context, dir string, ring *keys.Ring, q Query) iter.Seq2[Stored, error] {
	return search(q, func() iter.Seq2[Stored, error] { return Read(ctx, dir, ring) })
}

// SearchRows does the same with a log in a database.
func SearchRows(ctx context.Context, rows Rows, ring *keys.Ring, q Query) iter.Seq2[Stored, error] {
	return search(q, func() iter.Seq2[Stored, error] { return ReadRows(ctx, rows, ring) })
}

// Search does the same in an open log. That somebody searched is for the caller
// to append.
func (l *Log) Search(ctx context.Context, q Query) iter.Seq2[Stored, error] {
	return search(q, func() iter.Seq2[Stored, error] { return l.Read(ctx) })
}

func search(q Query, read func() iter.Seq2[Stored, error]) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		employees, err := q.employees(read)
		if err != nil {
			yield(Stored{}, err)
			return
		}
		for s, err := range read() {
			if err != nil {
				yield(Stored{}, err)
				return
			}
			if q.matches(&s.Entry, employees) && !yield(s, nil) {
				return
			}
		}
	}
}

// employees returns the pseudonyms that the query means: several where a name
// was given to several people, or one person to several providers.
func (q *Query) employees(read func() iter.Seq2[Stored, error]) ([]string, error) {
	if len(q.Employees) > 0 {
		return q.Employees, nil
	}
	if q.Employee == "" || isPseudonym(q.Employee) {
		return []string{q.Employee}, nil
	}
	var found []string
	for s, err := range read() {
		if err != nil {
			return nil, err
		}
		n := s.Entry.Names
		if n == nil || slices.Contains(found, s.Entry.Employee) {
			continue
		}
		if n.are(q.Employee) {
			found = append(found, s.Entry.Employee)
		}
	}
	if found == nil {
		return nil, fmt.Errorf("searching the log: %w", ErrNobody)
	}
	return found, nil
}

// ofSomebody says that only certain employees' entries match.
func (q *Query) ofSomebody() bool { return q.Employee != "" || len(q.Employees) > 0 }

func isPseudonym(s string) bool { return len(s) == 28 && strings.HasPrefix(s, "e-") }

// Matches reports whether an entry matches. An employee has to be a pseudonym.
func (q *Query) Matches(e *Entry) bool { return q.matches(e, []string{q.Employee}) }

func (q *Query) matches(e *Entry, employees []string) bool {
	switch {
	case q.Kind != "" && e.Kind != q.Kind,
		!q.Since.IsZero() && e.Time.Before(q.Since),
		!q.Until.IsZero() && !e.Time.Before(q.Until),
		q.ofSomebody() && !slices.Contains(employees, e.Employee),
		q.Keyed != "" && !slices.Contains(e.Keyed, q.Keyed),
		q.Changed != "" && !e.changes(q.Changed, q.Value):
		return false
	}
	return q.Record == "" || e.names(q.Record)
}

// names reports whether the entry asks for or discloses a record, as type/id or
// as entity/id.
func (e *Entry) names(record string) bool {
	for _, a := range e.Accesses {
		for _, id := range a.IDs {
			if record == a.Type+"/"+id || record == string(a.Entity)+"/"+id {
				return true
			}
		}
	}
	for i := range e.Changes {
		c := &e.Changes[i]
		for _, id := range c.IDs {
			if record == c.Type+"/"+id || record == string(c.Entity)+"/"+id {
				return true
			}
		}
	}
	if e.Disclosure == nil {
		return false
	}
	for _, r := range e.Disclosure.Records {
		if record == r.String() || record == string(r.Entity)+"/"+r.ID {
			return true
		}
	}
	return false
}
