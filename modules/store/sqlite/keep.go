package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/crmgate/crmgate/internal/session"
)

// Keep implements session.Keeper.
func (d *database) Keep(ctx context.Context, k session.Kept, most int) error {
	tx, err := d.db.BeginTx(ctx, nil) // immediate: one writer at a time, so the bound holds
	if err != nil {
		return fmt.Errorf("keeping what was asked: %w", err)
	}
	defer tx.Rollback()
	_, err = tx.ExecContext(ctx, `INSERT INTO kept (id, owner, made, until, sealed) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, made = excluded.made, until = excluded.until, sealed = excluded.sealed`,
		k.ID[:], k.Owner[:], k.Made.UnixNano(), k.Until.Unix(), k.Sealed)
	if err != nil {
		return fmt.Errorf("keeping what was asked: %w", err)
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM kept WHERE id IN (
			SELECT id FROM kept WHERE owner = ? ORDER BY made DESC, id LIMIT -1 OFFSET ?)`, k.Owner[:], most)
	if err != nil {
		return fmt.Errorf("forgetting what was asked: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("keeping what was asked: %w", err)
	}
	return nil
}

// LoadKept implements session.Keeper.
func (d *database) LoadKept(ctx context.Context, id [32]byte) (session.Kept, error) {
	k := session.Kept{ID: id}
	var owner []byte
	var made, until int64
	err := d.db.QueryRowContext(ctx, "SELECT owner, made, until, sealed FROM kept WHERE id = ?", id[:]).Scan(&owner, &made, &until, &k.Sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return session.Kept{}, session.ErrNone
	}
	if err != nil {
		return session.Kept{}, fmt.Errorf("reading what was asked: %w", err)
	}
	if copy(k.Owner[:], owner) != len(k.Owner) {
		return session.Kept{}, errors.New("reading what was asked: its row is damaged")
	}
	k.Made, k.Until = time.Unix(0, made), time.Unix(until, 0)
	return k, nil
}

// SweepKept implements session.Keeper.
func (d *database) SweepKept(ctx context.Context, now time.Time) (int, error) {
	return d.exec(ctx, "DELETE FROM kept WHERE until <= ?", now.Unix())
}

var _ session.Keeper = (*database)(nil)
