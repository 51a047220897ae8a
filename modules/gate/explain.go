package gate

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/google/uuid"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/session"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// The words that stand in an explanation for what only a running gate has.
const (
	explainedEmployee = "(the employee's pseudonym)"
	explainedKey      = "(keyed)"
	explainedNode     = "explain"
)

// Explain takes a recorded exchange along the whole way of a request, with
// somebody who has these roles signed in, a log that only remembers, and the
// recorded answer in the CRM's place. The site is taken to speak https.
func (h *Handler) Explain(ctx context.Context, roles []string, x crmgate.Exchange) (crmgate.Explanation, error) {
	crm, err := newReplay(x)
	if err != nil {
		return crmgate.Explanation{}, err
	}
	r := x.Request.Clone(ctx)
	r.TLS = &tls.ConnectionState{}
	if err := h.explainable(r); err != nil {
		return crmgate.Explanation{}, err
	}
	log, seen := &notedEntries{}, &noted{}
	o := &opened{log: log, masked: seen.document, keeper: h.explained}
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails: it ends the process instead
	o.masker = mask.New(mask.Config{PseudonymKey: key, Picture: page.NeutralImage})
	id, err := uuid.NewV7()
	if err != nil {
		return crmgate.Explanation{}, fmt.Errorf("making a request id: %w", err)
	}
	w := newResponse(math.MaxInt64)
	q := &request{
		h: h, o: o, w: w, r: r, next: crm, id: id.String(), start: time.Now(),
		employee: &employee{
			session:   session.Session{Identity: session.Identity{Roles: roles}},
			pseudonym: explainedEmployee, log: explainedKey,
		},
	}
	cut := q.serveCut()
	e := crmgate.Explanation{
		Profile: h.profile.Name, Policy: h.policy.Version(), Roles: roles, Route: q.route,
		Entries: log.entries, Forwarded: crm.asked, Notes: crm.notes,
		Answer: crmgate.Answer{Status: w.status, Header: w.header, Body: w.held.String()},
	}
	if cut {
		e.Notes = append(e.Notes, "the answer would be cut: the client sees that it is not whole")
	}
	q.explain(&e)
	if crm.asked && crm.response == nil {
		e.Answer = crmgate.Answer{}
		e.Entries = slices.DeleteFunc(e.Entries, func(e audit.Entry) bool { return e.Kind == audit.Disclosure })
	}
	if err := seen.explain(&e, h.policy); err != nil {
		return crmgate.Explanation{}, err
	}
	return e, nil
}

// explainable refuses what never reaches a policy: the gate's own pages.
func (h *Handler) explainable(r *http.Request) error {
	opts := h.canon
	opts.HTTPS = true
	// What isn't canonical the way itself refuses, and says why.
	c, err := canon.Request(r.Clone(r.Context()), opts)
	if err == nil && (&request{c: c}).isOwn() {
		return errors.New("the exchange is with the gateway's own pages (" + ownPrefix + "): there is nothing to decide")
	}
	return nil
}

// serveCut reports whether the answer was cut.
func (q *request) serveCut() (cut bool) {
	defer func() {
		if v := recover(); v != nil {
			if e, ok := v.(error); !ok || !errors.Is(e, http.ErrAbortHandler) {
				panic(v)
			}
			cut = true
		}
	}()
	q.serve()
	return false
}

// explain adds what was found out about the request.
func (q *request) explain(e *crmgate.Explanation) {
	d := crmgate.Decision{Refused: q.decision.Refused, Reason: q.decision.Reason, Text: q.decision.Text, Line: q.decision.Line}
	for i := range e.Entries {
		entry := &e.Entries[i]
		if len(e.Accesses) == 0 {
			e.Accesses = entry.Accesses
		}
		if no := entry.Decision; no != nil && no.Refused && !d.Refused {
			d = crmgate.Decision{Refused: true, Reason: no.Reason, Line: no.Line}
		}
	}
	if q.x != nil {
		e.Call, e.Pass, e.Accesses = q.x.Call, q.x.Pass, q.x.Accesses
		e.Narrowed = q.narrowed
	}
	for _, p := range q.parts {
		e.Accesses, e.Narrowed = append(e.Accesses, p.x.Accesses...), e.Narrowed || p.narrowed
	}
	switch {
	case len(e.Entries) == 0 && !e.Pass:
		d.Refused, d.Reason = true, q.fault // refused before anybody was known
	case d.Refused && d.Text == "":
		d.Text = "refused: " + d.Reason
	}
	if p := q.decision.Plan; p != nil && len(p.FactNames) > 0 {
		e.Notes = append(e.Notes, fmt.Sprintf("lines with a condition (%v) are judged for nobody in particular", p.FactNames))
	}
	e.Decision = d
}

// replay answers with the recorded response, once and to the recorded request.
type replay struct {
	method, path string
	response     *http.Response
	body         []byte
	asked        bool
	notes        []string
}

var errNotRecorded = errors.New("the exchange holds no answer to this request")

func newReplay(x crmgate.Exchange) (*replay, error) {
	p := &replay{method: x.Request.Method, path: x.Request.URL.Path, response: x.Response}
	if p.response == nil {
		p.notes = append(p.notes, "no answer is recorded: only the request is judged")
		return p, nil
	}
	var err error
	if p.body, err = io.ReadAll(p.response.Body); err != nil {
		return nil, fmt.Errorf("reading the recorded answer: %w", err)
	}
	return p, nil
}

// ServeHTTP is the CRM's.
func (p *replay) ServeHTTP(w http.ResponseWriter, r *http.Request) error {
	if r.Method != p.method || r.URL.Path != p.path {
		p.notes = append(p.notes, "before this request is forwarded the gate reads the stored values, "+
			"which the exchange doesn't hold: whether it would be saved depends on them")
		return errNotRecorded
	}
	p.asked = true
	if p.response == nil {
		return errNotRecorded
	}
	maps.Copy(w.Header(), p.response.Header)
	w.WriteHeader(p.response.StatusCode)
	_, err := w.Write(p.body)
	return err
}

// notedEntries is a log that only remembers.
type notedEntries struct {
	mu      sync.Mutex
	entries []audit.Entry
}

// Append remembers the entry.
func (l *notedEntries) Append(_ context.Context, e *audit.Entry) (audit.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := *e
	kept.Time = time.Now().UTC()
	if kept.Disclosure != nil {
		for _, id := range kept.Disclosure.Identifying {
			kept.Keyed = append(kept.Keyed, l.Keyed(string(id.Category), id.Value))
		}
	}
	l.entries = append(l.entries, kept)
	return audit.Receipt{Node: explainedNode, Seq: uint64(len(l.entries))}, nil
}

// Employee stands for the pseudonym.
func (l *notedEntries) Employee(_, _ string) string { return explainedEmployee }

// Keyed stands for a keyed hash.
func (l *notedEntries) Keyed(category, _ string) string { return category + ":" + explainedKey }

var (
	_ crmgate.Explainer = (*Handler)(nil)
	_ caddyhttp.Handler = (*replay)(nil)
	_ entries           = (*notedEntries)(nil)
)
