package observed

import (
	"maps"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/profile"
)

// Diff lists what was seen and a profile doesn't describe: addresses, and fields of
// the records of those that it does.
func (c *Collector) Diff(p *profile.Profile) []profile.Difference {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := &draft{c: c, entities: map[string]*entity{}}
	c.eachRoute(func(r *route) { d.routes = append(d.routes, d.read(r)) })
	var list []profile.Difference
	fields := map[string]*field{}
	for _, x := range d.routes {
		typ, ok := p.Describes(x.Method, strings.ReplaceAll(x.Path, variable, "1"))
		if !ok {
			list = append(list, profile.Difference{Kind: "route", Name: x.Method + " " + x.match, New: "seen " + times(x.Count)})
			continue
		}
		for i := range x.places {
			d.unlisted(p, typ, &x.places[i], fields)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		list = append(list, profile.Difference{Kind: "field", Name: name, New: evidence(fields[name])})
	}
	return list
}

// unlisted notes the fields of records at a place that a profile doesn't list.
func (d *draft) unlisted(p *profile.Profile, typ string, at *place, fields map[string]*field) {
	name, ok := p.EntityOf(typ)
	if !ok || at.record == nil {
		return
	}
	e := &entity{record: at.record}
	for m, f := range e.members(d) {
		if m == anyName || p.Knows(typ, m) {
			continue
		}
		key := string(name) + "." + m
		if fields[key] == nil {
			fields[key] = &field{}
		}
		fields[key].absorb(f)
	}
}
