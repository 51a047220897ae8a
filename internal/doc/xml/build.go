package xml

import (
	"bytes"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// builder makes the tree.
type builder struct {
	scanner
	names names
	lim   doc.Limits
	nodes []doc.Node
	keys  []int32 // by node: the place of its key in names.list
	open  []entry
	attrs []attribute
	ascii bool
}

// entry is an element that is open, or the document at the bottom.
type entry struct {
	node int32
	name qName
	// scope is how many namespace declarations were in force before it.
	scope int
	// run is where the text at hand begins, -1 where there is none; some says
	// that it is more than white space, escaped that readers change it.
	run           int
	some, escaped bool
	// worded says that the last child that isn't a comment or an instruction is a
	// text: another text behind it would be a part of it.
	worded bool
}

func newBuilder(src []byte, opts Options, lim doc.Limits) *builder {
	b := &builder{scanner: scanner{src: src}, names: newNames(opts.Namespaces), lim: lim}
	room := 16 + len(src)/24
	b.nodes, b.keys = make([]doc.Node, 1, room), make([]int32, 1, room)
	b.nodes[doc.Root] = doc.Node{Kind: doc.Object, Parent: -1, End: int32(len(src))}
	b.open = append(b.open, entry{run: -1})
	return b
}

func (b *builder) top() *entry { return &b.open[len(b.open)-1] }

// document reads everything.
func (b *builder) document(charset string) {
	b.prolog(charset)
	b.nodes[doc.Root].Start = int32(b.pos)
	for b.fault == "" {
		if len(b.open) == 1 {
			b.outside()
		} else {
			b.inside()
		}
		if b.pos >= len(b.src) && len(b.open) == 1 {
			break
		}
		b.markup()
	}
	if b.fault == "" && !b.rooted() {
		b.fail("no root element")
	}
	b.nodes[doc.Root].Next = int32(len(b.nodes))
}

// rooted reports whether the root element was read.
func (b *builder) rooted() bool { return b.open[0].worded }

// outside takes the white space beside the root element.
func (b *builder) outside() {
	b.space()
	if b.pos < len(b.src) && b.src[b.pos] != '<' {
		b.fail("text beside the root element")
	}
}

// inside takes text up to the next tag.
func (b *builder) inside() {
	from := b.pos
	some, escaped := b.text()
	if b.pos > from {
		b.runs(from, some, escaped)
	}
	if b.pos >= len(b.src) {
		b.fail("an element that is not closed")
	}
}

// runs adds characters to the text at hand.
func (b *builder) runs(from int, some, escaped bool) {
	e := b.top()
	if e.run < 0 {
		e.run, e.some, e.escaped = from, false, false
	}
	e.some = e.some || some
	e.escaped = e.escaped || escaped
}

// markup takes what begins with `<`.
func (b *builder) markup() {
	if b.fault != "" || b.pos >= len(b.src) {
		return
	}
	next := byte(0)
	if b.pos+1 < len(b.src) {
		next = b.src[b.pos+1]
	}
	switch {
	case next == '/':
		b.endTag()
	case b.sees("<!--"):
		b.comment()
	case b.sees("<![CDATA["):
		b.cdata()
	case next == '!':
		b.fail("a document type")
	case next == '?':
		b.instruction()
	case len(b.open) == 1 && b.rooted():
		b.fail("a second root element")
	default:
		b.startTag()
	}
}

func (b *builder) cdata() {
	if len(b.open) == 1 {
		b.fail("text beside the root element")
		return
	}
	from := b.pos
	b.pos += len("<![CDATA[")
	start := b.pos
	end := b.until("]]>", "a CDATA section that is not closed")
	some := bytes.ContainsFunc(b.src[start:end], func(r rune) bool { return r > ' ' })
	b.runs(from, some, true)
}

// flush ends the text at hand.
func (b *builder) flush(end int) {
	e := b.top()
	if e.run < 0 {
		return
	}
	if e.some {
		if e.worded {
			b.failAt(e.run, "a text that a comment or an instruction divides: some readers see its first part alone")
			return
		}
		e.worded = true
		n := doc.Node{Kind: doc.String, Flags: FlagText, Start: int32(e.run), End: int32(end)}
		if e.escaped {
			n.Flags |= FlagEscaped
		}
		n.KeyStart, n.KeyEnd = n.Start, n.End
		b.add(n, keyText)
	}
	e.run = -1
}

// add appends a node below the innermost open element.
func (b *builder) add(n doc.Node, key int32) {
	if len(b.nodes) >= b.lim.Nodes {
		b.failAt(int(n.Start), "too many values")
		return
	}
	n.Parent = b.top().node
	n.Next = int32(len(b.nodes)) + 1
	b.nodes = append(b.nodes, n)
	b.keys = append(b.keys, key)
}

func (b *builder) comment() {
	from := b.pos
	b.flush(from)
	b.pos += len("<!--")
	start := b.pos
	end := b.until("--", "a comment that is not closed")
	if !b.is(">") {
		b.fail("-- in a comment")
	}
	n := doc.Node{Kind: doc.String, Flags: FlagComment | FlagEscaped, Start: int32(start), End: int32(end)}
	n.KeyStart, n.KeyEnd = int32(from), int32(b.pos)
	b.add(n, keyComment)
}

func (b *builder) instruction() {
	from := b.pos
	b.flush(from)
	b.pos += len("<?")
	target := b.pos
	b.ncName()
	if strings.EqualFold(string(b.src[target:b.pos]), "xml") {
		b.failAt(from, "an XML declaration that isn't the first thing, or is misspelt")
		return
	}
	if b.is("?>") {
		return
	}
	if b.fault == "" && !b.space() {
		b.fail("an instruction's target with a character that none has")
		return
	}
	start := b.pos
	end := b.until("?>", "an instruction that is not closed")
	n := doc.Node{Kind: doc.String, Flags: FlagPI | FlagEscaped, Start: int32(start), End: int32(end)}
	n.KeyStart, n.KeyEnd = int32(from), int32(b.pos)
	b.add(n, keyPI)
}
