package desk

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/rules"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// lastSignIn is somebody's last sign-in at a site.
type lastSignIn struct {
	at    time.Time
	roles []string
	names *audit.Names
}

// maxSignInsRead is how many are read for one number.
const maxSignInsRead = 200_000

// hasRules reports whether there is a page on who has acknowledged the rules.
func (d *Desk) hasRules() bool { return d.app != nil && d.app.HasRules() }

func (d *Desk) rulePlaces() []place {
	return []place{
		{desk.RulesPath, http.MethodGet, namers, page.Text{DE: "Regeln", EN: "Rules"}, d.rules},
		{desk.RulesNamesPath, http.MethodPost, namers, page.Text{}, d.ruleNames},
	}
}

// mayName reports whether one of the roles sees names at a site.
func mayName(roles []string, r *crmgate.RulesInForce) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(r.Names, role) })
}

// rules shows how many haven't acknowledged the rules in force.
func (d *Desk) rules(v crmgate.Visitor) {
	rec, ok := v.Append(audit.Searched, looking+"how many haven't acknowledged the rules")
	if ok {
		d.showRules(v, rec, "")
	}
}

// ruleNames shows who hasn't, at one site, to those whose role says so there.
func (d *Desk) ruleNames(v crmgate.Visitor) {
	form, ok := v.Form()
	if !ok {
		return
	}
	all := d.app.Rules()
	i := slices.IndexFunc(all, func(r *crmgate.RulesInForce) bool { return r.ID == form.Get("of") })
	switch {
	case i < 0:
		v.NotFound()
		return
	case !mayName(v.Roles(), all[i]):
		v.Refuse("no_auditor", "Die Namen sehen hier nur Menschen, deren Rolle das vorsieht.", "Only those whose role provides for it see the names here.")
		return
	}
	rec, ok := v.Append(audit.Revealed, looking+"names of those who haven't acknowledged the rules, version "+all[i].Version)
	if ok {
		d.showRules(v, rec, all[i].ID)
	}
}

// showRules shows the numbers, and of one the names.
func (d *Desk) showRules(v crmgate.Visitor, rec, named string) {
	ctx := v.Request().Context()
	view := desk.RulesView{Days: desk.RulesDays}
	for _, r := range d.app.Rules() {
		signedIn, short, err := d.signIns(ctx, r.SignIns)
		if err != nil {
			v.Failed("log_read", err)
			return
		}
		view.Short = view.Short || short
		site := desk.RulesSite{
			ID: r.ID, Site: strings.Join(r.Sites, ", "), Version: rules.Short(r.Version), MayName: mayName(v.Roles(), r), Named: r.ID == named,
		}
		var who []string
		for pseudonym, s := range signedIn {
			if r.Concern(s.roles) {
				who = append(who, pseudonym)
			}
		}
		left, err := r.Outstanding(ctx, who)
		if err != nil {
			v.Failed("rules_store", err)
			return
		}
		site.Count = desk.CountOutstanding(len(left), len(who))
		if site.Named {
			site.Names = byName(left, signedIn)
		}
		view.Sites = append(view.Sites, site)
	}
	d.show(v, desk.Page{
		Name: "rules", Title: page.Text{DE: "Regeln bestätigt?", EN: "Rules acknowledged?"}, Path: desk.RulesPath, Audit: rec, Body: view,
	})
}

func byName(who []string, signedIn map[string]lastSignIn) []desk.Named {
	var all []desk.Named
	for _, p := range who {
		all = append(all, desk.Named{Pseudonym: p, Names: signedIn[p].names})
	}
	name := func(n desk.Named) string {
		if n.Names == nil {
			return "~" + n.Pseudonym
		}
		return strings.ToLower(cmp.Or(n.Names.Name, n.Names.User, n.Pseudonym))
	}
	slices.SortFunc(all, func(a, b desk.Named) int {
		return cmp.Or(strings.Compare(name(a), name(b)), strings.Compare(a.Pseudonym, b.Pseudonym))
	})
	return all
}

// signIns are the last sign-ins of each person, of all nodes, in the days that count.
// The roles are those of that sign-in.
func (d *Desk) signIns(ctx context.Context, keyed string) (all map[string]lastSignIn, short bool, err error) {
	all = map[string]lastSignIn{}
	n := 0
	q := audit.Query{Kind: audit.Control, Keyed: keyed, Since: time.Now().AddDate(0, 0, -desk.RulesDays)}
	for s, err := range d.newest(ctx, q) {
		if err != nil {
			return nil, false, fmt.Errorf("reading the sign-ins: %w", err)
		}
		if n++; n > maxSignInsRead {
			return all, true, nil
		}
		e := &s.Entry
		if e.Event == audit.SignIn && e.Time.After(all[e.Employee].at) {
			all[e.Employee] = lastSignIn{at: e.Time, roles: e.Roles, names: e.Names}
		}
	}
	return all, false, nil
}
