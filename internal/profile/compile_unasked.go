package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// unasked refuses a route that takes a parameter or a member of which nothing says
// what it asks, though its name does: the CRM would answer questions about fields
// that nobody judged.
func (c *compiler) unasked(where string, rt *route) {
	if rt.pass || rt.deny != "" || rt.opaque || rt.image || rt.graphql != nil || rt.batch != nil || rt.language() != nil || rt.odata != "" {
		return
	}
	for _, name := range rt.query {
		if c.asks(rt, name) && !rt.reads(fromQuery, name) {
			c.failUnasked(where, "query."+name, name)
		}
	}
	for _, name := range slices.Concat(rt.members, rt.form.Members) {
		if c.asks(rt, name) && !rt.reads(fromBody, name) && !contains(rt.form.Empty, name) {
			c.failUnasked(where, "body."+name, name)
		}
	}
}

func (c *compiler) failUnasked(where, at, name string) {
	c.fail(where, "%s is taken, and nothing says what it asks. Add a reference (`refs: [{role: filter, at: %s, syntax: search, field: %s}]`; the author's manual lists how others are written); where it names nothing, one with the words that it may be (`{role: sort, at: %s, map: {asc: id, desc: id}}`); or take it out", at, at, name, at)
}

// asks reports whether a name is that of a personal field, or one by which CRMs take
// filters, searches and orders.
func (c *compiler) asks(rt *route, name string) bool {
	asksAlready := slices.ContainsFunc(rt.refs, func(r ref) bool { return r.role == access.RefFilter || r.role == access.RefSearch })
	switch strings.ToLower(name) {
	case "q", "query", "search", "searchterm", "search_term", "term", "keyword", "keywords":
		return !asksAlready // the value that another parameter's field is compared with
	case "filter", "filters", "where", "criteria", "conditions", "sort", "sortby", "sort_by", "orderby", "order_by", "groupby", "group_by":
		return true
	}
	ent := c.p.entityOf(rt.entity)
	if ent == nil {
		return false
	}
	f, ok := ent.exact[ent.key(name)]
	return ok && !f.public() && f.link == "" && f.linkBy == ""
}

// reads reports whether an expression of the route leads to a parameter or a member.
func (rt *route) reads(from origin, name string) bool {
	is := func(e *expr) bool {
		if e == nil || e.origin != from {
			return false
		}
		if from == fromQuery {
			base, _, _ := strings.Cut(e.name, "[")
			return base == name || strings.HasPrefix(e.name, name+".") || e.name == ""
		}
		return len(e.path) == 0 || e.path[0].kind != stepKey || contains(e.path[0].keys, name)
	}
	for i := range rt.refs {
		r := &rt.refs[i]
		if is(&r.at) && (len(r.at.path) > 0 || r.at.name != "" || !contains(r.except, name)) || r.narrow == name && from == fromQuery {
			return true
		}
	}
	for i := range rt.records {
		if is(rt.records[i].idExpr) || is(rt.records[i].columns) || is(rt.records[i].headings) || is(rt.records[i].fieldAt) {
			return true
		}
	}
	return slices.ContainsFunc(rt.ids, func(e expr) bool { return is(&e) }) ||
		slices.ContainsFunc(rt.when, func(w condition) bool { return is(&w.at) && w.bind == "" }) ||
		is(rt.entityAt) || rt.write != nil && is(&rt.write.at) || rt.hasPattern(from, name)
}

// hasPattern reports whether the route's own address says what a parameter may be, or
// a reference what its variable asks.
func (rt *route) hasPattern(from origin, name string) bool {
	return from == fromQuery && slices.ContainsFunc(rt.pattern.params, func(q paramMatch) bool {
		used := func(e expr) bool { return e.origin == fromVar && e.name == q.bind }
		return q.name == name && (q.bind == "" || slices.ContainsFunc(rt.ids, used) || strings.HasPrefix(rt.entity, "{"+q.bind+"}") ||
			slices.ContainsFunc(rt.refs, func(r ref) bool { return used(r.at) }))
	})
}
