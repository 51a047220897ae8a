package gate

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/modules/crmgate"
)

const (
	// allSessionsPath shows administrators who is signed in.
	allSessionsPath = sessionsPath + "/all"
	// allSessionsLimit is how many sessions that page shows.
	allSessionsLimit = 1000
)

// unmarshalAdministrators reads a line:
//
//	administrators role <role>...
func (h *Handler) unmarshalAdministrators(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) == 0 || args[0] != "role" {
		return d.Err("administrators takes `role` and one or more roles: administrators role crm_admin")
	}
	if len(args) == 1 {
		return d.ArgErr()
	}
	h.AdministratorRoles = append(h.AdministratorRoles, args[1:]...)
	return nil
}

// checkAdministrators refuses roles that nobody has, or that would be anybody's.
func (h *Handler) checkAdministrators() error {
	for i, r := range h.AdministratorRoles {
		switch {
		case r == "" || r == "*" || strings.ContainsAny(r, " \t\r\n{}"):
			return fmt.Errorf("administrators: %q is no role: write one as the provider does", r)
		case slices.Contains(h.AdministratorRoles[:i], r):
			return fmt.Errorf("administrators: the role %q stands there twice", r)
		}
	}
	if len(h.AdministratorRoles) > 0 {
		h.logger.Info("employees with one of these roles see all sessions, and may end them", zap.Strings("roles", h.AdministratorRoles))
	}
	return nil
}

// administrates reports whether the employee has an administrator's role.
func (q *request) administrates() bool {
	return slices.ContainsFunc(q.employee.roles(), func(r string) bool { return slices.Contains(q.h.AdministratorRoles, r) })
}

// allSessions shows an administrator the sessions of this site's realm, and ends
// what they say. Everybody else's look is refused,
// and an entry.
func (q *request) allSessions() {
	if len(q.h.AdministratorRoles) == 0 {
		q.notFound()
		return
	}
	q.route = "all_sessions"
	if !q.login() {
		return
	}
	if !q.administrates() {
		q.refuse(refusal{reason: "no_administrator", text: textNoAdministrator})
		return
	}
	switch q.r.Method {
	case http.MethodPost:
		q.endAny()
	case http.MethodGet, http.MethodHead:
		q.listAll()
	default:
		q.answer(plain{status: http.StatusMethodNotAllowed, reason: "not_found", text: textRequestBody, header: map[string]string{"Allow": "GET, HEAD, POST"}})
	}
}

// someSession is a session with its last use.
type someSession struct {
	session.Session
	used time.Time
}

// everybodys lists the sessions of this site's provider and client by the
// employee's name, or answers that it can't be done. Others' are another site's,
// where an administrator's role means something else.
func (q *request) everybodys() (list []someSession, ok bool) {
	err := q.o.sessions.Each(q.r.Context(), func(s session.Session, used time.Time) {
		if q.o.sessions.Here(s) {
			list = append(list, someSession{s, used})
		}
	})
	if err != nil {
		q.h.logger.Error("listing sessions", zap.String("request", q.id), zap.Error(err))
		q.unavailable("session_store")
		return nil, false
	}
	slices.SortFunc(list, func(a, b someSession) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Identity.Name), strings.ToLower(b.Identity.Name)), b.used.Compare(a.used))
	})
	return list, true
}

// listAll shows the sessions, after the look was written down.
func (q *request) listAll() {
	list, ok := q.everybodys()
	if !ok {
		return
	}
	e := q.entry(audit.Control)
	e.Event, e.Detail = audit.Searched, "session list: everybody"
	rec, ok := q.append(e)
	if !ok {
		q.unavailable("log")
		return
	}
	q.auditID = rec.String()
	q.w.Header().Set("Audit-Id", q.auditID)
	p := page.Page{
		Status: http.StatusOK, Title: page.Text{DE: "Alle Sitzungen", EN: "All sessions"},
		Text: textAllSessions.onPage(),
		Link: &page.Link{Href: sessionsPath, Text: page.Text{DE: "Ihre Sitzungen", EN: "Your sessions"}},
	}
	if len(list) > allSessionsLimit {
		list, p.Text = list[:allSessionsLimit], textAllSessions.and(textMoreSessions).onPage()
	}
	for _, s := range list {
		p.Rows = append(p.Rows, q.anyRow(s))
	}
	q.showPage(p)
}

// anyRow is somebody's session as an administrator sees it.
func (q *request) anyRow(s someSession) page.Row {
	row := sessionRow(session.Listed{
		Ref: s.Ref(), Current: s.Ref() == q.employee.session.Ref(), Created: s.Created, Used: s.used, Expires: s.Expires, From: s.From,
	})
	name := cmp.Or(s.Identity.Name, s.Identity.User, s.Identity.Email)
	browser := row.Title
	row.Title = page.Text{DE: name, EN: name}
	if name == "" {
		row.Title = page.Text{DE: "Ohne Namen", EN: "Without a name"}
	}
	facts := []page.Fact{{Name: page.Text{DE: "Browser", EN: "Browser"}, Value: browser}}
	if user := s.Identity.User; user != "" && user != name {
		facts = append([]page.Fact{{Name: page.Text{DE: "Im CRM", EN: "In the CRM"}, Value: page.Text{DE: user, EN: user}}}, facts...)
	}
	row.Facts = append(facts, row.Facts...)
	if s.Ref() != q.employee.session.Ref() {
		row.Form.Action = allSessionsPath
	}
	return row
}

// endAny ends somebody's session. The entry names both: whose it was, and in its
// detail the administrator.
func (q *request) endAny() {
	if !q.sameOrigin() {
		q.answer(plain{status: http.StatusForbidden, reason: "cross_site", text: textCrossSite})
		return
	}
	which, ok := q.endWhich()
	if !ok {
		q.answer(plain{status: http.StatusBadRequest, reason: "request_body", text: textRequestBody})
		return
	}
	list, ok := q.everybodys()
	if !ok {
		return
	}
	for _, s := range list {
		if s.Ref() != which || which == q.employee.session.Ref() {
			continue
		}
		if err := q.h.app.RevokeSession(context.WithoutCancel(q.r.Context()), s.Key); err != nil {
			q.h.logger.Error("ending a session", zap.String("request", q.id), zap.Error(err))
			q.unavailable("session_store")
			return
		}
		by := q.o.log.Employee(q.employee.session.Identity.Issuer, q.employee.session.Identity.Subject)
		if !q.endedBy(s.Identity, which, crmgate.LogoutAdmin, by) {
			q.unavailable("log")
			return
		}
	}
	q.backTo(allSessionsPath)
}

// backTo leads to a page after a form: reloading that does nothing again.
func (q *request) backTo(path string) {
	q.status = http.StatusSeeOther
	ownHeaders(q.w.Header())
	q.w.Header().Set("Location", path)
	q.write(http.StatusSeeOther, nil)
}

var (
	textAllSessions = text{
		"Wer über Ihren Anmeldedienst angemeldet ist. Ihr Blick auf diese Liste ist protokolliert, ebenso jede Sitzung, die Sie beenden. Wer sich nicht wieder anmelden soll, wird beim Anmeldedienst gesperrt.",
		"Who is signed in by your sign-in service. Your look at this list is logged, and so is each session that you end. Whoever shall not sign in again is locked at the sign-in service.",
	}
	textMoreSessions = text{
		"Gezeigt werden die ersten 1000; alle zeigt `crmgate session list`.",
		"The first 1000 are shown; `crmgate session list` shows all.",
	}
	textNoAdministrator = text{
		"Diese Seite ist für die Administration.",
		"This page is for administrators.",
	}
)
