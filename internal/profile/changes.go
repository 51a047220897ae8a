package profile

import (
	"slices"
	"strings"
	"unicode"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// Member is one value of a write as the log tells of it: a field, a part of a
// composite one, or a relation.
type Member struct {
	// Name is the profile's, with the part's behind a dot; "" for one that it doesn't list
	// by name. Word is the client's.
	Name, Word string
	Categories []access.Category
	// Node is the value in the request's document.
	Node int
	// Field is the field that it is or is part of, and Part the part's name in it.
	Field, Part string
	// Owner is the node of the field.
	Owner int
}

// Members lists all that a write holds, relations and fields that the profile doesn't
// know too.
func (w *Write) Members() []Member {
	var all []Member
	fields := map[int]bool{}
	for i := range w.Fields {
		f := &w.Fields[i]
		fields[f.Node] = true
		all = append(all, w.members(f)...)
	}
	t := w.x.tree
	if t.Nodes[w.Object].Kind != doc.Object && !isForm(t) {
		return all
	}
	for c := range t.Children(w.Object) {
		name := t.Key(c)
		base := name
		if w.x.p.suffix != "" {
			base = strings.TrimSuffix(name, w.x.p.suffix)
		}
		if _, related := w.x.p.relates(w.ent, base); !related || fields[c] {
			continue
		}
		all = append(all, Member{Name: base, Word: name, Categories: []access.Category{access.Public}, Node: c, Field: name, Owner: c})
	}
	return all
}

// members are a field, or the parts of a composite one.
func (w *Write) members(f *WriteField) []Member {
	t, fd := w.x.tree, w.field(f.Name)
	name, listed := w.x.p.listed(w.ent, f.Name)
	if fd.parts == nil || t.Nodes[f.Node].Kind != doc.Object {
		return []Member{{Name: name, Word: f.Name, Categories: f.Categories, Node: f.Node, Field: f.Name, Owner: f.Node}}
	}
	var all []Member
	for c := range t.Children(f.Node) {
		m := Member{Word: f.Name + "." + t.Key(c), Node: c, Field: f.Name, Part: t.Key(c), Owner: f.Node}
		m.Categories = fd.parts.lookup(m.Part, false).categories
		if part, ok := w.x.p.listed(fd.parts, m.Part); ok && listed {
			m.Name = name + "." + part
		}
		all = append(all, m)
	}
	return all
}

// listed returns the name by which an entity lists a field. One that fits a pattern of
// names is still the client's own word, unless it is made of words of the profile alone:
// `phone_mobile` is, `x_max_mustermann` isn't.
func (p *Profile) listed(e *entity, name string) (string, bool) {
	if f, ok := e.exact[e.key(name)]; ok {
		if f.name != "" {
			return f.name, true
		}
		return e.key(name), true
	}
	if len(name) > maxListed || e.field(name) == nil {
		return "", false
	}
	for word := range words(name) {
		if !p.words[word] && (len(word) > 2 || strings.Trim(word, "0123456789") != "") {
			return "", false
		}
	}
	return e.key(name), true
}

// maxListed is the longest name of a field that fits a pattern, in bytes.
const maxListed = 64

// words yields a name's words in lower case: it may be written with_lines, in camelCase
// or with dots.
func words(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		var word []rune
		kind := 0
		for _, r := range name + "_" {
			now := 0
			switch {
			case unicode.IsUpper(r):
				now = 2
			case unicode.IsLetter(r):
				now = 1
			case unicode.IsDigit(r):
				now = 3
			}
			if now != kind && (now != 1 || kind != 2) && len(word) > 0 {
				if !yield(strings.ToLower(string(word))) {
					return
				}
				word = word[:0]
			}
			if kind = now; now != 0 {
				word = append(word, r)
			}
		}
	}
}

