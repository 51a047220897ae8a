package factor

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// State is what a person has enrolled, for pages.
type State struct {
	// Enrolled says that there is a factor at all.
	Enrolled bool
	// TOTP is since when an app is enrolled; zero is none.
	TOTP     time.Time
	Passkeys []Listed
	// Recovery is how many recovery codes are left.
	Recovery int
	// Until is when the next code is looked at; zero is now.
	Until time.Time
}

// Listed is a passkey on a page.
type Listed struct {
	Ref, Name string
	Since     time.Time
}

// State returns what a person has enrolled. Errors: ErrStore.
func (m *Manager) State(ctx context.Context, p Person) (State, error) {
	_, e, err := m.load(ctx, p.index())
	if err != nil || e == nil {
		return State{}, err
	}
	return m.state(e), nil
}

func (m *Manager) state(e *enrolled) State {
	s := State{Enrolled: e.factors() > 0}
	if e.TOTP != nil && m.cfg.TOTP {
		s.TOTP = e.TOTP.Since
	}
	if m.cfg.Recovery {
		s.Recovery = len(e.Recovery)
	}
	if m.cfg.Passkey {
		for i := range e.Passkeys {
			s.Passkeys = append(s.Passkeys, Listed{Ref: e.Passkeys[i].ref(), Name: e.Passkeys[i].Name, Since: e.Passkeys[i].Since})
		}
	}
	if m.now().Before(e.Until) {
		s.Until = e.Until
	}
	return s
}

// RemoveTOTP is the name by which Remove knows the authenticator app.
const RemoveTOTP = "totp"

// Remove takes a factor away: RemoveTOTP, or a passkey by its Ref. Errors:
// ErrLast, ErrNotEnrolled, ErrStore.
func (m *Manager) Remove(ctx context.Context, p Person, ref string) error {
	return m.change(ctx, p, func(e *enrolled) (error, error) {
		if e.factors() == 1 {
			return nil, ErrLast
		}
		if ref == RemoveTOTP && e.TOTP != nil {
			e.TOTP = nil
			return nil, nil
		}
		i := slices.IndexFunc(e.Passkeys, func(k passkey) bool { return k.ref() == ref })
		if i < 0 {
			return nil, ErrNotEnrolled
		}
		e.Passkeys = slices.Delete(e.Passkeys, i, i+1)
		return nil, nil
	})
}

// Each calls f for everybody who has a factor. Errors: ErrStore.
func (m *Manager) Each(ctx context.Context, f func(p Person, s State)) error {
	for after := ""; ; {
		list, err := m.cfg.Store.Factors(ctx, after)
		if err != nil {
			return storeError("listing factors", err)
		}
		for _, rec := range list {
			after = rec.Index
			var e enrolled
			if err := m.unseal(rec, &e); err != nil {
				return err
			}
			f(e.Person, m.state(&e))
		}
		if len(list) < FactorsLimit {
			return nil
		}
	}
}

// Reset takes all factors of a person away, and reports whether there were any.
// They enrol anew with an invitation. Errors: ErrStore.
func (m *Manager) Reset(ctx context.Context, p Person) (bool, error) {
	gone, err := m.cfg.Store.DeleteFactor(ctx, p.index(), 0)
	if err != nil {
		return false, storeError("resetting a factor", err)
	}
	return gone, nil
}

// Sweep forgets invitations that are over.
func (m *Manager) Sweep(ctx context.Context) error {
	if err := m.cfg.Store.SweepFactors(ctx, m.now()); err != nil {
		return fmt.Errorf("sweeping invitations: %w", err)
	}
	return nil
}
