package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crmgate/crmgate/internal/factor"
)

const factorColumns = "idx, person, expires, sealed, version"

func scanFactor(row pgx.Row) (rec factor.Record, err error) {
	var expires int64
	err = row.Scan(&rec.Index, &rec.Person, &expires, &rec.Sealed, &rec.Version)
	if errors.Is(err, pgx.ErrNoRows) {
		return factor.Record{}, factor.ErrNone
	}
	if err != nil {
		return factor.Record{}, err
	}
	if expires != 0 {
		rec.Expires = time.Unix(expires, 0)
	}
	return rec, nil
}

// LoadFactor implements factor.Store.
func (d *database) LoadFactor(ctx context.Context, index string) (rec factor.Record, err error) {
	err = d.do(ctx, "reading from", func(ctx context.Context) (err error) {
		rec, err = scanFactor(d.pool.QueryRow(ctx, "SELECT "+factorColumns+" FROM crmgate_factor WHERE idx = $1", index))
		return err
	})
	return rec, err
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
		n, err = d.exec(ctx, "INSERT INTO crmgate_factor (idx, person, expires, sealed, version) VALUES ($1, $2, $3, $4, 1) ON CONFLICT DO NOTHING",
			rec.Index, rec.Person, expires, rec.Sealed)
	} else {
		n, err = d.exec(ctx, "UPDATE crmgate_factor SET person = $1, expires = $2, sealed = $3, version = version + 1 WHERE idx = $4 AND version = $5",
			rec.Person, expires, rec.Sealed, rec.Index, rec.Version)
	}
	if err == nil && n == 0 {
		return factor.ErrRewritten
	}
	return err
}

// DeleteFactor implements factor.Store.
func (d *database) DeleteFactor(ctx context.Context, index string, version int64) (bool, error) {
	n, err := d.exec(ctx, "DELETE FROM crmgate_factor WHERE idx = $1 AND ($2 = 0 OR version = $2)", index, version)
	return n > 0, err
}

// Factors implements factor.Store.
func (d *database) Factors(ctx context.Context, after string) (found []factor.Record, err error) {
	err = d.do(ctx, "reading from", func(ctx context.Context) error {
		rows, err := d.pool.Query(ctx, "SELECT "+factorColumns+" FROM crmgate_factor WHERE person AND idx > $1 ORDER BY idx LIMIT $2", after, factor.FactorsLimit)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (factor.Record, error) { return scanFactor(row) })
		return err
	})
	return found, err
}

// SweepFactors implements factor.Store.
func (d *database) SweepFactors(ctx context.Context, now time.Time) error {
	_, err := d.exec(ctx, "DELETE FROM crmgate_factor WHERE expires > 0 AND expires < $1", now.Unix())
	return err
}

var _ factor.Store = (*database)(nil)
