package audit

import "time"

// steadyFor is how long the clock has to have run without a jump before anything
// is destroyed by it: a machine that starts with a wrong time is set right by then.
const steadyFor = time.Hour

// believed is the time that destroying goes by. What is destroyed too late can be
// destroyed later, what is destroyed too early can't be had back: a clock that is
// set back is believed, one that is set forward while the log is open isn't, unless
// it was behind the log's own entries before.
type believed struct {
	read func() (wall time.Time, since time.Duration)
	// newest is the time of the last entry of the run before.
	newest time.Time

	now    time.Time
	since  time.Duration
	wall   time.Time     // when since was
	steady time.Duration // since when the clock hasn't jumped
}

// forgiven is what a clock may be set forward by: machines that sleep, and clocks
// that are a little slow, are set so.
const forgiven = time.Hour

func newBelieved(newest time.Time, read func() (time.Time, time.Duration)) *believed {
	b := &believed{read: read, newest: newest}
	b.now, b.since = read()
	b.wall, b.steady = b.now, b.since
	return b
}

// time returns the time, and whether the clock has run steadily for long enough.
func (b *believed) time() (now time.Time, steady bool) {
	wall, since := b.read()
	next := b.now.Add(since - b.since)
	if jump := wall.Sub(b.wall.Add(since - b.since)); jump.Abs() > clockStep {
		b.steady = since
	}
	b.now, b.wall, b.since = wall, wall, since
	if wall.Sub(next) > forgiven && next.After(b.newest) {
		b.now = next
	}
	return b.now, since-b.steady >= steadyFor
}
