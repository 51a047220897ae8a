package desk

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/report"
	"github.com/crmgate/crmgate/internal/transfer"
)

// hostileReport has s wherever a text can stand, and something in each list.
func hostileReport(kind report.Kind, s string) *report.Report {
	c := access.Category(s)
	r := &report.Report{
		Kind: kind, Made: began, Entry: s, Purpose: "request", Since: &began, Until: &began,
		Gaps: []report.Gap{
			{What: s, Site: s}, {What: "purposes_not_recorded"}, {What: "controller"}, {What: "dpo_contact", Name: s}, {What: "responsible", Site: s}, {What: "system", Site: s},
			{What: "purposes", Site: s, Name: s}, {What: "special_basis", Site: s, Name: s}, {What: "subjects", Site: s}, {What: "erasure", Site: s}, {What: "purposes", Site: s},
			{What: "own_measures", Site: s}, {What: "location", Site: s, Name: "idp"}, {What: "processor", Site: s, Name: s}, {What: "contract", Site: s, Name: s + " " + s},
			{What: "recipient_purpose", Site: s, Name: s + " " + s}, {What: transfer.Expired, Name: s}, {What: transfer.Expiring}, {What: transfer.Old}, {What: transfer.Exception},
			{What: "upstream_unknown", Site: s}, {What: "version_not_kept_yet"}, {What: "log_kept_for_good_access"},
		},
		Logs: []report.Log{{
			Node: s, Began: &began, Key: s, Root: s, Checkpoint: s, Entries: 9, Cut: &report.Cut{Why: "time", Before: began},
			Destroyed: []report.Destroyed{{Month: "2026-01", Kind: audit.ClassAccess, At: began}, {Month: s, Kind: audit.Class(s), At: began}},
		}, {Node: s}},
	}
	how := map[access.Category]access.Treatment{c: access.Clear, access.Bank: access.Partial}
	switch kind {
	case report.AccessKind:
		r.Access = &report.Access{
			Records: []string{s}, Requests: 3, Refused: 1, First: &began, Last: &began, Exports: 1, Unlisted: 4,
			Categories: []report.CategorySum{{Category: c, Clear: 1, LastClear: &began}, {Category: access.Bank}},
			Recipients: []report.Recipient{{Kind: "role", Name: s}, {Kind: "machine", Name: s}, {Kind: "other"}},
		}
		for _, o := range []string{report.OutcomeShown, report.OutcomeNamed, report.OutcomeRefused, report.OutcomeNone, report.OutcomeUnread, s} {
			row := report.AccessRow{
				Time: began, Node: s, Site: s, Roles: []string{s}, OtherRoles: 1, Actions: []access.Action{access.Action(s), access.Read}, Records: []string{s},
				Outcome: o, Reason: s, Observed: true, Purpose: "request",
			}
			if o == report.OutcomeShown {
				row.Shown, row.Machine, row.Purpose = report.ShownOf(how), s, ""
			}
			r.Access.Rows = append(r.Access.Rows, row)
		}
	case report.BreachKind:
		r.Breach = &report.Breach{
			Account: s, Clock: &report.Clock{Known: began, Deadline: began, Left: -3700}, Sites: []report.Count{{Name: s, N: 1}},
			Roles: []report.Count{{Name: s, N: 1}, {N: 2}}, Actions: []report.Count{{Name: s}}, Unread: 1, Unnamed: 1, Withheld: 1, Distinct: 7, AtLeast: true,
			Entities: []report.Concerned{{Name: s}}, Categories: []report.Concerned{{Name: s}, {Name: "bank"}}, Unlisted: 2, UnlistedExports: 1,
			Records: []report.BreachRecord{{Record: s, Entity: s, Clear: []access.Category{c}, Masked: []access.Category{c}}},
			Exports: []report.Taken{{Time: began, Node: s, Site: s, Entity: s}}, Unit: report.Day, Time: []report.Step{{Begin: began, Requests: 3, Records: 7, Clear: 2}},
			Events: []report.Event{{Time: began, Event: audit.SignIn, Address: s, Factor: s}}, Addresses: []report.Count{{Name: s}},
		}
	case report.RegisterKind:
		r.Register = hostileRegister(s, how)
	}
	return r
}

