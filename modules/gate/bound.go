package gate

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/session"
)

const (
	// boundFor is how long a CRM session that nobody uses is remembered. One
	// that was forgotten is nobody's, and its user signs in to the CRM anew.
	boundFor = 30 * 24 * time.Hour
	// boundRefresh is how often that is put off for one in use.
	boundRefresh = 24 * time.Hour
	// boundCache bounds how many are known without asking the store.
	boundCache = 100_000
	// idleSlack is how late the use of a session is written at most.
	idleSlack = time.Minute + session.Staleness
)

// whose says to whom a CRM session belongs, seen from one caller.
type whose int

const (
	// nobodys was not given out through this gateway.
	nobodys whose = iota
	// theirs is somebody else's, or another live gateway session's.
	theirs
	// ours is the caller's.
	ours
)

// binder knows whose the CRM's own sessions are. Common requests ask the store
// once in session.Staleness.
type binder struct {
	store  session.Binder
	loader session.Store
	key    [32]byte
	idle   time.Duration
	now    func() time.Time

	mu    sync.Mutex
	known map[[32]byte]knownBound
}

type knownBound struct {
	session session.Key
	asked   time.Time
}

// caller is who presents a CRM session or gets one.
type caller struct {
	session session.Key
	owner   string
}

// newBinder returns nil where the profile doesn't say how the CRM knows its
// sessions. idle is how long a gateway session goes on unused.
func newBinder(h *Handler, store session.Store, ring *keys.Ring, idle time.Duration) (*binder, error) {
	if len(h.profile.Sessions()) == 0 {
		return nil, nil //nolint:nilnil // nothing to bind
	}
	b, ok := store.(session.Binder)
	if !ok {
		return nil, fmt.Errorf("the profile %s says how the CRM knows its sessions, and the session store %T can't remember whose they are: "+
			"use the store sqlite or postgres, or a profile without `sessions`", h.profile.Name, store)
	}
	return &binder{
		store: b, loader: store, key: ring.Derive("crm session"), now: time.Now,
		idle: idle, known: make(map[[32]byte]knownBound),
	}, nil
}

// id hashes a CRM session's id: neither the store nor a thief of it learns one.
func (b *binder) id(profileName string, s *profile.CRMSession, value string) (id [32]byte) {
	mac := hmac.New(sha256.New, b.key[:])
	fmt.Fprintf(mac, "%s\n%s%s\n%s", profileName, s.Cookie, s.Header, value) // never fails
	mac.Sum(id[:0])
	return id
}

// whose answers for a CRM session that a caller presents. One of the same
// employee whose gateway session has ended (they signed in anew) becomes theirs.
func (b *binder) whose(ctx context.Context, id [32]byte, c caller) (whose, error) {
	now := b.now()
	if b.knows(id, c, now) {
		return ours, nil
	}
	found, err := b.store.LoadBound(ctx, id)
	if errors.Is(err, session.ErrNone) {
		return nobodys, nil
	}
	if err != nil {
		return nobodys, err
	}
	if found.Session != c.session {
		if found.Owner != c.owner {
			return theirs, nil
		}
		alive, err := b.alive(ctx, found.Session, now)
		if err != nil || alive {
			return theirs, err
		}
		return ours, b.bind(ctx, id, c)
	}
	if found.Until.Sub(now) < boundFor-boundRefresh {
		return ours, b.bind(ctx, id, c)
	}
	b.remember(id, c, now)
	return ours, nil
}

// alive reports whether a gateway session still goes on.
func (b *binder) alive(ctx context.Context, key session.Key, now time.Time) (bool, error) {
	rec, err := b.loader.Load(ctx, key)
	if errors.Is(err, session.ErrNone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return now.Before(rec.Expires) && now.Sub(rec.Touched) < b.idle+idleSlack, nil
}

// bind makes a CRM session the caller's.
func (b *binder) bind(ctx context.Context, id [32]byte, c caller) error {
	now := b.now()
	if b.knows(id, c, now) {
		return nil
	}
	err := b.store.Bind(ctx, session.Bound{ID: id, Session: c.session, Owner: c.owner, Until: time.Unix(now.Add(boundFor).Unix(), 0)})
	if err == nil {
		b.remember(id, c, now)
	}
	return err
}

func (b *binder) knows(id [32]byte, c caller, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	k, ok := b.known[id]
	age := now.Sub(k.asked)
	return ok && k.session == c.session && age >= 0 && age < session.Staleness
}

func (b *binder) remember(id [32]byte, c caller, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.known) >= boundCache {
		for other := range b.known {
			delete(b.known, other)
			break
		}
	}
	b.known[id] = knownBound{c.session, now}
}

func (b *binder) sweep(ctx context.Context) error {
	if b == nil {
		return nil
	}
	now := b.now()
	b.mu.Lock()
	for id, k := range b.known {
		if now.Sub(k.asked) >= session.Staleness {
			delete(b.known, id)
		}
	}
	b.mu.Unlock()
	_, err := b.store.SweepBound(ctx, now)
	return err
}
