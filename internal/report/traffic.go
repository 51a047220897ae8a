package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// The spans that traffic is told of, in days, today among them.
const (
	monthDays = 30
	yearDays  = 365
)

// maxTraffic is how many different counts a log's traffic keeps: names in it come from
// profiles, but for hosts.
const maxTraffic = 200_000

// TrafficKnown are the names that may be counted by name. Others are counted together: a
// role can be a person's, and a part of an unknown address, too.
type TrafficKnown struct {
	Roles    Names
	Machines map[string]bool
	Routes   map[string]bool
}

// ShownCount counts records, as often as they were shown.
type ShownCount struct {
	Clear  int `json:"clear"`
	Masked int `json:"masked"`
}

func (c *ShownCount) add(o ShownCount) { c.Clear, c.Masked = c.Clear+o.Clear, c.Masked+o.Masked }

// trafficKey is what is counted: of a host, a kind of record with a category shown to a
// role ("" is everybody), or a route.
type trafficKey struct {
	host, entity, role, route string
	category                  access.Category
}

// Roles that have no name of their own, as keys.
const (
	otherRoles    = "\x00"
	machinePrefix = "\x00machine "
)

// trafficDay is what was counted on a day.
type trafficDay map[trafficKey]ShownCount

// span is a part of a log that was read: entries from low up to before high.
type span struct {
	low, high uint64
	back      time.Time // that of low
}

// Traffic counts what a log says was shown, day by day. It reads each entry once, the
// newest first, and goes on where it was cut. It is not safe for concurrent use.
type Traffic struct {
	days map[int64]trafficDay
	// read are the parts that were read, the newest first, with something unread
	// between them.
	read  []span
	whole bool
	keys  int
	full  bool
}

// NewTraffic begins with nothing counted.
func NewTraffic() *Traffic { return &Traffic{days: map[int64]trafficDay{}} }

const secondsInDay = 24 * 60 * 60

func dayOf(at time.Time) int64 { return at.Unix() / secondsInDay }

// firstDay is the first day of a span of so many, today among them.
func firstDay(now time.Time, days int64) int64 { return dayOf(now) - days + 1 }

// Count counts what wasn't counted yet. Where it ends early the error says so; what was
// counted stays, and the next call goes on.
func (t *Traffic) Count(ctx context.Context, s Source, known TrafficKnown, now time.Time) error {
	t.forget(firstDay(now, yearDays))
	t.whole = false
	q := audit.Query{Since: time.Unix(firstDay(now, yearDays)*secondsInDay, 0).UTC()}
	i, top := -1, uint64(0) // the part that grows downwards, and where it ends
	for {
		met, err := t.down(ctx, s, q, known, &i, top)
		if err != nil {
			return fmt.Errorf("counting what was shown: %w", err)
		}
		if !met {
			break
		}
		if i < 0 {
			i = 0
		} else {
			t.read[i].low, t.read[i].back = t.read[i+1].low, t.read[i+1].back
			t.read = slices.Delete(t.read, i+1, i+2)
		}
		if top = t.read[i].low; top == 0 {
			break
		}
	}
	t.whole = true
	if len(t.read) > 0 {
		t.read[0].low, t.read = 0, t.read[:1]
	}
	return nil
}

// down reads from top (0: the end) until it meets the next part that was read.
func (t *Traffic) down(ctx context.Context, s Source, q audit.Query, known TrafficKnown, i *int, top uint64) (met bool, err error) {
	for e, err := range s.Newest(ctx, q, top) {
		if err != nil {
			return false, err
		}
		if next := *i + 1; next < len(t.read) && e.Seq < t.read[next].high {
			return true, nil
		}
		if *i < 0 {
			t.read, *i = slices.Insert(t.read, 0, span{high: e.Seq + 1}), 0
		}
		t.read[*i].low, t.read[*i].back = e.Seq, e.Entry.Time
		t.take(&e.Entry, known)
	}
	return false, ctx.Err()
}

func (t *Traffic) forget(first int64) {
	for day, d := range t.days {
		if day < first {
			t.keys -= len(d)
			delete(t.days, day)
		}
	}
}

// take counts an entry.
func (t *Traffic) take(e *audit.Entry, known TrafficKnown) {
	if e.Kind == audit.Intent && e.Piece <= 1 {
		for i := range e.Accesses {
			route := e.Accesses[i].Route
			if !known.Routes[route] {
				route = unknownRoute
			}
			t.count(e, trafficKey{route: route}, ShownCount{Clear: 1})
		}
	}
	d := e.Disclosure
	if d == nil {
		return
	}
	if e.Piece <= 1 && d.Rows > 0 {
		t.count(e, trafficKey{category: unnamedRows}, ShownCount{Clear: d.Rows})
	}
	if e.Piece <= 1 && d.Unread {
		t.count(e, trafficKey{category: unreadAnswers}, ShownCount{Clear: 1})
	}
	to := recipientsOf(e, known)
	for i := range d.Records {
		r := &d.Records[i]
		for c, how := range r.Treated {
			n := ShownCount{Masked: 1}
			if how == access.Clear {
				n = ShownCount{Clear: 1}
			}
			if c == access.Public {
				continue
			}
			for _, role := range to {
				t.count(e, trafficKey{entity: string(r.Entity), category: c, role: role}, n)
			}
		}
	}
}

// What is counted beside records, as keys.
const (
	unnamedRows   access.Category = "\x00unnamed"
	unreadAnswers access.Category = "\x00unread"
	unknownRoute                  = "\x00unknown"
)

// recipientsOf are those who were shown an answer: everybody (""), and each role.
func recipientsOf(e *audit.Entry, known TrafficKnown) []string {
	to := []string{""}
	if name, ok := strings.CutPrefix(e.Factor, "machine "); ok {
		if known.Machines[name] {
			return append(to, machinePrefix+name)
		}
		return append(to, otherRoles)
	}
	named, others := known.Roles.split(e.Roles)
	to = append(to, named...)
	if len(named) == 0 || others > 0 {
		to = append(to, otherRoles)
	}
	return to
}

func (t *Traffic) count(e *audit.Entry, k trafficKey, n ShownCount) {
	k.host = e.Gate
	d := t.days[dayOf(e.Time)]
	if d == nil {
		d = trafficDay{}
		t.days[dayOf(e.Time)] = d
	}
	had, ok := d[k]
	if !ok {
		if t.keys >= maxTraffic {
			t.full = true
			return
		}
		t.keys++
	}
	had.add(n)
	d[k] = had
}
