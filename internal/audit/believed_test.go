package audit

import (
	"testing"
	"time"
)

// A clock that is set forward in a run isn't believed, one that is set back is, and
// one that was behind the log before is; each jump takes an hour to be gone by.
func believedClockGoesForwardByRunningAlone(t *testing.T) {
	c := newTurner("2026-05-10 09:00")
	began, _ := c.now()
	b := newBelieved(began.Add(-time.Hour), c.now)
	see := func(what string, want time.Time, steadily bool) {
		t.Helper()
		if now, steady := b.time(); !now.Equal(want) || steady != steadily {
			t.Errorf("%s: it is %s, steadily %v; want %s, %v", what, now, steady, want, steadily)
		}
	}
	see("at the start", began, false)
	c.run(59 * time.Minute)
	see("before the hour", began.Add(59*time.Minute), false)
	c.run(time.Minute)
	see("after an hour", began.Add(time.Hour), true)
	c.set(20 * 24 * time.Hour)
	see("set forward", began.Add(time.Hour), false)
	c.run(2 * time.Hour)
	see("set forward, later", began.Add(3*time.Hour), true)
	c.set(-21 * 24 * time.Hour)
	wall, _ := c.now()
	see("set back", wall, false)
	c.run(2 * time.Hour)
	see("set back, later", wall.Add(2*time.Hour), true)

	c.set(10 * time.Second)
	see("after a short sleep", wall.Add(2*time.Hour+10*time.Second), false)
	c.run(2 * time.Hour)
	see("after a short sleep, later", wall.Add(4*time.Hour+10*time.Second), true)

	behind := newTurner("1970-01-01 00:00")
	b = newBelieved(began, behind.now)
	behind.run(time.Minute)
	behind.set(began.Add(time.Hour).Sub(behind.wall))
	see("set right from before the log", began.Add(time.Hour), false)
}
