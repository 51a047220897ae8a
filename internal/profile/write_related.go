package profile

import (
	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// readRelated reads the value of a relation in a write: an id, a reference, or
// the records below it.
func (x *Exchange) readRelated(w *write, wr *Write, related string, node int) error {
	switch x.tree.Nodes[node].Kind {
	case doc.Array:
		if w.numbered {
			return x.readNumbered(w, wr, related, node)
		}
		if w.commands && wr.Mode != WriteEcho {
			return x.readCommands(w, related, node)
		}
		for c := range x.tree.Children(node) {
			if x.tree.Nodes[c].Kind == doc.Object {
				if err := x.readValues(w, related, c, wr.Mode, nil); err != nil {
					return err
				}
			}
		}
	case doc.Object:
		if wr.Mode == WriteEcho {
			return x.readValues(w, related, node, WriteEcho, nil)
		}
		if is, err := x.newRelated(w, wr, related, node); is {
			return err
		}
		return refuse("malformed", "A relation in a write is an id.")
	}
	return nil
}

// readCommands reads [["create", [{…}]], ["write", [ids], {…}], ["delete", [ids]], …].
func (x *Exchange) readCommands(w *write, related string, node int) error {
	t := x.tree
	for c := range t.Children(node) {
		var parts []int
		for n := range t.Children(c) {
			parts = append(parts, n)
		}
		if len(parts) < 2 || t.Nodes[parts[0]].Kind != doc.String {
			return refuse("malformed", "A command on related records is not [word, …].")
		}
		if err := x.readCommand(w, related, t.Text(parts[0]), parts[1:]); err != nil {
			return err
		}
	}
	return nil
}

func (x *Exchange) readCommand(w *write, related, word string, parts []int) error {
	switch word {
	case "create":
		return x.readValueList(w, related, parts[0], WriteCreate, nil)
	case "write":
		if len(parts)%2 != 0 {
			return refuse("malformed", "A write command is ids and values in turn.")
		}
		for i := 0; i < len(parts); i += 2 {
			var ids []string
			if err := x.collectIDs(parts[i], &ids); err != nil {
				return err
			}
			if err := x.readValueList(w, related, parts[i+1], WritePartial, ids); err != nil {
				return err
			}
		}
		return nil
	case "copy":
		if len(parts) == 2 {
			if err := x.readValueList(w, related, parts[1], WriteCopy, nil); err != nil {
				return err
			}
		}
		return x.relatedAccess(related, access.Create, parts[0])
	case "delete":
		return x.relatedAccess(related, access.Delete, parts[0])
	case "add", "remove":
		return x.relatedAccess(related, access.Update, parts[0])
	}
	return refuse("malformed", "A command on related records is not in the profile.")
}

func (x *Exchange) relatedAccess(typ string, action access.Action, idsNode int) error {
	ent := x.p.entityOf(typ)
	if ent == nil {
		return refuse("unknown_type", "Records of this kind are not in the profile %s.", x.p.Name)
	}
	var ids []string
	if err := x.collectIDs(idsNode, &ids); err != nil {
		return err
	}
	x.Accesses = append(x.Accesses, access.Access{Route: x.Route, Call: x.Call, Action: action, Entity: ent.name, Type: typ, IDs: ids})
	return nil
}
