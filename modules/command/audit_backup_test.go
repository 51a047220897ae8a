package command

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

// A log is backed up, goes on, is lost and restored: nothing but what came after
// the backup is gone, and verify says so from then on.
func TestLostLogIsRestoredFromItsBackup(t *testing.T) {
	dir, out, keyDir := t.TempDir(), filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "keys")
	appendTo(t, dir, "a", "b")
	said, err := runAudit(t, "backup", "--data", dir, "--keys", keyDir, out)
	if err != nil || !strings.Contains(said, "entries  7") {
		t.Fatalf("backup says %v\n%s", err, said)
	}
	if said, err := runAudit(t, "search", "--data", dir, "--kind", "control"); err != nil || !strings.Contains(said, "audit backup by uid") {
		t.Errorf("the log says %v\n%s", err, said)
	}
	appendTo(t, dir, "c")
	if _, err := runAudit(t, "restore", "--data", dir, "--keys", keyDir, out); err == nil || !strings.Contains(err.Error(), "there is a log already") {
		t.Errorf("restore over a log says %v", err)
	}
	for _, gone := range []string{"log", "index"} {
		if err := os.RemoveAll(filepath.Join(dir, gone)); err != nil {
			t.Fatal(err)
		}
	}
	said, err = runAudit(t, "restore", "--data", dir, "--keys", keyDir, out)
	if err != nil || !strings.Contains(said, "restored up to entry 6; at least 6 entries from 7 on are lost") {
		t.Fatalf("restore says %v\n%s", err, said)
	}
	said, err = runAudit(t, "verify", "--data", dir)
	if err != nil || !strings.Contains(said, "in entry 7: crmgate/") || !strings.Contains(said, "more than were restored") {
		t.Errorf("verify says %v\n%s", err, said)
	}
	said, err = runAudit(t, "search", "--data", dir, "--kind", "intent")
	if err != nil || strings.Count(said, "\n") != 2 {
		t.Errorf("search says %v\n%s", err, said)
	}
	if said, err = runAudit(t, "retention", "--data", dir); err != nil || !strings.Contains(said, "Entry 7, ") || !strings.Contains(said, "crmgate audit confirm") {
		t.Errorf("retention says %v\n%s", err, said)
	}
	if said, err = runAudit(t, "confirm", "--data", dir); err == nil {
		t.Errorf("confirm without a reason says\n%s", said)
	}
	if said, err = runAudit(t, "confirm", "--data", dir, "--reason", "there were none"); err != nil || !strings.Contains(said, "Written down as") || strings.Contains(said, "nothing is destroyed") {
		t.Errorf("confirm says %v\n%s", err, said)
	}
	if _, err = runAudit(t, "confirm", "--data", dir, "--reason", "again"); !errors.Is(err, audit.ErrHold) {
		t.Errorf("confirm for a second time says %v", err)
	}
	for _, args := range [][]string{{"backup", "--data", dir, out}, {"backup", "--data", dir, "--keys", out, out}, {"restore", "--data", t.TempDir(), "--keys", keyDir, out}} {
		if said, err := runAudit(t, args...); err == nil {
			t.Errorf("%v says\n%s", args, said)
		}
	}
}
