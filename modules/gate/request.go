package gate

import (
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/session"
)

// request is one request on its way through the gate.
type request struct {
	h    *Handler
	o    *opened
	w    http.ResponseWriter
	r    *http.Request
	next caddyhttp.Handler

	id      string // UUIDv7, shared by the request's entries
	start   time.Time
	https   bool
	ip      string
	c       *canon.Canonical
	cookies session.Cookies
	// presented are the credentials of machines: see machines.presented.
	presented []string

	employee *employee
	crmUser  string // keyed; where the CRM's session tells it
	body     []byte
	media    string
	// soapActions are what names a SOAP operation outside of the body.
	soapActions []string
	x           *profile.Exchange
	narrowed    bool
	// first is what was asked by the request that this one goes on from; nil as a rule.
	first    *asked
	decision access.Decision
	intent   audit.Receipt
	// batch is the request that carries this one, and number its place there, from 1;
	// parts are those that this one carries.
	batch      *request
	number, of int
	parts      []*request
	// kept are the headers with which a part is forwarded.
	kept http.Header
	// collected says what was entered that must not be: see forbid.go.
	collected string
	// raised are the alarms of this request: see canary.go.
	raised raised
	// changing is what is known of what it changes: see changes.go.
	changing changing
	// shows is what is revealed to the employee; nil until somebody asks.
	shows  *revealing
	looked lookedUp

	// For the line in the process log.
	route   string
	status  int
	auditID string
	fault   string
}

// employee is who is signed in, or the machine that calls.
type employee struct {
	session session.Session
	// machine is its name, "" for an employee. A machine has no session: what
	// stands in session is its identity alone.
	machine string
	// The employee's and the session's names in the log, from the first entry
	// on: see request.entry.
	pseudonym, log string
}

func (e *employee) roles() []string { return e.session.Identity.Roles }

// ServeHTTP takes a request along the whole way. It answers every error itself
// and writes a line of its own to the process log: Caddy's would hold the
// address with its query, and the CRM's errors.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	caddyhttp.SetVar(r.Context(), caddyhttp.LogSkipVar, true)
	q := &request{h: h, w: w, r: r, next: next, start: time.Now(), o: h.opened.Load()}
	id, err := uuid.NewV7()
	if err != nil {
		return q.finish(q.unavailable("no_random"))
	}
	q.id = id.String()
	defer q.logLine()
	q.serve()
	return nil
}

func (q *request) finish(int) error { q.logLine(); return nil }

// serve is the way of a request (DESIGN, chapter 4).
func (q *request) serve() {
	if q.o == nil {
		q.unavailable("starting")
		return
	}
	if q.observing() {
		q.w.Header().Set(observeHeader, "until "+q.h.Observe.Until)
	}
	if !q.hygiene() || !q.machine() {
		return
	}
	if q.isOwn() {
		q.serveOwn()
		return
	}
	if q.cors() {
		return
	}
	if q.isPublic() {
		q.public()
		return
	}
	if !q.login() || !q.introducible() || !q.ownCRMSession() {
		return
	}
	if q.observing() {
		q.observe()
		return
	}
	if !q.classify() {
		return
	}
	if !q.rulesKnown() || !q.stepUp() {
		return
	}
	if q.x.Pass {
		q.pass()
		return
	}
	if q.x.Batch() != nil {
		q.serveBatch()
		return
	}
	if !q.decide() || q.stopped() {
		return
	}
	if !q.logIntent() {
		return
	}
	if !q.restore() {
		return
	}
	q.forward()
}

