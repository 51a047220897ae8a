package desk

import (
	"net/url"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/report"
)

// ReportsView is the body of the page on which somebody asks for a report.
type ReportsView struct {
	// Asked is what stood in the form that was wrong.
	Asked url.Values
	// Of is the report that was asked for.
	Of report.Kind
	// Consent says that an account takes a second person's consent.
	Consent bool
}

// Value is what a field of a report's form shows.
func (v ReportsView) Value(of report.Kind, name string) string {
	if v.Of != of {
		return ""
	}
	return v.Asked.Get(name)
}

// ReportView is the body of a report.
type ReportView struct {
	*report.Report
	// Form is what asks for the same report again, as another form of it, at Path.
	Form  url.Values
	Path  string
	Print bool
	Chart *StepChart
}

// NewReportView draws what a report has to be drawn.
func NewReportView(r *report.Report, path string, form url.Values, print bool) ReportView {
	v := ReportView{Report: r, Form: form, Path: path, Print: print}
	if r.Breach != nil && len(r.Breach.Time) > 0 {
		v.Chart = newStepChart(r.Breach)
	}
	return v
}

// ReportTitle is a report's title, for page and paper.
func ReportTitle(k report.Kind) page.Text {
	switch k {
	case report.AccessKind:
		return page.Text{DE: "Zugriffe auf die Daten einer Person (Art. 15 DSGVO)", EN: "Accesses to a person's data (Art. 15 GDPR)"}
	case report.BreachKind:
		return page.Text{DE: "Umfang einer Datenpanne (Art. 33 DSGVO)", EN: "Extent of a data breach (Art. 33 GDPR)"}
	}
	return page.Text{DE: "Verzeichnis von Verarbeitungstätigkeiten (Art. 30 DSGVO)", EN: "Register of processing (Art. 30 GDPR)"}
}

// ReportPage is the page of a report, for the desk or for paper.
func ReportPage(r *report.Report, form url.Values, print bool) Page {
	path := map[report.Kind]string{report.AccessKind: AccessPath, report.BreachKind: BreachPath, report.RegisterKind: RegisterPath}[r.Kind]
	return Page{
		Name: string(r.Kind), Title: ReportTitle(r.Kind), Path: ReportsPath, Print: print, Audit: r.Entry,
		Body: NewReportView(r, path, form, print),
	}
}

// ParseReport reads what a form asks. Wrong are the names of fields that can't be
// meant so.
func ParseReport(kind report.Kind, v url.Values, zone *time.Location, now time.Time) (q report.Query, wrong []string) {
	q.Kind = kind
	when := func(name string, last bool) time.Time {
		s := strings.TrimSpace(v.Get(name))
		t := parseTime(s, zone, last)
		if s != "" && t.IsZero() {
			wrong = append(wrong, name)
		}
		return t
	}
	q.Since, q.Until = when("since", false), when("until", true)
	switch kind {
	case report.AccessKind:
		for line := range strings.Lines(v.Get("record")) {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			if !Plain(line, maxValue) {
				wrong = append(wrong, "record")
				continue
			}
			q.Records = append(q.Records, line)
		}
	case report.BreachKind:
		q.Known = when("known", false)
		if q.Employee = strings.TrimSpace(v.Get("employee")); q.Employee != "" && !IsPseudonym(q.Employee) {
			q.Employee = ""
			wrong = append(wrong, "employee")
		}
	}
	a, ok := NewAsk("e-"+strings.Repeat("a", 26), v.Get("purpose"), v.Get("note"))
	if !ok {
		wrong = append(wrong, "purpose")
	}
	q.Purpose, q.Note = a.Purpose, a.Note
	if len(wrong) == 0 {
		wrong = q.Check(now)
	}
	return q, wrong
}

// StepChart is a line of time as bars.
type StepChart struct {
	Chart
	// Marks are some steps' times below the bars.
	Marks []StepMark
	Unit  string
}

// StepMark is a time below the bars.
type StepMark struct {
	X    string
	Text page.Text
}

func newStepChart(b *report.Breach) *StepChart {
	days := make([]*Day, len(b.Time))
	for i, s := range b.Time {
		days[i] = &Day{Date: s.Begin.Local(), Accesses: s.Requests, Records: s.Records, Clear: s.Clear, Categories: map[access.Category]Volume{}}
	}
	c := &StepChart{Chart: NewChart(days, nil), Unit: b.Unit}
	c.Labels = nil
	const marks = 5
	for i, bar := range c.Bars {
		if i%max(1, (len(c.Bars)+marks-1)/marks) == 0 {
			c.Marks = append(c.Marks, StepMark{bar.Middle, StepWord(b.Unit, days[i].Date)})
		}
	}
	return c
}

// IsFrom and IsTo report whether a version is one of those that are compared.
func (v ReportView) IsFrom(n int) bool {
	return v.Register.Changes != nil && v.Register.Changes.From == n
}

// IsTo is for the later one.
func (v ReportView) IsTo(n int) bool { return v.Register.Changes != nil && v.Register.Changes.To == n }

// Step is when a step of the report's line of time begins.
func (v ReportView) Step(at time.Time) page.Text { return StepWord(v.Breach.Unit, at) }

// StepWord is when a step begins.
func StepWord(unit string, at time.Time) page.Text {
	at = at.Local()
	switch unit {
	case report.Hour:
		return page.Text{DE: at.Format("02.01. 15 Uhr"), EN: at.Format("2 Jan 15:04")}
	case report.Month:
		return page.Text{DE: at.Format("01.2006"), EN: at.Format("Jan 2006")}
	case report.Year:
		return page.Text{DE: at.Format("2006"), EN: at.Format("2006")}
	}
	return day(at)
}
