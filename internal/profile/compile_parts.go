package profile

import (
	"slices"

	"github.com/crmgate/crmgate/internal/access"
)

// structured compiles what a field says of values that aren't one value of one
// record.
func (c *compiler) structured(where string, f *field, s *fieldSpec) {
	f.link, f.linkBy, f.flat, f.named, f.ofType, f.ofID = c.typeWord(s.Link), s.LinkBy, s.Flat, s.Named, s.Of.Type, s.Of.ID
	f.filter = s.Filter
	c.parts(where, f, s)
	kinds := 0
	for _, is := range []bool{f.link != "" || f.linkBy != "", f.parts != nil, f.flat, f.named != "", f.ofType != "", f.filter} {
		if is {
			kinds++
		}
	}
	switch {
	case kinds > 1:
		c.fail(where, "a value is one of link, link_by, parts, flat, named, of and filter")
	case kinds == 1 && (f.by != "" || f.decode != "" || f.withhold || f.reference || f.file || f.detect):
		c.fail(where, "link, parts, flat, named, of and filter don't go with by, decode, detect, withhold, reference or file")
	case (len(s.Value) > 0 || len(s.Public) > 0) && !f.flat:
		c.fail(where, "value and public are for flat objects; add `flat: true`")
	case (s.Of.Type == "") != (s.Of.ID == ""):
		c.fail(where, "of names two members: `of: {type: parentType, id: parentId}`")
	}
	for _, v := range s.Value {
		f.at = append(f.at, c.path(where, v))
	}
	for _, k := range s.Public {
		f.beside = append(f.beside, glob(k))
	}
	if f.link != "" {
		c.links = append(c.links, link{where, f.link})
	}
	if len(f.categories) == 0 && kinds == 1 {
		f.categories = unclassified()
		if f.link != "" || f.linkBy != "" {
			f.categories = []access.Category{access.Public}
		}
	}
}

// link is a type that has to be known once all entities are.
type link struct{ where, typ string }

func (c *compiler) parts(where string, f *field, s *fieldSpec) {
	if len(s.Parts) == 0 {
		return
	}
	f.parts = &entity{folded: c.p.folded, exact: map[string]*field{}, selects: map[string][]access.Category{}, unknown: unclassifiedField(), unknownNo: unclassifiedField()}
	for _, pr := range s.Parts {
		c.fieldIn(where+", part", f.parts, pr)
	}
	if len(f.categories) > 0 {
		f.parts.unknown = &field{categories: f.categories}
	}
	for _, p := range f.parts.exact {
		f.categories = append(f.categories, p.categories...)
	}
	for _, p := range f.parts.globs {
		f.categories = append(f.categories, p.field.categories...)
	}
	f.categories = unique(f.categories)
	slices.Sort(f.categories)
	// What is personal in one part is so in the whole.
	if len(f.categories) > 1 {
		f.categories = slices.DeleteFunc(f.categories, func(c access.Category) bool { return c == access.Public })
	}
	if len(s.Category)+len(s.Categories) == 0 {
		f.parts.unknown = &field{categories: f.categories}
		if f.public() {
			f.parts.unknown = unclassifiedField()
		}
	}
}
