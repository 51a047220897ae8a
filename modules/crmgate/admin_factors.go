package crmgate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/factor"
)

// FactorsPath is the route by which an administrator's command lets employees
// enrol a second factor, and resets it.
const FactorsPath = "/crmgate/factors"

// FactorKeeper is a gate that may prove the second factor by itself. Factors is
// nil where it doesn't; issuer is the provider whose people it knows.
type FactorKeeper interface {
	Factors() (m *factor.Manager, issuer string)
}

// How long an enrolment code may be valid.
const (
	InviteFor = 3 * 24 * time.Hour
	inviteMax = 30 * 24 * time.Hour
)

// FactorsAsked is what an administrator's command asks of the running gateway.
type FactorsAsked struct {
	// DataDir is the directory that is meant: another gateway must not take the
	// question for its own.
	DataDir string `json:"data_dir"`
	UID     int    `json:"uid"`
	// Employee is a login, a subject at the provider or a verified e-mail address;
	// for a reset also a pseudonym.
	Employee string `json:"employee"`
	// Reset takes the factors away; otherwise an enrolment code is made, valid for
	// Valid (InviteFor where it is 0).
	Reset bool          `json:"reset,omitempty"`
	Valid time.Duration `json:"valid,omitempty"`
}

// FactorDone is what was done for one identity provider.
type FactorDone struct {
	Issuer string `json:"issuer"`
	// Code is the enrolment code, and Until when it is valid.
	Code  string    `json:"code,omitempty"`
	Until time.Time `json:"until,omitzero"`
	// Employee is the pseudonym of whose factors were reset, Ended how many of
	// their sessions ended with them.
	Employee string `json:"employee,omitempty"`
	Ended    int    `json:"ended,omitempty"`
}

func (a *FactorsAsked) check() error {
	switch {
	case strings.TrimSpace(a.Employee) == "" || len(a.Employee) > maxRecord:
		return errors.New("name one employee")
	case a.Valid < 0 || a.Valid > inviteMax:
		return fmt.Errorf("an enrolment code is valid for up to %s", inviteMax)
	case !a.Reset && strings.HasPrefix(a.Employee, "e-") && !strings.Contains(a.Employee, "@"):
		return errors.New("a pseudonym names nobody to the provider: invite by login, e-mail address or subject")
	}
	return nil
}

// adminFactors makes an enrolment code, or resets somebody's factors.
func adminFactors(w http.ResponseWriter, r *http.Request) error {
	var q FactorsAsked
	app, err := readAsked(w, r, &q, &q.DataDir, q.check)
	if err != nil {
		return err
	}
	done, err := app.answerFactors(context.WithoutCancel(r.Context()), &q)
	return sendAnswer(w, "done", done, err)
}

func (a *App) answerFactors(ctx context.Context, asked *FactorsAsked) (done []FactorDone, err error) {
	s, release, err := a.hold()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	keepers := map[string]*factor.Manager{}
	for _, g := range a.gates {
		if k, ok := g.(FactorKeeper); ok {
			if m, issuer := k.Factors(); m != nil {
				keepers[issuer] = m
			}
		}
	}
	if len(keepers) == 0 {
		return nil, errors.New("no gate here proves the second factor by itself: mfa gateway")
	}
	done = []FactorDone{}
	for issuer, m := range keepers {
		var one []FactorDone
		if asked.Reset {
			one, err = a.resetFactors(ctx, s, m, issuer, asked)
		} else {
			one, err = a.invite(ctx, s, m, issuer, asked)
		}
		if err != nil {
			return nil, err
		}
		done = append(done, one...)
	}
	return done, nil
}

// invite writes the invitation down before the code exists: an entry without a
// code does no harm. The name is in it as a keyed hash alone; whose it was is
// told by the enrolment.
func (a *App) invite(ctx context.Context, s *Services, m *factor.Manager, issuer string, asked *FactorsAsked) ([]FactorDone, error) {
	lasting := asked.Valid
	if lasting == 0 {
		lasting = InviteFor
	}
	_, err := s.Log.Append(ctx, &audit.Entry{
		Kind: audit.Control, Event: audit.Invited,
		Detail: fmt.Sprintf("by uid %d, valid for %s, for %s", asked.UID, lasting, s.Log.Keyed("name", strings.ToLower(strings.TrimSpace(asked.Employee)))),
	})
	if err != nil {
		return nil, err
	}
	code, until, err := m.Invite(ctx, issuer, asked.Employee, lasting)
	if err != nil {
		return nil, err
	}
	return []FactorDone{{Issuer: issuer, Code: code, Until: until}}, nil
}

// resetFactors takes somebody's factors away, and ends their sessions: whoever
// has the lost device may have one. A name that several people have is refused.
func (a *App) resetFactors(ctx context.Context, s *Services, m *factor.Manager, issuer string, asked *FactorsAsked) ([]FactorDone, error) {
	found := map[string]factor.Person{}
	same := func(v string) bool { return v != "" && strings.EqualFold(v, strings.TrimSpace(asked.Employee)) }
	err := m.Each(ctx, func(p factor.Person, _ factor.State) {
		pseudonym := s.Log.Employee(p.Issuer, p.Subject)
		if p.Issuer == issuer && (asked.Employee == pseudonym || asked.Employee == p.Subject || same(p.User) || same(p.Email) || same(p.Name)) {
			found[pseudonym] = p
		}
	})
	if err != nil {
		return nil, err
	}
	if len(found) > 1 {
		names := make([]string, 0, len(found))
		for pseudonym := range found {
			names = append(names, pseudonym)
		}
		return nil, fmt.Errorf("%d people have that name: name one of %s", len(found), strings.Join(names, ", "))
	}
	var done []FactorDone
	for pseudonym, p := range found {
		_, err := s.Log.Append(ctx, &audit.Entry{
			Kind: audit.Control, Event: audit.FactorReset, Employee: pseudonym, Detail: fmt.Sprintf("by uid %d", asked.UID),
		})
		if err != nil {
			return nil, err
		}
		if _, err := m.Reset(ctx, p); err != nil {
			return nil, err
		}
		ending := &SessionsAsked{UID: asked.UID, Employee: pseudonym, Revoke: true}
		list, err := a.findSessions(ctx, s, ending)
		if err == nil {
			err = a.revokeSessions(ctx, s, ending, list)
		}
		if err != nil {
			return nil, fmt.Errorf("the factors were reset, but ending the sessions failed: %w", err)
		}
		done = append(done, FactorDone{Issuer: issuer, Employee: pseudonym, Ended: len(list)})
	}
	return done, nil
}
