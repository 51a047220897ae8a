package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// partOf returns the part of a field that the steps behind its name lead to; nil
// where the field has no parts. A part that isn't listed can hold what all can.
func (p *Profile) partOf(typ, name string, steps []string) *field {
	e := p.entityOf(typ)
	if e == nil {
		return nil
	}
	fd := e.field(name)
	if fd == nil || fd.parts == nil {
		return nil
	}
	for _, step := range steps {
		if fd.parts == nil {
			return fd // a step into what is one value
		}
		fd = fd.parts.lookup(step, false)
	}
	return fd
}

// structured finds what stands in a value that isn't one value of one record.
func (f *finder) structured(node, object, rec int, ent *entity, name string, fd *field) {
	switch {
	case f.t.Nodes[node].Kind == doc.Null:
	case f.marked != nil:
		f.field(node, rec, ent, name, unclassified(), "")
	case fd.link != "" || fd.linkBy != "":
		f.links(node, object, rec, ent, name, fd)
	case fd.filter:
		f.filter(node, rec, ent, f.typeOf(ent), name)
	case fd.parts != nil:
		f.parts(node, object, rec, ent, name, fd)
	case fd.flat:
		f.flat(node, rec, ent, name, fd)
	case fd.named != "":
		f.fieldValue(node, -1, rec, ent, name, f.namedField(object, ent, fd))
	default:
		f.of(node, object, rec, ent, name, fd)
	}
}

// links finds the records whose ids a value holds. What is no id is unclassified.
func (f *finder) links(node, object, rec int, ent *entity, name string, fd *field) {
	switch f.t.Nodes[node].Kind {
	case doc.Array:
		for c := range f.t.Children(node) {
			f.links(c, object, rec, ent, name, fd)
		}
	case doc.Object:
		by := -1
		if fd.linkBy != "" && object >= 0 {
			by = f.t.Member(object, fd.linkBy)
		}
		if !fd.keys && (by < 0 || f.t.Nodes[by].Kind != doc.Object) {
			f.field(node, rec, ent, name, unclassified(), "") // could be a record
			return
		}
		f.linksByKey(node, by, rec, ent, name, fd)
	default:
		f.link(node, rec, ent, name, f.linkType(name, object, fd))
	}
}

// linksByKey finds the records whose ids are the values of an object's members.
func (f *finder) linksByKey(node, by, rec int, ent *entity, name string, fd *field) {
	if fd.keys {
		f.addField(node, rec, ent, name, fd.categories, "", true)
	}
	for c := range f.t.Children(node) {
		typ := fd.link
		if fd.linkBy != "" {
			typ = f.textAt(f.memberOf(by, f.t.Key(c)))
		}
		before := len(f.found.Fields)
		f.link(c, rec, ent, name, typ)
		if fd.keys && len(f.found.Fields) == before {
			f.field(c, rec, ent, name, []access.Category{access.Public}, "")
		}
	}
}

// link finds one record by its id. Without its type nobody could look for it in
// the log.
func (f *finder) link(node, rec int, ent *entity, name, typ string) {
	switch {
	case f.t.Nodes[node].Kind == doc.Null || f.t.Text(node) == "" && f.t.Nodes[node].Kind == doc.String:
	case !f.isID(node) || typ == "":
		f.field(node, rec, ent, name, unclassified(), "")
	default:
		if own, ok := f.x.p.typeOfID(f.t.Text(node)); ok {
			typ = own
		}
		f.record(f.x.p.entityOf(typ), typ, f.t.Text(node))
	}
}

func (f *finder) memberOf(node int, key string) int {
	if node < 0 || f.t.Nodes[node].Kind != doc.Object {
		return -1
	}
	return f.t.Member(node, key)
}

// textAt is the text of a string; "" for anything else.
func (f *finder) textAt(node int) string {
	if node < 0 || f.t.Nodes[node].Kind != doc.String {
		return ""
	}
	return f.t.Text(node)
}

// parts finds the fields that an object, or each of a list, consists of.
func (f *finder) parts(node, object, rec int, ent *entity, name string, fd *field) {
	switch f.t.Nodes[node].Kind {
	case doc.Array:
		for c := range f.t.Children(node) {
			f.parts(c, object, rec, ent, name, fd)
		}
	case doc.Object:
		if fd.keys {
			f.addField(node, rec, ent, name, fd.categories, "", true)
		}
		for c := range f.t.Children(node) {
			if f.isTypeName(f.t.Key(c), c) {
				continue
			}
			before := len(f.found.Fields)
			f.fieldValue(c, node, rec, ent, name+"."+f.t.Key(c), f.part(c, ent, fd))
			if fd.keys && len(f.found.Fields) == before {
				f.field(c, rec, ent, name, []access.Category{access.Public}, "")
			}
		}
	default:
		f.fieldValue(node, object, rec, ent, name, &field{categories: fd.categories})
	}
}

