package profile

import (
	"maps"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/form"
)

// condition is a place of the body and the values that it may have: "" is no value,
// and a variable takes any other.
type condition struct {
	at     expr
	values []string
	bind   string
}

// when compiles what tells a route from others of its address.
func (c *compiler) when(where string, rt *route, when map[string]string) {
	for _, at := range slices.Sorted(maps.Keys(when)) {
		c.condition(where, rt, at, when[at])
	}
	c.nestedBody(where, rt)
}

// condition compiles the values that one place of the body may have.
func (c *compiler) condition(where string, rt *route, at, values string) {
	e := c.expr(where, at, nil)
	if e.origin != fromBody || len(e.path) == 0 || !readable(rt.body) {
		c.fail(where, "when names places of a body of json or a form, and their values: `when: {body.operation: query}`")
	}
	is := condition{at: e, values: strings.Split(values, "|")}
	if name, ok := strings.CutPrefix(values, "{"); ok {
		if is.bind, ok = strings.CutSuffix(name, "}"); !ok || is.bind == "" || strings.ContainsAny(is.bind, "{}|") {
			c.fail(where, "when: %q is neither values nor one {variable}", values)
		}
		is.values = nil
	}
	rt.when = append(rt.when, is)
}

// otherCondition reports whether a body that is for the later of two routes can miss
// the earlier.
func otherCondition(earlier, later *route) bool {
	if len(earlier.when) == 0 {
		return false
	}
	return slices.ContainsFunc(earlier.when, func(a condition) bool {
		at := slices.IndexFunc(later.when, func(b condition) bool { return b.at.text == a.at.text })
		return at < 0 || !a.covers(&later.when[at])
	})
}

// covers reports whether each value that fits the other condition fits this one.
func (a *condition) covers(b *condition) bool {
	if a.bind != "" {
		return !contains(b.values, "")
	}
	return b.bind == "" && !slices.ContainsFunc(b.values, func(v string) bool { return !contains(a.values, v) })
}

// bodies are the trees of one request's body, by the words for bodies.
type bodies map[string]*doc.Tree

// asked reports whether a route was passed over for what the body holds.
func (b bodies) asked() bool { return len(b) > 0 }

// fits reports whether the body holds what tells the route from others of its
// address. One that can't be read is for none of them.
func (x *Exchange) fits(b bodies) bool {
	if len(x.rt.when) == 0 {
		return true
	}
	tree, read := b[x.rt.body]
	plain, rt := *x, *x.rt
	rt.form = formSpec{} // of a form that holds JSON, its fields
	plain.rt = &rt
	if !read {
		if plain.parseBody(rt.body) == nil {
			tree = plain.tree
		}
		b[rt.body] = tree
	}
	plain.tree = tree
	return tree != nil && !slices.ContainsFunc(x.rt.when, func(c condition) bool { return !plain.meets(&c) })
}

// meets reports whether the one value at a condition's place, or that there is none,
// fits it, and binds its variable. A file is none.
func (x *Exchange) meets(c *condition) bool {
	vs, text := x.valuesAt(c.at), ""
	if len(vs) > 1 || len(vs) == 1 && vs[0].node >= 0 && (isContainer(x.tree, vs[0].node) || form.PartOf(x.tree, vs[0].node).File) {
		return false
	}
	if len(vs) == 1 {
		text = x.textOf(vs[0])
	}
	if c.bind == "" {
		return contains(c.values, text)
	}
	if bound, ok := x.vars[c.bind]; ok && bound != text {
		return false
	}
	x.vars[c.bind] = text
	return text != ""
}
