package command

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/report"
)

// Without a gateway that runs, a report is made of the log itself: the look is an
// entry first, what was destroyed is named, and what was shown is told.
func TestReportIsMadeOfALogThatNobodyHolds(t *testing.T) {
	home := t.TempDir()
	dir, config := filepath.Join(home, "data"), filepath.Join(home, "crmgate.json")
	err := os.WriteFile(config, fmt.Appendf(nil, `{"apps":{"crmgate":{"data_dir":%q,"log":{"retain":{"access":1}}}}}`, dir), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().UTC().AddDate(0, -5, 0)
	writeOld(t, dir, old)
	if said, err := runAudit(t, "retention", "--config", config, "--today", time.Now().UTC().Format(time.DateOnly)); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	who := readsContact(t, dir)
	about := []string{"--config", config, "--purpose", "request", "--note", "file 4711/26"}
	rep := reported(t, append([]string{"access", "--record", "contact/47", "--record", "lead/1"}, about...)...)
	l := rep.Logs[0]
	if len(l.Destroyed) != 1 || l.Destroyed[0].Month != old.Format("2006-01") || l.Began == nil || l.Key == "" {
		t.Errorf("the log is %+v", l)
	}
	if a := rep.Access; a.Requests != 1 || a.Rows[0].Outcome != report.OutcomeShown || a.Rows[0].OtherRoles != 1 {
		t.Errorf("accesses %+v", a)
	}
	about[3] = "breach"
	rep = reported(t, append([]string{"breach", "--employee", who, "--known", "24h"}, about...)...)
	if b := rep.Breach; b.Distinct != 1 || b.Clock.Overdue() || b.Account != who {
		t.Errorf("breach %+v", b)
	}
	said, err := runAudit(t, "search", "--config", config, "--kind", "control", "--json")
	for _, want := range []string{`report access, record \"contact/47\", record \"lead/1\", purpose request: file 4711/26`, "report breach, employee " + who} {
		if err != nil || !strings.Contains(said, fmt.Sprintf("audit report by uid %d: ", os.Getuid())+want) {
			t.Errorf("the log doesn't say %s: %v", want, err)
		}
	}
	out := filepath.Join(home, "r.html")
	page := append([]string{"report", "access", "--record", "contact/47", "--as", "html", "--lang", "de", "-o", out}, about...)
	if said, err := runAudit(t, page...); err != nil || said != "" {
		t.Fatalf("%v\n%s", err, said)
	}
	if raw, err := os.ReadFile(out); err != nil || !strings.Contains(string(raw), "vernichtet") || strings.Contains(string(raw), who) || strings.Contains(string(raw), "file 4711") {
		t.Errorf("the page is %.2000s, %v", raw, err)
	}
	if said, err := runAudit(t, page...); err == nil {
		t.Errorf("a file that is there is written over: %s", said)
	}
}

func reported(t *testing.T, args ...string) *report.Report {
	t.Helper()
	said, err := runAudit(t, append([]string{"report"}, args...)...)
	rep := new(report.Report)
	if err == nil {
		err = json.Unmarshal([]byte(said), rep)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return rep
}

// readsContact has somebody be shown a contact, and returns who it was.
func readsContact(t *testing.T, dir string) string {
	t.Helper()
	d := data{dir: dir}
	ring, err := d.ring(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l, err := audit.Open(t.Context(), d.log(), ring, d.options())
	if err != nil {
		t.Fatal(err)
	}
	who := l.Employee("https://login", "1")
	i := audit.Entry{
		Kind: audit.Intent, Request: "r", Employee: who, Roles: []string{"sales"},
		Accesses: []access.Access{{Route: "contact", Action: access.Read, Entity: "contact", Type: "contact", IDs: []string{"47"}}},
	}
	rec, err := l.Append(t.Context(), &i)
	if err != nil {
		t.Fatal(err)
	}
	o := audit.Entry{Kind: audit.Disclosure, Request: "r", Intent: rec.Seq, Employee: who, Roles: i.Roles, Status: 200, Disclosure: &access.Disclosure{
		Records: []access.DisclosedRecord{record("contact", "47", map[access.Category]access.Treatment{access.Bank: access.Clear})},
	}}
	if _, err := l.Append(t.Context(), &o); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return who
}

func TestReportsAreAskedForInFull(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"takes a purpose": {"access", "--record", "contact/1"},
		"5 to 300":        {"access", "--record", "contact/1", "--purpose", "request", "--note", "x"},
		"record":          {"access", "--purpose", "request", "--note", "file 4711"},
		"pseudonym":       {"breach", "--employee", "vera", "--purpose", "breach", "--note", "file 4711"},
		"since":           {"breach", "--purpose", "breach", "--note", "file 4711"},
		"json and html":   {"register", "--as", "pdf"},
		"de and en":       {"register", "--lang", "fr"},
		"there is no au":  {"register"},
	} {
		said, err := runAudit(t, append([]string{"report"}, append(args, "--data", dir)...)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q says %v, want %s\n%s", args, err, want, said)
		}
	}
}
