package profile

import (
	"slices"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/profile/graphql"
)

// renaming gives members of an answer the names of their fields. The tree that it
// makes has the same nodes: what is found in it is found in the answer.
type renaming struct {
	x     *Exchange
	from  *doc.Tree
	nodes []doc.Node
	src   []byte
	names map[string]int32
	kinds map[int]string
}

// tree is the renamed one, or the answer where every name is a field's already.
func (n *renaming) tree() *doc.Tree {
	if n.nodes == nil {
		return n.from
	}
	return &doc.Tree{Src: n.src, Nodes: n.nodes, Format: n.from.Format, ASCII: n.from.ASCII}
}

// object renames what stands in a value that a field of a type holds.
func (n *renaming) object(node int, typ string, fields []*graphql.Field) {
	switch n.from.Nodes[node].Kind {
	case doc.Array:
		for c := range n.from.Children(node) {
			n.object(c, typ, fields)
		}
		return
	case doc.Object:
	default:
		return
	}
	own := n.kind(node, typ, fields)
	for c := range n.from.Children(node) {
		if name, below := n.asked(n.from.Key(c), own, fields); name != "" {
			n.rename(c, name)
			n.object(c, n.below(own, name), below)
		}
	}
}

// asked is the field that stands under a key in an object of a type, and all that is
// asked for below it; "" where nothing was asked for under that key. What was, but for
// other types, or as two fields, is nobody's.
func (n *renaming) asked(key, typ string, fields []*graphql.Field) (name string, below []*graphql.Field) {
	for _, q := range fields {
		if q.Key != key {
			continue
		}
		on := n.x.fragmentType(q)
		switch other := typ != "" && on != "" && n.x.p.entityOf(on) != n.x.p.entityOf(typ); {
		case other && name == "":
			name = unknownKind
		case other:
		case name == "" || name == unknownKind && len(below) == 0 || name == q.Name:
			name, below = q.Name, append(below, q.Fields...)
		default:
			return unknownKind, nil
		}
	}
	return name, below
}

// below is the type of what a field holds: of an object that is no record the one of
// the records around it.
func (n *renaming) below(typ, name string) string {
	if w := n.x.lookAround(typ, name); w != nil {
		return typ
	}
	return n.x.relatedType(n.x.p.entityOf(typ), typ, name)
}

// kind is the type of an object. Where it can be one of several, its __typename tells.
func (n *renaming) kind(node int, typ string, fields []*graphql.Field) string {
	if typ == "" {
		return ""
	}
	kinds := n.x.kindsOf(typ, fields)
	switch {
	case len(kinds) == 0:
		return typ
	case len(kinds) > 1:
		kinds = []string{unknownKind}
		for c := range n.from.Children(node) {
			told := func(q *graphql.Field) bool { return q.Key == n.from.Key(c) && q.Name == typeName }
			other := func(q *graphql.Field) bool { return q.Key == n.from.Key(c) && q.Name != typeName }
			if known := n.x.typeNamed(n.from.Text(c)); known != "" && slices.ContainsFunc(fields, told) && !slices.ContainsFunc(fields, other) {
				kinds[0] = known
			}
		}
	}
	if n.x.p.entityOf(kinds[0]) == n.x.p.entityOf(typ) {
		return typ
	}
	n.kinds[node] = kinds[0]
	return kinds[0]
}

// rename gives a member another name, behind the end of the answer's bytes.
func (n *renaming) rename(node int, name string) {
	if n.from.Key(node) == name {
		return
	}
	if n.nodes == nil {
		n.nodes, n.src, n.names = slices.Clone(n.from.Nodes), slices.Clone(n.from.Src), map[string]int32{}
	}
	at, known := n.names[name]
	if !known {
		at = int32(len(n.src)) //nolint:gosec // an answer that is held is far smaller
		n.names[name] = at
		n.src = append(n.src, `"`+name+`"`...)
	}
	n.nodes[node].KeyStart, n.nodes[node].KeyEnd = at, at+int32(len(name))+2 //nolint:gosec // as above
	n.nodes[node].Flags &^= json.KeyEscaped
}
