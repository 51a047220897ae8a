package gate

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
)

// plain is an answer of the gateway's own that needs no entry: nobody is known.
type plain struct {
	status int
	reason string
	title  page.Text // default: by status
	text   text
	header map[string]string
	link   *page.Link
	login  string // where a 401 can be mended; default "/"
}

// refusal is an answer to an employee; it is an entry first.
type refusal struct {
	status int
	reason string
	text   text
	line   string
	callID string
	access access.Access
}

// isNavigation reports whether a browser shows the answer as a page.
func (q *request) isNavigation() bool {
	if q.batch != nil {
		return false
	}
	if q.r.Method != http.MethodGet && q.r.Method != http.MethodHead && q.r.Method != http.MethodPost {
		return false
	}
	if mode := q.r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return q.r.Header.Get("X-Requested-With") == "" && strings.Contains(q.r.Header.Get("Accept"), "text/html")
}

// answer writes an answer of the gateway's own: a page for a person, problem
// details (RFC 9457) for a program.
func (q *request) answer(p plain) {
	if q.batch != nil {
		p.text = q.named(p.text)
		q.speaker().answer(p)
		return
	}
	h := q.w.Header()
	ownHeaders(h)
	if q.auditID != "" {
		h.Set("Audit-Id", q.auditID)
	}
	for k, v := range p.header {
		h.Set(k, v)
	}
	q.status, q.fault = p.status, p.reason
	if q.isNavigation() {
		q.writePage(p)
		return
	}
	problem := map[string]any{
		"type": "about:blank", "title": http.StatusText(p.status), "status": p.status,
		"detail": p.text.in(q.r.Header.Get("Accept-Language")), "reason": p.reason, "request": q.id,
	}
	if p.status == http.StatusUnauthorized {
		problem["login_url"] = cmp.Or(p.login, q.baseURL()+continuePath)
	}
	raw, err := json.Marshal(problem)
	if err != nil {
		raw = []byte("{}")
	}
	h.Set("Content-Type", "application/problem+json")
	q.write(p.status, raw)
}

func (q *request) writePage(p plain) {
	q.showPage(page.Page{
		Status: p.status, Title: p.title, Text: page.Text{DE: p.text.de, EN: p.text.en},
		Reason: p.reason, Reference: q.reference(), Link: p.link,
	})
}

