package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// typeOfValues is the type that an object of values says it has. One that the address
// names has to be the same.
func (x *Exchange) typeOfValues(w *write, node int) (string, error) {
	t, no := x.tree, refuse("malformed", "A record to be saved doesn't say strictly of which kind it is.")
	in := t.Member(node, w.typeIn)
	if in < 0 || t.Nodes[in].Kind != doc.Object || foldedTwice(t, in) {
		return "", no
	}
	typ := ""
	for c := range t.Children(in) {
		if t.Nodes[c].Kind != doc.String {
			return "", no
		}
		switch key := t.Key(c); {
		case key == w.typeAt:
			typ = t.Text(c)
		case !contains(w.beside, key):
			return "", refuse("unknown_parameter", "What a record to be saved says of itself holds a member that isn't in the profile.")
		}
	}
	if typ == "" {
		return "", no
	}
	return typ, nil
}

// sameType refuses values whose type isn't the one that the address names.
func (x *Exchange) sameType(w *write, node int) error {
	if !w.typed || !strings.HasPrefix(x.op.entity, "{") {
		return nil
	}
	if x.tree.Nodes[node].Kind == doc.Array {
		for c := range x.tree.Children(node) {
			if x.tree.Nodes[c].Kind != doc.Object {
				return refuse("malformed", "The values of a write are no object.")
			}
			if err := x.sameType(w, c); err != nil {
				return err
			}
		}
		return nil
	}
	typ, err := x.typeOfValues(w, node)
	if err == nil && x.p.key(typ) != x.p.key(x.typ) {
		err = refuse("malformed", "A record to be saved is of another kind than the address says.")
	}
	return err
}

// newRelated reads the new records that a relation of a new one lists, and reports
// whether it does.
func (x *Exchange) newRelated(w *write, wr *Write, related string, node int) (bool, error) {
	list := -1
	if w.typed && wr.Mode == WriteCreate && x.p.list != "" {
		list = x.tree.Member(node, x.p.list)
	}
	if list < 0 || x.tree.Nodes[list].Kind != doc.Array || x.tree.First(node) != list || x.tree.After(list) >= 0 {
		return false, nil
	}
	return true, x.readValueList(w, related, list, WriteCreate, nil)
}
