package desk

import (
	"context"
	"errors"
	"slices"
	"sort"
	"strings"
	"time"
)

// Source is the log of one node. Node is "" for a log in a directory, which has no
// others beside it.
type Source struct {
	Node string
	Log  Log
}

// Unread is a node whose log couldn't be read: what is in it isn't on the page.
type Unread struct {
	Node string
	Err  error
}

// ErrGone says that a log that was there on the page before isn't there any more.
var ErrGone = errors.New("the log of this node isn't there any more")

// Find looks for rows in several logs, the newest first: by time, then by node, and
// within a node always in the order of its log, whatever its clock said. A log that
// can't be read is named; where none can, that is the error.
func Find(ctx context.Context, sources []Source, q Query, b Bounds) (*Found, error) {
	ctx, cancel := context.WithTimeout(ctx, b.Time)
	defer cancel()
	ends, _ := ctx.Deadline()
	sources = slices.Clone(sources)
	for _, node := range q.Before.nodes() {
		if !slices.ContainsFunc(sources, func(s Source) bool { return s.Node == node }) {
			sources = append(sources, Source{Node: node})
		}
	}
	slices.SortFunc(sources, func(a, b Source) int { return strings.Compare(a.Node, b.Node) })
	var parts []*part
	read := false
	for i, s := range sources {
		p := &part{node: s.Node, from: q.Before.at(s.Node)}
		parts = append(parts, p)
		if p.from.ended || p.from.absent {
			continue
		}
		// Each log has its share of the time that is left.
		p.find(ctx, s.Log, q, b, time.Until(ends)/time.Duration(len(sources)-i))
		read = read || p.err == nil
	}
	found := merge(parts, b.Rows)
	if !read && len(found.Unread) > 0 {
		return nil, found.Unread[0].Err
	}
	return found, nil
}

// part is what one log has for a page.
type part struct {
	node string
	from place
	err  error
	// Rows are the newest ones from there on; next is where those behind them begin, 0:
	// there are none. Short and back are those of Found.
	rows    []*Row
	next    uint64
	short   bool
	back    time.Time
	summary *Summary
	// Keys order the rows; taken are how many of them are on the page.
	keys  []time.Time
	taken int
}

func (p *part) find(ctx context.Context, log Log, q Query, b Bounds, share time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, share)
	defer cancel()
	if log == nil {
		p.err = ErrGone
		return
	}
	size, err := log.Size(ctx)
	if err != nil {
		p.err = err
		return
	}
	first := q.Before == ""
	if p.from.before == 0 {
		p.from.before = size
	}
	if size == 0 {
		p.from.ended = true
		return
	}
	if p.err = p.look(ctx, log, q, b, first); p.err != nil {
		return
	}
	for _, r := range p.rows {
		r.Node = p.node
	}
	p.order()
}

// order makes the keys: the rows' own times, but where the clock was wrong. Right are
// most of the rows that follow each other in time; one that is out of order stands
// beside the one that was written after it.
func (p *part) order() {
	p.keys = make([]time.Time, len(p.rows))
	// ends[n] is the row at which the best run of n+1 rows ends, before[i] the one
	// in front of row i in its run.
	var ends []int
	before := make([]int, len(p.rows))
	for i, r := range p.rows {
		n := sort.Search(len(ends), func(n int) bool { return p.rows[ends[n]].Time.Before(r.Time) })
		before[i] = -1
		if n > 0 {
			before[i] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, i)
		}
		ends[n] = i
	}
	if len(ends) == 0 {
		return
	}
	right := map[int]bool{}
	newest := ends[len(ends)-1]
	for i := newest; i >= 0; i = before[i] {
		right[i], newest = true, i
	}
	key := p.rows[newest].Time
	for i, r := range p.rows {
		if right[i] {
			key = r.Time
		}
		p.keys[i] = key
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// head is the key of the part's next row. Open says that there may be one that
// wasn't read, of that time at the latest.
func (p *part) head() (key time.Time, row, open bool) {
	switch {
	case p.err != nil:
		return time.Time{}, false, false
	case p.taken < len(p.rows):
		return p.keys[p.taken], true, false
	case p.next > 0:
		key = p.back
		if n := len(p.keys); n > 0 {
			key = earlier(p.keys[n-1], key)
		}
		return key, false, true
	}
	return time.Time{}, false, false
}

// left is where the next page begins.
func (p *part) left() place {
	switch {
	case p.from.ended || p.from.absent || p.err != nil:
		return p.from
	case p.taken == len(p.rows):
		return place{before: p.next, ended: p.next == 0}
	case p.taken > 0:
		return place{before: p.rows[p.taken-1].Seq}
	}
	return p.from
}

// merge makes a page of the parts. It ends where the next row of a log wasn't read
// yet that may belong before those of others.
func merge(parts []*part, rows int) *Found {
	f := new(Found)
	for _, p := range parts {
		if p.err != nil {
			f.Unread = append(f.Unread, Unread{p.node, p.err})
		}
		if p.summary != nil {
			f.Summary = f.Summary.and(p.summary)
		}
	}
	for len(f.Rows) < rows {
		p := newest(parts)
		if p == nil || p.taken == len(p.rows) {
			break
		}
		f.Rows = append(f.Rows, p.rows[p.taken])
		p.taken++
	}
	more := false
	for _, p := range parts {
		_, row, open := p.head()
		more = more || row || open
		if p.short && p.taken == len(p.rows) {
			f.Short, f.Back = true, later(f.Back, p.back)
		}
	}
	if f.Summary != nil {
		f.Summary.settle()
	}
	if more {
		f.Next = cursorOf(parts)
	}
	return f
}

// newest is the part whose next row goes first, read or not; nil where nothing is left.
func newest(parts []*part) (best *part) {
	var at time.Time
	for _, p := range parts {
		key, row, open := p.head()
		// Of equal times, one that wasn't read goes first: it ends the page.
		if (row || open) && (best == nil || key.After(at) || key.Equal(at) && open) {
			best, at = p, key
		}
	}
	return best
}
