package profile

import (
	"maps"
	"slices"
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

// columnRow finds the fields of a row whose columns the request named, or the answer.
func (f *finder) columnRow(r *recordAt, node int, typ string) {
	columns, rec := f.columnsOf(r), -1
	ent := f.x.p.entityOf(typ)
	if at := slices.Index(columns, idOf(ent)); ent != nil && ent.id != "" && at >= 0 {
		if n := f.t.Element(node, at); n >= 0 && f.isID(n) && !isOwn(f.t.Text(n)) {
			rec = f.record(ent, typ, f.t.Text(n))
		}
	}
	if rec < 0 && (ent == nil || !ent.internal) {
		f.found.Rows++
	}
	i, before, said := 0, len(f.found.Fields), len(f.found.Said)
	for c := range f.t.Children(node) {
		switch {
		case i >= len(columns) || columns[i] == "":
			f.field(c, -1, f.x.ent, typ, unclassified(), "")
		case rec >= 0 && columns[i] == ent.id:
		case r.columns.origin == fromResponse:
			f.cell(c, typ, r.fieldOf(columns[i]), r.separator)
		default:
			f.column(c, typ, f.x.p.steps(columns[i], r.separator))
		}
		if i < len(columns) {
			f.tell(c, rec, ent, r.fieldOf(columns[i]))
		}
		i++
	}
	for i := before; i < len(f.found.Fields); i++ {
		f.found.Fields[i].Record = rec
	}
	f.saidBy(rec, said)
}

// fieldOf is the field that a column of an answer holds, "" for what is nobody's.
func (r *recordAt) fieldOf(column string) string {
	if field, ok := r.fields[column]; ok {
		return field
	}
	return column
}

func idOf(ent *entity) string {
	if ent == nil {
		return ""
	}
	return ent.id
}

// columnsOf are the names of a row's columns, "" for one without.
func (f *finder) columnsOf(r *recordAt) []string {
	if r.columns.origin != fromResponse {
		return f.x.columnNames(r)
	}
	if f.named == r {
		return f.namedColumns
	}
	f.named, f.namedColumns = r, nil
	name := func(n int) {
		text := ""
		if f.t.Nodes[n].Kind == doc.String {
			text = f.t.Text(n)
		}
		f.namedColumns = append(f.namedColumns, text)
		// A field's name is nobody's; what the profile doesn't know could be a value.
		_, known := r.fields[text]
		if known || f.x.ent != nil && (f.x.ent.isID(text) || f.x.ent.field(text) != nil) {
			f.cover(n)
		}
	}
	r.columns.path.each(f.t, doc.Root, func(n int) {
		if f.t.Nodes[n].Kind != doc.Array {
			name(n)
			return
		}
		for c := range f.t.Children(n) {
			name(c)
		}
	})
	return f.namedColumns
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
