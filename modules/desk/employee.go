package desk

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// asked reads what was asked and answered, the newest ask first. It is all in the
// log, so that each node knows it, and nobody can make it otherwise unseen.
func (d *Desk) asked(ctx context.Context) ([]desk.Ask, error) {
	now := time.Now()
	q := audit.Query{Keyed: d.asks, Kind: audit.Control, Since: now.Add(-desk.AskLasts - longestPurpose)}
	var entries []audit.Stored
	for s, err := range d.newest(ctx, q) {
		if err != nil {
			return nil, err
		}
		entries = append(entries, s)
	}
	alone := time.Duration(d.PurposeLasts)
	if len(d.Consent) > 0 {
		alone = 0
	}
	return desk.Asks(entries, alone), nil
}

func (d *Desk) employees(v crmgate.Visitor) {
	d.showEmployees(v, strings.TrimSpace(v.Query().Get("employee")), page.Text{})
}

func (d *Desk) showEmployees(v crmgate.Visitor, employee string, wrong page.Text) {
	all, err := d.asked(v.Request().Context())
	if err != nil {
		v.Failed("log_read", err)
		return
	}
	if !desk.Plain(employee, 200) {
		employee = ""
	}
	now, me := time.Now(), v.Employee()
	view := desk.EmployeesView{
		Employee: employee, Now: now, Consent: len(d.Consent) > 0, Lasts: time.Duration(d.PurposeLasts),
		MayAsk: d.may(v.Roles(), auditors), MayResolve: d.may(v.Roles(), officers), MayDecide: d.may(v.Roles(), deciders),
	}
	for _, a := range all {
		if now.Sub(a.At) > desk.AskLasts {
			continue
		}
		if a.By == me {
			view.Mine = append(view.Mine, a)
		} else if view.MayDecide && a.MayDecide(me) {
			view.ToDecide = append(view.ToDecide, a)
		}
	}
	p := desk.Page{
		Name: "employees", Title: page.Text{DE: "Zugriffe einer Person", EN: "One person's accesses"},
		Path: desk.EmployeesPath, Wrong: wrong, Body: view,
	}
	if len(view.Mine)+len(view.ToDecide) > 0 {
		var ok bool
		if p.Audit, ok = v.Append(audit.Searched, looking+"wishes to see one person's accesses"); !ok {
			return
		}
	}
	d.show(v, p)
}

// ask takes the purpose for which somebody wants to see what an employee did.
func (d *Desk) ask(v crmgate.Visitor) {
	form, ok := v.Form()
	if !ok {
		return
	}
	employee := strings.TrimSpace(form.Get("employee"))
	if !desk.Plain(employee, 200) || employee == "" {
		d.showEmployees(v, "", wrongAsk())
		return
	}
	given := employee
	if _, ok := desk.NewAsk("e-"+strings.Repeat("a", 26), form.Get("purpose"), form.Get("note")); !ok {
		d.showEmployees(v, given, wrongAsk())
		return
	}
	if !desk.IsPseudonym(employee) {
		if employee, ok = d.called(v, employee); !ok {
			return
		}
	}
	a, ok := desk.NewAsk(employee, form.Get("purpose"), form.Get("note"))
	if !ok {
		d.showEmployees(v, given, wrongAsk())
		return
	}
	if _, ok := v.Append(audit.Consent, a.Detail(), d.asks); !ok {
		return
	}
	if len(d.Consent) > 0 {
		v.Back(desk.EmployeesPath)
		return
	}
	v.Back(toEmployee(employee))
}

func toEmployee(pseudonym string) string {
	return desk.EmployeePath + "?employee=" + url.QueryEscape(pseudonym)
}

// called finds the pseudonym of a name. That somebody looked is an entry before
// anything is answered, whether the name was found or not.
func (d *Desk) called(v crmgate.Visitor, name string) (string, bool) {
	if !d.may(v.Roles(), officers) {
		d.showEmployees(v, "", page.Text{
			DE: "Geben Sie ein Pseudonym an (e-…). Namen auflösen darf Ihre Rolle nicht.",
			EN: "Give a pseudonym (e-…). Your role may not resolve names.",
		})
		return "", false
	}
	found, err := d.pseudonyms(v.Request().Context(), name)
	if err != nil {
		v.Failed("log_read", err)
		return "", false
	}
	said := "nobody"
	if found != nil {
		said = strings.Join(found, " ")
	}
	if _, ok := v.Append(audit.Revealed, looking+"pseudonym of a name: "+said); !ok {
		return "", false
	}
	if len(found) == 1 {
		return found[0], true
	}
	wrong := page.Text{
		DE: "Keine Anmeldung im Protokoll nennt diese Person. Suchen Sie nach dem Pseudonym.",
		EN: "No sign-in in the log names this person. Search for the pseudonym.",
	}
	if len(found) > 1 {
		wrong = page.Text{
			DE: "So heißen mehrere. Geben Sie die E-Mail-Adresse oder den Anmeldenamen an.",
			EN: "Several people are called that. Give the e-mail address or the login.",
		}
	}
	d.showEmployees(v, "", wrong)
	return "", false
}

