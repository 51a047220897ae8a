package gate

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/retain"
	"github.com/crmgate/crmgate/modules/crmgate"
)

const (
	// overduePage is how many records stand on one page, mostListed how many are read for
	// it, and mostProofs how many proofs.
	overduePage = 50
	mostListed  = 5000
	mostProofs  = 200
)

func isOverdue(path string) bool {
	return path == desk.OverduePath || strings.HasPrefix(path, desk.OverduePath+"/")
}

var overdueTitle = page.Text{DE: "Überfällige Datensätze", EN: "Overdue records"}

// overdueWay leads to the work list, for those who have it.
func (q *request) overdueWay() (crmgate.Way, bool) {
	o := q.h.Overdue
	if q.o.retain == nil || q.employee.machine != "" || !o.sees(q.employee.roles()) && !o.confirms(q.employee.roles()) {
		return crmgate.Way{}, false
	}
	return crmgate.Way{Path: desk.OverduePath, DE: overdueTitle.DE, EN: overdueTitle.EN}, true
}

// serveOverdue answers the addresses of the work list.
func (q *request) serveOverdue() {
	if q.o.retain == nil {
		q.notFound()
		return
	}
	q.route = "overdue"
	if !q.login() {
		return
	}
	if no := q.inAdvance(); no != nil {
		q.refuse(*no)
		return
	}
	places := map[string]func(*retainSite){
		"GET " + desk.OverduePath: q.overdueList, "GET " + desk.OverdueRecordPath: q.overdueRecord,
		"GET " + desk.OverdueProofPath: q.overdueProof, "POST " + desk.OverdueDoPath: q.overdueDo,
	}
	serve := places[q.r.Method+" "+q.c.Path]
	if serve == nil {
		q.overdueNowhere()
		return
	}
	if _, ok := q.overdueWay(); !ok {
		q.refuse(refusal{reason: "no_officer", text: textNoOfficer})
		return
	}
	site, err := q.o.retain.at(q.c.Host)
	if err != nil {
		visitor{q}.Failed("store", err)
		return
	}
	serve(site)
}

func (q *request) overdueNowhere() {
	allow := http.MethodGet
	switch q.c.Path {
	case desk.OverduePath, desk.OverdueRecordPath, desk.OverdueProofPath:
	case desk.OverdueDoPath:
		allow = http.MethodPost
	default:
		q.notFound()
		return
	}
	q.answer(plain{status: http.StatusMethodNotAllowed, reason: "not_found", text: textNoSuchPage, header: map[string]string{"Allow": allow}})
}

var textNoOfficer = text{
	"Diese Seite ist für Menschen, die über das Löschen von Datensätzen entscheiden.",
	"This page is for those who decide about the deletion of records.",
}

// showOverdue writes a page of the desk.
func (q *request) showOverdue(status int, p desk.Page) {
	v := visitor{q}
	if !p.Print {
		if q.h.desk != nil {
			for _, w := range q.h.desk.Places(q.employee.roles()) {
				p.Ways = append(p.Ways, desk.Link{Path: w.Path, Text: page.Text{DE: w.DE, EN: w.EN}})
			}
		}
		p.Ways = append(p.Ways, desk.Link{Path: desk.OverduePath, Text: overdueTitle})
	}
	p.Who, p.Path = v.Employee(), desk.OverduePath
	body, policy := desk.Render(v.Lang(), p)
	v.Page(status, body, policy)
}

// overdueList shows the work list.
func (q *request) overdueList(site *retainSite) {
	v := visitor{q}
	number, err := strconv.Atoi(v.Query().Get("page"))
	if err != nil || number < 1 || number > mostListed/overduePage {
		number = 1
	}
	as := v.Query().Get("as")
	event, detail := audit.Searched, "desk: work list of overdue records"
	if as == "json" {
		event, detail = audit.Exported, detail+", as json"
	}
	rec, ok := v.Append(event, detail)
	if !ok {
		return
	}
	all, more, err := site.list.Listed(q.r.Context(), mostListed)
	if err != nil {
		v.Failed("store", err)
		return
	}
	proofs, _, err := site.list.Proofs(q.r.Context(), mostProofs)
	if err != nil {
		v.Failed("store", err)
		return
	}
	if as == "json" {
		q.overdueJSON("overdue.json", map[string]any{"overdue": all, "more": more, "deleted": proofs, "rules": q.h.Retain, "entry": rec})
		return
	}
	view := desk.OverdueView{Total: len(all), More: more, Number: number, Proofs: overdueRows(site, proofs)}
	from := min((number-1)*overduePage, len(all))
	to := min(from+overduePage, len(all))
	view.Rows, view.Next = overdueRows(site, all[from:to]), to < len(all)
	if q.h.Overdue.observes(time.Now()) {
		view.Observes = q.h.Overdue.ObserveUntil
	}
	for e, list := range q.h.retention {
		for _, r := range list {
			view.Rules = append(view.Rules, desk.OverdueRule{Entity: string(e), Rule: r.Words()})
		}
	}
	slices.SortFunc(view.Rules, func(a, b desk.OverdueRule) int { return strings.Compare(a.Entity+a.Rule, b.Entity+b.Rule) })
	q.showOverdue(http.StatusOK, desk.Page{Name: "overdue", Title: overdueTitle, Audit: rec, Body: view})
}

