package command

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExportWritesEventsAndRows(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	appendTo(t, dir, "a", "b")
	events := filepath.Join(out, "events.jsonl")
	if said, err := runAudit(t, "export", "--data", dir, "--format", "ocsf", events); err != nil || !strings.Contains(said, "entries") {
		t.Fatalf("export says %v\n%s", err, said)
	}
	text, err := os.ReadFile(events)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for line := range strings.Lines(string(text)) {
		var e struct {
			Metadata struct {
				EventCode string `json:"event_code"`
				UID       string `json:"uid"`
			} `json:"metadata"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || !strings.Contains(e.Metadata.UID, "/") {
			t.Fatalf("%s: %v", line, err)
		}
		codes = append(codes, e.Metadata.EventCode)
	}
	// The look itself is the last entry but for the stop of this command's own log.
	if n := len(codes); n < 5 || codes[0] != "start" || codes[n-2] != "export" {
		t.Errorf("events %q", codes)
	}
	if said, err := runAudit(t, "search", "--data", dir, "--kind", "control"); err != nil || !strings.Contains(said, "as ocsf: everything") {
		t.Errorf("the log says %v\n%s", err, said)
	}
	rows := filepath.Join(out, "rows.csv")
	if _, err := runAudit(t, "export", "--data", dir, "--format", "csv", "--from", "24h", "--record", "contact/1", rows); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(rows)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if lines, err := csv.NewReader(f).ReadAll(); err != nil || len(lines) < 1 || lines[0][0] != "entry" {
		t.Errorf("rows %q, %v", lines, err)
	}
	for _, format := range []string{"csv", "ocsf", "proofs"} {
		other := filepath.Join(out, "other")
		if _, err := runAudit(t, "export", "--data", dir, "--format", format, "--from", "24h", "--node", "elsewhere", other); err == nil || !strings.Contains(err.Error(), "--node elsewhere") {
			t.Errorf("of a node that isn't there, as %s: %v", format, err)
		}
	}
	if _, err := runAudit(t, "export", "--data", dir, "--format", "csv", rows); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("over a file that is there: %v", err)
	}
}

// An auditor with an export that holds the keys needs no gateway for the forms, and a
// changed export gives no file.
func TestFormsAreMadeOfAnExport(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	appendTo(t, dir, "a", "b")
	november, sealed := filepath.Join(out, "november"), filepath.Join(out, "sealed")
	for to, flags := range map[string][]string{november: {"--with-keys"}, sealed: nil} {
		if said, err := runAudit(t, append([]string{"export", "--data", dir, to}, flags...)...); err != nil {
			t.Fatalf("export says %v\n%s", err, said)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(out, "november.jsonl")
	if said, err := runAudit(t, "export", "--from-export", november, "--format", "ocsf", "--from", "1h", file); err != nil || !strings.Contains(said, "own key") {
		t.Fatalf("export says %v\n%s", err, said)
	}
	if text, err := os.ReadFile(file); err != nil || strings.Count(string(text), `"event_code":"intent"`) != 2 {
		t.Errorf("events %v\n%s", err, text)
	}
	if _, err := runAudit(t, "export", "--from-export", sealed, "--format", "ocsf", "-"); err == nil || !strings.Contains(err.Error(), "--with-keys") {
		t.Errorf("of an export without keys: %v", err)
	}
	bundle, err := filepath.Glob(filepath.Join(november, "tile", "entries", "*"))
	if err != nil || len(bundle) == 0 {
		t.Fatal(bundle, err)
	}
	if info, err := os.Stat(bundle[0]); err == nil && info.IsDir() {
		bundle, _ = filepath.Glob(filepath.Join(bundle[0], "*"))
	}
	text, err := os.ReadFile(bundle[0])
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-1] ^= 1
	if err := os.WriteFile(bundle[0], text, 0o600); err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(out, "changed.jsonl")
	if _, err := runAudit(t, "export", "--from-export", november, "--format", "ocsf", changed); err == nil {
		t.Error("a changed export is taken")
	}
	if _, err := os.Stat(changed); !os.IsNotExist(err) {
		t.Errorf("what isn't whole stays: %v", err)
	}
}

func TestExportRefusesWhatFormsCannotMean(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"there are ocsf, csv and":  {"--format", "xml"},
		"choose entries":           {"--from", "7d"},
		"an export of the log":     {"--format", "csv", "--with-keys"},
		"choose entries by":        {"--format", "proofs"},
		"give the pseudonym":       {"--format", "csv", "--employee", "vera"},
		"type/id":                  {"--format", "csv", "--record", "1"},
		"--from x":                 {"--format", "csv", "--from", "x"},
		"--key is for":             {"--format", "csv", "--key", "k"},
		"there is no audit log in": {"--format", "csv"},
	} {
		if _, err := runAudit(t, append([]string{"export", "--data", dir, "-"}, args...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
}
