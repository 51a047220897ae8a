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

// unread refuses addresses that hold a person's value, saves of nobody knows which
// record, and members in clear that have the name of what is hidden elsewhere.
func (c *compiler) unread(where string, rt *route) {
	if rt.pass || rt.deny != "" {
		return
	}
	ent := c.p.entityOf(rt.entity)
	for _, s := range rt.pattern.segments {
		if s.name == "" || ent == nil || ent.exact[ent.key(s.name)] == nil || ent.exact[ent.key(s.name)].public() || ent.isID(s.name) {
			continue
		}
		if !slices.ContainsFunc(rt.refs, func(r ref) bool { return r.at.origin == fromVar && r.at.name == s.name }) {
			c.fail(where, "{%s} has the name of a field that isn't public: whoever finds a record by it asks about it. Add `refs: [{role: filter, at: \"{%s}\", syntax: search, field: %s}]` and leave it out of ids, or call it something else", s.name, s.name, s.name)
		}
	}
	byFilter := slices.ContainsFunc(rt.refs, func(r ref) bool { return r.role == access.RefFilter })
	if w := rt.write; w != nil && rt.odata == "" && !byFilter && (w.mode == WritePartial || w.mode == WriteFull) && len(rt.ids) == 0 && w.self == "" && !w.pairs {
		c.fail(where, "a save in the mode %s says which record it is for: by `ids: [\"{id}\"]`, or by `self`, the member of the values that holds the id", w.mode)
	}
	for _, name := range rt.public {
		for _, e := range c.p.entities {
			f := e.exact[e.key(string(name))]
			if f != nil && slices.ContainsFunc(f.categories, func(k access.Category) bool { return slices.Contains(exact(), k) }) {
				c.fail(where, "public lists %s, which holds personal data in records of %s: it would be shown wherever it stands outside of records", name, e.name)
				break
			}
		}
	}
}

// unlisted refuses references to parameters that the route doesn't take: a name that
// is written otherwise than the CRM's would leave what that asks unread.
func (c *compiler) unlisted(where string, rt *route) {
	if rt.odata != "" || rt.graphql != nil || rt.pass || rt.deny != "" {
		return
	}
	for i := range rt.refs {
		at := &rt.refs[i].at
		if at.origin != fromQuery || at.name == "" {
			continue
		}
		base, _, _ := strings.Cut(at.name, "[")
		if !contains(rt.query, at.name) && !contains(rt.query, base) && !rt.pattern.namesParam(base) {
			c.fail(where, "%s is read, and query doesn't list the parameter %s: a request that has it would be refused. Add it there, or write its name as the CRM does (query['a.b'] where it has dots or brackets)", at.text, base)
		}
	}
}

// exact are the categories of which nobody calls anything else by the same name.
func exact() []access.Category {
	return []access.Category{access.Email, access.Phone, access.Birthdate, access.Bank, access.TaxID, access.Identity, access.Special, access.Credential}
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

// leads reports whether an expression leads to a parameter or a member, or into it.
func (e *expr) leads(from origin, name string) bool {
	if e == nil || e.origin != from {
		return false
	}
	if from == fromQuery {
		base, _, _ := strings.Cut(e.name, "[")
		return base == name || strings.HasPrefix(e.name, name+".") || e.name == ""
	}
	return len(e.path) == 0 || e.path[0].kind != stepKey || contains(e.path[0].keys, name)
}

// reads reports whether an expression of the route leads to a parameter or a member.
func (rt *route) reads(from origin, name string) bool {
	is := func(e *expr) bool { return e.leads(from, name) }
	asks := func(r ref) bool {
		named := len(r.at.path) > 0 || r.at.name != ""
		return is(&r.at) && (named || !contains(r.except, name)) || r.narrow == name && from == fromQuery
	}
	places := func(r recordAt) bool { return is(r.idExpr) || is(r.columns) || is(r.headings) || is(r.fieldAt) }
	return slices.ContainsFunc(rt.refs, asks) || slices.ContainsFunc(rt.records, places) ||
		slices.ContainsFunc(rt.ids, func(e expr) bool { return is(&e) }) ||
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
