package gate

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/session"
)

// watchedRequest is a request of a site that only observes.
type watchedRequest struct {
	*request
	// would is the closed word for why the request would be refused, "" where it
	// wouldn't; at is what was understood of it all the same.
	would, line string
	at          *access.Access
	// large is a body that isn't held: only its beginning was read.
	large bool
}

// observeHeader says on every answer that the site only records.
const observeHeader = "X-Crmgate-Observe"

// observing reports whether the site only records. Somebody who is explained is
// shown what will be enforced.
func (q *request) observing() bool { return q.h.observing() && q.o != nil && q.o.masked == nil }

// notice says on every page of the gateway's own that the site only records.
func (q *request) notice() page.Text {
	if !q.observing() {
		return page.Text{}
	}
	return page.Text{
		DE: "Beobachtungsbetrieb bis " + q.h.Observe.Until + ": Es wird nichts maskiert und nichts verweigert.",
		EN: "Observing until " + q.h.Observe.Until + ": nothing is masked and nothing refused.",
	}
}

// observe takes a request along the way without masking and refusing: what would
// be done is in its entries, which are durable before anything is forwarded or
// released, as ever. A switch of protocols stays refused where it is not
// described: nobody could say what was said.
func (q *request) observe() {
	o := &watchedRequest{request: q}
	session.Strip(q.r.Header)
	if no := q.inAdvance(); no != nil {
		o.would = no.reason
	}
	if !o.read() {
		return
	}
	if o.would == "" && !o.classify() {
		return
	}
	if q.c.Upgrade != "" && q.x == nil {
		q.refuse(refusal{status: http.StatusForbidden, reason: "upgrade", text: textUpgrade})
		return
	}
	if !q.rulesKnown() {
		return
	}
	if q.x != nil {
		if !o.classifyParts() || !q.stepUp() {
			return
		}
		if q.x.Pass {
			q.pass()
			return
		}
		o.decide()
	}
	if o.masks() {
		return
	}
	if o.logIntent() {
		o.forward()
	}
}

// masks refuses what holds a mask: it comes from a page that was open when the site
// still enforced, and would be saved as it is.
func (o *watchedRequest) masks() bool {
	names := masksIn(o.document())
	if len(names) == 0 && !mask.IsPlaceholder(string(o.body)) {
		return false
	}
	all := strings.Join(names, ", ")
	o.refuse(refusal{status: http.StatusUnprocessableEntity, reason: "writes_masked", text: text{textWrites.de + all, textWrites.en + all}})
	return true
}

// read reads the request's body as far as it may be held; it reports false where
// the client gave up.
func (o *watchedRequest) read() bool {
	limit := o.h.RequestLimit
	body, err := io.ReadAll(io.LimitReader(o.r.Body, limit+1))
	if err != nil {
		o.refuse(refusal{status: http.StatusBadRequest, reason: "request_body", text: textRequestBody})
		return false
	}
	o.body = body
	switch enc := o.r.Header.Get("Content-Encoding"); {
	case int64(len(body)) > limit:
		o.large, o.would = true, "request_limit"
	case enc != "" && enc != "identity":
		o.would = "request_coding"
	default:
		if no := o.readMediaType(); no != nil {
			o.would = no.reason
		}
	}
	return true
}

// classify asks the profile. What it doesn't know is no request of its.
func (o *watchedRequest) classify() bool {
	x, err := o.h.profile.Classify(o.asProfile(o.c, o.body))
	var no *profile.Refusal
	switch {
	case errors.As(err, &no):
		o.route, o.would, o.at = no.Route, no.Reason, &access.Access{Route: no.Route, Call: no.Call}
		return true
	case err != nil:
		o.h.logger.Error("classifying", zap.String("request", o.id), zap.Error(err))
		o.would = "profile"
		return true
	}
	x, refused := o.resume(x)
	if refused == nil {
		refused = o.keepable(x, o.body)
	}
	if refused != nil {
		o.would, o.at = refused.reason, &refused.access
		return true
	}
	x.User = o.employee.session.Identity.User
	o.route = x.Route
	if no := o.judgeUpgrade(x); no != nil {
		o.refuse(*no)
		return false
	}
	o.x = x
	return true
}

// decide asks the policy. The answer of a request that it refuses is judged by
// what the roles see where they read.
func (o *watchedRequest) decide() {
	d, err := o.h.policy.Decide(o.employee.roles(), o.x.Accesses)
	if err != nil {
		o.h.logger.Error("deciding", zap.String("request", o.id), zap.Error(err))
		o.would = "undecided"
		return
	}
	o.decision = d
	if d.Refused {
		o.would, o.line = d.Reason, d.Line
		o.decision.Plan, _ = o.h.plan(o.employee.roles(), access.Read) // nil: nobody can say what would be masked
	}
}

func (o *watchedRequest) logIntent() bool {
	e := o.entry(audit.Intent)
	e.Decision = &audit.Decision{Refused: o.would != "", Observe: o.would != "", Reason: o.would, Line: o.line, Policy: o.h.policy.Version()}
	switch {
	case o.x != nil:
		e.Accesses = o.x.Accesses
	case o.would == "unknown_route" || o.would == "denied" || o.at == nil:
		e.Accesses = []access.Access{{Route: o.h.drift.names.Template(o.c.Path)}}
	default:
		e.Accesses = []access.Access{*o.at}
	}
	rec, ok := o.append(e)
	if !ok {
		o.unavailable("log")
		return false
	}
	o.intent, o.auditID = rec, rec.String()
	return true
}

// forward sends the request to the CRM as it came, but for what would make its
// answer one that can't be read: a part, or the news that nothing changed.
func (o *watchedRequest) forward() {
	canon.MaskedRoute(o.r.Header, codings...)
	if o.large {
		o.prepareHeader(o.r)
		o.r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(o.body), o.r.Body))
	} else {
		o.prepare(o.r, o.body)
	}
	w := &watched{response: newResponse(o.h.Hold), o: o}
	err := o.runGuarded(w, o.r)
	rel := &release{q: o.request, resp: w.response}
	switch {
	case w.released && (err != nil || w.err != nil):
		o.fault = "cut"
		panic(http.ErrAbortHandler) // the client must not take half an answer for a whole one
	case w.released:
	case errors.Is(err, errSessionEnded) || !o.stillSame():
		rel.withhold("session_ended", textSessionEnded)
	case errors.Is(w.err, errLog):
		o.undisclosed()
	case err != nil || w.status == 0:
		rel.withhold("crm", textCRMDown)
	default:
		w.judge(rel)
	}
}
