package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/retain"
)

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
