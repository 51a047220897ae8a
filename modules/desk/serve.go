package desk

import (
	"net/http"
	"slices"

	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// right is what it takes to see a place.
type right int

const (
	nobody   right = iota // the zero value denies
	auditors              // or officers
	officers
	deciders // those who consent
	askers   // auditors, officers and deciders
	namers   // auditors, officers, and who sees names of the rules
	everybody
)

// place is one address of the desk.
type place struct {
	path   string
	method string
	right  right
	// title is set where the pages' navigation leads to it.
	title page.Text
	serve func(crmgate.Visitor)
}

func (d *Desk) places() []place {
	get, post := http.MethodGet, http.MethodPost
	none := page.Text{}
	all := []place{
		{desk.Path, get, auditors, page.Text{DE: "Suche", EN: "Search"}, d.search},
		{desk.RecordPath, get, auditors, page.Text{DE: "Datensatz", EN: "Record"}, d.record},
		{desk.EmployeesPath, get, askers, page.Text{DE: "Personen", EN: "People"}, d.employees},
		{desk.VolumePath, get, auditors, page.Text{DE: "Mengen", EN: "Volumes"}, d.volume},
		{desk.AlarmsPath, get, auditors, page.Text{DE: "Alarme", EN: "Alarms"}, d.alarms},
		{desk.AlarmSeenPath, post, auditors, none, d.alarmSeen},
		{desk.ReportsPath, get, auditors, page.Text{DE: "Berichte", EN: "Reports"}, d.reports},
		{desk.LogPath, get, auditors, page.Text{DE: "Protokoll", EN: "Log"}, d.state},
		{desk.EntryPath, get, auditors, none, d.entry},
		{desk.CSVPath, post, auditors, none, d.csv},
		{desk.EventsPath, post, auditors, none, d.events},
		{desk.EmployeePath, get, auditors, none, d.employee},
		{desk.AskPath, post, auditors, none, d.ask},
		{desk.NamePath, post, officers, none, d.name},
		{desk.DecidePath, post, deciders, none, d.decide},
		{desk.VerifyPath, post, auditors, none, d.startVerify},
		{desk.ExportPath, post, auditors, none, d.export},
		{desk.AccessPath, post, auditors, none, d.accessReport},
		{desk.BreachPath, post, auditors, none, d.breachReport},
		{desk.RegisterPath, get, auditors, none, d.registerReport},
	}
	if d.hasRules() {
		all = append(all, d.rulePlaces()...)
	}
	all = append(all, d.consentPlaces()...)
	if d.OwnAccesses {
		all = append(all, place{desk.MinePath, get, everybody, page.Text{DE: "Meine Zugriffe", EN: "My accesses"}, d.mine})
	}
	return all
}

// Serve answers a request. Whoever has no right to a place is refused, and that is
// an entry.
func (d *Desk) Serve(v crmgate.Visitor) {
	all := d.places()
	i := slices.IndexFunc(all, func(p place) bool { return p.path == v.Path() && p.method == v.Request().Method })
	switch {
	case i < 0:
		v.NotFound()
	case !d.may(v.Roles(), all[i].right):
		v.Refuse("no_auditor", "Diese Seite ist für Menschen, die das Protokoll prüfen.", "This page is for those who audit the log.")
	default:
		all[i].serve(v)
	}
}

// may reports whether one of the roles has a right.
func (d *Desk) may(roles []string, r right) bool {
	has := func(of []string) bool {
		return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(of, role) })
	}
	switch r {
	case auditors:
		return has(d.Auditors) || has(d.Officers)
	case officers:
		return has(d.Officers)
	case deciders:
		return has(d.Consent)
	case askers:
		return has(d.Auditors) || has(d.Officers) || has(d.Consent)
	case namers:
		return has(d.Auditors) || has(d.Officers) || d.hasRules() && d.app.SeesRuleNames(roles)
	case everybody:
		return true
	}
	return false
}

// Ways are the pages that somebody with these roles has.
func (d *Desk) Ways(roles []string) []crmgate.Way {
	var ways []crmgate.Way
	for _, p := range d.places() {
		if p.title == (page.Text{}) || !d.may(roles, p.right) {
			continue
		}
		w := crmgate.Way{Path: p.path, DE: p.title.DE, EN: p.title.EN}
		switch p.path {
		case desk.MinePath:
			w.DE, w.EN = "Was das Protokoll über Sie sagt", "What the log says of you"
		case desk.Path:
			w.DE, w.EN = "Zum Pult der Revision", "To the auditors' desk"
		case desk.EmployeesPath:
			if d.may(roles, auditors) {
				continue // the desk leads on
			}
			w.DE, w.EN = "Bitten um Einsicht", "Wishes to look"
		case desk.RulesPath:
			if d.may(roles, auditors) {
				continue // the desk leads on
			}
			w.DE, w.EN = "Wer die Regeln noch bestätigen muss", "Who has still to acknowledge the rules"
		default:
			continue
		}
		ways = append(ways, w)
	}
	return ways
}

// Places are the desk's own pages that somebody with these roles has.
func (d *Desk) Places(roles []string) []crmgate.Way {
	var ways []crmgate.Way
	for _, at := range d.places() {
		if at.title != (page.Text{}) && d.may(roles, at.right) {
			ways = append(ways, crmgate.Way{Path: at.path, DE: at.title.DE, EN: at.title.EN})
		}
	}
	return ways
}

// show writes a page, with the ways that the visitor has.
func (d *Desk) show(v crmgate.Visitor, p desk.Page) {
	for _, w := range append(d.Places(v.Roles()), v.Beside()...) {
		p.Ways = append(p.Ways, desk.Link{Path: w.Path, Text: page.Text{DE: w.DE, EN: w.EN}})
	}
	p.Who = v.Employee()
	if p.Path == "" {
		p.Path = v.Path()
	}
	status := http.StatusOK
	if p.Wrong != (page.Text{}) {
		status = http.StatusBadRequest
	}
	body, policy := desk.Render(v.Lang(), p)
	v.Page(status, body, policy)
}
