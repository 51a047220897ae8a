package gate

import (
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// login finds the employee's session. Without one it answers: a page that was
// navigated to leads to the provider, everything else gets a 401 (a redirect
// would lose a form, or send a script's request to the provider).
func (q *request) login() bool {
	if q.employee != nil { // who is explained
		return true
	}
	s, err := q.lookup()
	switch {
	case err == nil:
		q.employee = q.known(s)
		return true
	case errors.Is(err, session.ErrStore):
		q.h.logger.Error("reading a session", zap.String("request", q.id), zap.Error(err))
		q.answer(plain{
			status: http.StatusServiceUnavailable, reason: "session_store", text: textSessionStore,
			header: map[string]string{"Retry-After": "2"},
		})
		return false
	}
	if q.r.Method == http.MethodGet && q.isNavigation() && !q.framed() {
		q.begin(q.c.Target(), false)
		return false
	}
	q.signedOut()
	return false
}

func (q *request) known(s session.Session) *employee {
	return &employee{session: s}
}

// lookup tries every cookie of the name: a stale one beside the right one must
// not lock anybody out.
func (q *request) lookup() (session.Session, error) {
	last := session.ErrNone
	find := q.o.sessions.Lookup
	if q.c != nil && q.h.passive(q.c.Path) {
		find = q.o.sessions.Peek
	}
	for _, id := range q.cookies.Sessions(q.r.Header) {
		s, err := find(q.r.Context(), id)
		if err == nil {
			return s, nil
		}
		last = err
	}
	return session.Session{}, last
}

// signedOut answers a request that is no navigation: in the shape that makes the
// CRM's client say so, where the profile has one, else by 401.
func (q *request) signedOut() {
	if q.shaped(http.StatusUnauthorized) {
		if a, ok := q.h.profile.ShapesAt(q.c.Method, q.c.Path).SignedOut(textSignedOutCall.in(q.r.Header.Get("Accept-Language")), q.peekCallID()); ok {
			q.writeShaped(a.Status, a.Headers, a.Body, "signed_out")
			return
		}
	}
	q.answer(q.signedOutPage())
}

// peekCallID reads the id of a remote call from a body that isn't judged, for
// the answer alone.
func (q *request) peekCallID() string {
	if q.readBody() != nil {
		return "null"
	}
	t, err := json.Parse(q.body, doc.DefaultLimits())
	if err != nil {
		return "null"
	}
	defer json.Release(t)
	id := t.Member(doc.Root, "id")
	if id < 0 || t.Nodes[id].Kind != doc.Number {
		return "null"
	}
	return string(t.Raw(id))
}

// begin sends the browser to the provider.
func (q *request) begin(returnTo string, retry bool) {
	q.beginWith(oidc.BeginRequest{ReturnTo: returnTo, Retry: retry})
}

func (q *request) beginWith(r oidc.BeginRequest) {
	r.BaseURL, r.Bindings = q.baseURL(), q.cookies.Bindings(q.r.Header)
	b, err := q.h.provider.Begin(q.r.Context(), r)
	if err != nil {
		q.signInFailed(err, nil)
		return
	}
	ownHeaders(q.w.Header())
	if b.SetBinding {
		q.cookies.SetBinding(q.w.Header(), b.Binding)
	}
	if r.Retry { // what the tab keeps belongs to the first attempt
		q.redirect(b.Redirect)
		return
	}
	q.leave(b.Redirect, r.ReturnTo)
}

func (q *request) redirect(to string) {
	q.status = http.StatusFound
	q.w.Header().Set("Location", to)
	q.write(http.StatusFound, nil)
}

// callback takes what comes back from the provider. The entry of the sign-in is
// durable before the browser has the session.
func (q *request) callback() {
	f := oidc.Callback(q.r.URL.Query())
	f.BaseURL, f.Bindings = q.baseURL(), q.cookies.Bindings(q.r.Header)
	done, err := q.h.provider.Finish(q.r.Context(), f)
	if err != nil {
		// Whoever failed to step up is still signed in: going on would lead to the
		// next step-up, without end.
		if !done.StepUp && q.goOn(done.ReturnTo) {
			return
		}
		if !done.StepUp && errors.Is(err, oidc.ErrExpired) && done.StateID != "" && !done.Retry {
			q.begin(done.ReturnTo, true)
			return
		}
		q.signInFailed(err, &done)
		return
	}
	if q.o.factors != nil {
		q.beginHalf(done)
		return
	}
	q.signIn(done)
}

// goOn sends somebody who is signed in already (another tab was quicker) where
// they wanted to go.
func (q *request) goOn(returnTo string) bool {
	if _, err := q.lookup(); err != nil || returnTo == "" {
		return false
	}
	q.arrive(returnTo)
	return true
}

func (q *request) signIn(done oidc.Finished) {
	if q.admit(done) {
		q.arrive(done.ReturnTo)
	}
}

// admit makes the session of a sign-in, or answers why not.
func (q *request) admit(done oidc.Finished) bool {
	id, s, err := q.o.sessions.Create(q.r.Context(), session.SignedIn{
		Identity: session.Identity(done.Identity), StateID: done.StateID, Replaces: q.cookies.Sessions(q.r.Header),
		From: session.Origin{IP: q.ip, Agent: session.AgentLabel(q.r.Header.Get("User-Agent"))},
	})
	switch {
	case errors.Is(err, session.ErrUsed):
		q.h.metrics.SignIn(crmgate.SignInUsed)
		if q.goOn(done.ReturnTo) {
			return false
		}
		q.answer(plain{
			status: http.StatusForbidden, reason: "used", text: textSignInUsed,
			link: &page.Link{Href: "/", Text: page.Text{DE: "Zum CRM", EN: "To the CRM"}},
		})
		return false
	case err != nil:
		q.h.logger.Error("making a session", zap.String("request", q.id), zap.Error(err))
		q.unavailable("session_store")
		return false
	}
	q.employee = q.known(s)
	e := q.entry(audit.Control)
	if done.StepUp {
		e.Event = audit.StepUp
	} else {
		e.Event = audit.SignIn
		e.Keyed = []string{q.o.log.Keyed(realmKeyed, q.h.realm())}
		e.Names = &audit.Names{User: s.Identity.User, Email: s.Identity.Email, Name: s.Identity.Name}
	}
	rec, ok := q.append(e)
	if !ok {
		_ = q.o.sessions.Revoke(q.r.Context(), id) // without its entry there is no session
		q.unavailable("log")
		return false
	}
	q.auditID = rec.String()
	q.h.metrics.SignIn(crmgate.SignedIn)
	ownHeaders(q.w.Header())
	q.w.Header().Set("Audit-Id", q.auditID)
	q.cookies.SetSession(q.w.Header(), id)
	return true
}

// signInFailed writes an entry where an employee is known, and says why.
func (q *request) signInFailed(err error, done *oidc.Finished) {
	q.h.logger.Warn("sign-in refused", zap.String("request", q.id), zap.Error(err))
	var no *oidc.Refusal
	if !errors.As(err, &no) {
		no = oidc.ErrProviderDown
	}
	q.h.metrics.SignIn(no.Code)
	// Somebody unknown makes no entry: anybody could fill the log.
	if done != nil && done.Subject != "" {
		e := q.entry(audit.Control)
		e.Event, e.Error = audit.Refused, no.Code
		e.Employee = q.o.log.Employee(q.h.provider.Issuer(), done.Subject)
		if rec, ok := q.append(e); ok {
			q.auditID = rec.String()
		}
	}
	status := http.StatusForbidden
	if errors.Is(err, oidc.ErrProviderDown) {
		status = http.StatusServiceUnavailable
	}
	again := "/"
	if done != nil && done.StepUp {
		again = oidc.ReturnTo(done.ReturnTo)
	}
	q.answer(plain{
		status: status, reason: no.Code, text: text{no.German, no.English},
		link: &page.Link{Href: again, Text: page.Text{DE: "Noch einmal anmelden", EN: "Sign in again"}},
	})
}

func asCanonError(err error) (*canon.Error, bool) {
	var ce *canon.Error
	ok := errors.As(err, &ce)
	return ce, ok
}
