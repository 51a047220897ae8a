package profile

import (
	"strings"
	"unicode"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// This file finds records and fields in documents whose values can carry marks
// and whose names can repeat: XML, vCard, LDIF, iCalendar (see doc.Marked).

// locateMarked finds the records of such a document. An answer that holds a fault
// is an error, whatever its status.
func (f *finder) locateMarked(status int) error {
	failed := status >= 400 || f.fault() >= 0
	described, placed := false, false
	for i := range f.x.op.records {
		r := &f.x.op.records[i]
		if r.fitsStatus(status) && (!failed || r.status != "") {
			f.locateAt(r, doc.Root)
			described, placed = true, placed || f.hasMarkedPlace(r.at.path)
		}
	}
	if status < 300 && !failed && described && !placed {
		return ErrShape
	}
	f.coverRest(doc.Root, failed)
	return f.lost
}

// hasMarkedPlace reports whether what holds the records is there: of elements that
// may stand any number of times, that is the element around them.
func (f *finder) hasMarkedPlace(p path) bool {
	if len(p) > 1 || len(p) == 1 && p[0].kind == stepElements {
		p = p[:len(p)-1]
	}
	return p.first(f.t, doc.Root) >= 0
}

// fault returns the element that says that the answer is an error: SOAP's Fault,
// or the one that the profile names.
func (f *finder) fault() int {
	if f.x.rt != nil && len(f.x.rt.fault) > 0 {
		return f.x.rt.fault.first(f.t, doc.Root)
	}
	node := doc.Root
	for _, name := range [...]string{"Envelope", "Body", "Fault"} {
		next := -1
		for c := range f.t.Children(node) {
			if localName(f.t.Key(c)) == name {
				next = c
			}
		}
		if next < 0 {
			return -1
		}
		node = next
	}
	return node
}

// blankText reports whether a text has neither a letter nor a digit. The bytes
// won't do: in another charset than UTF-8 they aren't letters.
func blankText(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0
}

// localName is a key without the profile's prefix.
func localName(key string) string { return key[strings.LastIndexByte(key, ':')+1:] }

// silent reports whether a text holds no value: white space, what says how the
// document is read, and in an error SOAP's codes.
func (f *finder) silent(node int, failed bool) bool {
	if f.marked == nil {
		return false
	}
	return f.t.Nodes[node].Kind == doc.String && blankText(f.t.Text(node)) || f.marked.Markup(f.t, node) || failed && f.faultCode(node)
}

// faultCode reports whether a text is the code of a SOAP fault: a name that says
// whose mistake it was.
func (f *finder) faultCode(node int) bool {
	const most = 64
	if f.t.Nodes[node].Kind != doc.String {
		return false
	}
	way := ""
	for n := node; n > doc.Root; n = int(f.t.Nodes[n].Parent) {
		if key := f.t.Key(n); key != "#text" {
			way = "/" + localName(key) + way
		}
	}
	rest, ok := strings.CutPrefix(way, "/Envelope/Body/Fault/")
	if !ok {
		return false
	}
	switch rest {
	case "faultcode", "Code/Value", "Code/Subcode/Value":
		text := strings.TrimSpace(f.t.Text(node))
		return len(text) <= most && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-") == ""
	}
	return false
}

// markedNode handles one node at which a record stands.
func (f *finder) markedNode(r *recordAt, node int, typ string, ent *entity) {
	switch {
	case r.field != "":
		rec := f.record(ent, typ, f.idAt(r, node))
		res := f.x.p.resolve(typ, strings.Split(f.x.expand(r.field), "."))
		f.markedField(node, -1, rec, res.entity, res.name, res.field)
	case r.bare:
		leaf := doc.Leaf(f.t, node)
		f.bare(leaf, typ, ent)
		f.marks(node, leaf, -1, ent, typ)
	default:
		f.markedRecord(r, node, typ, ent)
	}
}

// markedRecord finds the fields of one record. r is nil for a related one.
func (f *finder) markedRecord(r *recordAt, node int, typ string, ent *entity) {
	if f.t.Nodes[node].Kind != doc.Object {
		if !f.silent(node, false) {
			f.field(node, -1, ent, typ, unclassified(), "")
		}
		return
	}
	id := ""
	if r != nil {
		id = f.idAt(r, node)
	}
	m := members{f: f, r: r, node: node, ent: ent, id: id}
	if id == "" && ent != nil {
		m.id = m.text(ent.id)
		if f.x.p.integerIDs && !isInteger(m.id) || isOwn(m.id) {
			m.id = ""
		}
	}
	m.rec = f.record(ent, typ, m.id)
	if m.rec < 0 && (ent == nil || !ent.internal) {
		f.found.Rows++
	}
	if ent == nil {
		f.field(node, m.rec, nil, typ, unclassified(), "")
		return
	}
	if ent.owner != "" && m.rec >= 0 {
		f.own(m.rec, ent, m.member(ent.owner))
	}
	m.each("", node)
}

// members are those of one record of a marked document.
type members struct {
	f    *finder
	r    *recordAt
	node int
	ent  *entity
	rec  int
	id   string
}

// name is the field's name that a member stands for: its own, or the one that the
// record's place gives it. "" is public, and "?" a name that isn't given there.
func (m *members) name(key string) string {
	switch {
	case key == "":
		return "?" // a pair's that has none
	case m.r == nil || len(m.r.fields) == 0:
		return key
	}
	if name, ok := m.r.fields[key]; ok {
		return name
	}
	return "?"
}

// member returns the leaf of the one member that stands for a field, -1 where
// there is none, or several that differ: readers take the first or the last.
func (m *members) member(name string) int {
	found := -1
	take := func(node int) {
		leaf := doc.Leaf(m.f.t, node)
		switch {
		case isContainer(m.f.t, leaf) || m.f.t.Nodes[leaf].Kind == doc.Null:
		case found < 0:
			found = leaf
		case found >= 0 && m.f.t.Text(found) != m.f.t.Text(leaf):
			found = len(m.f.t.Nodes)
		}
	}
	for c := range m.f.t.Children(m.node) {
		if m.name(m.f.t.Key(c)) == name {
			take(c)
		}
	}
	m.f.pairs(m.r, m.node, func(n string, _, value int) {
		if n == name {
			take(value)
		}
	})
	if found >= len(m.f.t.Nodes) {
		return -1
	}
	return found
}

// text is the text of the member that stands for a field.
func (m *members) text(name string) string {
	if n := m.member(name); n >= 0 {
		return strings.TrimSpace(m.f.t.Text(n))
	}
	return ""
}

// each finds what the members of an element hold. prefix leads to the element
// from the record: a field below another element is named by the way to it.
func (m *members) each(prefix string, node int) {
	for c := range m.f.t.Children(node) {
		switch key := m.f.t.Key(c); {
		case m.f.silent(c, false):
		case key == "" || key[0] == '#':
			m.f.field(c, m.rec, m.ent, key, unclassified(), "")
		case prefix == "" && m.r.isPairs(key):
			m.listed(c)
		default:
			m.one(prefix+key, c)
		}
	}
}

func (m *members) one(key string, node int) {
	f, name := m.f, m.name(key)
	switch {
	case name == "":
		return
	case name == m.ent.id && m.id != "" && m.isID(node):
		return
	case m.leads(key) && f.t.Nodes[doc.Leaf(f.t, node)].Kind == doc.Object:
		m.each(key+".", node)
		return
	}
	m.value(name, node)
}

// isID reports whether a node repeats the record's id.
func (m *members) isID(node int) bool {
	leaf := doc.Leaf(m.f.t, node)
	if m.f.t.Nodes[leaf].Kind != doc.String || strings.TrimSpace(m.f.t.Text(leaf)) != m.id {
		return false
	}
	m.f.marks(node, leaf, m.rec, m.ent, m.ent.id)
	return true
}

// leads reports whether a listed name goes on behind this one.
func (m *members) leads(key string) bool {
	begins := func(name string) bool { return strings.HasPrefix(name, key+".") }
	if m.r != nil && len(m.r.fields) > 0 {
		for name := range m.r.fields {
			if begins(name) {
				return true
			}
		}
		return false
	}
	for name := range m.ent.exact {
		if begins(name) {
			return true
		}
	}
	for name := range m.ent.relations {
		if begins(name) {
			return true
		}
	}
	return false
}

// value finds what a field of that name holds.
func (m *members) value(name string, node int) {
	f := m.f
	if name == "?" {
		f.field(node, m.rec, m.ent, f.t.Key(node), unclassified(), "")
		return
	}
	known := f.lookUp(m.ent, name)
	switch {
	case known.relates:
		f.markedRelation(node, known.related)
	case known.field != nil && name != m.ent.id:
		f.markedField(node, m.node, m.rec, m.ent, name, known.field)
	case f.t.Nodes[doc.Leaf(f.t, node)].Kind == doc.Object || name == m.ent.id:
		f.field(node, m.rec, m.ent, name, unclassified(), "")
	default:
		f.markedField(node, m.node, m.rec, m.ent, name, m.ent.unknown)
	}
}

// markedRelation finds the record, or the text that stands for one, in an element.
func (f *finder) markedRelation(node int, typ string) {
	leaf := doc.Leaf(f.t, node)
	if f.t.Nodes[leaf].Kind != doc.String {
		f.other(node, typ)
		return
	}
	f.other(leaf, typ)
	f.marks(node, leaf, -1, f.x.p.entityOf(typ), typ)
}

// markedField finds a field's value in an element, an attribute or a text. What
// isn't one text is so in all of its texts.
func (f *finder) markedField(node, object, rec int, ent *entity, name string, fd *field) {
	if fd.keys {
		f.lost = ErrShape // names of elements can't be masked
		return
	}
	leaf := doc.Leaf(f.t, node)
	if f.t.Nodes[leaf].Kind != doc.String {
		f.fieldValue(node, object, rec, ent, name, fd)
		return
	}
	if !f.silent(leaf, false) {
		f.fieldValue(leaf, object, rec, ent, name, fd)
	}
	f.marks(node, leaf, rec, ent, name)
}

// marks finds what stands beside an element's text: its attributes, named
// `element@attribute`, and its comments.
func (f *finder) marks(node, leaf, rec int, ent *entity, name string) {
	for n := node + 1; n < int(f.t.Nodes[node].Next); n++ {
		if n == leaf || f.t.Nodes[n].Kind != doc.String || f.silent(n, false) {
			continue
		}
		key := f.t.Key(n)
		if key[0] != '@' || ent == nil {
			f.field(n, rec, ent, name, unclassified(), "")
			continue
		}
		fd := ent.field(name + key)
		if fd == nil {
			fd = ent.unknown
		}
		f.fieldValue(n, -1, rec, ent, name+key, fd)
	}
}

// spread adds a field for a text, and for every one below an element.
func (f *finder) spread(node int, one access.FoundField) {
	shape := one.Shape
	for n := node; n < int(f.t.Nodes[node].Next); n++ {
		if f.t.Nodes[n].Kind != doc.String || f.silent(n, false) {
			continue
		}
		one.Node, one.Shape = n, shape
		if shape == "" && f.marked.Binary(f.t, n) {
			one.Shape = access.ShapeBase64
		}
		f.found.Fields = append(f.found.Fields, one)
	}
}

// repeats reports whether an object has several members of a name.
func repeats(t *doc.Tree, object int, name string) bool {
	if _, marked := t.Format.(doc.Marked); !marked {
		return false
	}
	count := 0
	for c := range t.Children(object) {
		if t.Key(c) == name {
			count++
		}
	}
	return count > 1
}
