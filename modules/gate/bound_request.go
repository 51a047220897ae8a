package gate

import (
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/session"
)

var (
	textForeignSession = text{
		"Die CRM-Sitzung dieser Anfrage gehört zu einer anderen Anmeldung und wurde deshalb nicht verwendet. Öffnen Sie das CRM neu und melden Sie sich dort an.",
		"The CRM session of this request belongs to another sign-in and was therefore not used. Open the CRM again and sign in there.",
	}
	textUnknownSession = text{
		"Diese CRM-Sitzung wurde nicht über dieses Gateway begonnen. Melden Sie sich im CRM neu an.",
		"This CRM session was not begun through this gateway. Sign in to the CRM again.",
	}
)

// caller is the employee or the machine of the request, as CRM sessions are
// bound to them.
func (q *request) caller() caller {
	q.entry(audit.Control) // makes the pseudonym
	c := caller{session: q.employee.session.Key, owner: q.employee.pseudonym}
	if q.employee.machine != "" {
		c.session = sha256.Sum256([]byte("machine\n" + q.employee.machine))
	}
	return c
}

// ownCRMSession lets a CRM session through to the CRM only with whom it was
// given to; else it answers. One that nobody was given is taken out of cookies:
// the CRM gives out another. In a header it is answered by 401, which makes the
// CRM's client ask for a sign-in.
func (q *request) ownCRMSession() bool {
	b := q.o.binder
	if b == nil {
		return true
	}
	all := q.h.profile.Sessions()
	for i := range all {
		s := &all[i]
		check := q.cookieSession
		if s.Header != "" {
			check = q.headerSession
		}
		if !check(b, s) {
			return false
		}
	}
	return true
}

// nobodysRequest takes CRM sessions out of a request that is forwarded for nobody
// in particular: whoever it is, none can be theirs.
func (q *request) nobodysRequest(r *http.Request) {
	if q.o.binder == nil || q.employee != nil {
		return
	}
	for _, s := range q.h.profile.Sessions() {
		if s.Cookie != "" {
			canon.StripCookies(r.Header, canon.SameCookie(s.Cookie))
		}
		if _, _, found := s.Read(r.Header.Get(s.Header)); s.Header != "" && found {
			r.Header.Del(s.Header)
		}
	}
}

func (q *request) cookieSession(b *binder, s *profile.CRMSession) bool {
	values, other := canon.CookieValues(q.r.Header, s.Cookie)
	known := !other
	for _, v := range values {
		if s.IsNone(v) {
			continue
		}
		w, err := b.whose(q.r.Context(), b.id(q.h.profile.Name, s, v), q.caller())
		if err != nil {
			return q.noSessionStore(err)
		}
		if w == theirs {
			q.dropCookie(s.Cookie)
			return q.refuseSession(http.StatusForbidden, "foreign_crm_session", textForeignSession)
		}
		known = known && w == ours
	}
	if !known {
		canon.StripCookies(q.r.Header, canon.SameCookie(s.Cookie))
	}
	return true
}

func (q *request) headerSession(b *binder, s *profile.CRMSession) bool {
	lines := q.r.Header[s.Header]
	for _, line := range lines {
		id, user, found := s.Read(line)
		if !found && len(lines) == 1 {
			return true
		}
		if id == "" || len(lines) > 1 {
			return q.refuseSession(http.StatusUnauthorized, "unknown_crm_session", textUnknownSession)
		}
		w, err := b.whose(q.r.Context(), b.id(q.h.profile.Name, s, id), q.caller())
		switch {
		case err != nil:
			return q.noSessionStore(err)
		case w == theirs:
			return q.refuseSession(http.StatusUnauthorized, "foreign_crm_session", textForeignSession)
		case w == nobodys:
			return q.refuseSession(http.StatusUnauthorized, "unknown_crm_session", textUnknownSession)
		}
		if user != "" {
			q.crmUser = q.o.log.Keyed("crm_user", user)
		}
	}
	return true
}

