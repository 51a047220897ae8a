package session

import (
	"context"
	"errors"
	"time"
)

// Once does what may happen once, until it can't come back: what a provider's
// logout token asks for. The second time is ErrUsed, on every node. What failed, or
// was under way when the process ended, may be asked for again, so do has to bear
// being done twice. kind and name are hashed, so that they can't meet a sign-in's.
func (m *Manager) Once(ctx context.Context, kind, issuer, name string, until time.Time, do func() error) error {
	id := index("once "+kind, issuer, name)
	if id == "" {
		return errors.New("doing something once: it has no name")
	}
	used, err := m.cfg.Store.IsSpent(ctx, id)
	if err != nil {
		return storeError(ctx, "looking whether there was "+kind, err)
	}
	if used {
		return ErrUsed
	}
	if err := do(); err != nil {
		return err
	}
	if err := m.cfg.Store.Spend(ctx, Spent{ID: id, Until: until}); err != nil && !errors.Is(err, ErrUsed) {
		return storeError(ctx, "spending "+kind, err)
	}
	return nil
}

// End ends what a provider says has ended, here at once and elsewhere within
// Staleness, and returns the sessions it was, as far as they can be read: the
// sessions that hang on the provider's session sid, or without one all of the
// person's. With both, sessions of the person of which no sid is known go too:
// they may hang on it.
func (m *Manager) End(ctx context.Context, issuer, subject, sid string) ([]Session, error) {
	all := index("sid", issuer, sid)
	var unsure []Record
	if person := index("sub", issuer, subject); all == "" {
		all = person
	} else if person != "" {
		theirs, err := m.indexed(ctx, person)
		if err != nil {
			return nil, err
		}
		for _, rec := range theirs {
			if rec.SID == "" {
				unsure = append(unsure, rec)
			}
		}
	}
	if all == "" {
		return nil, nil
	}
	named, err := m.indexed(ctx, all)
	if err != nil {
		return nil, err
	}
	if _, err := m.revokeIndexed(ctx, all); err != nil {
		return nil, err
	}
	for _, rec := range unsure {
		if err := m.cfg.Store.Delete(ctx, rec.Key); err != nil {
			return nil, storeError(ctx, "revoking a session", err)
		}
		m.known.revoke(rec.Key)
	}
	var ended []Session
	for _, rec := range append(named, unsure...) {
		if s, _, err := m.open(rec); err == nil {
			ended = append(ended, s)
		}
	}
	return ended, nil
}

func (m *Manager) indexed(ctx context.Context, index string) ([]Record, error) {
	list, err := m.cfg.Store.Indexed(ctx, index)
	if err != nil {
		return nil, storeError(ctx, "finding sessions", err)
	}
	return list, nil
}

// Active is how many sessions this node has seen lately that haven't ended, as
// far as it knows.
func (m *Manager) Active() int { return m.known.active(m.cfg.Now(), m.ended) }

// active counts the entries that haven't ended.
func (c *cache) active(now time.Time, ended func(*entry, time.Time) bool) int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	n := 0
	for _, e := range c.entries {
		if !ended(e, now) {
			n++
		}
	}
	return n
}
