package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// The codes of commands on related records, [code, id, values].
const (
	commandCreate = "0"
	commandUpdate = "1"
	commandDelete = "2"
	commandUnlink = "3"
	commandLink   = "4"
	commandClear  = "5"
	commandSet    = "6"
)

// command finds the records in a command on related records. What is none is
// unclassified.
func (f *finder) command(node int, typ string, ent *entity) {
	t := f.t
	code, id, values := t.Element(node, 0), t.Element(node, 1), t.Element(node, 2)
	if code < 0 || t.Nodes[code].Kind != doc.Number || t.Element(node, 3) >= 0 {
		f.field(node, -1, ent, typ, unclassified(), "")
		return
	}
	known := ""
	switch t.Text(code) {
	case commandCreate, commandClear, commandSet:
	case commandUpdate, commandDelete, commandUnlink, commandLink:
		if id >= 0 && f.isID(id) {
			known = t.Text(id)
		}
	default:
		f.field(node, -1, ent, typ, unclassified(), "")
		return
	}
	switch {
	case values >= 0 && t.Nodes[values].Kind == doc.Object:
		f.object(nil, values, typ, ent, known)
		return
	case known != "":
		f.record(ent, typ, known)
	case id >= 0 && t.Nodes[id].Kind == doc.String && t.Text(code) != commandCreate:
		f.field(id, -1, ent, typ, unclassified(), "")
	}
	if values >= 0 {
		f.bare(values, typ, ent)
	}
}

// keyed finds the values that are the keys of an object.
func (f *finder) keyed(r *recordAt, node int, typ string) {
	name := r.field
	if r.fieldAt != nil {
		name = ""
		if vs := f.x.valuesAt(*r.fieldAt); len(vs) == 1 && vs[0].node >= 0 && f.x.tree.Nodes[vs[0].node].Kind == doc.String {
			name = f.x.tree.Text(vs[0].node)
		}
	}
	if f.cut != "" {
		name, _, _ = strings.Cut(name, f.cut)
	}
	res := f.x.p.resolve(typ, strings.Split(name, "."))
	cats := f.x.widened(res.field).categories
	if res.related != "" {
		cats = f.x.displayed(res.related)
	}
	if f.t.Nodes[node].Kind != doc.Object {
		f.field(node, -1, res.entity, name, cats, "")
		return
	}
	f.addField(node, -1, res.entity, name, cats, "", true)
	for c := range f.t.Children(node) {
		f.field(c, -1, res.entity, name, []access.Category{access.Public}, "")
	}
}

// filter finds the values in a filter on a record's fields.
func (f *finder) filter(node, rec int, ent *entity, typ, name string) {
	t := f.t
	if t.Nodes[node].Kind != doc.Array {
		f.fieldValue(node, -1, rec, ent, name, unclassifiedField())
		return
	}
	for c := range t.Children(node) {
		switch {
		case t.Nodes[c].Kind == doc.String && strings.Trim(t.Text(c), "&|!") == "":
		case t.Nodes[c].Kind == doc.Array && t.Element(c, 2) >= 0 && t.Element(c, 3) < 0:
			f.filterClause(c, rec, ent, typ, name)
		default:
			f.field(c, rec, ent, name, unclassified(), "")
		}
	}
}

func (f *finder) filterClause(node, rec int, ent *entity, typ, of string) {
	t := f.t
	name, op, val := t.Element(node, 0), t.Element(node, 1), t.Element(node, 2)
	if t.Nodes[name].Kind == doc.Number && t.Nodes[val].Kind == doc.Number {
		return // [1, "=", 1]
	}
	word := ""
	if t.Nodes[op].Kind == doc.String {
		word = t.Text(op)
	}
	if t.Nodes[name].Kind != doc.String || !isWord(t.Text(name)) || !contains(prefixOperators(), word) && word != "any" && word != "not any" {
		f.field(node, rec, ent, of, unclassified(), "")
		return
	}
	res := f.x.p.resolve(typ, strings.Split(t.Text(name), "."))
	switch {
	case res.related != "" && strings.HasSuffix(word, "any"):
		f.filter(val, rec, f.x.p.entityOf(res.related), res.related, of)
	case res.related != "" && literalKind(t, val) == "id":
	case res.related != "":
		f.field(val, rec, f.x.p.entityOf(res.related), of, f.x.displayed(res.related), "")
	case t.Nodes[val].Kind == doc.Array && res.field.public():
	case t.Nodes[val].Kind == doc.Array:
		f.addField(val, rec, res.entity, res.name, []access.Category(f.x.widened(res.field).categories), "", false)
	default:
		f.fieldValue(val, -1, rec, res.entity, res.name, res.field)
	}
}
