package gate

import (
	"strings"
	"testing"
	"time"
)

func TestObservingIsBoundToADay(t *testing.T) {
	now := time.Date(2026, 11, 23, 18, 0, 0, 0, time.Local)
	for until, want := range map[string]string{
		"2026-11-23": "", "2026-12-23": "", "2025-01-01": "",
		"2026-12-24": "the last day that can be is 2026-12-23",
		"tomorrow":   "is not a day",
		"31.12.2026": "is not a day",
		"":           "is not a day",
	} {
		h := &Handler{Observe: &Observe{Until: until}}
		err := h.checkObserve(now)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("until %q: %v, want %q", until, err, want)
		}
	}
}

// TestSiteEnforcesFromTheDayBehind shows that nobody has to do anything for it.
func TestSiteEnforcesFromTheDayBehind(t *testing.T) {
	now := time.Now()
	for days, want := range map[int]bool{0: true, 1: true, -1: false, -400: false} {
		h := &Handler{Observe: &Observe{Until: now.AddDate(0, 0, days).Format(time.DateOnly)}}
		if err := h.checkObserve(now); err != nil {
			t.Fatal(err)
		}
		if h.observing() != want {
			t.Errorf("%d days ahead: observing %v, want %v", days, h.observing(), want)
		}
	}
	if h := (&Handler{Observe: &Observe{Until: "2026-12-31", end: now.Add(time.Hour)}}); len(h.examineObserve()) != 1 || !strings.Contains(h.describeObserve(), "ONLY OBSERVES") {
		t.Error("the doctor, or the line that names the gate, doesn't say that the site observes")
	}
	if new(Handler).observing() || len(new(Handler).examineObserve()) > 0 {
		t.Error("a site without the line observes")
	}
}
