package profile

import (
	"maps"

	"github.com/crmgate/crmgate/internal/access"
)

// Said is what a profile says of a field.
type Said struct {
	// Categories are what its value can hold: those of its parts, where it has some.
	Categories []access.Category
	// Named says that the field is listed by its name, not by a glob alone.
	Named bool
	// Related says that it holds or names records.
	Related bool
}

// Public reports whether the value is said to hold no personal data.
func (s Said) Public() bool {
	return !s.Related && len(s.Categories) == 1 && s.Categories[0] == access.Public
}

// Says returns what a profile says of a type's field; false where it says nothing.
func (p *Profile) Says(typ, name string) (Said, bool) {
	e := p.entityOf(typ)
	if e == nil {
		return Said{}, false
	}
	_, named := e.exact[e.key(name)]
	if _, relates := p.relates(e, name); relates {
		return Said{Categories: []access.Category{access.Public}, Named: true, Related: true}, true
	}
	f := e.field(name)
	if f == nil {
		return Said{}, false
	}
	s := Said{Categories: f.categories, Named: named, Related: f.link != "" || f.linkBy != ""}
	if f.parts != nil {
		s.Categories = nil
		has := map[access.Category]bool{}
		f.parts.addCategories(has)
		for _, c := range access.Categories() {
			if has[c] && c != access.Unclassified {
				s.Categories = append(s.Categories, c)
			}
		}
	}
	return s, true
}

// Display returns the field by which records of a type are shown where others refer
// to them, and whether the type is one of the CRM's own, without persons' data.
func (p *Profile) Display(typ string) (field string, internal bool) {
	if e := p.entityOf(typ); e != nil {
		return e.display, e.internal
	}
	return "", false
}

// Searches returns the composites by which records of a type are searched, each with
// the fields that it looks into.
func (p *Profile) Searches(typ string) map[string][]string {
	e := p.entityOf(typ)
	if e == nil {
		return nil
	}
	out := map[string][]string{}
	for name, s := range maps.All(e.search) {
		out[name] = s.Parts
	}
	return out
}
