package command

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/profile"
)

// ran runs a command and returns what it prints.
func ran(cmd *cobra.Command, args ...string) (string, error) {
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(args)
	err := cmd.Execute()
	return out.String(), err
}

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const recordedHAR = `{"log":{"entries":[
 {"request":{"method":"GET","url":"https://crm.example.com/api/contacts?sort=name","headers":[]},
  "response":{"status":200,"headers":[{"name":"Content-Type","value":"application/json; charset=utf-8"}],"content":{"mimeType":"application/json","text":"{\"items\":[{\"id\":1,\"first_name\":\"Anna\",\"shoe\":38}]}"}}},
 {"request":{"method":"POST","url":"https://crm.example.com/api/contacts","headers":[{"name":"Content-Type","value":"application/json"}],"postData":{"mimeType":"application/json","text":"{\"first_name\":\"Anna\"}"}},
  "response":{"status":201,"headers":[],"content":{"mimeType":"application/json","text":"{\"id\":1,\"first_name\":\"Anna\"}"}}},
 {"request":{"method":"GET","url":"https://crm.example.com/blocked","headers":[]},"response":{"status":0,"headers":[],"content":{}}}]}}`

func TestProfileIsDraftedFromRecordedExchanges(t *testing.T) {
	har := written(t, "mycrm.har", recordedHAR)
	out, err := ran(profileDraftCommand(), har)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`profile: "mycrm/1"`, "first_name: name", "# shoe: seen once", `match: "GET /api/contacts"`, "mode: create"} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is missing in\n%s", want, out)
		}
	}
	if strings.Contains(out, "Anna") {
		t.Errorf("a value stands in\n%s", out)
	}
	if out, err = ran(profileDraftCommand(), "../../internal/profile/testdata/espocrm", "--name", "espo/9"); err != nil || !strings.Contains(out, `profile: "espo/9"`) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestProfileIsDraftedFromACollection(t *testing.T) {
	c, err := collection(written(t, "mycrm.har", recordedHAR))
	if err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(t.TempDir(), "crm.example.com.json")
	if err := c.Save(saved); err != nil {
		t.Fatal(err)
	}
	out, err := ran(profileDraftCommand(), saved)
	if err != nil || !strings.Contains(out, `profile: "crm.example.com/1"`) || !strings.Contains(out, "first_name: name") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, bad := range []string{written(t, "x.json", `{"format": "crmgate-observed/1", "more": 1}`), written(t, "y.json", `{}`), written(t, "z.har", `{"log":{"entries":[]}}`), "nowhere.har"} {
		if _, err := ran(profileDraftCommand(), bad); err == nil || !strings.Contains(err.Error(), filepath.Base(bad)) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestDifferencesAreNamed(t *testing.T) {
	har := written(t, "mycrm.har", recordedHAR)
	out, err := ran(profileDraftCommand(), har)
	if err != nil {
		t.Fatal(err)
	}
	same := written(t, "same.yaml", out)
	if out, err := ran(profileDiffCommand(), same, same); err != nil || out != "nothing differs\n" {
		t.Errorf("%v %s", err, out)
	}
	other := written(t, "other.yaml", strings.Replace(strings.Replace(out, "first_name: name", "first_name: free_text\n      city: address", 1), "GET /api/contacts", "GET /api/v2/contacts", 1))
	out, err = ran(profileDiffCommand(), same, other)
	for _, want := range []string{
		"route GET /api/contacts: described → not described\n", "route GET /api/v2/contacts: not described → described\n",
		"field contact.city: not described → address\n", "field contact.first_name: name → free_text\n",
	} {
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("%v: %q is missing in\n%s", err, want, out)
		}
	}
	out, err = ran(profileDiffCommand(), other, har, "--json")
	var got struct{ Differences []profile.Difference }
	if err == nil || json.Unmarshal([]byte(out), &got) != nil || len(got.Differences) != 1 || got.Differences[0] != (profile.Difference{Kind: "route", Name: "GET /api/contacts", New: "seen once"}) {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err = ran(profileDiffCommand(), same, har); err == nil || !strings.Contains(out, "field contact.shoe: not described → seen once") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err = ran(profileDiffCommand(), har, har); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
