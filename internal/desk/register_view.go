package desk

import (
	"slices"
	"strconv"
	"strings"

	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/report"
)

// RegisterPart is what stands in the register of a site, or (Site is "") of all of them.
type RegisterPart struct {
	Site string
	// ID tells the part's headings from those of others.
	ID       string
	Print    bool
	Own      report.RegisterAbout
	Systems  []report.RegisterSystem
	Measures []report.RegisterMeasure
	Settings map[string]string
	// Of is the site; nil for all.
	Of *report.RegisterSite

	missing []report.Gap
}

// Shared is what stands there of all sites.
func (v ReportView) Shared() RegisterPart {
	r := v.Register
	p := RegisterPart{ID: "all", Print: v.Print, Own: r.About, Systems: r.Systems, Measures: r.Measures, Settings: r.Settings}
	p.missing = v.missing("")
	return p
}

// PartOf is what stands there of a site.
func (v ReportView) PartOf(i int) RegisterPart {
	s := &v.Register.Sites[i]
	p := RegisterPart{Site: s.Name, ID: "site" + strconv.Itoa(i), Print: v.Print, Own: s.About, Systems: s.Systems, Measures: s.Measures, Settings: s.Settings, Of: s}
	p.missing = v.missing(s.Name)
	return p
}

func (v ReportView) missing(site string) []report.Gap {
	var all []report.Gap
	for _, g := range v.Gaps {
		if g.Site == site {
			all = append(all, g)
		}
	}
	return all
}

// Lacks reports whether something is missing of what a name says.
func (p RegisterPart) Lacks(what, name string) bool {
	return slices.ContainsFunc(p.missing, func(g report.Gap) bool { return g.What == what && g.Name == name })
}

// Parties are those who are named, and the fields of those who are missing.
func (p RegisterPart) Parties() []RegisterParty {
	var all []RegisterParty
	for _, of := range []struct {
		field string
		who   *report.Party
	}{
		{"controller", p.Own.Controller},
		{"joint_controller", p.Own.Joint},
		{"representative", p.Own.Representative},
		{"dpo", p.Own.Officer},
		{"responsible", p.Own.Responsible},
	} {
		if of.who != nil || p.Lacks(of.field, "") {
			all = append(all, RegisterParty{of.field, of.who})
		}
	}
	return all
}

// RegisterParty is a party with the field that it stands in.
type RegisterParty struct {
	Field string
	*report.Party
}

// StatedOf lists purposes, subjects and periods of kinds of records, in the order of the
// profile; what is stated of all first.
func (p RegisterPart) StatedOf() []RegisterStatedOf {
	var all []RegisterStatedOf
	at := func(of string) *RegisterStatedOf {
		i := slices.IndexFunc(all, func(s RegisterStatedOf) bool { return s.Of == of })
		if i < 0 {
			all = append(all, RegisterStatedOf{Of: of})
			i = len(all) - 1
		}
		return &all[i]
	}
	for _, x := range p.Own.Purposes {
		s := at(x.Of)
		s.Purposes = append(s.Purposes, x)
	}
	for _, x := range p.Own.Subjects {
		s := at(x.Of)
		s.Subjects = append(s.Subjects, x.Text)
	}
	for _, x := range p.Own.Retention {
		s := at(x.Of)
		s.Retention = append(s.Retention, x.Text)
	}
	for _, g := range p.missing {
		switch g.What {
		case "purposes", "subjects", "erasure", "special_basis":
			if g.Name != "" {
				at(g.Name)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b RegisterStatedOf) int { return p.order(a.Of) - p.order(b.Of) })
	return all
}

func (p RegisterPart) order(of string) int {
	switch {
	case of == "*":
		return 0
	case strings.HasPrefix(of, report.CategoryOf):
		return 1
	case p.Of != nil:
		return 2 + slices.IndexFunc(p.Of.Entities, func(e report.RegisterEntity) bool { return e.Name == of })
	}
	return 2
}

// RegisterStatedOf is what is stated of a kind of record.
type RegisterStatedOf struct {
	Of        string
	Purposes  []report.RegisterPurpose
	Subjects  []string
	Retention []string
}

// trafficTo names who was shown something.
func trafficTo(t report.TrafficTo) page.Text {
	switch t.Kind {
	case "machine":
		return page.Text{DE: "Maschine " + t.Name, EN: "machine " + t.Name}
	case "other":
		return page.Text{DE: "Rollen, die das Regelwerk nicht kennt", EN: "roles that the policy doesn't know"}
	}
	return page.Text{DE: t.Name, EN: t.Name}
}
