package command

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

// A month that is over is shown, held, and destroyed when it is released and
// somebody says what day it is; verify says so then.
func TestMonthsAreHeldReleasedAndDestroyed(t *testing.T) {
	home := t.TempDir()
	dir, config := filepath.Join(home, "data"), filepath.Join(home, "crmgate.json")
	// Without a Caddyfile adapter: Caddy's JSON says the same.
	err := os.WriteFile(config, fmt.Appendf(nil, `{"apps":{"crmgate":{"data_dir":%q,"log":{"retain":{"access":1}}}}}`, dir), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().UTC().AddDate(0, -5, 0)
	writeOld(t, dir, old)
	month := old.Format("2006-01")
	said, err := runAudit(t, "retention", "--config", config)
	if err != nil || !strings.Contains(said, "too few months since") || !strings.Contains(said, "for good") {
		t.Fatalf("retention says %v\n%s", err, said)
	}
	said, err = runAudit(t, "hold", "--config", config, "--from", month, "--to", month, "--kind", "access", "--reason", "case 4711")
	entry := regexp.MustCompile(`hold +entry (\d+) `).FindStringSubmatch(said)
	if err != nil || entry == nil || !strings.Contains(said, "held by entry "+entry[1]) {
		t.Fatalf("hold says %v\n%s", err, said)
	}
	today := time.Now().UTC().Format(time.DateOnly)
	if said, err = runAudit(t, "retention", "--config", config, "--today", today); err != nil || strings.Contains(said, "destroyed") {
		t.Errorf("retention says %v\n%s", err, said)
	}
	if said, err = runAudit(t, "release", "--config", config, "--entry", entry[1], "--reason", "closed"); err != nil || strings.Contains(said, "case 4711") {
		t.Errorf("release says %v\n%s", err, said)
	}
	if said, err = runAudit(t, "retention", "--config", config, "--today", "2026-01-01"); err == nil {
		t.Errorf("retention of another day says\n%s", said)
	}
	if said, err = runAudit(t, "retention", "--data", dir, "--today", today); err == nil || !strings.Contains(err.Error(), "no retention is configured") {
		t.Errorf("retention without a configuration says %v\n%s", err, said)
	}
	want := fmt.Sprintf("destroyed on %s, by uid %d", today, os.Getuid())
	if said, err = runAudit(t, "retention", "--config", config, "--today", today); err != nil || !strings.Contains(said, want) {
		t.Errorf("retention says %v\n%s, want %s", err, said, want)
	}
	if said, err = runAudit(t, "verify", "--config", config); err != nil || !strings.Contains(said, "was "+want) || !strings.Contains(said, "; 1 entries") {
		t.Errorf("verify says %v\n%s", err, said)
	}
	if said, err = runAudit(t, "search", "--config", config, "--kind", "intent"); err != nil || !strings.Contains(said, "No entry matches") {
		t.Errorf("search says %v\n%s", err, said)
	}
	for _, args := range [][]string{
		{"hold", "--config", config, "--from", "May", "--reason", "x"},
		{"hold", "--config", config, "--from", month},
		{"release", "--config", config, "--entry", "1", "--reason", "x"},
		{"release", "--config", config, "--entry", "1"},
	} {
		if said, err := runAudit(t, args...); err == nil {
			t.Errorf("%v says\n%s", args, said)
		}
	}
}

// writeOld makes a log with one intent of an earlier month.
func writeOld(t *testing.T, dir string, at time.Time) {
	t.Helper()
	ring, err := keys.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	opts := data{dir: dir}.options()
	opts.SegmentSize = 64 << 10
	l, err := audit.Open(t.Context(), filepath.Join(dir, "log"), ring, opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), &audit.Entry{Kind: audit.Intent, Request: "old", Time: at}); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
