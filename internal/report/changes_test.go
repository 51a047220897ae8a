package report

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

// A person's report tells what was changed of their records, with no hash and nothing of
// others.
func TestReportTellsChangesFromReads(t *testing.T) {
	l := newLog()
	l.show(1, l.ask(1, vera, "sales", access.Read, "7"), open(), "7")
	for minute, c := range []access.Change{
		{IDs: []string{"7"}, Outcome: access.Changed, Fields: []access.ChangedField{{Name: "email", After: "hash"}, {Key: "hash"}}},
		{IDs: []string{"7"}, Outcome: access.Unchanged, Fields: []access.ChangedField{{Name: "iban"}}},
		{IDs: []string{"8"}, Outcome: access.Changed, Fields: []access.ChangedField{{Name: "secret"}}},
	} {
		intent := l.ask(2+minute, vera, "sales", access.Update, c.IDs[0])
		l.show(2+minute, intent, nil)
		c.Entity, c.Type, c.Action = "contact", "contact", access.Update
		l.entries[len(l.entries)-1].Entry.Changes = []access.Change{c}
	}
	r := makeReport(t, l, Query{Kind: AccessKind, Records: []string{"contact/7"}, Purpose: "request", Note: "file 4711"}).Access
	if r.Requests != 3 || r.Changes != 1 || len(r.Rows) != 3 {
		t.Fatalf("%d requests, %d changes, %d rows", r.Requests, r.Changes, len(r.Rows))
	}
	read, saved, refused := r.Rows[0], r.Rows[1], r.Rows[2]
	if read.Changes != nil || read.Outcome != OutcomeShown {
		t.Errorf("a read: %+v", read)
	}
	if saved.Outcome != OutcomeWrote || len(saved.Changes) != 1 || strings.Join(saved.Changes[0].Fields, " ") != "email" || saved.Changes[0].Unlisted != 1 {
		t.Errorf("a change: %+v", saved)
	}
	if len(refused.Changes) != 1 || refused.Changes[0].Outcome != access.Unchanged {
		t.Errorf("a change that wasn't saved: %+v", refused)
	}
	if raw, err := json.Marshal(r); err != nil || strings.Contains(string(raw), "hash") || strings.Contains(string(raw), "secret") {
		t.Errorf("the report holds a hash, or another's data: %s, %v", raw, err)
	}
}
