package audit

import (
	"errors"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// Somebody without a key takes two entries out, numbers the rest anew and
// commits the roots of what is left: the keys show it.
func entriesTakenOutAndCommittedAnewAreNamed(t *testing.T) {
	d, ring, at := tamperLog(t)
	last := at[len(at)-1].segment
	var grown tree
	var own []spot
	for _, p := range at {
		if p.segment == last {
			own = append(own, p)
			continue
		}
		grown = grown.grow(tlog.RecordHash(p.envelope))
	}
	if len(own) < 6 {
		t.Fatalf("the last segment holds %d entries", len(own))
	}
	first := grown.size
	d.edit(segmentName(last), func(b []byte) {
		end := own[0].offset
		clear(b[end:])
		for i, p := range own {
			if i == 2 || i == 3 {
				continue
			}
			p.seq = grown.size
			grown = grown.grow(tlog.RecordHash(p.envelope))
			group := appendCommit(p.frame(), commit{size: grown.size, root: grown.root(), open: grown.size})
			copy(b[end:], group)
			end += int64(len(group))
		}
	})
	report, err := verifyDisk(t, d, ring)
	if !errors.Is(err, ErrTampered) || report.Damage == nil || report.Damage.Seq != first {
		t.Errorf("verify with keys = %v, want damage from entry %d on", err, first)
	}
	if _, err := Open(t.Context(), "disk", ring, onDisk(d)); !errors.Is(err, ErrTampered) {
		t.Errorf("opening the forged log = %v, want ErrTampered", err)
	}
	// Without keys nobody can tell: the frames, numbers and roots are right.
	if _, err := verifyDisk(t, d, nil); err != nil {
		t.Errorf("verify without keys = %v", err)
	}
}
