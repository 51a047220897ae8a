package session

import (
	"context"
	"time"
)

// Each calls visit with every session that hasn't ended, of whomever, with its
// last use: for administrators. It asks the store. Errors: ErrStore.
func (m *Manager) Each(ctx context.Context, visit func(s Session, used time.Time)) error {
	now := m.cfg.Now()
	err := m.cfg.Store.Each(ctx, func(rec Record) error {
		s, _, err := m.open(rec)
		if err != nil {
			return nil //nolint:nilerr // nobody can use it either
		}
		e := &entry{session: s}
		e.use(rec.Touched)
		if known, _ := m.known.get(rec.Key); known != nil {
			e.use(known.lastUse())
		}
		if !m.ended(e, now) {
			visit(s, e.lastUse())
		}
		return nil
	})
	if err != nil {
		return storeError(ctx, "listing sessions", err)
	}
	return nil
}

// RevokeKey ends the session of a key: here at once, elsewhere within Staleness.
// That there is none is no error. Errors: ErrStore.
func (m *Manager) RevokeKey(ctx context.Context, key Key) error {
	if err := m.cfg.Store.Delete(ctx, key); err != nil {
		return storeError(ctx, "revoking a session", err)
	}
	m.known.revoke(key)
	return nil
}
