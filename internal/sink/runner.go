package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

// News is what a Runner tells of a sink, to be logged.
type News struct {
	// Err is why it fails, nil where it delivers again or has lost entries.
	Err    error
	Reason string
	// For is for how long it has failed. Alarm says that somebody should look.
	For   time.Duration
	Alarm bool
	// Lost are entries that were destroyed before they were delivered.
	Lost audit.Lost
}

// Runner passes a log's entries on to one target.
type Runner struct {
	// Name is the sink's, To what its target is in words without secrets.
	Name, To string
	Log      *audit.Log
	Target   Target
	Status   *Status
	// FromStart has a new sink begin with the log's first entry: otherwise it
	// begins with the entry that says that it was added.
	FromStart bool
	// Tell is called with news; it must not block.
	Tell func(News)

	times times
}

// times are how long is waited for what.
type times struct {
	poll    time.Duration // for new entries
	keep    time.Duration // between two writings of the cursor
	deliver time.Duration // for one delivery, before it counts as hanging
	first   time.Duration // after a failure; doubles
	most    time.Duration
	alarm   time.Duration // of failing, before somebody has to look; then each remind
	remind  time.Duration
	settle  time.Duration // before lost entries are named while more come
}

func (t times) orDefault() times {
	if t != (times{}) {
		return t
	}
	return times{
		poll: 500 * time.Millisecond, keep: time.Second, deliver: time.Minute, first: time.Second, most: time.Minute,
		alarm: 5 * time.Minute, remind: time.Hour, settle: time.Minute,
	}
}

// run is a Runner at work.
type run struct {
	*Runner
	released func()
	tail     *audit.Tail
	cursor   audit.Cursor
	// settled is the cursor as it was written, at the time kept; dirty says that
	// cursor has moved since.
	settled audit.Cursor
	kept    time.Time
	dirty   bool
	// added says that the entry about a new sink, or a new target, is written.
	added bool
	// lostAt is when the first lost entry was met that no entry names.
	lostAt  time.Time
	pause   time.Duration
	alarmed time.Duration
}

// errHangs says that a delivery didn't end, and was left to itself.
var errHangs = errors.New("a delivery hangs")

// Run passes entries on until the context ends. It returns then, even where a
// delivery hangs in the kernel; released is called, and the target closed, when
// nothing of this Runner is under way any more.
func (r *Runner) Run(ctx context.Context, released func()) {
	r.times = r.times.orDefault()
	x := &run{Runner: r, pause: r.times.first, released: released}
	err := x.begin(ctx)
	if err == nil {
		err = x.loop(ctx)
	}
	if errors.Is(err, errHangs) {
		return // deliver ends it
	}
	if err := x.keep(); err != nil && !errors.Is(err, audit.ErrClosed) {
		x.fail(err)
	}
	x.end()
}

// end lets go of the target. What it has and isn't settled is passed on again.
func (x *run) end() {
	_ = x.Target.Close()
	x.released()
}

// begin finds the cursor; a new sink, or one that goes elsewhere now, is an entry
// before anything is delivered.
func (x *run) begin(ctx context.Context) error {
	for {
		err := x.find(ctx)
		if err == nil {
			x.Status.begun(x.tail.Next())
			return nil
		}
		if err := x.wait(ctx, x.fail(fmt.Errorf("%w: %w", errLog, err))); err != nil {
			return err
		}
	}
}

func (x *run) find(ctx context.Context) error {
	all, err := x.Log.Cursors()
	if err != nil {
		return err
	}
	c, known := all[x.Name]
	if !x.added && (!known || c.To != x.To) {
		if err := x.announce(ctx, &c, known); err != nil {
			return err
		}
		x.added, x.cursor = true, c
	}
	if x.added {
		c = x.cursor
	}
	if x.tail, err = x.Log.Tail(c); err != nil {
		return err
	}
	if x.added || c.Next != x.tail.Next() {
		c.Next = x.tail.Next()
		if err := x.Log.KeepCursor(c); err != nil {
			return err
		}
	}
	x.cursor, x.settled, x.kept = c, c, time.Now()
	return nil
}

// announce writes down that there is a new sink, or that one goes elsewhere, and
// sets its cursor.
func (x *run) announce(ctx context.Context, c *audit.Cursor, known bool) error {
	detail := fmt.Sprintf("sink %s was added: it passes entries on to %s, from this one on", x.Name, x.To)
	switch {
	case known:
		detail = fmt.Sprintf("sink %s passes entries on to %s, from entry %d on", x.Name, x.To, c.Next)
	case x.FromStart:
		detail = fmt.Sprintf("sink %s was added: it passes entries on to %s, from the first one on", x.Name, x.To)
	}
	rec, err := x.Log.Append(ctx, &audit.Entry{Kind: audit.Control, Event: audit.SinkChange, Detail: detail})
	if err != nil {
		return err
	}
	if !known {
		c.Node = rec.Node
		if !x.FromStart {
			c.Next = rec.Seq
		}
	}
	c.Name, c.To = x.Name, x.To
	return nil
}

