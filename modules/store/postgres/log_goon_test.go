package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

// An older dump is put back. The node refuses to start on it; it goes on under a name
// of its own, and names what is lost, ever after.
func olderDumpGoesOnUnderAnotherName(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	opts := b.options("one")
	opts.Checkpoints = t.TempDir()
	open := func() *audit.Log {
		t.Helper()
		l, err := audit.Open(t.Context(), "", b.ring, opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	check := func() audit.Report {
		t.Helper()
		r, err := audit.Verify(t.Context(), "", b.ring, audit.Check{Rows: b.logs.Node("one"), Checkpoints: opts.Checkpoints})
		if err != nil {
			t.Error(err)
		}
		return r
	}
	var lost []uint64
	for round := 1; round <= 2; round++ { // a log that was restored is restored again
		l := open()
		appendAll(t, l, 0, 20)
		dump := b.Dump(t, b.dsn)
		there, _ := l.Head()
		appendAll(t, l, 20, 30)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		had, _ := l.Head()
		b.Restore(t, b.dsn, dump)
		if _, err := audit.Open(t.Context(), "", b.ring, opts); !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), "crmgate audit restore") {
			t.Fatalf("a start on the older dump: %v", err)
		}
		j, err := audit.GoOn(t.Context(), b.ring, opts, audit.Restoring{By: "a test"})
		if err != nil || j.Size != there || j.Known != had {
			t.Fatalf("it goes on from %+v, %v; there are %d of %d", j, err, there, had)
		}
		lost = append(lost, j.Known)
		l = open()
		if want := fmt.Sprintf("one.r%d", round); l.Node() != want {
			t.Errorf("it goes on as %s, want %s", l.Node(), want)
		}
		appendAll(t, l, 40, 45)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		r := check()
		if len(r.Joints) != round || r.Joints[round-1].Known != had || len(r.Lost) != round || r.Lost[round-1].Size != lost[round-1] {
			t.Errorf("verify says %+v", r)
		}
	}
	// Whoever has only the database sees it, too.
	if r := b.verify(t, "one"); len(r.Joints) != 2 || len(r.Lost) != 2 {
		t.Errorf("verify from elsewhere says %+v", r)
	}
	if len(b.requests(t, "one")) == 0 {
		t.Error("what was restored isn't there")
	}
	// A log that the dump knows nothing of is no reason to forget the one that was.
	other := opts
	other.Rows, other.Node = b.logs.Node("two"), "two"
	other.Checkpoints = t.TempDir()
	l, err := audit.Open(t.Context(), "", b.ring, other)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	other.Checkpoints = opts.Checkpoints
	if _, err := audit.GoOn(t.Context(), b.ring, other, audit.Restoring{}); !errors.Is(err, audit.ErrBackup) {
		t.Errorf("going on beside another log's checkpoints: %v", err)
	}
}

// failingRows are a log whose database fails at the n-th write.
type failingRows struct {
	audit.Rows
	left *int
}

var errCut = errors.New("cut off")

func (f failingRows) Hold(ctx context.Context) (audit.Held, error) {
	h, err := f.Rows.Hold(ctx)
	return failingHeld{h, f.left}, err
}

type failingHeld struct {
	audit.Held
	left *int
}

func (f failingHeld) cut() error {
	if *f.left--; *f.left < 0 {
		return errCut
	}
	return nil
}

func (f failingHeld) Append(ctx context.Context, name string, group audit.Part, before, after audit.Mark) error {
	if err := f.cut(); err != nil {
		return err
	}
	return f.Held.Append(ctx, name, group, before, after)
}

func (f failingHeld) Put(ctx context.Context, name string, size int64, content []byte) error {
	if err := f.cut(); err != nil {
		return err
	}
	return f.Held.Put(ctx, name, size, content)
}

func (f failingHeld) Remove(ctx context.Context, name string) error {
	if err := f.cut(); err != nil {
		return err
	}
	return f.Held.Remove(ctx, name)
}

var _ io.Closer = failingHeld{}

// Wherever it is cut off, no log is opened, and another run goes on.
func goingOnMayBeCutOff(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for n := range 40 {
		node := fmt.Sprintf("n%d", n)
		opts := b.options(node)
		opts.Checkpoints = t.TempDir()
		l, err := audit.Open(t.Context(), "", b.ring, opts)
		if err != nil {
			t.Fatal(err)
		}
		appendAll(t, l, 0, 3)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		left := n
		cut := opts
		cut.Rows = failingRows{opts.Rows, &left}
		_, err = audit.GoOn(t.Context(), b.ring, cut, audit.Restoring{})
		if err == nil {
			t.Logf("%d writes", n)
			return
		}
		if l, err := audit.Open(t.Context(), "", b.ring, opts); err == nil && l.Node() == node && n > 0 {
			t.Errorf("cut before write %d: the log goes on under its old name", n)
			_ = l.Close()
		} else if err == nil {
			_ = l.Close()
			if n > 0 {
				continue // it was done but for its end
			}
		}
		if _, err := audit.GoOn(t.Context(), b.ring, opts, audit.Restoring{}); err != nil {
			t.Errorf("cut before write %d, and run again: %v", n, err)
			continue
		}
		l, err = audit.Open(t.Context(), "", b.ring, opts)
		if err != nil {
			t.Errorf("cut before write %d: %v", n, err)
			continue
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		b.verify(t, node)
	}
	t.Error("it never comes to its end")
}
