package audit

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestNewestIsSearchBackwards compares random searches, whole and in pages.
func TestNewestIsSearchBackwards(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 8))
	d, ring := newDisk(), testRing(t)
	l := mustOpen(t, "disk", ring, onDisk(d))
	n := max(300, 900/sparse) // more than a batch of places in a month
	for range n {
		mustAppend(t, l, randomEntry(rnd, l))
	}
	ix := mustIndex(t, d, ring)
	if n, err := ix.Size(); n != 0 || err != nil {
		t.Errorf("an index of nothing has %d entries, %v", n, err)
	}
	mustUpdate(t, ix, 0)
	size, _ := l.Head()
	if n, err := ix.Size(); n != size || err != nil {
		t.Errorf("the index has %d entries, %v, want %d", n, err, size)
	}
	for range 60 {
		q := randomQuery(rnd, l)
		want, wantErr := seqs(ix.Search(t.Context(), q))
		got, gotErr := seqs(ix.Newest(t.Context(), q, 0))
		slices.Reverse(got)
		if !slices.Equal(got, want) || errors.Is(gotErr, ErrNobody) != errors.Is(wantErr, ErrNobody) {
			t.Fatalf("%+v: newest first finds %d, %v; in order %d, %v", q, len(got), gotErr, len(want), wantErr)
		}
		var paged []string
		for before := uint64(0); gotErr == nil; {
			n := 0
			for s, err := range ix.Newest(t.Context(), q, before) {
				if err != nil {
					t.Fatal(err)
				}
				one, _ := seqs(func(yield func(Stored, error) bool) { yield(s, nil) })
				paged = append(paged, one...)
				before = s.Seq
				if n++; n == 7 {
					break
				}
			}
			if n < 7 || before == 0 {
				break
			}
		}
		slices.Reverse(paged)
		if !slices.Equal(paged, want) {
			t.Fatalf("%+v: in pages %d are found, at once %d", q, len(paged), len(want))
		}
	}
}
