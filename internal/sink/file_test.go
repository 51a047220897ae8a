package sink

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func fileIn(dir string) *File { return &File{Path: filepath.Join(dir, "audit.jsonl"), Mode: 0o640} }

func TestFileHoldsEveryEntryOnALine(t *testing.T) {
	l, dir := openLog(t, t.TempDir()), t.TempDir()
	add(t, l, 700)
	f := fileIn(dir)
	r := start(t, l, f)
	r.caughtUp(t)
	r.end()
	<-r.free
	got := ids(t, mustRead(t, f.Path))
	whole(t, got, size(l))
	if uint64(len(got)) != size(l) {
		t.Errorf("%d lines for %d entries", len(got), size(l))
	}
	if info, err := os.Stat(f.Path); err != nil || info.Mode() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// What a crash left of a line is taken away, and comes again whole.
func TestHalfLinesAreTakenAway(t *testing.T) {
	for name, before := range map[string]string{
		"none": "", "whole": "{\"metadata\":{}}\n", "half": "{\"a\":1}\n{\"metad", "only half": `{"metad`, "long half": "{}\n" + strings.Repeat("x", 200<<10),
	} {
		f := fileIn(t.TempDir())
		if err := os.WriteFile(f.Path, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		f.buf = []byte("{\"new\":1}\n")
		if err := f.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := before[:strings.LastIndex(before, "\n")+1] + "{\"new\":1}\n"
		if got := string(mustRead(t, f.Path)); got != want {
			t.Errorf("%s: %.80q, want %.80q", name, got, want)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A file that logrotate moves away, deletes or cuts is begun anew, and nothing is lost
// over it.
func TestMovedFileIsBegunAnew(t *testing.T) {
	l, dir := openLog(t, t.TempDir()), t.TempDir()
	f := fileIn(dir)
	r := start(t, l, f)
	var all []byte
	for i, rotate := range []func() error{
		func() error { return os.Rename(f.Path, f.Path+".1") },
		func() error { return os.Truncate(f.Path, 0) },
		func() error { return os.Remove(f.Path) },
	} {
		add(t, l, 10)
		r.caughtUp(t)
		all = append(all, mustRead(t, f.Path)...)
		if err := rotate(); err != nil {
			t.Fatal(i, err)
		}
	}
	add(t, l, 10)
	r.caughtUp(t)
	whole(t, ids(t, append(all, mustRead(t, f.Path)...)), size(l))
}

func TestFileRollsBySize(t *testing.T) {
	l, dir := openLog(t, t.TempDir()), t.TempDir()
	f := fileIn(dir)
	f.RollBytes, f.Keep = 20<<10, 1000
	r := start(t, l, f)
	for range 10 {
		add(t, l, 30)
		r.caughtUp(t)
	}
	rolled, err := filepath.Glob(f.Path + ".*")
	if err != nil || len(rolled) < 3 {
		t.Fatalf("rolled %v, %v", rolled, err)
	}
	for _, name := range rolled {
		if info, err := os.Stat(name); err != nil || info.Size() > f.RollBytes+(64<<10) {
			t.Errorf("%s: %v, %v", name, info.Size(), err)
		}
	}
	whole(t, ids(t, mustRead(t, append(rolled, f.Path)...)), size(l))
	r.end()
	<-r.free
	f.Keep = 2
	if err := os.WriteFile(f.Path+".mine", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.prune(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(f.Path + ".*"); len(left) != 3 || left[2] != f.Path+".mine" || left[1] != rolled[len(rolled)-1] {
		t.Errorf("left %v", left)
	}
}

// A folder that isn't there, or a thing that isn't a file, holds entries back and says
// so; when that ends, all come.
func TestFileThatCannotBeWrittenHoldsBack(t *testing.T) {
	for name, c := range map[string]struct {
		spoil, mend func(f *File) error
	}{
		"no folder": {
			func(f *File) error { f.Path = filepath.Join(filepath.Dir(f.Path), "later", "audit.jsonl"); return nil },
			func(f *File) error { return os.Mkdir(filepath.Dir(f.Path), 0o700) },
		},
		"a folder": {
			func(f *File) error { return os.Mkdir(f.Path, 0o700) },
			func(f *File) error { return os.Remove(f.Path) },
		},
		"a device that is full": {
			func(f *File) error { return os.Symlink("/dev/full", f.Path) },
			func(f *File) error { return os.Remove(f.Path) },
		},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			l, f := openLog(t, t.TempDir()), fileIn(t.TempDir())
			if err := c.spoil(f); err != nil {
				t.Fatal(err)
			}
			r := start(t, l, f)
			add(t, l, 20)
			until(t, "it fails", func() bool { return !r.Status.State(time.Now()).Since.IsZero() })
			if err := c.mend(f); err != nil {
				t.Fatal(err)
			}
			r.caughtUp(t)
			whole(t, ids(t, mustRead(t, f.Path)), size(l))
		})
	}
}
