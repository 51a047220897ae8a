package postgres

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

// Somebody who may write to the database puts one node's log back to an earlier
// state, with its checkpoints. The log over all nodes shows it.
func TestRootLogShowsANodeThatWentBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, two := b.node(t, "one"), b.node(t, "two")
	appendAll(t, one, 0, 3)
	appendAll(t, two, 0, 3)
	tables := []string{"crmgate_log", "crmgate_log_file", "crmgate_log_group"}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		b.Exec(t, b.dsn, fmt.Sprintf("CREATE TABLE %[1]s_older AS SELECT * FROM %[1]s WHERE node = 'one'", table))
	}
	one = b.node(t, "one")
	appendAll(t, one, 3, 6)
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	root, err := audit.OpenRoot(t.Context(), b.logs, b.ring, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.OpenRoot(t.Context(), b.logs, b.ring, "", nil); !errors.Is(err, audit.ErrLocked) {
		t.Errorf("a second process writes the root log: %v", err)
	}
	for range 2 { // the second finds nothing new
		if err := root.Gather(t.Context(), b.logs); err != nil {
			t.Fatal(err)
		}
	}
	gathered, err := audit.RootCheckpoints(t.Context(), b.logs, b.ring)
	if err != nil || len(gathered) != 2 {
		t.Fatalf("the root log has %d checkpoints, %v", len(gathered), err)
	}
	check := audit.Check{Rows: b.logs.Node("one"), Gathered: gathered}
	if _, err := audit.Verify(t.Context(), "", b.ring, check); err != nil {
		t.Error(err)
	}
	for _, table := range tables {
		b.Exec(t, b.dsn, fmt.Sprintf("DELETE FROM %[1]s WHERE node = 'one'; INSERT INTO %[1]s SELECT * FROM %[1]s_older", table))
	}
	b.verify(t, "one") // by itself it is whole
	if _, err := audit.Verify(t.Context(), "", b.ring, check); err == nil || !strings.Contains(err.Error(), "of the root log") {
		t.Errorf("verify against the root log: %v", err)
	}
	if err := root.Gather(t.Context(), b.logs); !errors.Is(err, audit.ErrWentBack) {
		t.Errorf("the next look at the nodes: %v", err)
	}
	// A log that was begun anew is another one, and verify says that there was one.
	for _, table := range tables {
		b.Exec(t, b.dsn, fmt.Sprintf("DELETE FROM %s WHERE node = 'one'", table))
	}
	if err := b.node(t, "one").Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := audit.Verify(t.Context(), "", b.ring, check); err != nil || len(r.Earlier) != 1 {
		t.Errorf("verify of a log in the place of another: %+v, %v", r, err)
	}
	if err := root.Close(); err != nil {
		t.Error(err)
	}
	b.verify(t, audit.RootNode)
}
