package form

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/coding"
)

// FlagFile is a part with a file name: its value is the file's content, which
// may be any bytes.
const FlagFile uint8 = 2

// MaxParts is the largest number of parts in a body.
const MaxParts = 5000

const multipartName = "multipart"

// ParseMultipart reads a multipart/form-data body with the boundary of its
// Content-Type. Every part is a String member whose key is the part's name and
// whose value is its content; Part tells the rest.
//
// It reads what browsers and the common libraries write and nothing beyond, for
// servers differ on the rest. Refused with a doc.SyntaxError: bytes before the
// first or behind the last boundary (but one line end), line ends other than CRLF
// in delimiters and headers, folded, repeated or unknown headers, a part without
// a name, a repeated or extended (`name*`) parameter, a name with an escape, a
// backslash in a name or file name, a transfer encoding, a charset other than
// UTF-8, a text that is not UTF-8 or holds NUL, parts within a part, the boundary
// within a content (servers that take bare line feeds divide there), and what
// exceeds lim or MaxParts.
func ParseMultipart(src []byte, boundary string, lim doc.Limits) (*doc.Tree, error) {
	if len(src) > math.MaxInt32 {
		return nil, refusePart(0, "longer than 2 GiB")
	}
	if !validBoundary(boundary) {
		return nil, refusePart(0, "a boundary that is none: 1 to 70 letters, digits and marks")
	}
	lim.Nodes = min(lim.Nodes, MaxParts+1)
	p := partParser{src: src, lim: lim, f: &partsFormat{boundary: boundary, parts: []Part{{}}}}
	p.nodes = []doc.Node{{Kind: doc.Object, End: int32(len(src)), Parent: -1}}
	if err := p.run(); err != nil {
		return nil, err
	}
	p.nodes[0].Next = int32(len(p.nodes))
	return &doc.Tree{Src: src, Nodes: p.nodes, Format: p.f}, nil
}

// Part is what the headers of a part say of it.
type Part struct {
	// Name is the field's name.
	Name string
	// File says that there is a file name; FileName is its bytes as they were sent
	// (browsers write a quote as %22).
	File     bool
	FileName string
	// Type is the media type as it was sent, "" for none.
	Type string
	// key and keyEnd are the raw bytes of the name, start those of the delimiter
	// before the part.
	key, keyEnd, start int
}

// Boundary reads the Content-Type of a multipart/form-data body. It is strict:
// with a parameter beside the boundary and a charset of UTF-8, or with characters
// in the boundary that browsers don't send, servers find different boundaries.
func Boundary(contentType string) (string, error) {
	m, err := coding.ParseMedia(contentType)
	if err != nil {
		return "", fmt.Errorf("reading the type of a form: %w", err)
	}
	cs, err := m.Charset()
	if err != nil || m.Type != "multipart/form-data" || m.Further || cs.Name() != "utf-8" || !validBoundary(m.Boundary) {
		return "", fmt.Errorf("reading the type of a form: %w: a boundary of letters, digits and -_.+= alone", coding.ErrMediaType)
	}
	return m.Boundary, nil
}

// PartOf returns what the headers of a member's part say. It is the zero Part for
// nodes of other formats.
func PartOf(t *doc.Tree, node int) Part {
	if f, ok := t.Format.(*partsFormat); ok && node > 0 && node < len(f.parts) {
		return f.parts[node]
	}
	return Part{}
}

func refusePart(at int, what string) error {
	return &doc.SyntaxError{Format: multipartName, Offset: at, What: what}
}

