package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// Version is that of the JSON. It changes when a field changes its meaning or goes
// away; new fields may come without.
const Version = 1

// Kind says which report it is.
type Kind string

// The kinds: Art. 15, Art. 33 and Art. 30 of the GDPR.
const (
	AccessKind   Kind = "access"
	BreachKind   Kind = "breach"
	RegisterKind Kind = "register"
)

// Report is one report. Of the three bodies the one of its kind is set.
type Report struct {
	Kind    Kind      `json:"report"`
	Version int       `json:"version"`
	Made    time.Time `json:"made"`
	// Entry is the place in the log (Audit-Id) of the look that made it: it says
	// who had it made, for what and on which occasion.
	Entry string `json:"entry"`
	// Purpose is the stated one of the closed list. What was written beside it
	// stands in the entry alone: it could name an employee.
	Purpose string `json:"purpose,omitempty"`
	// Since is the first time, Until the first time after; nil is the log's own
	// beginning and end.
	Since *time.Time `json:"since,omitempty"`
	Until *time.Time `json:"until,omitempty"`
	// Logs are the logs that were read, one a node.
	Logs []Log `json:"logs"`
	// Gaps are what somebody has to add, because the gateway doesn't know it.
	Gaps []Gap `json:"gaps"`

	Access   *Access   `json:"access,omitempty"`
	Breach   *Breach   `json:"breach,omitempty"`
	Register *Register `json:"register,omitempty"`
}

// Gap is a closed word for what is missing, and the site where it is, if it is one's.
type Gap struct {
	What string `json:"what"`
	Site string `json:"site,omitempty"`
	// Name is what it is about: a kind of record, a system.
	Name string `json:"name,omitempty"`
}

// Log is a log that was read, with what it can't say and what proves the rest.
type Log struct {
	Node string `json:"node"`
	// Began is the time of the first entry that can be read: nothing before it is
	// in the report. Nil where there is none.
	Began *time.Time `json:"began,omitempty"`
	// Destroyed are months whose entries retention has destroyed.
	Destroyed []Destroyed `json:"destroyed,omitempty"`
	// Cut says that reading ended early; nil: all of the period was read.
	Cut *Cut `json:"cut,omitempty"`
	// Unread is the closed word for why nothing of it was read.
	Unread string `json:"unread,omitempty"`
	// Entries is the tree's size, Root its root in base64, Key the public key, and
	// Checkpoint the newest signed checkpoint. They are those of this node's log.
	Entries    uint64 `json:"entries,omitempty"`
	Root       string `json:"root,omitempty"`
	Key        string `json:"key,omitempty"`
	Checkpoint string `json:"checkpoint,omitempty"`
}

// Destroyed is a month that isn't there any more.
type Destroyed struct {
	Month string `json:"month"`
	// Kind is access, employee or gateway; empty for all of them.
	Kind audit.Class `json:"kind,omitempty"`
	At   time.Time   `json:"at"`
	// Entry is the number of the entry that says so.
	Entry uint64 `json:"entry"`
}

// Cut is where reading ended.
type Cut struct {
	// Why is `time`: it took longer than is allowed.
	Why string `json:"why"`
	// Before is the time of the last entry that was read: what is older isn't in
	// the report.
	Before time.Time `json:"before"`
}

// Source is a node's log.
type Source interface {
	// Newest returns the entries that match and stand before a number (0: the
	// end), the newest first.
	Newest(ctx context.Context, q audit.Query, before uint64) iter.Seq2[audit.Stored, error]
	// One returns the entry with a number, nil where it can't be read any more.
	One(ctx context.Context, seq uint64) (*audit.Stored, error)
	// State is what can be said of the log without reading it.
	State(ctx context.Context) (Log, error)
}

// Bounds are how much a report may take.
type Bounds struct {
	// Time is for all logs together, Rows how many accesses, exports or records
	// are listed; all are counted. Distinct is how many records are told apart.
	Time           time.Duration
	Rows, Distinct int
}

// PageBounds are those of a report at the desk, CommandBounds those of a command's.
func PageBounds() Bounds { return Bounds{Time: 90 * time.Second, Rows: 2000, Distinct: 200_000} }

// CommandBounds are those of a command's report.
func CommandBounds() Bounds {
	return Bounds{Time: 30 * time.Minute, Rows: 100_000, Distinct: 1_000_000}
}

// Make makes the report of a query. Known are the roles that may be named.
func Make(ctx context.Context, sources []Source, q Query, known Names, entry string, b Bounds) (*Report, error) {
	r := &Report{Kind: q.Kind, Version: Version, Made: time.Now().UTC().Truncate(time.Second), Entry: entry, Purpose: q.Purpose, Gaps: []Gap{}, Logs: []Log{}}
	r.Since, r.Until = given(q.Since), given(q.Until)
	ctx, cancel := context.WithTimeout(ctx, b.Time)
	defer cancel()
	switch q.Kind {
	case AccessKind:
		return r, r.access(ctx, sources, q, known, b)
	case BreachKind:
		return r, r.breach(ctx, sources, q, known, b)
	}
	return nil, fmt.Errorf("making a report: there is no kind %q", q.Kind)
}

