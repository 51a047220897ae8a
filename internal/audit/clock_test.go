package audit

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Back an hour, forward one, to 1970: the numbers order, a search finds all, and
// each jump is an entry before the first one with the new time.
func clockThatJumpsIsAnEntryAndOrdersNothing(t *testing.T) {
	var ahead, since atomic.Int64
	began := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	opts := small()
	opts.now = func() (time.Time, time.Duration) {
		d := time.Duration(since.Add(int64(time.Second)))
		return began.Add(d + time.Duration(ahead.Load())), d
	}
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, opts)
	year := began.Sub(time.Unix(0, 0))
	var want []string
	for i, jump := range []time.Duration{0, time.Second, -time.Hour, time.Hour, -year, year, -time.Second} {
		ahead.Add(int64(jump))
		id := fmt.Sprint(i)
		mustAppend(t, l, &Entry{Kind: Intent, Request: id})
		mustAppend(t, l, &Entry{Kind: Intent, Request: id + "x"})
		if jump.Abs() > clockStep {
			want = append(want, "jump")
		}
		want = append(want, id, id+"x")
	}
	mustClose(t, l)
	var got []string
	for _, s := range collect(t, Search(t.Context(), dir, ring, Query{})) {
		switch {
		case s.Entry.Event == ClockStep:
			got = append(got, "jump")
			if !strings.Contains(s.Entry.Detail, "set forward by") && !strings.Contains(s.Entry.Detail, "set back by") {
				t.Errorf("the entry says %q", s.Entry.Detail)
			}
		case s.Entry.Kind == Intent:
			got = append(got, s.Entry.Request)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the log is %v, want %v", got, want)
	}
	if _, err := Verify(t.Context(), dir, ring, Check{}); err != nil {
		t.Error(err)
	}
}
