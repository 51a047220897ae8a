package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
)

// breaking is a database whose turns last until they were asked for a number of times;
// then something happens.
type breaking struct {
	audit.Database
	left int
	then func()
}

func (d *breaking) Alone(ctx context.Context) (audit.Turn, error) {
	turn, err := d.Database.Alone(ctx)
	return &breakingTurn{turn, d}, err
}

type breakingTurn struct {
	audit.Turn
	of *breaking
}

func (t *breakingTurn) Lasts(ctx context.Context) error {
	if t.of.left--; t.of.left == 0 {
		t.of.then()
	}
	return t.Turn.Lasts(ctx)
}

// The connection that keeps the other nodes waiting breaks while months are destroyed,
// and one of them holds what is left. It stays.
func destroyingEndsWithItsTurn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	two := b.shared(t, "two")
	db := &breaking{Database: b.logs, left: 3} // before the entry, and before each key
	opts := b.options("one")
	opts.Fellows = db
	one, err := audit.Open(t.Context(), "", b.ring, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = one.Close() })
	oldMonths(t, one)
	db.then = func() {
		b.Exec(t, b.Admin(), `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
			AND objid::bigint = hashtext('crmgate months')::bigint & 4294967295`)
		if _, err := two.Hold(t.Context(), audit.Hold{From: "2020-02", To: "2020-03", Reason: "case 4711"}, "uid 0"); err != nil {
			t.Errorf("holding at the other node: %v", err)
		}
	}
	gone, err := one.Retain(t.Context(), byHand(nil))
	if err == nil || len(gone) != 1 || gone[0].Month != "2020-01" {
		t.Errorf("destroyed %v, %v", gone, err)
	}
	if gone, err := one.Retain(t.Context(), byHand(nil)); err != nil || len(gone) > 0 {
		t.Errorf("at the next look, destroyed %v, %v", gone, err)
	}
	for _, month := range []string{"2020-02", "2020-03", time.Now().UTC().Format("2006-01")} {
		if len(b.keyOf(t, "one", month)) == 0 {
			t.Errorf("the key of %s is gone", month)
		}
	}
	b.verify(t, "one")
}
