package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/crmgate/crmgate/internal/session"
)

// Bind implements session.Binder.
func (d *database) Bind(ctx context.Context, b session.Bound) error {
	_, err := d.exec(ctx, `INSERT INTO bound (id, session, owner, until) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET session = excluded.session, owner = excluded.owner, until = excluded.until`,
		b.ID[:], b.Session[:], b.Owner, b.Until.Unix())
	return err
}

// LoadBound implements session.Binder.
func (d *database) LoadBound(ctx context.Context, id [32]byte) (session.Bound, error) {
	b := session.Bound{ID: id}
	var key []byte
	var until int64
	err := d.db.QueryRowContext(ctx, "SELECT session, owner, until FROM bound WHERE id = ?", id[:]).Scan(&key, &b.Owner, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return session.Bound{}, session.ErrNone
	}
	if err != nil {
		return session.Bound{}, fmt.Errorf("reading whose a CRM session is: %w", err)
	}
	if copy(b.Session[:], key) != len(b.Session) {
		return session.Bound{}, errors.New("reading whose a CRM session is: its row is damaged")
	}
	b.Until = time.Unix(until, 0)
	return b, nil
}

// SweepBound implements session.Binder.
func (d *database) SweepBound(ctx context.Context, now time.Time) (int, error) {
	return d.exec(ctx, "DELETE FROM bound WHERE until <= ?", now.Unix())
}

var _ session.Binder = (*database)(nil)
