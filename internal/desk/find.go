package desk

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

// Log is a node's log, the newest entry first: those that match and stand before a
// number (0: the end). Size catches up with it, and says how many entries are found.
type Log interface {
	Newest(ctx context.Context, q audit.Query, before uint64) iter.Seq2[audit.Stored, error]
	Size(ctx context.Context) (uint64, error)
}

// Bounds are how much one look may read.
type Bounds struct {
	// Rows is how many are shown, Entries how many are opened for them.
	Rows, Entries int
	// Records is how many records a row names, 0: as many as on a page.
	Records int
	// Keep has rows keep the entries that they are made of.
	Keep bool
	// Time ends a look with what was found by then.
	Time time.Duration
}

// PageBounds are those of a page.
func PageBounds() Bounds { return Bounds{Rows: 25, Entries: 20_000, Time: 10 * time.Second} }

// How many entries in front of a further page are looked through for the answers
// of the requests on it: a disclosure stands some entries behind its intent. Of a
// record, the index knows them, so that it can be as many as the log lets an
// intent wait for; the row would be lost where only its answer names the record.
const (
	overlap       = 4096
	recordOverlap = 1 << 18
)

// Found is a page of rows, the newest first.
type Found struct {
	Rows []*Row
	// Next is where the next page begins, "": there is none. Short says that the
	// look was ended by its bounds: what is older wasn't looked at yet.
	Next  Cursor
	Short bool
	// Back is the time that was looked back to.
	Back time.Time
	// Summary is what a record's entries say together; nil for other searches.
	Summary *Summary
	// Unread are the nodes whose entries aren't among them.
	Unread []Unread
}

// look finds the part's rows.
func (p *part) look(ctx context.Context, log Log, q Query, b Bounds, first bool) (err error) {
	f := &finder{log: log, query: q, bounds: b, before: p.from.before, first: first, answers: map[uint64][]audit.Stored{}, found: p}
	if q.byIndex() {
		err = f.record(ctx)
	} else {
		err = f.all(ctx)
	}
	if errors.Is(err, context.DeadlineExceeded) && f.last > 0 {
		p.next, p.short, err = f.last, true, nil
	}
	return err
}

// One returns the entry with a number.
func One(ctx context.Context, log Log, seq uint64) (*audit.Stored, error) {
	for s, err := range log.Newest(ctx, audit.Query{}, seq+1) {
		if err != nil {
			return nil, err
		}
		if s.Seq == seq {
			return &s, nil
		}
		break
	}
	return nil, ErrNone
}

// ErrNone says that there is no such entry, or that it can't be opened any more.
var ErrNone = errors.New("there is no such entry")

type finder struct {
	log    Log
	query  Query
	bounds Bounds
	// before is where the page begins; first says that it is the first one.
	before uint64
	first  bool
	// answers are disclosures by the number of their intent, the newest first.
	answers map[uint64][]audit.Stored
	last    uint64 // the entry that was read last
	found   *part
}

// from is where reading begins for a page.
func (f *finder) from() uint64 {
	if f.query.byIndex() {
		return f.before + recordOverlap
	}
	return f.before + overlap
}

// on reports whether an entry belongs to this page or a later one.
func (f *finder) on(seq uint64) bool { return seq < f.before }

// all finds rows where each intent of the period is read, with its answers before.
func (f *finder) all(ctx context.Context) error {
	n := 0
	for s, err := range f.log.Newest(ctx, f.query.inLog(), f.from()) {
		if err != nil {
			return err
		}
		if f.on(s.Seq) {
			if n++; n > f.bounds.Entries {
				f.found.next, f.found.short = f.last, true
				return nil
			}
			f.last, f.found.back = s.Seq, s.Entry.Time
		}
		if s.Entry.Kind == audit.Disclosure {
			f.answers[s.Entry.Intent] = append(f.answers[s.Entry.Intent], s)
			continue
		}
		if s.Entry.Piece > 1 || !f.on(s.Seq) {
			continue
		}
		r := f.bounds.row(&s, f.answers[s.Seq], "")
		delete(f.answers, s.Seq)
		if f.take(r) {
			return nil
		}
	}
	return f.begun(ctx)
}

// begun adds the requests that began before the period and were answered in it.
func (f *finder) begun(ctx context.Context) error {
	for _, seq := range f.open() {
		if done, err := f.join(ctx, seq, nil); err != nil || done {
			return err
		}
	}
	return nil
}

// open are the intents that answers are there for, the newest first.
func (f *finder) open() []uint64 {
	var all []uint64
	for seq := range f.answers {
		if f.on(seq) {
			all = append(all, seq)
		}
	}
	slices.SortFunc(all, func(a, b uint64) int { return cmp.Compare(b, a) })
	return all
}

// join makes a row of answers, and of the intent that is read for them.
func (f *finder) join(ctx context.Context, seq uint64, intent *audit.Stored) (done bool, err error) {
	if intent == nil {
		intent, err = One(ctx, f.log, seq)
		if err != nil && !errors.Is(err, ErrNone) {
			return false, err
		}
	}
	f.last = seq
	return f.take(f.bounds.row(intent, f.answers[seq], f.query.Record)), nil
}

// take adds a row that matches, and reports whether the page is full.
func (f *finder) take(r *Row) bool {
	if !f.query.matches(r) {
		return false
	}
	f.found.rows = append(f.found.rows, r)
	if len(f.found.rows) < f.bounds.Rows {
		return false
	}
	f.found.next = r.Seq
	return true
}

// recordEntries is how many entries of a record are read at a time.
const recordEntries = 2000

// record finds a record's rows: the index knows the intents that asked for it and
// the disclosures that hold it; the intent of a list is read by its number.
func (f *finder) record(ctx context.Context) error {
	intents := map[uint64]*audit.Stored{}
	sum, n := &Summary{}, 0
	for s, err := range f.log.Newest(ctx, f.query.inLog(), f.from()) {
		if err != nil {
			return err
		}
		if f.on(s.Seq) {
			if n++; n > recordEntries {
				f.found.short = true
				break
			}
			f.found.back = s.Entry.Time
		}
		sum.take(&s.Entry, f.query.Record)
		seq := s.Seq
		if s.Entry.Kind == audit.Disclosure {
			seq = s.Entry.Intent
			f.answers[seq] = append(f.answers[seq], s)
		} else if s.Entry.Piece <= 1 {
			intents[seq] = &s
			f.answers[seq] = append(f.answers[seq], nil...)
		}
	}
	if f.first && f.query.Record != "" {
		f.found.summary = sum
	}
	for _, seq := range f.open() {
		if done, err := f.join(ctx, seq, intents[seq]); err != nil || done {
			return err
		}
	}
	if f.found.short {
		f.found.next = f.last
	}
	return nil
}
