package ocsf

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// changes are disclosures that tell of changes.
func changes() map[string]audit.Entry {
	all := map[string]audit.Entry{}
	for _, o := range []access.Outcome{access.Changed, access.Unchanged, access.Unsure} {
		e := request(audit.Disclosure)
		e.Status, e.Disclosure = 200, &access.Disclosure{}
		e.Changes = []access.Change{
			{Entity: "contact", Type: "contacts", IDs: []string{"1", canary, "2"}, Action: access.Update, Outcome: o, More: 1, Fields: []access.ChangedField{
				{Name: "email", Categories: []access.Category{access.Email}, Before: canary, After: canary}, {Key: canary}, {Name: canary, Categories: []access.Category{access.Unclassified}},
			}},
			{Entity: "lead", Action: access.Create, Outcome: o},
			{Entity: "lead", Type: "leads", IDs: []string{"9"}, Action: access.Delete, Outcome: o},
		}
		all["a change, "+string(o)] = e
	}
	return all
}

func TestEventsTellChangesFromReads(t *testing.T) {
	for _, e := range changes() {
		line, err := Append(nil, &audit.Stored{Node: "n1", Seq: 8, Entry: e})
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			ActivityName string `json:"activity_name"`
			Message      string
			StatusID     int           `json:"status_id"`
			Resources    []webResource `json:"web_resources"`
		}
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		status := map[access.Outcome]int{access.Changed: statusSuccess, access.Unchanged: statusFailure, access.Unsure: statusOther}
		o := e.Changes[0].Outcome
		if v.ActivityName != "Update" || v.StatusID != status[o] || !strings.Contains(v.Message, "changed") || len(v.Resources) != 4 {
			t.Errorf("%s: %s", o, line)
		}
		if !strings.Contains(string(line), `"changed_fields":["email"],"unlisted_fields":3,"unnamed":1`) {
			t.Errorf("%s doesn't say what was changed: %s", o, line)
		}
	}
	control := audit.Entry{Time: at(), Kind: audit.Control, Event: audit.Searched, Detail: `desk: changed "` + canary + `"`}
	if line, err := Append(nil, &audit.Stored{Entry: control}); err != nil || strings.Contains(string(line), canary) {
		t.Errorf("what was typed is in an event: %s, %v", line, err)
	}
}