func (x *run) loop(ctx context.Context) error {
	for {
		began := time.Now()
		st, err := x.read(ctx)
		if err != nil {
			x.Target.Drop()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := x.wait(ctx, x.fail(fmt.Errorf("%w: %w", errLog, err))); err != nil {
				return err
			}
			continue
		}
		// As long as it reads it rests: a long way to catch up leaves the
		// processor to the requests.
		rest := time.Since(began)
		if st.Next == x.tail.Next() {
			rest = x.times.poll
		}
		switch err := x.step(ctx, st); {
		case errors.Is(err, errHangs), err != nil && ctx.Err() != nil:
			return err
		case err != nil:
			rest = x.fail(err)
		}
		if err := x.upkeep(ctx, st.Entries == 0); err != nil {
			rest = max(rest, x.fail(err))
		}
		if err := x.wait(ctx, rest); err != nil {
			return err
		}
	}
}

// read fills the target.
func (x *run) read(ctx context.Context) (*audit.Stretch, error) {
	return x.tail.Read(ctx, func(s *audit.Stored) (bool, error) {
		x.Status.waits(s.Entry.Time)
		if err := x.Target.Add(s); err != nil {
			return false, err
		}
		return x.Target.Full(), nil
	})
}

// pass delivers a stretch.
func (x *run) pass(ctx context.Context, st *audit.Stretch) error {
	if st.Entries > 0 {
		if err := x.deliver(ctx); err != nil {
			if !errors.Is(err, errHangs) {
				x.Target.Drop()
			}
			return err
		}
	}
	x.tail.Take(st)
	x.cursor.Next, x.dirty, x.pause, x.alarmed = st.Next, true, x.times.first, 0
	if st.Lost.Count > 0 {
		var lost audit.Lost // of its own: what is settled has another one
		if x.cursor.Lost == nil {
			x.lostAt = time.Now()
		} else {
			lost = *x.cursor.Lost
		}
		lost.Add(st.Lost)
		x.cursor.Lost = &lost
	}
	if failed := x.Status.took(st, time.Now()); failed > 0 {
		x.Tell(News{For: failed})
	}
	return nil
}

// deliver has the target deliver. A delivery that doesn't end when it has to is
// waited for still, and said to hang; where the Runner has to end, it is left.
func (x *run) deliver(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, x.times.deliver)
	done := make(chan error, 1)
	go func() {
		defer cancel()
		done <- x.Target.Deliver(bounded)
	}()
	patience := time.NewTimer(x.times.deliver + x.times.poll)
	defer patience.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-patience.C:
			x.fail(context.DeadlineExceeded)
			patience.Reset(x.times.deliver)
		case <-ctx.Done():
			select {
			case err := <-done:
				return err
			case <-time.After(x.times.poll):
				go func() {
					<-done //nolint:errcheck // it was given up
					x.end()
				}()
				return errHangs
			}
		}
	}
}

// upkeep keeps the cursor and names what was lost.
func (x *run) upkeep(ctx context.Context, caughtUp bool) error {
	if l := x.cursor.Lost; l != nil && l.Count > 0 && (caughtUp || time.Since(x.lostAt) >= x.times.settle) {
		_, err := x.Log.Append(ctx, &audit.Entry{Kind: audit.Control, Event: audit.SinkChange, Detail: fmt.Sprintf(
			"sink %s: %d entries of those from %d to %d were destroyed before it had passed them on", x.Name, l.Count, l.First, l.Last)})
		if err != nil {
			return fmt.Errorf("%w: %w", errLog, err)
		}
		x.Tell(News{Lost: *l})
		x.cursor.Lost, x.dirty, x.kept = nil, true, time.Time{}
	}
	if time.Since(x.kept) < x.times.keep {
		return nil
	}
	return x.keep()
}

// keep settles what was delivered and writes the cursor.
func (x *run) keep() error {
	if !x.dirty {
		return nil
	}
	x.kept = time.Now()
	if err := x.Target.Settle(); err != nil {
		return errors.Join(err, x.rewind())
	}
	if err := x.Log.KeepCursor(x.cursor); err != nil {
		return fmt.Errorf("%w: %w", errLog, err)
	}
	x.settled, x.dirty = x.cursor, false
	return nil
}

// rewind goes back to what is settled: of what came behind, nobody knows whether the
// disk has it.
func (x *run) rewind() error {
	tail, err := x.Log.Tail(x.settled)
	if err != nil {
		return fmt.Errorf("%w: %w", errLog, err)
	}
	x.tail, x.cursor, x.dirty = tail, x.settled, false
	x.Status.begun(tail.Next())
	return nil
}

// fail counts a failure, tells of it at first, when it lasts, and then now and again,
// and returns how long to wait.
func (x *run) fail(err error) time.Duration {
	reason := reasonOf(err)
	lasts := x.Status.failed(reason, time.Now())
	wait := x.pause
	x.pause = min(2*x.pause, x.times.most)
	if after, ok := errors.AsType[*retryAfter](err); ok {
		wait = max(wait, min(after.wait, x.times.most))
	}
	news := News{Err: err, Reason: reason, For: lasts}
	switch {
	case x.alarmed == 0:
		x.alarmed = x.times.alarm
	case lasts >= x.alarmed:
		news.Alarm = true
		x.alarmed = lasts + x.times.remind
	default:
		return wait
	}
	x.Tell(news)
	return wait
}

func (x *run) wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