// dropCookie tells the browser to forget somebody else's cookie, or an employee
// at a shared computer would never get past it.
func (q *request) dropCookie(name string) {
	c := http.Cookie{ //nolint:gosec // Secure is left out on http alone, which only loopback is served by
		Name: name, Path: "/", MaxAge: -1, Secure: q.https, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	q.w.Header().Add("Set-Cookie", c.String())
}

// refuseSession writes the refusal's entry and answers. The status stays as it
// is: a remote call's client asks for a sign-in on 401 alone.
func (q *request) refuseSession(status int, reason string, t text) bool {
	e := q.entry(audit.Intent)
	e.Decision = &audit.Decision{Refused: true, Reason: reason, Policy: q.h.policy.Version()}
	rec, ok := q.append(e)
	if !ok {
		q.unavailable("log")
		return false
	}
	q.auditID = rec.String()
	q.answer(plain{status: status, reason: reason, text: t})
	return false
}

func (q *request) noSessionStore(err error) bool {
	q.h.logger.Error("reading whose a CRM session is", zap.String("request", q.id), zap.Error(err))
	q.unavailable("session_store")
	return false
}

// bindIssued binds the sessions that an answer's cookies give out. A cookie for
// which that fails is not handed out.
func (q *request) bindIssued(h http.Header) {
	if q.o.binder == nil || q.employee == nil {
		return
	}
	all := q.h.profile.Sessions()
	for i := range all {
		s := &all[i]
		if s.Cookie == "" {
			continue
		}
		h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(line string) bool { return !q.bindCookie(s, line) })
		if len(h["Set-Cookie"]) == 0 {
			delete(h, "Set-Cookie")
		}
	}
}

// bindCookie reports whether a cookie may be handed out.
func (q *request) bindCookie(s *profile.CRMSession, line string) bool {
	values, _ := canon.CookieValues(http.Header{"Cookie": {line}}, s.Cookie)
	if len(values) == 0 || s.IsNone(values[0]) {
		return true
	}
	c, err := http.ParseSetCookie(line)
	if err == nil && (c.MaxAge < 0 || c.Value == "" || !c.Expires.IsZero() && c.Expires.Before(time.Now())) {
		return true // taken back: `deleted` is everybody's
	}
	return q.bind(s, values[0])
}

func (q *request) bind(s *profile.CRMSession, value string) bool {
	b := q.o.binder
	// The CRM has answered: whoever gives up now must not leave it half done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.r.Context()), bindTimeout)
	defer cancel()
	if err := b.bind(ctx, b.id(q.h.profile.Name, s, value), q.caller()); err != nil {
		q.h.logger.Error("binding a CRM session", zap.String("request", q.id), zap.Error(err))
		return false
	}
	return true
}

const bindTimeout = 5 * time.Second

// issuer is the session that the answer may give out, nil where none is bound.
func (q *request) issuer() *profile.CRMSession {
	if q.o.binder == nil {
		return nil
	}
	return q.x.Issuer()
}

// passIssuer forwards a sign-in to the CRM: its answer is held until the session
// that it gives out is bound.
func (q *request) passIssuer(s *profile.CRMSession) {
	canon.MaskedRoute(q.r.Header)
	q.prepare(q.r, q.body)
	resp := newResponse(q.h.Hold)
	err := q.run(resp, q.r)
	if err != nil || resp.err != nil || resp.status == 0 {
		q.answer(plain{status: http.StatusBadGateway, reason: "crm", text: textCRMDown})
		return
	}
	if resp.status == http.StatusOK {
		if contentEncoding(resp.header) != "" {
			q.answer(plain{status: http.StatusBadGateway, reason: "type", text: textCRMAnswer})
			return
		}
		id, err := q.x.Issued(s, resp.held.Bytes())
		if err != nil {
			q.h.logger.Warn("the CRM's sign-in was withheld", zap.String("request", q.id), zap.Error(err))
			q.answer(plain{status: http.StatusBadGateway, reason: "malformed", text: textCRMAnswer})
			return
		}
		if id != "" && !q.bind(s, id) {
			q.unavailable("session_store")
			return
		}
	}
	q.passHeld(resp)
}

// passTo is what the answer of a route without personal data is written to.
func (q *request) passTo() *passing {
	return &passing{w: q.w, strip: func(h http.Header) {
		canon.StripSetCookies(h, session.Own)
		q.bindIssued(h)
		q.homeHeaders(h)
	}}
}