func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// reader takes the entries of a log, the newest first. It begins anew with each log.
type reader interface {
	begin(src Source, node string)
	take(ctx context.Context, s *audit.Stored) error
	// end is called once for each log; it is complete with what is known even where
	// it returns an error.
	end(ctx context.Context) error
}

// read hands the entries of all logs to a reader. The end of the time isn't an
// error: it stands in the report.
func (r *Report) read(ctx context.Context, sources []Source, queries []audit.Query, to reader) error {
	for _, s := range sources {
		l, err := s.State(ctx)
		if err != nil {
			return fmt.Errorf("asking for the state of a log: %w", err)
		}
		l.Destroyed = slices.DeleteFunc(l.Destroyed, func(d Destroyed) bool { return !r.covers(d.Month) })
		to.begin(s, l.Node)
		last := r.Made
		err = merged(ctx, s, queries, func(e *audit.Stored) error {
			last = e.Entry.Time
			return to.take(ctx, e)
		})
		if err == nil || errors.Is(err, context.DeadlineExceeded) {
			err = cmp.Or(to.end(ctx), err)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			l.Cut, err = &Cut{Why: "time", Before: last}, nil
		}
		if err != nil {
			return err
		}
		r.Logs = append(r.Logs, l)
	}
	return nil
}

// head is the newest entry that a query has left.
type head struct {
	next func() (audit.Stored, error, bool)
	e    audit.Stored
	more bool
}

func (h *head) advance() (err error) {
	if h.e, err, h.more = h.next(); !h.more {
		return nil
	}
	return err
}

// merged hands over what matches any of the queries, each entry once, the newest
// first.
func merged(ctx context.Context, s Source, queries []audit.Query, take func(*audit.Stored) error) error {
	var heads []*head
	for _, q := range queries {
		next, stop := iter.Pull2(s.Newest(ctx, q, 0))
		defer stop()
		h := &head{next: next}
		if err := h.advance(); err != nil {
			return err
		}
		heads = append(heads, h)
	}
	for e := newest(heads); e != nil; e = newest(heads) {
		if err := take(e); err != nil {
			return err
		}
		for _, h := range heads {
			if !h.more || h.e.Seq != e.Seq {
				continue
			}
			if err := h.advance(); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// newest returns a copy of the newest entry of all, nil where none is left.
func newest(heads []*head) *audit.Stored {
	var last *head
	for _, h := range heads {
		if h.more && (last == nil || h.e.Seq > last.e.Seq) {
			last = h
		}
	}
	if last == nil {
		return nil
	}
	e := last.e
	return &e
}

// covers reports whether a month, "2026-11", lies within the report's time.
func (r *Report) covers(month string) bool {
	first, err := time.Parse("2006-01", month)
	if err != nil {
		return true
	}
	return (r.Until == nil || first.Before(*r.Until)) && (r.Since == nil || first.AddDate(0, 1, 0).After(*r.Since))
}

// Names are the roles that a configuration in the log names. A role that a provider
// gave, and that no policy knows, is not named: it can be a person's.
type Names map[string]bool

// split returns the roles that may be named, and how many others there are.
func (n Names) split(roles []string) (named []string, others int) {
	for _, r := range roles {
		if n[r] {
			named = append(named, r)
		} else {
			others++
		}
	}
	return named, others
}

// Count is how often something with a name was there.
type Count struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

func counts(m map[string]int) []Count {
	all := []Count{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		all = append(all, Count{name, m[name]})
	}
	slices.SortStableFunc(all, func(a, b Count) int { return cmp.Compare(b.N, a.N) })
	return all
}

// Shown is how a category was treated.
type Shown struct {
	Category  access.Category  `json:"category"`
	Treatment access.Treatment `json:"treatment"`
}

// ShownOf lists treatments, the most revealing first.
func ShownOf(treated map[access.Category]access.Treatment) []Shown {
	all := []Shown{}
	for _, c := range access.Categories() {
		if how, ok := treated[c]; ok && c != access.Public {
			all = append(all, Shown{c, how})
		}
	}
	slices.SortStableFunc(all, func(a, b Shown) int { return cmp.Compare(b.Treatment, a.Treatment) })
	return all
}

// named reports whether a record is the one that is named, as type/id or entity/id.
func named(r access.Record, name string) bool {
	return name == r.String() || name == string(r.Entity)+"/"+r.ID
}
