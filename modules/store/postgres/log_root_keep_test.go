package postgres

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/test/stack"
)

func (b *bench) rootKeeper(t *testing.T, node, dir string) *audit.RootKeeper {
	t.Helper()
	return &audit.RootKeeper{DB: b.logs, Ring: b.ring, Checkpoints: dir, Node: node}
}

// gather writes entries of a node and has the root log gather them, n times.
func (b *bench) gather(t *testing.T, root *audit.Root, l *audit.Log, n int) {
	t.Helper()
	for range n {
		was, _ := root.Log().Head()
		appendAll(t, l, 0, 3)
		stack.Poll(t, "a checkpoint is gathered", func() bool {
			if err := root.Gather(t.Context(), b.logs); err != nil {
				t.Fatal(err)
			}
			now, _ := root.Log().Head()
			return now > was
		})
	}
}

// follows waits until a node that doesn't write the root log keeps a checkpoint of it
// over all its entries.
func (b *bench) follows(t *testing.T, k *audit.RootKeeper, root *audit.Root) {
	t.Helper()
	size, _ := root.Log().Head()
	stack.Poll(t, "the root log is followed", func() bool {
		if r, err := k.Open(t.Context()); !errors.Is(err, audit.ErrLocked) {
			t.Fatalf("beside its writer, the root log opens: %v, %v", r, err)
		}
		last, err := audit.LastCheckpoint(b.logs.Node(audit.RootNode), b.ring)
		return err == nil && last != nil && last.Size == size
	})
	if _, err := k.Open(t.Context()); !errors.Is(err, audit.ErrLocked) {
		t.Fatal(err)
	}
}

// looksOn is a node's first look at a root log of which it knows nothing.
func (b *bench) looksOn(t *testing.T, k *audit.RootKeeper) {
	t.Helper()
	if _, err := k.Open(t.Context()); !errors.Is(err, audit.ErrLocked) {
		t.Fatal(err)
	}
}

func notes(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
	}
	return all
}

// An older dump is put back. No node continues the log over all nodes under its old
// name: not the one that wrote it, none that only stood by, and none that knows nothing.
func restoredRootIsContinuedByNobody(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.node(t, "one")
	b.node(t, "two")
	writer, standby := b.rootKeeper(t, "one", t.TempDir()), b.rootKeeper(t, "two", t.TempDir())
	root, err := writer.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.gather(t, root, one, 2)
	b.looksOn(t, standby)
	dump := b.Dump(t, b.dsn)
	b.gather(t, root, one, 2)
	b.follows(t, standby, root)
	for _, err := range []error{root.Close(), one.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b.Restore(t, b.dsn, dump)
	before, err := b.logs.Node(audit.RootNode).Mark(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stranger := b.rootKeeper(t, "three", t.TempDir())
	for _, c := range []struct {
		name string
		k    *audit.RootKeeper
		want error
	}{
		{"the writer", b.rootKeeper(t, "one", writer.Checkpoints), audit.ErrTampered},
		{"the one that stood by", standby, audit.ErrTampered},
		{"the same, started anew", b.rootKeeper(t, "two", standby.Checkpoints), audit.ErrTampered},
		{"one that knows nothing", stranger, audit.ErrLocked},
		{"the same, at its next look", stranger, audit.ErrRootUnknown},
		{"the same, ever after", stranger, audit.ErrRootUnknown},
	} {
		if r, err := c.k.Open(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%s opens it: %v", c.name, err)
			if err == nil {
				_ = r.Close()
			}
		}
	}
	if after, err := b.logs.Node(audit.RootNode).Mark(t.Context()); err != nil || after != before {
		t.Errorf("the root log went on from %d to %d entries, %v", before.Size, after.Size, err)
	}
	// Somebody has it go on under another name. Who knew nothing follows then.
	opts := b.options(audit.RootNode)
	opts.Checkpoints = standby.Checkpoints
	if _, err := audit.GoOn(t.Context(), b.ring, opts, audit.Restoring{By: "a test"}); err != nil {
		t.Fatal(err)
	}
	opts.Checkpoints = writer.Checkpoints // and again, on the other node
	if _, err := audit.GoOn(t.Context(), b.ring, opts, audit.Restoring{By: "a test"}); err != nil {
		t.Fatal(err)
	}
	root, err = standby.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if root.Log().Node() != "root.r2" {
		t.Errorf("it goes on as %s", root.Log().Node())
	}
	b.gather(t, root, b.node(t, "four"), 1)
	b.follows(t, stranger, root)
	if err := root.Close(); err != nil {
		t.Fatal(err)
	}
	if root, err = stranger.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := root.Close(); err != nil {
		t.Error(err)
	}
	b.verify(t, audit.RootNode)
}

// The log over all nodes went on from an earlier state after all, and is longer by now
// than it was. A node that had followed it keeps what it has: that is the evidence.
func forkedRootIsNotFollowed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.node(t, "one")
	writer, standby := b.rootKeeper(t, "one", t.TempDir()), b.rootKeeper(t, "two", t.TempDir())
	root, err := writer.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.gather(t, root, one, 1)
	b.looksOn(t, standby)
	dump := b.Dump(t, b.dsn)
	b.gather(t, root, one, 1)
	b.follows(t, standby, root)
	for _, err := range []error{root.Close(), one.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b.Restore(t, b.dsn, dump)
	had := notes(t, standby.Checkpoints)
	if root, err = audit.OpenRoot(t.Context(), b.logs, b.ring, "", nil); err != nil {
		t.Fatal(err)
	}
	b.gather(t, root, b.node(t, "four"), 4)
	if err := root.Close(); err != nil {
		t.Fatal(err)
	}
	if root, err = audit.OpenRoot(t.Context(), b.logs, b.ring, "", nil); err != nil {
		t.Fatal(err)
	}
	for _, k := range []*audit.RootKeeper{standby, b.rootKeeper(t, "two", standby.Checkpoints)} {
		if _, err := k.Open(t.Context()); !errors.Is(err, audit.ErrTampered) {
			t.Errorf("a node that followed another one: %v", err)
		}
	}
	if notes(t, standby.Checkpoints) != had {
		t.Error("the checkpoint that shows it is gone")
	}
	if err := root.Close(); err != nil {
		t.Error(err)
	}
}

// Where nobody else has a log, nothing was written by anybody else: a node without a
// disk of its own goes on.
func rootOfOneNodeGoesOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.node(t, "one")
	for range 2 {
		root, err := b.rootKeeper(t, "one", t.TempDir()).Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.gather(t, root, one, 1)
		if err := root.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
