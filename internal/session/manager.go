package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	defaultIdle = 30 * time.Minute
	defaultMax  = 10 * time.Hour
	// touchEvery is how often at most the use of a session is written.
	touchEvery = time.Minute
	// stateFor is how long a sign-in's id is kept: longer than any can take.
	stateFor = time.Hour
	// loadFor bounds one question to the store, which many requests may wait for.
	loadFor = 5 * time.Second
)

// Config says how long sessions last and where they are kept.
type Config struct {
	// Idle ends a session that nobody used for so long; default 30 minutes. It
	// is at least two minutes: use is written once a minute at most.
	Idle time.Duration
	// Max ends every session; default 10 hours.
	Max time.Duration
	// PerPerson is how many sessions one person may have; a further one ends the
	// oldest. 0 is no limit.
	PerPerson int
	Store     Store
	Sealer    Sealer
	// Realm names what an Identity means something in: see Realm. A session of
	// another one may be in the same store, and opens nothing here.
	Realm string
	// Takes says whether what a session's person has proven is enough here, and
	// now: it may have been made by another site, or before the configuration
	// changed. issued is when the provider last said all of it: at the sign-in or
	// a renewal. It is asked when a session is loaded; nil takes everybody.
	Takes func(id Identity, issued time.Time) bool
	// Notify is told what the Manager does by itself, for the log; nil is
	// nobody. It is called without locks held.
	Notify func(ctx context.Context, n Notice)
	// Now is the clock; the default is time.Now.
	Now func() time.Time
}

// Manager makes, finds and ends sessions. It is safe for concurrent use.
type Manager struct {
	cfg     Config
	known   cache
	loading singleflight.Group
	renewal renewal
	ready   atomic.Pointer[answer]
}

// Limits are those that hold where a configuration says these: 0 is the default.
func Limits(idle, longest time.Duration) (time.Duration, time.Duration) {
	return cmp.Or(idle, defaultIdle), cmp.Or(longest, defaultMax)
}

// New checks the configuration.
func New(cfg Config) (*Manager, error) {
	cfg.Idle, cfg.Max = Limits(cfg.Idle, cfg.Max)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	switch {
	case cfg.Idle < 2*touchEvery:
		return nil, fmt.Errorf("session idle %s is too short: give at least %s", cfg.Idle, 2*touchEvery)
	case cfg.Max < cfg.Idle:
		return nil, fmt.Errorf("session max %s is shorter than idle %s: give at least as much", cfg.Max, cfg.Idle)
	case cfg.PerPerson < 0:
		return nil, fmt.Errorf("%d sessions per person: give at least one, or leave the limit out", cfg.PerPerson)
	case cfg.Store == nil || cfg.Sealer == nil:
		return nil, errors.New("sessions need a store and keys")
	}
	return &Manager{cfg: cfg}, nil
}

// Idle and Max return the limits in force, for pages.
func (m *Manager) Idle() time.Duration { return m.cfg.Idle }

// Max returns the greatest age of a session.
func (m *Manager) Max() time.Duration { return m.cfg.Max }

// SignedIn is somebody to make a session for.
type SignedIn struct {
	Identity Identity
	// StateID names the sign-in; one session is made for it.
	StateID string
	// Replaces are the session cookies that the browser sent along: whoever
	// planted or copied one gains nothing from this sign-in.
	Replaces []string
	// From is where they signed in.
	From Origin
}

