package sink

import (
	"maps"
	"sync"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

// Status is how a sink does. It outlives the Runner, so that a reload forgets
// nothing, and is safe for concurrent use.
type Status struct {
	mu    sync.Mutex
	state State
	// oldest is when the first entry was made that isn't delivered; waiting says
	// that there is one.
	oldest  time.Time
	waiting bool
}

// State is a Status at one moment.
type State struct {
	// Known says that the sink has begun.
	Known bool
	// Next is the number of the first entry that isn't delivered.
	Next uint64
	// Behind is how long the oldest entry has waited that isn't delivered.
	Behind time.Duration
	// Delivered counts entries, Lost those that were destroyed before.
	Delivered, Lost uint64
	// Failures counts deliveries that failed, by one of Reasons.
	Failures map[string]uint64
	// Since is when the sink began to fail, zero while it doesn't; Reason says why.
	Since  time.Time
	Reason string
}

// State returns it.
func (s *Status) State(now time.Time) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.state
	state.Failures = make(map[string]uint64, len(s.state.Failures))
	maps.Copy(state.Failures, s.state.Failures)
	if s.waiting {
		state.Behind = max(0, now.Sub(s.oldest))
	}
	return state
}

func (s *Status) begun(next uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Known, s.state.Next = true, next
}

// waits notes the oldest entry that isn't delivered.
func (s *Status) waits(oldest time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.waiting {
		s.oldest, s.waiting = oldest, true
	}
}

// took notes what was delivered, and ends a failure: how long it was.
func (s *Status) took(st *audit.Stretch, now time.Time) (failed time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = false
	s.state.Next = st.Next
	s.state.Delivered += uint64(st.Entries)
	s.state.Lost += st.Lost.Count
	if !s.state.Since.IsZero() {
		failed = max(1, now.Sub(s.state.Since))
	}
	s.state.Since, s.state.Reason = time.Time{}, ""
	return failed
}

// failed counts a failure and returns for how long the sink has been failing.
func (s *Status) failed(reason string, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Failures == nil {
		s.state.Failures = map[string]uint64{}
	}
	s.state.Failures[reason]++
	if s.state.Since.IsZero() {
		s.state.Since = now
	}
	s.state.Reason = reason
	return now.Sub(s.state.Since)
}
