package profile

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Difference is a thing that two profiles say differently.
type Difference struct {
	// Kind is route, call, entity, field, or records: a place where some stand.
	Kind string `json:"kind"`
	// Name is the route's address, the call's or the entity's name, or entity.field.
	Name string `json:"name"`
	// Old and New are what each says of it: empty where it doesn't know it.
	Old string `json:"old"`
	New string `json:"new"`
}

// known is what stands for a thing of which there is no more to say.
const known = "described"

// Diff lists what two profiles don't have in common: addresses and calls, entities,
// fields and their categories.
func Diff(older, newer *Profile) []Difference {
	var list []Difference
	compare := func(kind string, a, b map[string]string) {
		names := maps.Clone(a)
		maps.Copy(names, b)
		for _, n := range slices.Sorted(maps.Keys(names)) {
			if a[n] != b[n] {
				list = append(list, Difference{Kind: kind, Name: n, Old: a[n], New: b[n]})
			}
		}
	}
	compare("route", older.addresses(), newer.addresses())
	compare("call", older.callNames(), newer.callNames())
	compare("entity", older.entityNames(), newer.entityNames())
	compare("field", older.fieldNames(newer), newer.fieldNames(older))
	return list
}

func (p *Profile) addresses() map[string]string {
	all := map[string]string{}
	for _, t := range p.transports {
		all[t.pattern.text] = known
	}
	for _, r := range p.routes {
		what := known
		switch {
		case r.deny != "":
			what = "refused"
		case r.pass:
			what = "passes"
		}
		all[r.pattern.text] = what
	}
	return all
}

func (p *Profile) callNames() map[string]string {
	all := map[string]string{}
	for _, c := range p.calls {
		all[string(c.name.glob)] = known
	}
	return all
}

func (p *Profile) entityNames() map[string]string {
	all := map[string]string{}
	for _, e := range p.entities {
		all[string(e.name)] = known
	}
	return all
}

// fieldNames are the fields of entities that the other profile has, too: those of
// others are no news.
func (p *Profile) fieldNames(other *Profile) map[string]string {
	also := other.entityNames()
	all := map[string]string{}
	for _, e := range p.entities {
		if also[string(e.name)] == "" {
			continue
		}
		for name, f := range e.exact {
			all[string(e.name)+"."+name] = f.outline()
		}
		for _, g := range e.globs {
			all[string(e.name)+"."+string(g.glob)] = g.field.outline()
		}
		for name, typ := range e.relations {
			all[string(e.name)+"."+name] = "relation to " + typ
		}
	}
	return all
}

// outline says in a word what a field holds.
func (f *field) outline() string {
	switch {
	case f.link != "":
		return "id of " + f.link
	case f.flat:
		return "fields"
	}
	var names []string
	for _, c := range f.categories {
		names = append(names, string(c))
	}
	slices.Sort(names)
	return cmp.Or(strings.Join(names, ", "), known)
}

// Address is what a profile says of an address.
type Address struct {
	// Type is the type of its records, where the route names one.
	Type string
	// Places are the expressions for the records in its answers.
	Places []string
}

// AddressOf returns what a profile says of an address; false where it has no route
// for it, and no transport of calls. A query that a route asks for is taken to be
// there.
func (p *Profile) AddressOf(method, path string) (a Address, ok bool) {
	segments := strings.Split(strings.TrimPrefix(p.unaliasPath(method, path), "/"), "/")
	vars := map[string]string{}
	for _, t := range p.transports {
		if t.pattern.match(method, segments, vars) {
			return a, true
		}
	}
	for _, r := range p.routes {
		clear(vars)
		if !r.pattern.match(method, segments, vars) {
			continue
		}
		x := &Exchange{p: p, op: &r.operation, vars: vars}
		a.Type = x.typeOf(r.entity)
		for i := range r.records {
			a.Places = append(a.Places, r.records[i].at.text)
		}
		return a, true
	}
	return a, false
}

// Knows reports whether a type's records have a field of that name: one that the
// profile lists, a relation, or the id. Of a type that it doesn't know it lists none.
func (p *Profile) Knows(typ, field string) bool {
	e := p.entityOf(typ)
	if e == nil {
		return false
	}
	_, relates := p.relates(e, field)
	return relates || field == e.id || e.field(field) != nil
}
