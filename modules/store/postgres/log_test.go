package postgres

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver of the index

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	pgtest "github.com/crmgate/crmgate/test/postgres"
	"github.com/crmgate/crmgate/test/stack"
)

// bench is one database with the keys that its nodes share.
type bench struct {
	*pgtest.Server
	dsn  string
	ring *keys.Ring
	logs audit.Database
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{Server: pgtest.Start(t)}
	b.dsn = b.Database(t)
	var err error
	if b.ring, err = keys.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	b.logs = b.open(t)
	return b
}

func (b *bench) open(t *testing.T) audit.Database {
	t.Helper()
	logs, closer, err := (&Store{DSN: b.dsn}).OpenLogs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = closer.Close() })
	return logs
}

func (b *bench) options(node string) audit.Options {
	return audit.Options{Node: node, SegmentSize: 16 << 10, Rows: b.logs.Node(node)}
}

// node opens a node's log; it is closed with the test, if it can be.
func (b *bench) node(t *testing.T, node string) *audit.Log {
	t.Helper()
	l, err := audit.Open(t.Context(), "", b.ring, b.options(node))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func intent(id string) *audit.Entry { return &audit.Entry{Kind: audit.Intent, Request: id} }

func appendAll(t *testing.T, l *audit.Log, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if _, err := l.Append(t.Context(), intent(fmt.Sprintf("%s-%d", l.Node(), i))); err != nil {
			t.Fatal(err)
		}
	}
}

// requests are those of a node's intents, as they stand in the database.
func (b *bench) requests(t *testing.T, node string) (list []string) {
	t.Helper()
	for e, err := range audit.ReadRows(t.Context(), b.logs.Node(node), b.ring) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Entry.Kind == audit.Intent {
			list = append(list, e.Entry.Request)
		}
	}
	return list
}

func (b *bench) verify(t *testing.T, node string) audit.Report {
	t.Helper()
	report, err := audit.Verify(t.Context(), "", b.ring, audit.Check{Rows: b.logs.Node(node)})
	if err != nil {
		t.Error(err)
	}
	return report
}

func TestLogInPostgreSQL(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, two := b.node(t, "one"), b.node(t, "two")
	appendAll(t, one, 0, 300)
	appendAll(t, two, 0, 5)
	if nodes, err := b.logs.Nodes(t.Context()); err != nil || strings.Join(nodes, " ") != "one two" {
		t.Errorf("nodes %v, %v", nodes, err)
	}
	if got := b.requests(t, "one"); len(got) != 300 || got[299] != "one-299" {
		t.Errorf("node one has %d intents", len(got))
	}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	again := b.node(t, "one")
	appendAll(t, again, 300, 310)
	if got := b.requests(t, "one"); len(got) != 310 {
		t.Errorf("node one has %d intents after another start", len(got))
	}
	if r := b.verify(t, "one"); r.Segments < 2 || r.Intents != 310 || r.Unfinished+r.Pending == 0 || r.Node != "one" {
		t.Errorf("verify says %+v", r)
	}
	for _, node := range []string{"one", "two"} {
		ix := audit.OpenRowsIndex(filepath.Join(t.TempDir(), node), b.logs.Node(node), b.ring)
		if err := ix.Update(t.Context(), 0, nil); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range ix.Search(t.Context(), audit.Query{Kind: audit.Intent}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if want := len(b.requests(t, node)); n != want {
			t.Errorf("the index finds %d of %d intents of node %s", n, want, node)
		}
		if err := ix.Close(); err != nil {
			t.Error(err)
		}
		if err := errors.Join(again.Close(), two.Close()); err != nil {
			t.Error(err)
		}
		out := filepath.Join(t.TempDir(), "export")
		if _, err := audit.Export(t.Context(), "", b.ring, out, audit.Exporting{Rows: b.logs.Node(node), Keys: true}); err != nil {
			t.Fatal(err)
		}
		if r, err := audit.VerifyExport(t.Context(), out, "", audit.Attesters{}, nil); err != nil || !r.Opened {
			t.Errorf("the export: %+v, %v", r, err)
		}
	}
}

// poll appends until it works, and counts the tries.
func poll(t *testing.T, l *audit.Log, id string) {
	t.Helper()
	stack.Poll(t, "the log is written again", func() bool {
		_, err := l.Append(t.Context(), intent(id))
		return err == nil
	})
}
