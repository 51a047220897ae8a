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
	// now is the clock of leases: the file is one machine's.
	now func() time.Time
}

// columns are those of a record, in the order of scan.
const columns = "key, created, touched, expires, subject, sid, sealed, version"

func scan(row interface{ Scan(dest ...any) error }) (rec session.Record, err error) {
	var key []byte
	var created, touched, expires int64
	err = row.Scan(&key, &created, &touched, &expires, &rec.Subject, &rec.SID, &rec.Sealed, &rec.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return session.Record{}, session.ErrNone
	}
	if err != nil {
		return session.Record{}, fmt.Errorf("reading a session: %w", err)
	}
	if copy(rec.Key[:], key) != len(rec.Key) {
		return session.Record{}, errors.New("reading a session: its key is too short")
	}
	rec.Created, rec.Touched, rec.Expires = time.Unix(created, 0), time.Unix(touched, 0), time.Unix(expires, 0)
	return rec, nil
}

// Close implements io.Closer.
func (d *database) Close() error {
	if err := d.db.Close(); err != nil {
		return fmt.Errorf("closing the session store: %w", err)
	}
	return nil
}

// Create implements session.Store.
func (d *database) Create(ctx context.Context, rec session.Record, spent session.Spent, limit session.Limit, replaces ...session.Key) ([]session.Key, error) {
	tx, err := d.db.BeginTx(ctx, nil) // immediate: one writer at a time, so the limit holds
	if err != nil {
		return nil, fmt.Errorf("beginning a session: %w", err)
	}
	defer tx.Rollback()
	done, err := tx.ExecContext(ctx, "INSERT INTO spent (id, until) VALUES (?, ?) ON CONFLICT DO NOTHING", spent.ID, spent.Until.Unix())
	if err != nil {
		return nil, fmt.Errorf("spending a sign-in: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil {
		return nil, fmt.Errorf("spending a sign-in: %w", err)
	} else if n == 0 {
		return nil, session.ErrUsed
	}
	for _, key := range replaces {
		if _, err := tx.ExecContext(ctx, "DELETE FROM session WHERE key = ?", key[:]); err != nil {
			return nil, fmt.Errorf("replacing a session: %w", err)
		}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO session (key, created, touched, expires, subject, sid, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)",
		rec.Key[:], rec.Created.Unix(), rec.Touched.Unix(), rec.Expires.Unix(), rec.Subject, rec.SID, rec.Sealed)
	if err != nil {
		return nil, fmt.Errorf("writing a session: %w", err)
	}
	ended, err := trim(ctx, tx, rec, limit)
	if err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("writing a session: %w", err)
	}
	return ended, nil
}

// trim ends the oldest sessions of the new one's person beyond the limit.
func trim(ctx context.Context, tx *sql.Tx, rec session.Record, limit session.Limit) ([]session.Key, error) {
	if limit.Keep == 0 || rec.Subject == "" {
		return nil, nil
	}
	rows, err := tx.QueryContext(ctx, `DELETE FROM session WHERE key IN (
			SELECT key FROM session WHERE subject = ? AND key <> ? AND touched >= ? ORDER BY created DESC, key LIMIT -1 OFFSET ?
		) RETURNING key`, rec.Subject, rec.Key[:], limit.Idle.Unix(), limit.Keep-1)
	if err != nil {
		return nil, fmt.Errorf("ending sessions over the limit: %w", err)
	}
	defer rows.Close()
	var ended []session.Key
	for rows.Next() {
		var key []byte
		if err := rows.Scan(&key); err != nil {
			return nil, fmt.Errorf("ending sessions over the limit: %w", err)
		}
		ended = append(ended, session.Key(key))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("ending sessions over the limit: %w", err)
	}
	return ended, nil
}

// Load implements session.Store.
func (d *database) Load(ctx context.Context, key session.Key) (session.Record, error) {
	return scan(d.db.QueryRowContext(ctx, "SELECT "+columns+" FROM session WHERE key = ?", key[:]))
}

// Lease implements session.Store.
func (d *database) Lease(ctx context.Context, key session.Key, version int64, lasting time.Duration) (session.Record, error) {
	now := d.now()
	rec, err := scan(d.db.QueryRowContext(ctx, "UPDATE session SET leased = ? WHERE key = ? AND version = ? AND leased <= ? RETURNING "+columns,
		now.Add(lasting).UnixMilli(), key[:], version, now.UnixMilli()))
	if !errors.Is(err, session.ErrNone) {
		return rec, err
	}
	rec, err = d.Load(ctx, key)
	if err == nil {
		err = session.ErrLeased
		if rec.Version != version {
			err = session.ErrRewritten
		}
	}
	return session.Record{}, err
}

// Rewrite implements session.Store.
func (d *database) Rewrite(ctx context.Context, rec session.Record) error {
	n, err := d.exec(ctx, "UPDATE session SET sealed = ?, sid = ?, version = version + 1, leased = 0 WHERE key = ? AND version = ?",
		rec.Sealed, rec.SID, rec.Key[:], rec.Version)
	if err != nil || n > 0 {
		return err
	}
	if _, err := d.Load(ctx, rec.Key); err != nil {
		return err
	}
	return session.ErrRewritten
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

// DeleteVersion implements session.Store.
func (d *database) DeleteVersion(ctx context.Context, key session.Key, version int64) (bool, error) {
	n, err := d.exec(ctx, "DELETE FROM session WHERE key = ? AND version = ?", key[:], version)
	return n > 0, err
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
