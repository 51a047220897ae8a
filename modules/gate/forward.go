package gate

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/session"
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
	err := q.run(resp, q.r)
	if rel.streaming() {
		rel.endStream(err)
		return
	}
	switch {
	case errors.Is(err, errHold) || errors.Is(resp.err, errHold):
		rel.withhold("hold", textHold)
	case err != nil || resp.status == 0:
		if err != nil {
			q.h.logger.Warn("the CRM did not answer", zap.String("request", q.id), zap.String("audit_id", q.auditID), zap.String("error", faultOf(err)))
		}
		rel.withhold("crm", textCRMDown)
	default:
		rel.held()
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
	q.quiet(r)
}

// quiet keeps personal data out of Caddy's debug log, which prints RequestURI
// and headers of every upstream round trip. The proxy itself uses r.URL.
func (q *request) quiet(r *http.Request) {
	r.RequestURI = "/"
	if ref := r.Header.Get("Referer"); ref != "" && q.h.logger.Core().Enabled(zap.DebugLevel) {
		if u, err := url.Parse(ref); err == nil {
			u.RawQuery, u.Fragment = "", ""
			r.Header.Set("Referer", u.String())
		}
	}
}

// run calls the next handler. An aborted copy panics; to the gate that is an
// error like any other.
func (q *request) run(w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if e, ok := v.(error); !ok || !errors.Is(e, http.ErrAbortHandler) {
				panic(v)
			}
			err = http.ErrAbortHandler
		}
	}()
	return q.next.ServeHTTP(w, r)
}

// faultOf names an error of the next handler without its text, which can hold
// the request's address.
func faultOf(err error) string {
	if errors.Is(err, http.ErrAbortHandler) {
		return "aborted"
	}
	return "failed"
}

// pass forwards a request without personal data. There is nothing to mask and
// no entry.
func (q *request) pass() {
	q.prepare(q.r, q.body)
	p := &passing{w: q.w, strip: func(h http.Header) { canon.StripSetCookies(h, session.Own) }}
	err := q.run(p, q.r)
	q.status = p.status
	switch {
	case err == nil:
	case p.status == 0:
		q.answer(plain{status: http.StatusBadGateway, reason: "crm", text: textCRMDown})
	default:
		q.fault = "crm"
		panic(http.ErrAbortHandler) // the client must not take half an answer for a whole one
	}
}
