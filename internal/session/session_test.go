package session_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
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
	"github.com/crmgate/crmgate/internal/session/storetest"
)

// An oidc.Identity has to stay convertible to a session.Identity.
var _ = session.Identity(oidc.Identity{})

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type box struct{ aead cipher.AEAD }

func newBox(t testing.TB) box {
	t.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return box{aead}
}

func (b box) Seal(purpose string, plaintext, aad []byte) ([]byte, error) {
	return b.aead.Seal(nil, nil, plaintext, append([]byte(purpose+"\x00"), aad...)), nil
}

func (b box) Open(purpose string, sealed, aad []byte) ([]byte, error) {
	return b.aead.Open(nil, nil, sealed, append([]byte(purpose+"\x00"), aad...))
}

// house is a manager over a memory store with a clock to move.
type house struct {
	*session.Manager
	cfg   session.Config
	store *storetest.Memory
	now   *clock
}

func newHouse(t testing.TB) house {
	t.Helper()
	h := house{store: storetest.NewMemory(), now: &clock{t: time.Unix(1_800_000_000, 5000)}}
	h.cfg = session.Config{Store: h.store, Sealer: newBox(t), Now: h.now.Now}
	h.Manager = h.node(t)
	return h
}

// node is another gateway over the same store.
func (h house) node(t testing.TB) *session.Manager {
	t.Helper()
	m, err := session.New(h.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func ada() session.Identity {
	return session.Identity{
		Issuer: "https://login.example.de", Subject: "u-1", Name: "CANARY Name", Email: "canary@example.de", User: "ada",
		Roles: []string{"sales"}, AMR: []string{"pwd", "mfa"}, SID: "sid-1",
		IDToken: "CANARY-ID", RefreshToken: "CANARY-REFRESH", AccessToken: "CANARY-ACCESS", Expiry: time.Unix(1_800_000_300, 0),
	}
}

func (h house) signIn(t testing.TB, replaces ...string) string {
	t.Helper()
	id, _, err := h.Create(context.Background(), session.SignedIn{Identity: ada(), StateID: rand.Text(), Replaces: replaces})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func want(t *testing.T, m *session.Manager, id string, wanted error) {
	t.Helper()
	if _, err := m.Lookup(t.Context(), id); !errors.Is(err, wanted) {
		t.Errorf("Lookup = %v, want %v", err, wanted)
	}
}

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
		if n, err := h.Sweep(t.Context()); err != nil || n != 0 {
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
	h.now.Advance(session.Staleness - time.Millisecond)
	for range 100 {
		want(t, h.Manager, id, nil)
	}
	h.now.Advance(time.Millisecond)
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
	_, sweepErr := h.Sweep(t.Context())
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

func TestSignIn(t *testing.T) {
	t.Parallel()
	t.Run("C14-two-callbacks-one-session", func(t *testing.T) {
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
	})
	t.Run("C15-revoked-session-is-dead-everywhere", func(t *testing.T) {
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
	})
	t.Run("C15-revoked-person-is-out", func(t *testing.T) {
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
	})
	t.Run("C16-sign-in-replaces-what-the-browser-had", func(t *testing.T) {
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
	})
}

// TestRevocationBeatsALoadThatIsUnderWay plays the race by hand: a load has read
// the record, then the session is revoked, then somebody asks who joins the load.
func TestRevocationBeatsALoadThatIsUnderWay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	slow := &slowStore{Memory: h.store, loaded: make(chan struct{}), release: make(chan struct{})}
	h.cfg.Store = slow
	m := h.node(t)
	id := h.signIn(t)
	slow.arm()
	first := make(chan error, 1)
	go func() {
		_, err := m.Lookup(t.Context(), id)
		first <- err
	}()
	<-slow.loaded
	if err := m.Revoke(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	second := make(chan error, 1)
	go func() {
		_, err := m.Lookup(t.Context(), id)
		second <- err
	}()
	close(slow.release)
	if err := <-second; !errors.Is(err, session.ErrNone) {
		t.Errorf("a request after the revocation: %v, want ErrNone", err)
	}
	<-first // raced it: either answer is right
	want(t, m, id, session.ErrNone)
}

// slowStore holds the next Load back after it has read.
type slowStore struct {
	*storetest.Memory
	mu              sync.Mutex
	armed           bool
	loaded, release chan struct{}
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
		close(s.loaded)
		<-s.release
	}
	return rec, err
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
	if n, err := h.Sweep(t.Context()); n != 1 || err != nil {
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
