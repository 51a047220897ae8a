// Package xml reads XML as a tree of values with offsets into its bytes.
//
// The document is an Object with the root element as its member, and with the
// comments and processing instructions beside it. An element without attributes
// and without anything but text in it is a String; every other one is an Object
// of its attributes (key "@name"), its texts (key "#text"), its comments
// ("#comment"), its processing instructions ("#pi") and the elements below it, in
// the order of the source. Members may share a name. White space between elements
// is no node; every other byte that can carry a value lies in one String.
//
// Elements and attributes go by their local names, whatever their prefixes: a
// prefix is the sender's choice, and a rule must not depend on it. A namespace
// that the caller names gets the caller's prefix ("sf:Email").
package xml

import (
	"math"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/coding"
)

// Flags of a String node.
const (
	// FlagAttr is an attribute's value, without its quotes.
	FlagAttr uint8 = 1 << iota
	// FlagText is a run of text and CDATA sections beside elements or attributes.
	FlagText
	// FlagComment is what stands between a comment's marks.
	FlagComment
	// FlagPI is what stands behind a processing instruction's target.
	FlagPI
	// FlagLeaf is an element that is its text.
	FlagLeaf
	// FlagEmpty is a FlagLeaf without an end tag: <a/>. The node spans the tag.
	FlagEmpty
	// FlagEscaped says that the bytes aren't the text: they hold references,
	// CDATA sections, line ends or white space that readers change.
	FlagEscaped
)

const name = "xml"

// Options say what stands outside of the document.
type Options struct {
	// Namespaces maps prefixes to the namespaces that the caller tells apart. The
	// names of all others have no prefix.
	Namespaces map[string]string
	// Charset is the one that the Content-Type names, "" for none.
	Charset string
}

// Parse reads exactly one XML 1.0 document with namespaces. It is stricter than
// the recommendation where readers differ.
//
// Refused with a doc.SyntaxError: document types, entities beside the five,
// XML 1.1, bytes that the charset doesn't have (where opts, the declaration and the
// byte order mark name several: bytes that aren't ASCII), characters that XML doesn't have, an attribute that is
// given twice (compared by namespace and local name), undeclared prefixes, tags
// that don't match, a text that a comment or an instruction divides, anything but
// comments, instructions and white space beside the root element, and what
// exceeds lim.
func Parse(src []byte, opts Options, lim doc.Limits) (*doc.Tree, error) {
	if len(src) > math.MaxInt32 {
		return nil, refuse(0, "longer than 2 GiB")
	}
	b := newBuilder(src, opts, lim)
	b.document(opts.Charset)
	if b.fault != "" {
		return nil, refuse(b.pos, b.fault)
	}
	f := &format{cs: b.cs, names: b.names.list, keys: b.keys}
	return &doc.Tree{Src: src, Nodes: b.nodes, Format: f, ASCII: b.ascii}, nil
}

func refuse(at int, what string) error {
	return &doc.SyntaxError{Format: name, Offset: at, What: what}
}

// isUTF8 reports whether bytes are texts as they are.
func isUTF8(cs coding.Charset) bool { return cs.Name() == "utf-8" }
