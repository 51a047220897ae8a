package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/session"
)

// RunBinder checks stores that remember whose the CRM's sessions are: open makes
// an empty one at every call.
func RunBinder(t *testing.T, open func(t *testing.T) session.Binder) {
	t.Helper()
	for name, run := range map[string]func(*testing.T, session.Binder){
		"what-was-bound-comes-back": boundComesBack,
		"the-last-one-has-it":       boundAnew,
		"sweep-takes-what-is-over":  boundSweeps,
		"a-cancelled-context":       boundCancelled,
	} {
		t.Run(name, func(t *testing.T) { run(t, open(t)) })
	}
}

func newBound() session.Bound {
	b := session.Bound{Owner: "e-" + rand.Text(), Until: epochAt().Add(time.Hour)}
	rand.Read(b.ID[:])
	rand.Read(b.Session[:])
	return b
}

func wantBound(t *testing.T, s session.Binder, want session.Bound) {
	t.Helper()
	got, err := s.LoadBound(t.Context(), want.ID)
	if err != nil || got.ID != want.ID || got.Session != want.Session || got.Owner != want.Owner || !got.Until.Equal(want.Until) {
		t.Errorf("LoadBound = %+v, %v, want %+v", got, err, want)
	}
}

func bind(t *testing.T, s session.Binder, b session.Bound) session.Bound {
	t.Helper()
	if err := s.Bind(t.Context(), b); err != nil {
		t.Fatalf("Bind = %v", err)
	}
	return b
}

func boundComesBack(t *testing.T, s session.Binder) {
	a, b := bind(t, s, newBound()), bind(t, s, newBound())
	wantBound(t, s, a)
	wantBound(t, s, b)
	if got, err := s.LoadBound(t.Context(), newBound().ID); !errors.Is(err, session.ErrNone) {
		t.Errorf("LoadBound of nothing = %+v, %v", got, err)
	}
}

func boundAnew(t *testing.T, s session.Binder) {
	a := bind(t, s, newBound())
	b := newBound()
	b.ID, b.Until = a.ID, a.Until.Add(time.Hour)
	wantBound(t, s, bind(t, s, b))
}

func boundSweeps(t *testing.T, s session.Binder) {
	a := bind(t, s, newBound())
	b := newBound()
	b.Until = a.Until.Add(time.Second)
	bind(t, s, b)
	if n, err := s.SweepBound(t.Context(), a.Until); n != 1 || err != nil {
		t.Errorf("SweepBound = %d, %v, want 1", n, err)
	}
	wantBound(t, s, b)
	if _, err := s.LoadBound(t.Context(), a.ID); !errors.Is(err, session.ErrNone) {
		t.Errorf("a swept one is there: %v", err)
	}
}

func boundCancelled(t *testing.T, s session.Binder) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := newBound()
	_, loadErr := s.LoadBound(ctx, b.ID)
	_, sweepErr := s.SweepBound(ctx, epochAt())
	for name, err := range map[string]error{"Bind": s.Bind(ctx, b), "LoadBound": loadErr, "SweepBound": sweepErr} {
		if err == nil || errors.Is(err, session.ErrNone) {
			t.Errorf("%s with a cancelled context = %v", name, err)
		}
	}
}
