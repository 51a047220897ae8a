package html

import (
	"bytes"
	"fmt"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/crmgate/crmgate/internal/doc"
)

// builder makes the tree out of tokens. at is the offset of the current token.
type builder struct {
	src []byte
	at  int
	// z reads the tokens that aren't plain, and zAt is where its next one begins.
	z   *html.Tokenizer
	zAt int
	// odd is how many tokens are left to it at least.
	odd   int
	lim   doc.Limits
	nodes []doc.Node
	open  []entry
	attrs []attribute
	// broken says that the current tag has quotes in an attribute's name, and
	// blank holds what is taken out of such tags.
	broken bool
	blank  []span
	// noscript is the last end tag of a noscript element that was looked up.
	noscript int
}

// entry is an element that is open, or the document at the bottom.
type entry struct {
	node int32
	atom atom.Atom
	// name is the lower-case tag name.
	name string
	// foreign says that the element is SVG's own.
	foreign bool
	// ended says that the end tag came while an element in between was open:
	// the element ends as soon as that one does.
	ended bool
	// mustEnd is where browsers that run scripts see a noscript element end;
	// the others read its content as markup, and both must agree.
	mustEnd int
}

func newBuilder(src []byte, lim doc.Limits) *builder {
	b := &builder{src: src, lim: lim}
	pooled, _ := pool.Get().(*[]doc.Node)
	b.nodes = append((*pooled)[:0], doc.Node{Kind: doc.Object, Parent: -1})
	b.open = append(b.open, entry{})
	return b
}

func (b *builder) top() *entry { return &b.open[len(b.open)-1] }

// add appends a node below the innermost open element.
func (b *builder) add(n doc.Node) error {
	if len(b.nodes) >= b.lim.Nodes {
		return refuse(int(n.Start), fmt.Sprintf("more than %d values", b.lim.Nodes))
	}
	n.Parent = b.top().node
	n.Next = int32(len(b.nodes)) + 1
	b.nodes = append(b.nodes, n)
	return nil
}

// pop ends the innermost element at the offset, and with it each element whose
// own end tag came before.
func (b *builder) pop(end int) {
	for {
		n := &b.nodes[b.top().node]
		n.End, n.Next = int32(end), int32(len(b.nodes))
		b.open = b.open[:len(b.open)-1]
		if !b.top().ended {
			return
		}
	}
}

// popTo ends all elements above the depth.
func (b *builder) popTo(depth, end int) {
	for len(b.open) > depth {
		b.pop(end)
	}
}

func (b *builder) finish() error {
	for _, e := range b.open {
		if isRawText(e.atom) && !e.foreign || e.mustEnd > 0 {
			return refuse(int(b.nodes[e.node].Start), "<"+e.atom.String()+"> that is not closed")
		}
	}
	b.popTo(1, len(b.src))
	root := &b.nodes[doc.Root]
	root.End, root.Next = int32(len(b.src)), int32(len(b.nodes))
	return nil
}

func (b *builder) text(raw []byte) error {
	if bytes.HasPrefix(raw, []byte("<![CDATA[")) {
		return refuse(b.at, "a CDATA section")
	}
	n := doc.Node{Kind: doc.String, Flags: FlagText, Start: int32(b.at), End: int32(b.at + len(raw))}
	n.KeyStart, n.KeyEnd = n.Start, n.End
	if e := b.top(); isUndecoded(e.atom) && !e.foreign {
		n.Flags |= FlagRaw
		if e.atom == atom.Script && twoWays(raw) {
			return refuse(b.at, "a script with both <!-- and <script in it: where it ends is read in two ways")
		}
	}
	// The tokenizer ends a text before a `</` that nothing follows; browsers don't.
	if last := &b.nodes[len(b.nodes)-1]; last.Flags == FlagText && n.Flags == FlagText && last.End == n.Start && last.Parent == b.top().node {
		last.End, last.KeyEnd = n.End, n.KeyEnd
		return nil
	}
	return b.add(n)
}

// twoWays reports whether a script can fall into the double escaped state,
// where the tokenizer and browsers differ on its end.
func twoWays(script []byte) bool {
	i := bytes.Index(script, []byte("<!--"))
	return i >= 0 && indexFold(script[i:], "<script") >= 0
}

func (b *builder) comment(raw []byte) error {
	start, end := b.at, b.at+len(raw)
	if bytes.Equal(raw, []byte("</>")) {
		return nil
	}
	n := doc.Node{Kind: doc.String, Flags: FlagComment, KeyStart: int32(start), KeyEnd: int32(start + 2)}
	switch {
	case raw[len(raw)-1] != '>' || len(raw) < 3:
		return refuse(start, "a comment that is not closed")
	case bytes.HasPrefix(raw, []byte("<!--")):
		if len(raw) < 7 || !bytes.HasSuffix(raw, []byte("-->")) || !plainComment(raw[4:len(raw)-3]) {
			return refuse(start, "a comment whose end is read in two ways")
		}
		n.Start, n.End = int32(start+4), int32(end-3)
	case bytes.HasPrefix(raw, []byte("<![CDATA[")):
		return refuse(start, "a CDATA section")
	default:
		n.Flags |= FlagBogus
		n.Start, n.End = int32(start+2), int32(end-1)
	}
	return b.add(n)
}

// plainComment reports whether every reader ends a comment with that content at
// its end and nowhere before.
func plainComment(content []byte) bool {
	return !bytes.HasPrefix(content, []byte(">")) && !bytes.HasPrefix(content, []byte("->")) &&
		!bytes.Contains(content, []byte("-->")) && !bytes.Contains(content, []byte("--!>"))
}

// doctype has no node, so it may say nothing but what doctypes say. Everywhere but
// at the start browsers ignore it: pages are put together of others.
func (b *builder) doctype(raw []byte) error {
	const most = 200
	if len(raw) > most || raw[len(raw)-1] != '>' || indexFold(raw, "html") < 0 {
		return refuse(b.at, "a document type that is not HTML's")
	}
	return nil
}

// indexFold finds an ASCII lower-case word whatever its case.
func indexFold(s []byte, word string) int {
	for i := 0; i+len(word) <= len(s); i++ {
		if equalFold(s[i:i+len(word)], word) {
			return i
		}
	}
	return -1
}

// equalFold compares with an ASCII lower-case word whatever the case of s.
func equalFold(s []byte, word string) bool {
	if len(s) != len(word) {
		return false
	}
	for i, c := range s {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}
