package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

// A part is an entry before it is written, and is verified without the gateway.
func TestPartOfTheLogIsExportedWithProofs(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	appendTo(t, dir, "a", "b")
	part := filepath.Join(out, "part")
	said, err := runAudit(t, "export", "--data", dir, "--format", "proofs", "--from", "24h", "--with-keys", part)
	if err != nil || !strings.Contains(said, "of 7, between 0 and ") || !strings.Contains(said, "with the keys that open them") {
		t.Fatalf("export says %v\n%s", err, said)
	}
	if said, err := runAudit(t, "search", "--data", dir, "--kind", "control"); err != nil || !strings.Contains(said, "with proofs, with data keys: since ") {
		t.Errorf("the log says %v\n%s", err, said)
	}
	nobody := filepath.Join(out, "nobody")
	if _, err := runAudit(t, "export", "--data", dir, "--format", "proofs", "--record", "contact/1", nobody); err == nil || !strings.Contains(err.Error(), "no entry matches") {
		t.Errorf("export of nothing says %v", err)
	}
	if _, err := os.Stat(nobody); !os.IsNotExist(err) {
		t.Errorf("an export of nothing is there: %v", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(part, "keys", "log.vkey")
	said, err = runAudit(t, "verify", "--export", part, "--key", key)
	if err != nil || !strings.Contains(said, "Each entry is genuine") || !strings.Contains(said, "doesn't prove") || !strings.Contains(said, "of 7, between 0 and ") {
		t.Errorf("verify says %v\n%s", err, said)
	}
	if said, err := runAudit(t, "export", "--from-export", part, "--key", key, "--format", "ocsf", "-"); err != nil || strings.Count(said, `"event_code":"intent"`) != 2 {
		t.Errorf("events %v\n%s", err, said)
	}
	if _, err := runAudit(t, "export", "--from-export", part, "--format", "proofs", "--from", "7d", nobody); err == nil || !strings.Contains(err.Error(), "made of the log itself") {
		t.Errorf("a part of an export: %v", err)
	}
	file := filepath.Join(part, "entries.proofs")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append([]byte("1"), text...), 0o600); err != nil { // 0 is 10 now
		t.Fatal(err)
	}
	if _, err := runAudit(t, "verify", "--export", part, "--key", key); err == nil || !strings.Contains(err.Error(), audit.ErrTampered.Error()) {
		t.Errorf("verify of a changed part says %v", err)
	}
}
