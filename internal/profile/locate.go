package profile

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// ErrShape says that a response hasn't the shape that the profile describes:
// what stands in it can't be told, so nothing of it may pass.
var ErrShape = errors.New("the response has not the shape that the profile describes")

// recordAt is a compiled place in a response where records stand.
type recordAt struct {
	at        expr
	selector  string
	entity    string
	relEntity path
	id        string
	relID     path
	idExpr    *expr
	bare      bool
	field     string
	columns   *expr
	header    bool
	separator string
	tuple     []string
	fields    map[string]string
	status    string
	html      *htmlRecord
}

// Located is what was found in a response: in its document, and in documents
// that stand as texts inside it.
type Located struct {
	access.Found
	Nested []Nested
}

// Nested is a document that is the text of a node.
type Nested struct {
	Node int
	Tree *doc.Tree
	Located
}

// finder collects what is found in one document.
type finder struct {
	x       *Exchange
	t       *doc.Tree
	found   Located
	covered []span // subtrees that a record or field accounts for
	depth   int    // of nested documents
}

type span struct{ from, to int }

// maxNested is how deep documents may stand in each other.
const maxNested = 3

// Locate finds records and fields in a response. status is the HTTP status.
func (x *Exchange) Locate(t *doc.Tree, status int) (*Located, error) {
	f := &finder{x: x, t: t}
	if x.tr != nil {
		return &f.found, f.locateCall()
	}
	switch x.Type {
	case "html":
		return &f.found, f.locateHTML(status)
	case "csv":
		return &f.found, f.locateCSV()
	}
	for i := range x.op.records {
		r := &x.op.records[i]
		if r.fitsStatus(status) {
			f.locateAt(r, doc.Root)
		}
	}
	f.coverRest(doc.Root, status >= 400)
	return &f.found, nil
}

// LocateRow finds the fields of one row of a streamed response: t is the row.
func (x *Exchange) LocateRow(t *doc.Tree) (*Located, error) {
	f := &finder{x: x, t: t}
	for i := range x.op.records {
		f.locateNode(&x.op.records[i], doc.Root)
	}
	f.coverRest(doc.Root, false)
	return &f.found, nil
}

// nested finds the records in a text that is a document of its own, and
// reports whether it is one.
func (f *finder) nested(node int, typ string, ent *entity) bool {
	if f.depth >= maxNested {
		return false
	}
	t, err := parseJSON([]byte(f.t.Text(node)))
	if err != nil {
		return false
	}
	in := &finder{x: f.x, t: t, depth: f.depth + 1}
	in.related(doc.Root, typ, ent, nil)
	f.found.Nested = append(f.found.Nested, Nested{Node: node, Tree: t, Located: in.found})
	return true
}

func (r *recordAt) fitsStatus(status int) bool {
	if r.status == "" {
		return status < 400
	}
	if strings.HasSuffix(r.status, "xx") {
		return status/100 == int(r.status[0]-'0')
	}
	return r.status == strconv.Itoa(status)
}

// locateCall reads the envelope of a remote call's answer.
func (f *finder) locateCall() error {
	t, tr := f.t, f.x.tr
	if t.Nodes[doc.Root].Kind != doc.Object {
		return ErrShape
	}
	result, failed := tr.result.first(t, doc.Root), tr.failure.at.first(t, doc.Root)
	if (result < 0) == (failed < 0) {
		return ErrShape
	}
	for c := range t.Children(doc.Root) {
		if c != result && c != failed && !contains(tr.envelope, t.Key(c)) {
			return ErrShape
		}
	}
	if failed >= 0 {
		f.locateFailure(failed)
		return nil
	}
	for i := range f.x.op.records {
		f.locateAt(&f.x.op.records[i], result)
	}
	if f.x.op.question && len(f.found.Records) == 0 {
		f.found.Rows = max(f.found.Rows, 1)
	}
	f.coverRest(result, false)
	return nil
}

// locateFailure withholds the texts of an error that could carry values.
func (f *finder) locateFailure(node int) {
	tr := f.x.tr
	name := tr.failure.name.first(f.t, node)
	if name >= 0 {
		if paths, ok := tr.failure.known[f.t.Text(name)]; ok {
			for _, p := range paths {
				p.each(f.t, node, f.withhold)
			}
			return
		}
	}
	f.withhold(node)
}

