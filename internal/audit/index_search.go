package audit

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Search returns the entries that match, in order: those that Search of the log
// finds, up to where the index has come. Update before; what was committed by then
// is found.
func (ix *Index) Search(ctx context.Context, q Query) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		s := &indexSearch{ix: ix, query: q}
		defer s.close()
		if err := s.run(ctx, yield); err != nil && !errors.Is(err, errEnough) {
			yield(Stored{}, fmt.Errorf("searching the log: %w", err))
		}
	}
}

type indexSearch struct {
	ix    *Index
	query Query
	at    position
	codec *codec
	// seg is the segment that was read last.
	seg    file
	number uint32
}

// found is where an entry stands.
type found struct {
	seq     uint64
	segment uint32
	offset  int64
}

func (s *indexSearch) close() {
	if s.codec != nil {
		s.codec.close()
	}
	if s.seg != nil {
		_ = s.seg.Close() // it was read only
	}
}

// begin finds out where the search goes: the months, and the employees that the query
// means.
func (s *indexSearch) begin(ctx context.Context) (months []*dataKey, employees []string, err error) {
	p, err := s.ix.at()
	if err != nil {
		return nil, nil, err
	}
	if p == nil {
		return nil, nil, ErrIndex
	}
	s.at, _ = p.position()
	if s.codec, err = newCodec(s.at.identity); err != nil {
		return nil, nil, err
	}
	if months, err = s.months(p); err != nil {
		return nil, nil, err
	}
	employees, err = s.employees(ctx, months)
	return months, employees, err
}

func (s *indexSearch) run(ctx context.Context, yield func(Stored, error) bool) error {
	months, employees, err := s.begin(ctx)
	if err != nil {
		return err
	}
	var all []found
	for _, k := range months {
		list, err := s.candidates(ctx, k, employees)
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b found) int { return cmp.Compare(a.seq, b.seq) })
	for _, f := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := s.read(f)
		if errors.Is(err, ErrDestroyed) {
			continue // meanwhile
		}
		if err != nil {
			return err
		}
		if s.query.matches(&e.Entry, employees) && !yield(*e, nil) {
			return errEnough
		}
	}
	return nil
}

