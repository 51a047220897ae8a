package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Reader reads single entries by their numbers, up to where the index had come when
// it was opened. It isn't safe for concurrent use.
type Reader struct {
	s      *indexSearch
	months []*dataKey
}

// Reader opens a reader. Close lets go of it.
func (ix *Index) Reader() (*Reader, error) {
	p, err := ix.at()
	if err == nil && p == nil {
		err = ErrIndex
	}
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	r := &Reader{s: &indexSearch{ix: ix}}
	r.s.at, _ = p.position()
	if r.s.codec, err = newCodec(r.s.at.identity); err == nil {
		r.months, err = r.s.months(p)
	}
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	slices.Reverse(r.months)
	return r, nil
}

// Close lets go of the log's file.
func (r *Reader) Close() { r.s.close() }

// Entry returns the entry with a number, nil where it can't be read any more.
func (r *Reader) Entry(ctx context.Context, seq uint64) (*Stored, error) {
	for i, k := range r.months {
		list, err := r.s.list(ctx, k, "FROM e WHERE e.seq = ?", int64(seq))
		if err != nil {
			return nil, fmt.Errorf("reading entry %d: %w", seq, err)
		}
		if len(list) == 0 {
			continue
		}
		if i > 0 { // the next one is near
			copy(r.months[1:i+1], r.months[:i])
			r.months[0] = k
		}
		e, err := r.s.read(list[0])
		if errors.Is(err, ErrDestroyed) {
			return nil, nil
		}
		return e, err
	}
	return nil, nil
}
