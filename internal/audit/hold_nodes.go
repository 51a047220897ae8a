package audit

import (
	"context"
	"fmt"
	"io"
	"slices"
)

// fellows are the logs of other nodes beside a log in its database: what is held
// at one node is held at all of them.
type fellows struct {
	db  Database
	own string
	// read is what was read of each, and how far.
	read map[string]*notedHolds
}

// notedHolds are the holds that a log has written down, and the releases.
type notedHolds struct {
	set      map[uint64]*Standing
	released []heldAt
	// from is the segment at which reading goes on.
	from uint32
}

// heldAt is where a hold's entry stands.
type heldAt struct {
	node  string
	entry uint64
}

func newFellows(o *Options) *fellows {
	if o.Fellows == nil {
		return nil
	}
	return &fellows{db: o.Fellows, own: o.Node, read: map[string]*notedHolds{}}
}

// alone has what nodes do to months wait for each other, where there are several: no
// month is destroyed while another node begins to hold it.
func (f *fellows) alone(ctx context.Context) (io.Closer, error) {
	if f == nil {
		return nothing{}, nil
	}
	c, err := f.db.Alone(ctx)
	if err != nil {
		return nil, fmt.Errorf("waiting for the other nodes: %w", err)
	}
	return c, nil
}

type nothing struct{}

func (nothing) Close() error { return nil }

// holds reads which holds of other nodes stand, and which of this one's were released
// there. A log that can't be read is an error: what is held in it isn't known.
func (f *fellows) holds(ctx context.Context, keys *dataKeys, own *notedHolds) ([]Standing, error) {
	nodes, err := f.db.Nodes(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading which holds stand at other nodes: %w", err)
	}
	noted := map[string]*notedHolds{f.own: own}
	for _, node := range nodes {
		if node == f.own {
			continue
		}
		files := newRowFiles(f.db.Node(node))
		n := f.read[node]
		if n == nil {
			n = &notedHolds{set: map[uint64]*Standing{}}
		}
		if err := n.more(ctx, files, &dataKeys{
			files: files, ring: keys.ring, commits: keys.commits, byID: map[uint32]*dataKey{}, current: map[Class]*dataKey{}, gone: map[uint32]*Destroyed{},
		}); err != nil {
			return nil, fmt.Errorf("reading which holds stand at node %s: %w", node, err)
		}
		f.read[node], noted[node] = n, n
	}
	var all []Standing
	for node, n := range noted {
		for entry, h := range n.set {
			if node != f.own && !released(noted, heldAt{node, entry}) {
				s := *h
				s.Node = node
				all = append(all, s)
			}
		}
	}
	for entry := range own.set {
		if released(noted, heldAt{f.own, entry}) {
			delete(own.set, entry)
		}
	}
	slices.SortFunc(all, func(a, b Standing) int { return a.Since.Compare(b.Since) })
	return all, nil
}

func released(noted map[string]*notedHolds, at heldAt) bool {
	for node, n := range noted {
		for _, r := range n.released {
			if r.node == "" {
				r.node = node
			}
			if r == at {
				return true
			}
		}
	}
	return false
}

// more reads on from the segment in which reading ended. What stands there is taken
// twice, with the same outcome.
func (n *notedHolds) more(ctx context.Context, fsys files, keys *dataKeys) error {
	segments, err := listSegments(fsys)
	if err != nil {
		return err
	}
	w := &walk{files: fsys, segments: segments, key: keys.commits}
	run := w.whole
	if i := slices.Index(segments, n.from); i > 0 {
		w.segments, run = segments[i:], w.run
	}
	o := &opener{keys: keys, only: ClassGateway}
	defer o.close()
	o.visit = func(s *Stored, _ uint32) error {
		n.take(s, o.last)
		return nil
	}
	w.visit = func(segment uint32, g *group) error { return o.group(&w.position, segment, g) }
	w.probe = o.probe(&w.position)
	if err := run(ctx); err != nil {
		return err
	}
	n.from = w.number
	return nil
}

// take takes an entry that may be about a hold. key is the data key that it was
// written with.
func (n *notedHolds) take(s *Stored, key uint32) {
	k := s.Entry.Keeping
	if k == nil {
		return
	}
	if k.Hold != nil {
		n.set[s.Seq] = &Standing{Hold: *k.Hold, Entry: s.Seq, Since: s.Entry.Time, By: byOf(&s.Entry), key: key}
	}
	if at := (heldAt{k.Of, k.Releases}); s.Entry.Event == HoldReleased && !slices.Contains(n.released, at) {
		n.released = append(n.released, at)
	}
}
