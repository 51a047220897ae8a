package profile

import (
	"regexp"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// locateOData finds the records of an answer to an address of OData.
func (f *finder) locateOData(status int) error {
	if status >= 400 {
		f.coverRest(doc.Root, true)
		return nil
	}
	if f.x.rt.odataTwo {
		return f.locateODataTwo()
	}
	t, od, ent := f.t, f.x.od, f.x.ent
	if t.Nodes[doc.Root].Kind != doc.Object {
		return ErrShape
	}
	list := t.Member(doc.Root, "value")
	isList := list >= 0 && t.Nodes[list].Kind == doc.Array
	switch {
	case od.property != "":
		if list < 0 {
			return ErrShape
		}
		id := ""
		if len(od.ids) == 1 {
			id = od.ids[0]
		}
		rec := f.record(ent, f.x.typ, id)
		if rec < 0 {
			f.found.Rows++
		}
		f.memberAs(od.property, list, doc.Root, rec, ent)
		f.cover(list)
	case isList && !od.one:
		f.rows = list
		for c := range t.Children(list) {
			f.related(c, f.x.typ, ent, nil)
		}
		f.cover(list)
	case od.many || od.refs && list >= 0:
		return ErrShape
	default:
		f.related(doc.Root, f.x.typ, ent, nil)
		return nil
	}
	f.rootAnnotations()
	f.coverRest(doc.Root, false)
	return nil
}

// rootAnnotations finds what annotations of the whole answer hold.
func (f *finder) rootAnnotations() {
	if f.x.p.annotations == nil || f.t.Nodes[doc.Root].Kind != doc.Object {
		return
	}
	for c := range f.t.Children(doc.Root) {
		if strings.Contains(f.t.Key(c), "@") && !f.isCovered(c) {
			f.annotated(f.t.Key(c), c, doc.Root, -1, f.x.ent)
			f.cover(c)
		}
	}
}

func (f *finder) isCovered(node int) bool {
	for _, s := range f.covered {
		if s.from <= node && node < s.to {
			return true
		}
	}
	return false
}

// annotated finds what a member holds that stands for something else than a field
// of its name: an annotation, or what a query made up. It reports whether it does.
func (f *finder) annotated(name string, node, object, rec int, ent *entity) bool {
	if f.x.rt != nil && f.x.rt.odataTwo && f.aboutODataTwo(name, node, rec, ent) {
		return true
	}
	base, annotation, ok := strings.Cut(name, "@")
	if !ok {
		return f.madeUp(name, node, object, rec)
	}
	if f.x.p.annotations == nil {
		return false
	}
	switch f.x.p.annotations[annotation] {
	case "public":
	case "value":
		f.field(node, rec, f.entityBeside(base, object, ent), base, f.repeated(base, object, ent), "")
	case "context":
		f.unlessPlain(node, rec, ent, name)
	case "record":
		f.recordAddress(node, rec, ent, name)
	case "next", "cookie":
		if cats := f.x.sortCategories(); len(cats) > 0 {
			f.field(node, rec, ent, name, cats, "")
		}
	default:
		f.field(node, rec, ent, name, unclassified(), "")
	}
	return true
}

// madeUp finds what stands under a name that the query made up, in the rows of the
// answer alone: further down the same name is a field's own.
func (f *finder) madeUp(name string, node, object, rec int) bool {
	res, public, ok := f.madeColumn(name, object)
	if !ok {
		return false
	}
	switch {
	case public:
	case res.entity != nil && res.name == res.entity.id && f.isID(node):
		f.record(res.entity, res.typ, f.t.Text(node))
	case res.field.isLink() || res.related != "":
		typ := res.related
		if typ == "" {
			typ = f.linkType(name, object, res.field)
		}
		f.link(node, rec, res.entity, name, typ)
	default:
		f.fieldValue(node, -1, -1, res.entity, res.name, res.field)
	}
	return true
}

// madeColumn is the field that a name of the query stands for.
func (f *finder) madeColumn(name string, object int) (res resolved, public, ok bool) {
	od := f.x.od
	if od == nil || f.rows < 0 || object < 0 || int(f.t.Nodes[object].Parent) != f.rows {
		return res, false, false
	}
	if c, known := od.q.Columns[name]; known && c.Public {
		return resolved{field: publicField()}, true, true
	} else if known {
		return f.x.odataField(c.From, c.Path), false, true
	}
	// Aliases have no such sequences: the first separator ends the alias.
	table, field, dotted := strings.Cut(strings.Replace(name, "_x002e_", ".", 1), ".")
	if typ, known := od.q.Tables[table]; dotted && known {
		return f.x.p.resolve(typ, []string{field}), false, true
	}
	if dotted && od.stored {
		return resolved{field: unclassifiedField()}, false, true
	}
	return res, false, false
}

// repeated is what an annotation can hold that repeats the value beside it: of a
// link what the record is called.
func (f *finder) repeated(base string, object int, ent *entity) []access.Category {
	var res resolved
	if r, public, ok := f.madeColumn(base, object); ok {
		if public {
			return []access.Category{access.Public}
		}
		res = r
	} else if ent == nil || base == "" {
		return unclassified()
	} else {
		fd := ent.field(base)
		if fd == nil {
			fd = f.x.p.unknown(f.t, max(f.t.Member(object, base), doc.Root), ent)
		}
		res.field = fd
		res.related, _ = f.x.p.relates(ent, base)
	}
	switch {
	case res.related != "":
		return f.x.p.displayed(res.related)
	case res.field.isLink():
		return f.x.p.linked(res.field, f.linkType(base, object, res.field))
	}
	return f.x.pickCategories(f.t, object, max(f.t.Member(object, base), doc.Root), res.field)
}

// entityBeside is the entity of the field that an annotation belongs to.
func (f *finder) entityBeside(base string, object int, ent *entity) *entity {
	if r, _, ok := f.madeColumn(base, object); ok {
		ent = r.entity
		if r.field.isLink() {
			return f.x.p.entityOf(f.linkType(base, object, r.field))
		}
		return ent
	}
	if ent == nil {
		return nil
	}
	if fd := ent.field(base); fd != nil && fd.isLink() {
		if e := f.x.p.entityOf(f.linkType(base, object, fd)); e != nil {
			return e
		}
	}
	return ent
}

// linkType is the type of the record that a link's value names: what the first of
// the siblings says that is there, or else the field.
func (f *finder) linkType(name string, object int, fd *field) string {
	if object >= 0 && fd.linkBy != "" {
		for by := range strings.SplitSeq(fd.linkBy, "|") {
			if at := f.t.Member(object, strings.Replace(by, "*", name, 1)); at >= 0 {
				return f.textAt(at)
			}
		}
	}
	return fd.link
}

var (
	plainContext = regexp.MustCompile(`^[A-Za-z0-9:/._-]*\$metadata(?:#[A-Za-z0-9_.,/$()+*-]*)?$`)
	plainRecord  = regexp.MustCompile(`^(?:https?://[A-Za-z0-9.:-]+/[A-Za-z0-9/._-]*/)?([A-Za-z_][A-Za-z0-9_]*)\(([0-9A-Fa-f-]{36}|[0-9]+)\)$`)
)

// unlessPlain finds an address of metadata unless it holds names alone.
func (f *finder) unlessPlain(node, rec int, ent *entity, name string) {
	if f.t.Nodes[node].Kind != doc.String || !plainContext.MatchString(f.t.Text(node)) {
		f.field(node, rec, ent, name, unclassified(), "")
	}
}

// recordAddress finds the record that an address names. With another key than its
// id the address holds values.
func (f *finder) recordAddress(node, rec int, ent *entity, name string) {
	m := plainRecord.FindStringSubmatch(f.textAt(node))
	if m == nil || f.x.p.entityOf(m[1]) == nil {
		f.field(node, rec, ent, name, unclassified(), "")
		return
	}
	f.record(f.x.p.entityOf(m[1]), m[1], m[2])
}
