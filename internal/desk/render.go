package desk

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/report"
	"github.com/crmgate/crmgate/internal/retain"
	"github.com/crmgate/crmgate/internal/transfer"
)

//go:embed *.html
var sources embed.FS

//go:embed desk.css
var deskStyle template.CSS

var (
	german  = template.Must(parse("de"))
	english = template.Must(parse("en"))
)

// Page is a page of the desk.
type Page struct {
	// Name is the template: search, record, employees, employee, volume, log,
	// entry, mine, reports, access, breach, register.
	Name string
	// Print leaves out what isn't for paper: navigation, forms, links.
	Print bool
	Title page.Text
	// Ways lead to the other pages; Path is this one's.
	Ways []Link
	Path string
	// Who is the visitor's pseudonym, Audit the place of this look's entry.
	Who, Audit string
	// Wrong says what can't be done that was asked.
	Wrong page.Text
	Body  any
}

// Link leads somewhere.
type Link struct {
	Path string
	Text page.Text
}

type frame struct {
	Page
	Lang  string
	Style template.CSS
	Made  time.Time
}

// Render writes a page in the language de or en (any other is en), and returns the
// Content-Security-Policy that it has to be sent with.
func Render(lang string, p Page) (body []byte, policy string) {
	t := english
	if lang == "de" {
		t = german
	} else {
		lang = "en"
	}
	css := page.Style() + "\n" + deskStyle
	sum := sha256.Sum256([]byte(css))
	policy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	var buf bytes.Buffer
	name := "page"
	if p.Print {
		name = "print"
	}
	if err := t.ExecuteTemplate(&buf, name, frame{Page: p, Lang: lang, Style: css, Made: time.Now()}); err != nil {
		return []byte("error"), policy
	}
	return bytes.ToValidUTF8(buf.Bytes(), []byte("\uFFFD")), policy
}

// parse reads the templates with their words in one language.
func parse(lang string) (*template.Template, error) {
	t := template.New("desk")
	in := func(s page.Text) string { return s.In(lang) }
	t.Funcs(template.FuncMap{
		"say":       func(de, en string) string { return page.Text{DE: de, EN: en}.In(lang) },
		"text":      in,
		"category":  func(c access.Category) string { return in(categoryWord(c)) },
		"treatment": func(t access.Treatment) string { return in(treatmentWord(t)) },
		"action":    func(a access.Action) string { return in(actionWord(a)) },
		"became":    func(a access.Action, o access.Outcome) string { return in(becameWord(a, o)) },
		"event":     func(e audit.Event) string { return in(eventWord(e)) },
		"purpose":   func(p string) string { return in(purposeWord(p)) },
		"day":       func(t time.Time) string { return in(day(t)) },
		"shortday":  func(t time.Time) string { return in(shortDay(t)) },
		"clock":     clock,
		"moment":    func(t time.Time) string { return in(moment(t)) },
		"iso":       func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"n":         func(n any) string { return number(n, lang) },
		"size":      func(n int64) string { return size(n, lang) },
		"treated":   byTreatment,
		"include": func(name string, data any) (template.HTML, error) {
			var b bytes.Buffer
			err := t.ExecuteTemplate(&b, name, data)
			return template.HTML(b.String()), err //nolint:gosec // what the same template has escaped
		},
		"actions":    access.Actions,
		"categories": searchable,
		"purposes":   Purposes,
		"recordpath": func(r string) string { return RecordPath + "?record=" + url.QueryEscape(r) },
		"who":        func(e string) string { return EmployeePath + "?employee=" + url.QueryEscape(e) },
		"entrypath":  entryPath,
		"pageat":     pageAt,
	})
	t.Funcs(template.FuncMap{
		"gap":      func(g report.Gap) string { return in(gapWord(g.What)) },
		"outcome":  func(o string) string { return in(outcomeWord(o)) },
		"setting":  func(name string) string { return in(settingWord(name)) },
		"set":      func(name, value string) string { return in(settingValue(name, value)) },
		"field":    func(f string) string { return in(fieldWord(f)) },
		"class":    func(c audit.Class) string { return in(classWord(c)) },
		"monthly":  func(m string) string { return in(monthWord(m)) },
		"span":     func(seconds int64) string { return in(spanWord(seconds)) },
		"said":     func(category string) string { return in(categoryWord(access.Category(category))) },
		"done":     func(a string) string { return in(actionWord(access.Action(a))) },
		"plain":    func(s *string) string { return *s },
		"of":       func(of string) string { return in(ofWord(of)) },
		"basis":    func(b string) string { return in(basisWord(b)) },
		"place":    func(p transfer.Place) string { return in(placeWord(p)) },
		"rests":    func(t transfer.Transfer) string { return in(transferWord(t)) },
		"system":   func(kind, name string) string { return in(systemWord(kind, name)) },
		"protects": func(p string) string { return in(protectionWord(p)) },
		"measured": func(what string) string { return in(measureWord(what)) },
		"shownto":  func(t report.TrafficTo) string { return in(trafficTo(t)) },
		"monthsof": func(kind string, months int) string { return in(retainWord(kind, months)) },
		"treating": func(how map[access.Category]access.Treatment) []treatedGroup { return byTreatment(report.ShownOf(how)) },
	})
	t.Funcs(consentFuncs())
	t.Funcs(partFuncs(in))
	return t.ParseFS(sources, "*.html")
}

