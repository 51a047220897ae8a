package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// keeper is what a log knows of what it keeps and destroys.
type keeper struct {
	mu    sync.Mutex // held while something is destroyed or held
	clock *believed
	// holds are those of this log that stand, by the seq of their entry; nil before they
	// were read. releases are what it says of other logs' holds.
	holds    map[uint64]*Standing
	releases []heldAt
	// fellows are the logs of other nodes, nil for none; others are their holds.
	fellows *fellows
	others  []Standing
	// unconfirmed is the restoration after which nobody has confirmed the holds.
	unconfirmed *Unconfirmed
	// waiting is another node of whose log the same is true, "" for none.
	waiting string
	// swept says that the index has nothing of the keys that were destroyed.
	swept int
	// scrubbed says the same of the place of the keys.
	scrubbed int
}

func newKeeper(newest time.Time, c *clock, f *fellows) *keeper {
	return &keeper{clock: newBelieved(newest, c.now), swept: -1, fellows: f}
}

// Retaining says what a run of the retention goes by.
type Retaining struct {
	Retention Retention
	// By is written down as whoever had it run.
	By string
	// Today, "2026-01-31", is the date as a person gives it. It has to be the
	// clock's. The run then needs no other proof that the clock is right.
	Today string
	// Index, if set, loses the months that are destroyed.
	Index *Index
	// Witness is set for a log whose own node is gone: the log of a node that lives,
	// whose clock and months count in place of its own.
	Witness *Log
	// turn is what keeps other nodes from holding a month meanwhile, nil for one alone.
	turn Turn
}

// ErrDate says that the clock's date isn't the one that was given.
var ErrDate = errors.New("the machine's clock shows another date")

// runKeys is how many keys one entry names.
const runKeys = 16

// Retain destroys the months that are due, and returns what it destroyed. Each is
// named in an entry before. It is meant to be called often: where nothing is due it
// costs nothing, but for one entry a month that says so.
func (l *Log) Retain(ctx context.Context, how Retaining) ([]*Destroyed, error) {
	l.keeper.mu.Lock()
	defer l.keeper.mu.Unlock()
	now, steady, err := how.day(l)
	if err != nil {
		return nil, err
	}
	if how.Retention == (Retention{}) {
		return nil, l.sweep(ctx, how.Index)
	}
	due, err := l.due(ctx, how, now)
	if err != nil || !steady {
		return nil, err
	}
	if len(due) > 0 && l.keeper.fellows != nil {
		// Again: nobody begins to hold a month from here on.
		alone, err := l.keeper.fellows.alone(ctx)
		if err != nil {
			return nil, err
		}
		defer alone.Close()
		how.turn = alone
		if due, err = l.due(ctx, how, now); err != nil {
			return nil, err
		}
	}
	found, refused := "nothing is due", error(nil)
	if waits := l.keeper.waits(); len(due) > 0 && waits != nil { // due has read it
		found, refused, due = "nothing is destroyed before the holds are confirmed", waits, nil
	}
	if len(due) == 0 && how.Witness == nil {
		if err := l.monthly(ctx, now, found, how); err != nil {
			return nil, err
		}
		return nil, errors.Join(l.sweep(ctx, how.Index), refused)
	}
	var all []*Destroyed
	for len(due) > 0 {
		n := min(len(due), runKeys)
		some, err := l.destroy(ctx, due[:n], now, how)
		if all = append(all, some...); err != nil {
			return all, err
		}
		due = due[n:]
	}
	return all, errors.Join(l.sweep(ctx, how.Index), refused)
}

// day is what the run goes by: the date that a person and the clock agree on, or what
// the clock is believed to say.
func (how *Retaining) day(l *Log) (now time.Time, steady bool, err error) {
	if how.Today == "" {
		now, steady = how.time(l)
		return now, steady, nil
	}
	now, _ = l.clock.now()
	if date := now.UTC().Format(time.DateOnly); date != how.Today {
		return now, false, fmt.Errorf("%w: %s (UTC), not %s; nothing was destroyed", ErrDate, date, how.Today)
	}
	return now, true, nil
}

// time is what the clock is believed to say.
func (how *Retaining) time(l *Log) (now time.Time, steady bool) {
	if w := how.Witness; w != nil {
		w.keeper.mu.Lock()
		defer w.keeper.mu.Unlock()
		return w.keeper.clock.time()
	}
	return l.keeper.clock.time()
}

func (how *Retaining) plan(keys []MonthKey, now time.Time) []Kept {
	if how.Witness != nil {
		return how.Retention.planWith(keys, how.Witness.keys.list(), now)
	}
	return how.Retention.plan(keys, now)
}

// monthly writes down, once a month, that the retention ran and destroyed nothing: the
// log has been written in that month, which the months before it are judged by.
func (l *Log) monthly(ctx context.Context, now time.Time, found string, how Retaining) error {
	if l.keys.has(ClassGateway, now) {
		return nil
	}
	_, err := l.Append(ctx, &Entry{Kind: Control, Event: RetentionRun, Detail: found + "; " + how.Retention.String()})
	return err
}

