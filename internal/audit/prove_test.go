package audit

import (
	"errors"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// Between any two sizes, in any order, the proof is one that others check; with segments
// of a few entries each, while the log is being written.
func TestGrowthIsProved(t *testing.T) {
	t.Parallel()
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	s := newSampler(1)
	roots := map[uint64]tlog.Hash{}
	note := func() {
		size, root := l.Head()
		roots[size] = root
	}
	for note(); len(roots) < 70; note() {
		a, _ := s.request(3)
		a.Session = s.hash() + s.hash()
		mustAppend(t, l, a)
	}
	size, _ := l.Head()
	check := func(old, size uint64) {
		proof, root, err := l.Prove(t.Context(), old, size)
		if err != nil {
			t.Fatalf("%d to %d: %v", old, size, err)
		}
		if root != roots[size] {
			t.Errorf("%d to %d: the root isn't that of the log", old, size)
		}
		if old == size {
			return
		}
		if err := tlog.CheckTree(proof, int64(size), roots[size], int64(old), roots[old]); err != nil {
			t.Errorf("%d to %d: %v", old, size, err)
		}
	}
	for old := uint64(1); old <= size; old += 3 { // as witnesses are asked
		check(old, min(old+3, size))
	}
	for old := uint64(1); old <= size; old++ {
		for to := old; to <= size; to += 7 {
			check(old, to)
		}
	}
	for _, wrong := range [][2]uint64{{0, 4}, {5, 4}, {4, size + 1}} {
		if _, _, err := l.Prove(t.Context(), wrong[0], wrong[1]); !errors.Is(err, ErrSize) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	mustClose(t, l)
}
