package session_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/session"
)

// An oidc.Identity has to stay convertible to a session.Identity.
var _ = session.Identity(oidc.Identity{})

func TestSessionComesBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id, made, err := h.Create(t.Context(), session.SignedIn{Identity: ada(), StateID: "s1"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.Lookup(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	who := got.Identity
	if who.Subject != "u-1" || who.User != "ada" || !slices.Equal(who.Roles, []string{"sales"}) || got.Ref() != made.Ref() ||
		!got.Expires.Equal(got.Created.Add(10*time.Hour)) {
		t.Errorf("Session = %+v", got)
	}
	if text := fmt.Sprintf("%+v", got); strings.Contains(text, "CANARY-") {
		t.Error("C19: a session shows its tokens")
	}
	tokens, err := h.Tokens(t.Context(), id)
	if err != nil || tokens.ID != "CANARY-ID" || tokens.Refresh != "CANARY-REFRESH" || tokens.Access != "CANARY-ACCESS" {
		t.Errorf("Tokens = %v, %v", tokens, err)
	}
}

func TestStolenStoreGivesNoSession(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.signIn(t)
	rec := h.store.Records()[0]
	dump := fmt.Appendf(nil, "%s %q %x", rec.Sealed, fmt.Sprint(rec), rec.Sealed)
	for _, secret := range []string{id, "CANARY", "canary@", "u-1", "sales", hex.EncodeToString([]byte("CANARY"))} {
		if bytes.Contains(dump, []byte(secret)) {
			t.Errorf("the store holds %q", secret)
		}
	}
	want(t, h.Manager, hex.EncodeToString(rec.Key[:]), session.ErrNone)
}

func TestRecordMovedToAnotherRowIsNoSession(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.signIn(t)
	admin := h.store.Records()[0]
	mine := h.signIn(t)
	for _, rec := range h.store.Records() {
		if rec.Key != admin.Key {
			rec.Sealed = admin.Sealed
			h.store.Put(rec)
		}
	}
	want(t, h.Manager, mine, session.ErrNone)
}

func TestIDsThatNobodyGotNeverReachTheStore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, id := range []string{"", "x", strings.Repeat("A", 42), strings.Repeat("A", 44), strings.Repeat("=", 43), strings.Repeat("é", 21) + "x", strings.Repeat("A", 1<<20)} {
		want(t, h.Manager, id, session.ErrNone)
	}
	if n := h.store.Count("load"); n != 0 {
		t.Errorf("the store was asked %d times", n)
	}
	want(t, h.Manager, strings.Repeat("A", 43), session.ErrNone)
}

func TestIdleSessionEnds(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.signIn(t)
	for range 4 {
		h.now.Advance(29 * time.Minute)
		want(t, h.Manager, id, nil)
	}
	h.now.Advance(30 * time.Minute)
	want(t, h.Manager, id, session.ErrExpired)
	want(t, h.node(t), id, session.ErrExpired)
}

func TestIdleSessionEndsWhileItIsRemembered(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.signIn(t)
	h.now.Advance(30*time.Minute - time.Second)
	if _, err := h.Peek(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	loads := h.store.Count("load")
	h.now.Advance(time.Second)
	want(t, h.Manager, id, session.ErrExpired)
	if h.store.Count("load") != loads {
		t.Error("the test didn't reach what it is about: the store was asked again")
	}
}

func TestPollingKeepsNothingAlive(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.signIn(t)
	var err error
	for range 31 {
		_, err = h.Peek(t.Context(), id)
		h.now.Advance(time.Minute)
	}
	if !errors.Is(err, session.ErrExpired) {
		t.Errorf("Peek after half an hour of polling = %v", err)
	}
}

func TestBusySessionEndsAtItsGreatestAge(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.signIn(t)
	for range 60 {
		want(t, h.Manager, id, nil)
		h.now.Advance(10 * time.Minute)
	}
	want(t, h.Manager, id, session.ErrExpired)
}

func TestUseSurvivesARestart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.signIn(t)
	for _, pause := range []time.Duration{25 * time.Minute, 28 * time.Minute, 28 * time.Minute} {
		h.now.Advance(pause)
		want(t, h.node(t), id, nil)
		if n, err := h.Sweep(t.Context(), 0); err != nil || n != 0 {
			t.Errorf("Sweep = %d, %v", n, err)
		}
	}
}

func TestUseIsWrittenOnceAMinute(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.signIn(t)
	for range 600 {
		h.now.Advance(time.Second)
		want(t, h.Manager, id, nil)
	}
	if n := h.store.Count("touch"); n < 8 || n > 10 {
		t.Errorf("ten minutes of use were written %d times", n)
	}
	if n := h.store.Count("load"); n > 121 {
		t.Errorf("ten minutes of use asked the store %d times", n)
	}
}

func TestCommonPathAsksNoStore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.signIn(t)
	want(t, h.Manager, id, nil)
	h.store.SetFail(func(string) error { return errors.New("down") })
	h.now.Advance(session.Staleness - 501*time.Millisecond)
	for range 100 {
		want(t, h.Manager, id, nil)
	}
	h.now.Advance(501 * time.Millisecond)
	want(t, h.Manager, id, session.ErrStore)
	h.store.SetFail(nil)
	want(t, h.Manager, id, nil)
}

