package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/doc/batch"
	"github.com/crmgate/crmgate/internal/profile"
)

// serveBatch is the way of a request that carries several: each goes the way that it
// would go alone, step by step with the others, and one that is refused refuses all.
// Only what is forwarded, and what comes back, is one.
func (q *request) serveBatch() {
	b := q.x.Batch()
	parts := make([]*request, 0, len(b.Requests.Messages))
	for i := range b.Requests.Messages {
		p := q.part(b, i)
		p.of = len(b.Requests.Messages)
		if !p.enter(b) {
			return
		}
		parts = append(parts, p)
	}
	q.parts = parts
	for _, p := range parts {
		if !p.stepUp() {
			return
		}
	}
	for _, p := range parts {
		if p.x.Pass {
			p.decision.Plan = nothingShown()
		} else if !p.decide() || p.stopped() {
			return
		}
	}
	if !q.logIntents() {
		return
	}
	for _, p := range parts {
		if !p.x.Pass && !p.restore() {
			return
		}
	}
	q.forwardBatch(b)
}

// nothingShown is the plan of what nobody decided about: it has nothing to show.
func nothingShown() *access.Plan { return &access.Plan{Action: access.Read} }

// part is the i-th request of a batch. It is the employee's like the batch itself,
// with the headers that they sent around it, but for those that speak of a body, a
// version or a preference: these are its own.
func (q *request) part(b *profile.Batch, i int) *request {
	r := q.r.Clone(q.r.Context())
	for name := range r.Header {
		if strings.HasPrefix(name, "Content-") || strings.HasPrefix(name, "If-") || name == "Prefer" || name == "Accept" || name == "Range" {
			delete(r.Header, name)
		}
	}
	m := &b.Requests.Messages[i]
	r.Body = io.NopCloser(bytes.NewReader(m.Body))
	return &request{
		h: q.h, o: q.o, w: newResponse(q.h.Hold), r: r, next: q.next,
		id: q.id, start: q.start, https: q.https, ip: q.ip, cookies: q.cookies, c: q.c,
		employee: q.employee, crmUser: q.crmUser, batch: q, number: i + 1,
	}
}

// enter makes a part canonical and classifies it.
func (p *request) enter(b *profile.Batch) bool {
	if no := p.alone(b); no != nil {
		p.refuse(*no)
		return false
	}
	if !p.ask(p.body) {
		return false
	}
	if no := p.together(); no != nil {
		p.refuse(*no)
		return false
	}
	return true
}

// alone makes a part what it would be if it had come by itself, or says why it
// can't be judged.
func (p *request) alone(b *profile.Batch) *refusal {
	r, err := b.Request(p.number-1, p.batch.c.Host)
	if err != nil {
		return unjudged(err)
	}
	opts := p.h.canon
	opts.HTTPS = p.https
	c, err := canon.Request(r, opts)
	if err != nil {
		return unjudged(err)
	}
	p.c = c
	c.Apply(p.r)
	canon.StripHeaders(r.Header, p.h.own)
	canon.MaskedRoute(r.Header)
	r.Header.Del("Host")
	r.Header.Del("Accept-Encoding")
	p.kept = r.Header
	for name, values := range r.Header {
		if name != "Content-Encoding" && !b.Takes(name) {
			return &refusal{status: http.StatusBadRequest, reason: "batch_header", text: textBatchHeader(name)}
		}
		p.r.Header[name] = values
	}
	return p.readBody()
}

// unjudged says why the address of a part can't be judged.
func unjudged(err error) *refusal {
	no := refusal{status: http.StatusBadRequest, reason: "bad_request", text: textAmbiguous}
	if ce, ok := asCanonError(err); ok {
		no.reason, no.text.en = string(ce.Reason), ce.Text
	}
	if r, ok := errors.AsType[*profile.Refusal](err); ok {
		no = refusal{status: r.Status, reason: r.Reason, text: profileText(r)}
	}
	return &no
}

// together says why a part can't be answered within a batch.
func (p *request) together() *refusal {
	x := p.x
	switch {
	case x.Batch() != nil:
		return &refusal{status: http.StatusBadRequest, reason: "nested", text: textBatchNested}
	case x.Stream != "" || x.Type != "json" || x.Image || x.Upgrade || p.issuer() != nil:
		return &refusal{reason: "batch_type", text: textBatchType}
	}
	return nil
}

// savedBefore reports whether a part before this one changes one of a write's
// records: what is stored would be another thing when this one's turn comes.
func (q *request) savedBefore(w *profile.Write) bool {
	if q.batch == nil {
		return false
	}
	for _, p := range q.batch.parts[:q.number-1] {
		for _, a := range p.x.Accesses {
			changes := a.Entity == w.Entity && a.Action != access.Read && a.Action != access.Search
			if changes && slices.ContainsFunc(a.IDs, func(id string) bool {
				return slices.ContainsFunc(w.IDs, func(other string) bool { return strings.EqualFold(id, other) })
			}) {
				return true
			}
		}
	}
	return false
}

