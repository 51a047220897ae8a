package profile

import (
	"cmp"
	"slices"

	"github.com/crmgate/crmgate/internal/doc"
)

func (f *finder) cover(node int) {
	f.covered = append(f.covered, span{node, int(f.t.Nodes[node].Next)})
}

// longNumber is the length from which a number in an error can be somebody's: a
// phone, an account. A shorter one is a code that clients look at.
const longNumber = 6

// coverRest finds the texts that no record accounts for: the profile doesn't
// know them. In an error they are withheld, elsewhere unclassified.
func (f *finder) coverRest(root int, failed bool) {
	slices.SortFunc(f.covered, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var links map[int]bool
	if !failed {
		links = f.x.linkNodes(f.t)
	}
	next := 0
	for n := root; n < int(f.t.Nodes[root].Next); n++ {
		for next < len(f.covered) && f.covered[next].to <= n {
			next++
		}
		if next < len(f.covered) && f.covered[next].from <= n {
			n = f.covered[next].to - 1
			continue
		}
		long := failed && f.t.Nodes[n].Kind == doc.Number && len(f.t.Raw(n)) >= longNumber
		if f.t.Nodes[n].Kind != doc.String && !long || f.x.isPublic(f.t, n) || links[n] || f.silent(n, failed) {
			continue
		}
		if failed {
			f.withhold(n)
			continue
		}
		f.field(n, -1, f.x.ent, f.t.Key(n), unclassified(), "")
	}
}

// isPublic reports whether the operation lists a member as public.
func (x *Exchange) isPublic(t *doc.Tree, node int) bool {
	if len(x.op.public) == 0 {
		return false
	}
	for n := node; n >= 0; n = int(t.Nodes[n].Parent) {
		if key := t.Key(n); key != "" && matchAny(x.op.public, key) {
			return true
		}
	}
	return false
}
