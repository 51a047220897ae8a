package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/session"
)

// RunKeeper checks stores that keep what was asked: open makes an empty one at every
// call.
func RunKeeper(t *testing.T, open func(t *testing.T) session.Keeper) {
	t.Helper()
	for name, run := range map[string]func(*testing.T, session.Keeper){
		"what-was-kept-comes-back":   keptComesBack,
		"the-last-one-counts":        keptAnew,
		"an-owner-has-so-many":       keptBounded,
		"the-bound-holds-in-a-crowd": keptTogether,
		"sweep-takes-what-is-over":   keptSweeps,
		"a-cancelled-context":        keptCancelled,
	} {
		t.Run(name, func(t *testing.T) { run(t, open(t)) })
	}
}

const manyKept = 100

func newKept() session.Kept {
	k := session.Kept{Made: epochAt(), Until: epochAt().Add(time.Hour), Sealed: []byte("sealed " + rand.Text())}
	rand.Read(k.ID[:])
	rand.Read(k.Owner[:])
	return k
}

func keep(t *testing.T, s session.Keeper, k session.Kept, most int) session.Kept {
	t.Helper()
	if err := s.Keep(t.Context(), k, most); err != nil {
		t.Fatalf("Keep = %v", err)
	}
	return k
}

func wantKept(t *testing.T, s session.Keeper, want session.Kept) {
	t.Helper()
	got, err := s.LoadKept(t.Context(), want.ID)
	if err != nil || got.ID != want.ID || got.Owner != want.Owner || !got.Until.Equal(want.Until) || !bytes.Equal(got.Sealed, want.Sealed) {
		t.Errorf("LoadKept = %+v, %v, want %+v", got, err, want)
	}
}

func wantForgotten(t *testing.T, s session.Keeper, k session.Kept) {
	t.Helper()
	if got, err := s.LoadKept(t.Context(), k.ID); !errors.Is(err, session.ErrNone) {
		t.Errorf("LoadKept of what isn't kept = %+v, %v", got, err)
	}
}

func keptComesBack(t *testing.T, s session.Keeper) {
	a, b := keep(t, s, newKept(), manyKept), keep(t, s, newKept(), manyKept)
	wantKept(t, s, a)
	wantKept(t, s, b)
	wantForgotten(t, s, newKept())
}

func keptAnew(t *testing.T, s session.Keeper) {
	a := keep(t, s, newKept(), manyKept)
	b := newKept()
	b.ID, b.Owner, b.Until = a.ID, a.Owner, a.Until.Add(time.Hour)
	wantKept(t, s, keep(t, s, b, manyKept))
}

func keptBounded(t *testing.T, s session.Keeper) {
	other := keep(t, s, newKept(), 1)
	var all []session.Kept
	for i := range 5 {
		k := newKept()
		k.Made = k.Made.Add(time.Duration(i) * time.Millisecond)
		if i > 0 {
			k.Owner = all[0].Owner
		}
		all = append(all, keep(t, s, k, 3))
	}
	for i := range all {
		if i < 2 {
			wantForgotten(t, s, all[i])
		} else {
			wantKept(t, s, all[i])
		}
	}
	wantKept(t, s, other)
	// What is given out anew is as young as it gets.
	again := all[2]
	again.Made = again.Made.Add(time.Second)
	keep(t, s, again, 3)
	last := newKept()
	last.Owner, last.Made = again.Owner, again.Made.Add(time.Millisecond)
	keep(t, s, last, 3)
	wantKept(t, s, again)
	wantForgotten(t, s, all[3])
}

func keptTogether(t *testing.T, s session.Keeper) {
	owner := newKept().Owner
	all := make([]session.Kept, 8)
	var wait sync.WaitGroup
	for i := range all {
		all[i] = newKept()
		all[i].Owner, all[i].Made = owner, all[i].Made.Add(time.Duration(i)*time.Millisecond)
		wait.Go(func() {
			if err := s.Keep(t.Context(), all[i], 4); err != nil {
				t.Errorf("Keep = %v", err)
			}
		})
	}
	wait.Wait()
	keep(t, s, all[len(all)-1], 4)
	left := 0
	for i := range all {
		if _, err := s.LoadKept(t.Context(), all[i].ID); err == nil {
			left++
		}
	}
	if left > 4 {
		t.Errorf("%d are left of an owner who may have 4", left)
	}
	wantKept(t, s, all[len(all)-1])
}

func keptSweeps(t *testing.T, s session.Keeper) {
	a := keep(t, s, newKept(), manyKept)
	b := newKept()
	b.Until = a.Until.Add(time.Second)
	keep(t, s, b, manyKept)
	if n, err := s.SweepKept(t.Context(), a.Until); n != 1 || err != nil {
		t.Errorf("SweepKept = %d, %v, want 1", n, err)
	}
	wantKept(t, s, b)
	wantForgotten(t, s, a)
}

func keptCancelled(t *testing.T, s session.Keeper) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	k := newKept()
	_, loadErr := s.LoadKept(ctx, k.ID)
	_, sweepErr := s.SweepKept(ctx, epochAt())
	for name, err := range map[string]error{"Keep": s.Keep(ctx, k, manyKept), "LoadKept": loadErr, "SweepKept": sweepErr} {
		if err == nil || errors.Is(err, session.ErrNone) {
			t.Errorf("%s with a cancelled context = %v", name, err)
		}
	}
}
