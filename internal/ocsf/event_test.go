package ocsf

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
)

// canary stands where the log holds what must not be exported.
const canary = "kanarienvogel"

const someone = "e-aaaaaaaaaaaaaaaaaaaaaaaaaa"

func at() time.Time { return time.Date(2026, 11, 23, 8, 0, 0, 5e6, time.UTC) }

func request(kind audit.Kind) audit.Entry {
	return audit.Entry{
		Time: at(), Kind: kind, Request: "0199-aa", Employee: someone, Roles: []string{"sales", ""}, Session: "5e55", Factor: "amr=otp",
		CRMUser: canary, Gate: "crm.example.de", Profile: "suitecrm", SourceIP: "2001:db8::1%eth0", Method: "GET",
		Keyed: []string{canary}, BodySHA256: canary,
	}
}

// samples are entries of every kind.
func samples() map[string]audit.Entry {
	intent, refused, observed := request(audit.Intent), request(audit.Intent), request(audit.Intent)
	intent.Accesses = []access.Access{
		{
			Route: "rpc", Call: "contact.read", Action: access.Search, Entity: "contact", Type: "contacts", IDs: []string{canary, "1", "2"}, Question: canary,
			Refs: []access.Ref{
				{Role: access.RefFilter, Entity: "contact", Field: "email", Categories: []access.Category{access.Email}},
				{Role: access.RefSelect, Entity: "contact", Field: canary, Categories: []access.Category{access.Unclassified}},
				{Role: access.RefSort, Field: canary},
			},
		},
		{Route: "list", Action: access.Reveal, Question: canary},
	}
	intent.Decision = &audit.Decision{Policy: "v1", Line: "policy.csv:3: p, sales"}
	refused.Method, refused.SourceIP = "BREW", canary
	refused.Decision = &audit.Decision{Refused: true, Reason: "denied", Line: "policy.csv:9"}
	refused.Accesses = []access.Access{{Route: "GET /" + canary, Call: "model." + canary}}
	observed.Decision = &audit.Decision{Refused: true, Reason: "denied", Observe: true}
	observed.Observed = &audit.Observed{Until: "2026-12-31"}
	shown, rows, cut, failed := request(audit.Disclosure), request(audit.Disclosure), request(audit.Disclosure), request(audit.Disclosure)
	shown.Intent, shown.Status, shown.Bytes, shown.DurationMS = 7, 200, 900, 12
	shown.Disclosure = &access.Disclosure{
		Records: []access.DisclosedRecord{{
			Record:  access.Record{Entity: "contact", Type: "contacts", ID: "1"},
			Treated: map[access.Category]access.Treatment{access.Email: access.Partial, access.Public: access.Clear},
		}},
		Identifying: []access.Identifier{{Category: access.Email, Value: canary}},
	}
	rows.Status, rows.Disclosure = 200, &access.Disclosure{Rows: 12, Withheld: 1, Unread: true}
	cut.Status, cut.Part, cut.Parts, cut.Piece, cut.Pieces, cut.Disclosure = 200, 2, 3, 1, 2, &access.Disclosure{}
	failed.Status, failed.Error = 502, "crm"
	failed.Factor = "machine importer"
	all := map[string]audit.Entry{
		"intent": intent, "denied": refused, "observed": observed, "shown": shown, "rows": rows, "cut": cut, "failed": failed,
		"bare intent": {Time: at(), Kind: audit.Intent, Request: "x"},
	}
	for name, e := range changes() {
		all[name] = e
	}
	for _, e := range []audit.Event{
		audit.Start, audit.UncleanStart, audit.Stop, audit.PolicyChange, audit.KeyChange, audit.ClockStep, audit.Searched, audit.Exported,
		audit.RetentionRun, audit.SignIn, audit.Refused, audit.StepUp, audit.SignOut, audit.Revoked, audit.Revealed, audit.Consent,
		audit.RefreshFailed, audit.Enrolled, audit.FactorRemoved, audit.FactorReset, audit.Invited, audit.Adopted, audit.NodeCheckpoint,
		audit.HoldSet, audit.HoldReleased, audit.BackedUp, audit.Restored, audit.SinkChange, audit.RulesKnown,
	} {
		own, bare := request(audit.Control), audit.Entry{Time: at(), Kind: audit.Control, Event: e}
		own.Event, own.Detail = e, "by uid 0"
		if typed(e) {
			own.Detail = canary
		}
		if e == audit.Searched {
			own.Detail += ` record "contact/` + canary + `"`
		}
		if e == audit.SignIn {
			own.Names = &audit.Names{User: canary, Email: canary, Name: canary}
		}
		all[string(e)], all["bare "+string(e)] = own, bare
	}
	return all
}

