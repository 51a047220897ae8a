package profile

import (
	"regexp"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// entity is a compiled kind of record.
type entity struct {
	name      access.Entity
	internal  bool
	id        string
	exact     map[string]*field
	globs     []globField
	unknown   *field // for strings and containers
	unknownNo *field // for numbers, booleans and null
	relations map[string]string
	owner     string
	display   string
	search    map[string]searchSpec
}

type globField struct {
	glob  glob
	field *field
}

// field is what a profile knows of one field.
type field struct {
	name        string // for a literal name
	categories  []access.Category
	by          string
	values      map[string]access.Category
	detect      bool
	decode      string
	withhold    bool
	keys        bool
	reference   bool
	file        bool
	sizeContext string
}

func (f *field) public() bool {
	return len(f.categories) == 1 && f.categories[0] == access.Public
}

var (
	publicField       = &field{categories: []access.Category{access.Public}}
	unclassifiedField = &field{categories: []access.Category{access.Unclassified}}
)

// field returns what is known of a name, nil when it isn't listed.
func (e *entity) field(name string) *field {
	if f, ok := e.exact[name]; ok {
		return f
	}
	for i := range e.globs {
		if e.globs[i].glob.match(name) {
			return e.globs[i].field
		}
	}
	return nil
}

// lookup returns the field of that name, or what the entity says of unknown
// ones.
func (e *entity) lookup(name string, scalarNumber bool) *field {
	if f := e.field(name); f != nil {
		return f
	}
	if scalarNumber {
		return e.unknownNo
	}
	return e.unknown
}

// entityOf returns the entity of a type, nil when the profile doesn't know it.
func (p *Profile) entityOf(typ string) *entity {
	if e, ok := p.types[typ]; ok {
		return e
	}
	for i := range p.typeGlobs {
		if p.typeGlobs[i].glob.match(typ) {
			return p.typeGlobs[i].entity
		}
	}
	return nil
}

// relation returns the type of the records that a field of an entity holds.
func (p *Profile) relation(e *entity, name string) (string, bool) {
	if e != nil {
		if t, ok := e.relations[name]; ok {
			return t, t != ""
		}
	}
	t, ok := p.anyRelations[name]
	return t, ok
}

// resolved is the end of a dotted name.
type resolved struct {
	entity *entity
	typ    string
	name   string // the last step
	prefix string // what leads to it, with its dot
	field  *field
	// related is the type that the field refers to, "" for a plain field.
	related string
}

// resolve follows a dotted name from a type. What it can't follow is
// unclassified.
func (p *Profile) resolve(typ string, steps []string) resolved {
	for i, name := range steps[:len(steps)-1] {
		next, ok := p.relation(p.entityOf(typ), name)
		if !ok {
			rest := strings.Join(steps[i:], ".")
			return resolved{entity: nil, typ: typ, name: rest, prefix: prefixOf(steps[:i]), field: unclassifiedField}
		}
		typ = next
	}
	last := steps[len(steps)-1]
	r := resolved{entity: p.entityOf(typ), typ: typ, name: last, prefix: prefixOf(steps[:len(steps)-1]), field: unclassifiedField}
	if r.entity == nil {
		return r
	}
	r.field = r.entity.lookup(last, false)
	if r.entity.field(last) == nil {
		r.related, _ = p.relation(r.entity, last)
		if r.related != "" {
			r.field = publicField
		}
	}
	return r
}

func prefixOf(steps []string) string {
	if len(steps) == 0 {
		return ""
	}
	return strings.Join(steps, ".") + "."
}

// entityName is the word for the log and the policy; unknown types are their
// own entity, which no policy but `*` speaks of.
func entityName(e *entity, typ string) access.Entity {
	if e == nil {
		return access.Entity(typ)
	}
	return e.name
}

// parts returns the categories that a question about a field asks about: its
// parts' where it is searched as a composite, the related record's display's
// where it is a relation, its own otherwise.
func (p *Profile) parts(role access.RefRole, r resolved, depth int) []access.Category {
	if depth > 4 {
		return []access.Category{access.Unclassified}
	}
	if r.entity != nil && (role == access.RefFilter || role == access.RefSearch) {
		if s, ok := r.entity.search[r.name]; ok {
			var cats []access.Category
			for _, part := range s.Parts {
				cats = append(cats, p.parts(role, p.resolve(r.typ, strings.Split(part, ".")), depth+1)...)
			}
			return unique(cats)
		}
	}
	if r.related != "" {
		return p.displayParts(role, r.related, depth+1)
	}
	return r.field.categories
}

// displayParts are the categories of the field by which a record of that type
// is shown, sorted and searched when another one refers to it.
func (p *Profile) displayParts(role access.RefRole, typ string, depth int) []access.Category {
	e := p.entityOf(typ)
	if e == nil || e.display == "" {
		return []access.Category{access.Unclassified}
	}
	return p.parts(role, p.resolve(typ, []string{e.display}), depth)
}

func unique(in []access.Category) []access.Category {
	seen := map[access.Category]bool{}
	var out []access.Category
	for _, c := range in {
		if !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	return out
}

// Forms of values, for fields that can hold several categories.
var (
	emailForm = regexp.MustCompile(`^[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+$`)
	phoneForm = regexp.MustCompile(`^(?:tel:)?\+?[0-9][0-9 ()/.\-]{4,}$`)
	ibanForm  = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{2,4}){3,9}$`)
	webForm   = regexp.MustCompile(`^(?:https?://|www\.)\S+$`)
)

// detect returns the category whose form the value has, "" for none.
func detect(value string) access.Category {
	value = strings.TrimSpace(value)
	switch {
	case emailForm.MatchString(strings.TrimPrefix(value, "mailto:")):
		return access.Email
	case phoneForm.MatchString(value):
		return access.Phone
	case ibanForm.MatchString(value):
		return access.Bank
	case webForm.MatchString(value):
		return access.Online
	}
	return ""
}
