package gate

import (
	"net/http"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// signOut ends the session here and at the provider. A GET only asks: a link on
// another site must not sign anybody out.
func (q *request) signOut() {
	if q.r.Method != http.MethodPost {
		q.home()
		return
	}
	if !q.sameOrigin() {
		q.answer(plain{status: http.StatusForbidden, reason: "cross_site", text: textCrossSite})
		return
	}
	hint := ""
	for _, id := range q.cookies.Sessions(q.r.Header) {
		if t, err := q.o.sessions.Tokens(q.r.Context(), id); err == nil {
			hint = t.ID
		}
		if s, err := q.o.sessions.Peek(q.r.Context(), id); err == nil {
			q.employee = q.known(s)
		}
		if err := q.o.sessions.Revoke(q.r.Context(), id); err != nil {
			q.unavailable("session_store")
			return
		}
	}
	if q.employee != nil {
		e := q.entry(audit.Control)
		e.Event = audit.SignOut
		if rec, ok := q.append(e); ok {
			q.auditID = rec.String()
		}
		q.h.metrics.LoggedOut(crmgate.LogoutSelf)
	}
	ownHeaders(q.w.Header())
	q.cookies.ClearSession(q.w.Header())
	q.clearCRM()
	after := q.baseURL() + ownPrefix + "/signed-out"
	if to, ok := q.h.provider.EndSession(hint, after, ""); ok && hint != "" {
		q.handOver(to)
		return
	}
	q.signedOutHere(textSignedOut.and(textStillSigned))
}

// signedOutHere is the page after a sign-out. It leads back only by a link: a
// page that signed in again by itself would undo the sign-out wherever the
// provider still knows the browser.
func (q *request) signedOutHere(t text) {
	q.answer(plain{
		status: http.StatusOK, title: page.Text{DE: "Abgemeldet", EN: "Signed out"}, text: t,
		link: &page.Link{Href: "/", Text: page.Text{DE: "Wieder anmelden", EN: "Sign in again"}},
	})
}

// clearCRM takes out of the browser what the CRM left there: the next person at
// this browser must not meet the CRM session of the one before. Storage and
// cache are this site's alone. "cookies" would go too far: browsers clear them
// for all of example.de, the provider's among them, before it could end its own
// session; so the CRM's are taken one by one, as far as they belong to this host.
// One for a path of its own isn't seen here and stays. Cookies don't know ports: what
// another service of this host has set goes, too.
func (q *request) clearCRM() {
	h := q.w.Header()
	h.Set("Clear-Site-Data", `"cache", "storage"`)
	n := 0
	for _, c := range q.r.Cookies() {
		if session.Own(c.Name) || n == clearedCookies {
			continue
		}
		n++
		gone := http.Cookie{ //nolint:gosec // it holds nothing
			Name: c.Name, Path: "/", MaxAge: -1, Secure: q.https,
		}
		if line := gone.String(); line != "" {
			h.Add("Set-Cookie", line)
		}
	}
}

// clearedCookies bounds how many cookies a sign-out takes.
const clearedCookies = 50

// handOver sends the browser on to the provider. From a form that takes a page
// of its own: form-action 'self' forbids the redirect, and naming the provider
// there isn't enough once it redirects further.
func (q *request) handOver(to string) {
	if !q.isNavigation() {
		q.redirect(to)
		return
	}
	q.showPage(page.Page{
		Status: http.StatusOK, Next: to,
		Title: page.Text{DE: "Sie werden abgemeldet", EN: "Signing you out"},
		Text:  page.Text{DE: "Es geht gleich beim Anmeldedienst weiter.", EN: "Your sign-in service takes over in a moment."},
	})
}
