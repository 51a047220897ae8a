package auditor

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

// page is the page of Python.
var page = filepath.Join("..", "..", "docs", "verify-export.py")

// partOf exports four entries, with keys, of a log whose checkpoint others have signed, too.
func partOf(t *testing.T) (dir, key, witnessKey string) {
	t.Helper()
	data, ring, key, witnessKey, _ := attestedLog(t)
	dir = filepath.Join(t.TempDir(), "part")
	if _, err := audit.ExportPart(t.Context(), filepath.Join(data, "log"), ring, dir, []uint64{5, 6, 300, 600}, audit.Exporting{Keys: true}); err != nil {
		t.Fatal(err)
	}
	return dir, key, witnessKey
}

// verifyPart has a part verified by us and by the page of Python.
func verifyPart(ctx context.Context, dir, key string, witnesses ...string) map[string]error {
	_, ours := audit.VerifyExport(ctx, dir, key, audit.Attesters{Witnesses: witnesses}, nil)
	out, err := exec.CommandContext(ctx, "python3", append([]string{"-I", page, dir, key}, witnesses...)...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	} else if !bytes.Contains(out, []byte("an export of a part doesn't prove")) {
		err = fmt.Errorf("it says nothing of what a part doesn't prove: %s", out)
	}
	return map[string]error{"crmgate": ours, "Python": err}
}

func TestPartIsVerifiedByEverybody(t *testing.T) {
	data, ring, key, witnessKey, _ := attestedLog(t)
	for _, with := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "part")
		report, err := audit.ExportPart(t.Context(), filepath.Join(data, "log"), ring, dir,
			[]uint64{600, 0, 5, 255, 256, 300, 301, 302, 5, 100_000}, audit.Exporting{Keys: with})
		if err != nil {
			t.Fatal(err)
		}
		if p := report.Part; p == nil || p.Entries != 8 || p.First != 0 || p.Last != 600 || p.Later != 1 || report.Opened != with {
			t.Errorf("report = %+v, %+v", report, p)
		}
		for who, err := range verifyPart(t.Context(), dir, key, witnessKey) {
			if err != nil {
				t.Errorf("with keys %t: %s says %v", with, who, err)
			}
		}
		found, err := audit.VerifyExport(t.Context(), dir, key, audit.Attesters{}, nil)
		if err != nil || found.Part == nil || found.Part.Entries != 8 || found.Opened != with || found.Witnessed == nil || found.Stamped == nil {
			t.Errorf("with keys %t: %+v, %v", with, found, err)
		}
		var seqs []uint64
		_, err = audit.ReadExport(t.Context(), dir, key, func(s *audit.Stored) error { seqs = append(seqs, s.Seq); return nil }, nil)
		if want := []uint64{0, 5, 255, 256, 300, 301, 302, 600}; with && (err != nil || !slices.Equal(seqs, want)) {
			t.Errorf("opened are %d, %v", seqs, err)
		} else if !with && !errors.Is(err, audit.ErrKey) {
			t.Errorf("without keys: %v", err)
		}
	}
}

