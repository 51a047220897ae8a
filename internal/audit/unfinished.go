package audit

import (
	"maps"
	"slices"
)

// Intents that are remembered until their disclosure. Beyond it the oldest are
// forgotten: they count in Verify still, but no start names them.
const maxUnfinished = 1 << 16

// maxDistance bounds how many entries a recovery has to open for one intent that
// waits for long; an older one is forgotten in the same way.
const maxDistance = 1 << 18

// unfinished are the intents without disclosure, oldest first.
type unfinished struct {
	requests map[uint64]string
	order    []uint64
	limit    int
}

func newUnfinished(limit int) *unfinished {
	return &unfinished{requests: map[uint64]string{}, limit: limit}
}

func (u *unfinished) add(seq uint64, request string) {
	u.requests[seq] = request
	u.order = append(u.order, seq)
	if len(u.requests) > u.limit {
		u.trim()
		delete(u.requests, u.order[0])
	}
}

func (u *unfinished) remove(seq uint64) { delete(u.requests, seq) }

func (u *unfinished) trim() {
	for len(u.order) > 0 {
		if _, ok := u.requests[u.order[0]]; ok {
			return
		}
		u.order = u.order[1:]
	}
}

// oldest returns the seq from which on a recovery has to read, or size.
func (u *unfinished) oldest(size uint64) uint64 {
	for u.trim(); len(u.order) > 0; u.trim() {
		if size-u.order[0] <= maxDistance {
			return u.order[0]
		}
		delete(u.requests, u.order[0])
	}
	return size
}

func (u *unfinished) list() []Unfinished {
	var list []Unfinished
	for _, seq := range slices.Sorted(maps.Keys(u.requests)) {
		list = append(list, Unfinished{Seq: seq, Request: u.requests[seq]})
	}
	return list
}

// take notes what an entry opens or closes. It is how both the recovery and
// Verify follow intents.
func (u *unfinished) take(seq uint64, e *Entry) {
	switch {
	case e.Event == Start || e.Event == UncleanStart || e.Event == Restored:
		// What the run before has left open stays open; this run's starts anew.
		*u = *newUnfinished(u.limit)
	case e.opens():
		u.add(seq, e.Request)
	case e.closes():
		u.remove(e.Intent)
	}
}