// withhold replaces every text below a node.
func (f *finder) withhold(node int) {
	text := f.x.p.withheld
	for n := node; n < int(f.t.Nodes[node].Next); n++ {
		switch f.t.Nodes[n].Kind {
		case doc.String:
			if f.t.Text(n) != "" {
				f.found.Withheld = append(f.found.Withheld, access.Withheld{Node: n, Entity: f.entityName(), Text: text})
			}
		case doc.Number:
			f.field(n, -1, f.x.ent, "", []access.Category{access.Unclassified}, access.ShapeNumber)
		}
	}
}

func (f *finder) entityName() access.Entity {
	if f.x.ent == nil {
		return access.Entity(f.x.typ)
	}
	return f.x.ent.name
}

func (f *finder) locateAt(r *recordAt, result int) {
	root := doc.Root
	if r.at.origin == fromResult {
		root = result
	}
	r.at.path.each(f.t, root, func(n int) { f.locateNode(r, n) })
}

// locateNode handles one node at which a record stands.
func (f *finder) locateNode(r *recordAt, node int) {
	typ := f.typeAt(r, node)
	ent := f.x.p.entityOf(typ)
	switch {
	case r.columns != nil:
		f.columnRow(r, node, typ)
	case r.tuple != nil:
		f.tuple(r, node, typ, ent)
	case r.field != "":
		rec := f.record(ent, typ, f.idAt(r, node))
		f.value(node, -1, rec, typ, f.x.expand(r.field))
	case r.bare:
		f.bare(node, typ, ent)
	default:
		f.related(node, typ, ent, r)
	}
	f.cover(node)
}

func (f *finder) typeAt(r *recordAt, node int) string {
	switch {
	case r.relEntity != nil:
		return f.t.Text(max(r.relEntity.first(f.t, node), 0))
	case r.entity != "":
		return f.x.expand(r.entity)
	}
	return f.x.typ
}

// expand returns the variable that {name} stands for, or the word itself.
func (x *Exchange) expand(s string) string {
	if strings.HasPrefix(s, "{") {
		return x.vars[strings.Trim(s, "{}")]
	}
	return s
}

// idAt returns the id that the record's place names, "" where the record's own
// field does.
func (f *finder) idAt(r *recordAt, node int) string {
	if r.relID != nil {
		if n := r.relID.first(f.t, node); n >= 0 {
			return f.t.Text(n)
		}
	}
	if r.idExpr != nil {
		for _, v := range f.x.valuesAt(*r.idExpr) {
			if v.node < 0 {
				return v.text
			}
			return f.x.tree.Text(v.node)
		}
	}
	return ""
}

// record adds a record and returns its index; records of internal entities and
// records without an id are not named.
func (f *finder) record(ent *entity, typ, id string) int {
	if ent != nil && ent.internal || id == "" {
		return -1
	}
	f.found.Records = append(f.found.Records, access.FoundRecord{
		Record: access.Record{Entity: entityName(ent, typ), Type: typ, ID: id},
	})
	return len(f.found.Records) - 1
}

// object finds the fields of one record.
func (f *finder) object(node int, typ string, ent *entity, id string) {
	t := f.t
	if id == "" && ent != nil {
		if n := t.Member(node, ent.id); n >= 0 {
			id = t.Text(n)
		}
	}
	rec := f.record(ent, typ, id)
	if rec < 0 && (ent == nil || !ent.internal) {
		f.found.Rows++
	}
	if rec >= 0 && ent != nil {
		f.own(rec, ent, f.t.Member(node, ent.owner))
	}
	if ent == nil {
		f.field(node, rec, nil, typ, []access.Category{access.Unclassified}, "")
		return
	}
	for c := t.First(node); c >= 0; c = t.After(c) {
		f.member(c, node, rec, ent)
	}
}

// own settles the fact `own` where the record names its owner.
func (f *finder) own(rec int, ent *entity, owner int) {
	if ent.owner == "" || owner < 0 {
		return
	}
	state := access.FactFalse
	if f.x.User != "" && f.t.Text(owner) == f.x.User {
		state = access.FactTrue
	}
	f.found.Records[rec].Facts = access.Facts{"own": state}
}

