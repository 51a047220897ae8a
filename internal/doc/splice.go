package doc

import (
	"cmp"
	"errors"
	"slices"
)

// Edit replaces the bytes [Start, End) of a document.
type Edit struct {
	Start, End int32
	With       []byte
}

// ErrOverlap says that two edits touch the same bytes: one of them would be lost.
var ErrOverlap = errors.New("edits overlap")

// Splice appends src with the edits made to dst. Edits may come in any order;
// bytes outside them are copied as they are.
func Splice(dst, src []byte, edits []Edit) ([]byte, error) {
	byStart := func(a, b Edit) int { return cmp.Compare(a.Start, b.Start) }
	if !slices.IsSortedFunc(edits, byStart) {
		slices.SortFunc(edits, byStart)
	}
	size := len(src)
	for i := range edits {
		size += len(edits[i].With) - int(edits[i].End-edits[i].Start)
	}
	dst = slices.Grow(dst, max(size, 0))
	at := int32(0)
	for _, e := range edits {
		if e.Start < at || e.End < e.Start || int(e.End) > len(src) {
			return nil, ErrOverlap
		}
		dst = append(dst, src[at:e.Start]...)
		dst = append(dst, e.With...)
		at = e.End
	}
	return append(dst, src[at:]...), nil
}
