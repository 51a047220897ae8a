package audit

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
)

// stretch reads at most n entries.
func stretch(t testing.TB, tail *Tail, n int) (*Stretch, []Stored) {
	t.Helper()
	var got []Stored
	s, err := tail.Read(t.Context(), func(e *Stored) (bool, error) {
		got = append(got, *e)
		return len(got) == n, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, got
}

func mustTail(t testing.TB, l *Log, c Cursor) *Tail {
	t.Helper()
	tail, err := l.Tail(c)
	if err != nil {
		t.Fatal(err)
	}
	return tail
}

// Whoever reads in stretches, gives some of them up and begins anew from a cursor,
// gets every entry in its order.
func TestTailSkipsNothingHoweverItIsCut(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	s := newSampler(5)
	var appended sync.WaitGroup
	for range 3 { // groups of several entries, over some segments
		entries := s.entries(150)
		for _, e := range entries {
			appended.Go(func() {
				if _, err := l.Append(t.Context(), e); err != nil {
					t.Error(err)
				}
			})
		}
		appended.Wait()
	}
	want := collect(t, l.Read(t.Context()))
	rnd := rand.New(rand.NewPCG(7, 7))
	for range 20 {
		tail, got := mustTail(t, l, Cursor{Node: "n1"}), []Stored(nil)
		for {
			st, part := stretch(t, tail, 1+rnd.IntN(40))
			if len(part) == 0 {
				break
			}
			if st.Entries != len(part) || st.Lost.Count != 0 {
				t.Fatalf("%+v for %d entries", st, len(part))
			}
			if rnd.IntN(4) == 0 {
				continue // not passed on
			}
			got = append(got, part...)
			tail.Take(st)
			if tail.Next() != uint64(len(got)) {
				t.Fatalf("next %d after %d", tail.Next(), len(got))
			}
			if rnd.IntN(4) == 0 {
				tail = mustTail(t, l, Cursor{Node: "n1", Next: tail.Next()})
			}
		}
		if len(got) != len(want) || !slices.EqualFunc(got, want, func(a, b Stored) bool { return a.Seq == b.Seq && a.LeafHash == b.LeafHash && a.Node == "n1" }) {
			t.Fatalf("%d entries, want %d", len(got), len(want))
		}
	}
}

func TestTailFollowsALogThatIsWritten(t *testing.T) {
	l := mustOpen(t, t.TempDir(), testRing(t), small())
	size, _ := l.Head()
	tail := mustTail(t, l, Cursor{Node: "n1", Next: size})
	if st, got := stretch(t, tail, 10); len(got) != 0 || st.Next != size {
		t.Fatalf("%d entries before there are any, next %d", len(got), st.Next)
	}
	for i := range 200 {
		r := mustAppend(t, l, &Entry{Kind: Intent, Request: "x"})
		st, got := stretch(t, tail, 10)
		if len(got) != 1 || got[0].Seq != r.Seq {
			t.Fatalf("round %d: %d entries, want entry %d", i, len(got), r.Seq)
		}
		tail.Take(st)
	}
}

// What was destroyed before it was read is counted, and the rest comes.
func TestTailCountsWhatWasDestroyed(t *testing.T) {
	dir, ring, clock := t.TempDir(), testRing(t), newTurner("2026-01-10 08:00")
	l := mustOpen(t, dir, ring, turned(clock))
	fillMonths(t, l, clock, 5)
	before := collect(t, l.Read(t.Context()))
	if gone := mustRetain(t, l, Retention{Access: 2}); len(gone) == 0 {
		t.Fatal("nothing was destroyed")
	}
	after := collect(t, l.Read(t.Context()))
	size, _ := l.Head()
	tail, got, lost := mustTail(t, l, Cursor{Node: "n1"}), 0, Lost{}
	for tail.Next() < size {
		st, part := stretch(t, tail, 3)
		got += len(part)
		lost.Add(st.Lost)
		tail.Take(st)
	}
	if got != len(after) || lost.Count != size-uint64(len(after)) || lost.Count == 0 {
		t.Errorf("%d entries, lost %+v of %d; %d can be read, of %d before", got, lost, size, len(after), len(before))
	}
}

func TestCursorsAreKeptBesideTheLog(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	if all, err := l.Cursors(); err != nil || len(all) != 0 {
		t.Fatalf("cursors %v, %v", all, err)
	}
	for _, c := range []Cursor{{Name: "siem", Next: 1}, {Name: "file", Next: 2, Lost: &Lost{1, 3, 2}}, {Name: "siem", Next: 9}} {
		if err := l.KeepCursor(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.KeepCursor(Cursor{Name: "../keys/x"}); !errors.Is(err, ErrCursor) {
		t.Errorf("a name that leads elsewhere: %v", err)
	}
	mustClose(t, l)
	if err := l.KeepCursor(Cursor{Name: "late"}); !errors.Is(err, ErrClosed) {
		t.Errorf("keeping a cursor of a closed log: %v", err)
	}
	l = mustOpen(t, dir, ring, small())
	all, err := l.Cursors()
	want := map[string]Cursor{
		"siem": {Name: "siem", Node: "n1", Next: 9}, "file": {Name: "file", Node: "n1", Next: 2, Lost: &Lost{1, 3, 2}},
	}
	if err != nil || !reflect.DeepEqual(all, want) {
		t.Errorf("cursors %v, %v, want %v", all, err, want)
	}
	for range 2 {
		if err := l.ForgetCursor("siem"); err != nil {
			t.Error(err)
		}
	}
	if all, _ := l.Cursors(); len(all) != 1 {
		t.Errorf("cursors %v after one was forgotten", all)
	}
	mustClose(t, l)
	if _, err := Verify(t.Context(), dir, ring, Check{}); err != nil {
		t.Error(err)
	}
}

// A cursor of a log that was restored since goes back to where entries were lost.
func TestCursorGoesBackWhereTheLogWasRestored(t *testing.T) {
	c := chain{
		{identity{node: "n1"}, 0},
		{identity{node: "n1.r1"}, 40},
		{identity{node: "n1.r2"}, 30},
	}
	for node, want := range map[string]uint64{"n1": 40, "n1.r1": 30, "n1.r2": 0, "other": 0} {
		if got := c.since(node); got != want {
			t.Errorf("since %s: %d, want %d", node, got, want)
		}
	}
}
