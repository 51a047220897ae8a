package command

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"
)

func TestBenchAuditComparesTheLogWithTheDisk(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	var out, errs bytes.Buffer
	cmd := benchAuditCommand()
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetArgs([]string{"--seconds", "0.05", "--rounds", "1", "--entries", "10000", "--json"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	var results []benchAuditResult
	if err := json.Unmarshal(out.Bytes(), &results); err != nil {
		t.Fatal(err)
	}
	goals := 0
	for _, r := range results {
		if r.Value <= 0 || r.What == "" || r.Unit == "" {
			t.Errorf("no measurement: %+v", r)
		}
		if r.Met == nil {
			continue
		}
		goals++
		value := r.Value
		if r.Ratio != 0 {
			value = r.Ratio
		}
		if met := value >= r.Goal && !r.Most || value <= r.Goal && r.Most; met != *r.Met {
			t.Errorf("judged wrongly: %+v", r)
		}
	}
	if len(results) != 23 || goals != 10 {
		t.Errorf("%d measurements and %d goals", len(results), goals)
	}
	if left, err := filepath.Glob(filepath.Join(tmp, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestBenchAuditTakesNoNumbersThatSayNothing(t *testing.T) {
	for _, args := range [][]string{{"--entries", "10"}, {"--seconds", "0"}, {"--rounds", "0"}, {"x"}} {
		cmd := benchAuditCommand()
		cmd.SetArgs(args)
		cmd.SetOut(&bytes.Buffer{})
		cmd.SetErr(&bytes.Buffer{})
		if err := cmd.ExecuteContext(t.Context()); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
