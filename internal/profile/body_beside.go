package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// way is what a route's expressions read at a place of the body: all of it, or the
// members below it that are named here. Lists are passed through.
type way struct {
	whole bool
	below map[string]*way
}

// add notes the way of an expression; one that leads on to more than named members
// reads all that is there.
func (w *way) add(p path) {
	for len(p) > 0 && (p[0].kind == stepElements || p[0].kind == stepIndex) {
		p = p[1:]
	}
	if len(p) == 0 || p[0].kind != stepKey {
		w.whole = true
		return
	}
	if w.below == nil {
		w.below = map[string]*way{}
	}
	for _, key := range p[0].keys {
		if w.below[key] == nil {
			w.below[key] = &way{}
		}
		w.below[key].add(p[1:])
	}
}

// bodyWay is that of all expressions of a route.
func (rt *route) bodyWay() *way {
	w := &way{}
	add := func(e *expr) {
		if e != nil && e.origin == fromBody && len(e.path) > 0 {
			w.add(e.path)
		}
	}
	for i := range rt.refs {
		add(&rt.refs[i].at)
	}
	for i := range rt.ids {
		add(&rt.ids[i])
	}
	for i := range rt.records {
		add(rt.records[i].idExpr)
		add(rt.records[i].columns)
		add(rt.records[i].headings)
		add(rt.records[i].fieldAt)
	}
	for i := range rt.when {
		add(&rt.when[i].at)
	}
	add(rt.entityAt)
	if rt.write != nil {
		add(&rt.write.at)
	}
	return w
}

// checkBeside refuses objects that stand beside what the route's expressions read in a
// member: a filter in another place than the profile knows would be nobody's.
func (x *Exchange) checkBeside(node int, w *way, within string) error {
	t := x.tree
	for c := range t.Children(node) {
		if t.Nodes[node].Kind == doc.Array {
			if err := x.checkBeside(c, w, within); err != nil {
				return err
			}
			continue
		}
		name := strings.TrimPrefix(within+"."+t.Key(c), ".")
		below := w.below[t.Key(c)]
		switch {
		case below != nil && !below.whole && below.below != nil:
			if err := x.checkBeside(c, below, name); err != nil {
				return err
			}
		case below == nil && within != "" && !contains(x.rt.members, name) && holdsObjects(t, c):
			return refuse("unknown_parameter", "A member of the request's body (%s) is not in the profile for this address.", shortName(name))
		}
	}
	return nil
}

// holdsObjects reports whether there is an object at a node or below it.
func holdsObjects(t *doc.Tree, node int) bool {
	for n := node; n < int(t.Nodes[node].Next); n++ {
		if t.Nodes[n].Kind == doc.Object {
			return true
		}
	}
	return false
}