// vocabulary are the words of all names of fields that the profile lists, patterns too.
func (p *Profile) vocabulary() map[string]bool {
	all := map[string]bool{}
	note := func(name string) {
		for word := range words(name) {
			all[word] = true
		}
	}
	seen := map[*entity]bool{}
	var of func(e *entity)
	of = func(e *entity) {
		if e == nil || seen[e] {
			return
		}
		seen[e] = true
		for name, f := range e.exact {
			note(name)
			note(f.name)
			of(f.parts)
		}
		for i := range e.globs {
			note(string(e.globs[i].glob))
		}
		for name := range e.relations {
			note(name)
		}
	}
	for _, e := range p.entities {
		of(e)
	}
	for name := range p.anyRelations {
		note(name)
	}
	return all
}

// NamesField reports whether the profile lists a field of a type by its name, or a part of
// one. Other names in a request can be any word of the client's.
func (p *Profile) NamesField(typ, name string) bool {
	e := p.entityOf(typ)
	if e == nil {
		return false
	}
	if _, ok := p.listed(e, name); ok {
		return true
	}
	if p.suffix != "" {
		name = strings.TrimSuffix(name, p.suffix)
	}
	if _, ok := p.relates(e, name); ok {
		return true
	}
	field, part, dotted := strings.Cut(name, ".")
	if f := e.exact[e.key(field)]; dotted && f != nil && f.parts != nil {
		_, ok := p.listed(f.parts, part)
		return ok
	}
	return false
}

// StoredMember returns where a stored record holds a member's value, -1 where it
// doesn't.
func (w *Write) StoredMember(t *doc.Tree, record int, m *Member) int {
	node := w.x.p.member(t, record, m.Field)
	if node < 0 || m.Part == "" {
		return node
	}
	if t.Nodes[node].Kind != doc.Object {
		return -1
	}
	return t.Member(node, m.Part)
}

// Operations reports whether the request names its operations in GraphQL.
func (x *Exchange) Operations() bool { return x.gql != nil }

// Failed says of an answer whether the CRM reports an error in it instead of a result
// (known), and whether it says so of a part of what was asked (partly).
func (x *Exchange) Failed(t *doc.Tree, status int) (failed, partly bool) {
	switch {
	case t == nil:
		return false, false
	case x.tr != nil && x.tr.bare:
		return status >= 400, false
	case x.tr != nil:
		return x.tr.failure.at.first(t, doc.Root) >= 0, false
	case x.gql != nil:
		errs, data := t.Member(doc.Root, "errors"), t.Member(doc.Root, "data")
		// Without data, nothing was carried out; with some, a part may have been.
		wrong := errs >= 0 && t.Nodes[errs].Kind != doc.Null
		return wrong && data < 0, wrong
	case t.Format.Name() == "json":
		return false, reportsError(t)
	}
	return false, false
}

// reportsError looks for what APIs write in the place of a result: in the answer's
// object, and in the members of a list.
func reportsError(t *doc.Tree) bool {
	at := []int{doc.Root}
	for c := range t.Children(doc.Root) {
		switch t.Nodes[c].Kind {
		case doc.Object:
			if t.Nodes[doc.Root].Kind == doc.Array {
				at = append(at, c)
			}
		case doc.Array:
			at = slices.AppendSeq(at, t.Children(c))
		}
	}
	return slices.ContainsFunc(at, func(n int) bool {
		return t.Nodes[n].Kind == doc.Object && saysError(t, n)
	})
}

func saysError(t *doc.Tree, object int) bool {
	for c := range t.Children(object) {
		text := ""
		if !isContainer(t, c) {
			text = strings.ToLower(t.Text(c))
		}
		switch strings.ToLower(t.Key(c)) {
		case "success":
			if t.Nodes[c].Kind == doc.Bool && text == "false" {
				return true
			}
		case "errors", "error", "haserrors":
			if isContainer(t, c) && t.First(c) >= 0 || !isContainer(t, c) && t.Nodes[c].Kind != doc.Null && text != "" && text != "false" && text != "0" {
				return true
			}
		case "status":
			if text == "error" {
				return true
			}
		}
	}
	return false
}
