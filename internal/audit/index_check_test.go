package audit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

// Each way of editing the index is named with the first entry that it hides or
// shows wrongly; an index as it is grown is not.
func editedIndexIsNamed(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		mustAppend(t, l, randomEntry(rnd, l))
	}
	at := mustAppend(t, l, &Entry{Kind: Intent, Request: "r", Accesses: []access.Access{{Type: "contact", IDs: []string{"4711"}}}})
	for range 40 {
		mustAppend(t, l, randomEntry(rnd, l))
	}
	mustClose(t, l)
	seq := int64(at.Seq)
	id, err := keyID(envelopeOf(t, d, at.Seq))
	if err != nil {
		t.Fatal(err)
	}
	month, err := newDataKeys(d, ring).get(id)
	if err != nil {
		t.Fatal(err)
	}
	file, key := monthName(id), month.indexKey(termRecord, "contact/4711")
	for name, edit := range map[string]string{
		"nothing":                  "",
		"posting taken out":        fmt.Sprintf("DELETE FROM p WHERE key = %d", key),
		"posting of another entry": fmt.Sprintf("UPDATE OR REPLACE p SET seq = %d WHERE key = %d", seq+1, key),
		"posting of another key":   fmt.Sprintf("UPDATE p SET key = key + 1 WHERE key = %d", key),
		"posting added":            fmt.Sprintf("INSERT INTO p VALUES (%d, %d)", key+5, seq),
		"entry taken out":          fmt.Sprintf("DELETE FROM e WHERE seq = %d", seq),
		"entry at another place":   fmt.Sprintf("UPDATE e SET off = off + 8 WHERE seq = %d", seq),
		"entry at another time":    fmt.Sprintf("UPDATE e SET ts = ts - 1 WHERE seq = %d", seq),
		"entry of another kind":    fmt.Sprintf("UPDATE e SET kind = 2 WHERE seq = %d", seq),
		"entry in words":           fmt.Sprintf("UPDATE e SET ts = 'never' WHERE seq = %d", seq),
		"table taken away":         "DROP TABLE p",
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "index")
			ix := openIndex(dir, d, ring)
			defer ix.Close()
			mustUpdate(t, ix, 60)
			mustUpdate(t, ix, 0)
			if edit != "" {
				db, err := ix.month(t.Context(), id)
				if err == nil {
					_, err = db.ExecContext(t.Context(), edit)
				}
				if err = errors.Join(err, ix.Close()); err != nil {
					t.Fatal(err)
				}
			}
			size, err := ix.Check(t.Context(), nil)
			if edit == "" {
				if err != nil || size < 80 {
					t.Errorf("Check = %d, %v", size, err)
				}
			} else if found, ok := errors.AsType[*IndexDamage](err); !ok || found.File != file || !errors.Is(err, ErrIndexEdited) {
				t.Errorf("Check = %v, want damage of %s", err, file)
			} else if name != "table taken away" && name != "entry in words" && found.Seq != at.Seq {
				t.Errorf("entry %d is named, want %d: %v", found.Seq, at.Seq, err)
			}
			if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) != 1 {
				t.Errorf("%v are left, %v", left, err)
			}
			if err := ix.Rebuild(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if _, err := ix.Check(t.Context(), nil); err != nil {
				t.Errorf("made anew: %v", err)
			}
		})
	}
}

// envelopeOf finds an entry's envelope.
func envelopeOf(t *testing.T, d *disk, seq uint64) (found []byte) {
	t.Helper()
	segments, err := listSegments(d)
	if err != nil {
		t.Fatal(err)
	}
	w := &walk{files: d, segments: segments}
	w.visit = func(_ uint32, g *group) error {
		for _, f := range g.entries {
			if f.seq == seq {
				found = slices.Clone(f.envelope)
			}
		}
		return nil
	}
	if err := w.whole(t.Context()); err != nil {
		t.Fatal(err)
	}
	return found
}

// A file that the position doesn't name hides a month.
func monthTakenOutOfTheIndexIsNamed(t *testing.T) {
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	mustAppend(t, l, intentOf("r"))
	mustClose(t, l)
	dir := filepath.Join(t.TempDir(), "index")
	ix := openIndex(dir, d, ring)
	defer ix.Close()
	mustUpdate(t, ix, 0)
	name := filepath.Join(dir, positionName)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ix.at()
	if err != nil || len(p.Months) != 2 {
		t.Fatalf("the index has %+v, %v", p, err)
	}
	list := strings.ReplaceAll(fmt.Sprint(p.Months), " ", ",")
	mustWrite(t, name, strings.Replace(string(b), `"months":`+list, fmt.Sprintf(`"months":[%d]`, p.Months[0]), 1))
	if _, err := ix.Check(t.Context(), nil); !errors.Is(err, ErrIndexEdited) || !strings.Contains(err.Error(), monthName(p.Months[1])) {
		t.Errorf("Check = %v", err)
	}
}