// Create makes a session and returns its id, for the cookie. The id is new
// whatever the browser had, and the sessions it had are gone. Errors: ErrUsed,
// ErrStore.
func (m *Manager) Create(ctx context.Context, in SignedIn) (string, Session, error) {
	if in.StateID == "" || in.Identity.Issuer == "" || in.Identity.Subject == "" {
		return "", Session{}, errors.New("making a session: sign-in, issuer and subject have to be known")
	}
	id := newID()
	key, _ := keyOf(id)
	now := m.now()
	blob, err := m.seal(key, sealed{Identity: in.Identity, From: in.From, Issued: now, Realm: m.cfg.Realm})
	if err != nil {
		return "", Session{}, err
	}
	rec := Record{
		Key: key, Created: now, Touched: now, Expires: now.Add(m.cfg.Max), Sealed: blob, Version: 1,
		Subject: index("sub", in.Identity.Issuer, in.Identity.Subject),
		SID:     index("sid", in.Identity.Issuer, in.Identity.SID),
	}
	var old []Key
	for _, id := range in.Replaces[:min(len(in.Replaces), cookieLimit)] {
		if key, ok := keyOf(id); ok {
			old = append(old, key)
		}
	}
	limit := Limit{Keep: m.cfg.PerPerson, Idle: idleBefore(now, m.cfg.Idle)}
	ended, err := m.cfg.Store.Create(ctx, rec, Spent{ID: in.StateID, Until: now.Add(stateFor)}, limit, old...)
	if errors.Is(err, ErrUsed) {
		return "", Session{}, fmt.Errorf("making a session: %w", ErrUsed)
	}
	if err != nil {
		return "", Session{}, storeError(ctx, "making a session", err)
	}
	m.known.revoke(append(old, ended...)...)
	for _, key := range ended {
		m.notify(ctx, Notice{Kind: OverLimit, Session: Session{Key: key, Identity: Identity{
			Issuer: in.Identity.Issuer, Subject: in.Identity.Subject,
		}}})
	}
	s, _, err := m.open(rec)
	if err != nil {
		return "", Session{}, fmt.Errorf("making a session: %w", err)
	}
	return id, s, nil
}

// idleBefore is the time before which a record was last touched that has ended:
// use is written up to touchEvery and Staleness late.
func idleBefore(now time.Time, idle time.Duration) time.Time {
	return now.Add(-idle - touchEvery - Staleness)
}

func (m *Manager) notify(ctx context.Context, n Notice) {
	if m.cfg.Notify != nil {
		m.cfg.Notify(ctx, n)
	}
}

// Lookup returns the session of an id and counts as its use. Errors: ErrNone,
// ErrExpired, ErrStore.
//
// It asks the store at most once in Staleness. Use is written at most once a
// minute, so another node, or this one after a restart, may find a session idle
// up to a minute and Staleness too early, never too late.
func (m *Manager) Lookup(ctx context.Context, id string) (Session, error) {
	return m.lookup(ctx, id, true)
}

// Peek is Lookup for what must not keep a session alive: polling, live updates.
func (m *Manager) Peek(ctx context.Context, id string) (Session, error) {
	return m.lookup(ctx, id, false)
}

func (m *Manager) lookup(ctx context.Context, id string, use bool) (Session, error) {
	key, ok := keyOf(id)
	if !ok {
		return Session{}, ErrNone
	}
	now := m.cfg.Now()
	e, epoch := m.known.get(key)
	if e == nil || e.stale(now) {
		return m.load(ctx, key, use, epoch)
	}
	if m.ended(e, now) {
		return Session{}, ErrExpired
	}
	if use {
		e.use(now)
	}
	return e.session, nil
}

// ended reports whether a session is past one of its limits.
func (m *Manager) ended(e *entry, now time.Time) bool {
	return !now.Before(e.session.Expires) || now.Sub(e.lastUse()) >= m.cfg.Idle
}

// load asks the store for a session, once for all requests that wait for it. An
// answer that was on its way before a revocation of which this request could
// have known is not taken: the next one is.
func (m *Manager) load(ctx context.Context, key Key, use bool, epoch uint64) (Session, error) {
	flight := string(key[:])
	if use {
		flight += "used"
	}
	for {
		v, err, _ := m.loading.Do(flight, func() (any, error) {
			// Many may wait for this answer: it must not end with the first of them.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadFor)
			defer cancel()
			return m.ask(ctx, key, use)
		})
		if err != nil {
			return Session{}, err
		}
		if e, ok := v.(*entry); ok && e.epoch >= epoch {
			return e.session, nil
		}
	}
}

// ask loads a session from the store and writes its use down where that is due.
func (m *Manager) ask(ctx context.Context, key Key, use bool) (*entry, error) {
	old, epoch := m.known.get(key)
	now := m.cfg.Now()
	rec, err := m.cfg.Store.Load(ctx, key)
	if errors.Is(err, ErrNone) {
		m.known.drop(key)
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("%w: loading a session: %w", ErrStore, err)
	}
	s, _, err := m.openHere(rec)
	if err != nil {
		m.known.drop(key)
		return nil, err
	}
	e := &entry{session: s, asked: now, epoch: epoch}
	e.use(rec.Touched)
	if old != nil {
		e.use(old.lastUse())
	}
	if m.ended(e, now) {
		m.known.drop(key)
		return nil, ErrExpired
	}
	if use {
		e.use(now)
	}
	if err := m.touch(ctx, e, rec.Touched); err != nil {
		return nil, err
	}
	m.known.put(key, e)
	return e, nil
}

