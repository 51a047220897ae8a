package postgres

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crmgate/crmgate/internal/factor"
	"github.com/crmgate/crmgate/internal/sealed"
	"github.com/crmgate/crmgate/internal/session"
)

// operationFor bounds every operation, also where the network swallows packets.
const operationFor = 5 * time.Second

// database implements session.Store.
type database struct {
	pool *pgxpool.Pool
	// what is kept there, for errors.
	what string
	// secret is the password, to keep it out of errors.
	secret string
	// ready says that the schema is there; preparing guards making it.
	ready     atomic.Bool
	preparing sync.Mutex
}

// Close implements io.Closer.
func (d *database) Close() error {
	d.pool.Close()
	return nil
}

// do runs an operation within its time on a database that is ready.
func (d *database) do(ctx context.Context, doing string, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, operationFor)
	defer cancel()
	if err := d.prepare(ctx); err != nil {
		return err
	}
	err := f(ctx)
	for _, ours := range []error{session.ErrNone, session.ErrUsed, session.ErrLeased, session.ErrRewritten, factor.ErrNone, factor.ErrRewritten, sealed.ErrChanged} {
		if errors.Is(err, ours) {
			return ours
		}
	}
	return d.fault(doing, err)
}

// columns are those of a record, in the order of scan.
const columns = "key, created, touched, expires, subject, sid, sealed, version"

func scan(row pgx.Row) (rec session.Record, err error) {
	var key []byte
	var created, touched, expires int64
	err = row.Scan(&key, &created, &touched, &expires, &rec.Subject, &rec.SID, &rec.Sealed, &rec.Version)
	if errors.Is(err, pgx.ErrNoRows) {
		return session.Record{}, session.ErrNone
	}
	if err != nil {
		return session.Record{}, err
	}
	if copy(rec.Key[:], key) != len(rec.Key) {
		return session.Record{}, errors.New("a key is too short")
	}
	rec.Created, rec.Touched, rec.Expires = time.Unix(created, 0), time.Unix(touched, 0), time.Unix(expires, 0)
	return rec, nil
}

// Create implements session.Store.
func (d *database) Create(ctx context.Context, rec session.Record, spent session.Spent, limit session.Limit, replaces ...session.Key) (ended []session.Key, err error) {
	err = d.do(ctx, "writing to", func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) (err error) {
			ended, err = create(ctx, tx, rec, spent, limit, replaces)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return ended, nil
}

func create(ctx context.Context, tx pgx.Tx, rec session.Record, spent session.Spent, limit session.Limit, replaces []session.Key) ([]session.Key, error) {
	done, err := tx.Exec(ctx, "INSERT INTO crmgate_spent (id, until) VALUES ($1, $2) ON CONFLICT DO NOTHING", spent.ID, spent.Until.Unix())
	if err != nil {
		return nil, err
	}
	if done.RowsAffected() == 0 {
		return nil, session.ErrUsed
	}
	limited := limit.Keep > 0 && rec.Subject != ""
	if limited {
		// One sign-in of a person at a time: two that don't see each other's
		// would both stay.
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, $2))", rec.Subject, int64(schemaLock)); err != nil {
			return nil, err
		}
	}
	old := make([][]byte, len(replaces))
	for i := range replaces {
		old[i] = replaces[i][:]
	}
	if _, err := tx.Exec(ctx, "DELETE FROM crmgate_session WHERE key = ANY($1)", old); err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, "INSERT INTO crmgate_session (key, created, touched, expires, subject, sid, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		rec.Key[:], rec.Created.Unix(), rec.Touched.Unix(), rec.Expires.Unix(), rec.Subject, rec.SID, rec.Sealed)
	if err != nil || !limited {
		return nil, err
	}
	rows, err := tx.Query(ctx, `DELETE FROM crmgate_session WHERE key IN (
			SELECT key FROM crmgate_session WHERE subject = $1 AND key <> $2 AND touched >= $3 ORDER BY created DESC, key OFFSET $4
		) RETURNING key`, rec.Subject, rec.Key[:], limit.Idle.Unix(), limit.Keep-1)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (session.Key, error) {
		var key []byte
		if err := row.Scan(&key); err != nil {
			return session.Key{}, err
		}
		return session.Key(key), nil
	})
}

// Load implements session.Store.
func (d *database) Load(ctx context.Context, key session.Key) (rec session.Record, err error) {
	err = d.do(ctx, "reading from", func(ctx context.Context) (err error) {
		rec, err = d.load(ctx, key)
		return err
	})
	return rec, err
}

func (d *database) load(ctx context.Context, key session.Key) (session.Record, error) {
	return scan(d.pool.QueryRow(ctx, "SELECT "+columns+" FROM crmgate_session WHERE key = $1", key[:]))
}

