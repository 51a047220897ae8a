package ledgersmb

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/test/stack"
)

// TestLedgerSMBInABrowser works in LedgerSMB's own client through the gate: what it
// shows, what it saves, and what it says of a refusal.
func TestLedgerSMBInABrowser(t *testing.T) {
	t.Parallel()
	s, out := start(t), t.TempDir()
	c := &s.contacts[0]
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	said, err := exec.CommandContext(ctx, "node", stack.Path(t, "browser", "ledgersmb.mjs"), s.Base, out, "--facts", s.facts, "--provider", s.provider.File).CombinedOutput()
	t.Logf("%s", said)
	if err != nil {
		t.Error(err)
	}
	if got := s.stored(t, "SELECT tax_id || ' ' || legal_name FROM company WHERE entity_id = "+c.ID); got != c.TaxID+" Bäckerei Hefebrink Nachfolger GmbH" {
		t.Errorf("the database holds %q", got)
	}
	s.hides(t, gotBy(t, filepath.Join(out, "capture.jsonl"), "vera", s.Base))
}

// gotBy is all that came to a user's browser from base.
func gotBy(t *testing.T, capture, user, base string) string {
	t.Helper()
	raw, err := os.ReadFile(capture)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	answers := 0
	for line := range bytes.Lines(raw) {
		var c struct {
			User, URL, Body string
			Base64          string              `json:"body_base64"`
			Headers         []map[string]string `json:"response_headers"`
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		if c.User != user || !strings.HasPrefix(c.URL, base) {
			continue
		}
		body, err := base64.StdEncoding.DecodeString(c.Base64)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range c.Headers {
			all.WriteString(h["value"] + "\n")
		}
		all.WriteString(c.Body + string(body) + "\n")
		answers++
	}
	if answers < 50 {
		t.Errorf("only %d answers: the browser did not do much", answers)
	}
	return all.String()
}
