package session_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/internal/session/storetest"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	t.Run("C14-two-callbacks-one-session", twoCallbacks)
	t.Run("C15-revoked-session-is-dead-everywhere", revokedEverywhere)
	t.Run("C15-revoked-person-is-out", revokedPerson)
	t.Run("C16-sign-in-replaces-what-the-browser-had", replacesSessions)
	t.Run("C17-stale-claims-decide", staleClaims)
	t.Run("C28-sockets-outlive-the-session", socketsEnd)
}

func twoCallbacks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var ids []string
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			id, _, err := h.Create(t.Context(), session.SignedIn{Identity: ada(), StateID: "one"})
			if err != nil && !errors.Is(err, session.ErrUsed) {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				ids = append(ids, id)
			} else if id != "" {
				t.Error("a refused callback got an id")
			}
		})
	}
	all.Wait()
	if len(ids) != 1 || len(h.store.Records()) != 1 {
		t.Errorf("8 callbacks made %d sessions", len(ids))
	}
}

func revokedEverywhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id, other := h.signIn(t), h.node(t)
	want(t, h.Manager, id, nil)
	want(t, other, id, nil)
	if err := h.Revoke(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	want(t, h.Manager, id, session.ErrNone)
	h.now.Advance(session.Staleness)
	want(t, other, id, session.ErrNone)
	if _, err := h.Tokens(t.Context(), id); !errors.Is(err, session.ErrNone) {
		t.Errorf("Tokens = %v", err)
	}
}

func revokedPerson(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first, second := h.signIn(t), h.signIn(t)
	want(t, h.Manager, first, nil)
	if n, err := h.RevokeSubject(t.Context(), "https://other.example", "u-1"); n != 0 || err != nil {
		t.Errorf("another issuer's person: %d, %v", n, err)
	}
	if n, err := h.RevokeSubject(t.Context(), "https://login.example.de", "u-1"); n != 2 || err != nil {
		t.Errorf("RevokeSubject = %d, %v", n, err)
	}
	want(t, h.Manager, first, session.ErrNone)
	want(t, h.Manager, second, session.ErrNone)
	third := h.signIn(t)
	if n, err := h.RevokeSID(t.Context(), "https://login.example.de", "sid-1"); n != 1 || err != nil {
		t.Errorf("RevokeSID = %d, %v", n, err)
	}
	want(t, h.Manager, third, session.ErrNone)
	if n, err := h.RevokeSID(t.Context(), "https://login.example.de", ""); n != 0 || err != nil {
		t.Errorf("no sid revoked %d sessions, %v", n, err)
	}
}

func replacesSessions(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	old := h.signIn(t)
	want(t, h.Manager, old, nil)
	planted := strings.Repeat("A", 43)
	id := h.signIn(t, "junk", planted, old)
	if id == old || id == planted {
		t.Error("a sign-in kept an id that the browser had")
	}
	want(t, h.Manager, old, session.ErrNone)
	want(t, h.Manager, planted, session.ErrNone)
	want(t, h.Manager, id, nil)
}

// TestRevocationBeatsALoadThatIsUnderWay plays the race by hand: a load has read
// the record, then the session is revoked, then somebody asks who joins the load.
func TestRevocationBeatsALoadThatIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		slow := newSlowStore(h.store)
		h.cfg.Store = slow
		m, id := h.node(t), h.signIn(t)
		slow.arm()
		first := lookup(t, m, id)
		synctest.Wait()
		if err := m.Revoke(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		second := lookup(t, m, id)
		synctest.Wait()
		close(slow.release)
		if err := <-second; !errors.Is(err, session.ErrNone) {
			t.Errorf("a request after the revocation: %v, want ErrNone", err)
		}
		<-first // raced it: either answer is right
		want(t, m, id, session.ErrNone)
	})
}

func TestUseThatJoinsAPollIsWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		slow := newSlowStore(h.store)
		h.cfg.Store = slow
		m, id := h.node(t), h.signIn(t)
		h.now.Advance(10 * time.Minute)
		slow.arm()
		polled := make(chan error, 1)
		go func() {
			_, err := m.Peek(t.Context(), id)
			polled <- err
		}()
		synctest.Wait()
		used := lookup(t, m, id)
		synctest.Wait()
		close(slow.release)
		if err := errors.Join(<-polled, <-used); err != nil {
			t.Fatal(err)
		}
		if n := h.store.Count("touch"); n != 1 {
			t.Errorf("the use was written %d times", n)
		}
	})
}

// lookup asks in the background.
func lookup(t *testing.T, m *session.Manager, id string) <-chan error {
	t.Helper()
	answer := make(chan error, 1)
	go func() {
		_, err := m.Lookup(t.Context(), id)
		answer <- err
	}()
	return answer
}

// slowStore holds the next Load back after it has read.
type slowStore struct {
	*storetest.Memory
	mu      sync.Mutex
	armed   bool
	release chan struct{}
}

func newSlowStore(m *storetest.Memory) *slowStore {
	return &slowStore{Memory: m, release: make(chan struct{})}
}

func (s *slowStore) arm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = true
}

func (s *slowStore) Load(ctx context.Context, key session.Key) (session.Record, error) {
	rec, err := s.Memory.Load(ctx, key)
	s.mu.Lock()
	armed := s.armed
	s.armed = false
	s.mu.Unlock()
	if armed {
		<-s.release
	}
	return rec, err
}
