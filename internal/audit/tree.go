package audit

import (
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// tree is an RFC 6962 tree that only grows: its size and its right edge, the
// roots of the full subtrees from the largest to the smallest, one for each bit
// that is set in the size. It is a value: grow returns a new one.
type tree struct {
	size uint64
	edge []tlog.Hash
}

// grow returns the tree with more leaves. The receiver stays as it was, so that
// a group whose write fails leaves no trace.
func (t tree) grow(leaves ...tlog.Hash) tree {
	edge := make([]tlog.Hash, len(t.edge), len(t.edge)+bits.Len64(uint64(len(leaves)))+1)
	copy(edge, t.edge)
	size := t.size
	for _, h := range leaves {
		for n := size; n&1 == 1; n >>= 1 {
			h = tlog.NodeHash(edge[len(edge)-1], h)
			edge = edge[:len(edge)-1]
		}
		edge = append(edge, h)
		size++
	}
	return tree{size: size, edge: edge}
}

// root is the tree's hash.
func (t tree) root() tlog.Hash {
	if t.size == 0 {
		h, _ := tlog.TreeHash(0, nil)
		return h
	}
	h := t.edge[len(t.edge)-1]
	for i := len(t.edge) - 2; i >= 0; i-- {
		h = tlog.NodeHash(t.edge[i], h)
	}
	return h
}
