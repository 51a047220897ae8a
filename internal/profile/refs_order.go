package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// readOrder reads [["name", "ASC"], ["id", null]].
func (x *Exchange) readOrder(r *ref, typ string, node int) error {
	return x.readOrderIn(x.tree, r, typ, node)
}

func (x *Exchange) readOrderIn(t *doc.Tree, r *ref, typ string, node int) error {
	if t.Nodes[node].Kind == doc.Null {
		return nil
	}
	if r.member != "" && t.Nodes[node].Kind == doc.Object {
		return x.readOrderOf(t, r, typ, node)
	}
	if t.Nodes[node].Kind != doc.Array {
		return refuse("malformed", "An order is a list.")
	}
	for c := range t.Children(node) {
		if err := x.readOrderOf(t, r, typ, c); err != nil {
			return err
		}
	}
	return nil
}

// readOrderOf reads one of them: a name, [name, direction], or an object that has the
// name in a member.
func (x *Exchange) readOrderOf(t *doc.Tree, r *ref, typ string, node int) error {
	name := r.nameIn(t, node)
	if t.Nodes[node].Kind == doc.Array {
		name = t.Element(node, 0)
	}
	if name < 0 || t.Nodes[name].Kind != doc.String {
		return refuse("malformed", "An order names a field that is no text.")
	}
	return x.readName(r, typ, t.Text(name))
}

// readOrderText reads `name,ASC`, one parameter an order.
func (x *Exchange) readOrderText(r *ref, typ, text string) error {
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		t, err := parseJSON([]byte(text))
		if err != nil {
			return refuse("malformed", "An order is not strict JSON.")
		}
		return x.readOrderIn(t, r, typ, doc.Root)
	}
	name, dir, _ := strings.Cut(text, ",")
	switch strings.ToUpper(strings.TrimSpace(dir)) {
	case "", "ASC", "DESC", "ASC NULLS FIRST", "ASC NULLS LAST", "DESC NULLS FIRST", "DESC NULLS LAST":
		return x.readName(r, typ, name)
	}
	return refuse("malformed", "An order has an unknown direction.")
}

// nameIn is the node of the name in an element of a list.
func (r *ref) nameIn(t *doc.Tree, node int) int {
	if r.member != "" && t.Nodes[node].Kind == doc.Object {
		return t.Member(node, r.member)
	}
	return node
}
