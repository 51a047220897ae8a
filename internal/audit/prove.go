package audit

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrSize says that a proof was asked for that the log can't give: between sizes that
// aren't in order, or that it doesn't have.
var ErrSize = errors.New("the log has no such size")

// prover proves that the log only grew. It keeps no tree: it reads the entries since the
// earlier size anew, from the place where the last proof ended.
type prover struct {
	mu sync.Mutex
	at position // where the last proof ended; its tree is empty at first
}

// Prove returns the RFC 6962 proof that the log's first size entries begin with its first
// old ones, and the root over size. It reads the entries in between, and what lies before
// them in their segment; a proof that goes on from the last one reads no more than that.
func (l *Log) Prove(ctx context.Context, old, size uint64) (tlog.TreeProof, tlog.Hash, error) {
	if durable, _ := l.Head(); old == 0 || old > size || size > durable {
		return nil, tlog.Hash{}, fmt.Errorf("%w: from %d to %d", ErrSize, old, size)
	}
	wanted, err := hashesFor(old, size)
	if err != nil {
		return nil, tlog.Hash{}, err
	}
	l.prover.mu.Lock()
	defer l.prover.mu.Unlock()
	g := &gatherer{wanted: wanted, upto: size}
	if err := l.prover.read(ctx, l.files, l.keys.commits, old, g); err != nil {
		return nil, tlog.Hash{}, fmt.Errorf("proving that the log grew: %w", err)
	}
	if old == size {
		return nil, g.tree.root(), nil
	}
	proof, err := tlog.ProveTree(int64(size), int64(old), g)
	if err != nil {
		return nil, tlog.Hash{}, fmt.Errorf("proving that the log grew: %w", err)
	}
	return proof, g.tree.root(), nil
}

// read walks the entries up to g.upto, from a place at or before old.
func (p *prover) read(ctx context.Context, fsys files, key *commitKey, old uint64, g *gatherer) error {
	w, err := p.from(fsys, old, g)
	if err != nil {
		return err
	}
	w.key = key
	w.visit = func(_ uint32, read *group) error {
		for _, e := range read.entries {
			if g.tree.size < g.upto {
				g.add(tlog.RecordHash(e.envelope))
			}
		}
		if w.tree.size <= g.upto {
			p.at = w.position
		}
		if g.tree.size == g.upto {
			return errEnough
		}
		return nil
	}
	if err := w.run(ctx); err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if g.tree.size != g.upto {
		return fmt.Errorf("%w: it ends at %d", ErrSize, g.tree.size)
	}
	return nil
}

// from is a walk from where the last proof ended, if that isn't behind old, else from the
// segment that holds the entry before it.
func (p *prover) from(fsys files, old uint64, g *gatherer) (*walk, error) {
	segments, err := listSegments(fsys)
	if err != nil {
		return nil, err
	}
	if p.at.number != 0 && p.at.tree.size <= old {
		g.begin(p.at.tree)
		segments = slices.DeleteFunc(segments, func(n uint32) bool { return n < p.at.number })
		return &walk{files: fsys, segments: segments, position: p.at}, nil
	}
	last, err := lastStarted(fsys, segments)
	if err != nil {
		return nil, err
	}
	from, err := containing(fsys, segments, last, old)
	if err != nil {
		return nil, err
	}
	segments = segments[from:]
	h, err := readHeader(fsys, segments[0])
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, fmt.Errorf("%w: segment %s can't be read", ErrTampered, segmentName(segments[0]))
	}
	g.begin(h.before)
	return &walk{files: fsys, segments: segments}, nil
}

// wish notes which hashes a proof takes.
type wish map[int64]bool

// ReadHashes implements tlog.HashReader.
func (w wish) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	for _, i := range indexes {
		w[i] = true
	}
	return make([]tlog.Hash, len(indexes)), nil
}

// hashesFor are the hashes, by their number in storage, that a proof of growth takes.
func hashesFor(old, size uint64) (wish, error) {
	w := wish{}
	if old == size {
		return w, nil
	}
	if _, err := tlog.ProveTree(int64(size), int64(old), w); err != nil {
		return nil, fmt.Errorf("proving that the log grew: %w", err)
	}
	return w, nil
}

// gatherer grows a tree and keeps the hashes that are wanted.
type gatherer struct {
	wanted wish
	upto   uint64
	tree   tree
	found  map[int64]tlog.Hash
}

func (g *gatherer) begin(from tree) {
	g.tree, g.found = from, map[int64]tlog.Hash{}
	at, rest := uint64(0), from.size
	for _, h := range from.edge {
		level := bits.Len64(rest) - 1
		g.note(level, at>>level, h)
		at, rest = at+1<<level, rest&^(1<<level)
	}
}

func (g *gatherer) add(h tlog.Hash) {
	n := g.tree.size
	g.note(0, n, h)
	edge := g.tree.edge
	for level := 0; n>>level&1 == 1; level++ {
		h = tlog.NodeHash(edge[len(edge)-1-level], h)
		g.note(level+1, n>>(level+1), h)
	}
	full := bits.TrailingZeros64(^n) // the subtrees that this leaf completes
	g.tree = tree{size: n + 1, edge: append(edge[:len(edge)-full:len(edge)-full], h)}
}

func (g *gatherer) note(level int, n uint64, h tlog.Hash) {
	if i := tlog.StoredHashIndex(level, int64(n)); g.wanted[i] {
		g.found[i] = h
	}
}

// ReadHashes implements tlog.HashReader.
func (g *gatherer) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		h, ok := g.found[index]
		if !ok {
			return nil, fmt.Errorf("%w: hash %d wasn't found", ErrSize, index)
		}
		out[i] = h
	}
	return out, nil
}
