package audit

import (
	"fmt"
	"sync/atomic"
	"time"
)

// clockStep is the least jump of the clock that is an entry.
const clockStep = 2 * time.Second

// clock sees when the wall clock jumps against the monotonic one. The order of
// the entries is that of their numbers, whatever the clock says; who reads their
// times has to know where they jump.
type clock struct {
	// now returns the time of day, and the time since some moment.
	now func() (wall time.Time, since time.Duration)
	// offset is the difference of the two, last seen, in nanoseconds.
	offset atomic.Int64
}

func newClock(now func() (time.Time, time.Duration)) *clock {
	if now == nil {
		began := time.Now()
		now = func() (time.Time, time.Duration) {
			t := time.Now()
			return t.Round(0), t.Sub(began)
		}
	}
	c := &clock{now: now}
	c.read()
	return c
}

// read returns the time of day, and by how much it has jumped since the last look.
func (c *clock) read() (wall time.Time, jumped time.Duration) {
	wall, since := c.now()
	offset := wall.UnixNano() - int64(since)
	return wall, time.Duration(offset - c.offset.Swap(offset))
}

// stepped is the entry about a jump of the clock, nil for none.
func (c *clock) stepped() *Entry {
	wall, by := c.read()
	switch {
	case by > clockStep:
		return &Entry{Kind: Control, Event: ClockStep, Time: wall, Detail: fmt.Sprintf("the clock was set forward by %s", by.Round(time.Second))}
	case by < -clockStep:
		return &Entry{Kind: Control, Event: ClockStep, Time: wall, Detail: fmt.Sprintf("the clock was set back by %s", (-by).Round(time.Second))}
	}
	return nil
}
