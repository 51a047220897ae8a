package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// renewFor bounds one question to the provider.
	renewFor = 20 * time.Second
	// leaseFor is how long one node alone may use a session's refresh token. It
	// is far longer than renewFor: a token that rotates is never sent twice, and
	// what the provider answered can be written late. An attempt that failed
	// keeps its lease, which is the pause before the next one, on all nodes.
	leaseFor = 60 * time.Second
	// writeFor is how long a renewed session is tried to be written.
	writeFor = 30 * time.Second
	// writeEvery is the pause between such tries.
	writeEvery = 250 * time.Millisecond
	// renewAhead is how long before their end at most tokens are renewed; short
	// lived ones after three quarters of their time.
	renewAhead = time.Minute
	// renewAtLeast is how old tokens get at most, however long they hold: what
	// the provider says of a person is never older than this.
	renewAtLeast = time.Hour
	// renewAtMost is how young tokens are renewed at all.
	renewAtMost = 5 * time.Second
	// renewPause is how long nothing is renewed after the provider failed.
	renewPause = 10 * time.Second
	// renewers is how many sessions are renewed at a time.
	renewers = 8
)

// Renewer asks the identity provider for a person's new tokens.
type Renewer interface {
	// Renew returns the identity that the provider now gives for the refresh
	// token in old: roles, factor and names are replaced by it. What it leaves
	// empty of tokens and session at the provider stays as it was. A *Final ends
	// the session; any other error leaves it alone until the next try, and of the
	// identity returned then nothing counts but a newer refresh token, without
	// which there would be no next try.
	Renew(ctx context.Context, old Identity) (Identity, error)
}

// Final is an answer to a renewal that ends the session.
type Final struct {
	// Code is a closed word for the log.
	Code string
	// Grant says that the provider doesn't take the refresh token any more.
	// It ends the session only if that is still the stored one.
	Grant bool
	Err   error
}

// Error names the code.
func (f *Final) Error() string { return fmt.Sprintf("renewal refused (%s): %v", f.Code, f.Err) }

// Unwrap returns the cause.
func (f *Final) Unwrap() error { return f.Err }

// NoticeKind says what the Manager did by itself.
type NoticeKind int

// The kinds of a Notice.
const (
	// OverLimit is a session that a newer one of the same person ended.
	OverLimit NoticeKind = iota + 1
	// RenewFailed is a session that goes on with what it has: its tokens could
	// not be renewed. It is told once until it works again.
	RenewFailed
	// RenewRefused is a session that the provider's answer ended.
	RenewRefused
)

// Notice is what the Manager did by itself.
type Notice struct {
	Kind NoticeKind
	// Session is the one concerned. For OverLimit it has no more than its key
	// and whose it was.
	Session Session
	// Code is the closed word of a renewal that failed or was refused.
	Code string
	Err  error
}

// renewal is the state of renewing on this node.
type renewal struct {
	// until is when the pause ends that follows a fault, in unix nanoseconds.
	until atomic.Int64
}

// due is when the tokens are to be renewed: never without a refresh token.
func (s *sealed) due() time.Time {
	if s.Identity.RefreshToken == "" {
		return time.Time{}
	}
	latest := s.Issued.Add(renewAtLeast)
	if s.Identity.Expiry.IsZero() {
		return latest
	}
	lasts := s.Identity.Expiry.Sub(s.Issued)
	at := s.Identity.Expiry.Add(-min(renewAhead, lasts/4))
	if earliest := s.Issued.Add(renewAtMost); at.Before(earliest) {
		at = earliest
	}
	if at.After(latest) {
		return latest
	}
	return at
}

// Renew renews the tokens of the sessions that are in use here and whose tokens
// are about to expire, and returns when that is done. What isn't taken here is
// never in use here, so r gets no other realm's refresh token. It is called every
// few seconds, off the way of any request. Several nodes may call it at once: a
// session's refresh token is sent by one of them. Where a provider rotates its
// tokens, an answer that was on its way when ctx ended is waited for and written
// all the same.
func (m *Manager) Renew(ctx context.Context, r Renewer) {
	now := m.cfg.Now()
	if now.UnixNano() < m.renewal.until.Load() {
		return
	}
	var all errgroup.Group
	all.SetLimit(renewers)
	for _, key := range m.known.due(now, m.cfg.Idle) {
		// After a fault the others wait: the provider may be down, and each would
		// take its whole time.
		if ctx.Err() != nil || now.UnixNano() < m.renewal.until.Load() {
			break
		}
		all.Go(func() error {
			m.renew(context.WithoutCancel(ctx), key, r)
			return nil
		})
	}
	_ = all.Wait() // each session's error was told
}

