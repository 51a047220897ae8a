package command

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

func TestWhenIsATimeOrADurationBeforeNow(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"":                     {},
		"24h":                  now.Add(-24 * time.Hour),
		"7d":                   now.Add(-7 * 24 * time.Hour),
		"2026-05-01":           time.Date(2026, 5, 1, 0, 0, 0, 0, time.Local),
		"2026-05-01 08:30":     time.Date(2026, 5, 1, 8, 30, 0, 0, time.Local),
		"2026-05-01T08:30:00Z": time.Date(2026, 5, 1, 8, 30, 0, 0, time.UTC),
	} {
		if got, err := parseWhen("--since", text, now); err != nil || !got.Equal(want) {
			t.Errorf("parseWhen(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	if _, err := parseWhen("--since", "01.05.2026", now); err == nil || !strings.Contains(err.Error(), "--since 01.05.2026") {
		t.Errorf("parseWhen says %v", err)
	}
}

func record(kind, id string, treated map[access.Category]access.Treatment) access.DisclosedRecord {
	return access.DisclosedRecord{Record: access.Record{Entity: access.Entity(kind), Type: kind, ID: id}, Treated: treated}
}

func printed(t *testing.T, e *audit.Entry, first string) string {
	t.Helper()
	var b bytes.Buffer
	if err := printEntry(&b, 7, e, first, time.FixedZone("", 2*3600)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDisclosureIsOneLineThatNamesTheRecordSearchedFirst(t *testing.T) {
	name, hidden := map[access.Category]access.Treatment{access.Name: access.Clear}, map[access.Category]access.Treatment{access.Name: access.Hidden}
	e := &audit.Entry{Kind: audit.Disclosure, Time: time.Date(2026, 5, 1, 22, 30, 0, 0, time.UTC), Status: 200, Employee: "e-aaaaaaaaaaaaaaaaaaaaaaaaaa", Disclosure: &access.Disclosure{
		Records: []access.DisclosedRecord{
			record("contact", "1", name), record("contact", "2", name), record("contact", "3", name), record("contact", "4", name),
			record("contact", "5", name), record("contact", "6", name), record("contact", "6", name), record("contact", "6", nil), record("lead", "6", hidden), record("lead", "9", nil),
		},
	}}
	got := printed(t, e, "contact/6")
	want := "2026-05-02 00:30:00 +0200       7  e-aaaaaaaaaaaaaaaaaaaaaaaaaa  disclosure  200" +
		"  contact/6,1,2,3,4 and 1 more [name clear]  lead/6 [name hidden]  lead/9 [named only]\n"
	if got != want {
		t.Errorf("printed\n%s want\n%s", got, want)
	}
}

// Ids and calls come over the wire.
func TestChangesArePrintedBesideWhatWasShown(t *testing.T) {
	e := &audit.Entry{Kind: audit.Disclosure, Time: time.Date(2026, 5, 1, 22, 30, 0, 0, time.UTC), Status: 204, Employee: "e-aaaaaaaaaaaaaaaaaaaaaaaaaa", Changes: []access.Change{
		{Entity: "contact", Type: "contact", IDs: []string{"1", "2"}, Action: access.Update, Outcome: access.Changed, Same: 2, More: 1, Fields: []access.ChangedField{
			{Name: "email", Before: "aaaa", After: access.EmptyValue}, {Name: "phone"}, {Key: "bbbb", After: "cccc"},
		}},
		{Entity: "contact", Type: "contact", IDs: []string{"3"}, Action: access.Delete, Outcome: access.Unsure},
	}}
	want := "2026-05-02 00:30:00 +0200       7  e-aaaaaaaaaaaaaaaaaaaaaaaaaa  disclosure  204" +
		"  update contact/2,1 changed: email (aaaa > -), phone, ?bbbb (? > cccc), 1 more, 2 unchanged  delete contact/3 unknown\n"
	if got := printed(t, e, "contact/2"); got != want {
		t.Errorf("printed\n%s want\n%s", got, want)
	}
}

func TestEntryCanNotSpeakToTheTerminal(t *testing.T) {
	e := &audit.Entry{Kind: audit.Intent, Accesses: []access.Access{{
		Action: access.Read, Type: "contact", IDs: []string{"1\x1b[2J\r\n2"}, Route: "contact",
	}}, Decision: &audit.Decision{Refused: true, Reason: "denied"}}
	got := printed(t, e, "")
	if strings.ContainsAny(strings.TrimSuffix(got, "\n"), "\x1b\r\n") {
		t.Errorf("printed %q", got)
	}
}

func TestTreatmentsHaveNamesInJSON(t *testing.T) {
	e := &audit.Entry{Kind: audit.Disclosure, Status: 200, Disclosure: &access.Disclosure{
		Rows: 2, Records: []access.DisclosedRecord{record("contact", "1", map[access.Category]access.Treatment{access.Bank: access.Hidden})},
	}}
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	want := `"disclosure":{"records":[{"entity":"contact","type":"contact","id":"1","treated":{"bank":"hidden"}}],"rows":2}`
	if !strings.Contains(string(raw), want) || strings.Count(string(raw), `"disclosure":`) != 1 {
		t.Errorf("JSON = %s", raw)
	}
}

func TestProgressIsSilentForTwoSecondsAndNeverGoesBeyondItsLine(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b, verb: "Verifying", started: time.Now().Add(time.Hour), shown: -1}
	p.tell(1, 2)
	p.end()
	if b.Len() > 0 {
		t.Errorf("an early bar: %q", b.String())
	}
	p.started = time.Now().Add(-time.Hour)
	for i := range int64(1001) {
		p.tell(i, 1000)
	}
	p.end()
	if got := b.String(); strings.Contains(got, "\n") || strings.Count(got, "\rVerifying") != 101 || !strings.Contains(got, "100 %") {
		t.Errorf("the bar is drawn %d times: %q", strings.Count(got, "\rVerifying"), got[:80])
	}
}
