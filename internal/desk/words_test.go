package desk

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

var event = regexp.MustCompile(`(?m)^\s+\w+\s+Event = "([a-z_]+)"`)

// What a site is set to stands on the register in words, and a role is shown as it is.
func TestSettingsHaveWords(t *testing.T) {
	for name, want := range map[string][3]string{
		"idle": {"30m0s", "30 Minuten", "30 minutes"}, "max": {"10h0m0s", "10 Stunden", "10 hours"}, "purpose_lasts": {"8h0m0s", "8 Stunden", "8 hours"},
		"own_accesses": {"true", "ja", "yes"}, "auditors": {"true", "true", "true"}, "officers": {"8h", "8h", "8h"}, "consent": {"council", "council", "council"},
	} {
		if w := settingWord(name); w.DE == name || w.EN == name || w.DE == w.EN {
			t.Errorf("%s is shown as %q and %q", name, w.DE, w.EN)
		}
		if w := settingValue(name, want[0]); w.DE != want[1] || w.EN != want[2] {
			t.Errorf("%s %s is shown as %q and %q", name, want[0], w.DE, w.EN)
		}
	}
}

// No time is said shorter or longer than it is.
func TestTimesAreSaidWhole(t *testing.T) {
	for value, want := range map[string]string{
		"1m0s": "eine Minute", "1h0m0s": "eine Stunde", "1h30m0s": "90 Minuten", "48h0m0s": "2 Tage", "49h0m0s": "49 Stunden", "1m30s": "1m30s",
	} {
		if w := settingValue("idle", value); w.DE != want {
			t.Errorf("%s is said as %q", value, w.DE)
		}
	}
}

// No page shows a control entry under the log's own name for it.
func TestEveryEventHasWords(t *testing.T) {
	source, err := os.ReadFile("../audit/entry.go")
	if err != nil {
		t.Fatal(err)
	}
	all := event.FindAllStringSubmatch(string(source), -1)
	if len(all) < 30 {
		t.Fatalf("found %d events in the closed list", len(all))
	}
	for _, m := range all {
		e := audit.Event(m[1])
		if !e.Valid() {
			t.Errorf("%s isn't in the closed list", e)
		}
		raw := strings.ReplaceAll(m[1], "_", " ")
		if w := eventWord(e); w.DE == raw || w.EN == raw || w.DE == w.EN {
			t.Errorf("%s is shown as %q and %q", e, w.DE, w.EN)
		}
	}
}