// part is the field that a member of a composite is.
func (f *finder) part(node int, ent *entity, fd *field) *field {
	if p := fd.parts.field(f.t.Key(node)); p != nil {
		return p
	}
	if ent != nil && ent.unknownNo.public() && holdsNumbers(f.t, node) {
		return ent.unknownNo
	}
	return fd.parts.unknown
}

// flat finds the record's own fields in an object.
func (f *finder) flat(node, rec int, ent *entity, name string, fd *field) {
	if f.t.Nodes[node].Kind != doc.Object || ent == nil {
		f.field(node, rec, ent, name, unclassified(), "")
		return
	}
	for c := range f.t.Children(node) {
		key := f.t.Key(c)
		if len(fd.at) == 0 || !isContainer(f.t, c) {
			f.memberAs(key, c, node, rec, ent)
			continue
		}
		stands := map[int]bool{}
		value := func(n int) {
			for i := n; i < int(f.t.Nodes[n].Next); i++ {
				stands[i] = true
			}
			f.past = f.inList(n, c)
			f.memberAs(key, n, int(f.t.Nodes[n].Parent), rec, ent)
			f.past = false
		}
		for _, p := range fd.at {
			p.each(f.t, c, value)
			if f.t.Nodes[c].Kind == doc.Array { // of objects, each with a value
				for one := range f.t.Children(c) {
					p.each(f.t, one, value)
				}
			}
		}
		f.besideValue(c, rec, ent, key, fd, stands)
	}
}

// inList reports whether a node stands in a list below another: values of a history.
func (f *finder) inList(node, below int) bool {
	for n := node; n > below; n = int(f.t.Nodes[n].Parent) {
		if f.t.Nodes[f.t.Nodes[n].Parent].Kind == doc.Array {
			return true
		}
	}
	return false
}

// besideValue finds what stands in a member of a flat object and is not its value.
func (f *finder) besideValue(node, rec int, ent *entity, name string, fd *field, stands map[int]bool) {
	for n := node; n < int(f.t.Nodes[node].Next); n++ {
		if stands[n] || isContainer(f.t, n) || f.t.Nodes[n].Kind == doc.Null || matchAny(fd.beside, f.t.Key(n)) {
			continue
		}
		if f.t.Nodes[n].Kind != doc.String && ent.unknownNo.public() {
			continue
		}
		f.field(n, rec, ent, name, unclassified(), "")
	}
}

// namedField is the field that a sibling names, or a member of the nearest object
// around it, up to the record.
func (f *finder) namedField(object int, ent *entity, fd *field) *field {
	name := ""
	first, _, _ := strings.Cut(fd.named, ".")
	for n := object; n >= 0 && ent != nil; n = int(f.t.Nodes[n].Parent) {
		if f.memberOf(n, fd.named) >= 0 || f.memberOf(n, first) >= 0 {
			if at := siblingOf(f.t, n, fd.named); at >= 0 && (f.t.Nodes[at].Kind == doc.String || f.t.Nodes[at].Kind == doc.Number) {
				name = f.t.Text(at)
			}
			break
		}
		if n == f.root {
			break
		}
	}
	if name == "" {
		return &field{categories: fd.categories}
	}
	return ent.lookup(name, false)
}

// of finds fields of another record, which the objects around the value name.
func (f *finder) of(node, object, rec int, ent *entity, name string, fd *field) {
	for n := object; n >= 0; n = int(f.t.Nodes[n].Parent) {
		at := f.memberOf(n, fd.ofType)
		if at < 0 {
			continue
		}
		typ, id := f.textAt(at), f.memberOf(n, fd.ofID)
		if f.t.Nodes[node].Kind != doc.Object || typ == "" || id < 0 || !f.isID(id) {
			break
		}
		past := f.past
		f.past = past || n != object // what a note says of a record, it was once
		f.object(nil, node, typ, f.x.p.entityOf(typ), f.t.Text(id))
		f.past = past
		return
	}
	f.field(node, rec, ent, name, unclassified(), "")
}