// partFuncs are the words of what a gate does beside masking.
func partFuncs(in func(page.Text) string) template.FuncMap {
	return template.FuncMap{
		"rule":    func(r string) string { return in(ruleWord(r)) },
		"dayof":   func(d string) string { return in(dateWord(d)) },
		"period":  func(text string) string { return in(erasureWord(text)) },
		"did":     func(w retain.Word) string { return in(didWord(w)) },
		"remains": remainsWord,
		"status":  statusWord,
		"dated":   func(t time.Time) string { return in(dated(t)) },
		"alarm":   func(a audit.Alarm) string { return in(alarmWord(a)) },
		"level":   func(l string) string { return in(levelWord(l)) },
		"levels":  levels,
	}
}

func number(n any, lang string) string {
	switch n := n.(type) {
	case int:
		return grouped(int64(n), lang)
	case int64:
		return grouped(n, lang)
	case uint64:
		return grouped(int64(n), lang)
	}
	return fmt.Sprint(n)
}

// searchable are the categories that somebody can search for.
func searchable() []access.Category {
	var all []access.Category
	for _, c := range access.Categories() {
		if c != access.Public {
			all = append(all, c)
		}
	}
	return all
}

// EntryAt leads to an entry.
func EntryAt(node string, seq uint64) string { return entryPath(node, seq) }

func entryPath(node string, seq uint64) string {
	path := EntryPath + "?seq=" + strconv.FormatUint(seq, 10)
	if node != "" {
		path += "&node=" + url.QueryEscape(node)
	}
	return path
}

// pageAt leads to the page that begins there. The whole address is made here: what a
// template puts behind a question mark it takes for one value, and escapes.
func pageAt(path string, q Query, before Cursor) template.URL {
	q.Before = before
	return template.URL(path + "?" + q.Values().Encode()) //nolint:gosec // a path of ours, and values that are encoded
}

// treatedGroup are the categories that were treated alike.
type treatedGroup struct {
	Treatment  access.Treatment
	Categories []access.Category
}

func byTreatment(all []Shown) []treatedGroup {
	var out []treatedGroup
	for _, s := range all {
		if len(out) == 0 || out[len(out)-1].Treatment != s.Treatment {
			out = append(out, treatedGroup{Treatment: s.Treatment})
		}
		g := &out[len(out)-1]
		g.Categories = append(g.Categories, s.Category)
	}
	return out
}
