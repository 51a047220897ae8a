package profile

import (
	"bytes"
	"slices"
	"strings"
	"unicode"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/html"
)

// htmlRecord is a compiled place of records in a page.
type htmlRecord struct {
	container html.Selector
	id        nodeAt
	idParam   string  // of an address
	typ       *nodeAt // of an address that names the type, or nil
	typParam  string
	fields    []htmlField
	// set matches the fields' selectors; ruleOf is each one's field.
	set    *html.Set
	ruleOf []int
	page   bool
	list   *html.Selector // the element around the records, or nil
	empty  *html.Selector // what stands in a page without records, or nil
}

type htmlField struct {
	name string
	at   nodeAt
}

// nodeAt names nodes below a record's element by a selector, or an attribute
// of the element itself.
type nodeAt struct {
	own      string // "@data-id"
	selector html.Selector
}

// in appends the nodes that it names to dst.
func (n *nodeAt) in(dst []int, t *doc.Tree, element int) []int {
	if n.own == "" {
		return n.selector.AppendMatch(dst, t, element)
	}
	return html.AppendAttrs(dst, t, element, n.own[1:])
}

func (c *compiler) htmlRecord(where string, s *recordSpec) *htmlRecord {
	r := &htmlRecord{container: c.selector(where, s.Select), page: s.Page}
	if s.ID != "" && s.ID != "none" && s.ID[0] != '{' {
		at, param, _ := strings.Cut(s.ID, "?")
		r.id, r.idParam = c.nodeAt(where, at), param
	}
	if at, param, ok := strings.Cut(s.Entity, "?"); ok {
		typ := c.nodeAt(where, at)
		r.typ, r.typParam = &typ, param
	}
	var rules []html.Selector
	for i, f := range s.Fields {
		r.fields = append(r.fields, htmlField{name: f.value.Value, at: c.nodeAt(where, f.key)})
		if at := &r.fields[i].at; at.own == "" {
			if tag := at.selector.Void(); tag != "" {
				c.fail(where, "the selector %q selects the texts of %s, which has none; write what of it holds the value: `%s@value`", f.key, tag, tag)
			}
			rules, r.ruleOf = append(rules, at.selector), append(r.ruleOf, i)
		}
	}
	r.set = html.NewSet(rules...)
	r.list, r.empty = c.optional(where, s.List), c.optional(where, s.Empty)
	return r
}

func (c *compiler) optional(where, s string) *html.Selector {
	if s == "" {
		return nil
	}
	sel := c.selector(where, s)
	return &sel
}

func (c *compiler) nodeAt(where, s string) nodeAt {
	if strings.HasPrefix(s, "@") {
		return nodeAt{own: s}
	}
	return nodeAt{selector: c.selector(where, s)}
}

func (c *compiler) selector(where, s string) html.Selector {
	sel, err := html.CompileSelector(s)
	if err != nil {
		c.fail(where, "selector %q: %v", s, err)
	}
	return sel
}

// locateHTML finds the records of a page. Text inside a record that no selector
// names is unclassified; text outside records is the page's own and is covered
// by the second pass. In an error, texts outside are withheld where the profile
// names them.
func (f *finder) locateHTML(status int) error {
	described, placed := false, false
	for i := range f.x.op.records {
		r := &f.x.op.records[i]
		if r.html == nil || !r.fitsStatus(status) {
			continue
		}
		described = true
		here := f.htmlPlace(r)
		// Records elsewhere in the page don't say that this list is the known one.
		if !here && r.html.empty != nil && status < 300 {
			return ErrShape
		}
		placed = here || placed
	}
	// Of a page with another status than the profile knows, an error with values
	// in its text for instance, nobody can say what stands where.
	if !described {
		return ErrShape
	}
	// A page in which no record is found, nor that there are none, has another
	// shape than the profile knows: its values would stand there in clear. So has
	// a page about one record without that record.
	if status < 300 && (!placed || len(f.x.Accesses[0].IDs) > 0 && len(f.found.Records) == 0) {
		return ErrShape
	}
	return nil
}

// htmlPlace finds the records of one place, and reports whether the page has the
// shape that the place describes.
func (f *finder) htmlPlace(r *recordAt) bool {
	elements := r.html.container.Elements(f.t, doc.Root)
	var known []bool // nodes that stand in a record
	if r.html.list != nil {
		known = make([]bool, len(f.t.Nodes))
	}
	placed := false
	for _, node := range elements {
		before := len(f.found.Fields)
		f.htmlRecord(r, node)
		placed = placed || !r.html.page || len(f.found.Fields) > before
		if r.html.list != nil {
			for n := node; n < int(f.t.Nodes[node].Next); n++ {
				known[n] = true
			}
		}
	}
	if r.html.list != nil {
		for _, node := range r.html.list.Elements(f.t, doc.Root) {
			f.htmlRest(node, -1, f.x.p.entityOf(f.typeAt(r, node)), known[node:])
		}
	}
	return placed || r.html.empty != nil && len(r.html.empty.Elements(f.t, doc.Root)) > 0
}

