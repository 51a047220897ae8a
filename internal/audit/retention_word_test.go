package audit

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func exportSaysWhatWasDestroyed(t *testing.T) {
	dir, ring, c := t.TempDir(), testRing(t), newTurner("2026-01-10 09:00")
	l := mustOpen(t, dir, ring, turned(c))
	fillMonths(t, l, c, 3)
	mustRetain(t, l, Retention{Access: 1})
	mustClose(t, l)
	for _, withKeys := range []bool{true, false} {
		out := filepath.Join(t.TempDir(), "out")
		if _, err := Export(t.Context(), dir, ring, out, Exporting{Keys: withKeys}); err != nil {
			t.Fatal(err)
		}
		r, err := VerifyExport(t.Context(), out, "", Attesters{}, nil)
		if err != nil || len(r.Destroyed) != 1 || r.Destroyed[0].Entries != 2 || r.Destroyed[0].Month != "2026-01" {
			t.Errorf("with keys %v: %v, destroyed %v", withKeys, err, r.Destroyed)
		}
		note := filepath.Join(out, exportDataKeys, "00000003.gone")
		b, err := os.ReadFile(note)
		if err != nil {
			t.Fatal(err)
		}
		mustWrite(t, note, strings.Replace(string(b), "the gateway", "the gardener", 1))
		if _, err := VerifyExport(t.Context(), out, "", Attesters{}, nil); !errors.Is(err, ErrTampered) {
			t.Errorf("with keys %v: a changed note is %v", withKeys, err)
		}
	}
}

func monthsThatWereNotSeenTakeAWord(t *testing.T) {
	dir, ring, c := t.TempDir(), testRing(t), newTurner("2026-01-10 09:00")
	l := mustOpen(t, dir, ring, turned(c))
	fillMonths(t, l, c, 1)
	mustClose(t, l)
	c.runTo("2026-06-01")
	l = mustOpen(t, dir, ring, turned(c))
	c.run(2 * time.Hour)
	r := Retention{Access: 2}
	if got := mustRetain(t, l, r); len(got) > 0 {
		t.Errorf("destroyed %v", got)
	}
	if all, err := l.Keeping(t.Context(), r); err != nil || !all[2].Due || all[2].Lacking != 2 {
		t.Errorf("it says %+v, %v", all, err)
	}
	how := Retaining{Retention: r, By: "uid 0", Today: "2026-05-31"}
	if _, err := l.Retain(t.Context(), how); !errors.Is(err, ErrDate) {
		t.Errorf("on another date: %v", err)
	}
	how.Today = "2026-06-01"
	if got, err := l.Retain(t.Context(), how); err != nil || len(got) != 1 || got[0].By != "uid 0" {
		t.Errorf("destroyed %v, %v", got, err)
	}
}
