package desk

import (
	"bytes"
	"encoding/csv"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
)

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>`

// hostileRow has markup wherever a text can stand.
func hostileRow() *Row {
	return &Row{
		Seq: 7, Node: hostile, Time: began, Employee: hostile, Roles: []string{hostile}, Site: hostile, Detail: hostile, Event: audit.Event(hostile),
		Actions: []access.Action{hostile}, Entities: []string{hostile}, Records: []string{hostile}, Asked: []string{hostile},
		Shown: []Shown{{Category: access.Category(hostile), Treatment: access.Clear}}, Refused: true, Reason: hostile, Line: hostile, Error: hostile,
	}
}

func bodies() map[string]any {
	q := Query{Record: hostile, Entity: hostile, Since: began, Before: "9", Node: hostile}
	view := SearchView{Query: q, Found: &Found{Rows: []*Row{hostileRow()}, Next: "3", Short: true, Unread: []Unread{{Node: hostile}}, Summary: &Summary{Answers: 1}}, Path: Path, MayExport: true, Names: true, Nodes: []string{hostile}}
	ask := Ask{ID: hostile, By: hostile, Employee: hostile, Purpose: "check", Note: hostile, Roles: []string{hostile}}
	report := audit.Report{Damage: &audit.Damage{}}
	return map[string]any{
		"search": view, "record": view, "mine": view,
		"employees": EmployeesView{Employee: hostile, MayAsk: true, MayDecide: true, Consent: true, Lasts: time.Hour, Mine: []Ask{ask}, ToDecide: []Ask{ask}},
		"employee":  EmployeeView{SearchView: view, Ask: ask, Looked: true, Resolved: &audit.Names{Name: hostile, User: hostile, Email: hostile}},
		"volume":    VolumeView{Chart: NewChart([]*Day{{Records: 3}}, nil), Unusual: []Unusual{{Employee: hostile}}, Categories: []CategoryBar{{Category: hostile}}, Unread: []Unread{{Node: hostile}}, Nodes: []string{hostile}, Node: hostile},
		"log": LogView{
			Logs: []LogFacts{{Node: hostile, Own: true, Facts: StateFacts(State{Node: hostile, Lag: 3})}, {Unread: true}}, Nodes: []string{hostile}, MayExport: true,
			Verify: VerifyView{Verified: []Verified{{Node: hostile, Report: &report}, {Node: hostile, Report: new(audit.Report)}, {Node: hostile, Missing: 3, Report: new(audit.Report)}}},
		},
		"entry": EntryView{Node: hostile, Entry: &audit.Entry{Employee: hostile, Kind: audit.Disclosure, Intent: 3}, JSON: hostile},
	}
}

// Nothing that a page shows can be anything but text.
func TestPagesShowTextAlone(t *testing.T) {
	for name, body := range bodies() {
		for _, lang := range []string{"de", "en"} {
			got, policy := Render(lang, Page{
				Name: name, Title: page.Text{DE: hostile, EN: hostile}, Who: hostile, Audit: hostile, Wrong: page.Text{DE: hostile, EN: hostile},
				Path: Path, Ways: []Link{{Path, page.Text{DE: hostile, EN: hostile}}}, Body: body,
			})
			text := string(got)
			if !strings.HasSuffix(strings.TrimSpace(text), "</html>") || !strings.Contains(text, `<html lang="`+lang+`"`) {
				t.Fatalf("%s in %s isn't whole: %.200s", name, lang, text)
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

// A spreadsheet takes no cell for a formula.
func TestCSVHoldsNoFormulas(t *testing.T) {
	row := hostileRow()
	row.Event, row.Reason, row.Detail, row.Line, row.Site = "", "=1+1", "@SUM(A1)", "+1", "-1"
	var b bytes.Buffer
	if err := WriteCSV(&b, &Found{Rows: []*Row{row}, Next: "1"}); err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(&b)
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if err != nil || len(lines) != 3 || len(lines[0]) != len(lines[1]) {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for _, cell := range lines[1] {
		if strings.IndexAny(cell, "=+-@\t\r") == 0 {
			t.Errorf("cell %q", cell)
		}
	}
	if !slices.Contains(lines[1], "'=1+1") || !strings.HasPrefix(lines[2][0], "not all") {
		t.Errorf("lines %q", lines[1:])
	}
}

// What a form sends is taken, or named as wrong, and nothing else happens to it.
func FuzzParseQuery(f *testing.F) {
	f.Add("record=contact%2F1001&category=bank&shown=clear&since=2026-06-01&until=2026-06-30T12%3A30&before=17")
	f.Add("employee=e-aaaaaaaaaaaaaaaaaaaaaaaaaa&action=read&decision=refused&kind=control&entity=lead")
	f.Add("record=%00&since=0000-00-00&before=-1")
	f.Add("node=gate-1.r2&before=one%3A17%2Ctwo%3A0%2Cthree%3Ax")
	f.Fuzz(func(t *testing.T, raw string) {
		v, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		q, wrong := ParseQuery(v, time.UTC)
		again, none := ParseQuery(q.Values(), time.UTC)
		if again != q || len(none) > 0 {
			t.Errorf("%+v is read as %+v, %q", q, again, none)
		}
		for name, values := range q.Values() {
			if slices.Contains(wrong, name) {
				t.Errorf("%s is wrong and taken", name)
			}
			for _, s := range values {
				if !Plain(s, maxValue) && (name != "before" || !isCursor(s)) {
					t.Errorf("%s is %q", name, s)
				}
			}
		}
		if s := q.String(); len(s) > 4000+maxCursor || strings.ContainsAny(s, "\n\x00") {
			t.Errorf("the entry says %q", s)
		}
	})
}
