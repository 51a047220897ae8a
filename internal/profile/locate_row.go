package profile

import "github.com/crmgate/crmgate/internal/doc"

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
	columns := f.x.columnNames(r)
	i := 0
	for c := range f.t.Children(node) {
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