func eventOf(t *testing.T, e audit.Entry) []byte {
	t.Helper()
	line, err := Append(nil, &audit.Stored{Seq: 8, Entry: e, Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(line), "\n") != 1 || !strings.HasSuffix(string(line), "}\n") {
		t.Fatalf("%q is no line", line)
	}
	return line
}

func TestEventsKeepTheSchema(t *testing.T) {
	s := loadSchema(t)
	for name, e := range samples() {
		line := eventOf(t, e)
		for _, wrong := range s.check(line) {
			t.Errorf("%s: %s\n%s", name, wrong, line)
		}
	}
	// The check itself sees what is wrong.
	line := string(eventOf(t, samples()["shown"]))
	for _, change := range [][2]string{
		{`"severity_id":1`, `"severity_id":7`},
		{`"web_resources":[`, `"resources":[`},
		{`"activity_id":2`, `"activity_id":3`},
		{`"ip":"`, `"ip":"x`},
		{`"code":200`, `"code":"200"`},
		{`"uid":"e-`, `"id":"e-`},
		{`"version":"1.7.0"`, `"version":17`},
		{`"product":`, `"produce":`},
		{`"profiles":["host",`, `"profiles":[`},
	} {
		if !strings.Contains(line, change[0]) {
			t.Fatalf("%s isn't in %s", change[0], line)
		}
		if s.check([]byte(strings.Replace(line, change[0], change[1], 1))) == nil {
			t.Errorf("%s in place of %s is taken", change[1], change[0])
		}
	}
}

func TestEventsHoldNoValuesNoNamesAndNoHashes(t *testing.T) {
	for name, e := range samples() {
		if line := eventOf(t, e); strings.Contains(string(line), canary) {
			t.Errorf("%s: %s", name, line)
		}
	}
}

func TestEventsSayWhatHappened(t *testing.T) {
	all := samples()
	for name, want := range map[string]map[string]any{
		"intent":         {"class_uid": 6001., "activity_id": 5., "action_id": 1., "status_id": 99.},
		"denied":         {"activity_id": 0., "action_id": 2., "status_id": 2., "status_detail": "denied"},
		"observed":       {"action_id": 3., "disposition_id": 15.},
		"shown":          {"activity_id": 2., "action_id": 4., "status_id": 1., "duration": 12.},
		"failed":         {"status_id": 2., "status_code": "crm"},
		"sign_in":        {"class_uid": 3002., "activity_id": 1., "status_id": 1., "is_mfa": true},
		"sign_out":       {"activity_id": 2.},
		"refresh_failed": {"activity_id": 5., "status_id": 2.},
		"search":         {"class_uid": 6003., "activity_id": 2., "message": "by uid 0"},
		"retention_run":  {"activity_id": 4.},
		"unclean_start":  {"severity_id": 3.},
	} {
		var got map[string]any
		if err := json.Unmarshal(eventOf(t, all[name]), &got); err != nil {
			t.Fatal(err)
		}
		for k, v := range want {
			if got[k] != v {
				t.Errorf("%s: %s = %v, want %v", name, k, got[k], v)
			}
		}
		meta, _ := got["metadata"].(map[string]any)
		if meta["uid"] != "n1/8" || meta["version"] != Version {
			t.Errorf("%s: metadata %v", name, meta)
		}
	}
	var shown struct {
		WebResources []struct {
			UID, Type string
			Data      struct{ Treated map[string]string }
		} `json:"web_resources"`
	}
	if err := json.Unmarshal(eventOf(t, all["shown"]), &shown); err != nil {
		t.Fatal(err)
	}
	if r := shown.WebResources[0]; r.UID != "1" || r.Type != "contact" || r.Data.Treated["email"] != "partial" {
		t.Errorf("resource %+v", r)
	}
}

// Where a client writes something else than an id in an id's place, it stays in the log.
func TestOnlyIDsAreNamedInWhatWasAsked(t *testing.T) {
	for id, want := range map[string]bool{
		"1": true, "1234567": true, "0199aa00-0000-7000-8000-00000000000f": true, "5f3a9c0d1e2b4a6f7": true, "0035g00000XyZab": true,
		"0035g00000XyZabAAB": true, "a0B5g00000XyZab": true,
		"": false, "Vogelsangweiler": false, "12345678": false, "01713920927": false, "004917139209272": false, "491713920927200000": false,
		"DE89370400440532013000": false, "NO9386011117947": false, "NL91ABNA0417164300": false, "vera@example.de": false, "a/b": false, "kanarella-vogel": false,
	} {
		if isID(id) != want {
			t.Errorf("%q: want %t", id, want)
		}
	}
}
