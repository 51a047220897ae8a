package gate

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/doc/coding"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/session"
)

// errGone says that the record isn't in the CRM any more.
var errGone = errors.New("the record isn't in the CRM")

// ownAnswer is what the CRM answered to a request of the gateway's own.
type ownAnswer struct {
	status int
	body   []byte
	// audit is the place of its intent in the log.
	audit string
}

// own sends a request of the gateway's own for one record, in the CRM session of this
// employee: with an intent before it and a disclosure after it. Nothing of its answer is
// released.
func (q *request) own(o *profile.Own, why string) (ownAnswer, error) {
	e := q.entry(audit.Intent)
	e.Detail, e.Accesses = why, o.Exchange.Accesses
	e.Decision = &audit.Decision{Policy: q.h.policy.Version()}
	intent, ok := q.append(e)
	if !ok {
		return ownAnswer{}, errLog
	}
	resp := newResponse(q.h.Hold)
	err := q.run(resp, q.ownRequest(o.Request))
	a := ownAnswer{status: resp.status, audit: intent.String()}
	done := q.entry(audit.Disclosure)
	done.Intent, done.Status, done.Disclosure = intent.Seq, resp.status, &access.Disclosure{}
	done.Detail = "nothing of it was released"
	if _, ok := q.append(done); !ok {
		return a, errLog
	}
	switch {
	case resp.err != nil:
		return a, resp.err
	case err != nil || resp.status == 0:
		return a, errors.New("the CRM did not answer")
	}
	dec, err := coding.Decode(&resp.held, contentEncoding(resp.header), q.h.Hold)
	if err != nil {
		return a, err
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(dec); err != nil {
		return a, err
	}
	a.body = body.Bytes()
	return a, nil
}

// ownRequest is the employee's request with another target and body.
func (q *request) ownRequest(req profile.StoredRequest) *http.Request {
	r := q.r.Clone(q.r.Context())
	canon.MaskedRoute(r.Header)
	session.Strip(r.Header)
	r.Method = req.Method
	r.URL = &url.URL{Path: req.Path, RawQuery: req.Query}
	for name := range r.Header {
		switch http.CanonicalHeaderKey(name) {
		case "Content-Type", "Content-Length", "Expect", "If-Match", "If-Unmodified-Since", "Upgrade", "Connection", "Prefer":
			delete(r.Header, name)
		}
	}
	r.Header.Set("Accept", "application/json")
	r.Form, r.PostForm, r.MultipartForm = nil, nil, nil
	if req.MediaType != "" {
		r.Header.Set("Content-Type", req.MediaType)
	}
	q.prepare(r, req.Body)
	// php_fastcgi takes the address from this copy.
	return r.WithContext(context.WithValue(r.Context(), caddyhttp.OriginalRequestCtxKey, *r))
}
