package desk

import (
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

func asked(action access.Action, ids ...string) *audit.Stored {
	return &audit.Stored{Seq: 3, Entry: audit.Entry{Kind: audit.Intent, Request: "r", Employee: "e-a", Accesses: []access.Access{{
		Route: "c", Action: action, Entity: "contact", Type: "contacts", IDs: ids,
		Refs: []access.Ref{
			{Role: access.RefWrite, Field: "email", Categories: []access.Category{access.Email}},
			{Role: access.RefWrite, Field: "?", Categories: []access.Category{access.Unclassified}},
		},
	}}}}
}

func told(intent uint64, changes ...access.Change) []audit.Stored {
	return []audit.Stored{{Seq: 4, Entry: audit.Entry{
		Kind: audit.Disclosure, Request: "r", Intent: intent, Status: 200, Disclosure: &access.Disclosure{}, Changes: changes,
	}}}
}

func updated(o access.Outcome, ids []string, fields ...string) access.Change {
	c := access.Change{Entity: "contact", Type: "contacts", IDs: ids, Action: access.Update, Outcome: o}
	for _, f := range fields {
		c.Fields = append(c.Fields, access.ChangedField{Name: f})
	}
	return c
}

// A row tells of the changes of its record alone, each field once.
func TestRowTellsChangesOfItsRecord(t *testing.T) {
	d := told(3, updated(access.Changed, []string{"1"}, "email"), updated(access.Changed, []string{"2"}, "phone", "email"), updated(access.Unsure, []string{"2"}, "city"))
	r := newRow(asked(access.Update, "1", "2"), d, "contact/2", 0)
	if len(r.Changes) != 2 || strings.Join(r.Changes[0].Fields, " ") != "phone email" || r.Changes[1].Outcome != access.Unsure || !r.changes("PHONE") || r.changes("name") {
		t.Errorf("of one record: %+v", r.Changes)
	}
	if !slices.Equal(r.Records, []string{"contacts/2"}) {
		t.Errorf("records %q", r.Records)
	}
	r = newRow(asked(access.Update), d, "", 0)
	if len(r.Changes) != 2 || strings.Join(r.Changes[0].Fields, " ") != "email phone" {
		t.Errorf("of all: %+v", r.Changes)
	}
	line := strings.Join(csvLine(r), "|")
	if !strings.HasSuffix(line, "|email phone city|update changed, update unknown") || len(csvLine(r)) != len(csvHead()) {
		t.Errorf("CSV %s", line)
	}
}

// Of several new records the answer doesn't say which is which: each one's history has
// them all. A record that isn't among them has none.
func TestNewRecordsAreCreatedInTheirHistory(t *testing.T) {
	d := told(3, access.Change{Entity: "contact", Type: "contacts", Action: access.Create, Outcome: access.Changed, Fields: []access.ChangedField{{Name: "email"}}})
	d[0].Entry.Disclosure.Records = []access.DisclosedRecord{{Record: access.Record{Entity: "contact", Type: "contacts", ID: "8"}}}
	if r := newRow(asked(access.Create), d, "contact/8", 0); len(r.Changes) != 1 || r.Changes[0].Action != access.Create {
		t.Errorf("a new record: %+v", r.Changes)
	}
	if r := newRow(asked(access.Create), d, "contact/9", 0); len(r.Changes) != 0 {
		t.Errorf("another record: %+v", r.Changes)
	}
}

// An intent without an answer tells what was tried, and not that it was done; one that
// only read tells nothing.
func TestChangeWithoutAnAnswerIsNotSaidToBeSaved(t *testing.T) {
	r := newRow(asked(access.Update, "1"), nil, "contact/1", 0)
	if len(r.Changes) != 1 || r.Changes[0].Outcome != "" || strings.Join(r.Changes[0].Fields, " ") != "email" || r.Changes[0].Unlisted != 1 {
		t.Errorf("tried: %+v", r.Changes)
	}
	if line := strings.Join(csvLine(r), "|"); !strings.HasSuffix(line, "|email ?|update unknown") {
		t.Errorf("CSV %s", line)
	}
	for _, no := range []*audit.Stored{asked(access.Read, "1"), asked(access.Search)} {
		if r := newRow(no, nil, "", 0); len(r.Changes) != 0 {
			t.Errorf("a read: %+v", r.Changes)
		}
	}
	refused := asked(access.Update, "1")
	refused.Entry.Decision = &audit.Decision{Refused: true}
	if r := newRow(refused, nil, "", 0); len(r.Changes) != 0 {
		t.Errorf("refused: %+v", r.Changes)
	}
}