// renew renews one session.
func (m *Manager) renew(ctx context.Context, key Key, r Renewer) {
	known, _ := m.known.get(key)
	if known == nil {
		return // it has ended meanwhile
	}
	if m.cfg.Now().Before(known.session.due) {
		return // another round was quicker
	}
	asking, cancel := context.WithTimeout(ctx, loadFor)
	defer cancel()
	rec, err := m.cfg.Store.Lease(asking, key, known.session.version, leaseFor)
	switch {
	case errors.Is(err, ErrRewritten): // another node was quicker
		if rec, err = m.cfg.Store.Load(asking, key); err == nil {
			m.adopt(rec)
		}
		return
	case errors.Is(err, ErrNone):
		m.known.revoke(key)
		return
	case errors.Is(err, ErrLeased):
		m.known.postpone(key, m.cfg.Now().Add(Staleness))
		return
	case err != nil:
		m.pause()
		return
	}
	old, err := m.unseal(rec)
	if err != nil {
		m.known.revoke(key)
		return
	}
	asking, cancel = context.WithTimeout(ctx, renewFor)
	defer cancel()
	id, err := r.Renew(asking, old.Identity)
	if err == nil {
		err = samePerson(old.Identity, id)
	}
	if err != nil {
		m.notRenewed(ctx, rec, old, id.RefreshToken, err)
		return
	}
	if err := m.rewrite(ctx, rec, sealed{Identity: id.orElse(old.Identity), From: old.From, Issued: m.now(), Realm: old.Realm}); err != nil {
		m.goesOn(ctx, rec, "store", err)
	}
}

// samePerson refuses the tokens of somebody else.
func samePerson(old, id Identity) error {
	if id.Issuer != old.Issuer || id.Subject != old.Subject {
		return &Final{Code: "other_subject", Err: errors.New("the provider answered with another person's tokens")}
	}
	return nil
}

// notRenewed ends the session if the answer was final, and leaves it alone if it
// was not. newer is the refresh token that the provider may have given before
// something failed.
func (m *Manager) notRenewed(ctx context.Context, rec Record, old sealed, newer string, err error) {
	var final *Final
	if !errors.As(err, &final) {
		m.pause()
		if newer != "" && newer != old.Identity.RefreshToken {
			old.Identity.RefreshToken = newer
			err = errors.Join(err, m.rewrite(ctx, rec, old))
		}
		m.goesOn(ctx, rec, "provider", err)
		return
	}
	s, _, openErr := m.open(rec)
	if openErr != nil {
		return
	}
	asking, cancel := context.WithTimeout(ctx, loadFor)
	defer cancel()
	if final.Grant {
		// Somebody else may have renewed the session since (a lease that lapsed):
		// then it was a used token that the provider refused, and a newer one is
		// stored.
		ended, err := m.cfg.Store.DeleteVersion(asking, rec.Key, rec.Version)
		if err != nil {
			m.goesOn(ctx, rec, "store", err)
			return
		}
		if !ended {
			m.known.revoke(rec.Key) // what is stored is asked for
			return
		}
	} else if err := m.cfg.Store.Delete(asking, rec.Key); err != nil {
		// It has to end: what is known is forgotten, and the next try ends it.
		m.known.revoke(rec.Key)
		m.notify(ctx, Notice{Kind: RenewFailed, Session: s, Code: "store", Err: err})
		return
	}
	m.known.revoke(rec.Key)
	m.notify(ctx, Notice{Kind: RenewRefused, Session: s, Code: final.Code, Err: final})
}

// goesOn tells of a session that could not be renewed, once until it can.
func (m *Manager) goesOn(ctx context.Context, rec Record, code string, err error) {
	m.known.postpone(rec.Key, m.cfg.Now().Add(leaseFor))
	if !m.known.failed(rec.Key) {
		return
	}
	if s, _, openErr := m.open(rec); openErr == nil {
		m.notify(ctx, Notice{Kind: RenewFailed, Session: s, Code: code, Err: err})
	}
}

func (m *Manager) pause() { m.renewal.until.Store(m.cfg.Now().Add(renewPause).UnixNano()) }

// rewrite stores a renewed session and puts it into force here. The refresh
// token that it holds may be the only one that still works, so a store that is
// away is tried again.
func (m *Manager) rewrite(ctx context.Context, rec Record, s sealed) error {
	blob, err := m.seal(rec.Key, s)
	if err != nil {
		return err
	}
	rec.Sealed, rec.SID = blob, index("sid", s.Identity.Issuer, s.Identity.SID)
	ctx, cancel := context.WithTimeout(ctx, writeFor)
	defer cancel()
	for {
		err = m.cfg.Store.Rewrite(ctx, rec)
		switch {
		case err == nil:
			rec.Version++
			m.adopt(rec)
			return nil
		case errors.Is(err, ErrNone), errors.Is(err, ErrRewritten):
			m.known.revoke(rec.Key) // revoked meanwhile, or renewed by another node
			return nil
		}
		timer := time.NewTimer(writeEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("writing a renewed session: %w", err)
		}
	}
}

// adopt puts what is stored into force on this node.
func (m *Manager) adopt(rec Record) {
	s, _, err := m.openHere(rec)
	if err != nil {
		m.known.revoke(rec.Key)
		return
	}
	e := &entry{session: s, asked: m.cfg.Now()}
	e.use(rec.Touched)
	m.known.replace(rec.Key, e)
}

// orElse fills in what a renewal may leave out.
func (id Identity) orElse(old Identity) Identity {
	id.RefreshToken = cmp.Or(id.RefreshToken, old.RefreshToken)
	id.IDToken = cmp.Or(id.IDToken, old.IDToken)
	id.AccessToken = cmp.Or(id.AccessToken, old.AccessToken)
	id.SID = cmp.Or(id.SID, old.SID)
	if id.AuthTime.IsZero() {
		id.AuthTime = old.AuthTime
	}
	return id
}