// Indexed implements session.Store.
func (d *database) Indexed(ctx context.Context, index string) (found []session.Record, err error) {
	if index == "" {
		return nil, nil
	}
	err = d.do(ctx, "reading from", func(ctx context.Context) error {
		rows, err := d.pool.Query(ctx, "SELECT "+columns+" FROM crmgate_session WHERE subject = $1 OR sid = $1 ORDER BY created DESC LIMIT $2",
			index, session.IndexedLimit)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (session.Record, error) { return scan(row) })
		return err
	})
	return found, err
}

// Touch implements session.Store.
func (d *database) Touch(ctx context.Context, key session.Key, at time.Time) error {
	n, err := d.exec(ctx, "UPDATE crmgate_session SET touched = greatest(touched, $1) WHERE key = $2", at.Unix(), key[:])
	if err == nil && n == 0 {
		return session.ErrNone
	}
	return err
}

// Lease implements session.Store. The clock is the server's: the nodes' own may
// differ by more than a lease lasts.
func (d *database) Lease(ctx context.Context, key session.Key, version int64, lasting time.Duration) (rec session.Record, err error) {
	err = d.do(ctx, "writing to", func(ctx context.Context) (err error) {
		rec, err = scan(d.pool.QueryRow(ctx, "UPDATE crmgate_session SET leased = clock_timestamp() + $1 "+
			"WHERE key = $2 AND version = $3 AND leased <= clock_timestamp() RETURNING "+columns, lasting, key[:], version))
		if !errors.Is(err, session.ErrNone) {
			return err
		}
		now, err := d.load(ctx, key)
		switch {
		case err != nil:
			return err
		case now.Version != version:
			return session.ErrRewritten
		}
		return session.ErrLeased
	})
	return rec, err
}

// Rewrite implements session.Store.
func (d *database) Rewrite(ctx context.Context, rec session.Record) error {
	return d.do(ctx, "writing to", func(ctx context.Context) error {
		done, err := d.pool.Exec(ctx, "UPDATE crmgate_session SET sealed = $1, sid = $2, version = version + 1, leased = 'epoch' "+
			"WHERE key = $3 AND version = $4", rec.Sealed, rec.SID, rec.Key[:], rec.Version)
		if err != nil || done.RowsAffected() > 0 {
			return err
		}
		if _, err := d.load(ctx, rec.Key); err != nil {
			return err
		}
		return session.ErrRewritten
	})
}

// Delete implements session.Store.
func (d *database) Delete(ctx context.Context, key session.Key) error {
	_, err := d.exec(ctx, "DELETE FROM crmgate_session WHERE key = $1", key[:])
	return err
}

// DeleteVersion implements session.Store.
func (d *database) DeleteVersion(ctx context.Context, key session.Key, version int64) (bool, error) {
	n, err := d.exec(ctx, "DELETE FROM crmgate_session WHERE key = $1 AND version = $2", key[:], version)
	return n > 0, err
}

// DeleteIndexed implements session.Store.
func (d *database) DeleteIndexed(ctx context.Context, index string) (int, error) {
	if index == "" {
		return 0, nil
	}
	return d.exec(ctx, "DELETE FROM crmgate_session WHERE subject = $1 OR sid = $1", index)
}

// Spend implements session.Store.
func (d *database) Spend(ctx context.Context, spent session.Spent) error {
	n, err := d.exec(ctx, "INSERT INTO crmgate_spent (id, until) VALUES ($1, $2) ON CONFLICT DO NOTHING", spent.ID, spent.Until.Unix())
	if err == nil && n == 0 {
		return session.ErrUsed
	}
	return err
}

// IsSpent implements session.Store.
func (d *database) IsSpent(ctx context.Context, id string) (ok bool, err error) {
	err = d.pool.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM crmgate_spent WHERE id = $1)", id).Scan(&ok)
	return ok, err
}

// Sweep implements session.Store.
func (d *database) Sweep(ctx context.Context, now, idle time.Time) (int, error) {
	if _, err := d.exec(ctx, "DELETE FROM crmgate_spent WHERE until <= $1", now.Unix()); err != nil {
		return 0, err
	}
	return d.exec(ctx, "DELETE FROM crmgate_session WHERE expires <= $1 OR touched < $2", now.Unix(), idle.Unix())
}

// exec changes rows and returns how many.
func (d *database) exec(ctx context.Context, statement string, values ...any) (n int, err error) {
	err = d.do(ctx, "writing to", func(ctx context.Context) error {
		done, err := d.pool.Exec(ctx, statement, values...)
		n = int(done.RowsAffected())
		return err
	})
	return n, err
}

// Each implements session.Store. It reads all before it visits: no connection is
// held while visit takes its time.
func (d *database) Each(ctx context.Context, visit func(session.Record) error) error {
	var all []session.Record
	err := d.do(ctx, "reading from", func(ctx context.Context) error {
		rows, err := d.pool.Query(ctx, "SELECT "+columns+" FROM crmgate_session")
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (session.Record, error) { return scan(row) })
		return err
	})
	for _, rec := range all {
		if err == nil {
			err = visit(rec)
		}
	}
	return err
}
