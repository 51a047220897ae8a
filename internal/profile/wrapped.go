package profile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// leaves returns the scalars of a field's value with their shapes, those of an
// object in the order of its keys: two documents with the same value in another
// order have the same leaves.
func (p *Profile) leaves(t *doc.Tree, node int, f *field) []Leaf {
	if t.Nodes[node].Kind != doc.Object && t.Nodes[node].Kind != doc.Array {
		return []Leaf{{Node: node}}
	}
	if shapes := p.wrappedShapes(t, node); shapes != nil {
		var out []Leaf
		for _, c := range byKey(t, node) {
			if key := t.Key(c); key != p.wrapped.key {
				out = append(out, Leaf{Node: c, Shape: f.shape(shapes[key])})
			}
		}
		return out
	}
	var out []Leaf
	for _, c := range byKey(t, node) {
		if f.parts == nil || t.Nodes[node].Kind != doc.Object {
			out = append(out, p.leaves(t, c, f)...)
			continue
		}
		part := f.parts.lookup(t.Key(c), false)
		for _, l := range p.leaves(t, c, part) {
			if l.Categories == nil {
				l.Categories = part.categories
			}
			out = append(out, l)
		}
	}
	return out
}

// byKey lists a container's children: an object's by their keys, an array's in
// their order.
func byKey(t *doc.Tree, node int) []int {
	nodes := slices.Collect(t.Children(node))
	slices.SortStableFunc(nodes, func(a, b int) int { return cmp.Compare(t.Key(a), t.Key(b)) })
	return nodes
}

// numeric reports whether a node is a wrapped number, not a date or bytes.
func (p *Profile) numeric(t *doc.Tree, node int) bool {
	shapes := p.wrappedShapes(t, node)
	for c := range t.Children(node) {
		switch key := t.Key(c); {
		case key == p.wrapped.key:
		case shapes[key] != access.ShapeDecimal && shapes[key] != access.ShapeNumber:
			return false
		case strings.Trim(t.Text(c), "+-.0123456789Ee") != "":
			return false
		}
	}
	return shapes != nil
}

// wrappedShapes returns the members' shapes when node is a wrapped value that
// the profile knows, with no members besides; nil otherwise.
func (p *Profile) wrappedShapes(t *doc.Tree, node int) map[string]access.Shape {
	if p.wrapped.key == "" || t.Nodes[node].Kind != doc.Object {
		return nil
	}
	k := t.Member(node, p.wrapped.key)
	if k < 0 {
		return nil
	}
	shapes := p.wrapped.kinds[t.Text(k)]
	for c := range t.Children(node) {
		if _, known := shapes[t.Key(c)]; c != k && !known || isContainer(t, c) {
			return nil
		}
	}
	return shapes
}
