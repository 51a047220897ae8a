package audit

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
)

// memoryDatabase has logs of several nodes in memory.
type memoryDatabase map[string]*rowMemory

func (d memoryDatabase) Nodes(context.Context) ([]string, error) {
	return slices.Sorted(maps.Keys(d)), nil
}

func (d memoryDatabase) Node(name string) Rows {
	if d[name] == nil {
		d[name] = newRowMemory()
	}
	return d[name]
}

func (d memoryDatabase) Alone(context.Context) (Turn, error) { return nothing{}, nil }

// A node that is gone writes no months any more by which its log could be judged: those
// of a node that lives count, and its clock.
func monthsOfAGoneNodeAreJudgedByAnother(t *testing.T) {
	db, ring := memoryDatabase{}, testRing(t)
	open := func(node string, c *turner) *Log {
		return mustOpen(t, "", ring, Options{Node: node, Rows: db.Node(node), Fellows: db, now: c.now})
	}
	c := newTurner("2027-01-10 09:00")
	one, two := open("one", c), open("two", c)
	fillMonth(t, one, c)
	fillMonth(t, two, c)
	mustClose(t, two)
	how := Retaining{Retention: Retention{Access: 3}, By: "a test"}
	retained := func() (all []string) {
		t.Helper()
		gone, err := GoneNodes(t.Context(), db, one)
		if err != nil || len(gone) != 1 || gone[0].Node() != "two" {
			t.Fatalf("gone are %v, %v", gone, err)
		}
		destroyed, err := gone[0].Retain(t.Context(), how)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range destroyed {
			all = append(all, d.Month+" "+string(d.Class))
		}
		return all
	}
	// The clock alone isn't believed: the node that lives wasn't there in those months either.
	c.runTo("2027-09-10")
	fillMonth(t, one, c)
	if got := retained(); got != nil {
		t.Errorf("by the clock alone %v was destroyed", got)
	}
	size := db["two"].mark.Size
	for range 5 {
		at, _ := c.now()
		c.runTo(at.AddDate(0, 1, 1-at.Day()).Format("2006-01-02"))
		fillMonth(t, one, c)
	}
	if got := db["two"].mark.Size; got != size {
		t.Errorf("%d entries were written where nothing was due", got-size)
	}
	// Its own months would say nothing.
	l := open("two", c)
	c.run(2 * steadyFor)
	if gone, err := l.Retain(t.Context(), how); err != nil || len(gone) > 0 {
		t.Errorf("by itself it destroys %v, %v", gone, err)
	}
	mustClose(t, l)
	if got := retained(); !slices.Equal(got, []string{"2027-01 access"}) {
		t.Errorf("destroyed %v", got)
	}
	if _, err := Verify(t.Context(), "", ring, Check{Rows: db.Node("two")}); err != nil {
		t.Error(err)
	}
	// A hold at the node that lives holds it, too.
	held, err := one.Hold(t.Context(), Hold{From: "2027-01", Reason: "case 1"}, "uid 0")
	if err != nil {
		t.Fatal(err)
	}
	how.Retention = Retention{Access: 3, Employee: 3}
	if got := retained(); got != nil {
		t.Errorf("%v was destroyed in spite of a hold", got)
	}
	if _, err := one.Release(t.Context(), "two", held.Seq, "no", "uid 0"); !errors.Is(err, ErrHold) {
		t.Errorf("a hold of the wrong node is released: %v", err)
	}
	if _, err := one.Release(t.Context(), "one", held.Seq, "closed", "uid 0"); err != nil {
		t.Fatal(err)
	}
	if got := retained(); !slices.Equal(got, []string{"2027-01 employee"}) {
		t.Errorf("destroyed %v", got)
	}
}
