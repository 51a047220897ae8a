package html

import (
	"bytes"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// Match returns the nodes that the selector selects below an element (or in the
// whole document: doc.Root), in the order of the document, each once.
func (s Selector) Match(t *doc.Tree, from int) []int { return s.AppendMatch(nil, t, from) }

// AppendMatch is Match behind what is in dst.
func (s Selector) AppendMatch(dst []int, t *doc.Tree, from int) []int {
	w := walk{t: t, from: from, nodes: dst, alone: true}
	w.done = w.one[:]
	for i := range s.alts {
		if a := &s.alts[i]; len(a.steps) == 0 {
			w.emit(0, from, a)
		}
	}
	for node := from + 1; node < int(t.Nodes[from].Next); node++ {
		if t.Nodes[node].Kind != doc.Object {
			continue
		}
		class := attr(t, node, "class")
		for i := range s.alts {
			a := &s.alts[i]
			if n := len(a.steps); n > 0 && a.matches(t, from, node, class, n-1) {
				w.emit(0, node, a)
			}
		}
	}
	slices.Sort(w.nodes[len(dst):])
	return w.nodes
}

// AppendAttrs appends all attributes of an element by their lower-case name. Browsers
// heed the first; the others are in the page all the same.
func AppendAttrs(dst []int, t *doc.Tree, element int, name string) []int {
	for at := Attr(t, element, name); at >= 0; at = attrBehind(t, element, at, name) {
		dst = append(dst, at)
	}
	return dst
}

// Attr returns the attribute of an element by its lower-case name, the first where it
// is given several times, or -1.
func Attr(t *doc.Tree, element int, name string) int {
	if t.Nodes[element].Kind != doc.Object {
		return -1
	}
	return attr(t, element, name)
}

// Elements returns the elements that the selector matches below an element,
// whatever it selects of them: the records of a list, say.
func (s Selector) Elements(t *doc.Tree, from int) []int {
	var nodes []int
	NewSet(s).Elements(t, from, func(_, node int) { nodes = append(nodes, node) })
	return nodes
}

// Set matches many selectors in one walk. It is immutable.
type Set struct {
	rules []Selector
}

// NewSet returns a set of selectors. Each is known to the callbacks by its
// place in the list.
func NewSet(rules ...Selector) *Set { return &Set{rules: rules} }

// Walk calls found with every node that a rule selects below an element, once a
// rule. A rule's texts come in the order of the document, and so do its
// attributes.
func (s *Set) Walk(t *doc.Tree, from int, found func(rule, node int)) {
	w := walk{t: t, from: from, found: found, done: make([]int32, len(s.rules))}
	for r := range s.rules {
		for i := range s.rules[r].alts {
			if a := &s.rules[r].alts[i]; len(a.steps) == 0 {
				w.emit(r, from, a)
			}
		}
	}
	s.elements(t, from, func(rule, node int, a *alternative) { w.emit(rule, node, a) })
}

// Elements calls found with every element that a rule matches below an element,
// in the order of the document and each once a rule. Alternatives that are only
// a target match the element itself.
func (s *Set) Elements(t *doc.Tree, from int, found func(rule, element int)) {
	last := make([]int, len(s.rules))
	for r := range s.rules {
		last[r] = -1
		for _, a := range s.rules[r].alts {
			if len(a.steps) == 0 && last[r] != from {
				last[r] = from
				found(r, from)
			}
		}
	}
	s.elements(t, from, func(rule, node int, _ *alternative) {
		if last[rule] != node {
			last[rule] = node
			found(rule, node)
		}
	})
}

// elements calls found for every alternative that matches an element.
func (s *Set) elements(t *doc.Tree, from int, found func(rule, node int, a *alternative)) {
	for node := from + 1; node < int(t.Nodes[from].Next); node++ {
		if t.Nodes[node].Kind != doc.Object {
			continue
		}
		class := attr(t, node, "class")
		for r := range s.rules {
			for i := range s.rules[r].alts {
				a := &s.rules[r].alts[i]
				if n := len(a.steps); n > 0 && a.matches(t, from, node, class, n-1) {
					found(r, node, a)
				}
			}
		}
	}
}

// Selected is a node that a rule of a set selects.
type Selected struct{ Rule, Node int }

// Matcher matches a set below one element after the other, in the memory that it
// took for the first ones. It is for one goroutine at a time.
type Matcher struct{ w walk }

// Match returns what the set's rules select below an element, by rule and in the
// order of the document. The result is valid until the next call.
func (m *Matcher) Match(s *Set, t *doc.Tree, from int) []Selected {
	w := &m.w
	w.t, w.from = t, from
	w.selected, w.attrs = w.selected[:0], w.attrs[:0]
	w.done = slices.Grow(w.done[:0], len(s.rules))[:len(s.rules)]
	clear(w.done)
	for r := range s.rules {
		for i := range s.rules[r].alts {
			if a := &s.rules[r].alts[i]; len(a.steps) == 0 {
				w.emit(r, from, a)
			}
		}
	}
	s.elements(t, from, w.emit)
	slices.SortFunc(w.selected, func(a, b Selected) int {
		if a.Rule != b.Rule {
			return a.Rule - b.Rule
		}
		return a.Node - b.Node
	})
	return w.selected
}

// walk hands out what the matched elements select. done is, per rule, the first
// node behind what was handed out: an element inside a matched one selects no
// run a second time.
type walk struct {
	t     *doc.Tree
	from  int
	found func(rule, node int)
	done  []int32
	attrs []handed
	// selected takes what is selected where found doesn't, and nodes where one rule
	// is alone: one is done then.
	selected []Selected
	nodes    []int
	one      [1]int32
	alone    bool
}

func (w *walk) take(rule, node int) {
	switch {
	case w.found != nil:
		w.found(rule, node)
	case w.alone:
		w.nodes = append(w.nodes, node)
	default:
		w.selected = append(w.selected, Selected{rule, node})
	}
}

// handed is an attribute that was handed out for the element at hand.
type handed struct{ rule, node int }

func (w *walk) emit(rule, element int, a *alternative) {
	if a.attr != "" {
		w.emitAttr(rule, element, a.attr)
		return
	}
	end := w.t.Nodes[element].Next
	for n := max(int32(element)+1, w.done[rule]); n < end; n++ {
		if w.t.Nodes[n].Flags&(FlagText|FlagComment) != 0 && !blank(w.t, int(n)) {
			w.take(rule, int(n))
		}
	}
	w.done[rule] = max(w.done[rule], end)
}

func (w *walk) emitAttr(rule, element int, name string) {
	if len(w.attrs) > 0 && w.attrs[0].node < element {
		w.attrs = w.attrs[:0]
	}
	for node := attr(w.t, element, name); node >= 0; node = attrBehind(w.t, element, node, name) {
		if slices.Contains(w.attrs, (handed{rule, node})) {
			return
		}
		w.attrs = append(w.attrs, handed{rule, node})
		w.take(rule, node)
	}
}

// blank reports whether a run is white space alone.
func blank(t *doc.Tree, node int) bool {
	for _, c := range t.Raw(node) {
		if c == '&' || c >= 0x80 {
			return strings.TrimSpace(t.Text(node)) == ""
		}
		if !isSpace(c) {
			return false
		}
	}
	return true
}

// matches reports whether an element fulfils step i and its ancestors below from
// the steps before. class is its attribute of that name, which all rules ask for.
func (a *alternative) matches(t *doc.Tree, from, node, class, i int) bool {
	if !a.steps[i].is(t, node, class) {
		return false
	}
	parent := int(t.Nodes[node].Parent)
	if i == 0 {
		return !a.steps[0].child || parent == from
	}
	if a.steps[i].child {
		return parent != from && a.matches(t, from, parent, attr(t, parent, "class"), i-1)
	}
	for ; parent != from; parent = int(t.Nodes[parent].Parent) {
		if a.matches(t, from, parent, attr(t, parent, "class"), i-1) {
			return true
		}
	}
	return false
}

// is reports whether the element fulfils the step's own conditions.
func (st *step) is(t *doc.Tree, node, class int) bool {
	n := &t.Nodes[node]
	if st.tag != "" && !equalFold(t.Src[n.KeyStart:n.KeyEnd], st.tag) {
		return false
	}
	if st.id != "" && !valueIs(t, attr(t, node, "id"), '=', st.id) {
		return false
	}
	if len(st.classes) > 0 && !hasClasses(t, class, st.classes) {
		return false
	}
	for i := range st.attrs {
		c := &st.attrs[i]
		if !valueIs(t, attr(t, node, c.name), c.op, c.value) {
			return false
		}
	}
	return st.nth == 0 || isNth(t, node, st.nth)
}

// isNth reports whether an element is the nth of those in the element around it.
func isNth(t *doc.Tree, node, nth int) bool {
	count := 0
	for c := range t.Children(int(t.Nodes[node].Parent)) {
		if t.Nodes[c].Kind != doc.Object {
			continue
		}
		if count++; c == node || count == nth {
			return c == node && count == nth
		}
	}
	return false
}

// attr returns the element's attribute of that lower-case name, or -1. Where it is
// given several times, it is the first.
func attr(t *doc.Tree, element int, name string) int {
	return attrBehind(t, element, element, name)
}

// attrBehind returns the next attribute of that name, behind another one.
func attrBehind(t *doc.Tree, element, before int, name string) int {
	end := int(t.Nodes[element].Next)
	for i := before + 1; i < end && t.Nodes[i].Flags&FlagAttr != 0; i++ {
		if n := &t.Nodes[i]; equalFold(t.Src[n.KeyStart:n.KeyEnd], name) {
			return i
		}
	}
	return -1
}

func valueIs(t *doc.Tree, node int, op byte, want string) bool {
	if node < 0 {
		return false
	}
	value := attrBytes(t.Raw(node))
	switch op {
	case '=':
		return string(value) == want
	case '^':
		return bytes.HasPrefix(value, []byte(want))
	case '$':
		return bytes.HasSuffix(value, []byte(want))
	}
	return true
}

func hasClasses(t *doc.Tree, node int, want []string) bool {
	if node < 0 {
		return false
	}
	value := attrBytes(t.Raw(node))
	for _, class := range want {
		if !hasClass(value, class) {
			return false
		}
	}
	return true
}

func hasClass(value []byte, class string) bool {
	for i := 0; i < len(value); {
		from := i
		for i < len(value) && !isSpace(value[i]) {
			i++
		}
		if string(value[from:i]) == class {
			return true
		}
		i++
	}
	return false
}
