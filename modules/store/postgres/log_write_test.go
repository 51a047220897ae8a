package postgres

import (
	"errors"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/crmgate/crmgate/internal/audit"
)

// hold takes a node's log without an audit.Log above it.
func (b *bench) hold(t *testing.T, node string) *writing {
	t.Helper()
	held, err := b.logs.Node(node).Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Close() })
	return held.(*writing)
}

func markOf(size uint64) audit.Mark { return audit.Mark{Size: size, Root: tlog.Hash{byte(size)}} }

func (w *writing) add(t *testing.T, size uint64) error {
	t.Helper()
	return w.Append(t.Context(), "00000001.seg", audit.Part{Offset: int64(size) * 3, Data: []byte("abc")}, markOf(size), markOf(size+1))
}

// What a statement asks of the log's row keeps out whoever isn't the writer any
// more, also while it still has its connection and its lock.
func whoeverIsNotTheWriterChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, c := range []struct {
		name, change string
		comes        bool // back, by Resume
	}{
		{"another-process", "UPDATE crmgate_log SET writer = 'another'", false},
		{"its-own-next-connection", "UPDATE crmgate_log SET fence = fence + 1", true},
		{"the-log-went-on", "UPDATE crmgate_log SET size = 7, root = decode(repeat('07', 32), 'hex')", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := b.hold(t, c.name)
			if err := errors.Join(w.Put(t.Context(), "00000001.seg", 4096, nil), w.add(t, 0), w.add(t, 1)); err != nil {
				t.Fatal(err)
			}
			b.Exec(t, b.dsn, c.change+" WHERE node = '"+c.name+"'")
			if err := w.add(t, 2); !errors.Is(err, audit.ErrFenced) {
				t.Errorf("appending: %v", err)
			}
			if c.name != "the-log-went-on" {
				if err := w.Put(t.Context(), "keys/1", 1, []byte("x")); !errors.Is(err, audit.ErrFenced) {
					t.Errorf("putting: %v", err)
				}
			}
			if got := b.Text(t, b.dsn, "SELECT count(*)::text FROM crmgate_log_group WHERE node = '"+c.name+"'"); got != "2" {
				t.Errorf("there are %s groups", got)
			}
			if _, err := w.Resume(t.Context()); (err == nil) != c.comes {
				t.Errorf("resuming: %v", err)
			}
		})
	}
}

// A statement that was thought lost arrives behind the one that took its place.
func lateWriteReplacesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	w := b.hold(t, "one")
	early := w.version.Load()
	if err := w.Put(t.Context(), "keys/1", 5, []byte("later")); err != nil {
		t.Fatal(err)
	}
	now := w.version.Load()
	w.version.Store(early - 1)
	if err := w.Put(t.Context(), "keys/1", 7, []byte("earlier")); !errors.Is(err, audit.ErrFenced) {
		t.Errorf("the earlier one: %v", err)
	}
	if err := w.Remove(t.Context(), "keys/1"); err != nil {
		t.Error(err)
	}
	parts, err := w.Parts(t.Context(), "keys/1", 0, 10)
	if err != nil || len(parts) != 1 || string(parts[0].Data) != "later" {
		t.Errorf("there is %+v, %v", parts, err)
	}
	w.version.Store(now)
	if err := errors.Join(w.Put(t.Context(), "00000001.seg", 4096, nil), w.add(t, 0)); err != nil {
		t.Fatal(err)
	}
	// A segment with groups in it isn't made anew or taken away.
	if err := w.Put(t.Context(), "00000001.seg", 4096, nil); err == nil {
		t.Error("a segment with groups is made anew")
	}
	if err := w.Remove(t.Context(), "00000001.seg"); err != nil {
		t.Error(err)
	}
	if _, end, err := w.Stat(t.Context(), "00000001.seg"); err != nil || end != 3 {
		t.Errorf("the segment ends at %d, %v", end, err)
	}
}
