package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/session"
)

const issuer = "https://login.example.de"

// sid makes a session that hangs on a session at the provider.
func (h *house) sid(t *testing.T, subject, sid string) string {
	t.Helper()
	who := ada()
	who.Subject, who.SID = subject, sid
	id, _, err := h.Create(t.Context(), session.SignedIn{Identity: who, StateID: subject + sid + time.Duration(h.store.Count("create")).String()})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestSignInEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		subject, sid          string
		ended                 int
		one, two, bare, other error
	}{
		"C15-by-sid":             {sid: "one", ended: 1, one: session.ErrNone},
		"C15-by-person":          {subject: "u-1", ended: 3, one: session.ErrNone, two: session.ErrNone, bare: session.ErrNone},
		"C15-by-both":            {subject: "u-1", sid: "one", ended: 2, one: session.ErrNone, bare: session.ErrNone},
		"C15-by-an-unknown-sid":  {subject: "u-2", sid: "none"},
		"C15-by-nothing-at-all":  {},
		"C15-by-sid-of-somebody": {sid: "other", ended: 1, other: session.ErrNone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			one, two, bare := h.sid(t, "u-1", "one"), h.sid(t, "u-1", "two"), h.sid(t, "u-1", "")
			other := h.sid(t, "u-2", "other")
			for _, id := range []string{one, two, bare, other} {
				want(t, h.Manager, id, nil)
			}
			if got, err := h.End(t.Context(), "https://elsewhere.example", c.subject, c.sid); err != nil || len(got) > 0 {
				t.Errorf("another issuer ended %v, %v", got, err)
			}
			got, err := h.End(t.Context(), issuer, c.subject, c.sid)
			if err != nil || len(got) != c.ended {
				t.Fatalf("End = %d sessions, %v, want %d", len(got), err, c.ended)
			}
			for id, err := range map[string]error{one: c.one, two: c.two, bare: c.bare, other: c.other} {
				want(t, h.Manager, id, err)
				want(t, h.node(t), id, err)
			}
		})
	}
}

func TestThingsHappenOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	until := h.now.Now().Add(time.Hour)
	done := 0
	do := func() error { done++; return nil }
	if err := h.Once(t.Context(), "logout", issuer, "j", until, do); err != nil || done != 1 {
		t.Fatal(err, done)
	}
	if err := h.node(t).Once(t.Context(), "logout", issuer, "j", until, do); !errors.Is(err, session.ErrUsed) || done != 1 {
		t.Errorf("again = %v, done %d times", err, done)
	}
	for i, other := range [][3]string{{"other", issuer, "j"}, {"logout", "https://elsewhere.example", "j"}, {"logout", issuer, "k"}} {
		if err := h.Once(t.Context(), other[0], other[1], other[2], until, do); err != nil || done != i+2 {
			t.Errorf("%q = %v, done %d times", other, err, done)
		}
	}
	if err := h.Once(t.Context(), "logout", issuer, "", until, do); err == nil || done != 4 {
		t.Error("what has no name was done")
	}
	h.store.SetFail(func(string) error { return errors.New("down") })
	if err := h.Once(t.Context(), "logout", issuer, "l", until, do); !errors.Is(err, session.ErrStore) || done != 4 {
		t.Errorf("store down = %v, done %d times", err, done)
	}
	if _, err := h.End(t.Context(), issuer, "u-1", "one"); !errors.Is(err, session.ErrStore) {
		t.Errorf("store down = %v", err)
	}
}

// TestWhatFailedMayBeAskedForAgain because a provider that is told so tries again:
// what it asked for must not be lost with its token.
func TestWhatFailedMayBeAskedForAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.sid(t, "u-1", "one")
	end := func() error {
		_, err := h.End(t.Context(), issuer, "u-1", "one")
		return err
	}
	until := h.now.Now().Add(time.Hour)
	for _, fails := range []string{"indexed", "deleteIndexed", "spend"} {
		h.store.SetFail(func(operation string) error {
			if operation == fails {
				return errors.New("down")
			}
			return nil
		})
		if err := h.Once(t.Context(), "logout", issuer, "j", until, end); !errors.Is(err, session.ErrStore) {
			t.Fatalf("%s down = %v", fails, err)
		}
	}
	h.store.SetFail(nil)
	if err := h.Once(t.Context(), "logout", issuer, "j", until, end); err != nil {
		t.Errorf("again = %v", err)
	}
	want(t, h.Manager, id, session.ErrNone)
	if err := h.Once(t.Context(), "logout", issuer, "j", until, end); !errors.Is(err, session.ErrUsed) {
		t.Errorf("after it was done = %v", err)
	}
}
