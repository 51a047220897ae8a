package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crmgate/crmgate/internal/session"
)

// Bind implements session.Binder.
func (d *database) Bind(ctx context.Context, b session.Bound) error {
	_, err := d.exec(ctx, `INSERT INTO crmgate_bound (id, session, owner, until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET session = excluded.session, owner = excluded.owner, until = excluded.until`,
		b.ID[:], b.Session[:], b.Owner, b.Until.Unix())
	return err
}

// LoadBound implements session.Binder.
func (d *database) LoadBound(ctx context.Context, id [32]byte) (b session.Bound, err error) {
	err = d.do(ctx, "reading from", func(ctx context.Context) error {
		var key []byte
		var until int64
		err := d.pool.QueryRow(ctx, "SELECT session, owner, until FROM crmgate_bound WHERE id = $1", id[:]).Scan(&key, &b.Owner, &until)
		if errors.Is(err, pgx.ErrNoRows) {
			return session.ErrNone
		}
		if err != nil {
			return err
		}
		if copy(b.Session[:], key) != len(b.Session) {
			return errors.New("the row of a CRM session is damaged")
		}
		b.ID, b.Until = id, time.Unix(until, 0)
		return nil
	})
	if err != nil {
		return session.Bound{}, err
	}
	return b, nil
}

// SweepBound implements session.Binder.
func (d *database) SweepBound(ctx context.Context, now time.Time) (int, error) {
	return d.exec(ctx, "DELETE FROM crmgate_bound WHERE until <= $1", now.Unix())
}

var _ session.Binder = (*database)(nil)
