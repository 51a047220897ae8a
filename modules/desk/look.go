package desk

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// looking begins the entry of a look at the desk.
const looking = "desk: "

func (d *Desk) search(v crmgate.Visitor) {
	asked := v.Query()
	q, wrong := desk.ParseQuery(asked, time.Local)
	if q.Employee != "" {
		v.Back(desk.EmployeePath + "?" + q.Values().Encode())
		return
	}
	if len(asked) == 0 {
		q.Kind = audit.Intent
	}
	p := desk.Page{Name: "search", Title: page.Text{DE: "Das Protokoll durchsuchen", EN: "Search the log"}}
	d.find(v, p, q, wrong, desk.SearchView{Path: desk.Path, MayExport: true, Names: true}, "")
}

func (d *Desk) record(v crmgate.Visitor) {
	q, wrong := desk.ParseQuery(v.Query(), time.Local)
	p := desk.Page{Name: "record", Title: page.Text{DE: "Verlauf eines Datensatzes", EN: "A record's history"}}
	view := desk.SearchView{Path: desk.RecordPath, Names: true}
	if q.Record == "" {
		var err error
		if _, view.Nodes, err = d.sources(v.Request().Context(), ""); err != nil {
			v.Failed("log_read", err)
			return
		}
		p.Body, p.Wrong = view, wrongFields(wrong)
		d.show(v, p)
		return
	}
	d.find(v, p, desk.Query{
		Record: q.Record, Action: q.Action, Changed: q.Changed, Since: q.Since, Until: q.Until, Node: q.Node, Before: q.Before,
	}, wrong, view, "")
}

// mine shows employees what the log says of them.
func (d *Desk) mine(v crmgate.Visitor) {
	q, wrong := desk.ParseQuery(v.Query(), time.Local)
	q = desk.Query{Employee: v.Employee(), Since: q.Since, Until: q.Until, Node: q.Node, Before: q.Before}
	p := desk.Page{Name: "mine", Title: page.Text{DE: "Was das Protokoll über Sie sagt", EN: "What the log says of you"}}
	d.find(v, p, q, wrong, desk.SearchView{Path: desk.MinePath}, "")
}

// find writes down what is looked for, looks, and shows it. Wrong input is shown
// and nothing else.
func (d *Desk) find(v crmgate.Visitor, p desk.Page, q desk.Query, wrong []string, view desk.SearchView, why string) {
	view.Query, view.Found = q, new(desk.Found)
	sources, nodes, err := d.sources(v.Request().Context(), q.Node)
	if err != nil {
		v.Failed("log_read", err)
		return
	}
	if view.Nodes = nodes; q.Node != "" && len(sources) == 0 || q.Node != "" && nodes == nil {
		wrong = append(wrong, "node")
	}
	if len(wrong) > 0 {
		view.Refused = true
		p.Body, p.Wrong = within(p.Body, view), wrongFields(wrong)
		d.show(v, p)
		return
	}
	rec, ok := v.Append(audit.Searched, looking+q.String()+why)
	if !ok {
		return
	}
	found, err := desk.Find(v.Request().Context(), sources, q, desk.PageBounds())
	if err != nil {
		v.Failed("log_read", err)
		return
	}
	d.unread(found.Unread)
	view.Found = found
	p.Audit, p.Body = rec, within(p.Body, view)
	d.show(v, p)
}

// within puts what was found into the body of a page that shows more.
func within(body any, view desk.SearchView) any {
	if in, ok := body.(desk.EmployeeView); ok {
		in.SearchView = view
		return in
	}
	return view
}

func wrongFields(names []string) page.Text {
	if len(names) == 0 {
		return page.Text{}
	}
	list := desk.FieldNames(names)
	return page.Text{
		DE: "Danach lässt sich nicht suchen: " + list.DE + ". Ein Datensatz heißt Art/Kennung, etwa contact/1001; ein Tag 2026-12-31.",
		EN: "This can't be searched for: " + list.EN + ". A record is named kind/id, as in contact/1001; a day 2026-12-31.",
	}
}

// entry shows one entry, without the names that a sign-in holds.
func (d *Desk) entry(v crmgate.Visitor) {
	seq, err := strconv.ParseUint(v.Query().Get("seq"), 10, 62)
	if err != nil {
		v.NotFound()
		return
	}
	node := v.Query().Get("node")
	sources, nodes, err := d.sources(v.Request().Context(), node)
	if err != nil {
		v.Failed("log_read", err)
		return
	}
	if len(sources) != 1 || node != "" && nodes == nil {
		v.NotFound() // where there are several, the address names one
		return
	}
	named := strconv.FormatUint(seq, 10)
	if node != "" {
		named = node + "/" + named
	}
	rec, ok := v.Append(audit.Searched, looking+"entry "+named)
	if !ok {
		return
	}
	if _, err := sources[0].Log.Size(v.Request().Context()); err != nil {
		v.Failed("log_read", err)
		return
	}
	s, err := desk.One(v.Request().Context(), sources[0].Log, seq)
	if errors.Is(err, desk.ErrNone) {
		v.NotFound()
		return
	}
	if err != nil {
		v.Failed("log_read", err)
		return
	}
	s.Entry.Names = nil
	text, err := readable(&s.Entry)
	if err != nil {
		v.Failed("log_read", err)
		return
	}
	d.show(v, desk.Page{
		Name: "entry", Title: page.Text{DE: "Eintrag " + named, EN: "Entry " + named}, Audit: rec,
		Body: desk.EntryView{Node: sources[0].Node, Seq: seq, Entry: &s.Entry, JSON: text, Leaf: s.LeafHash.String()},
	})
}

// readable is an entry as auditors read it: nothing in it is escaped for a page yet.
func readable(e *audit.Entry) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(e)
	return b.String(), err
}