// speaker is who answers for a part: the batch.
func (q *request) speaker() *request {
	if q.auditID != "" {
		q.batch.auditID = q.auditID
	}
	return q.batch
}

// place says in the log which part an entry is about.
func (q *request) place() string {
	return fmt.Sprintf("request %d of %d in one", q.number, q.of)
}

// named says which part a sentence is about.
func (q *request) named(t text) text {
	return text{
		fmt.Sprintf("Anfrage %d von %d in dieser: %s", q.number, q.of, t.de),
		fmt.Sprintf("Request %d of %d in this one: %s", q.number, q.of, t.en),
	}
}

// logIntents makes the intents of all parts durable before any of them is forwarded.
func (q *request) logIntents() bool {
	ok := appendAll(q.parts, (*request).intentEntry, func(p *request, rec audit.Receipt) {
		p.intent, p.auditID = rec, rec.String()
	})
	for _, p := range q.parts {
		if q.auditID == "" {
			q.auditID = p.auditID
		}
	}
	if !ok {
		q.unforwarded(nil)
		q.unavailable("log")
	}
	return ok
}

// appendAll makes one entry of each part durable, all of them at once: one write to
// disk does for many. Parts without personal data have none.
func appendAll(parts []*request, entry func(*request) *audit.Entry, done func(*request, audit.Receipt)) bool {
	entries := make([]*audit.Entry, len(parts))
	for i, p := range parts {
		if !p.x.Pass {
			entries[i] = entry(p)
		}
	}
	failed := make([]bool, len(parts))
	var wait sync.WaitGroup
	for i, e := range entries {
		if e == nil {
			continue
		}
		wait.Go(func() {
			rec, ok := parts[i].append(e)
			failed[i] = !ok
			if ok && done != nil {
				done(parts[i], rec)
			}
		})
	}
	wait.Wait()
	return !slices.Contains(failed, true)
}

// unforwarded closes the intents of the other parts, where one was refused behind
// them.
func (q *request) unforwarded(refused *request) {
	var others []*request
	for _, p := range q.parts {
		if p != refused && p.auditID != "" {
			others = append(others, p)
		}
	}
	appendAll(others, func(p *request) *audit.Entry {
		e := p.entry(audit.Disclosure)
		e.Intent, e.Error, e.Disclosure = p.intent.Seq, "batch", &access.Disclosure{}
		e.Detail = "nothing was forwarded: another request of the batch was not"
		e.Changes = p.changes(access.Unchanged)
		return e
	}, nil)
}

// forwardBatch sends the batch with what became of its requests.
func (q *request) forwardBatch(b *profile.Batch) {
	resp := newResponse(q.h.Hold)
	rel := &batchRelease{q: q, resp: resp, b: b}
	body, err := q.buildBatch(b)
	if err != nil {
		q.h.logger.Error("splicing a batch", zap.String("request", q.id), zap.Error(err))
		rel.withhold("malformed", textFault)
		return
	}
	q.body = body
	canon.MaskedRoute(q.r.Header, codings...)
	q.prepare(q.r, q.body)
	q.answered(rel, resp, q.run(resp, q.r))
}

// buildBatch puts the requests that were judged in the places of those that came.
func (q *request) buildBatch(b *profile.Batch) ([]byte, error) {
	changes := make([]batch.Change, len(q.parts))
	for i, p := range q.parts {
		target, err := b.Target(i, p.c.RawPath, p.c.RawQuery)
		if err != nil {
			return nil, err
		}
		changes[i] = batch.Change{Target: target, Header: p.kept, Body: p.body}
	}
	return b.Requests.Build(changes)
}

var (
	textBatchNested = text{
		"In einem Stapel darf kein weiterer stehen.",
		"A batch can't carry another batch.",
	}
	textBatchType = text{
		"Diese Adresse lässt sich nicht zusammen mit anderen abfragen. Senden Sie die Anfrage einzeln.",
		"This address can't be asked together with others. Send the request by itself.",
	}
	textBatchOrder = text{
		"Eine frühere Anfrage im selben Stapel ändert denselben Datensatz. Senden Sie die Änderungen nacheinander oder in einer Anfrage.",
		"An earlier request of the same batch changes the same record. Send the changes one after the other, or as one.",
	}
	textAmbiguous = text{
		"Die Anfrage ist nicht eindeutig und wurde deshalb nicht weitergeleitet.",
		"The request is ambiguous and was therefore not forwarded.",
	}
)

func textBatchHeader(name string) text {
	return text{
		"Die Kopfzeile " + name + " darf hier nicht stehen.",
		"The header " + name + " may not stand here.",
	}
}
