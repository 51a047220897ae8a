package postgres

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/witness"
)

// A node's log, and the one over all nodes, are countersigned, and one that was put back in
// the database with its checkpoints doesn't start.
func TestWitnessShowsALogInTheDatabaseThatWentBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one := b.node(t, "one")
	appendAll(t, one, 0, 3)
	root, err := audit.OpenRoot(t.Context(), b.logs, b.ring, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Gather(t.Context(), b.logs); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	vkey, err := witness.Make(dir, "w1.example")
	if err != nil {
		t.Fatal(err)
	}
	w, err := witness.Open(dir, []string{b.key(t, "one"), b.key(t, audit.RootNode)})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(w.Handler(nil))
	t.Cleanup(s.Close)
	key, err := witness.ParseKey(vkey)
	if err != nil {
		t.Fatal(err)
	}
	ask := &audit.Witnesses{Clients: []*witness.Client{{URL: s.URL, Key: key, HTTP: &http.Client{Timeout: time.Minute}}}}
	countersigned := func(l *audit.Log) {
		t.Helper()
		size, _ := l.Head()
		for deadline := time.Now().Add(time.Minute); l.Checkpoint().Size < size && time.Now().Before(deadline); {
			<-time.After(5 * time.Millisecond)
		}
		if err := ask.Ask(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		if a := l.Witnessed(); a == nil || a.Size < size {
			t.Errorf("witnessed: %+v, want %d entries", a, size)
		}
	}
	countersigned(one)
	countersigned(root.Log())
	tables := []string{"crmgate_log", "crmgate_log_file", "crmgate_log_group"}
	for _, table := range tables {
		b.Exec(t, b.dsn, fmt.Sprintf("CREATE TABLE %[1]s_older AS SELECT * FROM %[1]s WHERE node = 'one'", table))
	}
	appendAll(t, one, 3, 9)
	countersigned(one) // with a proof over rows
	if err := errors.Join(one.Close(), root.Close()); err != nil {
		t.Fatal(err)
	}
	for _, node := range []string{"one", audit.RootNode} {
		check := audit.Check{Rows: b.logs.Node(node), Attesters: audit.Attesters{Witnesses: []string{vkey}}}
		if r, err := audit.Verify(t.Context(), "", b.ring, check); err != nil || r.Witnessed == nil || !r.Witnessed.Checked {
			t.Errorf("%s: %+v, %v", node, r.Witnessed, err)
		}
	}
	for _, table := range tables {
		b.Exec(t, b.dsn, fmt.Sprintf("DELETE FROM %[1]s WHERE node = 'one'; INSERT INTO %[1]s SELECT * FROM %[1]s_older", table))
	}
	opts := audit.Options{Node: "one", Rows: b.logs.Node("one"), Timeout: time.Minute, Elsewhere: ask.Latest}
	if _, err := audit.Open(t.Context(), "", b.ring, opts); !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), "w1.example") {
		t.Errorf("opening what went back: %v", err)
	}
}

// key is the public key of a node's log.
func (b *bench) key(t *testing.T, node string) string {
	t.Helper()
	r, err := audit.Verify(t.Context(), "", b.ring, audit.Check{Rows: b.logs.Node(node)})
	if err != nil {
		t.Fatal(err)
	}
	return r.Key
}
