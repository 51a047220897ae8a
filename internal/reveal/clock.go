package reveal

import "time"

// Clock is a time of day that doesn't go back while the process runs: setting the
// machine's clock back prolongs nothing.
type Clock struct {
	began time.Time
	now   func() (wall time.Time, since time.Duration)
}

// NewClock returns a clock. now returns the time of day and the time since some
// moment; nil are the machine's.
func NewClock(now func() (wall time.Time, since time.Duration)) *Clock {
	if now == nil {
		began := time.Now()
		now = func() (time.Time, time.Duration) {
			t := time.Now()
			return t.Round(0), t.Sub(began)
		}
	}
	wall, since := now()
	return &Clock{began: wall.Add(-since), now: now}
}

// Now is the later of the time of day and what it would be had nobody set the clock.
func (c *Clock) Now() time.Time {
	wall, since := c.now()
	if steady := c.began.Add(since); steady.After(wall) {
		return steady
	}
	return wall
}
