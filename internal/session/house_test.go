package session_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/internal/session/storetest"
)

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
	h.cfg = session.Config{Store: h.store, Sealer: newBox(t), Now: h.now.Now, Realm: "here"}
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