// maxSignIns is how many entries are read for a name, in each log.
const maxSignIns = 5000

// pseudonyms are those whose sign-ins have a name, at any node.
func (d *Desk) pseudonyms(ctx context.Context, name string) (found []string, err error) {
	sources, _, err := d.sources(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, s := range sources {
		if _, err := s.Log.Size(ctx); err != nil {
			return nil, err
		}
		n := 0
		for e, err := range s.Log.Newest(ctx, audit.Query{Employee: name, Kind: audit.Control}, 0) {
			if errors.Is(err, audit.ErrNobody) {
				break
			}
			if err != nil {
				return nil, err
			}
			if who := e.Entry.Employee; who != "" && !slices.Contains(found, who) {
				found = append(found, who)
			}
			if n++; n == maxSignIns {
				break
			}
		}
	}
	return found, nil
}

func wrongAsk() page.Text {
	return page.Text{
		DE: "Es fehlt etwas: eine Person, ein Zweck aus der Liste, und ein Anlass von 5 bis 300 Zeichen.",
		EN: "Something is missing: a person, a purpose of the list, and an occasion of 5 to 300 characters.",
	}
}

// decide takes the second person's yes or no.
func (d *Desk) decide(v crmgate.Visitor) {
	form, ok := v.Form()
	if !ok {
		return
	}
	all, err := d.asked(v.Request().Context())
	if err != nil {
		v.Failed("log_read", err)
		return
	}
	i := slices.IndexFunc(all, func(a desk.Ask) bool { return a.ID == form.Get("ask") })
	say := form.Get("say")
	if i < 0 || say != "yes" && say != "no" || time.Since(all[i].At) > desk.AskLasts {
		d.showEmployees(v, "", page.Text{DE: "Diese Bitte gibt es nicht mehr.", EN: "There is no such wish any more."})
		return
	}
	a := all[i]
	if !a.MayDecide(v.Employee()) {
		v.Refuse("no_second_person",
			"Darüber entscheidet jemand anderes: weder wer bittet, noch die Person selbst, und nur einmal.",
			"Somebody else decides that: neither who asks nor the person concerned, and once only.")
		return
	}
	detail := a.Refusal()
	if say == "yes" {
		detail = a.Consent(time.Now().Add(time.Duration(d.PurposeLasts)))
	}
	if _, ok := v.Append(audit.Consent, detail, d.asks); !ok {
		return
	}
	v.Back(desk.EmployeesPath)
}

// open finds the visitor's ask that lets them see an employee's accesses now.
func (d *Desk) open(v crmgate.Visitor, employee string) (*desk.Ask, bool) {
	all, err := d.asked(v.Request().Context())
	if err != nil {
		v.Failed("log_read", err)
		return nil, false
	}
	me, now := v.Employee(), time.Now()
	for _, a := range all {
		if a.By == me && a.Employee == employee && a.Open(now) {
			return &a, true
		}
	}
	v.Back(desk.EmployeesPath + "?employee=" + url.QueryEscape(employee))
	return nil, false
}

// employee shows what one employee did, to whom it is open.
func (d *Desk) employee(v crmgate.Visitor) {
	q, wrong := desk.ParseQuery(v.Query(), time.Local)
	if q.Employee == "" {
		v.Back(desk.EmployeesPath)
		return
	}
	a, ok := d.open(v, q.Employee)
	if !ok {
		return
	}
	q = desk.Query{Employee: q.Employee, Since: q.Since, Until: q.Until, Node: q.Node, Before: q.Before}
	d.find(v, d.employeePage(v, a), q, wrong, desk.SearchView{Path: desk.EmployeePath, Names: true}, ", by ask "+a.ID)
}

func (d *Desk) employeePage(v crmgate.Visitor, a *desk.Ask) desk.Page {
	return desk.Page{
		Name: "employee", Title: page.Text{DE: "Zugriffe einer Person", EN: "One person's accesses"}, Path: desk.EmployeesPath,
		Body: desk.EmployeeView{Ask: *a, MayResolve: d.may(v.Roles(), officers)},
	}
}

// name shows who a pseudonym is. It takes a right of its own, and a purpose.
func (d *Desk) name(v crmgate.Visitor) {
	form, ok := v.Form()
	if !ok {
		return
	}
	employee := form.Get("employee")
	if !desk.IsPseudonym(employee) {
		v.Back(desk.EmployeesPath)
		return
	}
	a, ok := d.open(v, employee)
	if !ok {
		return
	}
	rec, ok := v.Append(audit.Revealed, looking+"name of "+employee+", by ask "+a.ID)
	if !ok {
		return
	}
	n := 0
	view := desk.EmployeeView{Ask: *a, Looked: true}
	for s, err := range d.newest(v.Request().Context(), audit.Query{Employee: employee, Kind: audit.Control}) {
		if err != nil {
			v.Failed("log_read", err)
			return
		}
		if n++; s.Entry.Names != nil || n == maxSignIns {
			view.Resolved = s.Entry.Names
			break
		}
	}
	p := d.employeePage(v, a)
	p.Body, p.Audit = view, rec
	d.show(v, p)
}
