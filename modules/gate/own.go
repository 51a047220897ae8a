package gate

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/page"
)

// serveOwn answers the addresses below /.crmgate. None of them is forwarded.
func (q *request) serveOwn() {
	q.route = "own"
	switch q.c.Path {
	case oidc.CallbackPath:
		if q.r.Method == http.MethodGet {
			q.callback()
			return
		}
	case ownPrefix + "/sign-out":
		q.signOut()
		return
	case ownPrefix + "/signed-out":
		q.answer(plain{
			status: http.StatusOK, title: page.Text{DE: "Abgemeldet", EN: "Signed out"}, text: textSignedOut,
			link: &page.Link{Href: "/", Text: page.Text{DE: "Wieder anmelden", EN: "Sign in again"}},
		})
		return
	case ownPrefix + "/ready":
		q.ready()
		return
	case ownPrefix, ownPrefix + "/":
		q.home()
		return
	}
	if rest, ok := strings.CutPrefix(q.c.Path, stepUpPath+"/"); ok {
		q.serveStepUp(rest)
		return
	}
	q.notFound()
}

func (q *request) notFound() {
	q.answer(plain{status: http.StatusNotFound, reason: "not_found", text: text{"Diese Seite gibt es nicht.", "There is no such page."}})
}

// home shows who is signed in and lets them sign out.
func (q *request) home() {
	if !q.login() {
		return
	}
	id := q.employee.session.Identity
	q.showPage(page.Page{
		Status: http.StatusOK,
		Title:  page.Text{DE: "Angemeldet als " + id.Name, EN: "Signed in as " + id.Name},
		Text: page.Text{
			DE: "Ihre Zugriffe auf personenbezogene Daten werden protokolliert. Verdeckte Felder sehen Sie, wie Ihre Rolle es vorsieht.",
			EN: "Your accesses to personal data are logged. Masked fields are shown as your role provides.",
		},
		Form: &page.Form{Action: ownPrefix + "/sign-out", Text: page.Text{DE: "Abmelden", EN: "Sign out"}},
		Link: &page.Link{Href: "/", Text: page.Text{DE: "Zum CRM", EN: "To the CRM"}},
	})
}

func (q *request) lang() string {
	if prefersGerman(q.r.Header.Get("Accept-Language")) {
		return "de"
	}
	return "en"
}

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
	}
	ownHeaders(q.w.Header())
	q.cookies.ClearSession(q.w.Header())
	q.w.Header().Set("Clear-Site-Data", `"cache"`)
	after := q.baseURL() + ownPrefix + "/signed-out"
	if to, ok := q.h.provider.EndSession(hint, after, ""); ok && hint != "" {
		q.handOver(to)
		return
	}
	q.answer(plain{status: http.StatusOK, text: text{
		textSignedOut.de + " " + textStillSigned.de, textSignedOut.en + " " + textStillSigned.en,
	}})
}

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

// sameOrigin reports whether the request comes from a page of this site.
func (q *request) sameOrigin() bool {
	if site := q.r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin" || site == "none"
	}
	u, err := url.Parse(q.r.Header.Get("Origin"))
	return err == nil && u.Host == q.c.Host
}

// ready tells a load balancer whether known sessions can work, and whether
// people can sign in.
func (q *request) ready() {
	signIn := q.h.provider.Ready(q.r.Context()) == nil
	ownHeaders(q.w.Header())
	q.w.Header().Set("Content-Type", "application/json")
	body := `{"sessions":true,"sign_in":false}`
	if signIn {
		body = `{"sessions":true,"sign_in":true}`
	}
	q.status = http.StatusOK
	q.write(http.StatusOK, []byte(body))
}