// touch writes the last use down, if that is due.
func (m *Manager) touch(ctx context.Context, e *entry, written time.Time) error {
	last := e.lastUse()
	if last.Sub(written) < touchEvery {
		return nil
	}
	err := m.cfg.Store.Touch(ctx, e.session.Key, last)
	if errors.Is(err, ErrNone) {
		m.known.drop(e.session.Key)
		return ErrNone
	}
	if err != nil {
		return fmt.Errorf("%w: noting a session's use: %w", ErrStore, err)
	}
	return nil
}

// Ready asks the store for a session that nobody has, once in a second at most.
// Errors: ErrStore.
func (m *Manager) Ready(ctx context.Context) error {
	_, err, _ := m.loading.Do("ready", func() (any, error) {
		now := m.cfg.Now()
		if at := m.ready.Load(); at != nil && now.Sub(at.asked) < time.Second && !now.Before(at.asked) {
			return nil, at.err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadFor)
		defer cancel()
		_, err := m.cfg.Store.Load(ctx, Key{})
		if errors.Is(err, ErrNone) {
			err = nil
		}
		if err != nil {
			err = storeError(ctx, "asking the store", err)
		}
		m.ready.Store(&answer{asked: now, err: err})
		return nil, err
	})
	return err
}

// answer is whether the store could be used.
type answer struct {
	asked time.Time
	err   error
}

// Tokens returns what the provider issued at sign-in. It always asks the store.
func (m *Manager) Tokens(ctx context.Context, id string) (Tokens, error) {
	key, ok := keyOf(id)
	if !ok {
		return Tokens{}, ErrNone
	}
	rec, err := m.cfg.Store.Load(ctx, key)
	if errors.Is(err, ErrNone) {
		return Tokens{}, ErrNone
	}
	if err != nil {
		return Tokens{}, storeError(ctx, "loading a session", err)
	}
	_, tokens, err := m.openHere(rec)
	return tokens, err
}

// Revoke ends the session of an id: here at once, elsewhere within Staleness.
// That there is none is no error.
func (m *Manager) Revoke(ctx context.Context, id string) error {
	key, ok := keyOf(id)
	if !ok {
		return nil
	}
	if err := m.cfg.Store.Delete(ctx, key); err != nil {
		return storeError(ctx, "revoking a session", err)
	}
	m.known.revoke(key)
	return nil
}

// RevokeSubject ends all sessions of a person and returns how many there were.
func (m *Manager) RevokeSubject(ctx context.Context, issuer, subject string) (int, error) {
	return m.revokeIndexed(ctx, index("sub", issuer, subject))
}

// RevokeSID ends all sessions that hang on one session at the provider.
func (m *Manager) RevokeSID(ctx context.Context, issuer, sid string) (int, error) {
	return m.revokeIndexed(ctx, index("sid", issuer, sid))
}

func (m *Manager) revokeIndexed(ctx context.Context, index string) (int, error) {
	if index == "" {
		return 0, nil
	}
	n, err := m.cfg.Store.DeleteIndexed(ctx, index)
	if err != nil {
		return 0, storeError(ctx, "revoking sessions", err)
	}
	m.known.revokeAll() // which ones they were isn't known here
	return n, nil
}

// Sweep removes what has ended from the store and from memory. The app calls it
// every few minutes; that a session has ended never depends on it. idle is the
// longest Idle of those who share the store: by one's own the sessions of another
// site would end too early.
func (m *Manager) Sweep(ctx context.Context, idle time.Duration) (int, error) {
	now := m.now()
	m.known.sweep(now, m.cfg.Idle)
	n, err := m.cfg.Store.Sweep(ctx, now, idleBefore(now, max(idle, m.cfg.Idle)))
	if err != nil {
		return 0, storeError(ctx, "sweeping sessions", err)
	}
	return n, nil
}

// now returns the time in whole seconds, as records keep it.
func (m *Manager) now() time.Time { return time.Unix(m.cfg.Now().Unix(), 0) }