// validBoundary is RFC 2046's rule without the marks at which servers cut or quote.
func validBoundary(b string) bool {
	if b == "" || len(b) > 70 {
		return false
	}
	for i := range len(b) {
		if c := b[i]; !isAlnum(c) && strings.IndexByte("+_-.=", c) < 0 {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

type partParser struct {
	src   []byte
	at    int
	lim   doc.Limits
	f     *partsFormat
	nodes []doc.Node
}

func (p *partParser) run() error {
	first := "--" + p.f.boundary
	if !p.take(first) {
		return refusePart(p.at, "no boundary at the start")
	}
	for !p.take("--") {
		start := p.at - len(first)
		if !p.take("\r\n") {
			return refusePart(p.at, "a boundary without a line end behind it")
		}
		if err := p.part(start, first); err != nil {
			return err
		}
	}
	p.f.end = p.at - len(first) - 2
	p.take("\r\n")
	if p.at != len(p.src) {
		return refusePart(p.at, "bytes behind the last boundary")
	}
	return nil
}

func (p *partParser) take(s string) bool {
	if !bytes.HasPrefix(p.src[p.at:], []byte(s)) {
		return false
	}
	p.at += len(s)
	return true
}

// part reads one part, whose delimiter begins at start, up to and with the
// delimiter behind it.
func (p *partParser) part(start int, delimiter string) error {
	h, err := p.headers()
	if err != nil {
		return err
	}
	h.start = start
	n := bytes.Index(p.src[p.at:], []byte(delimiter)) - 2
	if n < 0 || string(p.src[p.at+n:p.at+n+2]) != "\r\n" {
		return refusePart(start, "a part without a boundary behind it on a line of its own")
	}
	body := p.src[p.at : p.at+n]
	if i := bytes.IndexByte(body, 0); i >= 0 && !h.File {
		return refusePart(p.at+i, "a NUL byte in a text")
	}
	if !h.File && !utf8.Valid(body) {
		return refusePart(p.at, "a text that is not UTF-8")
	}
	if len(p.nodes) >= p.lim.Nodes {
		return refusePart(start, fmt.Sprintf("more than %d values", p.lim.Nodes))
	}
	node := doc.Node{
		Kind: doc.String, Start: int32(p.at), End: int32(p.at + n),
		KeyStart: int32(h.key), KeyEnd: int32(h.keyEnd), Next: int32(len(p.nodes)) + 1,
	}
	if h.File {
		node.Flags = FlagFile
	}
	p.nodes = append(p.nodes, node)
	p.f.parts = append(p.f.parts, h)
	p.at += n + 2 + len(delimiter)
	return nil
}

// partsFormat is a body's side of a doc.Tree: the parts by node.
type partsFormat struct {
	boundary string
	parts    []Part
	end      int // where the last delimiter begins
}

// Name is "multipart".
func (*partsFormat) Name() string { return multipartName }

// Text is the part's content.
func (*partsFormat) Text(t *doc.Tree, node int) string { return string(t.Raw(node)) }

// Key is the part's name.
func (f *partsFormat) Key(_ *doc.Tree, node int) string { return f.parts[node].Name }

// Takes reports whether a text can stand in a part as it is. The boundary can't:
// whoever chose it may want to add a part.
func (f *partsFormat) Takes(text string) bool {
	return clean(text) == text && !strings.Contains(text, "--"+f.boundary)
}

// MemberSpan is a part with the delimiter before it.
func (f *partsFormat) MemberSpan(_ *doc.Tree, node int) (start, end int32) {
	end = int32(f.end)
	if node+1 < len(f.parts) {
		end = int32(f.parts[node+1].start)
	}
	return int32(f.parts[node].start), end
}

// AppendMember writes a part, to stand before the last delimiter, and returns
// where that begins.
func (f *partsFormat) AppendMember(dst []byte, t *doc.Tree, key, text string) (out []byte, at int32) {
	dst = append(append(dst, "--"...), f.boundary...)
	dst = appendName(append(dst, "\r\nContent-Disposition: form-data; name=\""...), key)
	dst = append(dst, "\"\r\n\r\n"...)
	dst = f.Encode(dst, t, doc.Root, doc.Value{Kind: doc.String, Text: text})
	return append(dst, "\r\n"...), int32(f.end)
}

// Encode writes v as it is: parts have no escapes. A boundary in it becomes an
// asterisk; whoever can't have that asks Takes first.
func (f *partsFormat) Encode(dst []byte, _ *doc.Tree, _ int, v doc.Value) []byte {
	if v.Kind == doc.Null {
		return dst
	}
	return append(dst, strings.ReplaceAll(clean(v.Text), "--"+f.boundary, "*")...)
}

// EncodeKey writes a name, in quotes if it had none (a key's bytes are those
// between the quotes). What would have to be escaped becomes an asterisk: programs
// differ on the escapes.
func (*partsFormat) EncodeKey(dst []byte, t *doc.Tree, node int, key string) []byte {
	bare := t.Src[t.Nodes[node].KeyStart-1] != '"'
	if bare {
		dst = append(dst, '"')
	}
	dst = appendName(dst, key)
	if bare {
		dst = append(dst, '"')
	}
	return dst
}

func appendName(dst []byte, key string) []byte {
	for _, r := range clean(key) {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`"%\`, r) {
			r = '*'
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}
