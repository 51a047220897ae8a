package auditor

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

// build makes Tessera's fsck, once.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "fsck")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", dir, ".")
	cmd.Dir = "fsck"
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building fsck: %w\n%s", err, out)
	}
	return filepath.Join(dir, "fsck"), nil
})

// canary is in a question that the log keeps: sealed.
const canary = "Sonnenblumenkernverkäuferin"

// exported makes a log of n entries and more, and exports it.
func exported(t *testing.T, n int, with bool) (dir string, report audit.ExportReport) {
	t.Helper()
	data := t.TempDir()
	ring, err := keys.Open(filepath.Join(data, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	checkpoints := filepath.Join(data, "checkpoints")
	l, err := audit.Open(t.Context(), filepath.Join(data, "log"), ring, audit.Options{
		Node: "n1", SegmentSize: 256 << 10, Checkpoints: checkpoints, Timeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for w := range 16 {
		writers.Go(func() {
			for i := w; i < n; i += 16 {
				e := &audit.Entry{Kind: audit.Intent, Request: fmt.Sprint(i), Accesses: []access.Access{{Type: "contact", Question: canary + fmt.Sprint(i)}}}
				if _, err := l.Append(t.Context(), e); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "export")
	report, err = audit.Export(t.Context(), filepath.Join(data, "log"), ring, dir, audit.Exporting{Checkpoints: checkpoints, Keys: with})
	if err != nil {
		t.Fatal(err)
	}
	if report.Size < uint64(n) {
		t.Fatalf("report = %+v", report)
	}
	return dir, report
}

// verifiers are the ways in which an export is verified. Each is independent of
// the others.
func verifiers(key string) map[string]func(t *testing.T, dir string) error {
	run := func(t *testing.T, name string, args ...string) error {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	return map[string]func(t *testing.T, dir string) error{
		"crmgate": func(t *testing.T, dir string) error {
			_, err := audit.VerifyExport(t.Context(), dir, key, audit.Attesters{}, nil)
			return err
		},
		"Python": func(t *testing.T, dir string) error {
			return run(t, "python3", "-I", filepath.Join("..", "..", "docs", "verify-export.py"), dir, key)
		},
		"fsck": func(t *testing.T, dir string) error {
			t.Helper()
			bin, err := build()
			if err != nil {
				t.Fatal(err)
			}
			return run(t, bin, dir)
		},
	}
}

func TestExportIsVerifiedByEverybody(t *testing.T) {
	for _, n := range []int{0, 250, 700} {
		dir, report := exported(t, n, false)
		for name, verify := range verifiers(report.Key) {
			if err := verify(t, dir); err != nil {
				t.Errorf("%d entries: %s says %v", n, name, err)
			}
		}
	}
}

// Each change is found by all, and ours and the page of Python name the place.
func TestTamperedExportIsRefusedByEverybody(t *testing.T) {
	edit := func(name string, change func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			path := filepath.Join(dir, filepath.FromSlash(name))
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, change(b), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[at] ^= 1; return b }
	}
	for name, c := range map[string]struct {
		tamper func(*testing.T, string)
		says   string
	}{
		"entry":                 {edit("tile/entries/001", flip(40)), "entry 256 "},
		"first entry":           {edit("tile/entries/000", flip(40)), "entry 0 "},
		"entry in the last":     {edit("tile/entries/002.p/190", flip(40)), "entry 512 "},
		"hash in a lowest tile": {edit("tile/0/001", flip(32*3+5)), "entry 259 "},
		"hash above":            {edit("tile/1/000.p/2", flip(3)), "tile/1/000"},
		"entry taken out": {edit("tile/entries/001", func(b []byte) []byte {
			return b[2+int(b[0])<<8+int(b[1]):]
		}), "entry 511"},
		"bundle cut":      {edit("tile/entries/001", func(b []byte) []byte { return b[:len(b)-3] }), "entry 511"},
		"bundles swapped": {swap("tile/entries/000", "tile/entries/001"), "entry 0"},
		"bundle gone":     {remove("tile/entries/001"), "tile/entries/001"},
		"tile gone":       {remove("tile/0/000"), "tile/0/000"},
		"size": {edit("checkpoint", func(b []byte) []byte {
			return bytes.Replace(b, []byte("\n702\n"), []byte("\n700\n"), 1)
		}), "checkpoint"},
		"signature": {edit("checkpoint", flip(200)), "checkpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, report := exported(t, 700, false)
			c.tamper(t, dir)
			for who, verify := range verifiers(report.Key) {
				err := verify(t, dir)
				if err == nil {
					t.Errorf("%s takes it", who)
				} else if who != "fsck" && !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s says %v, want %q named", who, err, c.says)
				}
			}
		})
	}
}

func swap(a, b string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		x, y := filepath.Join(dir, filepath.FromSlash(a)), filepath.Join(dir, filepath.FromSlash(b))
		for _, names := range [][2]string{{x, x + "~"}, {y, x}, {x + "~", y}} {
			if err := os.Rename(names[0], names[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Fatal(err)
		}
	}
}

// An export of another log, whole in itself, is not the one of this key.
func TestExportUnderAnotherKeyIsRefused(t *testing.T) {
	_, report := exported(t, 10, false)
	other, own := exported(t, 10, false)
	for name, verify := range verifiers(report.Key) {
		if err := verify(t, other); (err == nil) != (name == "fsck") { // fsck takes the key in the export
			t.Errorf("%s says %v", name, err)
		}
	}
	if found, err := audit.VerifyExport(t.Context(), other, "", audit.Attesters{}, nil); err != nil || !found.OwnKey || found.Key != own.Key {
		t.Errorf("with its own key: %+v, %v", found, err)
	}
}

// openssl checks the checkpoint's signature.
func TestOpensslVerifiesTheCheckpoint(t *testing.T) {
	dir, _ := exported(t, 5, false)
	msg, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	text, signature, _ := strings.Cut(string(msg), "\n\n")
	words := strings.Fields(signature)
	raw, err := base64.StdEncoding.DecodeString(words[len(words)-1])
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	for _, c := range []struct {
		text string
		good bool
	}{{text + "\n", true}, {strings.Replace(text, "\n7\n", "\n8\n", 1) + "\n", false}} {
		for name, b := range map[string][]byte{"text": []byte(c.text), "signature": raw[4:]} {
			if err := os.WriteFile(filepath.Join(work, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", filepath.Join(dir, "keys", "log.pem"),
			"-rawin", "-in", filepath.Join(work, "text"), "-sigfile", filepath.Join(work, "signature"))
		if out, err := cmd.CombinedOutput(); (err == nil) != c.good {
			t.Errorf("openssl says %v of %q:\n%s", err, c.text, out)
		}
	}
}

// Without the data keys nothing in an export is readable; with them every entry
// is, and a key of another month's entries isn't enough.
func TestExportOpensWithItsKeysOnly(t *testing.T) {
	shut, report := exported(t, 300, false)
	err := filepath.WalkDir(shut, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(canary)) {
			t.Errorf("%s holds a question in clear", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := audit.VerifyExport(t.Context(), shut, report.Key, audit.Attesters{}, nil); err != nil || found.Opened {
		t.Errorf("without keys: %+v, %v", found, err)
	}
	open, report := exported(t, 300, true)
	if found, err := audit.VerifyExport(t.Context(), open, report.Key, audit.Attesters{}, nil); err != nil || !found.Opened || found.Size != report.Size {
		t.Errorf("with keys: %+v, %v", found, err)
	}
	names, err := filepath.Glob(filepath.Join(open, "keys", "data", "*.key"))
	if err != nil || len(names) == 0 {
		t.Fatalf("keys %v, %v", names, err)
	}
	if err := os.WriteFile(names[0], fmt.Appendf(nil, "00000001 2026-01 %064x\n", 7), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.VerifyExport(t.Context(), open, report.Key, audit.Attesters{}, nil); err == nil || !strings.Contains(err.Error(), "entry 0") {
		t.Errorf("with another key: %v", err)
	}
}

func TestExportTakesNoDirectoryWithFiles(t *testing.T) {
	dir, _ := exported(t, 1, false)
	ring, err := keys.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Export(t.Context(), t.TempDir(), ring, dir, audit.Exporting{}); err == nil || !strings.Contains(err.Error(), "isn't empty") {
		t.Errorf("error = %v", err)
	}
}
