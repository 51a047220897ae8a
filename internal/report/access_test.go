package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

func hidden() map[access.Category]access.Treatment {
	return map[access.Category]access.Treatment{access.Name: access.Clear, access.Bank: access.Hidden, access.Phone: access.Partial, access.Public: access.Clear}
}

func open() map[access.Category]access.Treatment {
	return map[access.Category]access.Treatment{access.Name: access.Clear, access.Bank: access.Clear}
}

func knownRoles() Names { return Names{"sales": true, "support": true} }

func bounds() Bounds { return Bounds{Time: time.Minute, Rows: 100, Distinct: 1000} }

// whole is a log with all that a report on one person has to tell apart.
func whole() *logOf {
	l := newLog()
	l.show(1, l.ask(1, vera, "sales", access.Read, "7"), hidden(), "7")
	l.show(2, l.ask(2, paula, "support", access.Read, "8"), open(), "8")           // of somebody else
	l.show(3, l.ask(3, paula, "support", access.Search), open(), "5", "6", "7")    // in a list
	l.show(4, l.ask(4, paula, "support", access.Export), hidden(), "7", "70", "8") // an export
	refused := l.ask(5, vera, "sales", access.Delete, "7")
	l.entries[refused].Entry.Decision = &audit.Decision{Refused: true, Reason: "not_allowed"}
	l.ask(6, vera, "sales", access.Read, "7") // no answer
	l.show(7, l.ask(7, vera, "sales", access.Read, "7"), nil, "7")
	unread := l.ask(8, vera, "sales", access.Read, "7")
	l.entries[unread].Entry.Observed = &audit.Observed{Until: "2026-12-31"}
	machine := l.ask(9, vera, "support", access.Read, "7")
	l.entries[machine].Entry.Factor = "machine nightly"
	l.show(9, machine, open(), "7")
	return l
}

