// Package lines reads the formats that are made of folded lines as trees of
// values with offsets into their bytes: vCard (RFC 6350 and before), iCalendar
// (RFC 5545) and LDIF (RFC 2849).
//
// A vCard or calendar file is an Object of its components ("VCARD", "VCALENDAR"),
// a component one of its properties and of the components in it, under their
// names in upper case and without the group before them. A property without
// parameters is a String; one with them is an Object of the parameters ("@TYPE";
// one without a name is "@TYPE", too) and of its value ("#text"). The parts of a
// structured value (N, ADR, ORG) are texts of their own, and what stands before a
// person's address in a URI (mailto:, tel:) belongs to none.
//
// An LDIF file is an Array of entries and comments ("#comment"), an entry an
// Object of its values, under the attributes' names in lower case and without
// options. Base64 is decoded where it is text.
package lines

import (
	"bytes"
	"math"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
)

// Kind is one of the formats.
type Kind string

// The formats.
const (
	VCard Kind = "vcard"
	ICal  Kind = "ical"
	LDIF  Kind = "ldif"
)

// Flags of a String node.
const (
	// FlagText is a value beside parameters, or a part of a structured one.
	FlagText uint8 = 1 << iota
	// FlagParam is a parameter's value, or several with commas between them.
	FlagParam
	// FlagComment is what stands behind LDIF's `#`.
	FlagComment
	// FlagSpec is an LDIF value with the colon before it.
	FlagSpec
	// FlagBase64 is an LDIF value in base64 that is text.
	FlagBase64
	// FlagBinary are bytes in base64.
	FlagBinary
	// FlagEscaped says that the bytes aren't the text: they hold folds or escapes.
	FlagEscaped
)

const bom = "\xef\xbb\xbf"

// Parse reads src, UTF-8 with or without a byte order mark. Lines end with LF, or
// with CR and LF; one that begins with a blank or a tab goes on with the one before.
//
// Refused with a doc.SyntaxError: bytes that are not UTF-8, control characters,
// lone carriage returns, components that aren't closed or aren't of the kind,
// names with characters that none has, quoted-printable and other charsets than
// UTF-8 (vCard 2.1), folded texts in a vCard that isn't of version 3 or later, for
// a fold means a blank in some; LDIF's change records, controls and values that
// are addresses of files; and what exceeds lim.
func Parse(src []byte, k Kind, lim doc.Limits) (*doc.Tree, error) {
	if len(src) > math.MaxInt32 {
		return nil, refuse(k, 0, "longer than 2 GiB")
	}
	if at := badByte(src); at >= 0 {
		return nil, refuse(k, at, "a control character, or a byte that is not UTF-8")
	}
	b := &builder{src: src, kind: k, lim: lim}
	b.index, b.words = map[string]int32{}, map[string]string{}
	b.names = []string{""}
	room := 16 + len(src)/24
	b.nodes, b.keys = make([]doc.Node, 1, room), make([]int32, 1, room)
	b.nodes[doc.Root] = doc.Node{Kind: doc.Object, Parent: -1, End: int32(len(src))}
	if bytes.HasPrefix(src, []byte(bom)) {
		b.pos = len(bom)
		b.nodes[doc.Root].Start = int32(b.pos)
	}
	if k == LDIF {
		b.nodes[doc.Root].Kind = doc.Array
		b.ldif()
	} else {
		b.components()
	}
	b.nodes[doc.Root].Next = int32(len(b.nodes))
	if b.fault != "" {
		return nil, refuse(k, b.faultAt, b.fault)
	}
	return &doc.Tree{Src: src, Nodes: b.nodes, Format: &format{kind: k, names: b.names, keys: b.keys, crlf: b.crlf, flat: b.old}}, nil
}

func refuse(k Kind, at int, what string) error {
	return &doc.SyntaxError{Format: string(k), Offset: at, What: what}
}

