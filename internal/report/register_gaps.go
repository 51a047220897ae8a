package report

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/transfer"
)

// RegisterGaps are what the configuration leaves open of what Art. 30 asks for, and what
// has to be looked at by that time.
func (r *Register) RegisterGaps(now time.Time) []Gap {
	g := &gaps{now: now}
	shared := r.About
	g.parties(r)
	for i := range r.Systems {
		g.system(&r.Systems[i])
	}
	for i := range r.Sites {
		s := &r.Sites[i]
		g.site = s.Name
		g.stated(s, &shared)
		if len(s.Ways) == 0 && len(s.Upstreams) == 0 || slices.ContainsFunc(s.Ways, func(w RegisterWay) bool { return w.To == "" || w.Dynamic }) {
			g.add("upstream_unknown", "")
		}
		for j := range s.Systems {
			g.system(&s.Systems[j])
		}
	}
	g.site = ""
	for _, kind := range slices.Sorted(maps.Keys(r.Retain)) {
		if r.Retain[kind] == 0 {
			g.add("log_kept_for_good_"+kind, "")
		}
	}
	return g.all
}

type gaps struct {
	all  []Gap
	site string
	now  time.Time
}

func (g *gaps) add(what, name string) {
	g.all = append(g.all, Gap{What: what, Site: g.site, Name: name})
}

// parties looks whether it is said who is responsible, and how to reach them. What no site
// says is missing once.
func (g *gaps) parties(r *Register) {
	for _, of := range []struct {
		what string
		get  func(*RegisterAbout) *Party
	}{
		{"controller", func(a *RegisterAbout) *Party { return a.Controller }},
		{"dpo", func(a *RegisterAbout) *Party { return a.Officer }},
		{"responsible", func(a *RegisterAbout) *Party { return a.Responsible }},
	} {
		shared := of.get(&r.About)
		g.reachable(of.what, shared)
		var lacking []string
		for i := range r.Sites {
			own := of.get(&r.Sites[i].About)
			g.site = r.Sites[i].Name
			g.reachable(of.what, own)
			if own == nil && shared == nil {
				lacking = append(lacking, g.site)
			}
		}
		if g.site = ""; len(lacking) == len(r.Sites) && shared == nil {
			lacking = []string{""}
		}
		for _, g.site = range lacking {
			g.add(of.what, "")
		}
		g.site = ""
	}
}

func (g *gaps) reachable(what string, p *Party) {
	if p != nil && p.Contact == "" {
		g.add(what+"_contact", p.Name)
	}
}

// stated looks whether each kind of record has purposes, people and periods.
func (g *gaps) stated(s *RegisterSite, shared *RegisterAbout) {
	if s.About.System == "" {
		g.add("system", "")
	}
	purposes := slices.Concat(shared.Purposes, s.About.Purposes)
	var of []string
	for _, p := range purposes {
		of = append(of, p.Of)
	}
	g.each(s, "purposes", of)
	for i := range s.Entities {
		e := &s.Entities[i]
		if slices.Contains(e.Categories, access.Special) && !special(e.Name, purposes) {
			g.add("special_basis", e.Name)
		}
	}
	g.each(s, "subjects", ofAll(shared.Subjects, s.About.Subjects))
	g.each(s, "erasure", ofAll(shared.Retention, s.About.Retention))
	if len(shared.Measures)+len(s.About.Measures) == 0 {
		g.add("own_measures", "")
	}
}

func ofAll(lists ...[]RegisterStated) []string {
	var of []string
	for _, l := range lists {
		for _, s := range l {
			of = append(of, s.Of)
		}
	}
	return of
}

// each says of which kinds of records nothing is stated: once where that is all of them.
func (g *gaps) each(s *RegisterSite, what string, of []string) {
	var missing []string
	personal := 0
	for i := range s.Entities {
		e := &s.Entities[i]
		if len(e.Categories) == 0 {
			continue
		}
		personal++
		if !covered(e, of) {
			missing = append(missing, e.Name)
		}
	}
	if len(missing) == personal && len(of) == 0 {
		g.add(what, "")
		return
	}
	for _, name := range missing {
		g.add(what, name)
	}
}

// special reports whether a purpose has a basis of Art. 9 for an entity's special
// categories.
func special(entity string, purposes []RegisterPurpose) bool {
	return slices.ContainsFunc(purposes, func(p RegisterPurpose) bool {
		return (applies(p.Of, entity) || p.Of == CategoryOf+string(access.Special)) &&
			slices.ContainsFunc(p.Bases, func(b string) bool { return strings.HasPrefix(b, "9") })
	})
}

// system looks whether it is said who runs a system, where, and by which contract.
func (g *gaps) system(s *RegisterSystem) {
	name := s.Called()
	if len(s.Places) == 0 {
		g.add("location", name)
	}
	switch {
	case s.Kind == SystemRecipient: // a controller of its own needs no contract
		if s.Purpose == "" {
			g.add("recipient_purpose", name)
		}
	case s.Self:
	case s.Operator == nil:
		g.add("processor", name)
	case s.Contract == "":
		g.add("contract", name)
	}
	for _, d := range transfer.Doubts(s.Places, s.Transfers, g.now) {
		g.add(d.What, strings.TrimSpace(name+" "+strings.TrimSpace(d.Country+" "+d.Until)))
	}
}
