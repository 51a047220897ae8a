// Package html reads HTML pages as a tree of values with offsets into their
// bytes. The tokens come from golang.org/x/net/html; the bytes are spliced, for
// parsing and rendering a page again changes what a browser makes of it.
//
// An element is an Object whose key is its lower-case tag name. Its children,
// in the order of the source, are its attributes (key "@name"), the text runs
// (key "#text"), the comments (key "#comment") and the elements below it. Every
// byte of a page that can carry a value lies in exactly one String node.
package html

import (
	"bytes"
	"math"
	"sync"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/crmgate/crmgate/internal/doc"
)

// Flags of a node. A String node has exactly one of FlagAttr, FlagText and
// FlagComment.
const (
	// FlagAttr is an attribute's value, without its quotes.
	FlagAttr uint8 = 1 << iota
	// FlagText is a run of text between tags.
	FlagText
	// FlagComment is what stands between a comment's marks.
	FlagComment
	// FlagRaw is text that browsers don't decode: what is in script, style,
	// iframe, xmp, noembed and noframes. Text returns its bytes as they are, so
	// offsets into it are offsets into the document.
	FlagRaw
	// FlagDouble and FlagSingle say which quotes an attribute's value has.
	FlagDouble
	FlagSingle
	// FlagBare is an attribute without a value (`disabled`).
	FlagBare
	// FlagBogus is a comment without comment marks: `<?…>`, `<!…>`.
	FlagBogus
)

const name = "html"

// Parse reads a page or a fragment of one. It is strict where browsers and
// tokenizers disagree and forgiving where they agree: end tags may be left out
// as HTML allows, an end tag without a start is ignored, an element without an
// end ends with the document.
//
// Refused with a doc.SyntaxError: bytes that are not UTF-8, NUL, an unclosed
// tag, comment or script, an attribute that is given dozens of times, a tag or attribute
// name with characters that only broken markup has, end tags with attributes,
// plaintext, MathML, CDATA, HTML elements directly in SVG, and what exceeds lim.
func Parse(src []byte, lim doc.Limits) (*doc.Tree, error) {
	if len(src) > math.MaxInt32 {
		return nil, refuse(0, "longer than 2 GiB")
	}
	if i := bytes.IndexByte(src, 0); i >= 0 {
		return nil, refuse(i, "a NUL byte")
	}
	if !utf8.Valid(src) {
		return nil, refuse(invalidAt(src), "not UTF-8: transcode the page first")
	}
	b := newBuilder(src, lim)
	err := b.run()
	if err == nil && len(b.blank) > 0 {
		src = b.blanked()
		giveBack(b.nodes)
		b = newBuilder(src, lim)
		if err = b.run(); err == nil && len(b.blank) > 0 {
			err = refuse(b.blank[0].start, "a tag that is broken in another way once its attributes are taken out")
		}
	}
	if err != nil {
		giveBack(b.nodes)
		return nil, err
	}
	return &doc.Tree{Src: src, Nodes: b.nodes, Format: format{}}, nil
}

// maxPooled is the largest node slice that is kept for reuse.
const maxPooled = 1 << 17

// pool holds node slices that released trees left.
var pool = sync.Pool{New: func() any {
	s := make([]doc.Node, 0, 1024)
	return &s
}}

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
		pool.Put(&s)
	}
}

// run reads every token: those that are read in one way by a scan of their own,
// all others by the tokenizer.
func (b *builder) run() error {
	for b.at < len(b.src) {
		ok, err := b.plainToken()
		if !ok {
			err = b.oddToken()
		}
		if err != nil {
			return err
		}
	}
	return b.finish()
}

// oddTokens is how many tokens the tokenizer reads at least where it has to read
// one: it costs more to begin than to go on.
const oddTokens = 8

// oddToken has the tokenizer read a token, and checks that it is the document's.
func (b *builder) oddToken() error {
	if b.z == nil || b.zAt != b.at {
		b.z, b.odd = html.NewTokenizer(bytes.NewReader(b.src[b.at:])), oddTokens
	}
	b.odd--
	tt := b.z.Next()
	raw := b.z.Raw()
	end := b.at + len(raw)
	switch {
	case tt == html.ErrorToken:
		return refuse(b.at, "a tag that is not closed")
	case end > len(b.src) || !bytes.Equal(raw, b.src[b.at:end]):
		return refuse(b.at, "a token whose bytes the tokenizer changed")
	}
	if err := b.token(tt, b.src[b.at:end]); err != nil {
		return err
	}
	b.at, b.zAt = end, end
	return nil
}

func (b *builder) token(tt html.TokenType, raw []byte) error {
	switch tt {
	case html.TextToken:
		return b.text(raw)
	case html.StartTagToken, html.SelfClosingTagToken:
		return b.startTag(raw, tt == html.SelfClosingTagToken)
	case html.EndTagToken:
		return b.endTag(raw)
	case html.CommentToken:
		return b.comment(raw)
	case html.DoctypeToken:
		return b.doctype(raw)
	}
	return refuse(b.at, "a token of an unknown kind")
}

func refuse(at int, what string) error {
	return &doc.SyntaxError{Format: name, Offset: at, What: what}
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
