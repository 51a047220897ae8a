package profile

import (
	"maps"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// tuple finds the fields of a positional row.
func (f *finder) tuple(r *recordAt, node int, typ string, ent *entity) {
	rec := f.record(ent, typ, f.idAt(r, node))
	if rec < 0 && (ent == nil || !ent.internal) {
		f.found.Rows++
	}
	i := 0
	for c := range f.t.Children(node) {
		name := "?"
		if i < len(r.tuple) {
			name = r.tuple[i]
		}
		i++
		switch {
		case name == "":
		case name == "?" || ent == nil:
			f.field(c, rec, ent, typ, unclassified(), "")
		default:
			f.value(c, -1, rec, typ, name)
		}
	}
}

// columnRow finds the fields of a row whose columns the request named.
func (f *finder) columnRow(r *recordAt, node int, typ string) {
	f.found.Rows++
	columns := f.columnNames(r)
	i := 0
	for c := range f.t.Children(node) {
		if i < len(columns) && r.columnsIn != nil {
			name := columns[i]
			if to, mapped := r.fields[name]; mapped {
				name = to
			}
			f.cell(c, typ, name, r.separator)
			i++
			continue
		}
		if i >= len(columns) {
			f.field(c, -1, f.x.ent, typ, unclassified(), "")
			continue
		}
		f.column(c, typ, f.x.p.steps(columns[i], r.separator))
		i++
	}
}

// column finds the value of one cell of a positional row.
func (f *finder) column(node int, typ string, steps []string) {
	res := f.x.p.resolve(typ, steps)
	fd := f.x.widened(res.field)
	if res.related != "" {
		// A relation in a cell is shown by its display.
		fd = &field{categories: f.x.displayed(res.related), detect: true, companies: f.x.p.displayCompanies(res.related)}
		res.entity, res.typ = f.x.p.entityOf(res.related), res.related
	} else if len(fd.categories) > 1 && fd.by != "" {
		fd = &field{categories: fd.categories, detect: true}
	}
	f.fieldValue(node, -1, -1, res.entity, res.prefix+res.name, fd)
}

// alternatives divides names of columns at `|`.
func (r *recordAt) alternatives() {
	for names, field := range maps.Clone(r.fields) {
		for name := range strings.SplitSeq(names, "|") {
			r.fields[name] = field
		}
	}
}

// columnNames are the names of a row's columns: the request's, or the answer's own.
func (f *finder) columnNames(r *recordAt) []string {
	if r.columnsIn == nil {
		return f.x.columnNames(r)
	}
	var names []string
	list := r.columnsIn.first(f.t, doc.Root)
	if list < 0 || f.t.Nodes[list].Kind != doc.Array {
		return nil
	}
	for c := range f.t.Children(list) {
		names = append(names, f.textAt(c))
	}
	return names
}

// cell finds the value of a cell of an answer that names its columns itself, be it
// there in several notations. An id in their place names a record.
func (f *finder) cell(node int, typ, name, separator string) {
	if f.t.Nodes[node].Kind == doc.Object {
		for c := range f.t.Children(node) {
			f.cell(c, typ, name, separator)
		}
		return
	}
	if f.isWholeID(node) {
		if of, ok := f.x.p.typeOfID(f.t.Text(node)); ok {
			f.record(f.x.p.entityOf(of), of, f.t.Text(node))
			return
		}
	}
	if name != "" {
		f.column(node, typ, f.x.p.steps(name, separator))
	}
}

// isWholeID reports whether a text is an id of Salesforce's that agrees with its own
// last characters: nothing else does but by chance.
func (f *finder) isWholeID(node int) bool {
	if !f.x.p.salesforceIDs || f.t.Nodes[node].Kind != doc.String {
		return false
	}
	id := f.t.Text(node)
	return isSalesforceID(id) && len(id) > shortID && capitals(id[:shortID]) == id[shortID:]
}

func (x *Exchange) columnNames(r *recordAt) []string {
	var names []string
	for _, v := range x.valuesAt(*r.columns) {
		if v.node < 0 {
			names = append(names, v.text)
			continue
		}
		if x.tree.Nodes[v.node].Kind == doc.String {
			names = append(names, x.tree.Text(v.node))
		}
		for c := range x.tree.Children(v.node) {
			names = append(names, x.tree.Text(c))
		}
	}
	return names
}
