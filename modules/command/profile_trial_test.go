package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProfileTestExitsByWhatDiffers: a script tells by the status alone.
func TestProfileTestExitsByWhatDiffers(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"p.yaml": "profile: p/1\nevidence: documented\nwithheld: W\nentities:\n  person: {fields: {name: name}}\nroutes:\n" +
			"  - {match: \"GET /people\", entity: person, records: [{at: \"$[*]\"}]}\n",
		"a.json": `[{"id":1,"name":"Zoë Canary"}]`,
		"manifest.json": `{"crm":"none","host":"https://crm.example.de","cases":[{"id":"one","decision":"mask","request":{"method":"GET","url":"/people"},
			"response":{"status":200,"content_type":"application/json","body_file":"a.json"},
			"records":[{"entity":"person","id":"ID"}],"personal":[{"at":"/0/name","kind":"value","category":"name"}]}]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	try := func(id string) (string, error) {
		t.Helper()
		raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "manifest.json"), bytes.Replace(raw, []byte(`"ID"`), []byte(id), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		cmd := profileTestCommand()
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		cmd.SilenceUsage = true
		cmd.SetArgs([]string{dir, "--profile", filepath.Join(dir, "p.yaml"), "--json"})
		return out.String(), errors.Join(cmd.Execute(), json.Unmarshal(out.Bytes(), new(any)))
	}
	if out, err := try(`"1"`); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), bytes.Replace(raw, []byte(`"1"`), []byte(`"2"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := try(`"2"`); !errors.Is(err, errDiffers) {
		t.Errorf("a missing record ends it with %v, want %v", err, errDiffers)
	}
	cmd := profileTestCommand()
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs([]string{dir})
	if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), `no profile "none" ships`) {
		t.Errorf("without a profile of that name: %v", err)
	}
}
