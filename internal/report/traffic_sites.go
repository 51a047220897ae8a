package report

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

// RegisterCounted says of a log how far its traffic was counted.
type RegisterCounted struct {
	Node string `json:"node"`
	// Whole says that all of the year was counted; else Back is the time down to which
	// all was, nil where nothing was.
	Whole bool       `json:"whole"`
	Back  *time.Time `json:"back,omitempty"`
	// AtLeast says that there were more different counts than are kept.
	AtLeast bool `json:"at_least,omitempty"`
}

// RegisterTraffic is what the log says was shown at a site.
type RegisterTraffic struct {
	// Rows are in the order of the profile's entities, those that it doesn't have at the end.
	Rows []TrafficRow `json:"rows"`
	// Unnamed counts rows without an id, Unread answers that nobody read because the
	// site observes: anything can have been in them.
	Unnamed Spans `json:"unnamed"`
	Unread  Spans `json:"unread"`
	// NeverEntities and NeverRoutes are in the profile, and were not seen in the year.
	NeverEntities []string `json:"entities_never_seen"`
	NeverRoutes   []string `json:"routes_never_seen"`
	// UnknownRoutes counts requests for what the profile doesn't know.
	UnknownRoutes Spans `json:"unknown_routes"`
	// Drifted says that something was shown that the profile doesn't have any more, or
	// can't assign: a kind of record, or fields (unclassified).
	Drifted bool `json:"drifted"`
}

// Spans counts in the last 30 days and in the last 365.
type Spans struct {
	Month int `json:"days_30"`
	Year  int `json:"days_365"`
}

// TrafficRow is how often a category of a kind of record was shown.
type TrafficRow struct {
	Entity   string          `json:"entity"`
	Category access.Category `json:"category"`
	Month    ShownCount      `json:"days_30"`
	Year     ShownCount      `json:"days_365"`
	// To are the roles and machines that it was shown to in the year, the most first.
	// Whoever has several counts with each.
	To []TrafficTo `json:"to"`
	// Drift says that the profile has no such kind of record, no such category of it,
	// or no category for the field.
	Drift bool `json:"drift,omitempty"`
}

// TrafficTo is a recipient: a role, a machine, or others.
type TrafficTo struct {
	Kind  string     `json:"kind"`
	Name  string     `json:"name,omitempty"`
	Month ShownCount `json:"days_30"`
	Year  ShownCount `json:"days_365"`
}

// The kinds of TrafficTo are those of Recipient.
const (
	toRole    = "role"
	toMachine = "machine"
	toOthers  = "other"
)

// Settle says of each site what was counted in some logs, by their nodes.
func (r *Register) Settle(all map[string]*Traffic, now time.Time) {
	sums := map[trafficKey]*[2]ShownCount{}
	r.Counted = []RegisterCounted{}
	for _, node := range slices.Sorted(maps.Keys(all)) {
		t := all[node]
		c := RegisterCounted{Node: node, Whole: t.whole, AtLeast: t.full}
		if len(t.read) > 0 {
			c.Back = given(t.read[0].back)
		}
		r.Counted = append(r.Counted, c)
		t.sum(sums, now)
	}
	bySite := make([]map[trafficKey]*[2]ShownCount, len(r.Sites))
	for i := range bySite {
		bySite[i] = map[trafficKey]*[2]ShownCount{}
	}
	others := map[string]bool{}
	for k, n := range sums {
		i := r.siteOf(k.host)
		if i < 0 {
			others[k.host] = true
			continue
		}
		k.host = ""
		had := bySite[i][k]
		if had == nil {
			had = new([2]ShownCount)
			bySite[i][k] = had
		}
		had[0].add(n[0])
		had[1].add(n[1])
	}
	for i := range r.Sites {
		r.Sites[i].settle(bySite[i])
	}
	r.Elsewhere = slices.Sorted(maps.Keys(others))
}

// sum adds the days of the two spans.
func (t *Traffic) sum(to map[trafficKey]*[2]ShownCount, now time.Time) {
	month, year := firstDay(now, monthDays), firstDay(now, yearDays)
	for day, d := range t.days {
		if day < year {
			continue
		}
		for k, n := range d {
			had := to[k]
			if had == nil {
				had = new([2]ShownCount)
				to[k] = had
			}
			had[1].add(n)
			if day >= month {
				had[0].add(n)
			}
		}
	}
}

