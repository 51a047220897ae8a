package profile

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

func (f *finder) cover(node int) {
	f.covered = append(f.covered, span{node, int(f.t.Nodes[node].Next)})
}

// Lengths from which a number outside of records can be somebody's: a phone, an
// account, a place. Shorter ones are codes in errors, counts and pages elsewhere; what
// stands in a list that the profile doesn't know isn't even that.
const (
	longInError = 6
	longInList  = 5
	longAlone   = 7
	// longWhole is how many digits a number has before a point and zeros: sums have fewer.
	longWhole = 9
)

// isLong reports whether a node is a number that could be somebody's.
func (f *finder) isLong(node int, failed bool) bool {
	if f.t.Nodes[node].Kind != doc.Number {
		return false
	}
	raw := f.t.Text(node)
	switch whole, fraction, decimal := strings.Cut(raw, "."); {
	case strings.ContainsAny(raw, "eE"):
		return true
	case failed:
		return len(raw) >= longInError
	case decimal && (len(whole) < longWhole || strings.Trim(fraction, "0") != ""):
		return isPlace(whole, len(fraction))
	case len(raw) < longInList:
		return false
	}
	for at := f.t.Nodes[node].Parent; at >= 0; at = f.t.Nodes[at].Parent {
		if f.t.Nodes[at].Kind == doc.Array {
			return true
		}
	}
	return len(raw) >= longAlone && !isCount(f.t.Key(node))
}

// isCount reports whether a member that stands in no list says by its name how many
// records there are, or where a page begins.
func isCount(name string) bool {
	switch strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name)) {
	case "total", "totalsize", "totalcount", "totalrecords", "totalresults", "totalitems", "totalelements", "totalhits", "count", "recordcount",
		"numfound", "length", "size", "offset", "vidoffset", "nextoffset", "start", "skip", "limit":
		return true
	}
	return false
}

// isPlace reports whether a decimal number could be a latitude or a longitude. With
// fewer digits behind the point it is a region, and others are sums and durations.
func isPlace(whole string, fraction int) bool {
	const precise, degrees = 4, 180
	n, err := strconv.Atoi(strings.TrimPrefix(whole, "-"))
	return err == nil && n > 0 && n <= degrees && fraction >= precise
}

// coverRest finds the texts and the long numbers that no record accounts for: the
// profile doesn't know them. In an error they are withheld, elsewhere unclassified.
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
		long := f.isLong(n, failed)
		if f.t.Nodes[n].Kind != doc.String && !long || f.x.isPublic(f.t, n) || links[n] || f.silent(n, failed) {
			continue
		}
		if failed {
			f.withhold(n)
			continue
		}
		shape := access.Shape("")
		if long {
			shape = access.ShapeNumber
		}
		f.field(n, -1, f.x.ent, f.t.Key(n), unclassified(), shape)
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
