package profile

import (
	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// leaves returns the scalars of a field's value with their shapes.
func (p *Profile) leaves(t *doc.Tree, node int) []Leaf {
	if t.Nodes[node].Kind != doc.Object && t.Nodes[node].Kind != doc.Array {
		return []Leaf{{Node: node}}
	}
	if shapes := p.wrappedShapes(t, node); shapes != nil {
		var out []Leaf
		for c := range t.Children(node) {
			if key := t.Key(c); key != p.wrapped.key {
				out = append(out, Leaf{Node: c, Shape: shapes[key]})
			}
		}
		return out
	}
	var out []Leaf
	for c := range t.Children(node) {
		out = append(out, p.leaves(t, c)...)
	}
	return out
}

// wrappedShapes returns the members' shapes when node is a wrapped value that
// the profile knows, nil otherwise.
func (p *Profile) wrappedShapes(t *doc.Tree, node int) map[string]access.Shape {
	if p.wrapped.key == "" || t.Nodes[node].Kind != doc.Object {
		return nil
	}
	k := t.Member(node, p.wrapped.key)
	if k < 0 {
		return nil
	}
	return p.wrapped.kinds[t.Text(k)]
}
