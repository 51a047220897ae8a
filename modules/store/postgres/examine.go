package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crmgate/crmgate/modules/crmgate"
)

// ExamineStore implements crmgate.StoreExaminer: the database answers, and the
// gateway can use or make its tables there.
func (s *Store) ExamineStore(ctx context.Context, _ string) (string, error) {
	db, err := s.connect(ctx)
	if err != nil {
		return "", err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(ctx, operationFor)
	defer cancel()
	err = db.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error { return durable(ctx, c.Conn()) })
	if err != nil {
		return "", db.fault("reading from", err)
	}
	version, err := versionOf(ctx, db.pool)
	if err != nil {
		return "", db.fault("reading from", err)
	}
	if version != none {
		return "PostgreSQL answers, and has its tables", nil
	}
	var may bool
	if err := db.pool.QueryRow(ctx, "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)").Scan(&may); err != nil {
		return "", db.fault("reading from", err)
	}
	if !may {
		return "", serverFault("opening the session store", "42501")
	}
	return "PostgreSQL answers, and the first start makes the tables", nil
}

var _ crmgate.StoreExaminer = (*Store)(nil)