func overdueRows(site *retainSite, items []*retain.Item) []desk.OverdueRow {
	out := make([]desk.OverdueRow, len(items))
	for i, it := range items {
		out[i] = desk.OverdueRow{Name: site.list.Name(it.Record), Item: it}
	}
	return out
}

func (q *request) overdueJSON(name string, what any) {
	e := json.NewEncoder(visitor{q}.File("application/json", name))
	e.SetIndent("", "  ")
	if err := e.Encode(what); err != nil {
		q.h.logger.Info("the client didn't take the whole list", zap.String("request", q.id), zap.Error(err))
	}
}

// onList reads the record that a page is about. It has answered when it returns nil.
func (q *request) onList(site *retainSite, name string) *retain.Item {
	it, err := site.list.Get(q.r.Context(), name)
	switch {
	case errors.Is(err, retain.ErrNotThere):
		q.notFound()
	case err != nil:
		visitor{q}.Failed("store", err)
	default:
		return it
	}
	return nil
}

// overdueRecord shows one record of the list.
func (q *request) overdueRecord(site *retainSite) {
	it := q.onList(site, visitor{q}.Query().Get("name"))
	if it == nil {
		return
	}
	if it.Stage == retain.Deleted {
		q.backTo(desk.OverdueRow{Name: site.list.Name(it.Record), Item: it}.Path())
		return
	}
	rec, ok := q.overdueEntry(audit.Searched, "desk: an overdue record", []access.Record{it.Record})
	if !ok {
		q.unavailable("log")
		return
	}
	q.auditID = rec.String()
	q.showRecord(site, it, http.StatusOK, page.Text{}, page.Text{})
}

// showRecord shows a record's page, with what was wrong or what was done.
func (q *request) showRecord(site *retainSite, it *retain.Item, status int, wrong, said page.Text) {
	o, roles := q.h.Overdue, q.employee.roles()
	view := desk.OverdueRecordView{
		OverdueRow: desk.OverdueRow{Name: site.list.Name(it.Record), Item: it}, Said: said,
		MayAsk: o.sees(roles), MayConfirm: o.confirms(roles), CanDelete: q.h.profile.CanDelete(it.Record.Type), CanRead: q.h.profile.CanRead(it.Record.Type),
	}
	if own, err := q.h.profile.OwnDelete(it.Record); err == nil {
		view.Remains = string(own.Remains)
	} else {
		view.CanDelete = false
	}
	if it.Ask != nil {
		view.Mine, view.Lasts = it.Ask.By == visitor{q}.Employee(), it.Ask.At.Add(retain.AskLasts)
	}
	q.showOverdue(status, desk.Page{
		Name: "overduerecord", Title: page.Text{DE: "Ein überfälliger Datensatz", EN: "An overdue record"}, Audit: q.auditID, Wrong: wrong, Body: view,
	})
}

// overdueProof shows the proof of a deletion: as a page, for print, or as JSON.
func (q *request) overdueProof(site *retainSite) {
	v := visitor{q}
	it := q.onList(site, v.Query().Get("name"))
	if it == nil {
		return
	}
	if it.Stage != retain.Deleted {
		q.notFound()
		return
	}
	as := v.Query().Get("as")
	event := audit.Searched
	if as == "json" || as == "print" {
		event = audit.Exported
	} else {
		as = "page"
	}
	rec, ok := q.overdueEntry(event, "desk: proof of a deletion, as "+as, []access.Record{it.Record})
	if !ok {
		q.unavailable("log")
		return
	}
	q.auditID = rec.String()
	view := desk.ErasureView{OverdueRow: desk.OverdueRow{Name: site.list.Name(it.Record), Item: it}, Site: q.c.Host, Profile: q.h.profile.Name, Print: as == "print"}
	if as == "json" {
		q.overdueJSON("deletion.json", map[string]any{"site": view.Site, "profile": view.Profile, "proof": it, "entry": q.auditID})
		return
	}
	q.showOverdue(http.StatusOK, desk.Page{
		Name: "overdueproof", Title: page.Text{DE: "Nachweis einer Löschung", EN: "Proof of a deletion"}, Print: view.Print, Audit: q.auditID, Body: view,
	})
}
