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

// selection is what is asked for in one place of an answer. Records by the thousand
// share it: what it says of them is worked out once.
type selection struct {
	fields []*graphql.Field
	// kinds are those of the objects here, by the type that the place holds, and asked
	// is what stands under their keys, by the type of an object.
	kinds map[string][]string
	asked map[string]map[string]asking
}

// asking is the field that stands under a key, and what is asked for below it.
type asking struct {
	name  string
	below *selection
}

func newSelection(fields []*graphql.Field) *selection {
	return &selection{fields: fields, kinds: map[string][]string{}, asked: map[string]map[string]asking{}}
}

// object renames what stands in a value that a field of a type holds.
func (n *renaming) object(node int, typ string, s *selection) {
	switch n.from.Nodes[node].Kind {
	case doc.Array:
		for c := range n.from.Children(node) {
			n.object(c, typ, s)
		}
		return
	case doc.Object:
	default:
		return
	}
	own := n.kind(node, typ, s)
	keys := n.keys(own, s)
	for c := range n.from.Children(node) {
		if a, asked := keys[n.from.Key(c)]; asked {
			n.rename(c, a.name)
			n.object(c, n.below(own, a.name), a.below)
		}
	}
}

// keys says what stands under which key in objects of a type. What is asked for of
// other types alone, or as two fields, is nobody's.
func (n *renaming) keys(typ string, s *selection) map[string]asking {
	if known, ok := s.asked[typ]; ok {
		return known
	}
	keys := map[string]asking{}
	for _, q := range s.fields {
		on := n.x.fragmentType(q)
		other := typ != "" && on != "" && n.x.p.entityOf(on) != n.x.p.entityOf(typ)
		a, known := keys[q.Key]
		switch {
		case !known && other:
			a = asking{unknownKind, newSelection(nil)}
		case other:
		case !known, a.name == unknownKind && len(a.below.fields) == 0:
			a = asking{q.Name, newSelection(slices.Clone(q.Fields))}
		case a.name == q.Name:
			a.below.fields = append(a.below.fields, q.Fields...)
		default:
			a = asking{unknownKind, newSelection([]*graphql.Field{{Name: unknownKind}})}
		}
		keys[q.Key] = a
	}
	s.asked[typ] = keys
	return keys
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
func (n *renaming) kind(node int, typ string, s *selection) string {
	if typ == "" {
		return ""
	}
	kinds, known := s.kinds[typ]
	if !known {
		kinds = n.x.kindsOf(typ, s.fields)
		s.kinds[typ] = kinds
	}
	kind := typ
	if len(kinds) > 1 {
		kind = n.told(node, s)
	}
	if n.x.p.entityOf(kind) == n.x.p.entityOf(typ) {
		return typ
	}
	n.kinds[node] = kind
	return kind
}

// told is the type that an object's __typename names.
func (n *renaming) told(node int, s *selection) string {
	for _, q := range s.fields {
		if q.Name != typeName || slices.ContainsFunc(s.fields, func(o *graphql.Field) bool { return o.Key == q.Key && o.Name != typeName }) {
			continue
		}
		if at := n.from.Member(node, q.Key); at >= 0 {
			if known := n.x.typeNamed(n.from.Text(at)); known != "" {
				return known
			}
		}
	}
	return unknownKind
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
		at = int32(len(n.src))
		n.names[name] = at
		n.src = append(n.src, `"`+name+`"`...)
	}
	n.nodes[node].KeyStart, n.nodes[node].KeyEnd = at, at+int32(len(name))+2
	n.nodes[node].Flags &^= json.KeyEscaped
}
