package sqlite

import (
	"context"
	"fmt"

	"github.com/crmgate/crmgate/internal/session"
)

// Spend implements session.Store.
func (d *database) Spend(ctx context.Context, spent session.Spent) error {
	n, err := d.exec(ctx, "INSERT INTO spent (id, until) VALUES (?, ?) ON CONFLICT DO NOTHING", spent.ID, spent.Until.Unix())
	if err == nil && n == 0 {
		return session.ErrUsed
	}
	return err
}

// IsSpent implements session.Store.
func (d *database) IsSpent(ctx context.Context, id string) (ok bool, err error) {
	err = d.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM spent WHERE id = ?)", id).Scan(&ok)
	return ok, err
}

// Indexed implements session.Store.
func (d *database) Indexed(ctx context.Context, index string) ([]session.Record, error) {
	if index == "" {
		return nil, nil
	}
	rows, err := d.db.QueryContext(ctx, "SELECT "+columns+" FROM session WHERE subject = ?1 OR sid = ?1 ORDER BY created DESC LIMIT ?2",
		index, session.IndexedLimit)
	if err != nil {
		return nil, fmt.Errorf("finding sessions: %w", err)
	}
	defer rows.Close()
	var found []session.Record
	for rows.Next() {
		rec, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, rec)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("finding sessions: %w", err)
	}
	return found, nil
}

// Each implements session.Store.
func (d *database) Each(ctx context.Context, visit func(session.Record) error) error {
	rows, err := d.db.QueryContext(ctx, "SELECT "+columns+" FROM session")
	if err != nil {
		return fmt.Errorf("listing sessions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		rec, err := scan(rows)
		if err != nil {
			return err
		}
		if err := visit(rec); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("listing sessions: %w", err)
	}
	return nil
}
