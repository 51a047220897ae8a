package gate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
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
		if _, seen := at[rec]; seen || !r.h.retained(rec.Entity) {
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
		facts[i].Tell(told.Name, retain.ReadDate(t, told.Node))
	}
	return facts, at
}

// learn judges the records of a document. What can't be found out is unknown, and so
// overdue: nothing of that withholds the answer.
func (r *retaining) learn(q *request, t *doc.Tree, found *profile.Located) error {
	hides := !r.h.Overdue.sees(q.employee.roles()) && !r.h.Overdue.observes(time.Now())
	facts, at := r.records(t, &found.Found)
	site, err := r.at(q.c.Host)
	if err != nil {
		return err
	}
	r.find(q, site, facts, hides)
	verdicts := r.judge(site, facts, &found.Found, at)
	if hides {
		hide(r.h, &found.Found, verdicts, at)
	}
	r.keepList(q, site, facts, verdicts)
	return nil
}

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
	own, err := r.h.profile.OwnRead(rec)
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
	facts, at := r.records(t, &found.Found)
	i, ok := at[rec]
	if !ok {
		return nil, nil, a, errors.New("reading a record: the CRM's answer is about another one")
	}
	for name, d := range facts[i].Dates {
		dates[name] = d
	}
	for i := range found.Records {
		if found.Records[i].Record == rec && found.Records[i].Facts != nil {
			return dates, found.Records[i].Facts, a, nil
		}
	}
	return dates, nil, a, nil
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
		if f.Record < 0 {
			f.Overdue = f.Overdue || !f.Echo && h.retained(f.Entity)
			continue
		}
		if n, ok := at[found.Records[f.Record].Record]; ok && verdicts[n].Overdue {
			f.Overdue = true
		}
	}
}

// keepList puts on the list what is overdue, and takes off it what isn't any more. A
// record of which nobody has asked yet how old it is waits until somebody has.
func (r *retaining) keepList(q *request, site *retainSite, facts []retain.Fact, verdicts []retain.Verdict) {
	var over []retain.Found
	var off []access.Record
	for i, v := range verdicts {
		f := &facts[i]
		switch {
		case v.Overdue && (!v.Unknown || f.Asked || r.h.retention.Complete(f.Record.Entity, f.Dates)):
			over = append(over, retain.Found{Record: f.Record, Verdict: v})
		case !v.Overdue:
			off = append(off, f.Record)
		}
	}
	ctx := context.WithoutCancel(q.r.Context())
	if missing := site.list.Missing(over); len(missing) > 0 {
		r.complain(q, r.listed(ctx, q, site, missing))
	}
	settled, err := site.list.Settle(ctx, off)
	r.complain(q, err)
	if len(settled) > 0 {
		q.overdueEntry(audit.Overdue, "no longer overdue: taken off the work list", settled)
	}
}

// listed puts records on the list: the entry first, so that nothing stands there that
// the log doesn't know.
func (r *retaining) listed(ctx context.Context, q *request, site *retainSite, missing []retain.Found) error {
	fresh, err := site.list.New(ctx, missing)
	if err != nil || len(fresh) == 0 {
		return err
	}
	var records []access.Record
	why := map[string]int{}
	for _, f := range fresh {
		records = append(records, f.Record)
		word := "retain " + string(f.Record.Entity) + " " + f.Verdict.Rule
		if f.Verdict.Unknown {
			word += " (date unknown)"
		}
		why[word]++
	}
	var words []string
	for w, n := range why {
		words = append(words, fmt.Sprintf("%d by %s", n, w))
	}
	slices.Sort(words)
	if _, ok := q.overdueEntry(audit.Overdue, "overdue, put on the work list: "+strings.Join(words, "; "), records); !ok {
		return nil // said already
	}
	return site.list.Add(ctx, fresh)
}

