package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

func TestNewSinkBeginsWhereItIsTold(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, dir)
	add(t, l, 20)
	before := size(l)
	now, first := new(stub), new(stub)
	a := start(t, l, now, func(r *Runner) { r.Name, r.FromStart = "now", false })
	b := start(t, l, first, func(r *Runner) { r.Name = "first" })
	until(t, "both begin", func() bool { return len(changes(t, l)) == 2 })
	add(t, l, 20)
	a.caughtUp(t)
	b.caughtUp(t)
	if got := now.all(); got[0] < before || got[0] > before+1 {
		t.Errorf("the sink begins with entry %d, not with the one that says that it was added", got[0])
	}
	whole(t, first.all(), size(l))
	a.end()
	b.end()
	// Started again, each goes on where it was.
	next := size(l)
	again := new(stub)
	add(t, l, 3)
	c := start(t, l, again, func(r *Runner) { r.Name, r.FromStart = "first", true })
	c.caughtUp(t)
	if got := again.all(); !slices.Equal(got, []uint64{next, next + 1, next + 2}) {
		t.Errorf("it goes on with %v, want from %d", got, next)
	}
	c.end()
	moved := start(t, l, new(stub), func(r *Runner) { r.Name, r.To = "first", "elsewhere" })
	until(t, "the new place is named", func() bool {
		return strings.Contains(strings.Join(changes(t, l), "\n"), fmt.Sprintf("elsewhere, from entry %d on", next+3))
	})
	moved.end()
}

// Whatever fails, and however often, entries come in their order and none is skipped.
func TestFailuresSkipNothing(t *testing.T) {
	l := openLog(t, t.TempDir())
	add(t, l, 300)
	n := 0
	s := &stub{deliver: func(context.Context, []uint64) error {
		if n++; n%3 != 0 {
			return syscall.ENOSPC
		}
		return nil
	}}
	m := 0
	s.settle = func() error {
		if m++; m%2 == 0 {
			return syscall.EIO // nobody knows what the disk has: it comes again
		}
		return nil
	}
	r := start(t, l, s)
	r.caughtUp(t)
	whole(t, s.all(), size(l))
	state := r.Status.State(time.Now())
	if state.Failures[reasonFull] == 0 || state.Failures[reasonOther] == 0 {
		t.Errorf("failures %v", state.Failures)
	}
	until(t, "it is told", func() bool {
		return r.told(func(n News) bool { return n.Err != nil && n.Reason == reasonFull }) && r.told(func(n News) bool { return n.Err == nil && n.For > 0 })
	})
}

// A failing sync takes the cursor back: what came behind the last one that held is
// passed on again.
func TestWhatWasNotSettledComesAgain(t *testing.T) {
	l := openLog(t, t.TempDir())
	add(t, l, 30)
	var failed atomic.Bool
	s := &stub{settle: func() error {
		if failed.CompareAndSwap(false, true) {
			return syscall.EIO
		}
		return nil
	}}
	r := start(t, l, s, func(r *Runner) { r.times.keep = 0 })
	r.caughtUp(t)
	until(t, "it comes again", func() bool { got := s.all(); return len(got) > 1 && slices.Index(got[1:], 0) >= 0 })
	r.caughtUp(t)
	whole(t, s.all(), size(l))
}

// A target that hangs holds up nobody: not the log, and not the end.
func TestHangingTargetHoldsUpNobody(t *testing.T) {
	l := openLog(t, t.TempDir())
	var once sync.Once
	hangs, go_on := make(chan struct{}), make(chan struct{})
	s := &stub{deliver: func(context.Context, []uint64) error {
		once.Do(func() { close(hangs) })
		<-go_on // whatever the context says
		return nil
	}}
	r := start(t, l, s, func(r *Runner) { r.times.deliver = time.Millisecond })
	<-hangs
	add(t, l, 200)
	until(t, "the hanging is told", func() bool { return r.told(func(n News) bool { return n.Reason == reasonTimeout && n.Alarm }) })
	if state := r.Status.State(time.Now()); state.Since.IsZero() || state.Behind == 0 || state.Delivered != 0 {
		t.Errorf("state %+v", state)
	}
	r.end() // returns
	select {
	case <-r.free:
		t.Error("the next one may begin while a delivery is under way")
	default:
	}
	close(go_on)
	<-r.free
	if s.closings != 1 {
		t.Errorf("closed %d times", s.closings)
	}
	// The next one begins where nothing was delivered.
	next := new(stub)
	n := start(t, l, next)
	n.caughtUp(t)
	whole(t, next.all(), size(l))
}

