package profile

import "github.com/crmgate/crmgate/internal/doc"

// described is a form of records that say themselves what they are.
type described struct{ typ, id path }

func (c *compiler) described() {
	for i, s := range c.spec.Described {
		const where = "described"
		if s.Type == "" {
			c.fail(where, "entry %d says where a record's type stands: `type: .attributes.type`", i+1)
			continue
		}
		d := described{typ: c.path(where, s.Type)}
		if s.ID != "" {
			d.id = c.path(where, s.ID)
		}
		c.p.described = append(c.p.described, d)
	}
}

// described is what an object says of itself, where it does: the type of the record
// that it is, and its id, "" for the entity's own.
func (f *finder) described(node int) (typ, id string, ok bool) {
	if f.t.Nodes[node].Kind != doc.Object {
		return "", "", false
	}
	for i := range f.x.p.described {
		d := &f.x.p.described[i]
		at := d.typ.first(f.t, node)
		if at < 0 || f.t.Nodes[at].Kind != doc.String {
			continue
		}
		if n := d.id.first(f.t, node); len(d.id) > 0 && n >= 0 {
			if in, found := f.idInAddress(n); found {
				id = in
			} else if f.isID(n) {
				id = f.t.Text(n)
			}
		}
		return f.t.Text(at), id, true
	}
	return "", "", false
}

// listIn is the list of related records in an object, -1 without one.
func (f *finder) listIn(node int) int {
	if f.x.p.list == "" || f.t.Nodes[node].Kind != doc.Object {
		return -1
	}
	if _, _, ok := f.described(node); ok {
		return -1
	}
	if n := f.t.Member(node, f.x.p.list); n >= 0 && f.t.Nodes[n].Kind == doc.Array {
		return n
	}
	return -1
}

// listed finds related records in an object's list. What stands beside it and isn't
// public is unclassified.
func (f *finder) listed(node, list int, typ string, ent *entity, r *recordAt) {
	level := f.level
	for c := range f.t.Children(list) {
		f.level = level
		f.related(c, typ, ent, r)
	}
	f.level = nil
	for c := range f.t.Children(node) {
		switch {
		case c == list || f.x.isPublic(f.t, c):
		case isContainer(f.t, c), f.t.Nodes[c].Kind == doc.String:
			f.field(c, -1, ent, f.t.Key(c), unclassified(), "")
		}
	}
}