// overdueEntry makes an entry about records, so that their history shows it.
func (q *request) overdueEntry(event audit.Event, detail string, records []access.Record) (audit.Receipt, bool) {
	e := q.entry(audit.Control)
	e.Event, e.Detail = event, detail
	for _, rec := range records {
		i := slices.IndexFunc(e.Accesses, func(a access.Access) bool { return a.Entity == rec.Entity && a.Type == rec.Type })
		if i < 0 {
			i = len(e.Accesses)
			e.Accesses = append(e.Accesses, access.Access{Entity: rec.Entity, Type: rec.Type})
		}
		e.Accesses[i].IDs = append(e.Accesses[i].IDs, rec.ID)
	}
	return q.append(e)
}

// overdueAny reports whether one of the records is overdue as far as this employee
// goes: what they see of it is masked.
func (q *request) overdueAny(e access.Entity, typ string, ids []string) bool {
	r := q.o.retain
	if r == nil || !q.h.retained(e) || q.h.Overdue.sees(q.employee.roles()) || q.h.Overdue.observes(time.Now()) {
		return false
	}
	site, err := r.at(q.c.Host)
	if err != nil {
		return true
	}
	var facts []retain.Fact
	now := time.Now()
	site.mu.Lock()
	for _, id := range ids {
		rec := access.Record{Entity: e, Type: typ, ID: id}
		if j, ok := site.judged[rec]; ok && now.Sub(j.at) < judgedFor && !now.Before(j.at) {
			if j.overdue {
				site.mu.Unlock()
				return true
			}
			continue
		}
		facts = append(facts, retain.Fact{Record: rec, Dates: retain.Dates{}})
	}
	site.mu.Unlock()
	r.find(q, site, facts, true)
	return slices.ContainsFunc(facts, func(f retain.Fact) bool { return r.h.retention.Judge(e, f.Dates, nil, now).Overdue })
}

// mayByAge refuses what the age of a record, or a hold on it, stands against.
func (q *request) mayByAge() bool {
	return q.o.retain == nil || q.overdueFile() && q.unheld()
}

// unheld refuses to delete a record on which there is a hold. A list that can't be read
// holds everything.
func (q *request) unheld() bool {
	for _, a := range q.x.Accesses {
		if a.Action != access.Delete || !q.h.retained(a.Entity) {
			continue
		}
		site, err := q.o.retain.at(q.c.Host)
		held := false
		if err == nil {
			held, err = site.list.Held(q.r.Context(), a.Entity, a.Type, a.IDs)
		}
		if err != nil {
			q.o.retain.complain(q, err)
		}
		if held || err != nil {
			q.refuse(refusal{reason: "held", text: textHeld})
			return false
		}
	}
	return true
}

var textHeld = text{
	"Für diesen Datensatz gilt eine Sperre: Er darf nicht gelöscht werden. Wenden Sie sich an den Datenschutz.",
	"A hold stands against this record: it must not be deleted. Ask your data protection officer.",
}

// overdueFile refuses what can't be masked (a file, a printed page) of a record that is
// overdue, or of records that nobody can name.
func (q *request) overdueFile() bool {
	if q.x.Type != "none" && !q.x.Image {
		return true
	}
	for _, a := range q.x.Accesses {
		if a.Action == access.Delete || a.Action == access.Update || a.Action == access.Create {
			continue
		}
		unnamed := len(a.IDs) == 0 && q.h.retained(a.Entity) && !q.h.Overdue.sees(q.employee.roles()) && !q.h.Overdue.observes(time.Now())
		if unnamed || q.overdueAny(a.Entity, a.Type, a.IDs) {
			q.refuse(refusal{reason: "overdue", text: textOverdueFile})
			return false
		}
	}
	return true
}

var textOverdueFile = text{
	"Dieser Datensatz hätte schon gelöscht sein sollen, oder sein Alter ist nicht bekannt. Was sich nicht verdecken lässt, wird deshalb nicht gezeigt. Wenden Sie sich an den Datenschutz.",
	"This record should have been deleted by now, or its age isn't known. What can't be masked of it is therefore not shown. Ask your data protection officer.",
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
