package profile

import (
	"sort"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/html"
)

// htmlRecord is a compiled place of records in a page.
type htmlRecord struct {
	container html.Selector
	id        *html.Selector // below the container, with its @attribute
	fields    []htmlField
}

type htmlField struct {
	name     string
	selector html.Selector
}

func (c *compiler) htmlRecord(where string, s *recordSpec) *htmlRecord {
	r := &htmlRecord{container: c.selector(where, s.Select)}
	if s.ID != "" && s.ID != "none" && s.ID[0] != '{' {
		sel := c.selector(where, s.ID)
		r.id = &sel
	}
	names := make([]string, 0, len(s.Fields))
	for sel := range s.Fields {
		names = append(names, sel)
	}
	sort.Strings(names)
	for _, sel := range names {
		r.fields = append(r.fields, htmlField{name: s.Fields[sel], selector: c.selector(where, sel)})
	}
	return r
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
// by the second pass.
func (f *finder) locateHTML(status int) error {
	for i := range f.x.op.records {
		r := &f.x.op.records[i]
		if r.html == nil || !r.fitsStatus(status) {
			continue
		}
		for _, node := range r.html.container.Match(f.t, doc.Root) {
			f.htmlRecord(r, node)
		}
	}
	return nil
}

func (f *finder) htmlRecord(r *recordAt, node int) {
	typ := f.typeAt(r, node)
	ent := f.x.p.entityOf(typ)
	id := ""
	switch {
	case r.html.id != nil:
		if at := r.html.id.Match(f.t, node); len(at) > 0 {
			id = f.t.Text(at[0])
		}
	case len(r.id) > 2 && r.id[0] == '{':
		id = f.x.vars[r.id[1:len(r.id)-1]]
	}
	rec := f.record(ent, typ, id)
	if rec < 0 && (ent == nil || !ent.internal) {
		f.found.Rows++
	}
	seen := map[int]bool{}
	for _, hf := range r.html.fields {
		for _, n := range hf.selector.Match(f.t, node) {
			if !seen[n] {
				seen[n] = true
				f.htmlValue(n, rec, typ, hf.name)
			}
		}
	}
	f.htmlRest(node, rec, ent, seen)
}

// htmlValue finds a field's value in a text run, an attribute, or an element.
func (f *finder) htmlValue(n, rec int, typ, name string) {
	if name == "" {
		return // the page's own text
	}
	f.value(n, -1, rec, typ, name)
}

// htmlRest finds the texts of a record that no selector names. Attributes
// other than those that people see are structure.
func (f *finder) htmlRest(node, rec int, ent *entity, seen map[int]bool) {
	for n := node + 1; n < int(f.t.Nodes[node].Next); n++ {
		if seen[n] {
			n = int(f.t.Nodes[n].Next) - 1
			continue
		}
		if f.t.Nodes[n].Kind != doc.String || f.t.Key(n) != "#text" || blank(f.t.Raw(n)) {
			continue
		}
		f.field(n, rec, ent, "#text", []access.Category{access.Unclassified}, "")
	}
}

func blank(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}