// Logs of each small size, whole and every entry alone.
func TestEveryEntryOfSmallLogsIsProved(t *testing.T) {
	for _, n := range []int{0, 1, 3, 6} {
		data := t.TempDir()
		ring, err := keys.Open(filepath.Join(data, "keys"))
		if err != nil {
			t.Fatal(err)
		}
		l, err := audit.Open(t.Context(), filepath.Join(data, "log"), ring, audit.Options{Node: "n1"})
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if _, err := l.Append(t.Context(), &audit.Entry{Kind: audit.Intent, Request: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		size := uint64(n + 2) // start and stop
		for seq := range size + 1 {
			seqs := []uint64{seq}
			if seq == size {
				seqs = nil
				for i := range size {
					seqs = append(seqs, i)
				}
			}
			dir := filepath.Join(t.TempDir(), "part")
			report, err := audit.ExportPart(t.Context(), filepath.Join(data, "log"), ring, dir, seqs, audit.Exporting{})
			if err != nil || report.Size != size {
				t.Fatalf("%d of %d: %+v, %v", seqs, size, report, err)
			}
			if _, err := audit.VerifyExport(t.Context(), dir, report.Key, audit.Attesters{}, nil); err != nil {
				t.Errorf("%d of %d: %v", seqs, size, err)
			}
			if seq < size {
				continue // Python takes its time for signatures: all at once
			}
			if err := verifyPart(t.Context(), dir, report.Key)["Python"]; err != nil {
				t.Errorf("%d of %d: Python says %v", seqs, size, err)
			}
		}
		if _, err := audit.ExportPart(t.Context(), filepath.Join(data, "log"), ring, t.TempDir(), []uint64{size}, audit.Exporting{}); !errors.Is(err, audit.ErrPart) {
			t.Errorf("an entry behind the last: %v", err)
		}
	}
}

// words changes the line of an entry.
func words(n int, change func(words []string)) func(t *testing.T, dir string) {
	return editLines("entries.proofs", func(lines []string) []string {
		w := strings.Split(lines[n], " ")
		change(w)
		lines[n] = strings.Join(w, " ")
		return lines
	})
}

func editLines(name string, change func(lines []string) []string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(dir, name))
		if err != nil || len(found) == 0 {
			t.Fatal(found, err)
		}
		text, err := os.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		lines := change(strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"))
		if err := os.WriteFile(found[0], []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func flippedWord(word string) string {
	b, err := base64.StdEncoding.DecodeString(word)
	if err != nil {
		panic(err)
	}
	b[len(b)-1] ^= 1
	return base64.StdEncoding.EncodeToString(b)
}

// Each change of a part is found by us and by the page of Python, which name the place.
func TestTamperedPartIsRefusedByEverybody(t *testing.T) {
	exported, key, witnessKey := partOf(t)
	foreign, foreignKey, _ := partOf(t)
	for who, err := range verifyPart(t.Context(), exported, foreignKey) {
		if err == nil || !strings.Contains(err.Error(), "checkpoint") {
			t.Errorf("with the key of another log %s says %v", who, err)
		}
	}
	from := func(names ...string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			for _, name := range names {
				b, err := os.ReadFile(filepath.Join(foreign, name))
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for name, c := range map[string]struct {
		tamper func(*testing.T, string)
		says   string
	}{
		"number":                   {words(2, func(w []string) { w[0] = "301" }), "entry 301 "},
		"number too big":           {words(3, func(w []string) { w[0] = "999999" }), "entry 999999 "},
		"number written otherwise": {words(0, func(w []string) { w[0] = "05" }), "line 1"},
		"leaf":                     {words(1, func(w []string) { w[1] = flippedWord(w[1]) }), "entry 6 "},
		"proof":                    {words(1, func(w []string) { w[4] = flippedWord(w[4]) }), "entry 6 "},
		"hash gone":                {words(1, func(w []string) { copy(w[3:], w[4:]) }), "entry 6 "},
		"proofs swapped": {editLines("entries.proofs", func(l []string) []string {
			a, b := strings.Split(l[0], " "), strings.Split(l[1], " ")
			l[0] = strings.Join(slices.Concat(a[:2], b[2:]), " ")
			l[1] = strings.Join(slices.Concat(b[:2], a[2:]), " ")
			return l
		}), "entry 5 "},
		"entries swapped": {editLines("entries.proofs", func(l []string) []string { l[0], l[1] = l[1], l[0]; return l }), "entry 5 stands behind entry 6"},
		"entry twice":     {editLines("entries.proofs", func(l []string) []string { return append(l, l[3]) }), "entry 600 stands behind"},
		"empty line":      {editLines("entries.proofs", func(l []string) []string { return append(l, "") }), "line 5"},
		"no entry":        {editLines("entries.proofs", func([]string) []string { return nil }), "line 1"},
		"tiles beside": {func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Mkdir(filepath.Join(dir, "tile"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, "tiles of a whole log"},
		"foreign checkpoint":         {from("checkpoint"), "checkpoint"},
		"foreign checkpoint and key": {from("checkpoint", "keys/log.vkey"), "checkpoint"},
		"entries of another log":     {from("entries.proofs"), "entry 5 "},
		"growth": {editLines("checkpoints/*.witnessed.growth", func(l []string) []string {
			l[0] = flippedWord(l[0])
			return l
		}), "doesn't prove that the log only grew"},
		"growth gone": {func(t *testing.T, dir string) {
			t.Helper()
			found, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*.growth"))
			if err = errors.Join(err, os.Remove(found[0])); err != nil {
				t.Fatal(err)
			}
		}, ".growth"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(exported)); err != nil {
				t.Fatal(err)
			}
			witnesses := []string{witnessKey}
			if !strings.HasPrefix(name, "growth") {
				// Each signature costs Python half a second.
				witnesses = nil
				if err := os.RemoveAll(filepath.Join(dir, "checkpoints")); err != nil {
					t.Fatal(err)
				}
			}
			c.tamper(t, dir)
			for who, err := range verifyPart(t.Context(), dir, key, witnesses...) {
				if err == nil {
					t.Errorf("%s takes it", who)
				} else if !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s says %v, want %q named", who, err, c.says)
				}
			}
		})
	}
	t.Run("data key of another log", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(exported)); err != nil {
			t.Fatal(err)
		}
		names, err := filepath.Glob(filepath.Join(foreign, "keys", "data", "*.key"))
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		for _, name := range names {
			rel, _ := filepath.Rel(foreign, name)
			from(rel)(t, dir)
		}
		if _, err := audit.VerifyExport(t.Context(), dir, key, audit.Attesters{}, nil); !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), "entry 5: ") {
			t.Errorf("error = %v", err)
		}
	})
}

// The page of Python takes every proof of growth between small sizes, and no changed one.
func TestPythonChecksThatALogGrew(t *testing.T) {
	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, a := range at {
			out[i] = hashes[a]
		}
		return out, nil
	})
	var roots []tlog.Hash
	var text strings.Builder
	for size := int64(1); size <= 40; size++ {
		more, err := tlog.StoredHashes(size-1, fmt.Append(nil, size), reader)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, more...)
		root, err := tlog.TreeHash(size, reader)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, root)
		for old := int64(1); old <= size; old++ {
			proof, err := tlog.ProveTree(size, old, reader)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(&text, old, " ", roots[old-1], " ", size, " ", root)
			for _, h := range proof {
				fmt.Fprint(&text, " ", h)
			}
			text.WriteString("\n")
		}
	}
	cmd := exec.CommandContext(t.Context(), "python3", "-I", "-c", `
import base64, sys
exec(open(sys.argv[1]).read().split("\nif len(sys.argv)")[0])
n = 0
for line in sys.stdin:
    old, old_root, size, root, *path = line.split()
    old, size, old_root, root = int(old), int(size), base64.b64decode(old_root), base64.b64decode(root)
    path = [base64.b64decode(h) for h in path]
    assert grown(old, old_root, size, path) == root, line
    assert grown(old, bytes(32), size, path) != root, line
    assert grown(old, old_root, size, path + [root]) != root, line
    for i in range(len(path)):
        assert grown(old, old_root, size, path[:i] + path[i + 1:]) != root, line
        assert grown(old, old_root, size, path[:i] + [bytes(32)] + path[i + 1:]) != root, line
    n += 1
print(n)
`, page)
	cmd.Stdin = strings.NewReader(text.String())
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "820" {
		t.Errorf("%v: %s", err, out)
	}
}
