package gate

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

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
		q.signedOutHere(textSignedOut)
		return
	case continuePath:
		q.goOnThere()
		return
	case factorPath:
		q.serveFactor()
		return
	case factorAgainPath:
		q.serveFactorAgain()
		return
	case sessionsPath:
		q.ownSessions()
		return
	case allSessionsPath:
		q.allSessions()
		return
	case ownPrefix + "/backchannel-logout":
		q.backChannel()
		return
	case ownPrefix + "/frontchannel-logout":
		q.frontChannel()
		return
	case ownPrefix + "/jwks.json":
		q.jwks()
		return
	case ownPrefix + "/ready":
		q.ready()
		return
	case ownPrefix + "/why":
		if q.r.Method == http.MethodGet || q.r.Method == http.MethodHead {
			q.why()
			return
		}
	case ownPrefix, ownPrefix + "/":
		q.home()
		return
	}
	if isDesk(q.c.Path) {
		q.serveDesk()
		return
	}
	if rest, ok := strings.CutPrefix(q.c.Path, stepUpPath+"/"); ok {
		q.serveStepUp(rest)
		return
	}
	if !q.servePart() {
		q.notFound()
	}
}

func (q *request) notFound() {
	q.answer(plain{status: http.StatusNotFound, reason: "not_found", text: textNoSuchPage})
}

// home shows who is signed in and lets them sign out.
func (q *request) home() {
	if !q.login() {
		return
	}
	id := q.employee.session.Identity
	p := page.Page{
		Status: http.StatusOK,
		Title:  page.Text{DE: "Angemeldet als " + id.Name, EN: "Signed in as " + id.Name},
		Text: page.Text{
			DE: "Ihre Zugriffe auf personenbezogene Daten werden protokolliert. Verdeckte Felder sehen Sie, wie Ihre Rolle es vorsieht.",
			EN: "Your accesses to personal data are logged. Masked fields are shown as your role provides.",
		},
		Form: &page.Form{Action: ownPrefix + "/sign-out", Text: page.Text{DE: "Abmelden", EN: "Sign out"}},
		Link: &page.Link{Href: "/", Text: page.Text{DE: "Zum CRM", EN: "To the CRM"}},
		Also: &page.Link{Href: sessionsPath, Text: page.Text{DE: "Ihre Sitzungen", EN: "Your sessions"}},
		More: &page.Link{Href: ownPrefix + "/why", Text: textWhy.onPage()},
	}
	p.Ways = append(p.Ways, q.revealWays()...)
	if q.h.desk != nil {
		for _, w := range q.h.desk.Ways(q.employee.roles()) {
			p.Ways = append(p.Ways, page.Link{Href: w.Path, Text: page.Text{DE: w.DE, EN: w.EN}})
		}
	}
	p.Ways = append(p.Ways, q.partWays()...)
	q.showPage(p)
}

func (q *request) lang() string {
	if prefersGerman(q.r.Header.Get("Accept-Language")) {
		return "de"
	}
	return "en"
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
	signIn, sessions := q.h.provider.Ready(q.r.Context()) == nil, q.o.sessions.Ready(q.r.Context()) == nil
	ownHeaders(q.w.Header())
	q.w.Header().Set("Content-Type", "application/json")
	q.status = http.StatusOK
	if !sessions {
		q.status = http.StatusServiceUnavailable
	}
	q.write(q.status, fmt.Appendf(nil, `{"sessions":%t,"sign_in":%t}`, sessions, signIn))
}
