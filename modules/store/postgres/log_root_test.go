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
	root, err := audit.OpenRoot(t.Context(), b.logs, b.ring, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.OpenRoot(t.Context(), b.logs, b.ring, ""); !errors.Is(err, audit.ErrLocked) {
		t.Errorf("a second process writes the root log: %v", err)
	}
	for range 2 { // the second finds nothing new
		if err := root.Gather(t.Context(), b.logs); err != nil {
			t.Fatal(err)
		}
	}
	against := func() map[string][]byte {
		all, err := audit.RootCheckpoints(t.Context(), b.logs, b.ring)
		if err != nil || len(all) != 2 {
			t.Fatalf("the root log has %d checkpoints, %v", len(all), err)
		}
		own := map[string][]byte{}
		for name, note := range all {
			if strings.HasPrefix(string(note), "crmgate/one/") {
				own[name] = note
			}
		}
		return own
	}
	check := audit.Check{Rows: b.logs.Node("one"), Against: against()}
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
	if err := root.Close(); err != nil {
		t.Error(err)
	}
	b.verify(t, audit.RootNode)
}
