package observed

import (
	"maps"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// variable is what stands in an address for a value.
const variable = "{id}"

// maxSegments is how many steps of an address are kept.
const maxSegments = 24

// maxWords is how many different words may stand at one place of an address before
// they are looked at: ids, or names of collections.
const maxWords = 20

// maxCollections is how many collections may stand beside each other.
const maxCollections = 300

// node is a step in the tree of addresses.
type node struct {
	words map[string]*node
	id    *node
	// folded says that words at this place were found to be values.
	folded bool
	routes map[string]*route
}

// segments are an address's steps as they are kept; values are {id}.
func (c *Collector) segments(path string, said, types map[string]bool) []string {
	steps := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(steps) > maxSegments {
		return nil
	}
	for i, s := range steps {
		if s == "" || versions.MatchString(s) || i > 0 && isVersion(steps[i-1], s) {
			continue
		}
		words := said
		if types[strings.ToLower(s)] {
			words = nil
		}
		if !c.isName(s, words) {
			steps[i] = variable
		}
	}
	return steps
}

// isVersion reports whether a step is an interface's version: /api/3/contacts.
func isVersion(before, s string) bool {
	const most = 4
	return vocabulary.Is("api rest version services webservice", before) && len(s) <= most && strings.Trim(s, "0123456789.") == "" && s[0] != '.'
}

// Name returns a member's name, and false for one that could be a value.
func (c *Collector) Name(s string) (string, bool) { return s, c.isName(s, nil) }

// Template is an address as it is kept, as far as it can be told without those seen
// before: `/api/contacts/{id}`.
func (c *Collector) Template(path string) string {
	steps := c.segments(path, nil, nil)
	if steps == nil {
		return "/" + variable
	}
	return "/" + strings.Join(steps, "/")
}

// route returns what is held of an address; nil where it isn't held. The lock is
// held.
func (c *Collector) route(method string, segments []string, status int) *route {
	if segments == nil {
		c.leftOut.Routes++
		return nil
	}
	at := c.root
	for _, s := range segments {
		next := at.step(s)
		if next == nil {
			switch {
			case status < 100 || status >= 400: // no answer, or an error
				c.leftOut.Failed++
				return nil
			case c.routes >= maxRoutes:
				c.leftOut.Routes++
				return nil
			}
			next = at.grow(s)
			if len(at.words) > maxWords && at.holdsValues() || len(at.words) > maxCollections {
				c.collapse(at)
				c.root.rename("")
				next = at.id
			}
		}
		at = next
	}
	r := at.routes[method]
	if r == nil {
		if c.routes >= maxRoutes {
			c.leftOut.Routes++
			return nil
		}
		c.routes++
		r = &route{Method: method}
		if at.routes == nil {
			at.routes = map[string]*route{}
		}
		at.routes[method] = r
		c.root.rename("")
	}
	return r
}

// step returns the next node for a step; a word that isn't known leads to the
// variable where words were found to be values before.
func (n *node) step(s string) *node {
	if s == variable {
		return n.id
	}
	if next := n.words[s]; next != nil {
		return next
	}
	if n.folded && !vocabulary.IsVerb(s) {
		return n.id
	}
	return nil
}

func (n *node) grow(s string) *node {
	next := &node{}
	if s == variable {
		n.id = next
		return next
	}
	if n.words == nil {
		n.words = map[string]*node{}
	}
	n.words[s] = next
	return next
}

// holdsValues reports whether the words at a place are values rather than names of
// collections: what stands below values looks the same, what stands below
// collections doesn't.
func (n *node) holdsValues() bool {
	alike, most := map[string]int{}, 0
	for _, next := range n.words {
		names := strings.Join(next.memberNames(), "\n")
		alike[names]++
		most = max(most, alike[names])
	}
	return 3*most >= 2*len(n.words)
}

// memberNames are the names of the members that answers below a node have.
func (n *node) memberNames() []string {
	has := map[string]bool{}
	n.each(func(r *route) {
		if r.Answer != nil {
			r.Answer.names(has)
		}
	})
	return slices.Sorted(maps.Keys(has))
}

// each calls visit for every route below a node, in the order of the addresses.
func (n *node) each(visit func(*route)) {
	for _, m := range slices.Sorted(maps.Keys(n.routes)) {
		visit(n.routes[m])
	}
	for _, w := range slices.Sorted(maps.Keys(n.words)) {
		n.words[w].each(visit)
	}
	if n.id != nil {
		n.id.each(visit)
	}
}

// collapse makes a variable of all words at a place but those that say what is
// done.
func (c *Collector) collapse(n *node) {
	if n.id == nil {
		n.id = &node{}
	}
	words := n.words
	n.words, n.folded = nil, true
	for _, w := range slices.Sorted(maps.Keys(words)) {
		if vocabulary.IsVerb(w) {
			c.join(n.grow(w), words[w])
			continue
		}
		c.join(n.id, words[w])
	}
}

// join puts what lies below another node to this one.
func (c *Collector) join(to, from *node) {
	to.folded = to.folded || from.folded
	for m, r := range from.routes {
		if have := to.routes[m]; have != nil {
			have.add(r, c)
			c.routes--
			continue
		}
		if to.routes == nil {
			to.routes = map[string]*route{}
		}
		to.routes[m] = r
	}
	for w, next := range from.words {
		if to.words[w] == nil {
			to.grow(w)
		}
		c.join(to.words[w], next)
	}
	if from.id != nil {
		if to.id == nil {
			to.id = &node{}
		}
		c.join(to.id, from.id)
	}
}

// rename gives every route below a node the address at which it stands.
func (n *node) rename(path string) {
	for _, r := range n.routes {
		r.Path = path
	}
	for w, next := range n.words {
		next.rename(path + "/" + w)
	}
	if n.id != nil {
		n.id.rename(path + "/" + variable)
	}
}

// foldedPlaces lists the places at which words were found to be values.
func (n *node) foldedPlaces(path string, list *[]string) {
	if n.folded {
		*list = append(*list, path+"/")
	}
	for _, w := range slices.Sorted(maps.Keys(n.words)) {
		n.words[w].foldedPlaces(path+"/"+w, list)
	}
	if n.id != nil {
		n.id.foldedPlaces(path+"/"+variable, list)
	}
}

// markFolded notes that words at a place are values; the address ends with a slash.
func (c *Collector) markFolded(segments []string) {
	at := c.root
	for _, s := range segments[:len(segments)-1] {
		next := at.step(s)
		if next == nil {
			next = at.grow(s)
		}
		at = next
	}
	at.folded = true
	if at.id == nil {
		at.grow(variable)
	}
}
