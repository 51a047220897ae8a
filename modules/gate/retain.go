package gate

import (
	"sync"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/retain"
	"github.com/crmgate/crmgate/internal/sealed"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// retaining judges by the rules of retention what every answer holds, and keeps the
// list of what is overdue. It is nil where nothing is retained.
type retaining struct {
	h        *Handler
	services *crmgate.Services
	store    any
	ring     sealed.Ring
	wants    map[access.Entity][]string

	mu    sync.Mutex
	sites map[string]*retainSite
}

// retainSite is what is known of the records behind one address: two addresses of one
// gate can lead to two CRMs.
type retainSite struct {
	known *retain.Known
	list  *retain.List

	mu sync.Mutex
	// judged are the verdicts of the last answers: what somebody saw, and saves now.
	judged map[access.Record]judgedRecord
}

type judgedRecord struct {
	overdue bool
	at      time.Time
}

const (
	mostSites  = 64
	mostJudged = 20_000
	judgedFor  = time.Hour
	// mostLookUps is how many records are read for one answer because their dates
	// aren't in it, and lookUpTime how long that may take. Beyond, they are unknown.
	mostLookUps = 20
	lookUpTime  = 3 * time.Second
)

// newRetaining opens the lists. A store that can't keep them stops the start.
func newRetaining(h *Handler, s *crmgate.Services) (*retaining, error) {
	if len(h.retention) == 0 {
		return nil, nil //nolint:nilnil // nothing is retained
	}
	r := &retaining{h: h, services: s, store: s.Store, ring: s.Ring, wants: h.retention.Fields(), sites: map[string]*retainSite{}}
	_, err := r.at("")
	return r, err
}

// at is what is known behind an address.
func (r *retaining) at(host string) (*retainSite, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.sites[host]; s != nil {
		return s, nil
	}
	known, err := retain.NewKnown(r.store, r.ring, host)
	if err != nil {
		return nil, err
	}
	list, err := retain.NewList(r.store, r.ring, host)
	if err != nil {
		return nil, err
	}
	s := &retainSite{known: known, list: list, judged: map[access.Record]judgedRecord{}}
	if len(r.sites) >= mostSites {
		clear(r.sites) // what is lost is only memory
	}
	r.sites[host] = s
	return s, nil
}

// wanted are the fields that Locate has to tell of; nil where nothing is retained.
func (h *Handler) wanted() map[access.Entity][]string {
	if o := h.opened.Load(); o != nil && o.retain != nil {
		return o.retain.wants
	}
	return nil
}

// records are the retained records of a document, each once, with the dates that it
// tells.
func (r *retaining) records(t *doc.Tree, found *access.Found) (facts []retain.Fact, at map[access.Record]int) {
	at = map[access.Record]int{}
	for i := range found.Records {
		rec := found.Records[i].Record
		if _, seen := at[rec]; seen || rec.ID == "" || !r.h.retained(rec.Entity) {
			continue
		}
		at[rec] = len(facts)
		facts = append(facts, retain.Fact{Record: rec, Dates: retain.Dates{}})
	}
	for _, told := range found.Told {
		i, ok := at[found.Records[told.Record].Record]
		if !ok {
			continue
		}
		facts[i].Tell(told.Name, readDate(t, told.Node))
	}
	return facts, at
}

// learn judges the records of a document. What can't be found out is unknown, and so
// overdue: nothing of that withholds the answer.
func (r *retaining) learn(q *request, t *doc.Tree, found *profile.Located) error {
	sees := r.h.Overdue.sees(q.employee.roles())
	facts, at := r.records(t, &found.Found)
	site, err := r.at(q.c.Host)
	if err != nil {
		return err
	}
	r.find(q, site, facts, !sees)
	verdicts := r.judge(site, facts, &found.Found, at)
	if !sees && !r.h.Overdue.observes(time.Now()) {
		hide(r.h, &found.Found, verdicts, at)
	}
	r.keepList(q, site, facts, verdicts)
	return nil
}

// judge says of each retained record whether it is overdue.
func (r *retaining) judge(site *retainSite, facts []retain.Fact, found *access.Found, at map[access.Record]int) []retain.Verdict {
	known := make([]access.Facts, len(facts))
	for i := range found.Records {
		if n, ok := at[found.Records[i].Record]; ok && found.Records[i].Facts != nil {
			known[n] = found.Records[i].Facts
		}
	}
	now := time.Now()
	verdicts := make([]retain.Verdict, len(facts))
	site.mu.Lock()
	defer site.mu.Unlock()
	if len(site.judged)+len(facts) > mostJudged {
		clear(site.judged)
	}
	for i := range facts {
		verdicts[i] = r.h.retention.Judge(facts[i].Record.Entity, facts[i].Dates, known[i], now)
		site.judged[facts[i].Record] = judgedRecord{overdue: verdicts[i].Overdue, at: now}
	}
	return verdicts
}

// hide marks the fields of overdue records. What belongs to no record of which
// anything could be known counts as overdue; but what the client sent itself stays.
func hide(h *Handler, found *access.Found, verdicts []retain.Verdict, at map[access.Record]int) {
	for i := range found.Fields {
		f := &found.Fields[i]
		if f.Record < 0 || found.Records[f.Record].ID == "" {
			f.Overdue = f.Overdue || !f.Echo && h.retained(f.Entity)
			continue
		}
		if n, ok := at[found.Records[f.Record].Record]; ok && verdicts[n].Overdue {
			f.Overdue = true
		}
	}
}

var _ learner = (*retaining)(nil)

// last puts the judge of retention behind the other learners: it asks for the facts that
// they found.
func (r *retaining) last(learners []learner) []learner {
	if r == nil {
		return learners
	}
	return append(learners, r)
}
