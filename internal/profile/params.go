package profile

import (
	"html"
	"slices"
	"strings"
	"unicode"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// readParams reads parameters each of which filters by the field of its name: those
// of the query, the fields of a form, or the members of an object, be it the text of
// a field.
func (x *Exchange) readParams(r *ref, typ string) error {
	if r.at.origin != fromBody {
		for _, q := range x.req.Query {
			if x.rt != nil && r.listed && x.rt.pattern.namesParam(q.Name) {
				continue
			}
			if err := x.readParam(r, typ, q.Name, q.Value, q.Value == ""); err != nil {
				return err
			}
		}
		return nil
	}
	for _, v := range x.valuesAt(r.at) {
		if err := x.readParamsIn(r, typ, v.node); err != nil {
			return err
		}
	}
	return nil
}

// readParamsIn reads the members of an object in the body, or of a text's there.
func (x *Exchange) readParamsIn(r *ref, typ string, node int) error {
	t := x.tree
	if !isContainer(t, node) {
		if t.Text(node) == "" {
			return nil
		}
		var err error
		if t, err = paramsIn(t.Text(node)); err != nil {
			return err
		}
		node = doc.Root
	}
	for c := range t.Children(node) {
		if t != x.tree && x.contradicts(t.Key(c), t, c) {
			return refuse("malformed", "A parameter that holds others says of the request what it is not.")
		}
		if err := x.readParam(r, typ, t.Key(c), t.Text(c), isNothingIn(t, c)); err != nil {
			return err
		}
	}
	return nil
}

// paramsIn reads parameters that a text holds as JSON. One with character references
// is refused: a CRM that decodes them reads other names than stand there.
func paramsIn(text string) (*doc.Tree, error) {
	t, err := parseJSON([]byte(text))
	if err != nil || t.Nodes[doc.Root].Kind != doc.Object || html.UnescapeString(text) != text {
		return nil, refuse("malformed", "A parameter that holds others is no strict JSON object.")
	}
	return t, nil
}

// contradicts reports whether a parameter within another has the name of one by which
// the route was told from others, and another value: the CRM could go by that.
func (x *Exchange) contradicts(name string, t *doc.Tree, node int) bool {
	return x.rt != nil && slices.ContainsFunc(x.rt.when, func(c condition) bool {
		if len(c.at.path) != 1 || c.at.path[0].kind != stepKey || !slices.Equal(c.at.path[0].keys, []string{name}) {
			return false
		}
		text := t.Text(node)
		return isContainer(t, node) || c.bind != "" && x.vars[c.bind] != text || c.bind == "" && !contains(c.values, text)
	})
}

// isNothingIn reports whether a value is empty, or a list or an object of such.
func isNothingIn(t *doc.Tree, node int) bool {
	for n := node; n < int(t.Nodes[node].Next); n++ {
		if !isContainer(t, n) && t.Nodes[n].Kind != doc.Null && t.Text(n) != "" {
			return false
		}
	}
	return true
}

// readParam reads one parameter.
func (x *Exchange) readParam(r *ref, typ, name, value string, empty bool) error {
	whole := name
	if r.listed {
		name, _, _ = strings.Cut(name, "[")
		// PHP takes a name up to a NUL, and without spaces before it.
		if strings.ContainsFunc(whole, unicode.IsControl) || strings.HasPrefix(whole, " ") {
			return refuse("malformed", "A parameter's name holds what a CRM leaves out of it.")
		}
	}
	switch {
	case empty || r.excepts(name, value) || x.holdsParams(r, whole):
		return nil
	case matchAny(r.order, name):
		value = x.caseOf(typ, value)
		if err := x.isListedField(r, typ, value); err != nil {
			return err
		}
		sort := *r
		sort.role = access.RefSort
		return x.readName(&sort, typ, value)
	}
	if err := x.isListedField(r, typ, name); err != nil {
		return err
	}
	return x.readName(r, typ, name)
}

// holdsParams reports whether another reference reads the parameters that one holds, by
// its whole name: as a list, or where nobody reads it, it is as any other.
func (x *Exchange) holdsParams(r *ref, name string) bool {
	return x.rt != nil && slices.ContainsFunc(x.rt.refs, func(o ref) bool {
		return o.syntax == "params" && o.at.origin == r.at.origin && len(o.at.path) == 1 && len(r.at.path) == 0 &&
			o.at.path[0].kind == stepKey && slices.Equal(o.at.path[0].keys, []string{name})
	})
}

// excepts reports whether a parameter, or one with this value, names no field.
func (r *ref) excepts(name, value string) bool {
	return slices.ContainsFunc(r.except, func(e string) bool {
		e, want, ok := strings.Cut(e, "=")
		return glob(e).match(name) && (!ok || want == value)
	})
}

// caseOf is a column's name in the case in which the entity lists it.
func (x *Exchange) caseOf(typ, name string) string {
	if ent := x.p.entityOf(typ); ent != nil && ent.field(name) == nil {
		return strings.ToLower(name)
	}
	return name
}

// isListedField refuses what names no field that the entity lists, where the route
// takes any parameter: it could do something else.
func (x *Exchange) isListedField(r *ref, typ, name string) error {
	if !r.listed {
		return nil
	}
	_, field, ok := r.mapped(typ, name)
	if ent := x.p.entityOf(typ); !ok || ent == nil || ent.field(field) == nil {
		return refuse("unknown_parameter", "A parameter is neither a field that the profile lists nor one that it knows at this address.")
	}
	return nil
}

// takesAny reports whether the route takes any parameter of an origin, for a reference
// reads each of them.
func (rt *route) takesAny(origin origin) bool {
	return slices.ContainsFunc(rt.refs, func(r ref) bool {
		return r.syntax == "params" && r.listed && r.at.origin == origin && len(r.at.path) == 0
	})
}

// anyParameter sees that a route takes any parameter only where each is judged.
func (c *compiler) anyParameter(where string, rt *route) {
	if slices.Contains(rt.query, "*") && !rt.opaque && !rt.takesAny(fromQuery) {
		c.fail(where, "the parameter * is for opaque answers, and for routes with `refs: [{role: filter, at: query, syntax: params, listed: true}]`; list those that the route takes")
	}
	if slices.Contains(rt.members, "*") && !rt.takesAny(fromBody) {
		c.fail(where, "the member * is for routes with `refs: [{role: filter, at: body, syntax: params, listed: true}]`; list those that the route takes")
	}
	for i := range rt.refs {
		if r := &rt.refs[i]; r.syntax != "params" && (r.listed || len(r.order) > 0) {
			c.fail(where, "listed and order are for the syntax params")
		}
	}
}

// routeTypes notes the types to which a route is restricted.
func (c *compiler) routeTypes(where string, rt *route, types []string) {
	if len(types) > 0 && !strings.HasPrefix(rt.entity, "{") {
		c.fail(where, "types restrict a variable: `entity: \"{module}\"`")
	}
	for _, t := range types {
		if !strings.Contains(t, "*") && c.p.entityOf(t) == nil {
			c.fail(where, "no entity has the type %q; there are: %s", t, c.types())
		}
		rt.types = append(rt.types, glob(t))
	}
}
