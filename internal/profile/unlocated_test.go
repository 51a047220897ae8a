package profile

import (
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

// unlocated lists the texts of an answer to a call that would pass though
// nothing in the profile says that they may: closed by default means that there
// are none. It reads the profile on its own, not by what Locate does.
func unlocated(x *Exchange, t *doc.Tree, l *Located) []string {
	u := &unlocatedTexts{x: x, t: t, found: map[int]bool{}, passes: map[int]bool{}}
	for _, f := range l.Fields {
		u.found[f.Node] = true
	}
	for _, w := range l.Withheld {
		u.found[w.Node] = true
	}
	for _, n := range l.Nested {
		u.found[n.Node] = true
	}
	for n := range t.Nodes {
		parent := int(t.Nodes[n].Parent)
		if parent >= 0 && u.found[parent] {
			u.found[n] = true
		}
	}
	if result := t.Member(doc.Root, "result"); result >= 0 {
		u.allow(result)
	}
	if failure := t.Member(doc.Root, "error"); failure >= 0 && x.tr != nil {
		for _, p := range x.tr.failure.known[t.Text(max(x.tr.failure.name.first(t, failure), 0))] {
			p.each(t, failure, func(n int) { u.passes[n] = true })
		}
	}
	var out []string
	for n := range t.Nodes {
		if t.Nodes[n].Kind != doc.String || u.found[n] || u.passes[n] || t.Text(n) == "" {
			continue
		}
		if t.Key(n) == "id" && int(t.Nodes[n].Parent) == doc.Root {
			continue // the envelope's own
		}
		out = append(out, t.Text(n))
	}
	return out
}

type unlocatedTexts struct {
	x      *Exchange
	t      *doc.Tree
	found  map[int]bool
	passes map[int]bool
	// typed says that the values of the record at hand are the client's own.
	typed bool
}

// allow marks what the profile lets pass in a result.
func (u *unlocatedTexts) allow(result int) {
	for _, pub := range u.x.op.public {
		if pub.match("result") {
			u.subtree(result)
		}
	}
	for i := range u.x.op.records {
		u.typed = u.x.op.alone && len(u.x.Accesses[0].IDs) == 0
		r := &u.x.op.records[i]
		r.at.path.each(u.t, result, func(n int) {
			typ := u.x.typ
			switch {
			case r.relEntity != nil:
				typ = u.t.Text(max(r.relEntity.first(u.t, n), 0))
			case r.entity != "":
				typ = u.x.expand(r.entity)
			}
			u.place(r, n, typ)
		})
	}
}

func (u *unlocatedTexts) place(r *recordAt, n int, typ string) {
	switch {
	case r.tuple != nil:
		for i, name := range r.tuple {
			if at := u.t.Element(n, i); at >= 0 && name == "" {
				u.subtree(at)
			} else if at >= 0 {
				u.named(at, typ, strings.Split(name, "."))
			}
		}
	case r.columns != nil:
		for i, name := range u.x.columnNames(r) {
			if at := u.t.Element(n, i); at >= 0 {
				u.named(at, typ, u.x.p.steps(name, r.separator))
			}
		}
	case r.field != "":
		u.named(n, typ, strings.Split(u.x.expand(r.field), "."))
	case !r.bare:
		u.record(n, typ)
	}
}

// named is a value whose field is known by its place.
func (u *unlocatedTexts) named(n int, typ string, steps []string) {
	res := u.x.p.resolve(typ, steps)
	switch {
	case res.related != "":
		u.other(n, res.related)
	case res.entity != nil:
		u.value(n, -1, res.field)
	}
}

// other is a record that another one refers to.
func (u *unlocatedTexts) other(n int, typ string) {
	typed := u.typed
	u.typed = false
	u.record(n, typ)
	u.typed = typed
}

// record is an object, or a list of them, of one type.
func (u *unlocatedTexts) record(n int, typ string) {
	t, e := u.t, u.x.p.entityOf(typ)
	switch t.Nodes[n].Kind {
	case doc.Array:
		for c := range t.Children(n) {
			u.record(c, typ)
		}
	case doc.String:
		refType, _, _ := strings.Cut(t.Text(n), ",")
		u.passes[n] = isReference(t.Text(n)) && u.x.p.entityOf(refType) != nil || public(u.x.p.displayed(typ))
	case doc.Object:
		changes := t.First(n) >= 0
		for c := range t.Children(n) {
			changes = changes && contains(u.x.p.changes, t.Key(c))
		}
		for c := range t.Children(n) {
			switch {
			case changes:
				u.record(c, typ)
			case e != nil:
				u.member(c, n, e)
			}
		}
	}
}

func (u *unlocatedTexts) member(c, object int, e *entity) {
	p, name := u.x.p, u.t.Key(c)
	base := strings.TrimSuffix(name, p.suffix)
	if related, ok := p.relates(e, name); ok {
		u.other(c, related)
		return
	}
	f := e.field(name)
	switch related, ok := p.relation(e, base); {
	case name == e.id:
		u.passes[c] = !p.integerIDs
	case f != nil:
		u.value(c, object, f)
	case base != name && ok:
		u.other(c, related)
	case base != name:
		if b := e.field(base); b != nil && b.reference {
			typ, _, _ := strings.Cut(u.t.Text(max(u.t.Member(object, base), 0)), ",")
			u.other(c, typ)
		}
	case !strings.Contains(string(u.t.Raw(c)), "{"):
		u.unlisted(c, object, p.unknown(u.t, c, e))
	default:
		u.wrapped(c, p.unknown(u.t, c, e))
	}
}

// unlisted is a value that nobody vouches for.
func (u *unlocatedTexts) unlisted(n, object int, f *field) {
	typed := u.typed
	u.typed = false
	u.value(n, object, f)
	u.typed = typed
}

// wrapped passes objects that stand for one value, where the field is public.
func (u *unlocatedTexts) wrapped(n int, f *field) {
	if !public(f.categories) {
		return
	}
	for i := n; i < int(u.t.Nodes[n].Next); i++ {
		if u.t.Nodes[i].Kind == doc.Object && u.x.p.wrappedShapes(u.t, i) == nil {
			return
		}
	}
	u.subtree(n)
}

func (u *unlocatedTexts) value(n, object int, f *field) {
	switch {
	case u.typed:
		u.subtree(n)
	case f.reference:
		u.passes[n] = isReference(u.t.Text(n))
	case public(f.categories):
		u.subtree(n)
	}
	if shapes := u.x.p.wrappedShapes(u.t, n); shapes != nil {
		u.passes[u.t.Member(n, u.x.p.wrapped.key)] = true // the word for its kind
	}
	_ = object
}

func (u *unlocatedTexts) subtree(n int) {
	for i := n; i < int(u.t.Nodes[n].Next); i++ {
		u.passes[i] = true
	}
}

func public[C ~string](cats []C) bool { return len(cats) == 1 && cats[0] == "public" }

// TestUnlocatedTextsAreFound: the check itself finds a text that was left out.
func TestUnlocatedTextsAreFound(t *testing.T) {
	x := reading(t)
	tree := parse(t, `{"id":7,"result":[{"id":1,"name":"Weber","state":"open","word":"x"}]}`)
	l, err := x.Locate(tree, 200)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "all located", unlocated(x, tree, l))
	l.Fields = l.Fields[:1]
	same(t, "one left out", unlocated(x, tree, l), "x")
	l.Fields = nil
	same(t, "none located", unlocated(x, tree, l), "Weber", "x")
}