func hostileRegister(s string, how map[access.Category]access.Treatment) *report.Register {
	all := hostileAbout(s)
	places := []transfer.Place{{Country: s, Area: transfer.Third}, {Country: "US", Area: transfer.Third, Decision: transfer.DecisionOn("US")}, {Country: "DE", Area: transfer.EU}, {Country: "NO", Area: transfer.EEA}}
	system := report.RegisterSystem{
		Kind: s, Name: s, At: []string{s}, Operator: &report.Party{Name: s, Contact: s}, Contract: s, Purpose: s, Places: places,
		Transfers: []transfer.Transfer{
			{Basis: transfer.DPF, Recipient: s, Reference: s}, {Basis: transfer.SCC, Module: 2, Date: "2026-03-01", Reference: s},
			{Basis: transfer.BCR, Reference: s}, {Basis: transfer.Derogation, Case: s, Reference: s}, {Basis: transfer.Basis(s), Reference: s},
		},
	}
	systems := []report.RegisterSystem{system, {Kind: "idp", Self: true}}
	measures := []report.RegisterMeasure{{What: s, Value: s}, {What: "logged_before"}, {What: "witness " + s}}
	return &report.Register{
		About: all, Systems: systems, Measures: measures, Settings: map[string]string{s: s}, Elsewhere: []string{s},
		Counted: []report.RegisterCounted{{Node: s}, {Node: s, Back: &began, AtLeast: true}, {Node: s, Whole: true}},
		Number:  2, Hash: strings.Repeat("0", 64), Since: &began, Store: s, Retain: map[string]int{"access": 36, "employee": 0},
		Versions: []report.RegisterVersion{{Number: 2, Hash: strings.Repeat("0", 64), Since: began}, {Number: 1, Hash: strings.Repeat("1", 64), Since: began}},
		Changes:  &report.Changes{From: 1, To: 2, Lines: []report.Change{{Site: s, Field: s, Name: s, Before: &s}, {Field: "role", After: new(string)}}},
		Sites: []report.RegisterSite{{
			Name: s, Addresses: []string{s}, Profile: s, Evidence: s, Policies: []string{s}, Policy: s, Issuer: s, Factors: []string{s},
			Sessions: map[string]string{s: s}, Machines: []report.RegisterMachine{{Name: s, By: s, Roles: []string{s}}}, Routes: []string{s},
			Entities: []report.RegisterEntity{{Name: s}, {Name: s, Categories: []access.Category{access.Category(s)}}},
			Roles: []report.RegisterRole{{Name: s}, {Name: s, Sees: []report.RegisterSees{{
				Entity: s, Action: access.Read, How: how, If: map[string]map[access.Category]access.Treatment{s: how},
			}}}},
			Exceptions: map[string]string{s: s}, Desk: map[string]string{s: s},
			About: all, Systems: systems, Measures: measures, Settings: map[string]string{s: s},
			Served: []report.RegisterServed{{Address: s, Protection: "clear", Reason: s}, {Address: s, Protection: "proxy"}, {Address: s, Protection: s}},
			Ways:   []report.RegisterWay{{To: s, Protection: "unverified", Reason: s, Where: []string{s}}, {Protection: "unknown", Dynamic: true, Around: true}, {To: s, Protection: s}},
			Traffic: &report.RegisterTraffic{
				Rows:    []report.TrafficRow{{Entity: s, Category: access.Category(s), Drift: true, To: []report.TrafficTo{{Kind: "role", Name: s}, {Kind: "machine", Name: s}, {Kind: "other"}}}},
				Unnamed: report.Spans{Year: 1}, Unread: report.Spans{Year: 1}, UnknownRoutes: report.Spans{Year: 1}, NeverEntities: []string{s}, NeverRoutes: []string{s},
			},
		}},
	}
}

func hostileAbout(s string) report.RegisterAbout {
	p := &report.Party{Name: s, Contact: s}
	stated := []report.RegisterStated{{Of: s, Text: s}, {Of: "*", Text: s}, {Of: report.CategoryOf + s, Text: s}}
	return report.RegisterAbout{
		System: s, Controller: p, Joint: p, Representative: &report.Party{Name: s}, Officer: &report.Party{Contact: s}, Responsible: p, Subjects: stated, Retention: stated,
		Purposes: []report.RegisterPurpose{{Of: s, Bases: []string{s, "6a", "9b", "88"}, Text: s}}, Measures: []string{s},
	}
}

func reportPages(s string) map[string]Page {
	form := url.Values{"record": {s, s}, "note": {s}, "as": {"page"}}
	pages := map[string]Page{"forms": {
		Name: "reports", Title: ReportTitle(report.AccessKind), Body: ReportsView{Asked: form, Of: report.AccessKind, Consent: true},
	}}
	for _, k := range []report.Kind{report.AccessKind, report.BreachKind, report.RegisterKind} {
		pages[string(k)] = ReportPage(hostileReport(k, s), form, false)
		pages[string(k)+" on paper"] = ReportPage(hostileReport(k, s), form, true)
	}
	return pages
}

