// Package json reads JSON strictly into a doc.Tree and encodes single values in
// the style of the document they go into.
//
// Strict means RFC 8259 and what makes readers disagree is refused: byte order
// marks, invalid UTF-8, lone surrogates, member names that occur twice in an
// object (compared after decoding), anything behind the value.
package json

import (
	"bytes"
	"math"
	"sync"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
)

// Flags of a node.
const (
	// Escaped says that the string holds escapes.
	Escaped uint8 = 1 << iota
	// KeyEscaped says that the member's name holds escapes.
	KeyEscaped
)

// maxPooled is the largest node slice that is kept for reuse.
const maxPooled = 1 << 17

// nodes holds node slices that released trees left.
var nodes = sync.Pool{New: func() any {
	s := make([]doc.Node, 0, 1024)
	return &s
}}

// Parse reads src as exactly one JSON value, with white space around it. The
// tree refers to src, which must not change while the tree is in use. Errors
// are *doc.SyntaxError.
func Parse(src []byte, lim doc.Limits) (*doc.Tree, error) {
	if len(src) > math.MaxInt32 {
		return nil, &doc.SyntaxError{Format: "json", Offset: math.MaxInt32, What: "larger than 2 GiB"}
	}
	if !utf8.Valid(src) {
		return nil, &doc.SyntaxError{Format: "json", Offset: invalidAt(src), What: "invalid UTF-8"}
	}
	pooled, _ := nodes.Get().(*[]doc.Node)
	p := parser{scanner: scanner{src: src}, nodes: (*pooled)[:0], lim: lim}
	p.document()
	if p.fault != "" {
		giveBack(p.nodes)
		return nil, &doc.SyntaxError{Format: "json", Offset: p.pos, What: p.fault}
	}
	return &doc.Tree{Src: src, Nodes: p.nodes, Format: Format{}, ASCII: p.high == 0}, nil
}

// Release gives the tree's nodes back for reuse. The tree must not be used
// afterwards; it holds no nodes then.
func Release(t *doc.Tree) {
	if t == nil || t.Nodes == nil {
		return
	}
	s := t.Nodes
	t.Nodes = nil
	giveBack(s)
}

func giveBack(s []doc.Node) {
	if cap(s) <= maxPooled {
		s = s[:0]
		nodes.Put(&s)
	}
}

func invalidAt(src []byte) int {
	for i := 0; i < len(src); {
		r, n := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(src)
}

// parser builds the tree. After a fault it only unwinds.
type parser struct {
	scanner
	nodes []doc.Node
	lim   doc.Limits
	depth int
}

func (p *parser) document() {
	if bytes.HasPrefix(p.src, []byte("\xef\xbb\xbf")) {
		p.fail("byte order mark")
		return
	}
	p.value(-1, 0, 0, 0)
	p.space()
	if p.fault == "" && p.pos < len(p.src) {
		p.fail("bytes behind the value")
	}
}

// value reads one value. The key's bytes and flags are those of the member
// that it stands for.
func (p *parser) value(parent, keyStart, keyEnd int32, flags uint8) {
	p.space()
	if p.pos >= len(p.src) {
		p.fail("ends where a value is due")
		return
	}
	at := len(p.nodes)
	if at >= p.lim.Nodes {
		p.fail("too many values")
		return
	}
	p.nodes = append(p.nodes, doc.Node{
		Start: int32(p.pos), KeyStart: keyStart, KeyEnd: keyEnd, Parent: parent, Flags: flags,
	})
	var kind doc.Kind
	switch c := p.src[p.pos]; c {
	case '"':
		kind = doc.String
		if p.str() {
			p.nodes[at].Flags |= Escaped
		}
	case '{':
		kind = doc.Object
		p.object(int32(at))
	case '[':
		kind = doc.Array
		p.array(int32(at))
	default:
		kind = p.plain(c)
	}
	n := &p.nodes[at]
	n.Kind, n.End, n.Next = kind, int32(p.pos), int32(len(p.nodes))
}

func (p *parser) enter() bool {
	if p.depth >= p.lim.Depth {
		p.fail("nested too deeply")
		return false
	}
	p.depth++
	p.pos++
	p.space()
	return true
}

func (p *parser) object(at int32) {
	if !p.enter() {
		return
	}
	defer p.leave()
	if p.is('}') {
		return
	}
	members := 0
	escaped := false
	for p.fault == "" {
		start := int32(p.pos)
		if p.pos >= len(p.src) || p.src[p.pos] != '"' {
			p.fail("a member name is due")
			return
		}
		flags := uint8(0)
		if p.str() {
			flags, escaped = KeyEscaped, true
		}
		end := int32(p.pos)
		p.space()
		if !p.is(':') {
			p.fail("a colon is due")
			return
		}
		p.value(at, start, end, flags)
		members++
		if p.closes('}') {
			p.unique(at, members, escaped)
			return
		}
	}
}

func (p *parser) array(at int32) {
	if !p.enter() {
		return
	}
	defer p.leave()
	if p.is(']') {
		return
	}
	for p.fault == "" {
		p.value(at, 0, 0, 0)
		if p.closes(']') {
			return
		}
	}
}

func (p *parser) leave() { p.depth-- }

// closes takes the closing bracket, or the comma before the next value.
func (p *parser) closes(bracket byte) bool {
	p.space()
	if p.is(bracket) {
		return p.fault == ""
	}
	if !p.is(',') {
		p.fail("a comma or a closing bracket is due")
		return true
	}
	p.space()
	return false
}
