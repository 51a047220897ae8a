package gate

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/doc/batch"
	"github.com/crmgate/crmgate/internal/doc/coding"
	"github.com/crmgate/crmgate/internal/mask"
	"github.com/crmgate/crmgate/internal/profile"
)

// batchRelease judges the answer to a batch: each of its answers as that of its own
// request, and the values of all of them in each.
type batchRelease struct {
	q    *request
	resp *response
	b    *profile.Batch
}

var errRedirect = errors.New("an answer in a batch leads elsewhere")

// partAnswer is the answer to one request, or to a change set that failed as a whole.
type partAnswer struct {
	rel    *release
	body   []byte
	found  access.Disclosure
	header http.Header
}

// held releases a batch's answer that arrived whole.
func (l *batchRelease) held() {
	outer := &release{q: l.q, resp: l.resp}
	if l.resp.status >= 300 && l.resp.status < 400 {
		l.withhold("redirect", textRedirect)
		return
	}
	answers, of, err := l.read(outer)
	if err != nil {
		l.fault(err)
		return
	}
	judged, sweep, err := l.judge(answers, of)
	if err != nil {
		l.fault(err)
		return
	}
	changes := make([]batch.Change, len(judged))
	for i := range judged {
		changes[i] = batch.Change{Header: judged[i].header, Body: judged[i].body}
	}
	body, err := answers.Build(changes)
	if err != nil {
		l.fault(err)
		return
	}
	if l.withheldCanary(judged) {
		return
	}
	if !l.disclose(judged, of) {
		return
	}
	outer.headers(sweep)
	if l.q.auditID == "" {
		l.q.w.Header().Del("Audit-Id") // nothing of it is in the log
	}
	l.q.status = l.resp.status
	l.q.write(l.resp.status, body)
}

// read takes the answer apart.
func (l *batchRelease) read(outer *release) (*batch.Batch, []int, error) {
	body, err := outer.decode()
	if err != nil {
		return nil, nil, err
	}
	types := l.resp.header.Values("Content-Type")
	if len(types) != 1 {
		return nil, nil, fmt.Errorf("%w: it has none, or more than one", errType)
	}
	m, err := coding.ParseMedia(types[0])
	if err != nil || !l.b.IsAnswer(m.Type) {
		return nil, nil, errType
	}
	if cs, err := m.Charset(); err != nil || cs.Name() != "utf-8" {
		return nil, nil, fmt.Errorf("%w: its charset is not UTF-8", errType)
	}
	return l.b.Answers(types[0], body)
}

// judge masks all answers twice: for their values, and then with the values of all.
func (l *batchRelease) judge(answers *batch.Batch, of []int) ([]partAnswer, *mask.Sweep, error) {
	judged := make([]partAnswer, len(answers.Messages))
	for i, a := range of {
		if a < 0 {
			continue
		}
		p := l.q.parts[i]
		if judged[a].rel != nil {
			// What a change set's error says can be about any of its requests.
			p.decision.Plan = nothingShown()
			judged[a].rel.q.decision.Plan = p.decision.Plan
			continue
		}
		judged[a].rel = &release{q: p}
	}
	seen := mask.Gather()
	var sweep *mask.Sweep
	for _, last := range []bool{false, true} {
		if last {
			sweep = seen.Search()
		}
		for a := range judged {
			if err := judged[a].judge(&answers.Messages[a], seen, sweep, l.q.h.Hold); err != nil {
				return nil, nil, err
			}
		}
	}
	for _, word := range answers.Words() {
		if _, hit := sweep.Mask(word); hit {
			return nil, nil, batch.ErrMismatch
		}
	}
	return judged, sweep, nil
}

// judge judges one answer as if it had come by itself. Without a sweep its values
// are only gathered.
func (a *partAnswer) judge(m *batch.Message, seen *mask.Seen, sweep *mask.Sweep, hold int64) error {
	l := a.rel
	l.seen = seen
	l.resp = &response{header: m.Header.Clone(), status: m.Status, limit: hold}
	l.resp.header.Del("Set-Cookie") // an answer in a batch has none to give
	if _, err := l.resp.Write(m.Body); err != nil {
		return err
	}
	if l.redirects() || m.Status < 400 && m.Status >= 300 && m.Status != http.StatusNotModified {
		return errRedirect
	}
	body, res, err := l.judge()
	if err != nil || sweep == nil {
		return err
	}
	a.body, a.found = body, res.Disclosure
	a.found.Records = append(a.found.Records, l.judgeAddresses()...)
	if res.Sweep == nil {
		res.Sweep = sweep
	}
	to := newResponse(hold)
	l.q.w = to
	l.headers(res.Sweep)
	a.header = to.header
	return nil
}

// disclose makes the disclosures of all parts durable. Until they are, nothing
// leaves. A part that wasn't answered is said to be so.
func (l *batchRelease) disclose(judged []partAnswer, of []int) bool {
	ok := appendAll(l.q.parts, func(p *request) *audit.Entry {
		a := of[p.number-1]
		if a < 0 {
			e := (&release{q: p, resp: &response{}}).entry()
			e.Error, e.Disclosure = "unanswered", &access.Disclosure{}
			return e
		}
		j := &judged[a]
		if j.rel.q != p {
			return (&release{q: p, resp: j.rel.resp}).disclosure(access.Disclosure{}, nil)
		}
		return j.rel.disclosure(j.found, j.body)
	}, nil)
	if !ok {
		l.q.undisclosed()
	}
	return ok
}

// fault answers a response that can't be judged.
func (l *batchRelease) fault(err error) {
	q := l.q
	q.h.logger.Warn("the CRM's answer to a batch was withheld", zap.String("request", q.id), zap.String("audit_id", q.auditID), zap.Error(err))
	reason, t := faultReason(err)
	if reason == "hold" || l.resp.status < 400 {
		l.withhold(reason, t)
		return
	}
	if !l.close(func(e *audit.Entry) { e.Disclosure.Withheld = 1 }) {
		return
	}
	(&release{q: q, resp: l.resp}).copyHeaders(errorHeaders, nil)
	q.sayNo(refusal{status: l.resp.status, reason: "withheld", text: textCRMError(l.resp.status)})
}

// withhold answers 502 and says in the log that nothing was disclosed.
func (l *batchRelease) withhold(reason string, t text) {
	if !l.close(func(e *audit.Entry) { e.Error, e.Status = reason, http.StatusBadGateway }) {
		return
	}
	if slices.ContainsFunc(l.q.parts, (*request).saves) {
		t = t.and(textPerhapsSaved)
	}
	l.q.sayNo(refusal{status: http.StatusBadGateway, reason: reason, text: t})
}

// close writes a disclosure of nothing for every part.
func (l *batchRelease) close(note func(*audit.Entry)) bool {
	ok := appendAll(l.q.parts, func(p *request) *audit.Entry {
		e := (&release{q: p, resp: l.resp}).entry()
		e.Disclosure = &access.Disclosure{}
		if l.resp.status < 400 {
			e.Changes = p.changes(access.Unsure) // the parts have a status of their own each
		}
		note(e)
		return e
	}, nil)
	if !ok {
		l.q.undisclosed()
	}
	return ok
}