// badByte returns the offset of the first byte that no text of these formats has.
func badByte(src []byte) int {
	for i, c := range src {
		if c < ' ' && c != '\t' && c != '\n' && (c != '\r' || i+1 == len(src) || src[i+1] != '\n') || c == 0x7f {
			return i
		}
	}
	if utf8.Valid(src) {
		return -1
	}
	for i := 0; i < len(src); {
		r, n := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(src)
}

// builder makes the tree out of logical lines.
type builder struct {
	src   []byte
	kind  Kind
	pos   int // of the next line
	lim   doc.Limits
	nodes []doc.Node
	keys  []int32 // by node: the place of its key in names
	names []string
	index map[string]int32
	// words are names as they were written, and in their one spelling; params and
	// texts are those of the property at hand.
	words  map[string]string
	params []param
	texts  []doc.Node
	crlf   bool // the first line ends with CR and LF
	seen   bool // a line end was seen
	old    bool // there is a vCard before version 3.0

	fault   string
	faultAt int
}

// line is a logical line: [start, end) with its folds, and where the next begins.
type line struct {
	start, end, next int
	folded           bool
}

func (b *builder) fail(at int, what string) {
	if b.fault == "" {
		b.fault, b.faultAt = what, at
	}
}

// line takes the next logical line.
func (b *builder) line() line {
	l := line{start: b.pos}
	at := b.pos
	for {
		n := bytes.IndexByte(b.src[at:], '\n')
		if n < 0 {
			l.end, l.next = len(b.src), len(b.src)
			break
		}
		l.end, l.next = at+n, at+n+1
		returned := n > 0 && b.src[l.end-1] == '\r'
		if returned {
			l.end--
		}
		if !b.seen {
			b.seen, b.crlf = true, returned
		}
		if l.next == len(b.src) || b.src[l.next] != ' ' && b.src[l.next] != '\t' {
			break
		}
		if l.end == l.start {
			b.fail(l.next, "a line that goes on with none")
		}
		l.folded = true
		at = l.next
	}
	b.pos = l.next
	return l
}

// fold is the length of the fold that p begins with, 0 for none.
func fold(p []byte) int {
	n := 0
	if len(p) > 0 && p[0] == '\r' {
		n++
	}
	if len(p) > n+1 && p[n] == '\n' && (p[n+1] == ' ' || p[n+1] == '\t') {
		return n + 2
	}
	return 0
}

// unfold appends p without its folds.
func unfold(dst, p []byte) []byte {
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			return append(dst, p...)
		}
		end := i
		if end > 0 && p[end-1] == '\r' {
			end--
		}
		dst = append(dst, p[:end]...)
		p = p[end+fold(p[end:]):]
	}
}

// open appends a container, add a text; both return the node.
func (b *builder) open(parent int32, key string, start, keyEnd int) int32 {
	n := b.append(doc.Node{Kind: doc.Object, Start: int32(start), KeyStart: int32(start), KeyEnd: int32(keyEnd), Parent: parent}, key)
	if key == "" {
		b.nodes[n].KeyEnd = b.nodes[n].KeyStart
	}
	return n
}

func (b *builder) add(parent int32, key string, n doc.Node) {
	n.Kind, n.Parent = doc.String, parent
	b.append(n, key)
}

func (b *builder) append(n doc.Node, key string) int32 {
	if len(b.nodes) >= b.lim.Nodes {
		b.fail(int(n.Start), "too many values")
		return 0
	}
	at := int32(len(b.nodes))
	n.Next = at + 1
	name, ok := b.index[key]
	if !ok {
		name = int32(len(b.names))
		b.names = append(b.names, key)
		b.index[key] = name
	}
	b.nodes, b.keys = append(b.nodes, n), append(b.keys, name)
	return at
}

// close ends a container.
func (b *builder) close(node int32, end int) {
	b.nodes[node].End, b.nodes[node].Next = int32(end), int32(len(b.nodes))
}
