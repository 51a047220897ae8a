package gate

import (
	"maps"
	"net/http"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
)

// passLeadingBack forwards a request whose answer holds no personal data, but
// addresses by which a client would go around the gateway: a sign-in's.
func (q *request) passLeadingBack() {
	canon.MaskedRoute(q.r.Header, codings...)
	q.prepare(q.r, q.body)
	resp := newResponse(q.h.Hold)
	if err := q.run(resp, q.r); err != nil || resp.err != nil || resp.status == 0 {
		q.answer(plain{status: http.StatusBadGateway, reason: "crm", text: textCRMDown})
		return
	}
	l := &release{q: q, resp: resp}
	body, err := l.leadBack()
	if err != nil {
		q.h.logger.Warn("the CRM's answer was withheld", zap.String("request", q.id), zap.Error(err))
		reason, t := faultReason(err)
		q.answer(plain{status: http.StatusBadGateway, reason: reason, text: t})
		return
	}
	p := q.passTo()
	maps.Copy(p.Header(), resp.header)
	p.Header().Del("Content-Encoding")
	p.Header().Del("Content-Length")
	p.Header().Set("Cache-Control", "no-store")
	p.WriteHeader(resp.status)
	_, _ = p.Write(body) // the client may be gone
	q.status = resp.status
}

// leadBack is the answer with addresses of this site in it.
func (l *release) leadBack() ([]byte, error) {
	body, err := l.decode()
	if err != nil || l.resp.status >= 300 || l.bodyless() || len(body) == 0 {
		return body, err
	}
	if _, err := l.checkType(body); err != nil {
		return nil, err
	}
	t, addresses, err := l.q.x.PassedAddresses(body)
	if err != nil {
		return nil, err
	}
	defer json.Release(t)
	var edits []doc.Edit
	for _, a := range addresses {
		text := l.q.h.profile.Withheld()
		if at := l.home(a.Text); at != nil {
			text = at.String()
		}
		n := &t.Nodes[a.Node]
		edits = append(edits, doc.Edit{Start: n.Start, End: n.End, With: t.Format.Encode(nil, t, a.Node, doc.Value{Kind: doc.String, Text: text})})
	}
	return doc.Splice(nil, t.Src, edits)
}
