package gate

import (
	"testing"
	"time"
)

func TestSearchesAreCountedByPerson(t *testing.T) {
	s, now := newSearchRates(3), time.Unix(1_800_000_000, 0)
	for i := range 3 {
		if wait := s.take("vera", now); wait > 0 {
			t.Fatalf("search %d has to wait %s", i+1, wait)
		}
	}
	if wait := s.take("vera", now); wait != 20*time.Second {
		t.Errorf("the fourth within a minute of three waits %s, want 20s", wait)
	}
	if wait := s.take("paula", now); wait > 0 {
		t.Errorf("somebody else waits %s", wait)
	}
	s.sweep(now)
	if wait := s.take("vera", now.Add(19*time.Second)); wait <= 0 {
		t.Error("asking too early, or a sweep, brought a search back")
	}
	if wait := s.take("vera", now.Add(20*time.Second)); wait > 0 {
		t.Errorf("after 20 s the next waits %s", wait)
	}
	s.sweep(now.Add(10 * time.Minute))
	if len(s.was) != 0 {
		t.Errorf("%d are remembered who haven't searched for long", len(s.was))
	}
}
