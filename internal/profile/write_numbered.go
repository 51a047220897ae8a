package profile

import (
	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// readNumbered reads [[0, 0, {…}], [1, id, {…}], [2, id], …], or a list of ids.
func (x *Exchange) readNumbered(w *write, wr *Write, related string, node int) error {
	t := x.tree
	for c := range t.Children(node) {
		if t.Nodes[c].Kind != doc.Array {
			if err := x.linked(wr, related, access.Update, c); err != nil {
				return err
			}
			continue
		}
		if err := x.readNumberedCommand(w, wr, related, c); err != nil {
			return err
		}
	}
	return nil
}

func (x *Exchange) readNumberedCommand(w *write, wr *Write, related string, node int) error {
	t := x.tree
	code, id, values := t.Element(node, 0), t.Element(node, 1), t.Element(node, 2)
	if code < 0 || t.Nodes[code].Kind != doc.Number || t.Element(node, 3) >= 0 {
		return refuse("malformed", "A command on related records is not [number, id, values].")
	}
	action := access.Update
	switch t.Text(code) {
	case commandCreate, commandUpdate:
		return x.readNumberedValues(w, wr, related, t.Text(code), id, values)
	case commandDelete:
		action = access.Delete
	case commandUnlink, commandLink:
	case commandClear:
		return nil
	case commandSet:
		id = values
	default:
		return refuse("malformed", "A command on related records is not in the profile.")
	}
	if id < 0 {
		return refuse("malformed", "A command on related records lacks its id.")
	}
	if values >= 0 && t.Nodes[values].Kind == doc.Object {
		return refuse("malformed", "A command on related records has values that it doesn't take.")
	}
	return x.linked(wr, related, action, id)
}

// readNumberedValues reads a command that creates a record or changes one.
func (x *Exchange) readNumberedValues(w *write, wr *Write, related, code string, id, values int) error {
	if id < 0 || values < 0 || x.tree.Nodes[values].Kind != doc.Object {
		return refuse("malformed", "A command on related records lacks its values.")
	}
	mode, ids := WriteCreate, []string(nil)
	if code == commandUpdate {
		mode = WritePartial
		if err := x.collectIDs(id, &ids); err != nil {
			return err
		}
		if len(ids) != 1 {
			return refuse("malformed", "A command on related records lacks its id.")
		}
	}
	if wr.Mode == WriteEcho {
		mode = WriteEcho
	}
	inner := *w
	inner.self = "" // the command has the id
	return x.readValues(&inner, related, values, mode, ids)
}

// linked notes related records that a write links, unlinks or deletes; where
// nothing is saved there is nothing to note.
func (x *Exchange) linked(wr *Write, related string, action access.Action, ids int) error {
	if wr.Mode == WriteEcho {
		return nil
	}
	return x.relatedAccess(related, action, ids)
}
