package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/test/stack"
)

// TestInvariant shows what the log in PostgreSQL promises, by the numbers of
// internal/audit: what a database can do to a log.
func TestInvariant(t *testing.T) {
	t.Parallel()
	for _, i := range []struct {
		name  string
		tests []promise
	}{
		{"I03-acknowledged-stays-as-it-was", []promise{
			{"killed-database-loses-nothing", killedDatabaseLosesNothing},
			{"commit-of-unknown-outcome-is-asked-for", commitOfUnknownOutcomeIsAskedFor},
		}},
		{"I04-fails-closed-and-heals", []promise{
			{"paused-database-refuses-and-heals", pausedDatabaseRefusesAndHeals},
			{"read-only-database-refuses-and-heals", readOnlyDatabaseRefusesAndHeals},
			{"older-database-refuses-and-heals", olderDatabaseRefusesAndHeals},
			{"database-that-forgets-is-refused", databaseThatForgetsIsRefused},
		}},
		{"I03-restored-is-never-forked", []promise{
			{"older-dump-goes-on-under-another-name", olderDumpGoesOnUnderAnotherName},
			{"going-on-may-be-cut-off", goingOnMayBeCutOff},
			{"restored-root-is-continued-by-nobody", restoredRootIsContinuedByNobody},
			{"forked-root-is-not-followed", forkedRootIsNotFollowed},
			{"root-of-one-node-goes-on", rootOfOneNodeGoesOn},
		}},
		{"I06-tampering-is-named", []promise{
			{"changed-rows-are-named", changedRowsAreNamed},
		}},
		{"I09-shredded-is-gone", []promise{
			{"destroyed-month-is-in-no-table", destroyedMonthIsInNoTable},
			{"hold-at-any-node-holds-at-all", holdAtAnyNodeHoldsAtAll},
			{"restored-node-holds-up-all", restoredNodeHoldsUpAll},
			{"gone-node-that-went-back-is-left-alone", goneNodeThatWentBackIsLeftAlone},
			{"root-log-is-confirmed-once", rootLogIsConfirmedOnce},
			{"destroying-ends-with-its-turn", destroyingEndsWithItsTurn},
			{"log-of-a-gone-node-is-not-kept-for-good", logOfAGoneNodeIsNotKeptForGood},
		}},
		{"I10-one-writer-one-tree", []promise{
			{"second-process-is-locked-out", secondProcessIsLockedOut},
			{"process-that-lost-its-place-writes-nothing", processThatLostItsPlaceWritesNothing},
			{"whoever-is-not-the-writer-changes-nothing", whoeverIsNotTheWriterChangesNothing},
			{"late-write-replaces-nothing", lateWriteReplacesNothing},
		}},
	} {
		t.Run(i.name, func(t *testing.T) {
			for _, p := range i.tests {
				t.Run(p.name, p.test)
			}
		})
	}
}

// promise is a test of a part of an invariant.
type promise struct {
	name string
	test func(*testing.T)
}

// Appenders go on while the server is killed, again and again. What was
// acknowledged is there, once and in its place.
func killedDatabaseLosesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.node(t, "one")
	var next, acked atomic.Int64
	var mu sync.Mutex
	receipts := map[uint64]string{}
	for range 4 {
		quit := make(chan struct{})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for {
					select {
					case <-quit:
						return
					default:
					}
					id := fmt.Sprintf("r-%d", next.Add(1))
					r, err := l.Append(t.Context(), intent(id))
					if err != nil {
						<-time.After(5 * time.Millisecond) // the machine is needed elsewhere
						continue
					}
					acked.Add(1)
					mu.Lock()
					if was := receipts[r.Seq]; was != "" {
						t.Errorf("entry %d is %s and %s", r.Seq, was, id)
					}
					receipts[r.Seq] = id
					mu.Unlock()
				}
			})
		}
		before := acked.Load()
		stack.Poll(t, "entries are acknowledged", func() bool { return acked.Load() > before+20 })
		b.Kill(t)
		b.Run(t)
		before = acked.Load()
		stack.Poll(t, "entries are acknowledged again", func() bool { return acked.Load() > before })
		close(quit)
		all.Wait()
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	found := map[uint64]string{}
	for e, err := range audit.ReadRows(t.Context(), b.logs.Node("one"), b.ring) {
		if err != nil {
			t.Fatal(err)
		}
		found[e.Seq] = e.Entry.Request
	}
	for seq, id := range receipts {
		if found[seq] != id {
			t.Errorf("entry %d was acknowledged as %s and is %q", seq, id, found[seq])
		}
	}
	b.verify(t, "one")
	t.Logf("%d of %d acknowledged, %d entries", acked.Load(), next.Load(), len(found))
}