// While a sink is away nothing of the log is held in memory for it.
func TestNothingIsHeldWhileASinkIsAway(t *testing.T) {
	l := openLog(t, t.TempDir())
	var most atomic.Int64
	var tries atomic.Int64
	s := &stub{}
	s.deliver = func(_ context.Context, got []uint64) error {
		most.Store(max(most.Load(), int64(len(got))))
		tries.Add(1)
		return errors.New("away")
	}
	r := start(t, l, s)
	add(t, l, 500)
	until(t, "it tries", func() bool { return tries.Load() > 20 })
	r.end()
	<-r.free
	if most.Load() > 7 || len(s.waiting) != 0 {
		t.Errorf("%d entries at once, %d left", most.Load(), len(s.waiting))
	}
}

// What retention destroys before a sink had it is named in the log, and counted.
func TestDestroyedEntriesAreNamed(t *testing.T) {
	l := openLog(t, t.TempDir())
	away := atomic.Bool{}
	away.Store(true)
	s := &stub{deliver: func(context.Context, []uint64) error {
		if away.Load() {
			return errors.New("away")
		}
		return nil
	}}
	r := start(t, l, s)
	until(t, "it begins", func() bool { return r.Status.State(time.Now()).Known })
	for i := range 10 { // of two months, so that the log believes them
		old := time.Now().AddDate(-2, i/5, -time.Now().Day()+1)
		if _, err := l.Append(t.Context(), &audit.Entry{Kind: audit.Intent, Request: "old", Time: old}); err != nil {
			t.Fatal(err)
		}
	}
	add(t, l, 5)
	gone, err := l.Retain(t.Context(), audit.Retaining{
		Retention: audit.Retention{Access: 1}, By: "a test", Today: time.Now().UTC().Format(time.DateOnly),
	})
	if err != nil || len(gone) != 2 {
		t.Fatalf("destroyed %v, %v", gone, err)
	}
	away.Store(false)
	until(t, "the loss is named", func() bool {
		return strings.Contains(strings.Join(changes(t, l), "\n"), "10 entries of those from") && r.told(func(n News) bool { return n.Lost.Count == 10 })
	})
	r.caughtUp(t)
	if state := r.Status.State(time.Now()); state.Lost != 10 {
		t.Errorf("lost %d", state.Lost)
	}
	if got := s.all(); uint64(len(got)) != size(l)-10 {
		t.Errorf("%d of %d entries", len(got), size(l))
	}
	r.end()
	<-r.free
	if c, err := l.Cursors(); err != nil || c["test"].Lost != nil {
		t.Errorf("cursors %v, %v", c, err)
	}
}

// What is lost behind what is settled isn't counted as settled: after a failing sync it
// is met again.
func TestLossIsCountedOnce(t *testing.T) {
	l := openLog(t, t.TempDir())
	tail, err := l.Tail(audit.Cursor{})
	if err != nil {
		t.Fatal(err)
	}
	x := &run{Runner: &Runner{Status: new(Status), Tell: func(News) {}}, tail: tail}
	for i, n := range []uint64{3, 2} {
		if err := x.pass(t.Context(), &audit.Stretch{Lost: audit.Lost{First: 1, Last: n, Count: n}}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			x.settled = x.cursor
		}
	}
	if x.settled.Lost.Count != 3 || x.cursor.Lost.Count != 5 {
		t.Errorf("settled are %d lost entries of %d", x.settled.Lost.Count, x.cursor.Lost.Count)
	}
}