// hygiene makes the request canonical and takes out of it what only the
// gateway may say.
func (q *request) hygiene() bool {
	q.https = q.r.TLS != nil || q.trustedHTTPS()
	q.cookies = session.Cookies{Plain: !q.https}
	q.ip, _ = caddyhttp.GetVar(q.r.Context(), caddyhttp.ClientIPVarKey).(string)
	opts := q.h.canon
	opts.HTTPS = q.https
	c, err := canon.Request(q.r, opts)
	if err != nil {
		q.badRequest(err)
		return false
	}
	q.c = c
	c.Apply(q.r)
	// php_fastcgi takes REQUEST_URI from this copy: it has to be what was judged.
	q.r = q.r.WithContext(context.WithValue(q.r.Context(), caddyhttp.OriginalRequestCtxKey, *q.r))
	q.presented = q.h.machines.presented(q.r.Header)
	canon.StripHeaders(q.r.Header, q.h.own)
	if !q.https && q.h.PlainHTTP == "" && !loopback(c.Host) {
		q.answer(plain{status: http.StatusForbidden, reason: "plain_http", text: textPlainHTTP})
		return false
	}
	return true
}

// trustedHTTPS reports whether a proxy that Caddy trusts says that the client
// speaks https.
func (q *request) trustedHTTPS() bool {
	trusted, _ := caddyhttp.GetVar(q.r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	return trusted && strings.EqualFold(q.r.Header.Get("X-Forwarded-Proto"), "https")
}

func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// baseURL is the site's own address as the client spells it.
func (q *request) baseURL() string {
	scheme := "http"
	if q.https {
		scheme = "https"
	}
	return scheme + "://" + q.c.Host
}

// classify reads the request's body and asks the profile.
func (q *request) classify() bool {
	session.Strip(q.r.Header)
	if no := q.inAdvance(); no != nil {
		q.refuse(*no)
		return false
	}
	if no := q.readBody(); no != nil {
		q.refuse(*no)
		return false
	}
	return q.ask(q.body)
}

// ask classifies the request with the given body.
func (q *request) ask(body []byte) bool {
	x, err := q.h.profile.Classify(q.asProfile(q.c, body))
	var no *profile.Refusal
	switch {
	case errors.As(err, &no):
		q.route = no.Route
		at := access.Access{Route: no.Route, Call: no.Call}
		if no.Reason == "unknown_route" {
			at.Route = q.unknownRoute()
		}
		q.refuse(refusal{status: no.Status, reason: no.Reason, text: profileText(no), callID: no.ID, access: at})
		return false
	case err != nil:
		q.h.logger.Error("classifying", zap.String("request", q.id), zap.Error(err))
		q.refuse(refusal{status: http.StatusBadGateway, reason: "profile", text: textFault})
		return false
	}
	x, refused := q.resume(x)
	if refused == nil {
		refused = q.keepable(x, body)
	}
	if refused != nil {
		q.refuse(*refused)
		return false
	}
	x.User, x.Wants = q.employee.session.Identity.User, q.h.wanted()
	q.route = x.Route
	if no := q.judgeUpgrade(x); no != nil {
		q.refuse(*no)
		return false
	}
	q.x, q.body = x, body
	return true
}

// asProfile is the request as profiles see it, with the given address and body.
func (q *request) asProfile(c *canon.Canonical, body []byte) profile.Request {
	r := profile.Request{
		Method: c.Method, Path: c.Path, Query: params(c.Query), MediaType: q.media, ContentType: q.r.Header.Get("Content-Type"),
		SOAPActions: q.soapActions, Body: body,
	}
	if q.batch != nil {
		r.Batch, r.Part = q.batch.x.Batch(), q.number-1
	}
	return r
}

// inAdvance refuses what a browser asks for without its person: pages that they
// may open next, and scripts that would keep answers for them.
func (q *request) inAdvance() *refusal {
	if strings.HasPrefix(q.r.Header.Get("Sec-Purpose"), "prefetch") || strings.EqualFold(q.r.Header.Get("Purpose"), "prefetch") {
		return &refusal{status: http.StatusForbidden, reason: "prefetch", text: textPrefetch}
	}
	if q.r.Header.Get("Service-Worker") == "script" {
		return &refusal{status: http.StatusForbidden, reason: "service_worker", text: textServiceWorker}
	}
	return nil
}

func params(in []canon.Param) []profile.Param {
	out := make([]profile.Param, len(in))
	for i, p := range in {
		out[i] = profile.Param{Name: p.Name, Value: p.Value}
	}
	return out
}

// readBody reads the request's body and its type, or says why not. A coded body,
// or one in another charset than UTF-8, is not judged and so not forwarded.
func (q *request) readBody() *refusal {
	if enc := q.r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return &refusal{status: http.StatusUnsupportedMediaType, reason: "request_coding", text: textRequestCoding}
	}
	body, err := io.ReadAll(io.LimitReader(q.r.Body, q.h.RequestLimit+1))
	if err != nil {
		return &refusal{status: http.StatusBadRequest, reason: "request_body", text: textRequestBody}
	}
	if int64(len(body)) > q.h.RequestLimit {
		return &refusal{status: http.StatusRequestEntityTooLarge, reason: "request_limit", text: textRequestLimit}
	}
	q.body = body
	return q.readMediaType()
}