// siteOf finds the site of a host, -1 for none: by its whole name, else by a pattern, else
// the one that takes any host.
func (r *Register) siteOf(host string) int {
	best, found := 0, -1
	bare, _, _ := strings.Cut(host, ":")
	for i := range r.Sites {
		for _, a := range r.Sites[i].Addresses {
			if n := fits(a, host, bare); n > best {
				best, found = n, i
			}
		}
	}
	return found
}

// fits says how well an address fits a host: 4 with its port, 3 by its name, 2 by a
// pattern, 1 where it takes any, 0 not at all.
func fits(address, host, bare string) int {
	u, err := url.Parse(address)
	if err != nil {
		if strings.Contains(address, "<") { // a site that names no host
			return 1
		}
		return 0
	}
	name := u.Hostname()
	switch {
	case strings.EqualFold(u.Host, host):
		return 4
	case strings.Contains(name, "<"):
		return 1
	case strings.EqualFold(name, bare) || strings.EqualFold(name, strings.Trim(host, "[]")):
		return 3
	}
	want, has := strings.Split(strings.ToLower(name), "."), strings.Split(strings.ToLower(bare), ".")
	if len(want) != len(has) || !strings.Contains(name, "*") {
		return 0
	}
	for i := range want {
		if want[i] != "*" && want[i] != has[i] {
			return 0
		}
	}
	return 2
}

// settle makes a site's traffic of what was counted.
func (s *RegisterSite) settle(n map[trafficKey]*[2]ShownCount) {
	t := &RegisterTraffic{Rows: []TrafficRow{}, NeverEntities: []string{}, NeverRoutes: []string{}}
	rows := map[[2]string]*TrafficRow{}
	routes := map[string]bool{}
	for k, c := range n {
		both := Spans{c[0].Clear, c[1].Clear}
		switch {
		case k.route == unknownRoute:
			t.UnknownRoutes = both
		case k.route != "":
			routes[k.route] = true
		case k.category == unnamedRows:
			t.Unnamed = both
		case k.category == unreadAnswers:
			t.Unread = both
		default:
			at := [2]string{k.entity, string(k.category)}
			row := rows[at]
			if row == nil {
				row = &TrafficRow{Entity: k.entity, Category: k.category, To: []TrafficTo{}, Drift: !s.has(k.entity, k.category)}
				rows[at] = row
			}
			row.take(k.role, c)
		}
	}
	for _, row := range rows {
		slices.SortFunc(row.To, func(a, b TrafficTo) int {
			return cmp.Or(cmp.Compare(b.Year.Clear+b.Year.Masked, a.Year.Clear+a.Year.Masked), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
		})
		t.Rows = append(t.Rows, *row)
		t.Drifted = t.Drifted || row.Drift
	}
	slices.SortFunc(t.Rows, func(a, b TrafficRow) int {
		return cmp.Or(s.place(a.Entity)-s.place(b.Entity), cmp.Compare(a.Entity, b.Entity), ordinal(a.Category)-ordinal(b.Category), cmp.Compare(a.Category, b.Category))
	})
	for _, e := range s.Entities {
		if !slices.ContainsFunc(t.Rows, func(r TrafficRow) bool { return r.Entity == e.Name }) && len(e.Categories) > 0 {
			t.NeverEntities = append(t.NeverEntities, e.Name)
		}
	}
	for _, r := range s.Routes {
		if !routes[r] {
			t.NeverRoutes = append(t.NeverRoutes, r)
		}
	}
	s.Traffic = t
}

func (r *TrafficRow) take(role string, c *[2]ShownCount) {
	if role == "" {
		r.Month, r.Year = c[0], c[1]
		return
	}
	to := TrafficTo{Kind: toRole, Name: role, Month: c[0], Year: c[1]}
	if role == otherRoles {
		to.Kind, to.Name = toOthers, ""
	} else if name, ok := strings.CutPrefix(role, machinePrefix); ok {
		to.Kind, to.Name = toMachine, name
	}
	r.To = append(r.To, to)
}

// has reports whether the profile has such a category of such a kind of record.
func (s *RegisterSite) has(entity string, c access.Category) bool {
	return c != access.Unclassified && slices.ContainsFunc(s.Entities, func(e RegisterEntity) bool {
		return e.Name == entity && slices.Contains(e.Categories, c)
	})
}

func (s *RegisterSite) place(entity string) int {
	if i := slices.IndexFunc(s.Entities, func(e RegisterEntity) bool { return e.Name == entity }); i >= 0 {
		return i
	}
	return len(s.Entities)
}

func ordinal(c access.Category) int {
	if i := slices.Index(access.Categories(), c); i >= 0 {
		return i
	}
	return len(access.Categories())
}