func (f *finder) htmlRecord(r *recordAt, node int) {
	typ := f.htmlType(r, node)
	ent := f.x.p.entityOf(typ)
	rec := f.record(ent, typ, f.htmlID(r, node))
	if rec < 0 && !r.html.page && (ent == nil || !ent.internal) {
		f.found.Rows++
	}
	seen := f.nodesSeen(node)
	selected := f.matcher.Match(r.html.set, f.t, node)
	for i := range r.html.fields {
		hf := &r.html.fields[i]
		if hf.at.own != "" {
			f.matched = hf.at.in(f.matched[:0], f.t, node)
			for _, at := range f.matched {
				f.htmlField(hf, at, node, rec, ent, typ, seen)
			}
			continue
		}
		for len(selected) > 0 && r.html.ruleOf[selected[0].Rule] == i {
			f.htmlField(hf, selected[0].Node, node, rec, ent, typ, seen)
			selected = selected[1:]
		}
	}
	if !r.html.page {
		f.htmlRest(node, rec, ent, seen)
	}
}

// htmlField finds a field's value at a node that no field before it has.
func (f *finder) htmlField(hf *htmlField, n, node, rec int, ent *entity, typ string, seen []bool) {
	if seen[n-node] {
		return
	}
	seen[n-node] = true
	if name := f.htmlName(hf.name, n, node); name != "" {
		f.htmlValue(n, rec, ent, typ, name)
	}
}

// nodesSeen has a place for a node and each one below it, false for all of them.
// It is for one record at a time.
func (f *finder) nodesSeen(node int) []bool {
	n := int(f.t.Nodes[node].Next) - node
	f.seen = slices.Grow(f.seen[:0], n)[:n]
	clear(f.seen)
	return f.seen
}

func (f *finder) htmlID(r *recordAt, node int) string {
	if strings.HasPrefix(r.id, "{") {
		return f.x.expand(r.id)
	}
	if r.id == "" {
		return ""
	}
	if f.matched = r.html.id.in(f.matched[:0], f.t, node); len(f.matched) > 0 {
		return parameter(f.t.Text(f.matched[0]), r.html.idParam)
	}
	return ""
}

// htmlType is the type of a record: the place's, or what an address in it says.
func (f *finder) htmlType(r *recordAt, node int) string {
	if r.html.typ == nil {
		return f.typeAt(r, node)
	}
	if f.matched = r.html.typ.in(f.matched[:0], f.t, node); len(f.matched) > 0 {
		return parameter(f.t.Text(f.matched[0]), r.html.typParam)
	}
	return ""
}

// htmlName is the field's name: written in the profile, or in an attribute of
// the nearest element around the node that has it.
func (f *finder) htmlName(name string, node, record int) string {
	if !strings.HasPrefix(name, "@") {
		return name
	}
	for n := int(f.t.Nodes[node].Parent); n > record; n = int(f.t.Nodes[n].Parent) {
		if at := html.Attr(f.t, n, name[1:]); at >= 0 {
			return f.t.Text(at)
		}
	}
	return "?"
}

// htmlValue finds a field's value in a text run or an attribute.
func (f *finder) htmlValue(n, rec int, ent *entity, typ, name string) {
	if ent != nil && name == ent.owner && rec >= 0 {
		f.own(rec, ent, n)
	}
	if blank(f.t.Raw(n)) {
		f.tell(n, rec, ent, name)
		return
	}
	f.value(n, -1, rec, typ, name)
}

// htmlRest finds the texts of a record that no selector names. Attributes are
// structure, or repeat what the second pass knows. seen says of the nodes from the
// record's own on which were found.
func (f *finder) htmlRest(node, rec int, ent *entity, seen []bool) {
	for n := node + 1; n < int(f.t.Nodes[node].Next); n++ {
		text := f.t.Nodes[n].Flags&html.FlagText != 0 || f.t.Nodes[n].Flags&html.FlagAttr != 0 && f.isTyped(n)
		if seen[n-node] || !text || blank(f.t.Raw(n)) {
			continue
		}
		f.field(n, rec, ent, "#text", unclassified(), "")
	}
}

// isTyped reports whether an attribute is the value of an input that people type
// into: it is a text of the page like others.
func (f *finder) isTyped(attr int) bool {
	t := f.t
	element := int(t.Nodes[attr].Parent)
	if !strings.EqualFold(t.Key(attr), "@value") || !strings.EqualFold(t.Key(element), "input") {
		return false
	}
	kind := html.Attr(t, element, "type")
	return kind < 0 || !slices.Contains([]string{"hidden", "submit", "button", "reset", "image", "checkbox", "radio"}, strings.ToLower(strings.TrimSpace(t.Text(kind))))
}

// blank reports whether a text has neither a letter nor a digit.
func blank(b []byte) bool {
	for _, c := range b {
		if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' {
			return false
		}
	}
	return bytes.IndexFunc(b, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0
}
