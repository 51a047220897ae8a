package xml

import (
	"bytes"
	"maps"
	"slices"

	"github.com/crmgate/crmgate/internal/doc/coding"
)

// Keys of nodes that have no name of their own, by their place in the list.
const (
	keyNone int32 = iota
	keyText
	keyComment
	keyPI
)

const (
	uriXML   = "http://www.w3.org/XML/1998/namespace"
	uriXMLNS = "http://www.w3.org/2000/xmlns/"
)

// knownAttrs are the namespaces whose attributes say how a document is read, and
// the prefixes that their keys get whatever the document's are.
func knownAttrs() map[string]string {
	return map[string]string{
		uriXML:   "xml",
		uriXMLNS: "xmlns",
		"http://www.w3.org/2001/XMLSchema-instance": "xsi",
		"http://schemas.xmlsoap.org/soap/envelope/": "soap",
		"http://www.w3.org/2003/05/soap-envelope":   "soap",
		"http://schemas.xmlsoap.org/soap/encoding/": "soapenc",
		"http://www.w3.org/2003/05/soap-encoding":   "soapenc",
	}
}

// binding is a prefix and the namespace that it stands for, "" for none.
type binding struct{ prefix, uri string }

// names resolves qualified names to keys. What was resolved is kept as long as no
// declaration changes what prefixes mean.
type names struct {
	list     []string
	index    map[string]int32 // key → place in list
	elements map[string]int32 // qualified name → place in list, in this scope
	attrs    map[string]int32
	scope    []binding
	own      map[string]string // namespace → the caller's prefix
	cs       coding.Charset
	known    map[string]string
}

func newNames(namespaces map[string]string) names {
	n := names{
		list: []string{"", "#text", "#comment", "#pi"}, index: map[string]int32{},
		elements: map[string]int32{}, attrs: map[string]int32{},
		scope: []binding{{"", ""}, {"xml", uriXML}}, own: map[string]string{}, known: knownAttrs(),
	}
	// Of two prefixes for one namespace the first in the alphabet counts.
	for _, prefix := range slices.Backward(slices.Sorted(maps.Keys(namespaces))) {
		n.own[namespaces[prefix]] = prefix
	}
	return n
}

// lookup returns the namespace that a prefix stands for.
func (n *names) lookup(prefix []byte) (uri string, ok bool) {
	for _, b := range slices.Backward(n.scope) {
		if b.prefix == string(prefix) {
			return b.uri, true
		}
	}
	return "", false
}

// maxScope bounds the declarations in force at one place, of which each is looked
// at for a prefix. Known documents have some dozens; thousands would make reading
// cost the square of their number.
const maxScope = 256

// declare binds a prefix within the element at hand.
func (n *names) declare(prefix, uri string) {
	if was, ok := n.lookup([]byte(prefix)); !ok || was != uri {
		n.forget()
	}
	n.scope = append(n.scope, binding{prefix, uri})
}

// leave ends the declarations of an element.
func (n *names) leave(size int) {
	for i := len(n.scope) - 1; i >= size; i-- {
		last := n.scope[i]
		n.scope = n.scope[:i]
		if was, ok := n.lookup([]byte(last.prefix)); !ok || was != last.uri {
			n.forget()
		}
	}
}

func (n *names) forget() {
	clear(n.elements)
	clear(n.attrs)
}

// element returns the place of an element's key, -1 where its prefix is not
// declared.
func (n *names) element(q qName, src []byte) int32 {
	raw := src[q.start:q.end]
	if at, ok := n.elements[string(raw)]; ok {
		return at
	}
	uri, ok := n.lookup(q.prefix(src))
	if !ok || uri == uriXML {
		return -1
	}
	key := n.cs.Decode(src[q.local:q.end])
	if own := n.own[uri]; uri != "" && own != "" {
		key = own + ":" + key
	}
	at := n.intern(key)
	n.elements[string(raw)] = at
	return at
}

// attr is element for an attribute: without a prefix it has no namespace.
func (n *names) attr(q qName, src []byte) int32 {
	raw := src[q.start:q.end]
	if at, ok := n.attrs[string(raw)]; ok {
		return at
	}
	key := "@" + n.cs.Decode(src[q.local:q.end])
	switch prefix := q.prefix(src); {
	case isDeclaration(q, src):
		key = "@" + n.cs.Decode(raw)
	case prefix != nil:
		uri, ok := n.lookup(prefix)
		if !ok {
			return -1
		}
		own := n.own[uri]
		if own == "" {
			own = n.known[uri]
		}
		if own != "" {
			key = "@" + own + ":" + key[1:]
		}
	}
	at := n.intern(key)
	n.attrs[string(raw)] = at
	return at
}

func (n *names) intern(key string) int32 {
	at, ok := n.index[key]
	if !ok {
		at = int32(len(n.list))
		n.list = append(n.list, key)
		n.index[key] = at
	}
	return at
}

// isDeclaration reports whether an attribute declares a namespace.
func isDeclaration(q qName, src []byte) bool {
	if q.local == q.start {
		return string(src[q.start:q.end]) == "xmlns"
	}
	return string(q.prefix(src)) == "xmlns"
}

// twice returns the first attribute that has the name of one before it, by
// namespace and local name; -1 for none.
func (n *names) twice(list []attribute, src []byte) int {
	const few = 12
	if len(list) > few {
		return n.twiceMany(list, src)
	}
	for i := range list {
		local := src[list[i].name.local:list[i].name.end]
		for j := range list[:i] {
			other := list[j].name
			if bytes.Equal(local, src[other.local:other.end]) && n.space(list[i].name, src) == n.space(other, src) {
				return i
			}
		}
	}
	return -1
}

func (n *names) twiceMany(list []attribute, src []byte) int {
	type expanded struct{ uri, local string }
	seen := make(map[expanded]bool, len(list))
	for i := range list {
		q := list[i].name
		e := expanded{n.space(q, src), string(src[q.local:q.end])}
		if seen[e] {
			return i
		}
		seen[e] = true
	}
	return -1
}

// space is an attribute's namespace.
func (n *names) space(q qName, src []byte) string {
	switch {
	case isDeclaration(q, src):
		return uriXMLNS
	case q.local == q.start:
		return ""
	}
	uri, _ := n.lookup(q.prefix(src))
	return uri
}