func TestReportsShowTextAlone(t *testing.T) {
	for name, p := range reportPages(hostile) {
		for _, lang := range []string{"de", "en"} {
			got, policy := Render(lang, p)
			text := string(got)
			if !strings.HasSuffix(strings.TrimSpace(text), "</html>") || !strings.Contains(text, `<html lang="`+lang+`"`) {
				t.Fatalf("%s in %s isn't whole: %s", name, lang, text[max(0, len(text)-300):])
			}
			for _, no := range []string{"<script", "<img", "onerror=alert(2)>", " style=\"", "javascript:", "ZgotmplZ"} {
				if strings.Contains(text, no) {
					t.Errorf("%s in %s holds %s", name, lang, no)
				}
			}
			if strings.Contains(policy, "script-src") || !strings.Contains(policy, "default-src 'none'") {
				t.Errorf("policy %s", policy)
			}
		}
	}
}

// words are the texts that somebody reads on a page, but for what is code.
func words(t *testing.T, body []byte) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode && slices.Contains([]string{"style", "code", "pre", "time"}, n.Data) {
			return
		}
		if s := strings.TrimSpace(n.Data); n.Type == html.TextNode && len(s) > 3 {
			all = append(all, s)
		}
		for _, a := range n.Attr {
			if a.Key == "aria-label" || a.Key == "placeholder" {
				all = append(all, a.Val)
			}
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
	}
	walk(root)
	return all
}

// What stands on a German page is German: nothing of it but values, and what both
// languages call alike, stands on the English one, too.
func TestReportsAreWholeInBothLanguages(t *testing.T) {
	const value = "wert"
	alike := []string{"JSON", "System", "SHA-256", "Sites", "contact/1001", "e-…", "(wert)", "access", "Pseudonym"}
	for name, p := range reportPages(value) {
		german, _ := Render("de", p)
		english, _ := Render("en", p)
		others := words(t, english)
		for _, w := range words(t, german) {
			bare := strings.Trim(strings.ReplaceAll(w, value, ""), " ,.;:()0123456789…–-%×")
			if slices.Contains(others, w) && bare != "" && !slices.Contains(alike, w) {
				t.Errorf("%s: %q stands on both pages", name, w)
			}
		}
	}
}

// On paper there is nothing to press, and all is unfolded.
func TestPaperHasNoNavigation(t *testing.T) {
	for name, p := range reportPages("value") {
		if !p.Print {
			continue
		}
		p.Ways = []Link{{Path, p.Title}}
		got, _ := Render("en", p)
		for _, no := range []string{"<nav", "<form", "<button", "<input", "href="} {
			if strings.Contains(string(got), no) {
				t.Errorf("%s holds %s", name, no)
			}
		}
		if strings.Count(string(got), "<details") != strings.Count(string(got), "<details open") || !strings.Contains(string(got), "<title>"+html.EscapeString(p.Title.EN)+" · ") {
			t.Errorf("%s is folded, or has no title", name)
		}
	}
}

func TestReportFormsAreChecked(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for form, want := range map[string]string{
		"record=contact/1%0D%0Alead/2&purpose=request&note=file+4711": "",
		"record=contact/1": "purpose",
		"record=contact&purpose=request&note=file+4711":                            "record",
		"purpose=request&note=file+4711":                                           "record",
		"record=a/1%00&purpose=request&note=file+4711":                             "record",
		"record=a/1&purpose=curiosity&note=file+4711":                              "purpose",
		"record=a/1&purpose=request&note=x":                                        "purpose",
		"record=a/1&purpose=request&note=file&since=soon":                          "since,purpose",
		"record=a/1&purpose=request&note=file+1&since=2026-02-01&until=2026-01-01": "until",
	} {
		v, err := url.ParseQuery(form)
		if err != nil {
			t.Fatal(err)
		}
		q, wrong := ParseReport(report.AccessKind, v, time.UTC, now)
		if strings.Join(wrong, ",") != want {
			t.Errorf("%s: wrong %q, want %q", form, wrong, want)
		}
		if want == "" && !slices.Equal(q.Records, []string{"contact/1", "lead/2"}) {
			t.Errorf("%s: %+v", form, q)
		}
	}
	for form, want := range map[string]string{
		"since=2026-11-20T08:30&known=2026-11-23T11:00": "",
		"employee=e-aaaaaaaaaaaaaaaaaaaaaaaaaa":         "",
		"":                                              "since",
		"known=2026-11-24&since=2026-11-01":             "known",
		"employee=vera":                                 "employee",
	} {
		v, _ := url.ParseQuery(form + "&purpose=breach&note=file+4711")
		if _, wrong := ParseReport(report.BreachKind, v, time.UTC, now); strings.Join(wrong, ",") != want {
			t.Errorf("%s: wrong %q, want %q", form, wrong, want)
		}
	}
}
