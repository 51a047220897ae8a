package command

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	_ "modernc.org/sqlite" // the driver of the index

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// runAudit runs `crmgate audit …` and returns what it prints.
func runAudit(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := &cobra.Command{Use: "audit", SilenceErrors: true, SilenceUsage: true}
	auditCommand(cmd)
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// appendTo opens the log of a data directory, appends intents and closes it.
func appendTo(t *testing.T, dir string, requests ...string) {
	t.Helper()
	ring, err := keys.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	opts := audit.Options{Checkpoints: crmgate.CheckpointDir(dir)}
	opts.SegmentSize = 64 << 10
	l, err := audit.Open(t.Context(), filepath.Join(dir, "log"), ring, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range requests {
		if _, err := l.Append(t.Context(), &audit.Entry{Kind: audit.Intent, Request: r}); err != nil {
			t.Error(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestVerifySeesAnOlderLogInPlaceOfTheNewer(t *testing.T) {
	dir := t.TempDir()
	segment := filepath.Join(dir, "log", "00000001.seg")
	appendTo(t, dir, "a", "b")
	older, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*.checkpoint"))
	if err != nil || len(found) != 1 {
		t.Fatalf("checkpoints %v, %v", found, err)
	}
	msg, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(t.TempDir(), "kept by the auditor")
	if err := os.WriteFile(kept, msg, 0o600); err != nil {
		t.Fatal(err)
	}
	appendTo(t, dir, "c")
	out, err := runAudit(t, "verify", "--data", dir, "--against", kept)
	if err != nil || !strings.Contains(out, "2, the newest over 7 entries") {
		t.Fatalf("verify says %v\n%s", err, out)
	}
	if err := os.WriteFile(segment, older, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := runAudit(t, "verify", "--data", dir); err == nil || !strings.Contains(err.Error(), "entries 4 to 6 are missing") {
		t.Errorf("verify of the older log says %v\n%s", err, out)
	}
	if out, err := runAudit(t, "adopt", "--data", dir); err == nil || !strings.Contains(err.Error(), "there are checkpoints") {
		t.Errorf("adopt beside checkpoints says %v\n%s", err, out)
	}
	if err := os.RemoveAll(filepath.Join(dir, "checkpoints")); err != nil {
		t.Fatal(err)
	}
	if _, err := runAudit(t, "verify", "--data", dir); err == nil || !strings.Contains(err.Error(), "crmgate audit adopt") {
		t.Errorf("verify without checkpoints says %v", err)
	}
	if out, err := runAudit(t, "adopt", "--data", dir); err != nil || !strings.Contains(out, "4 entries") {
		t.Errorf("adopt says %v\n%s", err, out)
	}
	if out, err := runAudit(t, "verify", "--data", dir, "--against", kept); err != nil || !strings.Contains(out, "7: 2 intents") {
		t.Errorf("verify of the adopted log says %v\n%s", err, out)
	}
	if _, err := runAudit(t, "verify", "--data", dir, "--against", segment); err == nil || !strings.Contains(err.Error(), "not one of this log") {
		t.Errorf("verify against a segment says %v", err)
	}
}

func TestExportIsAnEntryAndIsVerifiedOffline(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "november")
	appendTo(t, dir, "a", "b")
	said, err := runAudit(t, "export", "--data", dir, "--with-keys", out)
	if err != nil || !strings.Contains(said, "7, with the keys that open them") {
		t.Fatalf("export says %v\n%s", err, said)
	}
	if said, err := runAudit(t, "search", "--data", dir, "--kind", "control"); err != nil || !strings.Contains(said, "the whole log, with data keys") {
		t.Errorf("the log says %v\n%s", err, said)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "key")
	vkey, err := os.ReadFile(filepath.Join(out, "keys", "log.vkey"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, vkey, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, given := range []string{key, strings.TrimSpace(string(vkey))} {
		if said, err := runAudit(t, "verify", "--export", out, "--key", given); err != nil || !strings.Contains(said, "what the checkpoint was signed over") {
			t.Errorf("verify says %v\n%s", err, said)
		}
	}
	if said, err := runAudit(t, "verify", "--export", out); err != nil || !strings.Contains(said, "the export's own") {
		t.Errorf("verify without a key says %v\n%s", err, said)
	}
	if _, err := runAudit(t, "export", "--data", dir, out); err == nil {
		t.Error("an export of no log")
	}
}

// A search takes the index, goes on without one, and finds the same.
func TestSearchFindsWithAndWithoutAnIndex(t *testing.T) {
	dir := t.TempDir()
	appendTo(t, dir, "a", "b")
	with, err := runAudit(t, "search", "--data", dir, "--kind", "intent")
	if err != nil || strings.Count(with, "\n") != 2 {
		t.Fatalf("search says %v\n%s", err, with)
	}
	index := filepath.Join(dir, "index")
	if _, err := os.Stat(filepath.Join(index, "position")); err != nil {
		t.Fatal(err)
	}
	if out, err := runAudit(t, "reindex", "--data", dir); err != nil || !strings.Contains(out, "made anew") {
		t.Errorf("reindex says %v\n%s", err, out)
	}
	if err := os.RemoveAll(index); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(index, nil, 0o600); err != nil { // where a directory has to be
		t.Fatal(err)
	}
	without, err := runAudit(t, "search", "--data", dir, "--kind", "intent")
	if err != nil || !strings.HasPrefix(without, "The whole log is read") || !strings.HasSuffix(without, with) {
		t.Errorf("search says %v\n%s, with an index\n%s", err, without, with)
	}
}

// Who takes a row out of the index hides an entry from searches: --index names it.
func TestVerifyNamesAnEditedIndex(t *testing.T) {
	dir := t.TempDir()
	appendTo(t, dir, "a", "b")
	if out, err := runAudit(t, "reindex", "--data", dir); err != nil {
		t.Fatalf("reindex says %v\n%s", err, out)
	}
	if out, err := runAudit(t, "verify", "--data", dir, "--index"); err != nil || !strings.Contains(out, "4 entries, as the log gives them") {
		t.Errorf("verify says %v\n%s", err, out)
	}
	edited := 0
	files, err := filepath.Glob(filepath.Join(dir, "index", "*.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		db, err := sql.Open("sqlite", file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := db.ExecContext(t.Context(), "DELETE FROM e WHERE seq = 2")
		if err = errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		n, _ := r.RowsAffected()
		edited += int(n)
	}
	if edited != 1 {
		t.Fatalf("%d rows were taken out of %v", edited, files)
	}
	for _, args := range [][]string{{"--data", dir, "--index"}, {"--data", dir, "--index", "--json"}} {
		out, err := runAudit(t, append([]string{"verify"}, args...)...)
		if !errors.Is(err, audit.ErrIndexEdited) || !strings.Contains(err.Error(), "entry 2,") || len(args) > 3 && !strings.Contains(out, `"index_damage"`) {
			t.Errorf("verify %v says %v\n%s", args, err, out)
		}
	}
	if out, err := runAudit(t, "verify", "--data", dir); err != nil {
		t.Errorf("verify of the log alone says %v\n%s", err, out)
	}
}
