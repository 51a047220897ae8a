package factor

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Permit is why somebody may enrol a factor.
type Permit struct {
	// Proven says that they have just proven a factor that they have.
	Proven bool
	// Invitation is the administrator's code for the first one. It is used up.
	Invitation string
	// Open says that the administrator lets everybody enrol a first factor who
	// can sign in at the provider.
	Open bool
}

// first reports whether the permit is for a first factor, and for nothing else.
func (p Permit) first() bool { return !p.Proven }

// invitation is what a record's blob holds.
type invitation struct {
	Hash  []byte    `json:"hash"`
	Until time.Time `json:"until"`
}

// Invite makes an enrolment code for somebody, by what the provider calls them:
// subject, login or verified e-mail address. It replaces the one before. Nobody
// else can use it. Errors: ErrStore.
func (m *Manager) Invite(ctx context.Context, issuer, name string, lasting time.Duration) (code string, until time.Time, err error) {
	if name = fold(name); name == "" {
		return "", until, errors.New("an invitation needs the name of an employee")
	}
	index := indexOf("invitation", issuer, name)
	until = m.now().Add(lasting).Truncate(time.Second)
	for range attempts {
		rec, err := m.cfg.Store.LoadFactor(ctx, index)
		if err != nil && !errors.Is(err, ErrNone) {
			return "", until, storeError("loading an invitation", err)
		}
		code = newCode()
		rec.Index, rec.Expires = index, until
		if rec.Sealed, err = m.seal(index, invitation{Hash: m.hash("invitation", index, tidy(code)), Until: until}); err != nil {
			return "", until, err
		}
		err = m.cfg.Store.WriteFactor(ctx, rec)
		if errors.Is(err, ErrRewritten) {
			continue
		}
		if err != nil {
			return "", until, storeError("writing an invitation", err)
		}
		return code, until, nil
	}
	return "", until, fmt.Errorf("%w: too many changes at a time", ErrStore)
}

// CheckInvitation reports whether an enrolment code is somebody's, and uses
// nothing up. names are what the provider calls them. Errors: ErrInvitation,
// ErrStore.
func (m *Manager) CheckInvitation(ctx context.Context, p Person, code string) error {
	_, err := m.invitation(ctx, p, code)
	return err
}

func (m *Manager) invitation(ctx context.Context, p Person, code string) (Record, error) {
	code = tidy(code)
	for _, name := range []string{p.Subject, p.User, p.Email} {
		if name = fold(name); name == "" {
			continue
		}
		index := indexOf("invitation", p.Issuer, name)
		rec, err := m.cfg.Store.LoadFactor(ctx, index)
		if errors.Is(err, ErrNone) {
			continue
		}
		if err != nil {
			return Record{}, storeError("loading an invitation", err)
		}
		var inv invitation
		if err := m.unseal(rec, &inv); err != nil {
			return Record{}, err
		}
		if m.now().Before(inv.Until) && subtle.ConstantTimeCompare(inv.Hash, m.hash("invitation", index, code)) == 1 {
			return rec, nil
		}
	}
	return Record{}, ErrInvitation
}

// redeem uses up what an enrolment rests on.
func (m *Manager) redeem(ctx context.Context, p Person, may Permit) error {
	if may.Proven || may.Open {
		return nil
	}
	// Who has a factor already must not use the code up.
	if _, e, err := m.load(ctx, p.index()); err != nil {
		return err
	} else if e != nil && e.factors() > 0 {
		return ErrEnrolled
	}
	rec, err := m.invitation(ctx, p, may.Invitation)
	if err != nil {
		return err
	}
	gone, err := m.cfg.Store.DeleteFactor(ctx, rec.Index, rec.Version)
	if err != nil {
		return storeError("using an invitation up", err)
	}
	if !gone {
		return ErrInvitation
	}
	return nil
}

func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
