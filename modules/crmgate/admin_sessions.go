package crmgate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/session"
)

// SessionsPath is the route by which an administrator's command sees and ends
// sessions.
const SessionsPath = "/crmgate/sessions"

// Keeper is a gate whose sessions an administrator can see and end. Sessions is
// nil before the start.
type Keeper interface{ Sessions() *session.Manager }

// SessionsAsked is what an administrator's command asks of the running gateway.
type SessionsAsked struct {
	// DataDir is the directory that is meant: another gateway must not take the
	// question for its own.
	DataDir string `json:"data_dir"`
	UID     int    `json:"uid"`
	// Employee is a pseudonym, login, name or e-mail address; All is everybody.
	// One of them is given.
	Employee string `json:"employee,omitempty"`
	All      bool   `json:"all,omitempty"`
	// Ref narrows it to one session, as a list names it.
	Ref string `json:"ref,omitempty"`
	// Revoke ends the sessions.
	Revoke bool `json:"revoke,omitempty"`
}

// OneSession is a session as an administrator sees it.
type OneSession struct {
	Ref string `json:"ref"`
	// Employee is the pseudonym in the log.
	Employee string    `json:"employee"`
	User     string    `json:"user,omitempty"`
	Name     string    `json:"name,omitempty"`
	Email    string    `json:"email,omitempty"`
	Roles    []string  `json:"roles"`
	Created  time.Time `json:"created"`
	Used     time.Time `json:"used"`
	Expires  time.Time `json:"expires"`
	IP       string    `json:"ip,omitempty"`
	Agent    string    `json:"agent,omitempty"`

	key session.Key
}

func (a *SessionsAsked) check() error {
	if (a.Employee == "") == !a.All {
		return errors.New("name one employee, or all")
	}
	return nil
}

// names reports whether a session is one of those that are meant.
func (a *SessionsAsked) names(s *OneSession, subject string) bool {
	if a.Ref != "" && a.Ref != s.Ref {
		return false
	}
	same := func(v string) bool { return v != "" && strings.EqualFold(v, a.Employee) }
	return a.All || a.Employee == s.Employee || a.Employee == subject || same(s.User) || same(s.Email) || same(s.Name)
}

// look is the entry of a look: it names employees by their pseudonyms.
func (a *SessionsAsked) look(found []OneSession) *audit.Entry {
	who := []string{"everybody"}
	if !a.All {
		who = nil
		for _, s := range found {
			if !slices.Contains(who, s.Employee) {
				who = append(who, s.Employee)
			}
		}
		if who == nil {
			who = []string{"nobody who is signed in"}
		}
	}
	return &audit.Entry{
		Kind: audit.Control, Event: audit.Searched,
		Detail: fmt.Sprintf("session list by uid %d: %s", a.UID, strings.Join(who, " ")),
	}
}

// adminSessions lists sessions or ends them. A look is written down before
// anything is shown, and an end as soon as it has come.
func adminSessions(w http.ResponseWriter, r *http.Request) error {
	var q SessionsAsked
	app, err := readAsked(w, r, &q, &q.DataDir, q.check)
	if err != nil {
		return err
	}
	list, err := app.answerSessions(r.Context(), &q)
	return sendAnswer(w, "sessions", list, err)
}

func (a *App) answerSessions(ctx context.Context, asked *SessionsAsked) (list []OneSession, err error) {
	s, release, err := a.hold()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	if list, err = a.findSessions(ctx, s, asked); err != nil {
		return nil, err
	}
	if asked.Revoke && len(list) > 0 {
		return list, a.revokeSessions(context.WithoutCancel(ctx), s, asked, list)
	}
	if _, err := s.Log.Append(ctx, asked.look(list)); err != nil {
		return nil, err
	}
	return list, nil
}

// keepers are the gates' managers; all work on one store.
func (a *App) keepers() []*session.Manager {
	var list []*session.Manager
	for _, g := range a.gates {
		if k, ok := g.(Keeper); ok && k.Sessions() != nil {
			list = append(list, k.Sessions())
		}
	}
	return list
}

// LongestIdle is how long the most patient gate's sessions go on unused.
func (a *App) LongestIdle() (idle time.Duration) {
	for _, m := range a.keepers() {
		idle = max(idle, m.Idle())
	}
	return idle
}

func (a *App) findSessions(ctx context.Context, s *Services, asked *SessionsAsked) ([]OneSession, error) {
	list := []OneSession{}
	seen := map[session.Key]int{}
	for _, m := range a.keepers() {
		err := m.Each(ctx, func(one session.Session, used time.Time) {
			id := one.Identity
			o := OneSession{
				Ref: one.Ref(), Employee: s.Log.Employee(id.Issuer, id.Subject), User: id.User, Name: id.Name, Email: id.Email,
				Roles: id.Roles, Created: one.Created, Used: used, Expires: one.Expires, IP: one.From.IP, Agent: one.From.Agent, key: one.Key,
			}
			if !asked.names(&o, id.Subject) {
				return
			}
			if i, ok := seen[one.Key]; ok { // another gate has seen it used later
				if used.After(list[i].Used) {
					list[i].Used = used
				}
				return
			}
			seen[one.Key] = len(list)
			list = append(list, o)
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(x, y OneSession) int { return y.Used.Compare(x.Used) })
	return list, nil
}

func (a *App) revokeSessions(ctx context.Context, s *Services, asked *SessionsAsked, list []OneSession) error {
	for _, one := range list {
		if err := a.RevokeSession(ctx, one.key); err != nil {
			return err
		}
		a.metrics.LoggedOut(LogoutAdmin)
		_, err := s.Log.Append(ctx, &audit.Entry{
			Kind: audit.Control, Event: audit.Revoked, Employee: one.Employee, Roles: one.Roles,
			Session: s.Log.Keyed("session", one.Ref), Detail: fmt.Sprintf("%s, uid %d", LogoutAdmin.Words(), asked.UID),
		})
		if err != nil {
			return fmt.Errorf("a session was ended, but that can't be written down: %w", err)
		}
	}
	return nil
}

// RevokeSession ends a session at all gates of this node at once: each forgets
// what it knows.
func (a *App) RevokeSession(ctx context.Context, key session.Key) error {
	for _, m := range a.keepers() {
		if err := m.RevokeKey(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// hold keeps the services open: a reload can't close the log meanwhile.
func (a *App) hold() (*Services, func() error, error) {
	got, _, err := services.LoadOrNew(a.DataDir, func() (caddy.Destructor, error) {
		return nil, errors.New("the gateway is not started")
	})
	if err != nil {
		return nil, nil, err
	}
	release := func() error {
		_, err := services.Delete(a.DataDir)
		return err
	}
	s, ok := got.(*Services)
	if !ok {
		return nil, nil, errors.Join(fmt.Errorf("services of %s are %T", a.DataDir, got), release())
	}
	return s, release, nil
}
