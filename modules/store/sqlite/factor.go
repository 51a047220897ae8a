package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/crmgate/crmgate/internal/factor"
)

const factorColumns = "idx, person, expires, sealed, version"

func scanFactor(row interface{ Scan(dest ...any) error }) (rec factor.Record, err error) {
	var expires int64
	err = row.Scan(&rec.Index, &rec.Person, &expires, &rec.Sealed, &rec.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return factor.Record{}, factor.ErrNone
	}
	if err != nil {
		return factor.Record{}, fmt.Errorf("reading a factor: %w", err)
	}
	if expires != 0 {
		rec.Expires = time.Unix(expires, 0)
	}
	return rec, nil
}

// LoadFactor implements factor.Store.
func (d *database) LoadFactor(ctx context.Context, index string) (factor.Record, error) {
	return scanFactor(d.db.QueryRowContext(ctx, "SELECT "+factorColumns+" FROM factor WHERE idx = ?", index))
}

// WriteFactor implements factor.Store.
func (d *database) WriteFactor(ctx context.Context, rec factor.Record) error {
	var expires int64
	if !rec.Expires.IsZero() {
		expires = rec.Expires.Unix()
	}
	var n int
	var err error
	if rec.Version == 0 {
		n, err = d.exec(ctx, "INSERT INTO factor (idx, person, expires, sealed, version) VALUES (?, ?, ?, ?, 1) ON CONFLICT DO NOTHING",
			rec.Index, rec.Person, expires, rec.Sealed)
	} else {
		n, err = d.exec(ctx, "UPDATE factor SET person = ?, expires = ?, sealed = ?, version = version + 1 WHERE idx = ? AND version = ?",
			rec.Person, expires, rec.Sealed, rec.Index, rec.Version)
	}
	if err == nil && n == 0 {
		return factor.ErrRewritten
	}
	return err
}

// DeleteFactor implements factor.Store.
func (d *database) DeleteFactor(ctx context.Context, index string, version int64) (bool, error) {
	n, err := d.exec(ctx, "DELETE FROM factor WHERE idx = ?1 AND (?2 = 0 OR version = ?2)", index, version)
	return n > 0, err
}

// Factors implements factor.Store.
func (d *database) Factors(ctx context.Context, after string) ([]factor.Record, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT "+factorColumns+" FROM factor WHERE person = 1 AND idx > ? ORDER BY idx LIMIT ?", after, factor.FactorsLimit)
	if err != nil {
		return nil, fmt.Errorf("listing factors: %w", err)
	}
	defer rows.Close()
	var found []factor.Record
	for rows.Next() {
		rec, err := scanFactor(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, rec)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("listing factors: %w", err)
	}
	return found, nil
}

// SweepFactors implements factor.Store.
func (d *database) SweepFactors(ctx context.Context, now time.Time) error {
	_, err := d.exec(ctx, "DELETE FROM factor WHERE expires > 0 AND expires < ?", now.Unix())
	return err
}

var _ factor.Store = (*database)(nil)
