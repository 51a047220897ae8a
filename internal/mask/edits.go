package mask

import (
	"cmp"
	"slices"

	"github.com/crmgate/crmgate/internal/doc"
)

// ordered sorts edits and refuses overlapping ones.
func ordered(edits []doc.Edit) error {
	sortEdits(edits)
	for i := 1; i < len(edits); i++ {
		if edits[i].Start < edits[i-1].End {
			return doc.ErrOverlap
		}
	}
	return nil
}

func compareEdits(a, b doc.Edit) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
}

// sortEdits sorts what is two sorted runs as a rule: the first pass's and the
// second's.
func sortEdits(edits []doc.Edit) {
	run := 1
	for run < len(edits) && compareEdits(edits[run-1], edits[run]) <= 0 {
		run++
	}
	if run >= len(edits) {
		return
	}
	if !slices.IsSortedFunc(edits[run:], compareEdits) {
		slices.SortFunc(edits, compareEdits)
		return
	}
	second := slices.Clone(edits[run:])
	i, j := run-1, len(second)-1
	for at := len(edits) - 1; j >= 0; at-- {
		if i >= 0 && compareEdits(edits[i], second[j]) > 0 {
			edits[at] = edits[i]
			i--
		} else {
			edits[at] = second[j]
			j--
		}
	}
}
