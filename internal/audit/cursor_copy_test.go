package audit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a sink hadn't passed on when the log was lost, it passes on from the log that was
// restored. A sink that was removed before the last backup doesn't come back.
func restoredLogKeepsItsCursors(t *testing.T) {
	h := newHouse(t)
	l := mustOpen(t, h.log, h.ring, h.options())
	intents(t, l, 0, 20)
	keep := func(c Cursor) {
		t.Helper()
		if err := l.KeepCursor(c); err != nil {
			t.Fatal(err)
		}
	}
	long := "file /" + strings.Repeat("long/", 800)
	keep(Cursor{Name: "siem", To: long, Next: 5})
	keep(Cursor{Name: "old", Next: 3})
	h.backUp(t)
	if err := l.ForgetCursor("old"); err != nil {
		t.Fatal(err)
	}
	keep(Cursor{Name: "siem", To: long, Next: 7})
	h.backUp(t)
	intents(t, l, 20, 5)
	keep(Cursor{Name: "siem", To: long, Next: 24})
	mustClose(t, l)
	h.burn(t, h.log)
	// A first restoration was cut off.
	if err := os.MkdirAll(filepath.Join(h.log, cursorDir), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{restoringName: "", cursorFile("siem"): "{", cursorFile("other"): "{"} {
		if err := os.WriteFile(filepath.Join(h.log, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.restore(t)
	l = mustOpen(t, h.log, h.ring, h.options())
	defer mustClose(t, l)
	all, err := l.Cursors()
	if err != nil || len(all) != 1 || all["siem"].Next != 7 || all["siem"].To != long {
		t.Fatalf("the restored log has the cursors %+v, %v", all, err)
	}
	tail, err := l.Tail(all["siem"])
	if err != nil || tail.Next() != 7 {
		t.Errorf("the sink goes on at %d, %v", tail.Next(), err)
	}
}
