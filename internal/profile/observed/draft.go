package observed

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// draft is a profile that is being drawn.
type draft struct {
	c        *Collector
	entities map[string]*entity
	routes   []*drafted
	yaml
}

// drafted is a route that was seen, and what is made of it.
type drafted struct {
	*route
	segments []string
	// match is the address with a name for each variable.
	match string
	// vars are the variables' names; the last is `id` where the address ends with it.
	vars   []string
	entity *entity
	places []place
	writes *writing
	asks   *asking
	// aside says why the route is left out; empty for one that is written.
	aside string
}

// Draft draws a profile of what was collected, as YAML in the language of
// profiles. It describes no more than what its names and numbers tell: the rest is
// hidden or refused, and stands in comments.
func (c *Collector) Draft(name string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := &draft{c: c, entities: map[string]*entity{}}
	c.eachRoute(func(r *route) { d.routes = append(d.routes, d.read(r)) })
	for _, e := range d.entities {
		e.settle()
	}
	d.nested()
	for _, r := range d.routes {
		d.decide(r)
	}
	d.prune()
	if len(d.entities) == 0 {
		return nil, errors.New("no route with records in JSON was seen: use the CRM for a while, lists and single records of every kind, and draft again")
	}
	d.head(name)
	for _, e := range slices.Sorted(maps.Keys(d.entities)) {
		d.entity(d.entities[e])
	}
	d.writeRoutes()
	return []byte(d.b.String()), nil
}

// read finds the records in a route's answers.
func (d *draft) read(r *route) *drafted {
	x := &drafted{route: r, segments: strings.Split(strings.TrimPrefix(r.Path, "/"), "/")}
	x.name()
	s := finding{d: d, about: entityName(x.segments)}
	s.find(r.Answer, place{at: "$"})
	about := entityName(x.segments)
	for i := range s.places {
		p := &s.places[i]
		e := about
		if p.around != "" && p.table == "" && len(s.places) > 1 {
			e = singular(p.around)
		}
		in := d.entityOf(e)
		in.learn(p)
		in.routes++
		x.places = append(x.places, *p)
		if x.entity == nil || e == about {
			x.entity = in
		}
		x.places[len(x.places)-1].entity = in
	}
	return x
}

// name gives the variables of an address names: `/accounts/{account_id}/contacts/{id}`.
func (x *drafted) name() {
	steps := slices.Clone(x.segments)
	for i, s := range steps {
		if s != variable {
			continue
		}
		name := "id"
		if i < len(steps)-1 {
			before := "x"
			if i > 0 && steps[i-1] != "" && !strings.HasPrefix(steps[i-1], "{") {
				before = singular(steps[i-1])
			}
			name = plainVariable(before + "_id")
		}
		for base, n := name, 2; slices.Contains(x.vars, name); n++ {
			name = fmt.Sprintf("%s%d", base, n)
		}
		x.vars = append(x.vars, name)
		steps[i] = "{" + name + "}"
	}
	x.match = "/" + strings.Join(steps, "/")
}

func plainVariable(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r == '_' {
			return r
		}
		return -1
	}, s)
}

// ends reports whether an address ends with a variable: it names one record.
func (x *drafted) ends() bool { return x.segments[len(x.segments)-1] == variable }

// verb is the last step of an address where that says what is done; "" for none.
func (x *drafted) verb() string {
	if last := x.segments[len(x.segments)-1]; vocabulary.IsVerb(last) && len(x.segments) > 1 {
		return strings.Join(vocabulary.Words(last), "")
	}
	return ""
}

// main is the place of the one record that an address with an id is about, beside
// which lists may stand; nil without one.
func (x *drafted) main() *place {
	for i := range x.places {
		if p := &x.places[i]; !p.list && p.table == "" && p.entity == x.entity {
			return p
		}
	}
	return nil
}