// member finds what one member of a record holds.
func (f *finder) member(node, object, rec int, ent *entity) {
	name := f.t.Key(node)
	if name == ent.id {
		return
	}
	if fd := ent.field(name); fd != nil {
		f.fieldValue(node, object, rec, ent, name, fd)
		return
	}
	p := f.x.p
	if p.suffix != "" && strings.HasSuffix(name, p.suffix) {
		// A record of an unknown kind is masked whole, even where unknown
		// fields pass.
		if related := f.nestedType(node, object, ent, strings.TrimSuffix(name, p.suffix)); related != "" {
			f.related(node, related, p.entityOf(related), nil)
		} else {
			f.field(node, rec, ent, name, []access.Category{access.Unclassified}, "")
		}
		return
	}
	if related, ok := p.relation(ent, name); ok {
		f.related(node, related, p.entityOf(related), nil)
		return
	}
	f.fieldValue(node, object, rec, ent, name, f.unknown(node, ent))
}

// nestedType returns the type of the record nested beside a field: the
// relation's, or the one that the reference beside it names.
func (f *finder) nestedType(node, object int, ent *entity, base string) string {
	if related, ok := f.x.p.relation(ent, base); ok {
		return related
	}
	if fd := ent.field(base); fd != nil && fd.reference {
		if n := f.t.Member(object, base); n >= 0 && isReference(f.t.Text(n)) {
			typ, _, _ := strings.Cut(f.t.Text(n), ",")
			return typ
		}
	}
	return ""
}

func (f *finder) unknown(node int, ent *entity) *field {
	switch f.t.Nodes[node].Kind {
	case doc.Number, doc.Bool, doc.Null:
		return ent.unknownNo
	}
	return ent.unknown
}

// value finds a named field's value at a node.
func (f *finder) value(node, object, rec int, typ, name string) {
	res := f.x.p.resolve(typ, strings.Split(name, "."))
	if res.related != "" {
		f.related(node, res.related, f.x.p.entityOf(res.related), nil)
		return
	}
	f.fieldValue(node, object, rec, res.entity, name, res.field)
}

func (f *finder) fieldValue(node, object, rec int, ent *entity, name string, fd *field) {
	if fd.reference && f.t.Nodes[node].Kind == doc.String && isReference(f.t.Text(node)) {
		typ, id, _ := strings.Cut(f.t.Text(node), ",")
		f.record(f.x.p.entityOf(typ), typ, id)
		return
	}
	if fd.public() {
		return
	}
	if fd.file && f.t.Nodes[node].Kind == doc.Number && f.x.asksSize(fd) {
		return
	}
	if fd.withhold {
		f.withhold(node)
		return
	}
	if fd.decode != "" && f.t.Nodes[node].Kind == doc.String && f.nested(node, f.x.typ, ent) {
		return
	}
	cats := f.x.pickCategories(f.t, object, node, fd)
	if shapes := f.x.p.wrappedShapes(f.t, node); shapes != nil {
		for c := range f.t.Children(node) {
			if key := f.t.Key(c); key != f.x.p.wrapped.key {
				f.addField(c, rec, ent, name, cats, shapes[key], fd)
			}
		}
		return
	}
	f.addField(node, rec, ent, name, cats, "", fd)
}

func (f *finder) addField(node, rec int, ent *entity, name string, cats []access.Category, shape access.Shape, fd *field) {
	f.found.Fields = append(f.found.Fields, access.FoundField{
		Node: node, Record: rec, Entity: entityName(ent, f.x.typ), Name: name,
		Categories: cats, Shape: shape, Keys: fd.keys, Echo: f.x.op.echo,
	})
}

func (f *finder) field(node, rec int, ent *entity, name string, cats []access.Category, shape access.Shape) {
	f.addField(node, rec, ent, name, cats, shape, unclassifiedField)
}

// pickCategories chooses among a field's categories by its sibling or its form.
func (x *Exchange) pickCategories(t *doc.Tree, object, node int, f *field) []access.Category {
	if len(f.categories) < 2 {
		return f.categories
	}
	if f.by != "" && object >= 0 {
		if n := t.Member(object, f.by); n >= 0 && t.Nodes[n].Kind == doc.String {
			c, ok := f.values[t.Text(n)]
			if !ok {
				c, ok = f.values["*"]
			}
			if ok {
				return []access.Category{c}
			}
		}
	}
	if f.detect && t.Nodes[node].Kind == doc.String {
		if c := detect(t.Text(node)); c != "" && containsCategory(f.categories, c) {
			return []access.Category{c}
		}
	}
	return f.categories
}

func containsCategory(list []access.Category, c access.Category) bool {
	return slices.Contains(list, c)
}