func (r Retention) String() string {
	parts := make([]string, 0, len(Classes()))
	for _, c := range Classes() {
		if n := r.of(c); n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d months", c, n))
		}
	}
	return "kept: " + strings.Join(parts, ", ")
}

// due returns the keys to destroy now.
func (l *Log) due(ctx context.Context, how Retaining, now time.Time) ([]MonthKey, error) {
	var due []MonthKey
	keys := l.keys.list()
	plan, read := how.plan(keys, now), false
	for i := range plan {
		k := &plan[i]
		if !k.Due || k.Lacking > 0 && how.Today == "" || !l.keys.mayGo(k.Key, now) {
			continue
		}
		if !read {
			if err := l.loadHolds(ctx); err != nil {
				return nil, err
			}
			read = true
		}
		if len(l.keeper.held(keys, i, "")) == 0 {
			due = append(due, k.MonthKey)
		}
	}
	return due, nil
}

// held returns the holds that keep key i of a node's log, "" for this one.
func (k *keeper) held(keys []MonthKey, i int, node string) []Standing {
	var by []Standing
	around := months(keys, i)
	for _, h := range k.standing() {
		if h.keeps(keys[i], around, h.Node == node) {
			by = append(by, h)
		}
	}
	return by
}

// destroy names keys in an entry and destroys them.
func (l *Log) destroy(ctx context.Context, due []MonthKey, now time.Time, how Retaining) ([]*Destroyed, error) {
	if err := how.lasts(ctx); err != nil {
		return nil, err
	}
	var names []string
	for _, k := range due {
		names = append(names, fmt.Sprintf("%d (%s)", k.Key, monthAndClass(k.Month, k.Class)))
	}
	rec, err := l.Append(ctx, &Entry{
		Kind: Control, Event: RetentionRun, Keeping: &Keeping{Keys: due},
		Detail: fmt.Sprintf("by %s: destroys data keys %s; %s", how.By, strings.Join(names, ", "), how.Retention),
	})
	if err != nil {
		return nil, err
	}
	key, err := newCheckpointKey(l.keys.ring, l.id.origin())
	if err != nil {
		return nil, err
	}
	var all []*Destroyed
	for _, k := range due {
		d := &Destroyed{
			Key: k.Key, Month: k.Month, Class: k.Class, At: now.UTC().Truncate(time.Second), By: how.By,
			Entry: rec.Seq, Origin: l.id.origin(),
		}
		if err := d.sign(key); err != nil {
			return all, err
		}
		if err := how.lasts(ctx); err != nil {
			return all, err
		}
		if err := l.keys.destroy(d); err != nil {
			return all, err
		}
		all = append(all, d)
	}
	return all, nil
}

// lasts refuses to go on once another node may hold a month.
func (how *Retaining) lasts(ctx context.Context) error {
	if how.turn == nil {
		return nil
	}
	if err := how.turn.Lasts(ctx); err != nil {
		return fmt.Errorf("nothing further is destroyed: %w", err)
	}
	return nil
}

// sweep takes out of the index, and out of the place of the keys, what was destroyed,
// now or in a run that was cut off.
func (l *Log) sweep(ctx context.Context, ix *Index) error {
	gone := l.keys.destroyed()
	if len(gone) != l.keeper.scrubbed {
		if err := scrub(ctx, l.files); err != nil {
			return err
		}
		l.keeper.scrubbed = len(gone)
	}
	if ix == nil || len(gone) == l.keeper.swept {
		return nil
	}
	if err := ix.Forget(ctx, gone); err != nil {
		return err
	}
	l.keeper.swept = len(gone)
	return nil
}

// Keeping returns what the log keeps until when under a retention, and what was
// destroyed, in the order in which the months began.
func (l *Log) Keeping(ctx context.Context, r Retention) ([]Kept, error) {
	l.keeper.mu.Lock()
	defer l.keeper.mu.Unlock()
	if err := l.loadHolds(ctx); err != nil {
		return nil, err
	}
	now, _ := l.keeper.clock.time()
	return l.keeper.kept(l.keys, "", r, now), nil
}

// kept says until when each key of a node's log is kept.
func (k *keeper) kept(of *dataKeys, node string, r Retention, now time.Time) []Kept {
	gone := map[uint32]*Destroyed{}
	for _, d := range of.destroyed() {
		gone[d.Key] = d
	}
	keys := of.list()
	all := r.plan(keys, now)
	for i := range all {
		if d := gone[all[i].Key]; d != nil {
			all[i] = Kept{MonthKey: all[i].MonthKey, Destroyed: d}
			continue
		}
		for _, h := range k.held(keys, i, node) {
			all[i].Held = append(all[i].Held, h.Entry)
			all[i].HeldBy = append(all[i].HeldBy, h.Place())
		}
	}
	return all
}
