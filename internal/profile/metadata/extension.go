package metadata

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// Draft writes the profile: one that extends the one that ships, or of a service of
// OData a whole one.
func (s *Schema) Draft(o Options) ([]byte, error) {
	if s.odata != nil {
		return odataProfile(*s.odata, o)
	}
	if o.Path != "" {
		return nil, errors.New("a path is for a service of OData: the profile that ships knows the CRM's addresses")
	}
	src, err := profile.Builtin(s.crm)
	if err != nil {
		return nil, err
	}
	base, err := profile.Load(src)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.crm, err)
	}
	return s.extend(base).profile(cmp.Or(o.Name, s.crm+"-own/1")), nil
}

// extend finds what the documents have beside a profile.
func (s *Schema) extend(base *profile.Profile) *extension {
	x := &extension{s: s, base: base, judge: judge{vocabulary.New()}, drawn: map[string]*entity{}}
	x.choose()
	for _, e := range s.entities {
		if len(e.types) > 0 {
			x.entity(e)
		}
	}
	return x
}

// extension writes what a company's CRM has beside the profile that ships.
type extension struct {
	s     *Schema
	base  *profile.Profile
	judge judge
	// drawn are the entities that the profile doesn't know and the extension adds, by
	// each of their types.
	drawn    map[string]*entity
	left     []string // types that nobody describes
	sections []*section
	// What was said, for the head.
	fields, open, hidden, added int
}

// section is an entity of the extension. Several types of the CRM can be one.
type section struct {
	name, comment string
	head          []string
	rows          [3][]row // fields, relations, search
}

// choose says which kinds of records the extension adds: those that the company made,
// and those whose fields the administrator saved by themselves.
func (x *extension) choose() {
	for _, e := range x.s.entities {
		if slices.ContainsFunc(e.types, x.knows) {
			continue
		}
		if !e.custom && !e.chosen {
			x.left = append(x.left, e.typ())
			continue
		}
		e.persons = e.persons || ofPersons(ownWords(e.typ())+" "+e.label)
		e.types = slices.DeleteFunc(slices.Clone(e.types), func(t string) bool { return x.drawn[strings.ToLower(t)] != nil })
		if len(e.types) == 0 {
			continue // another's words
		}
		for _, t := range e.types {
			x.drawn[t], x.drawn[strings.ToLower(t)] = e, e
		}
	}
}

func (x *extension) knows(typ string) bool {
	_, ok := x.base.EntityOf(typ)
	return ok
}

func (x *extension) serves(typ string) bool { return x.drawn[typ] != nil || x.knows(typ) }

// baseType is the type by which the profile that ships is asked about an entity: its
// own, or for one that is added, that of the entity that it is like.
func (x *extension) baseType(e *entity) string {
	if i := slices.IndexFunc(e.types, x.knows); i >= 0 {
		return e.types[i]
	}
	return x.likeType(e)
}

func (x *extension) like(e *entity) string {
	if e.persons {
		return x.s.like[0]
	}
	return x.s.like[1]
}

// likeType is a type of the entity that an added one is like.
func (x *extension) likeType(e *entity) string {
	for _, typ := range likeTypes() {
		if name, ok := x.base.EntityOf(typ); ok && string(name) == x.like(e) {
			return typ
		}
	}
	return ""
}

// likeTypes are words for people and things in the CRMs whose profiles ship.
func likeTypes() []string {
	return []string{"Contact", "contacts", "people", "res.partner", "person", "Contacts", "Opportunity", "deals", "opportunities", "deal", "Opportunities", "sale.order.line"}
}

// row is a line of an entity's fields or relations.
type row struct {
	name, spec, comment string
	old                 string   // what the profile says of it, where that is public
	parts               []string // of a search
}

func (x *extension) entity(e *entity) {
	added := x.drawn[e.typ()] == e
	typ := x.baseType(e)
	if !added && !slices.ContainsFunc(e.types, x.knows) {
		return
	}
	if _, internal := x.base.Display(typ); internal && !added {
		return // its records are the CRM's own
	}
	var rows, relations []row
	for i := range e.fields {
		f := &e.fields[i]
		switch r, to := x.field(e, f, typ, added); {
		case r == nil:
		case to:
			relations = append(relations, *r)
		default:
			rows = append(rows, *r)
		}
	}
	searches := x.searches(e, typ, added)
	if !added && len(rows)+len(relations)+len(searches) == 0 {
		return
	}
	x.put(x.section(e, typ, added), rows, relations, searches)
}

