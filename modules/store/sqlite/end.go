package sqlite

import (
	"context"
	"fmt"
	"time"

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

// Indexed implements session.Store.
func (d *database) Indexed(ctx context.Context, index string) ([]session.Record, error) {
	if index == "" {
		return nil, nil
	}
	rows, err := d.db.QueryContext(ctx,
		"SELECT key, created, touched, expires, subject, sid, sealed FROM session WHERE subject = ?1 OR sid = ?1", index)
	if err != nil {
		return nil, fmt.Errorf("finding sessions: %w", err)
	}
	defer rows.Close()
	var list []session.Record
	for rows.Next() {
		var rec session.Record
		var key []byte
		var created, touched, expires int64
		if err := rows.Scan(&key, &created, &touched, &expires, &rec.Subject, &rec.SID, &rec.Sealed); err != nil {
			return nil, fmt.Errorf("finding sessions: %w", err)
		}
		copy(rec.Key[:], key)
		rec.Created, rec.Touched, rec.Expires = time.Unix(created, 0), time.Unix(touched, 0), time.Unix(expires, 0)
		list = append(list, rec)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("finding sessions: %w", err)
	}
	return list, nil
}
