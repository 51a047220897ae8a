package session

import (
	"context"
	"errors"
	"slices"
	"time"
)

// ErrRoles is a session that goes on with other roles than before.
var ErrRoles = errors.New("the roles have changed")

// Watch returns when a session has ended (ErrNone, ErrExpired), when its person
// has other roles than in s (ErrRoles), when neither can be known any more
// (ErrStore), or when ctx ends. It takes at most Staleness, and no time for what
// happens on this node. It is for what outlives the judging of a request: sockets
// and streams. Watching doesn't count as use.
func (m *Manager) Watch(ctx context.Context, s Session) error {
	for {
		changed := m.known.changes()
		now, err := m.recheck(ctx, s.Key)
		switch {
		case err != nil:
			return err
		case !slices.Equal(now.Identity.Roles, s.Identity.Roles):
			return ErrRoles
		}
		timer := time.NewTimer(Staleness / 2)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-changed:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// recheck is Peek by what is known for less than half of Staleness: a watcher
// looks twice in that time. A store that fails is forgiven as long as what is
// known is within Staleness.
func (m *Manager) recheck(ctx context.Context, key Key) (Session, error) {
	now := m.cfg.Now()
	e, epoch := m.known.get(key)
	if e != nil && m.ended(e, now) {
		return Session{}, ErrExpired
	}
	if e != nil && !e.olderThan(Staleness/2, now) {
		return e.session, nil
	}
	s, err := m.load(ctx, key, false, epoch)
	if errors.Is(err, ErrStore) && e != nil && !e.olderThan(Staleness, m.cfg.Now()) {
		return e.session, nil
	}
	return s, err
}
