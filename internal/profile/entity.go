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
	folded    bool // case doesn't count in names: they are kept in lower case
	id        string
	exact     map[string]*field
	globs     []globField
	unknown   *field // for strings and containers
	unknownNo *field // for numbers, booleans and null
	relations map[string]string
	owner     string
	display   string
	// read and erase are the gateway's own requests for one record; nil: there is none.
	read, erase *ownRequest
	search      map[string]searchSpec
	// selects maps a field to the categories among which its value chooses for
	// others (`by`): who writes it changes what the others are taken for.
	selects map[string][]access.Category
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
	companies   bool
	position    bool
	tag         string
	decode      string
	withhold    bool
	keys        bool
	plain       bool // public by a pattern of names, or where others hold records: values, no objects
	reference   bool
	file        bool
	sizeContext string
	picture     bool
	// What follows is for values that aren't one value of one record.
	link, linkBy string
	parts        *entity // its fields are the parts
	flat         bool
	at           []path // below each member of a flat object
	beside       []glob // public keys there
	named        string
	ofType, ofID string
	filter       bool
	// context maps keys of a context to what they put into the value besides.
	context map[string]access.Category
}

// structured reports whether the value has to be looked into.
func (f *field) structured() bool {
	return f.link != "" || f.linkBy != "" || f.parts != nil || f.flat || f.named != "" || f.ofType != "" || f.filter
}

// shape is the form of a part of the field's value, which may stand in a kind
// of object that says less.
func (f *field) shape(s access.Shape) access.Shape {
	if f.picture && s == access.ShapeBase64 {
		return access.ShapePicture
	}
	return s
}

func (f *field) public() bool {
	return len(f.categories) == 1 && f.categories[0] == access.Public
}

func publicField() *field { return &field{categories: []access.Category{access.Public}} }

func unclassifiedField() *field {
	return &field{categories: unclassified()}
}

// field returns what is known of a name, nil when it isn't listed.
func (e *entity) field(name string) *field {
	name = e.key(name)
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

// Describes reports whether the profile lists a field of an entity, by name or
// pattern. What is no field of an entity of its is described.
func (p *Profile) Describes(of access.Entity, name string) bool {
	if name == "" {
		return true
	}
	for _, e := range p.entities {
		if e.name == of {
			return e.isID(name) || e.relations[e.key(name)] != "" || e.field(name) != nil
		}
	}
	return true
}

// addCategories notes every category that a field of the entity can have.
func (e *entity) addCategories(has map[access.Category]bool) {
	note := func(f *field) {
		if f == nil {
			return
		}
		for _, c := range f.categories {
			has[c] = true
		}
	}
	for _, f := range e.exact {
		note(f)
	}
	for i := range e.globs {
		note(e.globs[i].field)
	}
	note(e.unknown)
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
	typ = p.key(typ)
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
	name = p.key(name)
	if e != nil {
		if t, ok := e.relations[name]; ok {
			return t, t != ""
		}
	}
	t, ok := p.anyRelations[name]
	return t, ok
}

// ownType is the type of a relation that leads to records of the record's own type.
const ownType = "."

// relates returns the type of the records that a field holds, if it is to be
// read as a relation: one of the entity's own, or one of every entity's that the
// entity doesn't list among its fields.
func (p *Profile) relates(e *entity, name string) (string, bool) {
	if _, own := e.relations[e.key(name)]; !own && e.field(name) != nil {
		return "", false
	}
	return p.relation(e, name)
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

// composite reports whether the field is searched as one.
func (r *resolved) composite() bool {
	if r.entity == nil {
		return false
	}
	_, ok := r.entity.search[r.name]
	return ok
}

// resolve follows a dotted name from a type. What it can't follow is
// unclassified.
func (p *Profile) resolve(typ string, steps []string) resolved {
	if p.ownName(typ, steps) {
		steps = steps[1:]
	}
	for i, name := range steps[:len(steps)-1] {
		if r, ok := p.dotted(typ, steps, i); ok {
			return r
		}
		next, ok := p.relation(p.entityOf(typ), name)
		if fd := p.partOf(typ, name, steps[i+1:]); !ok && fd != nil {
			return resolved{entity: p.entityOf(typ), typ: typ, name: strings.Join(steps[i:], "."), prefix: prefixOf(steps[:i]), field: fd}
		}
		if !ok {
			rest := strings.Join(steps[i:], ".")
			return resolved{entity: nil, typ: typ, name: rest, prefix: prefixOf(steps[:i]), field: unclassifiedField()}
		}
		if next != ownType {
			typ = next
		}
	}
	last := steps[len(steps)-1]
	r := resolved{entity: p.entityOf(typ), typ: typ, name: last, prefix: prefixOf(steps[:len(steps)-1]), field: unclassifiedField()}
	if r.entity == nil {
		return r
	}
	r.field = r.entity.lookup(last, false)
	if p.folded && r.field.name != "" {
		r.name = r.field.name
	}
	if related, ok := p.relates(r.entity, last); ok {
		if related == ownType {
			related = typ
		}
		r.related, r.field = related, publicField()
	}
	return r
}

// dotted resolves a name that an entity lists with its dots: `email_primary.email`.
func (p *Profile) dotted(typ string, steps []string, from int) (resolved, bool) {
	e := p.entityOf(typ)
	if e == nil {
		return resolved{}, false
	}
	name := strings.Join(steps[from:], ".")
	fd, ok := e.exact[e.key(name)]
	return resolved{entity: e, typ: typ, name: name, prefix: prefixOf(steps[:from]), field: fd}, ok
}

// ownName reports whether a dotted name begins with the type's own name, where names
// are folded: Contact.Email of a contact.
func (p *Profile) ownName(typ string, steps []string) bool {
	if !p.folded || len(steps) < 2 || p.key(steps[0]) != p.key(typ) {
		return false
	}
	_, related := p.relation(p.entityOf(typ), steps[0])
	return !related
}

// steps splits a name. Where something else than a dot joins the steps, one
// behind the last of them asks for another rendering of the same value.
func (p *Profile) steps(name, separator string) []string {
	steps := strings.Split(name, separator)
	if last := len(steps) - 1; separator != "." {
		plain, rendering, ok := strings.Cut(steps[last], ".")
		if ok && contains(p.renderings, rendering) {
			steps[last] = plain
		}
	}
	return steps
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
