package profile

import "github.com/crmgate/crmgate/internal/doc"

// eachMarked is each in a document whose members can share a name: a key leads to
// all of them, and `[*]`, `[n]` and `.*` to the elements, whatever their names.
func (p path) eachMarked(t *doc.Tree, node int, yield func(int)) {
	st, rest := p[0], p[1:]
	if st.kind == stepDeep {
		for n := node; n < int(t.Nodes[node].Next); n++ {
			rest.each(t, n, yield)
		}
		return
	}
	if k := t.Nodes[node].Kind; k != doc.Object && k != doc.Array {
		return
	}
	i := 0
	for c := range t.Children(node) {
		key := t.Key(c)
		switch st.kind {
		case stepKey:
			if contains(st.keys, key) {
				rest.each(t, c, yield)
			}
			continue
		case stepIndex:
			if i != st.n {
				break
			}
			fallthrough
		default:
			if isElement(key) {
				rest.each(t, c, yield)
			}
		}
		if isElement(key) {
			i++
		}
	}
}

// isElement tells an element's key from an attribute's, a text's, a comment's.
func isElement(key string) bool { return key == "" || key[0] != '@' && key[0] != '#' }
