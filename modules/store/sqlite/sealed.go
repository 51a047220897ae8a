package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/sealed"
)

const docColumns = "kind, key, grp, until, version, sealed"

// LoadDocs implements sealed.Store.
func (d *database) LoadDocs(ctx context.Context, kind string, keys []sealed.Key) ([]sealed.Doc, error) {
	var all []sealed.Doc
	// SQLite takes so many values in a question.
	for len(keys) > 0 {
		some := keys[:min(len(keys), sealed.ListLimit)]
		keys = keys[len(some):]
		args := []any{kind}
		for i := range some {
			args = append(args, some[i][:])
		}
		docs, err := d.docs(ctx, "SELECT "+docColumns+" FROM doc WHERE kind = ? AND key IN (?"+strings.Repeat(", ?", len(some)-1)+")", args...)
		if err != nil {
			return nil, err
		}
		all = append(all, docs...)
	}
	return all, nil
}

// ListDocs implements sealed.Store.
func (d *database) ListDocs(ctx context.Context, kind string, group, after sealed.Key, most int) ([]sealed.Doc, error) {
	return d.docs(ctx, "SELECT "+docColumns+" FROM doc WHERE kind = ? AND grp = ? AND key > ? ORDER BY key LIMIT ?", kind, group[:], after[:], most)
}

func (d *database) docs(ctx context.Context, query string, args ...any) ([]sealed.Doc, error) {
	rows, err := d.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading documents: %w", err)
	}
	defer rows.Close()
	var docs []sealed.Doc
	for rows.Next() {
		var doc sealed.Doc
		var key, group []byte
		var until int64
		if err := rows.Scan(&doc.Kind, &key, &group, &until, &doc.Version, &doc.Sealed); err != nil {
			return nil, fmt.Errorf("reading documents: %w", err)
		}
		if copy(doc.Key[:], key) != len(doc.Key) || copy(doc.Group[:], group) != len(doc.Group) {
			return nil, errors.New("reading documents: a row is damaged")
		}
		if until != 0 {
			doc.Until = time.Unix(until, 0)
		}
		docs = append(docs, doc)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading documents: %w", err)
	}
	return docs, nil
}

// SaveDocs implements sealed.Store.
func (d *database) SaveDocs(ctx context.Context, docs []sealed.Doc) error {
	tx, err := d.db.BeginTx(ctx, nil) // immediate: one writer at a time
	if err != nil {
		return fmt.Errorf("saving documents: %w", err)
	}
	defer tx.Rollback()
	for i := range docs {
		if err := saveDoc(ctx, tx, &docs[i]); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("saving documents: %w", err)
	}
	return nil
}

func saveDoc(ctx context.Context, tx *sql.Tx, doc *sealed.Doc) error {
	var until int64
	if !doc.Until.IsZero() {
		until = doc.Until.Unix()
	}
	var done sql.Result
	var err error
	switch {
	case doc.Sealed == nil:
		done, err = tx.ExecContext(ctx, "DELETE FROM doc WHERE kind = ? AND key = ? AND version = ?", doc.Kind, doc.Key[:], doc.Version)
	case doc.Version == 0:
		done, err = tx.ExecContext(ctx, "INSERT INTO doc ("+docColumns+") VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT DO NOTHING",
			doc.Kind, doc.Key[:], doc.Group[:], until, doc.Sealed)
	default:
		done, err = tx.ExecContext(ctx, "UPDATE doc SET grp = ?, until = ?, version = version + 1, sealed = ? WHERE kind = ? AND key = ? AND version = ?",
			doc.Group[:], until, doc.Sealed, doc.Kind, doc.Key[:], doc.Version)
	}
	if err != nil {
		return fmt.Errorf("saving documents: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return fmt.Errorf("saving documents: %w", err)
	}
	if n == 0 {
		return sealed.ErrChanged
	}
	return nil
}

// SweepDocs implements sealed.Store.
func (d *database) SweepDocs(ctx context.Context, now time.Time) (int, error) {
	return d.exec(ctx, "DELETE FROM doc WHERE until > 0 AND until <= ?", now.Unix())
}

var _ sealed.Store = (*database)(nil)