// related finds records nested in, or named by, a value: an object, a list of
// objects or ids, an id, a reference, or an object of changes.
func (f *finder) related(node int, typ string, ent *entity, r *recordAt) {
	t := f.t
	switch t.Nodes[node].Kind {
	case doc.Object:
		if f.isChanges(node) {
			for c := range t.Children(node) {
				f.changes(c, typ, ent)
			}
			return
		}
		id := ""
		if r != nil {
			id = f.idAt(r, node)
		}
		f.object(node, typ, ent, id)
	case doc.Array:
		for c := range t.Children(node) {
			f.related(c, typ, ent, r)
		}
	case doc.Number:
		f.bare(node, typ, ent)
	case doc.String:
		text := t.Text(node)
		if isReference(text) {
			refTyp, id, _ := strings.Cut(text, ",")
			f.record(f.x.p.entityOf(refTyp), refTyp, id)
			return
		}
		f.field(node, -1, ent, typ, f.x.p.displayParts(access.RefSelect, typ, 0), "")
	}
}

// isChanges reports whether every member of an object is a list of changes.
func (f *finder) isChanges(node int) bool {
	if len(f.x.p.changes) == 0 || f.t.First(node) < 0 {
		return false
	}
	for c := range f.t.Children(node) {
		if !contains(f.x.p.changes, f.t.Key(c)) {
			return false
		}
	}
	return true
}

// changes finds the records in a list of changes; numbers there are positions.
func (f *finder) changes(node int, typ string, ent *entity) {
	switch f.t.Nodes[node].Kind {
	case doc.Object:
		f.object(node, typ, ent, "")
	case doc.Array:
		for c := range f.t.Children(node) {
			f.changes(c, typ, ent)
		}
	case doc.String:
		f.field(node, -1, ent, typ, []access.Category{access.Unclassified}, "")
	}
}

// bare handles an id that stands alone.
func (f *finder) bare(node int, typ string, ent *entity) {
	switch f.t.Nodes[node].Kind {
	case doc.Number, doc.String:
		f.record(ent, typ, f.t.Text(node))
	case doc.Array:
		for c := range f.t.Children(node) {
			f.bare(c, typ, ent)
		}
	case doc.Object:
		f.field(node, -1, ent, typ, []access.Category{access.Unclassified}, "")
	}
}

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
			f.field(c, rec, ent, typ, []access.Category{access.Unclassified}, "")
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
			f.field(c, -1, f.x.ent, typ, []access.Category{access.Unclassified}, "")
			continue
		}
		f.column(c, typ, strings.Split(columns[i], r.separator))
		i++
	}
}

// column finds the value of one cell of a positional row.
func (f *finder) column(node int, typ string, steps []string) {
	res := f.x.p.resolve(typ, steps)
	fd := res.field
	if res.related != "" {
		// A relation in a cell is shown by its display.
		fd = &field{categories: f.x.p.displayParts(access.RefSelect, res.related, 0), detect: true}
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
		for c := range x.tree.Children(v.node) {
			names = append(names, x.tree.Text(c))
		}
	}
	return names
}

func (f *finder) cover(node int) {
	f.covered = append(f.covered, span{node, int(f.t.Nodes[node].Next)})
}

// coverRest finds the texts that no record accounts for: the profile doesn't
// know them. In an error they are withheld, elsewhere unclassified.
func (f *finder) coverRest(root int, failed bool) {
	slices.SortFunc(f.covered, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	next := 0
	for n := root; n < int(f.t.Nodes[root].Next); n++ {
		for next < len(f.covered) && f.covered[next].to <= n {
			next++
		}
		if next < len(f.covered) && f.covered[next].from <= n {
			n = f.covered[next].to - 1
			continue
		}
		if f.t.Nodes[n].Kind != doc.String || f.x.isPublic(f.t, n) {
			continue
		}
		if failed {
			f.withhold(n)
			continue
		}
		f.field(n, -1, f.x.ent, f.t.Key(n), []access.Category{access.Unclassified}, "")
	}
}

// isPublic reports whether the operation lists a member as public.
func (x *Exchange) isPublic(t *doc.Tree, node int) bool {
	if len(x.op.public) == 0 {
		return false
	}
	for n := node; n >= 0; n = int(t.Nodes[n].Parent) {
		if key := t.Key(n); key != "" && matchAny(x.op.public, key) {
			return true
		}
	}
	return false
}
