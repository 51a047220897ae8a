package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crmgate/crmgate/internal/session"
)

// Keep implements session.Keeper.
func (d *database) Keep(ctx context.Context, k session.Kept, most int) error {
	return d.do(ctx, "writing to", func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error { return keep(ctx, tx, k, most) })
	})
}

func keep(ctx context.Context, tx pgx.Tx, k session.Kept, most int) error {
	// One of an owner's at a time: two that don't see each other would both stay, and
	// two that forget the same rows would wait for each other.
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), $2))", k.Owner[:], int64(schemaLock)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO crmgate_kept (id, owner, made, until, sealed) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, made = excluded.made, until = excluded.until, sealed = excluded.sealed`,
		k.ID[:], k.Owner[:], k.Made.UnixNano(), k.Until.Unix(), k.Sealed)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM crmgate_kept WHERE id IN (
			SELECT id FROM crmgate_kept WHERE owner = $1 ORDER BY made DESC, id OFFSET $2)`, k.Owner[:], most)
	return err
}

// LoadKept implements session.Keeper.
func (d *database) LoadKept(ctx context.Context, id [32]byte) (k session.Kept, err error) {
	err = d.do(ctx, "reading from", func(ctx context.Context) error {
		var owner []byte
		var made, until int64
		err := d.pool.QueryRow(ctx, "SELECT owner, made, until, sealed FROM crmgate_kept WHERE id = $1", id[:]).Scan(&owner, &made, &until, &k.Sealed)
		if errors.Is(err, pgx.ErrNoRows) {
			return session.ErrNone
		}
		if err != nil {
			return err
		}
		if copy(k.Owner[:], owner) != len(k.Owner) {
			return errors.New("the row of what was asked is damaged")
		}
		k.ID, k.Made, k.Until = id, time.Unix(0, made), time.Unix(until, 0)
		return nil
	})
	if err != nil {
		return session.Kept{}, err
	}
	return k, nil
}

// SweepKept implements session.Keeper.
func (d *database) SweepKept(ctx context.Context, now time.Time) (int, error) {
	return d.exec(ctx, "DELETE FROM crmgate_kept WHERE until <= $1", now.Unix())
}

var _ session.Keeper = (*database)(nil)