func TestStoreDownIsNamed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.signIn(t)
	h.store.SetFail(func(string) error { return errors.New("down") })
	want(t, h.Manager, id, session.ErrStore)
	_, _, createErr := h.Create(t.Context(), session.SignedIn{Identity: ada(), StateID: "s"})
	_, tokensErr := h.Tokens(t.Context(), id)
	_, subjectErr := h.RevokeSubject(t.Context(), "https://login.example.de", "u-1")
	_, sweepErr := h.Sweep(t.Context(), 0)
	for i, err := range []error{createErr, tokensErr, h.Revoke(t.Context(), id), subjectErr, sweepErr} {
		if !errors.Is(err, session.ErrStore) {
			t.Errorf("%d: %v, want ErrStore", i, err)
		}
	}
}

func TestUseThatCanNotBeWrittenIsNoAccess(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.signIn(t)
	h.store.SetFail(func(operation string) error {
		if operation == "touch" {
			return errors.New("disk full")
		}
		return nil
	})
	h.now.Advance(2 * time.Minute)
	want(t, h.Manager, id, session.ErrStore)
}

func TestPersonWhoLeavesTakesNobodyAlong(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.signIn(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Lookup(ctx, id); err != nil {
		t.Errorf("Lookup = %v: others may wait for the same answer", err)
	}
}

func TestSweepRemovesWhatHasEnded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.signIn(t)
	h.now.Advance(20 * time.Minute)
	live := h.signIn(t)
	h.now.Advance(12 * time.Minute)
	if n, err := h.Sweep(t.Context(), 0); n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v", n, err)
	}
	want(t, h.Manager, live, nil)
}

func TestChangedKeysMeanANewSignIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.signIn(t)
	h.cfg.Sealer = newBox(t)
	want(t, h.node(t), id, session.ErrNone)
}

func TestBadLimitsAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, change := range map[string]func(*session.Config){
		"short-idle": func(c *session.Config) { c.Idle = time.Minute },
		"max<idle":   func(c *session.Config) { c.Max = time.Minute * 20 },
		"negative":   func(c *session.Config) { c.Max = -1 },
		"no-store":   func(c *session.Config) { c.Store = nil },
		"no-keys":    func(c *session.Config) { c.Sealer = nil },
	} {
		cfg := h.cfg
		change(&cfg)
		if _, err := session.New(cfg); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if h.Idle() != 30*time.Minute || h.Max() != 10*time.Hour {
		t.Errorf("defaults are %s and %s", h.Idle(), h.Max())
	}
	for _, in := range []session.SignedIn{{}, {StateID: "s"}, {Identity: ada()}} {
		if _, _, err := h.Create(t.Context(), in); err == nil {
			t.Errorf("a session was made for %+v", in)
		}
	}
}

func TestManyRequestsAtOnceAskOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.signIn(t)
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for range 50 {
				if _, err := h.Lookup(t.Context(), id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := h.store.Count("load"); n > 64 {
		t.Errorf("3200 requests asked the store %d times", n)
	}
}

func BenchmarkLookup(b *testing.B) {
	h := newHouse(b)
	h.cfg.Now = time.Now
	m := h.node(b)
	id, _, err := m.Create(b.Context(), session.SignedIn{Identity: ada(), StateID: "s"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := m.Lookup(b.Context(), id); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookupParallel(b *testing.B) {
	h := newHouse(b)
	h.cfg.Now = time.Now
	m := h.node(b)
	id, _, err := m.Create(b.Context(), session.SignedIn{Identity: ada(), StateID: "s"})
	if err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := m.Lookup(b.Context(), id); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
