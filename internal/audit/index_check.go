package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// IndexDamage is the first entry of which the index says something else than the log.
// It Is ErrIndexEdited.
type IndexDamage struct {
	Seq  uint64 `json:"seq"`
	File string `json:"file"`
	What string `json:"what"`
}

// ErrIndexEdited says that the index isn't what the log gives. The log itself is
// judged by Verify: nothing is lost with the index.
var ErrIndexEdited = errors.New("the index was edited")

func (d *IndexDamage) Error() string {
	return fmt.Sprintf("entry %d, %s of the index: %s; searches may have missed entries since: find out who can write there, and run crmgate audit reindex",
		d.Seq, d.File, d.What)
}

// Is makes errors.Is(err, ErrIndexEdited) true.
func (d *IndexDamage) Is(target error) bool { return target == ErrIndexEdited }

// Check makes the index anew beside the one that is there, and compares them row by
// row, as far as the latter has come. It returns how many entries that are; 0 where
// there is none, or one that the next search makes anew. A row that was taken out,
// changed or added is an *IndexDamage.
func (ix *Index) Check(ctx context.Context, progress func(done, total int64)) (size uint64, err error) {
	p, err := ix.at()
	if err != nil || p == nil {
		return 0, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(ix.dir), "index-check-")
	if err != nil {
		return 0, fmt.Errorf("checking the index: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fresh := openIndex(dir, ix.log, ix.keys.ring)
	defer func() { err = errors.Join(err, fresh.Close()) }()
	if err := fresh.Update(ctx, p.Size, progress); err != nil {
		return 0, err
	}
	want, err := fresh.at()
	if err != nil || want == nil {
		return 0, errors.Join(err, fmt.Errorf("checking the index: %w", ErrIndex))
	}
	found, err := ix.differs(ctx, fresh, p, want)
	if err != nil || found == nil {
		return p.Size, err
	}
	// Retention takes months out while this goes on, and reindex makes them anew.
	again, err := ix.at()
	if err == nil && (again == nil || again.Size < p.Size || !slices.Equal(again.Months, p.Months[:min(len(again.Months), len(p.Months))])) {
		return 0, errors.New("checking the index: it was made anew or lost months meanwhile; check it again")
	}
	return p.Size, errors.Join(err, found)
}

// differs returns the first entry of which two indices say something else, nil for
// none.
func (ix *Index) differs(ctx context.Context, fresh *Index, has, want *indexPosition) (*IndexDamage, error) {
	var first *IndexDamage
	note := func(d *IndexDamage) {
		if d != nil && (first == nil || d.Seq < first.Seq) {
			first = d
		}
	}
	for _, id := range union(has.Months, want.Months) {
		if in, of := slices.Contains(has.Months, id), slices.Contains(want.Months, id); in != of {
			d, err := ix.lacking(ctx, fresh, id, of)
			if err != nil {
				return nil, err
			}
			note(d)
			continue
		}
		for _, t := range indexTables() {
			d, err := t.differs(ctx, ix, fresh, id, has.Size)
			if err != nil {
				return nil, err
			}
			note(d)
		}
	}
	return first, nil
}

func union(a, b []uint32) []uint32 {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// lacking is the damage where a whole file is missing, or one too many: but for that of
// a month that was destroyed, which goes with the next run of the retention.
func (ix *Index) lacking(ctx context.Context, fresh *Index, id uint32, missing bool) (*IndexDamage, error) {
	d := &IndexDamage{File: monthName(id), What: "the log has no entry of its key"}
	if !missing {
		if _, err := ix.keys.get(id); errors.Is(err, ErrDestroyed) {
			return nil, nil
		}
		return d, nil
	}
	db, err := fresh.month(ctx, id)
	if err != nil {
		return nil, err
	}
	d.What = "the position doesn't name it"
	if err := db.QueryRowContext(ctx, "SELECT seq FROM e ORDER BY seq LIMIT 1").Scan(&d.Seq); err != nil {
		return nil, fmt.Errorf("checking the index: %w", err)
	}
	return d, nil
}

// indexTable is one of the tables of a month's file, and how its rows are told apart.
type indexTable struct {
	query string // in order, with the seq as the last column
	byKey bool   // ordered by the first column before
	what  string
}

var errRows = errors.New("reading rows of the index")

func indexTables() []indexTable {
	return []indexTable{
		{"SELECT ts, kind, seg, off, 0, seq FROM e WHERE seq >= 0 AND seq < ? ORDER BY seq", false, "where it stands, its time or kind"},
		{"SELECT key, 0, 0, 0, 0, seq FROM p WHERE seq >= 0 AND seq < ? ORDER BY key, seq", true, "what it is found by"},
	}
}

// differs goes through both tables side by side.
func (t indexTable) differs(ctx context.Context, ix, fresh *Index, id uint32, upto uint64) (*IndexDamage, error) {
	has, err := t.rows(ctx, ix, id, upto)
	if err != nil {
		return &IndexDamage{File: monthName(id), What: "its tables can't be read"}, ctx.Err()
	}
	defer has.Close()
	want, err := t.rows(ctx, fresh, id, upto)
	if err != nil {
		return nil, err
	}
	defer want.Close()
	lowest, broken := uint64(math.MaxUint64), false
	a, b := has.next(), want.next()
	for a != nil || b != nil {
		switch order := compareRows(a, b, t.byKey); {
		case order == 0 && *a == *b:
			a, b = has.next(), want.next()
			continue
		case order == 0:
			lowest, broken = min(lowest, b.seq()), true
			a, b = has.next(), want.next()
		case order < 0: // one too many
			lowest, broken = min(lowest, a.seq()), true
			a = has.next()
		default:
			lowest, broken = min(lowest, b.seq()), true
			b = want.next()
		}
	}
	if want.err != nil {
		return nil, fmt.Errorf("%w: %w", errRows, want.err)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if has.err != nil {
		return &IndexDamage{File: monthName(id), What: "its tables can't be read"}, nil
	}
	if !broken {
		return nil, nil
	}
	return &IndexDamage{Seq: lowest, File: monthName(id), What: t.what + " isn't what the log gives"}, nil
}

// indexRow is a row of either table: its seq is last.
type indexRow [6]int64

func (r *indexRow) seq() uint64 { return uint64(r[5]) }

// compareRows orders rows as the queries do; the end of a table is behind all.
func compareRows(a, b *indexRow, byKey bool) int {
	switch {
	case a == nil:
		return 1
	case b == nil:
		return -1
	case byKey && a[0] != b[0]:
		if a[0] < b[0] {
			return -1
		}
		return 1
	case a[5] != b[5]:
		if a[5] < b[5] {
			return -1
		}
		return 1
	}
	return 0
}

// rowReader reads one table from its beginning to its end.
type rowReader struct {
	*sql.Rows
	err error
}

func (t indexTable) rows(ctx context.Context, ix *Index, id uint32, upto uint64) (*rowReader, error) {
	db, err := ix.month(ctx, id)
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, t.query, int64(upto))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRows, err)
	}
	return &rowReader{Rows: rows}, nil
}

// next returns the next row, nil at the end.
func (r *rowReader) next() *indexRow {
	var row indexRow
	if r.err != nil || !r.Next() {
		r.err = errors.Join(r.err, r.Err())
		return nil
	}
	if r.err = r.Scan(&row[0], &row[1], &row[2], &row[3], &row[4], &row[5]); r.err != nil {
		return nil
	}
	return &row
}
