package observed

import (
	"maps"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/profile"
)

// Diff lists what was seen and a profile doesn't describe: addresses, places of
// records in the answers of those that it does, and their fields.
func (c *Collector) Diff(p *profile.Profile) []profile.Difference {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := &draft{c: c, entities: map[string]*entity{}}
	c.eachRoute(func(r *route) { d.routes = append(d.routes, d.read(r)) })
	var list []profile.Difference
	fields := map[string]*field{}
	for _, x := range d.routes {
		a, ok := p.AddressOf(x.Method, strings.ReplaceAll(x.Path, variable, "1"))
		if !ok {
			list = append(list, profile.Difference{Kind: "route", Name: x.Method + " " + x.match, New: "seen " + times(x.Count)})
			continue
		}
		for i := range x.places {
			at := x.places[i].at
			switch {
			case slices.Contains(a.Places, at):
				d.unlisted(p, a.Type, &x.places[i], fields)
			case len(a.Places) > 0 && !slices.ContainsFunc(a.Places, func(known string) bool { return within(at, known) }):
				list = append(list, profile.Difference{Kind: "records", Name: x.Method + " " + x.match + " " + at, New: "seen " + times(x.places[i].record.Seen)})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		list = append(list, profile.Difference{Kind: "field", Name: name, New: evidence(fields[name])})
	}
	return list
}

// within reports whether a place lies in, or around, another.
func within(at, known string) bool {
	return strings.HasPrefix(at, known) || strings.HasPrefix(known, at)
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