// The server stands still while a commit is under way, and does it later, or not:
// nobody sends the group a second time.
func commitOfUnknownOutcomeIsAskedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.node(t, "one")
	appendAll(t, l, 0, 3)
	size, _ := l.Head()
	b.Pause(t)
	if _, err := l.Append(t.Context(), intent("unknown")); err == nil {
		t.Fatal("a paused server acknowledges")
	}
	b.Continue(t)
	poll(t, l, "after")
	got := b.requests(t, "one")
	unknown := slices.Index(got, "unknown")
	if n := len(got); got[n-1] != "after" || unknown >= 0 && unknown != 3 {
		t.Errorf("the log has %v", got)
	}
	after, _ := l.Head()
	t.Logf("the commit was done: %v; %d entries before, %d after", unknown >= 0, size, after)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	b.verify(t, "one")
}

func pausedDatabaseRefusesAndHeals(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, two := b.node(t, "one"), b.node(t, "two")
	appendAll(t, one, 0, 3)
	for range 2 {
		b.Pause(t)
		var all sync.WaitGroup
		for _, l := range []*audit.Log{one, two} {
			for i := range 3 {
				all.Go(func() {
					if _, err := l.Append(t.Context(), intent(fmt.Sprintf("paused-%d", i))); err == nil {
						t.Error("acknowledged by a server that stands still")
					}
				})
			}
		}
		all.Wait()
		b.Continue(t)
		poll(t, one, "after")
		poll(t, two, "after")
	}
	for _, l := range []*audit.Log{one, two} {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		b.verify(t, l.Node())
	}
}

func readOnlyDatabaseRefusesAndHeals(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.node(t, "one")
	appendAll(t, l, 0, 3)
	b.Set(t, "default_transaction_read_only", "on")
	stack.Poll(t, "the log refuses", func() bool {
		_, err := l.Append(t.Context(), intent("maybe"))
		return errors.Is(err, audit.ErrDatabase)
	})
	size, _ := l.Head()
	for range 3 {
		if _, err := l.Append(t.Context(), intent("refused")); err == nil {
			t.Error("a database that takes no writes acknowledges")
		}
	}
	if now, _ := l.Head(); now != size {
		t.Errorf("the log grew from %d to %d entries in a database that takes no writes", size, now)
	}
	if _, err := audit.Open(t.Context(), "", b.ring, b.options("two")); err == nil {
		t.Error("a log begins in a database that takes no writes")
	}
	b.writable(t)
	poll(t, l, "after")
	if got := b.requests(t, "one"); slices.Contains(got, "refused") {
		t.Errorf("the log has %v", got)
	}
}

// writable takes the server's setting back, in a transaction that writes.
func (b *bench) writable(t *testing.T) {
	t.Helper()
	b.Exec(t, b.Admin()+"&default_transaction_read_only=off", "ALTER SYSTEM RESET default_transaction_read_only")
	b.Exec(t, b.Admin(), "SELECT pg_reload_conf()")
}

// A standby that lagged behind has taken the primary's place: entries are gone that
// were acknowledged.
func olderDatabaseRefusesAndHeals(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dir := t.TempDir()
	opts := b.options("one")
	opts.Checkpoints = dir
	l, err := audit.Open(t.Context(), "", b.ring, opts)
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, l, 0, 3)
	tables := []string{"crmgate_log", "crmgate_log_file", "crmgate_log_group"}
	copyTables := func(from, to string) {
		for _, table := range tables {
			b.Exec(t, b.dsn, fmt.Sprintf("DROP TABLE IF EXISTS %[1]s%[3]s; CREATE TABLE %[1]s%[3]s AS TABLE %[1]s%[2]s", table, from, to))
		}
	}
	swap := func(to string, tables ...string) {
		for _, table := range tables {
			b.Exec(t, b.dsn, fmt.Sprintf("DELETE FROM %[1]s; INSERT INTO %[1]s SELECT * FROM %[1]s%[2]s", table, to))
		}
	}
	copyTables("", "_older")
	appendAll(t, l, 3, 6)
	copyTables("", "_newer")
	swap("_older", tables...)
	b.Exec(t, b.Admin(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'crmgate'")
	stack.Poll(t, "the log sees what is missing", func() bool {
		_, err := l.Append(t.Context(), intent("forked"))
		if err == nil {
			t.Fatal("the log goes on in a database that has lost entries")
		}
		return errors.Is(err, audit.ErrBehind)
	})
	if _, err := l.Append(t.Context(), intent("forked")); err == nil {
		t.Error("the log goes on in a database that has lost entries")
	}
	swap("_newer", tables...)
	poll(t, l, "after")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	b.verify(t, "one")
	// The checkpoints that are with the log show it, and so do those of this node.
	swap("_older", tables[0], tables[2])
	if l, err := audit.Open(t.Context(), "", b.ring, b.options("one")); !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), "are missing") {
		t.Errorf("a start on the older log: %v", err)
		_ = l.Close()
	}
	swap("_older", tables[1])
	if l, err := audit.Open(t.Context(), "", b.ring, opts); !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), "are missing") {
		t.Errorf("a start on the older database: %v", err)
		_ = l.Close()
	}
}

func databaseThatForgetsIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.node(t, "one")
	appendAll(t, l, 0, 3)
	b.Set(t, "fsync", "off")
	if _, err := audit.Open(t.Context(), "", b.ring, b.options("two")); err == nil || !strings.Contains(err.Error(), "fsync = on") {
		t.Errorf("a log begins where fsync is off: %v", err)
	}
	b.Exec(t, b.Admin(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'crmgate'")
	stack.Poll(t, "the log sees it", func() bool {
		_, err := l.Append(t.Context(), intent("forgotten"))
		return err != nil && strings.Contains(err.Error(), "fsync = on")
	})
	b.Set(t, "fsync", "on")
	poll(t, l, "after")
}

func changedRowsAreNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.node(t, "one")
	appendAll(t, l, 0, 200)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	last := "(SELECT max(start) FROM crmgate_log_group WHERE segment = (SELECT segment FROM crmgate_log)) AND segment = (SELECT segment FROM crmgate_log)"
	for _, c := range []struct{ name, change, found string }{
		{"byte", "UPDATE crmgate_log_group SET frames = set_byte(frames, 40, get_byte(frames, 40) # 1) WHERE segment = '00000001.seg' AND start > 4000", "checksum"},
		{"group-in-the-middle", "DELETE FROM crmgate_log_group WHERE segment = '00000002.seg' AND start BETWEEN 3000 AND 4000", "checksum"},
		{"last-group", "DELETE FROM crmgate_log_group WHERE start = " + last, "are missing"},
		{"last-segment", "DELETE FROM crmgate_log_file WHERE name = (SELECT segment FROM crmgate_log)", "missing"},
		{"first-segment", "DELETE FROM crmgate_log_file WHERE name = '00000001.seg'", "missing"},
		{"cut-with-the-head", "DELETE FROM crmgate_log_group WHERE start = " + last + `;
			UPDATE crmgate_log SET ends = (SELECT max(start + length(frames)) FROM crmgate_log_group g WHERE g.segment = crmgate_log.segment), size = size - 1`, "aren't those"},
		{"checkpoints", "DELETE FROM crmgate_log_file WHERE name LIKE 'checkpoints/%'", "checkpoints are missing"},
		{"all", "DELETE FROM crmgate_log_file; DELETE FROM crmgate_log_group", "missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.Exec(t, b.dsn, `CREATE TABLE log_was AS TABLE crmgate_log; CREATE TABLE file_was AS TABLE crmgate_log_file;
				CREATE TABLE group_was AS TABLE crmgate_log_group`)
			b.Exec(t, b.dsn, c.change)
			if _, err := audit.Verify(t.Context(), "", b.ring, audit.Check{Rows: b.logs.Node("one")}); err == nil || c.name != "all" && !strings.Contains(err.Error(), c.found) {
				t.Errorf("verify: %v", err)
			}
			if c.name != "byte" && c.name != "group-in-the-middle" { // the start reads from the last checkpoint on
				if l, err := audit.Open(t.Context(), "", b.ring, b.options("one")); err == nil {
					t.Error("the log starts")
					_ = l.Close()
				} else if !strings.Contains(err.Error(), c.found) {
					t.Errorf("the start: %v", err)
				}
			}
			b.Exec(t, b.dsn, `DELETE FROM crmgate_log; INSERT INTO crmgate_log TABLE log_was; DELETE FROM crmgate_log_file; INSERT INTO crmgate_log_file TABLE file_was;
				DELETE FROM crmgate_log_group; INSERT INTO crmgate_log_group TABLE group_was; DROP TABLE log_was, file_was, group_was`)
			b.verify(t, "one")
		})
	}
}

func secondProcessIsLockedOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.node(t, "one")
	if _, err := audit.Open(t.Context(), "", b.ring, b.options("one")); !errors.Is(err, audit.ErrLocked) {
		t.Errorf("a second one: %v", err)
	}
	appendAll(t, l, 0, 3)
}

// A process whose connection broke, and whose place another one has taken.
func processThatLostItsPlaceWritesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	was := b.node(t, "one")
	appendAll(t, was, 0, 3)
	b.Exec(t, b.Admin(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'crmgate'")
	now := b.node(t, "one")
	for range 3 {
		if _, err := was.Append(t.Context(), intent("lost")); err == nil {
			t.Error("the process that lost its place writes")
		}
		appendAll(t, now, 3, 5)
	}
	stack.Poll(t, "the process says that it lost its place", func() bool {
		_, err := was.Append(t.Context(), intent("lost"))
		return errors.Is(err, audit.ErrFenced)
	})
	if err := now.Close(); err != nil {
		t.Error(err)
	}
	if got := b.requests(t, "one"); slices.Contains(got, "lost") {
		t.Errorf("the log has %v", got)
	}
	b.verify(t, "one")
}
