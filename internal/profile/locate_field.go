package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// value finds a named field's value at a node.
func (f *finder) value(node, object, rec int, typ, name string) {
	res := f.resolve(typ, name)
	if res.related != "" {
		f.other(node, res.related)
		return
	}
	f.fieldValue(node, object, rec, res.entity, name, res.field)
}

// resolvedName is what a dotted name leads to from records of a type.
type resolvedName struct {
	typ, name string
	resolved  resolved
}

// resolve asks the profile for a name, if it didn't before.
func (f *finder) resolve(typ, name string) resolved {
	for i := range f.resolved {
		if k := &f.resolved[i]; k.name == name && k.typ == typ {
			return k.resolved
		}
	}
	res := f.x.p.resolve(typ, strings.Split(name, "."))
	if len(f.resolved) < maxResolved {
		f.resolved = append(f.resolved, resolvedName{typ, name, res})
	}
	return res
}

// maxResolved bounds the search among what was looked up.
const maxResolved = 32

func (f *finder) fieldValue(node, object, rec int, ent *entity, name string, fd *field) {
	if f.x.Wants != nil {
		f.tell(node, rec, ent, name)
	}
	fd = f.x.widened(fd)
	if fd.consent != nil {
		f.said(node, rec, ent, name, fd)
	}
	if fd.reference && f.t.Nodes[node].Kind == doc.String {
		f.reference(node, rec, ent, name)
		return
	}
	if fd.structured() {
		f.structured(node, object, rec, ent, name, fd)
		return
	}
	if f.typed {
		return
	}
	if fd.reference && f.t.Nodes[node].Kind != doc.Null { // an object or a list names no record, and could hold anything
		f.field(node, rec, ent, name, unclassified(), "")
		return
	}
	if fd.public() {
		f.publicValue(node, rec, ent, name, fd)
		return
	}
	if f.tellsNothing(node, fd) {
		return
	}
	if fd.withhold {
		f.withhold(node)
		return
	}
	if fd.decode != "" && f.t.Nodes[node].Kind == doc.String && f.nested(node, f.typeOf(ent), ent, fd.decode) {
		return
	}
	if f.isTagged(node, fd) {
		f.tagged(node, object, rec, ent, name, fd)
		return
	}
	f.personal(node, rec, ent, name, fd, f.x.pickCategories(f.t, object, node, fd))
}

// personal finds a value that holds personal data, the parts of a typed object one by one.
func (f *finder) personal(node, rec int, ent *entity, name string, fd *field, cats []access.Category) {
	if shapes := f.x.p.wrappedShapes(f.t, node); shapes != nil {
		for c := range f.t.Children(node) {
			if key := f.t.Key(c); key != f.x.p.wrapped.key {
				f.addField(c, rec, ent, name, cats, fd.shape(shapes[key]), fd.keys)
			}
		}
		return
	}
	shape := access.Shape("")
	if f.marked != nil && f.marked.Binary(f.t, node) {
		shape = fd.shape(access.ShapeBase64)
	}
	f.addField(node, rec, ent, name, cats, shape, fd.keys)
}

// tellsNothing reports whether a value of a personal field is none: a file's size,
// a false that says that there is no text, the name of a company.
func (f *finder) tellsNothing(node int, fd *field) bool {
	return fd.file && f.x.asksSize(fd) && f.isSize(node) || f.x.p.isEmpty(f.t, node) && !fd.canBeBool() ||
		fd.companies && f.t.Nodes[node].Kind == doc.String && isCompany(f.t.Text(node)) ||
		fd.position && f.t.Nodes[node].Kind == doc.String && isPosition(f.t.Text(node))
}

// isSize reports whether a file's value is its size: a number, or `12.30 Kb`.
func (f *finder) isSize(node int) bool {
	if f.t.Nodes[node].Kind == doc.Number {
		return true
	}
	const most = 16
	text := f.t.Text(node)
	number, unit, ok := strings.Cut(text, " ")
	return ok && f.t.Nodes[node].Kind == doc.String && len(text) <= most && strings.Trim(number, "0123456789.") == "" &&
		slices.Contains([]string{"bytes", "kb", "mb", "gb", "tb"}, strings.ToLower(unit))
}

// canBeBool reports whether a value of the field could be a boolean that tells
// something of a person.
func (f *field) canBeBool() bool {
	for _, c := range []access.Category{access.Special, access.Unclassified, access.Credential} {
		if slices.Contains(f.categories, c) {
			return true
		}
	}
	return false
}