// showPage writes a page of the gateway's own.
func (q *request) showPage(p page.Page) {
	h := q.w.Header()
	ownHeaders(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", page.ContentSecurityPolicy)
	q.status, p.Notice = p.Status, q.notice()
	q.write(p.Status, page.Render(q.lang(), p))
}

// reference is what a person tells their administrator.
func (q *request) reference() string {
	if q.auditID != "" {
		return q.auditID
	}
	return q.id
}

func (q *request) write(status int, body []byte) {
	if status != http.StatusNoContent && status != http.StatusNotModified && q.r.Method != http.MethodHead {
		q.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	q.w.WriteHeader(status)
	if q.r.Method != http.MethodHead && len(body) > 0 {
		_, _ = q.w.Write(body) // the client may be gone; there is nobody else to tell
	}
}

// ownHeaders are what every answer of the gateway's own carries.
func ownHeaders(h http.Header) {
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Frame-Options", "SAMEORIGIN")
}

// badRequest refuses a request of which nobody can say what the CRM would read
// in it. Where the employee is known it is an entry: somebody may be looking for
// a way around.
func (q *request) badRequest(err error) {
	reason, t := "bad_request", textAmbiguous
	if ce, ok := asCanonError(err); ok {
		reason, t.en = string(ce.Reason), ce.Text
	}
	if s, err := q.lookup(); err == nil {
		q.employee = q.known(s)
		e := q.entry(audit.Intent)
		e.Decision = &audit.Decision{Refused: true, Reason: reason, Policy: q.h.policy.Version()}
		rec, ok := q.append(e)
		if !ok {
			q.unavailable("log")
			return
		}
		q.auditID = rec.String()
	}
	q.answer(plain{status: http.StatusBadRequest, reason: reason, text: t})
}

// unavailable says that nothing was forwarded because it couldn't be logged.
func (q *request) unavailable(reason string) int {
	q.answer(plain{
		status: http.StatusServiceUnavailable, reason: reason, text: textStarting,
		header: map[string]string{"Retry-After": "2"},
	})
	return http.StatusServiceUnavailable
}

// undisclosed says that the CRM has answered, and that nobody can be shown what,
// because it couldn't be logged.
func (q *request) undisclosed() {
	t := textUndisclosed
	if q.saves() {
		t = t.and(textPerhapsSaved)
	}
	q.answer(plain{status: http.StatusServiceUnavailable, reason: "log", text: t})
}

// saves reports whether the CRM may have changed something for the request.
func (q *request) saves() bool {
	if q.parts != nil {
		return slices.ContainsFunc(q.parts, (*request).saves)
	}
	return q.r.Method != http.MethodGet && q.r.Method != http.MethodHead
}

// refuse writes an entry and then the answer, in the CRM's own shape where its
// client would understand nothing else.
func (q *request) refuse(r refusal) {
	e := q.entry(audit.Intent)
	e.Decision = &audit.Decision{Refused: true, Reason: r.reason, Line: r.line, Policy: q.h.policy.Version()}
	if q.x != nil {
		e.Accesses = q.x.Accesses
	} else if r.access.Route != "" || r.access.Call != "" {
		e.Accesses = []access.Access{r.access}
	}
	rec, ok := q.append(e)
	if !ok {
		q.unavailable("log")
		return
	}
	q.auditID = rec.String()
	q.sayNo(r)
}

// sayNo answers a refusal that is logged already.
func (q *request) sayNo(r refusal) {
	if q.batch != nil {
		r.text = q.named(r.text)
		q.speaker().sayNo(r)
		return
	}
	id := r.callID
	if q.x != nil {
		id = q.x.RequestID()
	}
	if id == "" {
		id = "null"
	}
	lang := q.r.Header.Get("Accept-Language")
	if q.shaped(r.status) {
		if a, ok := q.h.profile.ShapesAt(q.c.Method, q.c.Path).Refuse(q.shapedStatus(r.status), r.text.in(lang), id); ok {
			q.writeShaped(a.Status, a.Headers, a.Body, r.reason)
			return
		}
	}
	status := r.status
	if status == 0 {
		status = http.StatusForbidden
	}
	q.answer(plain{status: status, reason: r.reason, text: r.text, link: q.toDesk()})
}

// shapedStatus is the status of a refusal in the CRM's own shape; 0 for the
// shape's. That of a remote call is the shape's always: its client looks at the
// body alone.
func (q *request) shapedStatus(status int) int {
	if q.h.profile.IsCall(q.c.Method, q.c.Path) {
		return 0
	}
	return status
}

// shaped reports whether the refusal goes out in the CRM's own shape: the
// client of a remote call, or of an API, understands nothing else. Faults of the
// request itself keep their own status, so that those of a remote call have no shape.
func (q *request) shaped(status int) bool {
	if !q.h.profile.IsCall(q.c.Method, q.c.Path) {
		return q.h.profile.ShapesRoutes() && !q.isNavigation()
	}
	switch status {
	case http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusRequestEntityTooLarge, http.StatusNotImplemented:
		return false
	}
	return true
}

func (q *request) writeShaped(status int, headers map[string]string, body []byte, reason string) {
	if q.batch != nil {
		q.speaker().writeShaped(status, headers, body, reason)
		return
	}
	h := q.w.Header()
	ownHeaders(h)
	if q.auditID != "" {
		h.Set("Audit-Id", q.auditID)
	}
	for k, v := range headers {
		h.Set(k, v)
	}
	q.status, q.fault = status, reason
	q.write(status, body)
}

// refuseImage answers with a neutral picture: a broken one would look like a
// fault.
func (q *request) refuseImage() {
	e := q.entry(audit.Intent)
	e.Accesses = q.x.Accesses
	e.Decision = &audit.Decision{Refused: true, Reason: q.decision.Reason, Line: q.decision.Line, Policy: q.h.policy.Version()}
	rec, ok := q.append(e)
	if !ok {
		q.unavailable("log")
		return
	}
	q.auditID = rec.String()
	q.writeShaped(http.StatusOK, map[string]string{"Content-Type": "image/png"}, page.NeutralImage, q.decision.Reason)
}

func (q *request) isOwn() bool {
	return q.c.Path == ownPrefix || strings.HasPrefix(q.c.Path, ownPrefix+"/")
}

const ownPrefix = "/.crmgate"
