package audit

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
)

// unconfirmed returns the entry of the restoration that waits for a word, 0 for none.
func unconfirmed(t *testing.T, l *Log) uint64 {
	t.Helper()
	u, err := l.Unconfirmed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if u == nil {
		return 0
	}
	return u.Entry
}

// A hold that was set after the backup is lost with the log. Nothing it held is
// destroyed before somebody has set it again and said that this is all of them:
// neither by the gateway, nor by hand, nor after a start.
func restoredLogDestroysNothingUnconfirmed(t *testing.T) {
	h, c := newHouse(t), newTurner("2026-01-10 09:00")
	opts := h.options()
	opts.now = c.now
	year := Retention{Access: 1}
	l := mustOpen(t, h.log, h.ring, opts)
	fillMonths(t, l, c, 3)
	if unconfirmed(t, l) != 0 {
		t.Error("a log that was never restored waits for a word")
	}
	if _, err := l.Confirm(t.Context(), "case list", "uid 7"); !errors.Is(err, ErrHold) {
		t.Errorf("confirming without a restoration: %v", err)
	}
	h.backUp(t)
	january := Hold{From: "2026-01", To: "2026-01", Reason: "case 4711"}
	if _, err := l.Hold(t.Context(), january, "uid 7"); err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
	h.burn(t, h.log)
	j := h.restore(t)

	l = mustOpen(t, h.log, h.ring, opts)
	fillMonths(t, l, c, 3)
	for _, how := range []Retaining{{Retention: year, By: "the gateway"}, {Retention: year, By: "uid 7", Today: "2026-05-01"}} {
		if gone, err := l.Retain(t.Context(), how); !errors.Is(err, ErrUnconfirmed) || len(gone) > 0 {
			t.Errorf("by %s: destroyed %v, %v", how.By, gone, err)
		}
	}
	mustClose(t, l)
	l = mustOpen(t, h.log, h.ring, opts)
	c.run(2 * steadyFor)
	if got := unconfirmed(t, l); got != j.Size {
		t.Errorf("after a start entry %d waits for a word, want %d", got, j.Size)
	}
	if _, err := l.Retain(t.Context(), Retaining{Retention: year, By: "the gateway"}); !errors.Is(err, ErrUnconfirmed) {
		t.Errorf("after a start: %v", err)
	}
	if _, err := l.Confirm(t.Context(), " ", "uid 7"); !errors.Is(err, ErrHold) {
		t.Errorf("confirming without a reason: %v", err)
	}
	if _, err := l.Hold(t.Context(), january, "uid 7"); err != nil {
		t.Fatal(err)
	}
	rec, err := l.Confirm(t.Context(), "list of cases of 1 May", "uid 7")
	if err != nil || unconfirmed(t, l) != 0 {
		t.Fatalf("confirming: %v; %d waits", err, unconfirmed(t, l))
	}
	mustClose(t, l)

	l = mustOpen(t, h.log, h.ring, opts)
	c.run(2 * steadyFor)
	if got, want := mustRetain(t, l, year), []string{"2026-02 access", "2026-03 access"}; !slices.Equal(got, want) {
		t.Errorf("once it was confirmed %v were destroyed, want %v", got, want)
	}
	all := collect(t, l.Read(t.Context()))
	i := slices.IndexFunc(all, func(s Stored) bool { return s.Seq == rec.Seq })
	if e := all[i].Entry; e.Event != HoldsConfirmed || e.Keeping.Confirms != j.Size || saidBy(e.Detail) != "uid 7" {
		t.Errorf("the entry of the confirmation is %+v", e)
	}
	h.backup, h.keys = filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "keys")
	h.backUp(t)
	mustClose(t, l)
	h.verify(t, nil)
	h.burn(t, h.log)
	again := h.restore(t)
	l = mustOpen(t, h.log, h.ring, opts)
	defer mustClose(t, l)
	if got := unconfirmed(t, l); got != again.Size {
		t.Errorf("after the second restoration entry %d waits for a word, want %d", got, again.Size)
	}
}
