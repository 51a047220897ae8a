package desk

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

var event = regexp.MustCompile(`(?m)^\s+\w+\s+Event = "([a-z_]+)"`)

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
