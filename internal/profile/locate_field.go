package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

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
	for _, l := range list {
		if l == c {
			return true
		}
	}
	return false
}
