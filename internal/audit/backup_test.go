package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/keys"
)

// house is a log with its checkpoints, its backup, and the keys of it.
type house struct {
	log, checkpoints, backup, keys string
	ring                           *keys.Ring
}

func newHouse(t *testing.T) *house {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	return &house{at("log"), at("checkpoints"), at("backup"), at("backup-keys"), testRing(t)}
}

func (h *house) options() Options {
	o := small()
	o.SegmentSize, o.Checkpoints = 32<<10, h.checkpoints
	return o
}

func (h *house) open(t *testing.T) *Log { return mustOpen(t, h.log, h.ring, h.options()) }

func (h *house) backUp(t *testing.T) Backed {
	t.Helper()
	b, err := Backup(t.Context(), h.log, h.ring, h.backup, Backing{Checkpoints: h.checkpoints, Keys: h.keys})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (h *house) restore(t *testing.T) Joint {
	t.Helper()
	j, err := Restore(t.Context(), h.backup, h.log, h.ring, h.options(), Restoring{Keys: h.keys, By: "uid 0"})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func (h *house) verify(t *testing.T, against map[string][]byte) Report {
	t.Helper()
	r, err := Verify(t.Context(), h.log, h.ring, Check{Checkpoints: h.checkpoints, Against: against})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (h *house) burn(t *testing.T, dirs ...string) {
	t.Helper()
	for _, d := range dirs {
		if err := os.RemoveAll(d); err != nil {
			t.Fatal(err)
		}
	}
}

// intents appends intents, many enough for several segments.
func intents(t *testing.T, l *Log, from, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			id := fmt.Sprint(from + i)
			e := &Entry{Kind: Intent, Request: id, Session: newSampler(uint64(i)).hash(), Accesses: []access.Access{{Type: "contact", IDs: []string{id}}}}
			for range 20 {
				e.Session += newSampler(uint64(len(e.Session) * (i + 1))).hash()
			}
			if _, err := l.Append(t.Context(), e); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func countRequests(t *testing.T, h *house) int {
	t.Helper()
	return len(requests(t, h.log, h.ring))
}

// A log is backed up while it is written, goes on, and is lost. What is restored is
// read, searched, verified and exported as one log; it names what is lost, signs
// under another name, and its receipts name no lost entry.
func restoredLogGoesOnUnderAnotherName(t *testing.T) {
	h := newHouse(t)
	l := h.open(t)
	intents(t, l, 0, 100)
	var wg sync.WaitGroup
	wg.Go(func() { intents(t, l, 100, 50) })
	h.backUp(t)
	wg.Wait()
	intents(t, l, 150, 50) // however far the first one came, there is more for the second
	first := h.backUp(t)
	again := h.backUp(t)
	if again.Copied >= first.Copied {
		t.Errorf("the third backup copied %d bytes", again.Copied)
	}
	intents(t, l, 200, 10)
	mustClose(t, l)
	kept := readOnly(t, h.checkpoints)
	before := h.verify(t, nil)
	h.burn(t, h.log)
	j := h.restore(t)
	if j.Size != again.Size || j.Known != before.Size || j.Known <= j.Size {
		t.Errorf("the joint is %+v, backed up were %d of %d entries", j, again.Size, before.Size)
	}
	if n := countRequests(t, h); n != 200 {
		t.Errorf("%d requests were restored, want 200", n)
	}
	l = h.open(t)
	if l.Node() != "n1.r1" {
		t.Errorf("the node is %s", l.Node())
	}
	if r := mustAppend(t, l, &Entry{Kind: Intent, Request: "new", Accesses: []access.Access{{Type: "contact", IDs: []string{"7"}}}}); r.Node != "n1.r1" {
		t.Errorf("the receipt is %s", r)
	}
	ix := OpenIndex(filepath.Join(t.TempDir(), "index"), h.log, h.ring)
	defer ix.Close()
	mustUpdate(t, ix, 0)
	if got, err := seqs(ix.Search(t.Context(), Query{Record: "contact/7"})); err != nil || len(got) != 2 {
		t.Errorf("the index finds %v, %v on both sides of the joint", got, err)
	}
	mustClose(t, l)
	r := h.verify(t, kept)
	if len(r.Joints) != 1 || r.Joints[0].Known != j.Known || len(r.Lost) == 0 || r.Lost[len(r.Lost)-1].Size != before.Size {
		t.Errorf("verify says joints %+v, lost %+v", r.Joints, r.Lost)
	}
	out := filepath.Join(t.TempDir(), "out")
	if _, err := Export(t.Context(), h.log, h.ring, out, Exporting{Checkpoints: h.checkpoints, Keys: true}); err != nil {
		t.Fatal(err)
	}
	if x, err := VerifyExport(t.Context(), out, "", Attesters{}, nil); err != nil || !x.Opened || x.Size != r.Size {
		t.Errorf("the export is %+v, %v", x, err)
	}
	// And once more, into a directory of its own.
	if _, err := Backup(t.Context(), h.log, h.ring, h.backup, Backing{Checkpoints: h.checkpoints, Keys: h.keys}); !errors.Is(err, ErrBackup) {
		t.Errorf("a backup beside one from before the restoration: %v", err)
	}
	older := filepath.Join(t.TempDir(), "older")
	if err := os.CopyFS(older, os.DirFS(h.backup)); err != nil {
		t.Fatal(err)
	}
	h.burn(t, h.backup)
	h.backUp(t)
	h.burn(t, h.log)
	// Who restores the older one would never learn what n1.r1 held.
	if _, err := Restore(t.Context(), older, h.log, h.ring, h.options(), Restoring{Keys: h.keys}); !errors.Is(err, ErrBackup) || !strings.Contains(err.Error(), "knows nothing") {
		t.Errorf("a backup that doesn't know of the log that went on: %v", err)
	}
	h.burn(t, h.checkpoints)
	if j := h.restore(t); j.Known != j.Size {
		t.Errorf("nothing is known of a loss, and the joint says %+v", j)
	}
	if r := h.verify(t, kept); r.Node != "n1.r2" || len(r.Joints) != 2 {
		t.Errorf("verify says node %s, joints %+v", r.Node, r.Joints)
	}
	if _, err := Restore(t.Context(), h.backup, h.log, h.ring, h.options(), Restoring{Keys: h.keys}); err == nil || !strings.Contains(err.Error(), "there is a log already") {
		t.Errorf("restoring over a log: %v", err)
	}
}

// readOnly reads the notes of a directory.
func readOnly(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"+checkpointSuffix))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	notes := map[string][]byte{}
	for _, n := range names {
		if notes[n], err = os.ReadFile(n); err != nil {
			t.Fatal(err)
		}
	}
	return notes
}

// A backup isn't a log: files that are put back as they are, with their checkpoints,
// don't go on as if nothing was lost. It holds no key in clear, no master key, no
// index.
func backupPutBackByHandIsNoLog(t *testing.T) {
	h := newHouse(t)
	l := h.open(t)
	intents(t, l, 0, 100)
	mustClose(t, l)
	h.backUp(t)
	var names []string
	err := filepath.WalkDir(h.backup, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		names = append(names, path)
		if info, err := d.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, %v", path, info.Mode(), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if strings.HasSuffix(n, keySuffix) || strings.HasSuffix(n, ".db") || strings.HasSuffix(n, segmentSuffix) {
			t.Errorf("the backup holds %s", n)
		}
	}
	h.burn(t, h.log)
	if err := os.Rename(h.backup, h.log); err != nil {
		t.Fatal(err)
	}
	if l, err := Open(t.Context(), h.log, h.ring, h.options()); err == nil {
		l.Close()
		t.Error("a backup was opened as a log")
	}
}

// What was destroyed after a backup was made stays destroyed with the backup.
func restoredBackupHasLostWhatWasDestroyed(t *testing.T) {
	h, c := newHouse(t), newTurner("2026-01-10 09:00")
	opts := h.options()
	opts.now = c.now
	l := mustOpen(t, h.log, h.ring, opts)
	fillMonths(t, l, c, 3)
	h.backUp(t)
	old := copyDir(t, h.backup)
	if got := mustRetain(t, l, Retention{Access: 1}); len(got) != 1 {
		t.Fatalf("destroyed %v", got)
	}
	h.backUp(t)
	mustClose(t, l)
	for name, backup := range map[string]string{"an older backup": old, "the newest": h.backup} {
		t.Run(name, func(t *testing.T) {
			h := *h
			h.backup, h.log, h.checkpoints = backup, filepath.Join(t.TempDir(), "log"), filepath.Join(t.TempDir(), "checkpoints")
			h.restore(t)
			if got, want := requests(t, h.log, h.ring), []string{"r-2026-02", "r-2026-03"}; !slices.Equal(got, want) {
				t.Errorf("restored were %v, want %v", got, want)
			}
			if r := h.verify(t, nil); len(r.Destroyed) != 1 || r.Destroyed[0].Month != "2026-01" {
				t.Errorf("verify says that %v was destroyed", r.Destroyed)
			}
			out := filepath.Join(t.TempDir(), "out")
			if _, err := Export(t.Context(), h.log, h.ring, out, Exporting{Checkpoints: h.checkpoints, Keys: true}); err != nil {
				t.Fatal(err)
			}
			if x, err := VerifyExport(t.Context(), out, "", Attesters{}, nil); err != nil || len(x.Destroyed) != 1 {
				t.Errorf("the export is %+v, %v", x, err)
			}
		})
	}
	// The rest is destroyed in its time, on both sides of the joint.
	h.burn(t, h.log, h.checkpoints)
	h.restore(t)
	l = mustOpen(t, h.log, h.ring, opts)
	fillMonths(t, l, c, 4)
	if _, err := l.Confirm(t.Context(), "there were no holds", "uid 7"); err != nil {
		t.Fatal(err)
	}
	if got, want := mustRetain(t, l, Retention{Access: 1}), []string{"2026-02 access", "2026-03 access", "2026-04 access"}; !slices.Equal(got, want) {
		t.Errorf("destroyed %v, want %v", got, want)
	}
	mustClose(t, l)
	h.verify(t, nil)
}

func TestBackupThatIsNotRightIsNotRestored(t *testing.T) {
	h := newHouse(t)
	l := h.open(t)
	intents(t, l, 0, 100)
	mustClose(t, l)
	h.backUp(t)
	h.burn(t, h.log, h.checkpoints)
	for name, spoil := range map[string]func(t *testing.T, dir, keys string){
		"changed":     func(t *testing.T, dir, _ string) { flip(t, filepath.Join(dir, copyName(1)), 5000) },
		"cut off":     func(t *testing.T, dir, _ string) { mustRemove(t, filepath.Join(dir, backupName)) },
		"a gap":       func(t *testing.T, dir, _ string) { mustRemove(t, filepath.Join(dir, copyName(2))) },
		"without key": func(t *testing.T, _, keys string) { mustRemove(t, filepath.Join(keys, filepath.Base(keyName(2)))) },
		"shorter": func(t *testing.T, dir, _ string) {
			all, err := filepath.Glob(filepath.Join(dir, "*"+copySuffix))
			if err != nil {
				t.Fatal(err)
			}
			mustRemove(t, all[len(all)-1])
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, keys := copyDir(t, h.backup), copyDir(t, h.keys)
			spoil(t, dir, keys)
			if j, err := Restore(t.Context(), dir, h.log, h.ring, h.options(), Restoring{Keys: keys}); err == nil {
				t.Errorf("it was restored: %+v", j)
			}
			if _, err := os.Stat(h.log); err == nil {
				t.Error("something was restored")
			}
		})
	}
	if _, err := Backup(t.Context(), h.log, h.ring, h.backup, Backing{Keys: filepath.Join(h.backup, "k")}); !errors.Is(err, ErrBackup) {
		t.Errorf("keys within the backup: %v", err)
	}
	other := newHouse(t)
	l = other.open(t)
	mustClose(t, l)
	if _, err := Backup(t.Context(), other.log, other.ring, h.backup, Backing{Checkpoints: other.checkpoints, Keys: other.keys}); !errors.Is(err, ErrBackup) {
		t.Errorf("a backup into that of another log: %v", err)
	}
}

func flip(t *testing.T, path string, at int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= 1
	mustWrite(t, path, string(b))
}

// A log that goes on under another name without saying so is damaged, even where
// the gateway's own keys committed it.
// The power is cut before every operation of restoring a log: it doesn't open until
// it is restored whole, and never under its old name.
