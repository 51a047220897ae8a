package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/crmgate/crmgate/internal/session"
)

// database implements session.Store.
type database struct {
	db *sql.DB
}

// Close implements io.Closer.
func (d *database) Close() error {
	if err := d.db.Close(); err != nil {
		return fmt.Errorf("closing the session store: %w", err)
	}
	return nil
}

// Create implements session.Store.
func (d *database) Create(ctx context.Context, rec session.Record, spent session.Spent, replaces ...session.Key) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a session: %w", err)
	}
	defer tx.Rollback()
	done, err := tx.ExecContext(ctx, "INSERT INTO spent (id, until) VALUES (?, ?) ON CONFLICT DO NOTHING", spent.ID, spent.Until.Unix())
	if err != nil {
		return fmt.Errorf("spending a sign-in: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil {
		return fmt.Errorf("spending a sign-in: %w", err)
	} else if n == 0 {
		return session.ErrUsed
	}
	for _, key := range replaces {
		if _, err := tx.ExecContext(ctx, "DELETE FROM session WHERE key = ?", key[:]); err != nil {
			return fmt.Errorf("replacing a session: %w", err)
		}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO session (key, created, touched, expires, subject, sid, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)",
		rec.Key[:], rec.Created.Unix(), rec.Touched.Unix(), rec.Expires.Unix(), rec.Subject, rec.SID, rec.Sealed)
	if err != nil {
		return fmt.Errorf("writing a session: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("writing a session: %w", err)
	}
	return nil
}

// Load implements session.Store.
func (d *database) Load(ctx context.Context, key session.Key) (session.Record, error) {
	rec := session.Record{Key: key}
	var created, touched, expires int64
	err := d.db.QueryRowContext(ctx, "SELECT created, touched, expires, subject, sid, sealed FROM session WHERE key = ?", key[:]).
		Scan(&created, &touched, &expires, &rec.Subject, &rec.SID, &rec.Sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return session.Record{}, session.ErrNone
	}
	if err != nil {
		return session.Record{}, fmt.Errorf("reading a session: %w", err)
	}
	rec.Created, rec.Touched, rec.Expires = time.Unix(created, 0), time.Unix(touched, 0), time.Unix(expires, 0)
	return rec, nil
}

// Touch implements session.Store.
func (d *database) Touch(ctx context.Context, key session.Key, at time.Time) error {
	n, err := d.exec(ctx, "UPDATE session SET touched = max(touched, ?) WHERE key = ?", at.Unix(), key[:])
	if err == nil && n == 0 {
		return session.ErrNone
	}
	return err
}

// Delete implements session.Store.
func (d *database) Delete(ctx context.Context, key session.Key) error {
	_, err := d.exec(ctx, "DELETE FROM session WHERE key = ?", key[:])
	return err
}

// DeleteIndexed implements session.Store.
func (d *database) DeleteIndexed(ctx context.Context, index string) (int, error) {
	if index == "" {
		return 0, nil
	}
	return d.exec(ctx, "DELETE FROM session WHERE subject = ?1 OR sid = ?1", index)
}

// Sweep implements session.Store.
func (d *database) Sweep(ctx context.Context, now, idle time.Time) (int, error) {
	if _, err := d.exec(ctx, "DELETE FROM spent WHERE until <= ?", now.Unix()); err != nil {
		return 0, err
	}
	return d.exec(ctx, "DELETE FROM session WHERE expires <= ? OR touched < ?", now.Unix(), idle.Unix())
}

// exec changes rows and returns how many.
func (d *database) exec(ctx context.Context, statement string, values ...any) (int, error) {
	done, err := d.db.ExecContext(ctx, statement, values...)
	if err != nil {
		return 0, fmt.Errorf("writing to the session store: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("writing to the session store: %w", err)
	}
	return int(n), nil
}
