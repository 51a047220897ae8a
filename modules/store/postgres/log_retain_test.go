package postgres

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

// shared opens a node's log beside those of others.
func (b *bench) shared(t *testing.T, node string) *audit.Log {
	t.Helper()
	opts := b.options(node)
	opts.Fellows = b.logs
	l, err := audit.Open(t.Context(), "", b.ring, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// oldMonths appends accesses of three months that are over, and one of today.
func oldMonths(t *testing.T, l *audit.Log) {
	t.Helper()
	for _, at := range []time.Time{
		time.Date(2020, 1, 5, 0, 0, 0, 0, time.UTC), time.Date(2020, 2, 5, 0, 0, 0, 0, time.UTC), time.Date(2020, 3, 5, 0, 0, 0, 0, time.UTC), {},
	} {
		e := intent(l.Node() + "-" + at.Format("2006-01"))
		e.Time = at
		if _, err := l.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

// byHand keeps accesses for 60 months, and takes the clock at its word.
func byHand(ix *audit.Index) audit.Retaining {
	return audit.Retaining{Retention: audit.Retention{Access: 60}, By: "a test", Today: time.Now().UTC().Format(time.DateOnly), Index: ix}
}

// keyOf is the data key of a month, as it lies in the database.
func (b *bench) keyOf(t *testing.T, node, month string) []byte {
	t.Helper()
	return []byte(b.Text(t, b.dsn, fmt.Sprintf(
		"SELECT coalesce(max(convert_from(content, 'UTF8')), '') FROM crmgate_log_file WHERE node = '%s' AND name LIKE 'keys/%%.key' AND convert_from(content, 'UTF8') LIKE '%% %s access %%'", node, month)))
}

func destroyedMonthIsInNoTable(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := b.shared(t, "one")
	oldMonths(t, l)
	ix := audit.OpenRowsIndex(filepath.Join(t.TempDir(), "own"), b.logs.Node("one"), b.ring)
	other := audit.OpenRowsIndex(filepath.Join(t.TempDir(), "others"), b.logs.Node("one"), b.ring)
	defer ix.Close()
	defer other.Close()
	for _, ix := range []*audit.Index{ix, other} {
		if err := ix.Update(t.Context(), 0, nil); err != nil {
			t.Fatal(err)
		}
		if got := indexed(t, ix); len(got) != 4 {
			t.Fatalf("the index finds %v", got)
		}
	}
	key := b.keyOf(t, "one", "2020-01")
	kept := b.keyOf(t, "one", time.Now().UTC().Format("2006-01"))
	if len(key) < 100 || len(b.Tables(t, key)) == 0 || len(b.Tables(t, kept)) == 0 {
		t.Fatalf("the tables don't hold the key %q before", key)
	}
	// Who may not take the dead rows away doesn't say that nothing is left.
	user, database := b.Text(t, b.dsn, "SELECT current_user"), b.Text(t, b.dsn, "SELECT current_database()")
	owned := func(by string) {
		b.Exec(t, b.Admin()+"&dbname="+database, fmt.Sprintf("ALTER TABLE crmgate_log_file OWNER TO %s; GRANT ALL ON crmgate_log_file TO %s", by, user))
		b.Exec(t, b.Admin(), fmt.Sprintf("ALTER DATABASE %s OWNER TO %s", database, by))
	}
	owned("postgres")
	if gone, err := l.Retain(t.Context(), byHand(ix)); err == nil || !strings.Contains(err.Error(), "OWNER TO") || len(gone) != 3 {
		t.Errorf("without the right to it: %v, %v", gone, err)
	}
	owned(user)
	gone, err := l.Retain(t.Context(), byHand(ix))
	if err != nil || len(gone) > 0 {
		t.Fatalf("destroyed again: %v, %v", gone, err)
	}
	if found := b.Tables(t, key); len(found) > 0 {
		t.Errorf("the destroyed key is still in %v", found)
	}
	if len(b.Tables(t, kept)) == 0 {
		t.Error("a key that is kept is gone")
	}
	if err := other.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"one-0001-01"}
	for _, ix := range []*audit.Index{ix, other} {
		if got := indexed(t, ix); !slices.Equal(got, want) {
			t.Errorf("an index finds %v", got)
		}
	}
	if got := b.requests(t, "one"); !slices.Equal(got, want) {
		t.Errorf("the log has %v", got)
	}
	if r := b.verify(t, "one"); len(r.Destroyed) != 3 || r.Destroyed[0].Entries != 1 {
		t.Errorf("verify says %+v", r)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	oldMonths(t, b.shared(t, "one"))
	b.verify(t, "one")
}

// indexed are the requests that an index finds.
func indexed(t *testing.T, ix *audit.Index) (list []string) {
	t.Helper()
	for s, err := range ix.Search(t.Context(), audit.Query{Kind: audit.Intent}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s.Entry.Request)
	}
	return list
}

func holdAtAnyNodeHoldsAtAll(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, two, three := b.shared(t, "one"), b.shared(t, "two"), b.shared(t, "three")
	oldMonths(t, one)
	held, err := two.Hold(t.Context(), audit.Hold{From: "2020-02", To: "2020-03", Reason: "case 4711"}, "uid 0")
	if err != nil {
		t.Fatal(err)
	}
	if gone, err := one.Retain(t.Context(), byHand(nil)); err != nil || len(gone) != 1 || gone[0].Month != "2020-01" {
		t.Fatalf("destroyed %v, %v", gone, err)
	}
	kept, err := one.Keeping(t.Context(), byHand(nil).Retention)
	if err != nil || !slices.ContainsFunc(kept, func(k audit.Kept) bool {
		return k.Month == "2020-03" && slices.Equal(k.HeldBy, []string{"two/" + fmt.Sprint(held.Seq)})
	}) {
		t.Errorf("kept is %+v, %v", kept, err)
	}
	// What is held in a log that can't be read isn't known.
	turn := "UPDATE crmgate_log_group SET frames = set_byte(frames, 60, 255 - get_byte(frames, 60)) WHERE node = 'three'"
	b.Exec(t, b.dsn, turn)
	if gone, err := one.Retain(t.Context(), byHand(nil)); err == nil || !strings.Contains(err.Error(), "node three") {
		t.Errorf("beside a damaged log %v was destroyed, %v", gone, err)
	}
	b.Exec(t, b.dsn, turn)
	if _, err := three.Release(t.Context(), "two", held.Seq+1, "closed", "uid 0"); !errors.Is(err, audit.ErrHold) {
		t.Errorf("another entry was released: %v", err)
	}
	if _, err := three.Release(t.Context(), "two", held.Seq, "case 4711 is closed", "uid 0"); err != nil {
		t.Fatal(err)
	}
	if holds, err := two.Holds(t.Context()); err != nil || len(holds) > 0 {
		t.Errorf("the hold that was released at another node stands: %v, %v", holds, err)
	}
	// Nobody begins to hold what is being destroyed.
	alone, err := b.logs.Alone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := two.Hold(ctx, audit.Hold{From: "2020-02", Reason: "too late"}, "uid 0"); err == nil {
		t.Error("a month is held while months are destroyed")
	}
	if err := alone.Close(); err != nil {
		t.Error(err)
	}
	if gone, err := one.Retain(t.Context(), byHand(nil)); err != nil || len(gone) != 2 {
		t.Errorf("destroyed %v, %v", gone, err)
	}
}

func logOfAGoneNodeIsNotKeptForGood(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, two := b.shared(t, "one"), b.shared(t, "two")
	oldMonths(t, two)
	retain := func() (all []*audit.Destroyed, nodes int, err error) {
		t.Helper()
		gone, err := audit.GoneNodes(t.Context(), b.logs, one)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range gone {
			more, e := g.Retain(t.Context(), byHand(nil))
			all, err = append(all, more...), errors.Join(err, e)
		}
		return all, len(gone), err
	}
	if _, nodes, err := retain(); nodes > 0 || err != nil {
		t.Errorf("%d nodes are gone, %v", nodes, err)
	}
	b.Exec(t, b.dsn, "UPDATE crmgate_log_file SET name = 'checkpoints/2026-01-01.checkpoint' WHERE node = 'two' AND name LIKE 'checkpoints/%'")
	// It is silent, and there.
	if all, nodes, err := retain(); nodes != 1 || len(all) > 0 || !errors.Is(err, audit.ErrLocked) {
		t.Errorf("of a node that is there %v was destroyed, %v", all, err)
	}
	if err := two.Close(); err != nil {
		t.Fatal(err)
	}
	silent := "DELETE FROM crmgate_log_file WHERE node = 'two' AND name LIKE 'checkpoints/20%' AND name <> 'checkpoints/2026-01-01.checkpoint'"
	b.Exec(t, b.dsn, silent)
	size := b.verify(t, "two").Size
	if all, _, err := retain(); err != nil || len(all) != 3 || !strings.Contains(all[0].By, "a test") {
		t.Fatalf("destroyed %v, %v", all, err)
	}
	if r := b.verify(t, "two"); len(r.Destroyed) != 3 || r.Size <= size {
		t.Errorf("verify says %+v", r)
	}
	// Where nothing is due, nothing is written to it.
	b.Exec(t, b.dsn, silent)
	size = b.verify(t, "two").Size
	if all, nodes, err := retain(); nodes != 1 || err != nil || len(all) > 0 || b.verify(t, "two").Size != size {
		t.Errorf("where nothing is due: %v, %v", all, err)
	}
	// Its own node comes back.
	appendAll(t, b.shared(t, "two"), 0, 3)
	b.verify(t, "two")
}
