package gate

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/profile"
)

const stepUpPath = ownPrefix + "/step-up"

// matches reports whether a request is one that the line names. A path without
// its last slash counts as itself: a CRM may serve both.
func (s *StepUp) matches(p string, x *profile.Exchange) bool {
	bare := strings.TrimSuffix(p, "/")
	for _, want := range s.Paths {
		tree, whole := strings.CutSuffix(want, "/*")
		if whole && (p == tree || strings.HasPrefix(p, tree+"/")) || bare == strings.TrimSuffix(want, "/") {
			return true
		}
	}
	return slices.ContainsFunc(x.Accesses, func(a access.Access) bool {
		return slices.Contains(s.Entities, string(a.Entity)) || slices.Contains(s.Actions, string(a.Action))
	})
}

// stepUp asks for a fresh proof where the employee's own isn't enough for this
// request. A page that was navigated to leads to the provider and back; all else
// is answered with where a fresh sign-in can be made. A machine has no factor to
// be fresh: its own line in the configuration exempts it, and entries say so.
func (q *request) stepUp() bool {
	if q.employee.machine != "" {
		return true
	}
	var demand oidc.Demand
	var lines []int
	for i := range q.h.StepUps {
		if s := &q.h.StepUps[i]; s.matches(q.c.Path, q.x) {
			demand, lines = demand.And(s.demand()), append(lines, i+1)
		}
	}
	if len(lines) == 0 || q.h.provider.Meets(oidc.Identity(q.employee.session.Identity), demand) {
		return true
	}
	if q.r.Method == http.MethodGet && q.isNavigation() {
		q.beginStepUp(q.c.Target(), demand)
		return false
	}
	q.stepUpNeeded(demand, lines)
	return false
}

func (q *request) beginStepUp(returnTo string, d oidc.Demand) {
	q.beginWith(oidc.BeginRequest{
		ReturnTo: returnTo, StepUp: &oidc.StepUp{Demand: d, Subject: q.employee.session.Identity.Subject},
	})
}

// stepUpNeeded answers what is no navigation: an entry first, as for every
// refusal, then RFC 9470 for programs, the CRM's own shape for remote calls, and
// a page for a form.
func (q *request) stepUpNeeded(d oidc.Demand, lines []int) {
	e := q.entry(audit.Intent)
	e.Accesses = q.x.Accesses
	e.Decision = &audit.Decision{Refused: true, Reason: "step_up", Policy: q.h.policy.Version()}
	rec, ok := q.append(e)
	if !ok {
		q.unavailable("log")
		return
	}
	q.auditID = rec.String()
	at := stepUpAddress(lines)
	if q.batch != nil {
		q.batch.w.Header().Set("WWW-Authenticate", challenge(d))
	}
	q.w.Header().Set("WWW-Authenticate", challenge(d))
	lang := q.r.Header.Get("Accept-Language")
	if q.shaped(http.StatusUnauthorized) {
		where := q.baseURL() + at
		if a, ok := q.h.profile.ShapesAt(q.c.Method, q.c.Path).SignedOut(textStepUpAt(where).in(lang), q.x.RequestID()); ok {
			q.writeShaped(a.Status, a.Headers, a.Body, "step_up")
			return
		}
	}
	q.answer(plain{
		status: http.StatusUnauthorized, reason: "step_up", text: textStepUp, login: at,
		title: page.Text{DE: "Bitte noch einmal anmelden", EN: "Please sign in again"},
		link:  &page.Link{Href: at, Text: page.Text{DE: "Neu anmelden", EN: "Sign in anew"}},
	})
}

// challenge is that of RFC 9470.
func challenge(d oidc.Demand) string {
	c := `Bearer error="insufficient_user_authentication", error_description="A fresh or stronger sign-in is needed"`
	if acr := d.Contexts(); len(acr) > 0 {
		c += fmt.Sprintf(`, acr_values="%s"`, strings.Join(acr, " "))
	}
	if d.MaxAge > 0 {
		c += fmt.Sprintf(`, max_age="%d"`, d.MaxAge/time.Second)
	}
	return c
}

// stepUpAddress names the lines of the configuration that a fresh sign-in has to
// meet: nothing in it is a caller's to choose.
func stepUpAddress(lines []int) string {
	words := make([]string, len(lines))
	for i, n := range lines {
		words[i] = strconv.Itoa(n)
	}
	return stepUpPath + "/" + strings.Join(words, ",")
}

// serveStepUp begins the fresh sign-in that an answer has named. It leads back to
// the page that the employee came from, if that is one of this site.
func (q *request) serveStepUp(rest string) {
	var demand oidc.Demand
	for word := range strings.SplitSeq(rest, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > len(q.h.StepUps) || strconv.Itoa(n) != word {
			q.notFound()
			return
		}
		demand = demand.And(q.h.StepUps[n-1].demand())
	}
	if q.r.Method != http.MethodGet || len(rest) > 4*len(q.h.StepUps) {
		q.notFound()
		return
	}
	if !q.login() {
		return
	}
	q.beginStepUp(q.cameFrom(), demand)
}

// cameFrom is the page of this site that the request names as its referrer, or
// "/".
func (q *request) cameFrom() string {
	u, err := url.Parse(q.r.Header.Get("Referer"))
	if err != nil || u.Scheme+"://"+u.Host != q.baseURL() {
		return "/"
	}
	return oidc.ReturnTo(u.RequestURI())
}

var textStepUp = text{
	"Für diesen Schritt ist eine frische Anmeldung nötig. Öffnen Sie den Link in einem neuen Tab, melden Sie sich dort an und senden Sie dann hier noch einmal.",
	"This step needs a fresh sign-in. Open the link in a new tab, sign in there, and then send again here.",
}

func textStepUpAt(where string) text {
	return text{
		"Für diesen Schritt ist eine frische Anmeldung nötig. Öffnen Sie " + where + " in einem neuen Tab, melden Sie sich dort an und wiederholen Sie dann hier den Schritt.",
		"This step needs a fresh sign-in. Open " + where + " in a new tab, sign in there, and then repeat the step here.",
	}
}
