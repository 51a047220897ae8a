package xml

import (
	"bytes"

	"github.com/crmgate/crmgate/internal/doc"
)

func (b *builder) startTag() {
	from := b.pos
	b.flush(from)
	b.top().worded = len(b.open) == 1 // the root element is the one word of the document
	b.pos++
	e := entry{node: int32(len(b.nodes)), name: b.qName(), scope: len(b.names.scope), run: -1}
	if len(b.open) > b.lim.Depth {
		b.failAt(from, "nested too deeply")
	}
	empty := b.attributes()
	b.declarations()
	if b.fault != "" {
		return
	}
	key := b.names.element(e.name, b.src)
	if key < 0 {
		b.failAt(from, "a prefix that is not declared")
		return
	}
	n := doc.Node{Kind: doc.Object, Start: int32(from), KeyStart: int32(e.name.start), KeyEnd: int32(e.name.end)}
	b.add(n, key)
	b.open = append(b.open, e)
	b.addAttributes()
	if empty && b.fault == "" {
		b.close(b.pos, true)
	}
}

// attributes takes the rest of a start tag, and reports whether it has no end tag.
func (b *builder) attributes() (empty bool) {
	b.attrs = b.attrs[:0]
	for b.fault == "" {
		apart := b.space()
		switch {
		case b.is(">"):
			return false
		case b.is("/>"):
			return true
		case b.pos >= len(b.src):
			b.fail("a tag that is not closed")
		case !apart:
			b.fail("attributes without white space between them")
		case len(b.attrs) >= b.lim.Nodes:
			b.fail("too many values")
		default:
			b.attrs = append(b.attrs, b.attribute())
		}
	}
	return false
}

// declarations binds the prefixes that the attributes declare, and refuses
// attributes that are given twice.
func (b *builder) declarations() {
	for i := range b.attrs {
		a := &b.attrs[i]
		if b.fault != "" || !isDeclaration(a.name, b.src) {
			continue
		}
		prefix := ""
		if a.name.local > a.name.start {
			prefix = string(b.src[a.name.local:a.name.end])
		}
		uri := b.value(a)
		if !mayBind(prefix, uri) {
			b.failAt(a.name.start, "a namespace that can't be declared so")
			return
		}
		if len(b.names.scope) == maxScope {
			b.failAt(a.name.start, "too many namespaces in force")
			return
		}
		b.names.declare(prefix, uri)
	}
	if b.fault != "" {
		return
	}
	if i := b.names.twice(b.attrs, b.src); i >= 0 {
		b.failAt(b.attrs[i].name.start, "an attribute that is given twice")
	}
}

func (b *builder) value(a *attribute) string {
	text := b.cs.Decode(b.src[a.start:a.end])
	if a.escaped {
		return string(decodeAttr(nil, []byte(text)))
	}
	return text
}

// mayBind says what Namespaces in XML 1.0 allows.
func mayBind(prefix, uri string) bool {
	switch {
	case prefix == "xmlns", uri == uriXMLNS, prefix == "xml" && uri != uriXML, prefix != "xml" && uri == uriXML:
		return false
	}
	return prefix == "" || uri != ""
}

// addAttributes adds the attributes' nodes. A node's key spans the attribute, so
// that it isn't taken for a member that could be cut out with a separator.
func (b *builder) addAttributes() {
	for i := range b.attrs {
		a := &b.attrs[i]
		key := b.names.attr(a.name, b.src)
		if key < 0 {
			b.failAt(a.name.start, "a prefix that is not declared")
			return
		}
		n := doc.Node{
			Kind: doc.String, Flags: FlagAttr, Start: int32(a.start), End: int32(a.end),
			KeyStart: int32(a.name.start), KeyEnd: int32(a.end) + 1,
		}
		if a.escaped {
			n.Flags |= FlagEscaped
		}
		b.add(n, key)
	}
}

func (b *builder) endTag() {
	from := b.pos
	b.pos += len("</")
	if len(b.open) == 1 {
		b.failAt(from, "an end tag without its start")
		return
	}
	name := b.top().name
	start := b.pos
	if !bytes.HasPrefix(b.src[b.pos:], b.src[name.start:name.end]) {
		b.failAt(from, "an end tag that is not the open element's")
		return
	}
	b.pos += name.end - name.start
	b.space()
	if !b.is(">") {
		b.failAt(from, "an end tag that is not the open element's")
		return
	}
	e := b.top()
	if int(e.node) == len(b.nodes)-1 {
		b.leaf(from, start)
		return
	}
	b.flush(from)
	b.close(b.pos, false)
}

// leaf makes the innermost element, which holds nothing but text, a String. Its
// key is the name in its end tag, behind the value.
func (b *builder) leaf(end, name int) {
	e := b.top()
	n := &b.nodes[e.node]
	start := end
	if e.run >= 0 {
		start = e.run
	}
	n.KeyStart, n.KeyEnd = int32(name), int32(name+e.name.end-e.name.start)
	n.Kind, n.Flags, n.Start, n.End = doc.String, FlagLeaf, int32(start), int32(end)
	if e.run >= 0 && e.escaped {
		n.Flags |= FlagEscaped
	}
	e.run = -1
	b.end()
}

// close ends the innermost element.
func (b *builder) close(end int, empty bool) {
	n := &b.nodes[b.top().node]
	n.End = int32(end)
	if empty && int(b.top().node) == len(b.nodes)-1 {
		n.Kind, n.Flags = doc.String, FlagLeaf|FlagEmpty|FlagEscaped
	}
	b.end()
}

func (b *builder) end() {
	e := b.top()
	b.nodes[e.node].Next = int32(len(b.nodes))
	b.names.leave(e.scope)
	b.open = b.open[:len(b.open)-1]
}
