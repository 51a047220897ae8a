package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crmgate/crmgate/internal/sealed"
)

const docColumns = "kind, key, grp, until, version, sealed"

// LoadDocs implements sealed.Store.
func (d *database) LoadDocs(ctx context.Context, kind string, keys []sealed.Key) ([]sealed.Doc, error) {
	raw := make([][]byte, len(keys))
	for i := range keys {
		raw[i] = keys[i][:]
	}
	return d.docs(ctx, "SELECT "+docColumns+" FROM crmgate_doc WHERE kind = $1 AND key = ANY($2)", kind, raw)
}

// ListDocs implements sealed.Store.
func (d *database) ListDocs(ctx context.Context, kind string, group, after sealed.Key, most int) ([]sealed.Doc, error) {
	return d.docs(ctx, "SELECT "+docColumns+" FROM crmgate_doc WHERE kind = $1 AND grp = $2 AND key > $3 ORDER BY key LIMIT $4",
		kind, group[:], after[:], most)
}

func (d *database) docs(ctx context.Context, query string, args ...any) (docs []sealed.Doc, err error) {
	err = d.do(ctx, "reading from", func(ctx context.Context) error {
		rows, err := d.pool.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		docs, err = pgx.CollectRows(rows, scanDoc)
		return err
	})
	return docs, err
}

func scanDoc(row pgx.CollectableRow) (doc sealed.Doc, err error) {
	var key, group []byte
	var until int64
	if err = row.Scan(&doc.Kind, &key, &group, &until, &doc.Version, &doc.Sealed); err != nil {
		return doc, err
	}
	if copy(doc.Key[:], key) != len(doc.Key) || copy(doc.Group[:], group) != len(doc.Group) {
		return doc, errors.New("the row of a document is damaged")
	}
	if until != 0 {
		doc.Until = time.Unix(until, 0)
	}
	return doc, nil
}

// SaveDocs implements sealed.Store.
func (d *database) SaveDocs(ctx context.Context, docs []sealed.Doc) error {
	return d.do(ctx, "writing to", func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
			for i := range docs {
				if err := saveDoc(ctx, tx, &docs[i]); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func saveDoc(ctx context.Context, tx pgx.Tx, doc *sealed.Doc) error {
	var until int64
	if !doc.Until.IsZero() {
		until = doc.Until.Unix()
	}
	query, args := "UPDATE crmgate_doc SET grp = $3, until = $4, version = version + 1, sealed = $5 WHERE kind = $1 AND key = $2 AND version = $6",
		[]any{doc.Kind, doc.Key[:], doc.Group[:], until, doc.Sealed, doc.Version}
	switch {
	case doc.Sealed == nil:
		query, args = "DELETE FROM crmgate_doc WHERE kind = $1 AND key = $2 AND version = $3", []any{doc.Kind, doc.Key[:], doc.Version}
	case doc.Version == 0:
		query = "INSERT INTO crmgate_doc (" + docColumns + ") VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT DO NOTHING"
		args = args[:5]
	}
	done, err := tx.Exec(ctx, query, args...)
	if err != nil {
		return err
	}
	if done.RowsAffected() == 0 {
		return sealed.ErrChanged
	}
	return nil
}

// SweepDocs implements sealed.Store.
func (d *database) SweepDocs(ctx context.Context, now time.Time) (int, error) {
	return d.exec(ctx, "DELETE FROM crmgate_doc WHERE until > 0 AND until <= $1", now.Unix())
}

var _ sealed.Store = (*database)(nil)