// reference finds the record that a value names: "party.party,47". A text of
// another form could be anything.
func (f *finder) reference(node, rec int, ent *entity, name string) {
	text := f.t.Text(node)
	if !isReference(text) && text != "" {
		f.field(node, rec, ent, name, unclassified(), "")
		return
	}
	typ, id, _ := strings.Cut(text, ",")
	if !isOwn(id) {
		f.record(f.x.p.entityOf(typ), typ, id)
	}
}

// typeOf is the CRM's word for records of an entity in this exchange.
func (f *finder) typeOf(ent *entity) string {
	if ent == f.x.ent || ent == nil {
		return f.x.typ
	}
	return string(ent.name)
}

// echoes reports whether the answer's own values come from what the client sent
// and from nothing else: a new record's. Beside a stored record, a value that
// stays clear because the client sent the same would confirm a guess.
func (x *Exchange) echoes() bool {
	if !x.op.echo {
		return false
	}
	for _, w := range x.writes {
		if len(w.IDs) > 0 {
			return false
		}
	}
	return true
}

func (f *finder) addField(node, rec int, ent *entity, name string, cats []access.Category, shape access.Shape, keys bool) {
	found := access.FoundField{
		Node: node, Record: rec, Entity: entityName(ent, f.x.typ), Name: name,
		Categories: cats, Shape: shape, Keys: keys, Echo: f.echo,
	}
	if f.marked != nil {
		f.spread(node, found)
		return
	}
	f.found.Fields = append(f.found.Fields, found)
}

func (f *finder) field(node, rec int, ent *entity, name string, cats []access.Category, shape access.Shape) {
	f.addField(node, rec, ent, name, cats, shape, false)
}

// pickCategories chooses among a field's categories by its sibling or its form.
func (x *Exchange) pickCategories(t *doc.Tree, object, node int, f *field) []access.Category {
	cats := x.byOf(f, t, object)
	if len(cats) > 1 && f.detect && t.Nodes[node].Kind == doc.String {
		if c := detect(t.Text(node)); c != "" && slices.Contains(cats, c) {
			return []access.Category{c}
		}
	}
	return cats
}

// byOf chooses among a field's categories by its sibling alone.
func (x *Exchange) byOf(f *field, t *doc.Tree, object int) []access.Category {
	if f.by == "" || object < 0 {
		return f.categories
	}
	n := siblingOf(t, object, f.by)
	if n < 0 || t.Nodes[n].Kind != doc.String && t.Nodes[n].Kind != doc.Number {
		return f.categories
	}
	c, ok := f.values[t.Text(n)]
	if !ok {
		c, ok = f.values["*"]
	}
	if !ok {
		return f.categories
	}
	return []access.Category{c}
}

// siblingOf is the scalar that a word names beside a value: a member, or the way to
// one in a member (`kind.type`); -1 where there is none, or two of one name.
func siblingOf(t *doc.Tree, object int, way string) int {
	if n := t.Member(object, way); n >= 0 || !strings.Contains(way, ".") {
		if n >= 0 && repeats(t, object, way) {
			return -1
		}
		return doc.Leaf(t, n)
	}
	n := object
	for key := range strings.SplitSeq(way, ".") {
		at := t.Member(n, key)
		if at < 0 || repeats(t, n, key) {
			return -1
		}
		n = at
	}
	return doc.Leaf(t, n)
}

// publicValue passes what is public; but whoever wrote `*_id: public` had no record in
// mind.
func (f *finder) publicValue(node, rec int, ent *entity, name string, fd *field) {
	if fd.plain && f.holdsObject(node) {
		f.unlistedObject(node, rec, ent, name)
	}
}

// unlistedObject hides what an object holds that the profile doesn't describe: all but
// booleans, in entities whose numbers, booleans and null aren't personal.
func (f *finder) unlistedObject(node, rec int, ent *entity, name string) {
	if ent == nil || !ent.unknownNo.public() || !f.holdsBool(node) || !f.plainKeys(node) {
		f.field(node, rec, ent, name, unclassified(), "")
		return
	}
	for c := range f.t.Children(node) {
		f.unlistedObject(c, rec, ent, name)
	}
}

// plainKeys reports whether an object's keys are names: others can be values.
func (f *finder) plainKeys(node int) bool {
	if f.t.Nodes[node].Kind != doc.Object {
		return true
	}
	for c := range f.t.Children(node) {
		if !plainName(f.t.Key(c)) || isDigit(f.t.Key(c)[0]) {
			return false
		}
	}
	return true
}

func (f *finder) holdsBool(node int) bool {
	for n := node; n < int(f.t.Nodes[node].Next); n++ {
		if f.t.Nodes[n].Kind == doc.Bool {
			return true
		}
	}
	return false
}