func (q *request) readMediaType() *refusal {
	ct := q.r.Header.Values("Content-Type")
	if len(ct) == 0 {
		return nil
	}
	media, params, err := mime.ParseMediaType(ct[0])
	charset := strings.ToLower(params["charset"])
	if err != nil || len(ct) > 1 || (charset != "" && charset != "utf-8" && charset != "utf8") {
		return &refusal{status: http.StatusUnsupportedMediaType, reason: "type", text: textRequestType}
	}
	q.media = media
	q.soapActions = append(slices.Clone(q.r.Header.Values("Soapaction")), params["action"])
	return nil
}

// decide asks the policy. A search that asks about more than may be known is
// narrowed to what may, and judged anew as if it had come so.
func (q *request) decide() bool {
	if !q.withinSearchRate() {
		return false
	}
	for range 2 {
		d, err := q.h.policy.Decide(q.employee.roles(), q.x.Accesses)
		if err != nil {
			q.h.logger.Error("deciding", zap.String("request", q.id), zap.Error(err))
			q.refuse(refusal{reason: "undecided", text: textFault})
			return false
		}
		q.decision = d
		if !d.Refused {
			return q.mayByAge()
		}
		if !d.Narrow || !q.narrow() {
			break
		}
	}
	if q.x.Image && q.batch == nil {
		q.refuseImage()
		return false
	}
	q.refuse(refusal{reason: q.decision.Reason, text: decisionText(q.decision), line: q.decision.Line})
	return false
}

// narrow replaces the request by the narrowed one, classified anew.
func (q *request) narrow() bool {
	plan, err := q.h.plan(q.employee.roles(), q.x.Accesses[0].Action)
	if err != nil {
		return false
	}
	n, ok := q.x.Narrow(func(e access.Entity, c access.Category) bool {
		_, clear := plan.AlwaysClear(e, c)
		return clear
	})
	if !ok {
		return false
	}
	c := *q.c
	for _, p := range n.Query {
		c.Query = append(slices.Clone(c.Query), canon.Param{Name: p.Name, Value: p.Value})
		c.RawQuery += "&" + url.QueryEscape(p.Name) + "=" + url.QueryEscape(p.Value)
	}
	x, err := q.h.profile.Classify(q.asProfile(&c, n.Body))
	if err != nil {
		return false
	}
	x.User, x.Wants = q.employee.session.Identity.User, q.h.wanted()
	q.x, q.body, q.c, q.narrowed = x, n.Body, &c, true
	c.Apply(q.r)
	return true
}

// logLine is the request's line in the process log: no address, no header, no
// value.
func (q *request) logLine() {
	if q.fault != "" {
		q.h.metrics.Refused(q.fault)
	}
	q.h.logger.Info("request",
		zap.String("request", q.id), zap.String("route", q.route), zap.Int("status", q.status),
		zap.Duration("duration", time.Since(q.start)), zap.String("audit_id", q.auditID), zap.String("fault", q.fault))
}