// field is what the extension says of a field; nil where the profile that ships says
// enough. The second result says that it is a relation.
func (x *extension) field(e *entity, f *field, typ string, added bool) (*row, bool) {
	said, ok := x.base.Says(typ, f.name)
	switch {
	case f.kind == relation:
		if ok || !x.serves(f.target) {
			return x.lost(f, ok, added)
		}
		return &row{name: f.name, spec: word(f.target), comment: x.comment(f, "")}, true
	case ok && said.Related:
		return nil, false
	}
	spec, why, personal := x.judged(e, f)
	own := f.custom || added
	switch {
	case ok && said.Public() && f.marked != "" && f.of == "":
		return x.instead(f, spec, "CHECK: the profile that ships says public; "+why), false
	case ok && (said.Named || !own || !said.Public() || !personal):
		return nil, false
	case ok:
		return x.instead(f, spec, "CHECK: the profile that ships says public of names like it; "+why), false
	case own || personal:
		return x.row(f, spec, why), false
	}
	x.hidden++
	return nil, false
}

// lost is a relation that leads to records that nobody describes.
func (x *extension) lost(f *field, said, added bool) (*row, bool) {
	if said || !f.custom && !added {
		return nil, false
	}
	return x.row(f, string(access.Unclassified), "leads to "+plainText(f.target)+", which the profile doesn't know"), false
}

// judged is what a field can hold, why, and whether that is personal.
func (x *extension) judged(e *entity, f *field) (spec, why string, personal bool) {
	switch {
	case f.kind == fixed:
		return f.spec, f.why, f.spec != string(access.Public)
	case f.kind == link && x.serves(f.target):
		return "{link: " + word(f.target) + "}", "an id; it is shown, and stands in the log", false
	case f.kind == link:
		return string(access.Unclassified), "an id of " + plainText(f.target) + ", which the profile doesn't know", false
	case f.spec == "label":
		return x.label(f)
	}
	v := x.judge.of(e, f)
	why = strings.Join(v.why, ", ")
	if v.check {
		why = "CHECK: " + why
	}
	return v.spec(), why, v.personal()
}

// label is what the records are called that a link leads to.
func (x *extension) label(f *field) (spec, why string, personal bool) {
	why = "what " + plainText(f.target) + " is called"
	if d := x.drawn[f.target]; d != nil {
		if d.persons {
			return string(access.Name), why, true
		}
		return string(access.FreeText), why, true
	}
	display, internal := x.base.Display(f.target)
	said, ok := x.base.Says(f.target, display)
	switch {
	case internal:
		return string(access.Public), why, false
	case !ok || said.Related:
		return string(access.Unclassified), why, false
	}
	v := verdict{categories: said.Categories}
	return v.spec(), why, v.personal()
}

// instead is a row for a field that the profile that ships calls public.
func (x *extension) instead(f *field, spec, why string) *row {
	r := x.row(f, spec, why)
	r.old = string(access.Public)
	return r
}

func (x *extension) row(f *field, spec, why string) *row {
	return &row{name: f.name, spec: spec, comment: x.comment(f, why)}
}

// comment says what the CRM says of a field, and what its category rests on.
func (x *extension) comment(f *field, why string) string {
	var parts []string
	if l := plainText(f.label); l != "" {
		parts = append(parts, "“"+l+"”")
	}
	if t := plainText(f.typ); t != "" {
		parts = append(parts, t)
	}
	said := strings.Join(parts, ", ")
	if strings.Contains(why, "CHECK: ") {
		return "CHECK: " + strings.TrimPrefix(said+"; "+strings.ReplaceAll(why, "CHECK: ", ""), "; ")
	}
	if why == "" || said == "" {
		return said + why
	}
	return said + "; " + why
}

// searches are the composites that look into more than the profile that ships says.
func (x *extension) searches(e *entity, typ string, added bool) []row {
	have := x.base.Searches(typ)
	var rows []row
	for _, name := range slices.Sorted(maps.Keys(e.searches)) {
		parts, more := slices.Clone(have[name]), false
		if added {
			parts = nil
		}
		for _, p := range e.searches[name] {
			if !slices.Contains(parts, p) {
				parts, more = append(parts, p), true
			}
		}
		if more {
			rows = append(rows, row{name: name, parts: parts, comment: "CHECK: all that the search looks into; who may not see one of them may not search"})
		}
	}
	return rows
}