func makeReport(t *testing.T, l *logOf, q Query) *Report {
	t.Helper()
	if wrong := q.Check(*at(500)); len(wrong) > 0 {
		t.Fatalf("the query is wrong in %q", wrong)
	}
	r, err := Make(t.Context(), []Source{l}, q, knownRoles(), "n1/17", bounds())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The oldest request is told of like the others, though its intent names no record.
func TestOldestRequestOfAReportHasItsIntent(t *testing.T) {
	l := newLog()
	l.show(1, l.ask(1, vera, "sales", access.Search), hidden(), "5", "7")
	l.show(2, l.ask(2, vera, "sales", access.Export), hidden(), "7")
	a := makeReport(t, l, Query{Kind: AccessKind, Records: []string{"contact/7"}}).Access
	if len(a.Rows) != 2 || a.Exports != 1 || !slices.Equal(a.Rows[0].Actions, []access.Action{access.Search}) {
		t.Errorf("the report says %+v", a)
	}
}

func TestAccessReportTellsClearFromMasked(t *testing.T) {
	r := makeReport(t, whole(), Query{Kind: AccessKind, Records: []string{"contact/7"}})
	a := r.Access
	want := []struct {
		outcome, bank, role, machine string
	}{
		{OutcomeShown, "hidden", "sales", ""},
		{OutcomeShown, "clear", "support", ""},
		{OutcomeShown, "hidden", "support", ""},
		{OutcomeRefused, "", "sales", ""},
		{OutcomeNone, "", "sales", ""},
		{OutcomeNamed, "", "sales", ""},
		{OutcomeUnread, "", "sales", ""},
		{OutcomeShown, "clear", "", "nightly"},
	}
	if len(a.Rows) != len(want) || a.Requests != len(want) || a.Refused != 1 || a.Exports != 1 {
		t.Fatalf("rows %d, requests %d, refused %d, exports %d: %+v", len(a.Rows), a.Requests, a.Refused, a.Exports, a.Rows)
	}
	for i, w := range want {
		row := a.Rows[i]
		bank := ""
		for _, s := range row.Shown {
			if s.Category == access.Bank {
				bank = s.Treatment.String()
			}
			if s.Category == access.Public {
				t.Errorf("row %d tells of what is public", i)
			}
		}
		if row.Outcome != w.outcome || bank != w.bank || strings.Join(row.Roles, " ") != w.role || row.Machine != w.machine {
			t.Errorf("row %d is %+v, want %+v", i, row, w)
		}
		if !slices.Equal(row.Records, []string{"contact/7"}) {
			t.Errorf("row %d tells of %q", i, row.Records)
		}
	}
	for _, c := range a.Categories {
		if c.Category == access.Bank && (c.Clear != 2 || c.Masked != 2 || !c.LastClear.Equal(*at(9))) {
			t.Errorf("bank: %+v", c)
		}
	}
}

// Of an answer in parts, the most revealing one counts, in whichever order they came.
func TestAccessReportCountsTheMostRevealingPart(t *testing.T) {
	for i, parts := range [][]map[access.Category]access.Treatment{{hidden(), open()}, {open(), hidden()}} {
		l := newLog()
		intent := l.ask(1, vera, "sales", access.Export)
		for _, how := range parts {
			l.show(2, intent, how, "7")
		}
		r := makeReport(t, l, Query{Kind: AccessKind, Records: []string{"contact/7"}})
		want := Shown{access.Bank, access.Clear}
		if len(r.Access.Rows) != 1 || !slices.Contains(r.Access.Rows[0].Shown, want) {
			t.Errorf("order %d: %+v", i, r.Access.Rows)
		}
	}
}

// Several records are one person: a request that holds two of them is one access.
func TestAccessReportOfSeveralRecordsCountsARequestOnce(t *testing.T) {
	r := makeReport(t, whole(), Query{Kind: AccessKind, Records: []string{"contact/7", "contact/6", "contact/8"}})
	if n := r.Access.Requests; n != 9 {
		t.Errorf("%d requests, want 9", n)
	}
	for _, row := range r.Access.Rows {
		if row.Time.Equal(*at(3)) && !slices.Equal(row.Records, []string{"contact/6", "contact/7"}) {
			t.Errorf("the list holds %q", row.Records)
		}
	}
}

// Whatever somebody puts where a text can stand, no employee is named.
func TestAccessReportNamesNoEmployee(t *testing.T) {
	const name, mail = "Vera Verkauf", "vera.verkauf@example.de"
	l := whole()
	for i := range l.entries {
		e := &l.entries[i].Entry
		e.Roles = append(e.Roles, name, mail, vera) // as some providers do
		e.Detail, e.Error, e.Session, e.CRMUser, e.SourceIP = name, name, mail, mail, "192.0.2.77"
		e.Names = &audit.Names{User: mail, Email: mail, Name: name}
		for j := range e.Accesses {
			e.Accesses[j].Question, e.Accesses[j].Call = "owner = "+name, name
			e.Accesses[j].IDs = append(e.Accesses[j].IDs, name) // somebody else's record
		}
		if e.Decision != nil {
			e.Decision.Line = name
		}
		if e.Disclosure != nil {
			e.Disclosure.Records = append(e.Disclosure.Records, access.DisclosedRecord{
				Record: access.Record{Entity: "user", Type: "user", ID: mail}, Treated: open(),
			})
		}
	}
	q := Query{Kind: AccessKind, Records: []string{"contact/7"}, Purpose: "request", Note: "asked because of " + name}
	raw, err := json.Marshal(makeReport(t, l, q))
	if err != nil {
		t.Fatal(err)
	}
	for _, no := range []string{name, "Vera", mail, vera, paula, "192.0.2", `"e-`, "example.de\"]", "contact/70", "contact/8"} {
		if strings.Contains(string(raw), no) {
			t.Errorf("the report holds %s: %s", no, raw)
		}
	}
	if !strings.Contains(q.String(), name) {
		t.Error("the entry of the look doesn't hold the occasion")
	}
	if !strings.Contains(string(raw), `"other_roles":3`) {
		t.Errorf("that there were other roles isn't said: %s", raw)
	}
}

// The list is bounded, the sums go on; and what time cuts off is said.
func TestAccessReportSaysWhereItEnds(t *testing.T) {
	l := newLog()
	for i := range 50 {
		l.show(i, l.ask(i, vera, "sales", access.Search), open(), "7", "8")
	}
	q := Query{Kind: AccessKind, Records: []string{"contact/7"}}
	r, err := Make(t.Context(), []Source{l}, q, knownRoles(), "n1/17", Bounds{Time: time.Minute, Rows: 10, Distinct: 10})
	if err != nil {
		t.Fatal(err)
	}
	a := r.Access
	if len(a.Rows) != 10 || a.Unlisted != 40 || a.Requests != 50 || !a.Rows[0].Time.Equal(*at(40)) || r.Logs[0].Cut != nil {
		t.Errorf("%d rows from %s, %d unlisted of %d, cut %v", len(a.Rows), a.Rows[0].Time, a.Unlisted, a.Requests, r.Logs[0].Cut)
	}
	l.slow = 20
	r, err = Make(t.Context(), []Source{l}, q, knownRoles(), "n1/17", bounds())
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Logs[0].Cut; c == nil || c.Why != "time" || !c.Before.Equal(*at(30)) || r.Access.Requests != 20 {
		t.Errorf("cut %+v, %d requests", c, r.Access.Requests)
	}
}

func TestReportNamesDestroyedMonthsOfItsTime(t *testing.T) {
	l := whole()
	for _, month := range []string{"2026-01", "2026-02", "2026-03"} {
		l.state.Destroyed = append(l.state.Destroyed, Destroyed{Month: month, Kind: audit.ClassAccess, At: *at(0), Entry: 3})
	}
	q := Query{Kind: AccessKind, Records: []string{"contact/7"}, Since: time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC)}
	r := makeReport(t, l, q)
	if d := r.Logs[0].Destroyed; len(d) != 2 || d[0].Month != "2026-02" {
		t.Errorf("destroyed %+v", d)
	}
}

func TestAccessReportIsThatOfItsPeriod(t *testing.T) {
	r := makeReport(t, whole(), Query{Kind: AccessKind, Records: []string{"contact/7"}, Since: *at(3), Until: *at(6)})
	if n := r.Access.Requests; n != 3 {
		t.Errorf("%d requests", n)
	}
}

// The JSON is what others build upon: a change of it changes Version, or is a new
// field. UPDATE=1 writes it anew.
func golden(t *testing.T, name string, r *Report) {
	t.Helper()
	r.Made = *at(100)
	got, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got)+"\n" {
		t.Errorf("%s is another now:\n%s", name, got)
	}
	var back Report
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := json.MarshalIndent(&back, "", "  "); err != nil || string(again) != string(got) {
		t.Errorf("read and written again it is another: %v", err)
	}
}

func TestAccessReportKeepsItsShape(t *testing.T) {
	l := whole()
	l.state.Destroyed = []Destroyed{{Month: "2026-01", Kind: audit.ClassAccess, At: *at(0), Entry: 3}}
	golden(t, "access.json", makeReport(t, l, Query{Kind: AccessKind, Records: []string{"contact/7"}, Purpose: "request", Note: "file 4711"}))
}
