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
	// holds are those that stand, by the seq of their entry; nil before they were
	// read.
	holds map[uint64]*Standing
	// unconfirmed is the restoration after which nobody has confirmed them.
	unconfirmed *Unconfirmed
	// swept says that the index has nothing of the keys that were destroyed.
	swept int
}

func newKeeper(newest time.Time, c *clock) *keeper {
	return &keeper{clock: newBelieved(newest, c.now), swept: -1}
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
	now, steady := l.keeper.clock.time()
	if how.Today != "" {
		now, _ = l.clock.now()
		if date := now.UTC().Format(time.DateOnly); date != how.Today {
			return nil, fmt.Errorf("%w: %s (UTC), not %s; nothing was destroyed", ErrDate, date, how.Today)
		}
		steady = true
	}
	if how.Retention == (Retention{}) {
		return nil, l.sweep(ctx, how.Index)
	}
	due, err := l.due(ctx, how.Retention, now, how.Today != "")
	if err != nil || !steady {
		return nil, err
	}
	found, refused := "nothing is due", error(nil)
	if len(due) > 0 && l.keeper.unconfirmed != nil { // due has read it
		found, refused, due = "nothing is destroyed before the holds are confirmed", ErrUnconfirmed, nil
	}
	if len(due) == 0 {
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
	return all, l.sweep(ctx, how.Index)
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
func (l *Log) due(ctx context.Context, r Retention, now time.Time, byHand bool) ([]MonthKey, error) {
	var due []MonthKey
	keys := l.keys.list()
	plan := r.plan(keys, now)
	for i := range plan {
		k := &plan[i]
		if !k.Due || k.Lacking > 0 && !byHand || !l.keys.mayGo(k.Key, now) {
			continue
		}
		if err := l.loadHolds(ctx); err != nil {
			return nil, err
		}
		if len(l.keeper.held(keys, i)) == 0 {
			due = append(due, k.MonthKey)
		}
	}
	return due, nil
}

// held returns the entries of the holds that keep key i.
func (k *keeper) held(keys []MonthKey, i int) []uint64 {
	var by []uint64
	around := months(keys, i)
	for _, h := range k.standing() {
		if h.keeps(keys[i], around) {
			by = append(by, h.Entry)
		}
	}
	return by
}

// destroy names keys in an entry and destroys them.
func (l *Log) destroy(ctx context.Context, due []MonthKey, now time.Time, how Retaining) ([]*Destroyed, error) {
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
		if err := l.keys.destroy(d); err != nil {
			return all, err
		}
		all = append(all, d)
	}
	return all, nil
}

// sweep takes out of the index what was destroyed, now or in a run that was cut off.
func (l *Log) sweep(ctx context.Context, ix *Index) error {
	gone := l.keys.destroyed()
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
	gone := map[uint32]*Destroyed{}
	for _, d := range l.keys.destroyed() {
		gone[d.Key] = d
	}
	keys := l.keys.list()
	all := r.plan(keys, now)
	for i := range all {
		if d := gone[all[i].Key]; d != nil {
			all[i] = Kept{MonthKey: all[i].MonthKey, Destroyed: d}
			continue
		}
		all[i].Held = l.keeper.held(keys, i)
	}
	return all, nil
}
