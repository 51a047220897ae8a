package audit

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

func onesIn(n uint64) int { return bits.OnesCount64(n) }

// indexBatch is how many entries are indexed in one transaction.
const indexBatch = 8192

// Update brings the index up to at least upto entries, or to the log's end if that
// is 0. In an open log, Head bounds it: what isn't durable yet is never indexed. An
// index that isn't this log's is made anew. Progress is told in bytes of the log;
// it may be nil.
func (ix *Index) Update(ctx context.Context, upto uint64, progress func(done, total int64)) error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err := ix.update(ctx, upto, false, progress); err != nil {
		return fmt.Errorf("indexing the log: %w", err)
	}
	return nil
}

// Rebuild makes the index anew.
func (ix *Index) Rebuild(ctx context.Context, progress func(done, total int64)) error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err := ix.update(ctx, 0, true, progress); err != nil {
		return fmt.Errorf("indexing the log: %w", err)
	}
	return nil
}

func (ix *Index) update(ctx context.Context, upto uint64, anew bool, progress func(done, total int64)) (err error) {
	if err := ix.files.mkdir("."); err != nil {
		return err
	}
	lock, err := ix.hold(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	var p *indexPosition
	if !anew {
		if p, err = ix.at(); err != nil {
			return err
		}
	}
	if p == nil {
		if err := ix.drop(); err != nil {
			return err
		}
		p = &indexPosition{}
	}
	if upto > 0 && p.Size >= upto {
		return nil
	}
	resumed := p.Size > 0
	err = ix.grow(ctx, p, upto, progress)
	if resumed && errors.Is(err, ErrTampered) {
		// The log or the position isn't right; from its beginning on, the log tells.
		if err := ix.drop(); err != nil {
			return err
		}
		return ix.grow(ctx, &indexPosition{}, upto, progress)
	}
	return err
}

// grow indexes the log from a position on.
func (ix *Index) grow(ctx context.Context, p *indexPosition, upto uint64, progress func(done, total int64)) error {
	segments, err := listSegments(ix.log)
	if err != nil {
		return err
	}
	w := &walk{files: ix.log, segments: segments, key: ix.keys.commits}
	run := w.whole
	if p.Size > 0 {
		w.position, _ = p.position()
		w.segments = segments[max(0, slices.Index(segments, p.Segment)):]
		run = w.run
	}
	b := &indexRows{ix: ix, months: map[uint32]*monthRows{}, known: p.Months, open: &opener{keys: ix.keys}, progress: progress}
	defer b.open.close()
	if b.total, err = sizes(ix.log, w.segments); err != nil {
		return err
	}
	w.visit = func(segment uint32, g *group) error {
		if err := b.group(ctx, &w.position, segment, g); err != nil {
			return err
		}
		if upto > 0 && w.tree.size >= upto {
			return errEnough
		}
		return nil
	}
	if err := run(ctx); err != nil && !errors.Is(err, errEnough) {
		return err
	}
	b.tell(b.total)
	return b.commit(ctx, &w.position)
}

// indexRows are rows on their way into the files.
type indexRows struct {
	ix      *Index
	months  map[uint32]*monthRows
	known   []uint32 // files that have rows
	entries int
	open    *opener

	progress    func(done, total int64)
	done, total int64 // bytes of the log
}

type monthRows struct {
	entries  [][]any
	postings []posting
}

type posting struct{ key, seq int64 }

// kinds have numbers in the index.
func kindNumber(k Kind) int64 { return int64(slices.Index([]Kind{Intent, Disclosure, Control}, k)) }

// group takes the entries of a group, and writes them with those before where they
// are enough.
func (b *indexRows) group(ctx context.Context, at *position, segment uint32, g *group) error {
	for _, f := range g.entries {
		if err := b.add(at, segment, f); err != nil {
			return err
		}
	}
	b.done += g.end - g.start
	if b.entries < indexBatch {
		return nil
	}
	b.tell(b.done)
	return b.commit(ctx, at)
}

func (b *indexRows) tell(done int64) {
	if b.progress != nil {
		b.progress(min(done, b.total), b.total)
	}
}

// add takes one entry. One whose data key was destroyed is left out: it can't be
// found, which is what destroying it is for. A key that is missing is an error: a
// search must not pass over entries without a word.
func (b *indexRows) add(at *position, segment uint32, f entryFrame) error {
	id, err := keyID(f.envelope)
	if err != nil {
		return err
	}
	b.entries++
	e, err := b.open.open(at, segment, f)
	if errors.Is(err, ErrDestroyed) {
		return nil
	}
	if err != nil {
		return err
	}
	key, err := b.ix.keys.get(id)
	if err != nil {
		return err
	}
	m := b.months[id]
	if m == nil {
		m = &monthRows{}
		b.months[id] = m
	}
	seq := int64(f.seq)
	m.entries = append(m.entries, []any{seq, e.Time.UnixNano(), kindNumber(e.Kind), int64(segment), f.offset})
	e.terms(func(domain, value string) {
		m.postings = append(m.postings, posting{key.indexKey(domain, value), seq})
	})
	return nil
}

// The domains of what is searched for.
const (
	termRecord   = "record"
	termEmployee = "employee"
	termName     = "name"
	termKeyed    = "keyed"
	termChanged  = "changed"
)

// terms calls add for all by which an entry is found.
func (e *Entry) terms(add func(domain, value string)) {
	record := func(typ, entity, id string) {
		add(termRecord, typ+"/"+id)
		if entity != typ {
			add(termRecord, entity+"/"+id)
		}
	}
	for _, a := range e.Accesses {
		for _, id := range a.IDs {
			record(a.Type, string(a.Entity), id)
		}
	}
	if e.Disclosure != nil {
		for _, r := range e.Disclosure.Records {
			record(r.Type, string(r.Entity), r.ID)
		}
	}
	for i := range e.Changes {
		c := &e.Changes[i]
		for _, id := range c.IDs {
			record(c.Type, string(c.Entity), id)
		}
		for n := range c.Fields {
			add(termChanged, foldName(c.Fields[n].Name)+c.Fields[n].Key)
		}
	}
	if e.Employee != "" {
		add(termEmployee, e.Employee)
	}
	for _, k := range e.Keyed {
		add(termKeyed, k)
	}
	if e.Names != nil {
		for _, n := range []string{e.Names.User, e.Names.Email, e.Names.Name} {
			if n != "" {
				add(termName, foldName(n))
			}
		}
	}
}

// foldName makes names equal that strings.EqualFold calls so, and a few more.
func foldName(s string) string { return strings.ToLower(strings.ToUpper(strings.TrimSpace(s))) }

// commit writes the rows, and then how far they go.
func (b *indexRows) commit(ctx context.Context, at *position) error {
	if b.entries == 0 {
		return nil
	}
	for id, m := range b.months {
		db, err := b.ix.month(ctx, id)
		if err != nil {
			return err
		}
		if err := m.insert(ctx, db); err != nil {
			return fmt.Errorf("writing %s: %w", monthName(id), err)
		}
		if !slices.Contains(b.known, id) {
			b.known = append(b.known, id)
		}
	}
	// The names of new files.
	if err := b.ix.files.syncDir("."); err != nil {
		return err
	}
	p := indexPosition{
		Node: at.node, Epoch: hex.EncodeToString(at.epoch[:]), Size: at.tree.size, Edge: slices.Clone(at.tree.edge),
		Segment: at.number, End: at.end, Months: b.known,
	}
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encoding the index's position: %w", err)
	}
	b.months, b.entries = map[uint32]*monthRows{}, 0
	return place(b.ix.files, ".", positionName, func(f file) error {
		_, err := f.WriteAt(text, 0)
		return err
	})
}

