package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// newestBatch is how many places are asked of a month's file at a time.
const newestBatch = 256

// Newest returns the entries that match and stand before the entry number before,
// the newest first; 0 is the end of the log. It reads as far as it is asked to:
// whoever shows a page stops there, and goes on from the last entry's number.
func (ix *Index) Newest(ctx context.Context, q Query, before uint64) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		s := &indexSearch{ix: ix, query: q}
		defer s.close()
		if err := s.newest(ctx, before, yield); err != nil && !errors.Is(err, errEnough) {
			yield(Stored{}, fmt.Errorf("searching the log: %w", err))
		}
	}
}

// Size returns how many entries the index has taken, 0 where it has to begin anew.
func (ix *Index) Size() (uint64, error) {
	p, err := ix.at()
	if err != nil || p == nil {
		return 0, err
	}
	return p.Size, nil
}

func (s *indexSearch) newest(ctx context.Context, before uint64, yield func(Stored, error) bool) error {
	months, employees, err := s.begin(ctx)
	if err != nil {
		return err
	}
	if before == 0 || before > s.at.tree.size {
		before = s.at.tree.size
	}
	from := make([]*descent, len(months))
	for i, k := range months {
		from[i] = &descent{month: k, before: before}
	}
	for {
		f, ok, err := s.next(ctx, from, employees)
		if err != nil || !ok {
			return err
		}
		e, err := s.read(f)
		if errors.Is(err, ErrDestroyed) {
			continue
		}
		if err != nil {
			return err
		}
		if s.query.matches(&e.Entry, employees) && !yield(*e, nil) {
			return errEnough
		}
	}
}

// descent goes down the places of a month that may match. Months overlap where
// the clock stepped, so that all go down side by side.
type descent struct {
	month  *dataKey
	before uint64
	places []found
	ended  bool
}

// next takes the newest place that any month has left.
func (s *indexSearch) next(ctx context.Context, from []*descent, employees []string) (found, bool, error) {
	var last *descent
	for _, d := range from {
		if err := s.fill(ctx, d, employees); err != nil {
			return found{}, false, err
		}
		if len(d.places) > 0 && (last == nil || d.places[0].seq > last.places[0].seq) {
			last = d
		}
	}
	if last == nil {
		return found{}, false, nil
	}
	f := last.places[0]
	last.places = last.places[1:]
	return f, true, ctx.Err()
}

func (s *indexSearch) fill(ctx context.Context, d *descent, employees []string) error {
	if d.ended || len(d.places) > 0 {
		return nil
	}
	where, args := s.where(d.month, employees)
	where += fmt.Sprintf(" AND e.seq < ? ORDER BY e.seq DESC LIMIT %d", newestBatch)
	list, err := s.list(ctx, d.month, where, append(args, int64(d.before))...)
	if err != nil {
		return err
	}
	d.places, d.ended = list, len(list) < newestBatch
	if len(list) > 0 {
		d.before = list[len(list)-1].seq
	}
	return nil
}
