package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/csv"
)

// Dialect says how the rows of a CSV answer are written.
func (x *Exchange) Dialect() csv.Dialect {
	d := csv.Dialect{Charset: x.option(x.rt.csv.Charset)}
	if s := x.option(x.rt.csv.Comma); s != "" {
		d.Comma = s[0]
	}
	if s := x.option(x.rt.csv.Quote); s != "" {
		d.Quote = s[0]
	}
	return d
}

// option reads a constant, or a query parameter: `query.enc` or, with a
// default, `query.enc|utf-8`.
func (x *Exchange) option(s string) string {
	name, ok := strings.CutPrefix(s, "query.")
	if !ok {
		return s
	}
	name, def, _ := strings.Cut(name, "|")
	for _, q := range x.req.Query {
		if q.Name == name {
			return q.Value
		}
	}
	return def
}

// hasHeader reports whether the first row names the columns.
func (x *Exchange) hasHeader() bool {
	if x.Type == "xlsx" {
		return true
	}
	switch x.option(x.rt.csv.Header) {
	case "0", "false", "":
		return false
	}
	return true
}

// checkDialect refuses options that the CRM could read otherwise than we do:
// a header that is "00" is none for it, and the first row one of values.
func (x *Exchange) checkDialect() error {
	if x.rt == nil || x.rt.typ != "csv" {
		return nil
	}
	header := []string{"", "0", "1", "true", "false"}
	for _, s := range []string{x.option(x.rt.csv.Comma), x.option(x.rt.csv.Quote)} {
		if len(s) > 1 {
			return refuse("malformed", "A separator or quote of the CSV is more than one ASCII character.")
		}
	}
	if !contains(header, x.option(x.rt.csv.Header)) {
		return refuse("malformed", "Whether the CSV has a header is said by 0 or 1.")
	}
	return nil
}

// columns are the names of a CSV's columns, from its first row on.
type columns struct {
	names []string
	known bool
}

// LocateRows finds the fields of rows of a streamed CSV: t are those behind the
// ones of the call before, the first time with what names their columns. An error
// is ErrShape.
func (x *Exchange) LocateRows(t *doc.Tree) (*Located, error) {
	f := &finder{x: x, t: t, rows: -1}
	f.found.Fields = newFields()
	return &f.found, f.locateCSV(&x.columns)
}

// locateCSV finds the fields of rows whose columns a header or the request
// names. Columns that nobody names are unclassified.
func (f *finder) locateCSV(c *columns) error {
	if len(f.x.op.records) != 1 {
		return ErrShape
	}
	r := &f.x.op.records[0]
	typ := f.typeAt(r, doc.Root)
	ent := f.x.p.entityOf(typ)
	for row := range f.t.Children(doc.Root) {
		if c.known {
			f.csvRow(r, row, typ, ent, c.names)
			continue
		}
		c.known = true
		if !f.x.hasHeader() {
			c.names = f.requestNames(r)
			f.csvRow(r, row, typ, ent, c.names)
		} else if c.names = f.headerNames(r, row, typ, ent); c.names == nil {
			return ErrShape
		}
	}
	return nil
}

// headerNames translates a header row. A row of which no cell is known is none
// but one of values, or a title; where the request names the columns, so is one
// that doesn't repeat them. A cell that isn't known can hold a value like any
// other.
func (f *finder) headerNames(r *recordAt, row int, typ string, ent *entity) []string {
	var cells, names []string
	known, before := false, len(f.found.Fields)
	for c := range f.t.Children(row) {
		cells = append(cells, f.t.Text(c))
		name, ok := r.fields[f.t.Text(c)]
		if r.header && len(r.fields) == 0 {
			name, ok = f.ownColumn(f.t.Text(c), typ, ent)
		}
		if ok && len(r.fields) > 0 && f.headsTwo(c) {
			name, ok = "", false // labels are given by people: which of the two it is can't be told
		}
		if ok && name == "" {
			name = publicColumn
		}
		names, known = append(names, name), known || ok
		if !ok {
			f.field(c, -1, ent, "", unclassified(), "")
		}
	}
	if r.columns == nil {
		if !known {
			return nil
		}
		return names
	}
	f.found.Fields = f.found.Fields[:before] // the request has these words, too
	if !slices.Equal(cells, f.x.columnNames(r)) && !f.headed(r, cells) {
		return nil
	}
	return f.requestNames(r)
}

// headsTwo reports whether another cell of the row has the same text.
func (f *finder) headsTwo(cell int) bool {
	for c := range f.t.Children(int(f.t.Nodes[cell].Parent)) {
		if c != cell && f.t.Text(c) == f.t.Text(cell) {
			return true
		}
	}
	return false
}

// headed reports whether a row are the texts that the request wants above the
// columns.
func (f *finder) headed(r *recordAt, cells []string) bool {
	if r.headings == nil {
		return false
	}
	same := func(cell string, v value) bool {
		return v.node >= 0 && strings.TrimSpace(f.x.tree.Text(v.node)) == strings.TrimSpace(cell)
	}
	return slices.EqualFunc(cells, f.x.valuesAt(*r.headings), same)
}

func (f *finder) requestNames(r *recordAt) []string {
	if r.columns == nil {
		return nil
	}
	names := f.x.columnNames(r)
	for i := range names {
		names[i] = strings.Join(f.x.p.steps(names[i], r.separator), ".")
	}
	return names
}

func (f *finder) csvRow(r *recordAt, row int, typ string, ent *entity, columns []string) {
	id, idColumn := "", r.idColumn(ent)
	i := 0
	for c := range f.t.Children(row) {
		if i < len(columns) && idColumn != "" && columns[i] == idColumn && f.canBeID(c) {
			id = f.t.Text(c)
		}
		i++
	}
	rec := f.record(ent, typ, id)
	if rec < 0 {
		f.found.Rows++
	}
	i = 0
	for c := range f.t.Children(row) {
		switch {
		case i < len(columns) && columns[i] == publicColumn:
		case i >= len(columns) || columns[i] == "":
			f.field(c, rec, ent, "", unclassified(), "")
		default:
			f.csvCell(r, c, rec, ent, typ, columns[i])
		}
		i++
	}
}

// publicColumn stands for a column that the profile says to hold no personal data.
const publicColumn = "\x00"

// idColumn is the column with a row's id: a header names that of the entity, too.
func (r *recordAt) idColumn(ent *entity) string {
	if r.id == "" && r.header && ent != nil {
		return ent.id
	}
	return r.id
}

// canBeID reports whether a cell can hold an id; an empty one holds nothing else.
func (f *finder) canBeID(cell int) bool {
	return !f.x.p.salesforceIDs || f.t.Text(cell) == "" || isSalesforceID(f.t.Text(cell))
}

func (f *finder) csvCell(r *recordAt, node, rec int, ent *entity, typ, name string) {
	switch {
	case name == r.idColumn(ent):
		if !f.canBeID(node) {
			f.field(node, rec, ent, name, unclassified(), "")
		}
		return
	case ent != nil && name == ent.id && r.id != "":
		f.field(node, rec, ent, name, unclassified(), "") // an id of the client's own
		return
	case ent != nil && name == ent.id:
		return
	}
	f.tell(node, rec, ent, name)
	before, said := len(f.found.Fields), len(f.found.Said)
	if f.x.asks != nil {
		f.queryColumn(node, rec, ent, name)
	} else {
		f.column(node, typ, strings.Split(name, "."))
	}
	for i := before; i < len(f.found.Fields); i++ {
		f.found.Fields[i].Record = rec
	}
	f.saidBy(rec, said)
}
