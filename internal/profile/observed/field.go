package observed

import (
	"maps"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// anyName is what stands in a member's name for a value.
const anyName = "*"

// field is what was seen at one place of a document.
type field struct {
	// Seen are the values that stood there.
	Seen int `json:"seen"`
	// Kinds are their JSON kinds, Shapes the forms of texts and numbers, Found what
	// detection says of them, each with the number of values.
	Kinds  map[string]int `json:"kinds,omitempty"`
	Shapes map[string]int `json:"shapes,omitempty"`
	Found  map[string]int `json:"found,omitempty"`
	// Keys are, of a member `*`, the forms of the names and what detection says of
	// them.
	Keys map[string]int `json:"keys,omitempty"`
	// Elements are those of lists, Members those of objects by name. A member `*`
	// stands for those whose names are values.
	Elements *field            `json:"elements,omitempty"`
	Members  map[string]*field `json:"members,omitempty"`
}

func kindName(k doc.Kind) string {
	switch k {
	case doc.Object:
		return "object"
	case doc.Array:
		return "array"
	case doc.String:
		return "string"
	case doc.Number:
		return "number"
	case doc.Bool:
		return "boolean"
	case doc.Null:
		return "null"
	}
	return ""
}

// look makes a field of a document, nil of none.
func (c *Collector) look(t *doc.Tree, said map[string]bool) *field {
	if t == nil || len(t.Nodes) == 0 {
		return nil
	}
	l := looker{c: c, t: t, said: said}
	root := &field{}
	l.value(root, doc.Root, 0)
	return root
}

// looker goes through one document.
type looker struct {
	c    *Collector
	t    *doc.Tree
	said map[string]bool
}

func (l *looker) value(f *field, n, depth int) {
	kind := l.t.Nodes[n].Kind
	f.Seen++
	add(&f.Kinds, kindName(kind))
	switch {
	case depth >= maxDepth && (kind == doc.Object || kind == doc.Array):
		return
	case kind == doc.Array:
		for e := range l.t.Children(n) {
			if f.Elements == nil {
				f.Elements = &field{}
			}
			l.value(f.Elements, e, depth+1)
		}
	case kind == doc.Object:
		byValue := l.keyedByValues(n)
		for m := range l.t.Children(n) {
			name := l.t.Key(m)
			if byValue || !l.c.isName(name, l.said) {
				l.key(f.member(anyName), name)
				name = anyName
			}
			l.value(f.member(name), m, depth+1)
		}
		f.limit()
	default:
		l.scalar(f, n, kind)
	}
}

// key notes what a name that is a value looks like.
func (l *looker) key(f *field, name string) {
	add(&f.Keys, shapeOf(doc.String, name))
	found := map[string]bool{}
	for _, h := range l.c.detector.Find(name) {
		found[string(h.Kind)] = true
	}
	for k := range found {
		add(&f.Keys, k)
	}
}

func (l *looker) scalar(f *field, n int, kind doc.Kind) {
	text := l.t.Text(n)
	if len(text) > maxSaidText {
		text = strings.ToValidUTF8(text[:maxSaidText], "")
	}
	if shape := shapeOf(kind, text); shape != "" {
		add(&f.Shapes, shape)
	}
	if kind != doc.String {
		return
	}
	found := map[string]bool{}
	for _, h := range l.c.detector.Find(text) {
		found[string(h.Kind)] = true
	}
	for k := range found {
		add(&f.Found, k)
	}
}

// keyedByValues reports whether an object is a table rather than a record: several
// members, none of a name that people give to fields, and all of one form.
func (l *looker) keyedByValues(n int) bool {
	first, members := "", 0
	for m := range l.t.Children(n) {
		if l.c.knows(l.t.Key(m)) {
			return false
		}
		sign := l.sign(m)
		if members++; members == 1 {
			first = sign
		}
		if sign == "" || sign != first {
			return false
		}
	}
	return members > 1
}

// sign is what members of a table have in common; "" for what those of a record have
// as often.
func (l *looker) sign(n int) string {
	switch l.t.Nodes[n].Kind {
	case doc.Object:
		var names []string
		for k := range l.t.Children(n) {
			names = append(names, l.t.Key(k))
		}
		slices.Sort(names)
		if len(names) > 0 {
			return "{" + strings.Join(names, "\n")
		}
	case doc.Array:
		if e := l.t.First(n); e >= 0 {
			return "[" + l.sign(e)
		}
	default:
		shape := shapeOf(l.t.Nodes[n].Kind, l.t.Text(n))
		if slices.Contains([]string{shapeInteger, shapeLong, shapeDecimal, shapeBoolean, shapeLine, shapeText}, shape) {
			return shape
		}
	}
	return ""
}

func (f *field) member(name string) *field {
	if f.Members == nil {
		f.Members = map[string]*field{}
	}
	if f.Members[name] == nil {
		f.Members[name] = &field{}
	}
	return f.Members[name]
}

// names notes the names of all members at and below a place.
func (f *field) names(has map[string]bool) {
	if f.Elements != nil {
		f.Elements.names(has)
	}
	for name, m := range f.Members {
		has[name] = true
		m.names(has)
	}
}

func add(to *map[string]int, name string) {
	if *to == nil {
		*to = map[string]int{}
	}
	(*to)[name]++
}

// size is the number of places at and below this one.
func (f *field) size() int {
	if f == nil {
		return 0
	}
	n := 1 + f.Elements.size()
	for _, m := range f.Members {
		n += m.size()
	}
	return n
}

// merge puts what was seen in a document to what is held. The lock is held.
func (c *Collector) merge(to **field, seen *field) {
	if seen == nil {
		return
	}
	if *to == nil {
		*to = &field{}
		c.fields++
	}
	c.fold(*to, seen)
}

// fold puts one place's numbers to another's, within the bounds.
func (c *Collector) fold(to, from *field) {
	to.Seen += from.Seen
	for _, m := range []struct{ to, from *map[string]int }{{&to.Kinds, &from.Kinds}, {&to.Shapes, &from.Shapes}, {&to.Found, &from.Found}, {&to.Keys, &from.Keys}} {
		if len(*m.from) > 0 {
			addCounts(m.to, *m.from)
		}
	}
	if from.Elements != nil {
		if to.Elements = c.place(to.Elements); to.Elements != nil {
			c.fold(to.Elements, from.Elements)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(from.Members)) {
		if m := c.place(to.Members[name]); m != nil {
			if to.Members == nil {
				to.Members = map[string]*field{}
			}
			to.Members[name] = m
			c.fold(m, from.Members[name])
		}
	}
	to.limit()
}

// place is a place that is held, or a new one; nil beyond the bound.
func (c *Collector) place(f *field) *field {
	if f != nil {
		return f
	}
	if c.fields >= maxFields {
		c.leftOut.Fields++
		return nil
	}
	c.fields++
	return &field{}
}

// rareMembers and rareShare say when an object's members are values: more than so
// many of them, each seen in less than one of so many objects.
const (
	rareMembers = 20
	rareShare   = 8
)

// limit makes one member of those whose names are values: many, and hardly one of
// them in two objects.
func (f *field) limit() {
	objects := f.Kinds["object"]
	var rare []string
	for name, m := range f.Members {
		if name != anyName && m.Seen*rareShare < objects {
			rare = append(rare, name)
		}
	}
	switch {
	case len(f.Members) > maxMembers:
		rare = slices.Collect(maps.Keys(f.Members))
	case len(rare) <= rareMembers || 3*len(rare) < 2*len(f.Members):
		return
	}
	all := f.member(anyName)
	slices.Sort(rare)
	for _, name := range rare {
		if name != anyName {
			all.absorb(f.Members[name])
			delete(f.Members, name)
		}
	}
}

// absorb puts another place's numbers to this one's. No place is added that wasn't
// held before.
func (f *field) absorb(o *field) {
	c := &Collector{}
	c.fold(f, o)
}
