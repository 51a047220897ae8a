package gate

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/rules"
)

// rulesForm is the longest form of the rules in bytes.
const rulesForm = 32 << 10

// serveRules shows the rules, and takes the answers to their questions.
func (q *request) serveRules() {
	if q.o.rules == nil {
		q.notFound()
		return
	}
	q.route = "rules"
	if !q.login() {
		return
	}
	reads := q.r.Method == http.MethodGet || q.r.Method == http.MethodHead
	switch {
	case q.employee.machine != "":
		q.notFound()
	case reads:
		q.showRules(http.StatusOK, q.queried(rules.FieldLang), rules.Page{ReturnTo: wayBack(q.queried(rules.FieldReturnTo)), Print: q.c.Path == rules.PrintPath})
	case q.r.Method == http.MethodPost && q.c.Path == rules.Path:
		q.answerRules()
	default:
		allow := "GET, HEAD, POST"
		if q.c.Path == rules.PrintPath {
			allow = "GET, HEAD"
		}
		q.answer(plain{status: http.StatusMethodNotAllowed, reason: "not_found", text: textRequestBody, header: map[string]string{"Allow": allow}})
	}
}

// queried is a parameter of the address.
func (q *request) queried(name string) string {
	for _, p := range q.c.Query {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// wayBack is a path of this site, and none that leads here.
func wayBack(raw string) string {
	to := oidc.ReturnTo(raw)
	if u, err := url.Parse(to); err != nil || u.Path == rules.Path || u.Path == rules.PrintPath {
		return "/"
	}
	return to
}

// showRules shows the rules, with the questions for whom they wait.
func (q *request) showRules(status int, lang string, p rules.Page) {
	if lang != rules.German && lang != rules.English {
		lang = q.lang()
	}
	k, known, ok := q.acknowledged()
	if !ok {
		return
	}
	switch {
	case known:
		p.Known, p.Until = &k, q.o.rules.Until(k)
	case q.rulesConcern():
		p.Sheet = q.sheet()
	}
	p.Notice = q.notice()
	body, policy := q.h.HouseRules.loaded.Render(lang, p)
	h := q.w.Header()
	ownHeaders(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	q.status = status
	q.write(status, body)
}

// sheet are the questions as this session sees them.
func (q *request) sheet() *rules.Sheet {
	return q.h.HouseRules.loaded.Sheet(q.o.rulesKey, q.employee.session.Ref())
}

// answerRules takes the answers. Only who has answered all questions of the version in
// force rightly has acknowledged it: the entry is durable before that is noted, and
// both before anything opens. Wrong answers are explained, and kept nowhere.
func (q *request) answerRules() {
	if !q.sameOrigin() {
		q.answer(plain{status: http.StatusForbidden, reason: "cross_site", text: textCrossSite})
		return
	}
	form, ok := q.rulesAnswers()
	if !ok {
		q.answer(plain{status: http.StatusBadRequest, reason: "request_body", text: textRequestBody})
		return
	}
	back, lang := wayBack(form.Get(rules.FieldReturnTo)), form.Get(rules.FieldLang)
	p := rules.Page{ReturnTo: back}
	switch _, known, ok := q.acknowledged(); {
	case !ok:
		return
	case known:
		q.onward(back)
		return
	case !q.rulesConcern():
		q.showRules(http.StatusOK, lang, p)
		return
	}
	if form.Get(rules.FieldVersion) != q.h.HouseRules.loaded.Version() {
		p.Changed = true
		q.showRules(http.StatusConflict, lang, p)
		return
	}
	if p.Verdict = q.sheet().Judge(form); !p.Verdict.AllRight() {
		q.showRules(http.StatusUnprocessableEntity, lang, p)
		return
	}
	if q.acknowledge(lang) {
		q.onward(back)
	}
}

// rulesAnswers reads the form.
func (q *request) rulesAnswers() (url.Values, bool) {
	q.r.Body = http.MaxBytesReader(q.w, q.r.Body, rulesForm)
	if no := q.readBody(); no != nil || q.media != "application/x-www-form-urlencoded" {
		return nil, false
	}
	form, err := url.ParseQuery(string(q.body))
	if err != nil {
		return nil, false
	}
	for _, once := range []string{rules.FieldVersion, rules.FieldLang, rules.FieldReturnTo} {
		if len(form[once]) > 1 {
			return nil, false
		}
	}
	return form, slices.Contains([]string{rules.German, rules.English}, form.Get(rules.FieldLang))
}

// acknowledge writes the acknowledgement down, and notes it. Where it can't it has
// answered.
func (q *request) acknowledge(lang string) bool {
	version := q.h.HouseRules.loaded.Version()
	e := q.entry(audit.Control)
	e.Event, e.Detail = audit.RulesKnown, "version "+version+", language "+lang
	rec, ok := q.append(e)
	if !ok {
		q.unavailable("log")
		return false
	}
	q.auditID = rec.String()
	if _, err := q.o.rules.Acknowledge(context.WithoutCancel(q.r.Context()), q.person(), q.pseudonym(), lang); err != nil {
		q.rulesDown(err)
		return false
	}
	return true
}

// onward leads where the employee wanted to go. A page does that better than a redirect:
// it brings back what stood behind #, and the form's policy reaches no further.
func (q *request) onward(to string) {
	ownHeaders(q.w.Header())
	if q.auditID != "" {
		q.w.Header().Set("Audit-Id", q.auditID)
	}
	if q.runsScripts() {
		q.arrive(to)
		return
	}
	q.backTo(to)
}
