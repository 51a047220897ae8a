package audit

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver that the index asks for

	"github.com/crmgate/crmgate/internal/access"
)

func indexTellsNothingWithoutItsKeys(t *testing.T) {
	dir, ring := t.TempDir(), testRing(t)
	l := mustOpen(t, dir, ring, small())
	words := []string{"kanarienvogel4711", "kanari.anna", "anna.kanari@example.de", "Anna Kanari", l.Employee("https://login", "1")}
	for month := range 3 {
		at := time.Date(2026, time.Month(6+month), 5, 0, 0, 0, 0, time.UTC)
		mustAppend(t, l, &Entry{Kind: Control, Event: SignIn, Time: at, Employee: words[4], Names: &Names{User: words[1], Email: words[2], Name: words[3]}})
		mustAppend(t, l, &Entry{Kind: Intent, Request: "r", Time: at, Employee: words[4], Accesses: []access.Access{{Type: "contact", IDs: []string{words[0]}}}})
	}
	mustClose(t, l)
	at := filepath.Join(t.TempDir(), "index")
	ix := OpenIndex(at, dir, ring)
	mustUpdate(t, ix, 0)
	if got, err := seqs(ix.Search(t.Context(), Query{Record: "contact/" + words[0]})); err != nil || len(got) != 3 {
		t.Errorf("found %v, %v, want 3", got, err)
	}
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	names, files := append(words, "contact/"+words[0]), 0
	err := filepath.WalkDir(at, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, %v", path, info.Mode(), err)
		}
		b, err := os.ReadFile(path)
		for _, w := range names {
			if bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(w))) {
				t.Errorf("%s holds %q", path, w)
			}
		}
		return err
	})
	if err != nil || files < 4 {
		t.Errorf("%d files, %v", files, err)
	}
	mustDestroy(t, dir, ring, 3)
	for _, anew := range []bool{false, true} {
		ix = OpenIndex(at, dir, ring)
		if anew {
			if err := ix.Rebuild(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := seqs(ix.Search(t.Context(), Query{Record: "contact/" + words[0]})); err != nil || len(got) != 2 {
			t.Errorf("made anew %v: found %v, %v, want those of the two other months", anew, got, err)
		}
		ix.Close()
	}
}

func indexOfATwinIsMadeAnew(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	opts := func(d *disk) Options {
		o := onDisk(d)
		o.now = func() (time.Time, time.Duration) { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), 0 }
		return o
	}
	mustClose(t, mustOpen(t, "disk", ring, opts(d)))
	twins := []*disk{copyOf(d), copyOf(d)}
	ix := mustIndex(t, d, ring)
	var stands []indexPosition
	for i, twin := range twins {
		l := mustOpen(t, "disk", ring, opts(twin))
		id := fmt.Sprint(i + 1)
		mustAppend(t, l, &Entry{Kind: Intent, Request: id, Accesses: []access.Access{{Type: "contact", IDs: []string{id}}}})
		mustClose(t, l)
		ix.log, ix.keys = twin, newDataKeys(twin, ring)
		mustUpdate(t, ix, 0)
		p, err := ix.at()
		if err != nil || p == nil {
			t.Fatalf("position %+v, %v", p, err)
		}
		stands = append(stands, *p)
		if got, err := seqs(ix.Search(t.Context(), Query{Record: "contact/" + id})); err != nil || len(got) != 1 {
			t.Errorf("log %d: found %v, %v", i, got, err)
		}
	}
	if a, b := stands[0], stands[1]; a.End != b.End || a.Size != b.Size {
		t.Fatalf("the logs aren't twins: %+v and %+v", a, b)
	}
}