// nested finds records that stand in others: they are entities where they say
// something of somebody.
func (d *draft) nested() {
	for _, name := range slices.Sorted(maps.Keys(d.entities)) {
		e := d.entities[name]
		for _, m := range slices.Sorted(maps.Keys(e.record.Members)) {
			in := e.record.Members[m].object()
			to := singular(m)
			if in == nil || in.idMember() == "" || to == "" || d.flatten(e, m) != nil {
				continue
			}
			if d.entities[to] != nil || d.recordLike(in) {
				rel := d.entityOf(to)
				rel.learn(&place{record: in})
				rel.settle()
			}
		}
	}
}

// object is what was seen of the objects at a place, or in the list there; nil
// where there are none.
func (f *field) object() *field {
	switch {
	case f.Kinds["object"] > 0 && f.Kinds["array"] == 0:
		return f
	case f.Elements != nil && f.Elements.Kinds["object"] > 0 && f.Kinds["object"] == 0:
		return f.Elements
	}
	return nil
}

// objects reports whether an object was seen at a place, or in the list there.
func (f *field) objects() bool {
	return f.Kinds["object"] > 0 || f.Elements != nil && f.Elements.objects()
}

// prune takes out entities that nothing speaks of.
func (d *draft) prune() {
	used := map[string]bool{}
	for _, r := range d.routes {
		if r.aside == "" {
			used[r.entity.name] = true
			for i := range r.places {
				used[r.places[i].entity.name] = true
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for name, e := range d.entities {
			if !used[name] {
				continue
			}
			for _, to := range d.related(e) {
				if !used[to] {
					used[to], changed = true, true
				}
			}
		}
	}
	maps.DeleteFunc(d.entities, func(name string, _ *entity) bool { return !used[name] })
}

// related lists the entities to which an entity's fields lead.
func (d *draft) related(e *entity) []string {
	var list []string
	for m, f := range e.members(d) {
		if to := d.relation(e, m, f); to != "" {
			list = append(list, to)
		} else if to := d.link(m, f); to != "" {
			list = append(list, to)
		}
	}
	return list
}

// relation is the entity of the records that a member holds; "" for none.
func (d *draft) relation(e *entity, name string, f *field) string {
	in := f.object()
	if in == nil || in.idMember() == "" || d.flatten(e, name) != nil {
		return ""
	}
	if to := d.entities[singular(name)]; to != nil && to.id == in.idMember() {
		return to.name
	}
	return ""
}

// link is the entity of the records whose ids a member holds: account_id,
// contactsIds; "" for none.
func (d *draft) link(name string, f *field) string {
	words := vocabulary.Words(name)
	last := len(words) - 1
	if last < 1 || !slices.Contains([]string{"id", "ids", "uuid"}, words[last]) || d.c.words.Category(name) != "" || !f.flat().isID() {
		return ""
	}
	words[last-1] = vocabulary.Singular(words[last-1])
	if e := d.entities[strings.Join(words[:last], "_")]; e != nil {
		return e.name
	}
	return ""
}

// flatten is the object of the record's own fields that a member holds, as
// `properties` does; nil where it is no such object.
func (d *draft) flatten(e *entity, name string) *field {
	f := e.record.Members[name]
	if f == nil || f.Kinds["object"] == 0 || f.Kinds["array"] > 0 || f.idMember() != "" && !vocabulary.Is("properties attributes fields", name) {
		return nil
	}
	if vocabulary.Is("properties attributes fields custom customfields customproperties customattributes data values", name) && len(f.Members) > 1 {
		return f
	}
	return nil
}

// members are a record's fields by name, with those of objects that hold the
// record's own.
func (e *entity) members(d *draft) map[string]*field {
	all := map[string]*field{}
	put := func(from map[string]*field) {
		for name, f := range from {
			if all[name] == nil {
				all[name] = &field{}
			}
			all[name].absorb(f)
		}
	}
	for name := range e.record.Members {
		if in := d.flatten(e, name); in != nil {
			own := map[string]*field{}
			for m, f := range in.Members {
				own[m] = f.valueOf()
			}
			put(own)
			continue
		}
		put(map[string]*field{name: e.record.Members[name]})
	}
	return all
}

// valueOf is the value in an object that stands for one: {"value": …, "versions": …}.
func (f *field) valueOf() *field {
	if f.Members["value"] == nil || f.Kinds["array"] > 0 {
		return f
	}
	return f.Members["value"]
}
