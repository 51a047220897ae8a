package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

// A node's log goes on after its database went back, and holds that were set there are
// lost. What they held at other nodes isn't destroyed before somebody has confirmed, even
// where the other node's own log has lost nothing.
func restoredNodeHoldsUpAll(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, two := b.shared(t, "one"), b.shared(t, "two")
	oldMonths(t, one)
	if err := two.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.GoOn(t.Context(), b.ring, b.options("two"), audit.Restoring{By: "a test"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		gone, err := one.Retain(t.Context(), byHand(nil))
		if !errors.Is(err, audit.ErrUnconfirmed) || !strings.Contains(err.Error(), "at node two") || len(gone) > 0 {
			t.Fatalf("beside a log that was restored %v was destroyed, %v", gone, err)
		}
	}
	two = b.shared(t, "two")
	if _, err := two.Hold(t.Context(), audit.Hold{From: "2020-02", To: "2020-03", Reason: "case 4711"}, "uid 0"); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Confirm(t.Context(), "list of cases of 1 May", "uid 0"); err != nil {
		t.Fatal(err)
	}
	if gone, err := one.Retain(t.Context(), byHand(nil)); err != nil || len(gone) != 1 || gone[0].Month != "2020-01" {
		t.Errorf("once it was confirmed %v was destroyed, %v", gone, err)
	}
}

// The log of a node that is gone went back with its database. Its own checkpoints are at
// that node, and nobody but a witness knows: nothing is written to it then, and nothing
// destroyed.
func goneNodeThatWentBackIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	two := b.shared(t, "two")
	oldMonths(t, two)
	dump := b.Dump(t, b.dsn)
	appendAll(t, two, 0, 5)
	if err := two.Close(); err != nil {
		t.Fatal(err)
	}
	seen := two.Checkpoint()
	b.Restore(t, b.dsn, dump)
	opts := b.options("one")
	opts.Fellows = b.logs
	opts.Elsewhere = func(_ context.Context, origin string) map[string][]byte {
		if origin != seen.Origin {
			return nil
		}
		return map[string][]byte{"the memory of a witness": seen.Note}
	}
	one, err := audit.Open(t.Context(), "", b.ring, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = one.Close() })
	b.Exec(t, b.dsn, "UPDATE crmgate_log_file SET name = 'checkpoints/2026-01-01.checkpoint' WHERE node = 'two' AND name LIKE 'checkpoints/%'")
	all, err := audit.GoneNodes(t.Context(), b.logs, one)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d nodes are gone, %v", len(all), err)
	}
	if gone, err := all[0].Retain(t.Context(), byHand(nil)); !errors.Is(err, audit.ErrTampered) || len(gone) > 0 {
		t.Errorf("in a log that went back %v was destroyed, %v", gone, err)
	}
}

// The log over all nodes is restored, too: it is confirmed by whoever writes it, once.
func rootLogIsConfirmedOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	open := func() *audit.Root {
		t.Helper()
		r, err := audit.OpenRoot(t.Context(), b.logs, b.ring, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if err := open().Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.GoOn(t.Context(), b.ring, b.options(audit.RootNode), audit.Restoring{By: "a test"}); err != nil {
		t.Fatal(err)
	}
	root := open()
	t.Cleanup(func() { _ = root.Close() })
	for _, want := range []bool{true, false} {
		if did, err := root.Confirm(t.Context(), "list of cases of 1 May", "uid 0"); err != nil || did != want {
			t.Errorf("confirmed: %t, %v; want %t", did, err, want)
		}
	}
}