// Rows of one statement.
const insertRows = 64

func (m *monthRows) insert(ctx context.Context, db *sql.DB) error {
	slices.SortFunc(m.postings, func(a, b posting) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.seq, b.seq))
	})
	m.postings = slices.Compact(m.postings)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := insertAll(ctx, tx, "e", 5, len(m.entries), func(i int, args []any) []any { return append(args, m.entries[i]...) }); err != nil {
		return err
	}
	err = insertAll(ctx, tx, "p", 2, len(m.postings), func(i int, args []any) []any {
		return append(args, m.postings[i].key, m.postings[i].seq)
	})
	if err != nil {
		return err
	}
	return tx.Commit()
}

// insertAll inserts n rows. Rows that are there already were left by a process
// that died before it had written the position.
func insertAll(ctx context.Context, tx *sql.Tx, table string, columns, n int, row func(i int, args []any) []any) error {
	one := "(" + strings.Repeat("?,", columns-1) + "?)"
	text := func(rows int) string {
		return "INSERT OR IGNORE INTO " + table + " VALUES " + strings.Repeat(one+",", rows-1) + one
	}
	if n == 0 {
		return nil
	}
	many, err := tx.PrepareContext(ctx, text(insertRows))
	if err != nil {
		return err
	}
	defer many.Close()
	args := make([]any, 0, insertRows*columns)
	for i := 0; i < n; {
		rows := min(insertRows, n-i)
		args = args[:0]
		for j := range rows {
			args = row(i+j, args)
		}
		if rows == insertRows {
			_, err = many.ExecContext(ctx, args...)
		} else {
			_, err = tx.ExecContext(ctx, text(rows), args...)
		}
		if err != nil {
			return err
		}
		i += rows
	}
	return nil
}
