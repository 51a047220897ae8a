package desk

import (
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/desk"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/report"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// reports shows the forms. They hold nothing of the log.
func (d *Desk) reports(v crmgate.Visitor) { d.showReports(v, "", nil, nil) }

func (d *Desk) showReports(v crmgate.Visitor, of report.Kind, asked url.Values, wrong []string) {
	p := desk.Page{
		Name: "reports", Title: page.Text{DE: "Berichte", EN: "Reports"}, Path: desk.ReportsPath,
		Body: desk.ReportsView{Asked: asked, Of: of, Consent: len(d.Consent) > 0},
	}
	if len(wrong) > 0 {
		p.Wrong = wrongReport(wrong)
	}
	d.show(v, p)
}

func wrongReport(fields []string) page.Text {
	list := desk.FieldNames(fields)
	return page.Text{
		DE: "Diese Angaben fehlen oder können nicht stimmen: " + list.DE + ". Ein Datensatz heißt Art/Kennung, etwa contact/1001; zu einer Datenpanne gehört ein Konto oder ein Beginn, und bekannt wurde sie nicht in der Zukunft; ein Anlass hat 5 bis 300 Zeichen.",
		EN: "These are missing or can't be right: " + list.EN + ". A record is named kind/id, as in contact/1001; a breach has an account or a beginning, and became known not in the future; an occasion has 5 to 300 characters.",
	}
}

// accessReport tells who saw a person's data.
func (d *Desk) accessReport(v crmgate.Visitor) { d.asksReport(v, report.AccessKind) }

// breachReport tells what a breach concerned. That of one account takes what it takes
// to see what one employee did.
func (d *Desk) breachReport(v crmgate.Visitor) { d.asksReport(v, report.BreachKind) }

func (d *Desk) asksReport(v crmgate.Visitor, kind report.Kind) {
	form, ok := v.Form()
	if !ok {
		return
	}
	q, wrong := desk.ParseReport(kind, form, time.Local, time.Now())
	if len(wrong) > 0 {
		d.showReports(v, kind, form, wrong)
		return
	}
	why := ""
	if q.Employee != "" {
		a, ok := d.open(v, q.Employee)
		if !ok {
			return
		}
		why = ", by ask " + a.ID
	}
	d.makeReport(v, q, form, why)
}

// registerReport shows what the configuration in force says. It holds nothing of
// what anybody did.
func (d *Desk) registerReport(v crmgate.Visitor) {
	asked := v.Query()
	q := report.Query{Kind: report.RegisterKind}
	for name, into := range map[string]*int{"of": &q.Of, "against": &q.Against} {
		text := asked.Get(name)
		n, err := strconv.Atoi(text)
		if text != "" && (err != nil || n < 1 || n > 1_000_000_000) {
			v.NotFound()
			return
		}
		*into = n
	}
	d.makeReport(v, q, asked, "")
}

// makeReport writes down who has which report made, makes it, and shows it: as a
// page, for print, as JSON, or a register as CSV.
func (d *Desk) makeReport(v crmgate.Visitor, q report.Query, form url.Values, why string) {
	event, as := audit.Searched, form.Get("as")
	if as == "json" || as == "print" || as == "csv" && q.Kind == report.RegisterKind {
		event = audit.Exported
	} else {
		as = "page"
	}
	rec, ok := v.Append(event, looking+q.String()+", as "+as+why)
	if !ok {
		return
	}
	r, err := d.services.Report(v.Request().Context(), d.app, q, rec, report.PageBounds())
	if err != nil {
		v.Failed("log_read", err)
		return
	}
	if as == "json" {
		w := v.File("application/json", "report-"+string(q.Kind)+"-"+r.Made.Local().Format(time.DateOnly)+".json")
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		if err := e.Encode(r); err != nil {
			d.logger.Info("the client didn't take the whole report", zap.Error(err))
		}
		return
	}
	if as == "csv" {
		w := v.File("text/csv; charset=utf-8", "register-"+r.Made.Local().Format(time.DateOnly)+".csv")
		if err := desk.WriteRegisterCSV(w, r, v.Lang()); err != nil {
			d.logger.Info("the client didn't take the whole register", zap.Error(err))
		}
		return
	}
	form.Del("as")
	d.show(v, desk.ReportPage(r, form, as == "print"))
}