// months are the data keys of the index's files. Where one was destroyed, nothing
// of its month can be found.
func (s *indexSearch) months(p *indexPosition) ([]*dataKey, error) {
	var all []*dataKey
	for _, id := range p.Months {
		k, err := s.ix.keys.get(id)
		if errors.Is(err, ErrDestroyed) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

// employees is what Query.employees finds by reading all.
func (s *indexSearch) employees(ctx context.Context, months []*dataKey) ([]string, error) {
	if len(s.query.Employees) > 0 {
		return s.query.Employees, nil
	}
	name := s.query.Employee
	if name == "" || isPseudonym(name) {
		return []string{name}, nil
	}
	var pseudonyms []string
	for _, k := range months {
		if k.class != "" && k.class != ClassEmployee {
			continue // no sign_in is there
		}
		list, err := s.list(ctx, k, "FROM p CROSS JOIN e ON e.seq = p.seq WHERE p.key = ?", k.indexKey(termName, foldName(name)))
		if err != nil {
			return nil, err
		}
		if pseudonyms, err = s.called(name, list, pseudonyms); err != nil {
			return nil, err
		}
	}
	if pseudonyms == nil {
		return nil, ErrNobody
	}
	return pseudonyms, nil
}

// called adds the pseudonyms of those whose sign-ins have the name.
func (s *indexSearch) called(name string, signIns []found, pseudonyms []string) ([]string, error) {
	for _, f := range signIns {
		e, err := s.read(f)
		if errors.Is(err, ErrDestroyed) {
			continue // meanwhile
		}
		if err != nil {
			return nil, err
		}
		if e.Entry.Names.are(name) && !slices.Contains(pseudonyms, e.Entry.Employee) {
			pseudonyms = append(pseudonyms, e.Entry.Employee)
		}
	}
	return pseudonyms, nil
}

// are reports whether one of the names is the given one.
func (n *Names) are(name string) bool {
	return n != nil && slices.ContainsFunc([]string{n.User, n.Email, n.Name}, func(own string) bool {
		return strings.EqualFold(own, strings.TrimSpace(name))
	})
}

// candidates are the entries of a month that may match.
func (s *indexSearch) candidates(ctx context.Context, k *dataKey, employees []string) ([]found, error) {
	where, args := s.where(k, employees)
	return s.list(ctx, k, where, args...)
}

// where is the query in the words of a month's file.
func (s *indexSearch) where(k *dataKey, employees []string) (where string, args []any) {
	var terms [][]any // each a set of keys, of which one has to match
	if s.query.Record != "" {
		terms = append(terms, []any{k.indexKey(termRecord, s.query.Record)})
	}
	if s.query.Keyed != "" {
		terms = append(terms, []any{k.indexKey(termKeyed, s.query.Keyed)})
	}
	if s.query.Changed != "" {
		terms = append(terms, []any{
			k.indexKey(termChanged, foldName(s.query.Changed)), k.indexKey(termChanged, nameKey(k.changes, s.query.Changed)),
		})
	}
	if s.query.ofSomebody() {
		var keys []any
		for _, e := range employees {
			keys = append(keys, k.indexKey(termEmployee, e))
		}
		terms = append(terms, keys)
	}
	where = "FROM e WHERE true"
	for i, keys := range terms {
		in := "p.key IN (?" + strings.Repeat(",?", len(keys)-1) + ")"
		if i == 0 {
			where = "FROM p CROSS JOIN e ON e.seq = p.seq WHERE " + in
		} else {
			where += " AND EXISTS (SELECT 1 FROM p WHERE p.seq = e.seq AND " + in + ")"
		}
		args = append(args, keys...)
	}
	if !s.query.Since.IsZero() {
		where, args = where+" AND e.ts >= ?", append(args, nanos(s.query.Since.UnixNano(), s.query.Since.Year()))
	}
	if !s.query.Until.IsZero() {
		where, args = where+" AND e.ts < ?", append(args, nanos(s.query.Until.UnixNano(), s.query.Until.Year()))
	}
	if s.query.Kind != "" {
		where, args = where+" AND e.kind = ?", append(args, kindNumber(s.query.Kind))
	}
	return where, args
}

// nanos keeps years that nanoseconds can't count from turning into others.
func nanos(n int64, year int) int64 {
	switch {
	case year < 1700:
		return math.MinInt64
	case year > 2200:
		return math.MaxInt64
	}
	return n
}

func (s *indexSearch) list(ctx context.Context, k *dataKey, where string, args ...any) ([]found, error) {
	db, err := s.ix.month(ctx, k.id)
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, "SELECT DISTINCT e.seq, e.seg, e.off "+where, args...) //nolint:gosec // made of constants; values are arguments
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", monthName(k.id), err)
	}
	defer rows.Close()
	var all []found
	for rows.Next() {
		var f found
		if err := rows.Scan(&f.seq, &f.segment, &f.offset); err != nil {
			return nil, fmt.Errorf("asking %s: %w", monthName(k.id), err)
		}
		if f.seq < s.at.tree.size { // what another process is adding is for the next search
			all = append(all, f)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("asking %s: %w", monthName(k.id), err)
	}
	return all, nil
}

// codecOf takes the codec of a segment: a log that was restored has several.
func (s *indexSearch) codecOf(segment uint32) error {
	h, err := readHeader(s.ix.log, segment)
	if err != nil {
		return err
	}
	if h == nil || h.identity == s.codec.id {
		return nil // what is wrong shows when an entry is opened
	}
	c, err := newCodec(h.identity)
	if err != nil {
		return err
	}
	s.codec.close()
	s.codec = c
	return nil
}

// read opens the entry at a place. What isn't there was not written there.
func (s *indexSearch) read(f found) (*Stored, error) {
	if s.seg == nil || s.number != f.segment {
		seg, err := s.ix.log.open(segmentName(f.segment), false)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrIndex, err)
		}
		if s.seg != nil {
			_ = s.seg.Close() // it was read only
		}
		s.seg, s.number = seg, f.segment
		if err := s.codecOf(f.segment); err != nil {
			return nil, err
		}
	}
	var head [frameOverhead]byte
	if _, err := s.seg.ReadAt(head[:], f.offset); err != nil {
		return nil, fmt.Errorf("%w: entry %d: %w", ErrIndex, f.seq, err)
	}
	n, err := parseLength(head[:])
	if err != nil || head[8] != frameEntry {
		return nil, fmt.Errorf("%w: entry %d isn't where it says", ErrIndex, f.seq)
	}
	b := make([]byte, n)
	if _, err := s.seg.ReadAt(b, f.offset); err != nil {
		return nil, fmt.Errorf("%w: entry %d: %w", ErrIndex, f.seq, err)
	}
	_, payload, err := parseFrame(b)
	if err != nil || binary.BigEndian.Uint64(payload) != f.seq {
		return nil, fmt.Errorf("%w: entry %d isn't where it says", ErrIndex, f.seq)
	}
	envelope := payload[8:]
	e, err := openEntry(s.codec, s.ix.keys, f.segment, entryFrame{seq: f.seq, offset: f.offset, envelope: envelope})
	if err != nil {
		return nil, err
	}
	return &Stored{Seq: f.seq, Entry: *e, LeafHash: tlog.RecordHash(envelope), Node: s.codec.id.node}, nil
}
