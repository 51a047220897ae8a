package session

import (
	"context"
	"time"
)

// Listed is one of a person's sessions, as they recognise it.
type Listed struct {
	// Ref names the session here and in RevokeRef (see Session.Ref).
	Ref string
	// Current marks the session from which the list is looked at.
	Current bool
	Created time.Time
	// Used is the last use, up to a minute and Staleness late for what another
	// node saw.
	Used    time.Time
	Expires time.Time
	From    Origin
}

// Origin is where somebody signed in from.
type Origin struct {
	// IP is the address of the browser.
	IP string `json:"ip,omitempty"`
	// Agent names browser and system in words of our own: see AgentLabel.
	Agent string `json:"agent,omitempty"`
}

// List returns the sessions of a person that haven't ended, the newest first.
// current is the Ref of the one that is looked from, "" for none. It asks the
// store. Errors: ErrStore.
func (m *Manager) List(ctx context.Context, issuer, subject, current string) ([]Listed, error) {
	records, err := m.ofPerson(ctx, issuer, subject)
	if err != nil {
		return nil, err
	}
	now := m.cfg.Now()
	var list []Listed
	for _, rec := range records {
		s, _, err := m.open(rec)
		if err != nil {
			continue // nobody can use it either
		}
		e := &entry{session: s}
		e.use(rec.Touched)
		if known, _ := m.known.get(rec.Key); known != nil {
			e.use(known.lastUse())
		}
		if m.ended(e, now) {
			continue
		}
		list = append(list, Listed{
			Ref: s.Ref(), Current: s.Ref() == current, Created: s.Created, Used: e.lastUse(), Expires: s.Expires, From: s.From,
		})
	}
	return list, nil
}

// RevokeRef ends the session of that Ref if it is one of this person's: here at
// once, elsewhere within Staleness. It reports whether there was one. Errors:
// ErrStore.
func (m *Manager) RevokeRef(ctx context.Context, issuer, subject, ref string) (bool, error) {
	records, err := m.ofPerson(ctx, issuer, subject)
	if err != nil {
		return false, err
	}
	for _, rec := range records {
		if (Session{Key: rec.Key}).Ref() != ref {
			continue
		}
		if err := m.cfg.Store.Delete(ctx, rec.Key); err != nil {
			return false, storeError(ctx, "revoking a session", err)
		}
		m.known.revoke(rec.Key)
		return true, nil
	}
	return false, nil
}

func (m *Manager) ofPerson(ctx context.Context, issuer, subject string) ([]Record, error) {
	person := index("sub", issuer, subject)
	if person == "" {
		return nil, nil
	}
	return m.indexed(ctx, person)
}
