package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxDepth is how far Casbin's role manager follows inheritance. It stops there
// without a word, so a deeper chain is refused at load.
const maxDepth = 10

// graph is what the lines of one kind of g link.
type graph struct {
	up map[string][]*link // by member
}

func newGraph() *graph { return &graph{up: make(map[string][]*link)} }

func (g *graph) add(l *link) { g.up[l.member] = append(g.up[l.member], l) }

// names lists every word that stands on either side of a link.
func (g *graph) names() []string {
	var names []string
	for member, links := range g.up {
		names = append(names, member)
		for _, l := range links {
			names = append(names, l.group)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// reach is name and every word that it leads to.
func (g *graph) reach(name string) map[string]bool {
	seen := map[string]bool{name: true}
	for todo := []string{name}; len(todo) > 0; {
		last := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, l := range g.up[last] {
			if !seen[l.group] {
				seen[l.group] = true
				todo = append(todo, l.group)
			}
		}
	}
	return seen
}

// above reports whether name, or any word that it leads to, is in set.
func (g *graph) above(name string, set map[string]bool) bool {
	for word := range g.reach(name) {
		if set[word] {
			return true
		}
	}
	return false
}

// check refuses circles and chains that Casbin wouldn't follow to their end.
func (g *graph) check() error {
	w := &walk{graph: g, depth: make(map[string]int)}
	for _, name := range g.names() {
		w.visit(name)
	}
	return errors.Join(w.errs...)
}

// walk measures the depth of every word, -1 standing for one that is being
// measured.
type walk struct {
	graph *graph
	depth map[string]int
	path  []string
	errs  []error
}

func (w *walk) visit(name string) int {
	if d, ok := w.depth[name]; ok {
		return d
	}
	w.depth[name] = -1
	w.path = append(w.path, name)
	depth := 0
	for _, l := range w.graph.up[name] {
		d := w.visit(l.group)
		if d < 0 {
			circle := append(slices.Clone(w.path[slices.Index(w.path, l.group):]), l.group)
			w.errs = append(w.errs, fmt.Errorf("%s: %s closes a circle (%s); take one of its lines out",
				l.where(), l.ptype, strings.Join(circle, " -> ")))
			continue
		}
		if d == maxDepth {
			w.errs = append(w.errs, fmt.Errorf("%s: %s, %s, %s makes a chain of more than %d links, which Casbin doesn't follow; link %s to something nearer",
				l.where(), l.ptype, l.member, l.group, maxDepth, l.member))
			continue
		}
		depth = max(depth, d+1)
	}
	w.path = w.path[:len(w.path)-1]
	w.depth[name] = depth
	return depth
}
