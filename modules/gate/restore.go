package gate

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/coding"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/restore"
)

// restore compares what a request would save with what is stored, where the
// employee doesn't see the latter, and puts the stored values in the place of
// their placeholders.
func (q *request) restore() bool {
	if names := q.masksNobodyReads(); len(names) > 0 {
		all := strings.Join(names, ", ")
		q.notSaved("writes_masked", text{textWrites.de + all, textWrites.en + all})
		return false
	}
	if q.holdsDiverted() {
		q.notSaved("link", textDiverted)
		return false
	}
	var edits []doc.Edit
	var refused []string
	var fresh []restore.Entered
	for _, w := range q.x.Writes() {
		plans, err := q.writePlans(w)
		if err != nil {
			q.notSaved("undecided", textFault)
			return false
		}
		entered := q.h.rules.Find(q.x.Body(), w)
		fields := append(restore.Fields(q.x.Body(), w, plans), restore.NeedsStored(entered, w)...)
		if len(fields) > 0 && q.savedBefore(w) {
			q.notSaved("batch_order", textBatchOrder)
			return false
		}
		stored, ok := q.stored(w, fields)
		if !ok {
			q.notSaved("stored", textStored)
			return false
		}
		fresh = append(fresh, q.h.rules.Fresh(entered, w, stored)...)
		res := restore.Judge(q.o.masker, q.scope(), q.x.Body(), w, stored, plans)
		edits, refused = append(edits, res.Edits...), append(refused, res.Refused...)
		q.changing.judged(w, stored, res.Kept)
	}
	if len(refused) > 0 {
		names := strings.Join(refused, ", ")
		q.notSaved("writes_masked", text{textWrites.de + names, textWrites.en + names})
		return false
	}
	// Behind the other refusal: otherwise a field that its author can't see would
	// tell a right guess of what stands in it from a wrong one.
	if !q.collect(fresh) {
		return false
	}
	if len(edits) == 0 {
		return true
	}
	body, err := q.x.Splice(q.body, edits)
	if errors.Is(err, profile.ErrInline) {
		q.notSaved("inline", textInline)
		return false
	}
	if err != nil {
		q.h.logger.Error("restoring", zap.String("request", q.id), zap.Error(err))
		q.notSaved("stored", textStored)
		return false
	}
	q.body = body
	return true
}

// masksNobodyReads are the members of a changing request's body that hold a mask,
// where the profile doesn't say what of the body is saved: nobody would take it out,
// and the CRM could store it.
func (q *request) masksNobodyReads() []string {
	if len(q.x.Writes()) > 0 || !slices.ContainsFunc(q.x.Accesses, func(a access.Access) bool {
		return a.Action == access.Create || a.Action == access.Update
	}) {
		return nil
	}
	return masksIn(q.x.Body())
}

// masksIn are the names of the members that hold a mask.
func masksIn(t *doc.Tree) []string {
	if t == nil {
		return nil
	}
	var names []string
	for n := range t.Nodes {
		if t.Nodes[n].Kind != doc.String || !mask.IsPlaceholder(t.Text(n)) {
			continue
		}
		at := n
		for at > doc.Root && t.Key(at) == "" {
			at = int(t.Nodes[at].Parent)
		}
		if name := t.Key(at); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// writePlans are what the employee saw when they read the record, and what
// they may write.
func (q *request) writePlans(w *profile.Write) (restore.Plans, error) {
	shown, err := q.h.plan(q.employee.roles(), access.Read)
	plans := restore.Plans{Shown: shown}
	if err == nil && q.overdueAny(w.Entity, w.Type, w.IDs) {
		plans.Shown = nothingShown()
	} else {
		plans = q.savesRevealed(w, plans)
	}
	if err != nil || w.Mode == profile.WriteEcho {
		return plans, err
	}
	plans.Write, err = q.h.plan(q.employee.roles(), access.Update)
	return plans, err
}

// notSaved refuses after the intent: its disclosure says that nothing was
// forwarded.
func (q *request) notSaved(reason string, t text) {
	e := q.entry(audit.Disclosure)
	e.Intent, e.Error, e.Disclosure = q.intent.Seq, reason, &access.Disclosure{}
	e.Detail, e.Changes = "nothing was forwarded"+q.collected, q.changes(access.Unchanged)
	if _, ok := q.append(e); !ok {
		q.unavailable("log")
		return
	}
	if q.batch != nil {
		q.batch.unforwarded(q)
	}
	q.sayNo(refusal{status: http.StatusUnprocessableEntity, reason: reason, text: t})
}

// stored reads the stored values that a write is compared with: a request of
// the gateway's own in the employee's CRM session, with its own entries.
func (q *request) stored(w *profile.Write, fields []string) (restore.Stored, bool) {
	if len(fields) == 0 || !w.CanStore() {
		return restore.Stored{}, true
	}
	t, err := q.fetchStored(w, fields)
	if err != nil {
		q.h.logger.Warn("reading stored values", zap.String("request", q.id), zap.Error(err))
		return restore.Stored{}, false
	}
	records, err := w.ReadStored(t)
	if err != nil {
		q.h.logger.Warn("reading stored values", zap.String("request", q.id), zap.Error(err))
		return restore.Stored{}, false
	}
	return restore.Stored{Tree: t, Records: records}, true
}

func (q *request) fetchStored(w *profile.Write, fields []string) (*doc.Tree, error) {
	req, err := w.Stored(fields)
	if err != nil {
		return nil, err
	}
	e := q.entry(audit.Intent)
	e.Detail = "the gateway's own read, to compare a save with what is stored"
	e.Accesses = []access.Access{{Route: q.x.Route, Call: q.x.Call, Action: access.Read, Entity: w.Entity, Type: w.Type, IDs: w.IDs}}
	e.Decision = &audit.Decision{Policy: q.h.policy.Version()}
	intent, ok := q.append(e)
	if !ok {
		return nil, errLog
	}
	resp := newResponse(q.h.Hold)
	err = q.run(resp, q.storedRequest(req, w.StoredMedia()))
	done := q.entry(audit.Disclosure)
	done.Intent, done.Status, done.Disclosure = intent.Seq, resp.status, &access.Disclosure{}
	done.Detail = "nothing of it was released"
	if _, ok := q.append(done); !ok {
		return nil, errLog
	}
	if err != nil || resp.status != http.StatusOK {
		return nil, fmt.Errorf("the CRM answered %d", resp.status)
	}
	r, err := coding.Decode(&resp.held, contentEncoding(resp.header), q.h.Hold)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(r); err != nil {
		return nil, err
	}
	return w.ParseStored(body.Bytes())
}

// storedRequest is the employee's request with another target and body.
func (q *request) storedRequest(req profile.StoredRequest, accept string) *http.Request {
	r := q.r.Clone(q.r.Context())
	canon.MaskedRoute(r.Header)
	r.Method = req.Method
	r.URL = &url.URL{Path: req.Path, RawQuery: req.Query}
	r.Header.Set("Accept", accept)
	r.Header.Del("Content-Type")
	r.Header.Del("Content-Length")
	if req.MediaType != "" {
		r.Header.Set("Content-Type", req.MediaType)
	}
	q.prepare(r, req.Body)
	return r
}
