package profile

import (
	"regexp"
	"slices"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile/graphql"
)

// unknownKind stands for the type of an object that could be of several.
const unknownKind = "?"

// locateGraphQL finds the records of an answer of GraphQL. Its members are read by
// the names of the fields, whatever the request called them.
func (f *finder) locateGraphQL(status int) error {
	t := f.t
	data, failed := t.Member(doc.Root, "data"), t.Member(doc.Root, "errors")
	if t.Nodes[doc.Root].Kind != doc.Object || data < 0 && failed < 0 && status < 400 {
		return ErrShape
	}
	if data >= 0 && t.Nodes[data].Kind == doc.Object {
		if err := f.locateData(data); err != nil {
			return err
		}
		f.coverRest(data, false)
	} else if data >= 0 && t.Nodes[data].Kind != doc.Null {
		return ErrShape
	}
	if data >= 0 {
		f.cover(data)
	}
	for e := range t.Children(failed) {
		code := t.Member(t.Member(e, "extensions"), "code")
		if code >= 0 && contains(f.x.rt.graphql.errors, f.textAt(code)) {
			f.cover(e)
		}
	}
	f.x.op = &f.x.rt.operation
	// Errors, and extensions of whatever kind, can quote any value.
	f.coverRest(doc.Root, true)
	return nil
}

// locateData finds what each operation's answer holds.
func (f *finder) locateData(data int) error {
	for c := range f.t.Children(data) {
		if !slices.ContainsFunc(f.x.gql.op.Fields, func(q *graphql.Field) bool { return q.Key == f.t.Key(c) }) {
			return ErrShape // nobody asked for it
		}
	}
	nodes := make([]int, len(f.x.gql.roots))
	for i, r := range f.x.gql.roots {
		nodes[i] = data
		for _, key := range r.keys {
			nodes[i] = f.t.Member(nodes[i], key)
		}
	}
	n := &renaming{x: f.x, from: f.t, kinds: map[int]string{}}
	for i, r := range f.x.gql.roots {
		if nodes[i] >= 0 && r.spec != nil {
			n.object(nodes[i], r.typ, newSelection(f.mergedRoot(r)))
		}
	}
	f.t, f.kinds = n.tree(), n.kinds
	for i, r := range f.x.gql.roots {
		if nodes[i] >= 0 && !slices.Contains(nodes[:i], nodes[i]) {
			f.locateRoot(r, nodes[i])
			f.cover(nodes[i])
		}
	}
	f.coverTypes(f.x.gql.op.Fields, data)
	return nil
}

// coverTypes accounts for the names of types beside operations.
func (f *finder) coverTypes(fields []*graphql.Field, node int) {
	for _, q := range fields {
		at := f.t.Member(node, q.Key)
		switch {
		case at < 0 || f.isCovered(at):
		case f.isTypeName(q.Name, at):
			f.cover(at)
		default:
			f.coverTypes(q.Fields, at)
		}
	}
}

// mergedRoot is all that is asked for under the key of a root: GraphQL answers what
// stands there twice as one.
func (f *finder) mergedRoot(r *graphqlRoot) []*graphql.Field {
	var fields []*graphql.Field
	for _, o := range f.x.gql.roots {
		if slices.Equal(o.keys, r.keys) {
			fields = append(fields, o.field.Fields...)
		}
	}
	return fields
}

// locateRoot finds what one operation's answer holds.
func (f *finder) locateRoot(r *graphqlRoot, node int) {
	if r.spec == nil || r.spec.pass {
		return
	}
	x := f.x
	x.op, x.typ, x.ent = &r.spec.operation, r.typ, x.p.entityOf(r.typ)
	x.vars["type"], x.gql.groups = r.typ, r.groups
	x.bindArguments(r.field)
	for i := range x.op.records {
		rec := &x.op.records[i]
		rec.at.path.each(f.t, node, func(n int) { f.locateNode(rec, n) })
	}
	switch {
	case len(x.op.records) > 0:
		f.coverRest(node, false)
	case isContainer(f.t, node):
		f.related(node, x.typ, x.ent, nil)
	case f.t.Nodes[node].Kind == doc.String:
		f.field(node, -1, x.ent, f.t.Key(node), unclassified(), "")
	}
	if x.op.question && len(f.found.Records) == 0 {
		f.found.Rows = max(f.found.Rows, 1)
	}
}

// around finds what stands in an object between a field and its records, and
// reports whether it is one.
func (f *finder) around(node int, typ string, ent *entity) bool {
	words := map[int]*aroundWord{}
	for c := range f.t.Children(node) {
		if w := f.x.lookAround(typ, f.t.Key(c)); w != nil {
			words[c] = w
		}
	}
	if len(words) == 0 {
		return false
	}
	for c := range f.t.Children(node) {
		name := f.t.Key(c)
		w := words[c]
		switch {
		case f.isTypeName(name, c):
		case w == nil:
			f.fieldValue(c, -1, -1, ent, name, unclassifiedField())
		case w.kind == aroundRecords:
			f.related(c, typ, ent, nil)
		default:
			f.beside(c, node, typ, ent, w)
		}
	}
	return true
}

// beside finds what stands beside the way to the records.
func (f *finder) beside(node, object int, typ string, ent *entity, w *aroundWord) {
	name := f.t.Key(node)
	switch w.kind {
	case aroundAggregates:
		f.aggregates(node, typ, ent)
	case aroundAggregate:
		res := f.x.aggregated(typ, w, name)
		f.fieldValue(node, -1, -1, res.entity, res.name, res.field)
	case aroundCount:
		if f.t.Nodes[node].Kind != doc.Number {
			f.fieldValue(node, -1, -1, ent, name, unclassifiedField())
		}
	case aroundGroups:
		cats := unique(f.x.gql.groups)
		if len(cats) == 0 {
			cats = unclassified()
		}
		f.fieldValue(node, -1, -1, ent, name, &field{categories: cats})
	default:
		f.fieldValue(node, object, -1, ent, name, w.field)
	}
}

// aggregates finds aggregates that stand under the names of fields.
func (f *finder) aggregates(node int, typ string, ent *entity) {
	switch f.t.Nodes[node].Kind {
	case doc.Array:
		for c := range f.t.Children(node) {
			f.aggregates(c, typ, ent)
		}
	case doc.Object:
		for c := range f.t.Children(node) {
			name := f.t.Key(c)
			if w := f.x.lookAround(typ, name); w != nil {
				f.beside(c, node, typ, ent, w)
			} else if !f.isTypeName(name, c) {
				res := f.x.p.resolve(typ, []string{name})
				if res.related != "" {
					res.field = unclassifiedField()
				}
				f.fieldValue(c, -1, -1, ent, name, res.field)
			}
		}
	default:
		f.fieldValue(node, -1, -1, ent, f.t.Key(node), unclassifiedField())
	}
}

var plainType = regexp.MustCompile(`^[_A-Za-z][_0-9A-Za-z]{0,127}$`)

// isTypeName reports whether a member tells an object's type, and nothing else.
func (f *finder) isTypeName(name string, node int) bool {
	return f.x.gql != nil && name == typeName && f.t.Nodes[node].Kind == doc.String && plainType.MatchString(f.t.Text(node))
}
