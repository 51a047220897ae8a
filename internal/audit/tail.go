package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Tail reads an open log in order, a stretch at a time, for somebody who passes its
// entries on. It reads durable entries only, and no append waits for it. It is for
// one goroutine.
type Tail struct {
	log *Log
	at  tailPlace
}

// tailPlace is where reading begins: behind a whole group that is known, or, where
// number is 0, in the segment that holds the entry.
type tailPlace struct {
	position
	next uint64
}

// Stretch is what a Tail has read and its reader not yet passed on.
type Stretch struct {
	// Next is the number of the entry behind it.
	Next uint64
	// Entries counts those that were read, Lost those that couldn't be any more.
	Entries int
	Lost    Lost

	end tailPlace
}

// Lost are entries whose data key was destroyed before they were read: Count of
// those between First and Last.
type Lost struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	Count uint64 `json:"count"`
}

// Add counts further ones, which lie behind.
func (l *Lost) Add(more Lost) {
	if more.Count == 0 {
		return
	}
	if l.Count == 0 {
		l.First = more.First
	}
	l.Last, l.Count = more.Last, l.Count+more.Count
}

// Tail returns a reader that begins where a cursor says. Where the log was restored
// since, it begins with the first entry that took the place of one that was lost.
func (l *Log) Tail(c Cursor) (*Tail, error) {
	size, _ := l.Head()
	next := min(c.Next, size)
	if c.Node != l.id.node {
		segments, err := listSegments(l.files)
		if err != nil {
			return nil, err
		}
		links, err := chainOf(l.files, segments)
		if err != nil {
			return nil, err
		}
		next = min(next, links.since(c.Node))
	}
	return &Tail{log: l, at: tailPlace{next: next}}, nil
}

// since is the first entry that was written under another name than the given one,
// behind those that were; 0 where the log never had that name.
func (c chain) since(node string) uint64 {
	for i := range c[:max(0, len(c)-1)] {
		if c[i].node == node {
			return c[i+1].from
		}
	}
	return 0
}

// Next is the number of the first entry that wasn't taken.
func (t *Tail) Next() uint64 { return t.at.next }

// Read hands the entries from Next on to take, in order, until it says that it is
// full: the one that it was called with is the last of the stretch then. Where
// nothing is new, Next stays. The next Read begins at the same place unless the
// stretch was taken.
func (t *Tail) Read(ctx context.Context, take func(s *Stored) (full bool, err error)) (*Stretch, error) {
	s := &Stretch{Next: t.at.next, end: t.at}
	if size, _ := t.log.Head(); t.at.next >= size {
		return s, nil
	}
	if err := t.read(ctx, s, take); err != nil && !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	s.Next = s.end.next
	return s, nil
}

// Take says that a stretch was passed on.
func (t *Tail) Take(s *Stretch) { t.at = s.end }

func (t *Tail) read(ctx context.Context, s *Stretch, take func(s *Stored) (bool, error)) error {
	size, _ := t.log.Head()
	segments, err := t.segments()
	if err != nil {
		return err
	}
	full := false
	o := &opener{
		keys: t.log.keys,
		visit: func(e *Stored, _ uint32) (err error) {
			s.Entries++
			full, err = take(e)
			return err
		},
		destroyed: func(_ uint32, f entryFrame, _ *Destroyed) error {
			s.Lost.Add(Lost{First: f.seq, Last: f.seq, Count: 1})
			return nil
		},
	}
	defer o.close()
	w := &walk{files: t.log.files, segments: segments, key: t.log.keys.commits, position: t.at.position}
	before := t.at.position // of the group
	w.visit = func(segment uint32, g *group) error {
		for _, f := range g.entries {
			if f.seq < t.at.next {
				continue
			}
			if full || ctx.Err() != nil {
				return errors.Join(ctx.Err(), errEnough)
			}
			if err := o.entry(&w.position, segment, f); err != nil {
				return err
			}
			s.end = tailPlace{before, f.seq + 1}
		}
		before = w.position
		s.end.position, s.end.next = before, max(s.end.next, w.tree.size)
		if full || w.tree.size >= size {
			return errEnough
		}
		return nil
	}
	return w.run(ctx)
}

// segments are those from the place on. Where it knows none, it looks for the last
// that begins before the entry: a segment's header is enough to begin there.
func (t *Tail) segments() ([]uint32, error) {
	all, err := listSegments(t.log.files)
	if err != nil {
		return nil, err
	}
	if t.at.number > 0 {
		return all[max(0, slices.Index(all, t.at.number)):], nil
	}
	for i, number := range slices.Backward(all) {
		h, err := readHeader(t.log.files, number)
		if err != nil {
			return nil, err
		}
		if h != nil && h.before.size <= t.at.next {
			return all[i:], nil
		}
	}
	return all, nil
}
