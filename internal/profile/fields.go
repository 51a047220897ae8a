package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// NamedField is a field that a profile lists by its name.
type NamedField struct {
	Name string
	// Categories are what its value can hold, those of its parts among them, in the
	// order of access.Categories.
	Categories []access.Category
}

// Fields lists the fields of a type's records that hold values of their own and
// personal data, by name: none that leads to other records, that is a document by
// itself, or that takes its meaning from another one.
func (p *Profile) Fields(typ string) []NamedField {
	e := p.entityOf(typ)
	if e == nil || e.internal {
		return nil
	}
	var list []NamedField
	for key, f := range e.exact {
		name := key
		if f.name != "" {
			name = f.name
		}
		if f.withhold || f.reference || f.decode != "" || f.flat || f.named != "" || f.ofType != "" || f.filter || f.link != "" || f.linkBy != "" {
			continue
		}
		if _, relates := p.relates(e, name); relates || e.isID(name) {
			continue
		}
		if cats := personalOf(f); len(cats) > 0 {
			list = append(list, NamedField{Name: name, Categories: cats})
		}
	}
	slices.SortFunc(list, func(a, b NamedField) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(list, func(a, b NamedField) bool { return a.Name == b.Name })
}

// personalOf are the categories of a field's values, and of its parts', but for what is
// public.
func personalOf(f *field) []access.Category {
	has := map[access.Category]bool{}
	for _, c := range f.categories {
		has[c] = true
	}
	if f.parts != nil {
		clear(has)
		f.parts.addCategories(has)
	}
	var list []access.Category
	for _, c := range access.Categories() {
		if has[c] && c != access.Public {
			list = append(list, c)
		}
	}
	return list
}
