package gate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/retain"
)

// find adds what is known otherwise of records whose answer doesn't tell their dates.
func (r *retaining) find(q *request, site *retainSite, facts []retain.Fact, mayAsk bool) {
	ctx := context.WithoutCancel(q.r.Context())
	var whole, lacking []retain.Fact
	var place []int
	for i := range facts {
		if r.h.retention.Complete(facts[i].Record.Entity, facts[i].Dates) {
			whole = append(whole, facts[i])
			continue
		}
		lacking, place = append(lacking, facts[i]), append(place, i)
	}
	r.complain(q, site.known.Note(ctx, whole))
	if len(lacking) == 0 {
		return
	}
	r.complain(q, site.known.Find(ctx, lacking))
	if mayAsk {
		r.lookUp(q, site, lacking)
	}
	for i := range lacking {
		facts[place[i]] = lacking[i]
	}
}

// complain tells the process log that the store can't be used: what it would have said
// is unknown.
func (r *retaining) complain(q *request, err error) {
	if err != nil {
		r.h.logger.Warn("what is known of the age of records can't be read or kept", zap.String("request", q.id), zap.Error(err))
	}
}

// lookUp reads records by themselves, as many as may be for one answer. A streamed
// answer, or one of a batch, waits for nobody.
func (r *retaining) lookUp(q *request, site *retainSite, facts []retain.Fact) {
	if q.batch != nil || q.x != nil && q.x.Stream != "" {
		return
	}
	var asked []retain.Fact
	for i := range facts {
		f := &facts[i]
		if f.Asked || r.h.retention.Complete(f.Record.Entity, f.Dates) || !r.h.profile.CanRead(f.Record.Type) {
			continue
		}
		if q.looked.count >= mostLookUps || q.looked.took > lookUpTime || q.looked.failed {
			break
		}
		began := time.Now()
		dates, _, _, err := r.readRecord(q, f.Record, "the gateway's own read, to learn how old a record is")
		q.looked.count++
		q.looked.took += time.Since(began)
		if err != nil && !errors.Is(err, errGone) {
			q.looked.failed = true
			r.h.logger.Warn("reading how old a record is", zap.String("request", q.id), zap.Error(err))
			break
		}
		f.Dates, f.Asked = dates, true
		asked = append(asked, *f)
	}
	r.complain(q, site.known.Note(context.WithoutCancel(q.r.Context()), asked))
}

// lookedUp counts what was read for a request besides.
type lookedUp struct {
	count  int
	took   time.Duration
	failed bool
}

// readRecord reads the dates of a record by itself, and what the other learners know of
// it. What it doesn't say is unknown there.
func (r *retaining) readRecord(q *request, rec access.Record, why string) (retain.Dates, access.Facts, ownAnswer, error) {
	own, err := r.h.profile.OwnRead(rec, r.wants[rec.Entity]...)
	if err != nil {
		return nil, nil, ownAnswer{}, err
	}
	a, err := q.own(&own, why)
	if err != nil {
		return nil, nil, a, err
	}
	dates := retain.Dates{}
	for _, field := range r.wants[rec.Entity] {
		dates[field] = retain.Date{}
	}
	if own.Gone(a.status, a.body) {
		return dates, nil, a, errGone
	}
	if a.status != http.StatusOK {
		return nil, nil, a, fmt.Errorf("the CRM answered %d", a.status)
	}
	t, err := own.Parse(a.body)
	if err != nil {
		return nil, nil, a, fmt.Errorf("reading a record: %w", err)
	}
	own.Exchange.Wants, own.Exchange.User = r.wants, q.employee.session.Identity.User
	found, err := own.Exchange.Locate(t, a.status)
	if err != nil {
		return nil, nil, a, fmt.Errorf("reading a record: %w", err)
	}
	defer found.Release()
	// The other learners see the answer as if it were this request's.
	as := *q
	as.x = own.Exchange
	for _, l := range q.o.learners {
		if l == learner(r) {
			break
		}
		if err := l.learn(&as, t, found); err != nil {
			return nil, nil, a, err
		}
	}
	// A kind of record can have several names.
	same := func(other access.Record) bool { return other.Entity == rec.Entity && other.ID == rec.ID }
	facts, _ := r.records(t, &found.Found)
	i := slices.IndexFunc(facts, func(f retain.Fact) bool { return same(f.Record) })
	if i < 0 {
		return nil, nil, a, errors.New("reading a record: the CRM's answer is about another one")
	}
	maps.Copy(dates, facts[i].Dates)
	for i := range found.Records {
		if same(found.Records[i].Record) && found.Records[i].Facts != nil {
			return dates, found.Records[i].Facts, a, nil
		}
	}
	return dates, nil, a, nil
}
