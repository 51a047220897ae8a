package alarm

import (
	"sync"
	"time"
)

// Quiet keeps what happens again and again from being told each time. It is safe for
// concurrent use, and holds no more than a bounded number of causes: with more at a
// time, some are told once too often.
type Quiet struct {
	// For is how long a cause is quiet after it was told.
	For time.Duration

	mu  sync.Mutex
	all map[string]*quieted
}

type quieted struct {
	told time.Time
	more int
}

// maxQuiet is how many causes are held.
const maxQuiet = 8192

// Tell reports whether a cause is to be told, and how often it came since it was.
func (q *Quiet) Tell(cause string, now time.Time) (tell bool, since int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.all == nil {
		q.all = map[string]*quieted{}
	}
	had := q.all[cause]
	if had != nil && now.Sub(had.told) < q.For && !now.Before(had.told) {
		had.more++
		return false, 0
	}
	if had != nil {
		since, had.told, had.more = had.more, now, 0
		return true, since
	}
	if len(q.all) >= maxQuiet {
		q.forget(now)
	}
	q.all[cause] = &quieted{told: now}
	return true, 0
}

// forget makes room: for what was told long ago, else for all.
func (q *Quiet) forget(now time.Time) {
	for cause, had := range q.all {
		if now.Sub(had.told) >= q.For {
			delete(q.all, cause)
		}
	}
	if len(q.all) >= maxQuiet {
		clear(q.all)
	}
}

// Untold takes back that a cause was told: its entry couldn't be written.
func (q *Quiet) Untold(cause string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.all, cause)
}
