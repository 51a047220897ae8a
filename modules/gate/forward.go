package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/canon"
)

// codings are the content codings that the gate takes off.
var codings = []string{"gzip", "br", "zstd", "deflate"}

// forward sends the judged request to the CRM and releases the answer.
func (q *request) forward() {
	canon.MaskedRoute(q.r.Header, codings...)
	q.prepare(q.r, q.body)
	resp := newResponse(q.h.Hold)
	rel := &release{q: q, resp: resp}
	if q.x.Stream != "" {
		rel.stream()
	}
	run := q.run
	if q.x.Stream != "" {
		run = q.runGuarded
	}
	err := run(resp, q.r)
	if rel.streaming() {
		rel.endStream(err)
		return
	}
	q.answered(rel, resp, err)
}

// releasing is what becomes of an answer that was held: that of one request, or of a
// batch.
type releasing interface {
	held()
	fault(err error)
	withhold(reason string, t text)
}

// answered releases a held answer, or withholds it.
func (q *request) answered(rel releasing, resp *response, err error) {
	switch {
	case errors.Is(err, errSessionEnded) || !q.stillSame():
		rel.withhold("session_ended", textSessionEnded)
	case resp.err != nil:
		rel.fault(resp.err) // the gate's own, which is why the CRM's answer was cut
	case err != nil || resp.status == 0:
		q.h.logger.Warn("the CRM did not answer", zap.String("request", q.id), zap.String("audit_id", q.auditID), zap.String("error", faultOf(err)))
		rel.withhold("crm", textCRMDown)
	default:
		rel.held()
		q.sawDeletion(resp.status)
	}
}

// prepare makes the request that is forwarded the one that was judged.
func (q *request) prepare(r *http.Request, body []byte) {
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	if len(body) == 0 && r.Header.Get("Content-Length") == "" {
		r.Body = http.NoBody
	}
	r.TransferEncoding = nil
	if r.Header.Get("Content-Length") != "" {
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	q.prepareHeader(r)
}

// prepareHeader is prepare for a request whose body goes on as it comes.
func (q *request) prepareHeader(r *http.Request) {
	q.nobodysRequest(r)
	q.introduce(r)
	q.quiet(r)
}

// quiet keeps personal data out of Caddy's debug log, which prints RequestURI
// and headers of every upstream round trip. The proxy itself uses r.URL.
func (q *request) quiet(r *http.Request) {
	r.RequestURI = "/"
	if ref := r.Header.Get("Referer"); ref != "" && q.h.proxy.Core().Enabled(zap.DebugLevel) {
		if u, err := url.Parse(ref); err == nil {
			u.RawQuery, u.Fragment = "", ""
			r.Header.Set("Referer", u.String())
		}
	}
}

// run calls the next handler. A copy that was aborted panics, as does a faulty
// module; to the gate both are errors like any other: the request has an intent
// that must be closed. What a panic says may quote the request.
func (q *request) run(w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		err = http.ErrAbortHandler
		if e, ok := v.(error); ok && errors.Is(e, http.ErrAbortHandler) {
			return
		}
		q.h.logger.Error("the handler behind the gate panicked", zap.String("request", q.id),
			zap.String("type", fmt.Sprintf("%T", v)), zap.StackSkip("stack", 2))
	}()
	return q.next.ServeHTTP(w, r)
}

// faultOf names an error of the next handler without its text, which can hold
// the request's address.
func faultOf(err error) string {
	if err == nil {
		return "empty"
	}
	if errors.Is(err, http.ErrAbortHandler) {
		return "aborted"
	}
	return "failed"
}

// pass forwards a request without personal data. There is nothing to mask and
// no entry.
func (q *request) pass() {
	if s := q.issuer(); s != nil {
		q.passIssuer(s)
		return
	}
	if q.x.HasLinks() {
		q.passLinks()
		return
	}
	q.prepare(q.r, q.body)
	p := q.passTo()
	var w http.ResponseWriter = p
	u := &upgrading{passing: p, q: q}
	if q.c.Upgrade != "" {
		w = u
	}
	err := q.runGuarded(w, q.r)
	q.status = p.status
	if u.guard != nil && u.guard.end() {
		q.fault = "session_ended"
		return
	}
	switch {
	case err == nil && p.status != 0:
	case p.status == 0:
		q.answer(plain{status: http.StatusBadGateway, reason: "crm", text: textCRMDown})
	default:
		q.fault = "crm"
		panic(http.ErrAbortHandler) // the client must not take half an answer for a whole one
	}
}
