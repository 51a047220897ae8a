package audit

import (
	"context"
	"fmt"
	"slices"
)

// fellows are the logs of other nodes beside a log in its database: what is held
// at one node is held at all of them.
type fellows struct {
	db  Database
	own string
	// elsewhere is what Options says it is.
	elsewhere asking
	// read is what was read of each, and how far.
	read map[string]*fellow
}

type fellow struct {
	keeper
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
	return &fellows{db: o.Fellows, own: o.Node, elsewhere: o.Elsewhere, read: map[string]*fellow{}}
}

// alone has what nodes do to months wait for each other, where there are several: no
// month is destroyed while another node begins to hold it.
func (f *fellows) alone(ctx context.Context) (Turn, error) {
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

func (nothing) Close() error                { return nil }
func (nothing) Lasts(context.Context) error { return nil }

// loadOthers reads which holds of other nodes stand, and which of this one's were
// released there. A log that can't be read is an error: what is held in it isn't known.
func (k *keeper) loadOthers(ctx context.Context, keys *dataKeys) error {
	nodes, err := k.fellows.db.Nodes(ctx)
	if err != nil {
		return fmt.Errorf("reading which holds stand at other nodes: %w", err)
	}
	all := map[string]*keeper{k.fellows.own: k}
	k.waiting = ""
	for _, node := range nodes {
		if node == k.fellows.own {
			continue
		}
		f := k.fellows.read[node]
		if f == nil {
			f = &fellow{keeper: keeper{holds: map[uint64]*Standing{}}}
			k.fellows.read[node] = f
		}
		if err := f.more(ctx, newDataKeys(newRowFiles(k.fellows.db.Node(node)), keys.ring)); err != nil {
			return fmt.Errorf("reading which holds stand at node %s: %w", node, err)
		}
		all[node] = &f.keeper
		if f.unconfirmed != nil && node != RootNode { // nobody holds anything in the root log
			k.waiting = node
		}
	}
	k.settle(all)
	return nil
}

// settle ends the holds that another node released, and gathers those of the others.
func (k *keeper) settle(all map[string]*keeper) {
	for _, one := range all {
		for _, r := range one.releases {
			if of := all[r.node]; of != nil {
				delete(of.holds, r.entry)
			}
		}
	}
	k.others = nil
	for node, one := range all {
		for _, h := range one.holds {
			if one != k {
				s := *h
				s.Node = node
				k.others = append(k.others, s)
			}
		}
	}
}

// more reads on from the segment in which reading ended. What stands there is taken
// twice, with the same outcome.
func (f *fellow) more(ctx context.Context, keys *dataKeys) error {
	segments, err := listSegments(keys.files)
	if err != nil {
		return err
	}
	w := &walk{files: keys.files, segments: segments, key: keys.commits}
	run := w.whole
	if i := slices.Index(segments, f.from); i > 0 {
		w.segments, run = segments[i:], w.run
	}
	o := &opener{keys: keys, only: ClassGateway}
	defer o.close()
	o.visit = func(s *Stored, _ uint32) error {
		f.follow(s, o.last)
		return nil
	}
	w.visit = func(segment uint32, g *group) error { return o.group(&w.position, segment, g) }
	w.probe = o.probe(&w.position)
	if err := run(ctx); err != nil {
		return err
	}
	f.from = w.number
	return nil
}
