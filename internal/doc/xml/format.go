package xml

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/coding"
)

// format is a document's side of a doc.Tree.
type format struct {
	cs    coding.Charset
	names []string
	keys  []int32
}

var (
	_ doc.Format   = (*format)(nil)
	_ doc.Verbatim = (*format)(nil)
	_ doc.Marked   = (*format)(nil)
)

// Name is "xml".
func (*format) Name() string { return name }

// Text decodes a text, an attribute's value, a comment or an instruction.
func (f *format) Text(t *doc.Tree, node int) string {
	n := &t.Nodes[node]
	if n.Flags&FlagEmpty != 0 {
		return ""
	}
	if n.Flags&FlagEscaped == 0 {
		if isUTF8(f.cs) {
			return t.Slice(n.Start, n.End)
		}
		return f.cs.Decode(t.Raw(node))
	}
	// References are ASCII in every charset that is served: what they stand for is
	// put in behind the decoding.
	raw := []byte(f.cs.Decode(t.Raw(node)))
	out := make([]byte, 0, len(raw))
	switch {
	case n.Flags&FlagAttr != 0:
		out = decodeAttr(out, raw)
	case n.Flags&(FlagComment|FlagPI) != 0:
		out = appendLines(out, raw)
	default:
		out = decodeText(out, raw)
	}
	return string(out)
}

// Verbatim returns the bytes of a text without references, CDATA sections and
// carriage returns.
func (f *format) Verbatim(t *doc.Tree, node int) ([]byte, bool) {
	n := &t.Nodes[node]
	if n.Kind != doc.String || n.Flags&FlagEscaped != 0 || !isUTF8(f.cs) {
		return nil, false
	}
	return t.Raw(node), true
}

// Key is an element's local name, behind the caller's prefix for its namespace;
// "@name" for an attribute, "#text", "#comment" or "#pi".
func (f *format) Key(_ *doc.Tree, node int) string { return f.names[f.keys[node]] }

// EncodeKey leaves the name as it is: it is the schema's, never a value.
func (*format) EncodeKey(dst []byte, t *doc.Tree, node int, _ string) []byte {
	n := &t.Nodes[node]
	return append(dst, t.Src[n.KeyStart:n.KeyEnd]...)
}

// Markup reports whether a node is an attribute that says how the document is
// read: a namespace, a schema type, SOAP's own.
func (f *format) Markup(t *doc.Tree, node int) bool {
	if t.Nodes[node].Flags&FlagAttr == 0 {
		return false
	}
	key := f.names[f.keys[node]]
	if key == "@xmlns" || strings.HasPrefix(key, "@xmlns:") {
		return true
	}
	prefix, _, ok := strings.Cut(key, ":")
	switch prefix {
	case "@xsi", "@xml", "@soap", "@soapenc":
		return ok && plainMarkup(t.Raw(node))
	}
	return false
}

// Binary is false: XML doesn't say which texts are bytes.
func (*format) Binary(*doc.Tree, int) bool { return false }

// plainMarkup reports whether a value can be a type, a language or an address of
// a specification.
func plainMarkup(raw []byte) bool {
	const most = 256
	for _, c := range raw {
		if classes[c]&(namePart|space) == 0 && bytes.IndexByte([]byte(":/[],#"), c) < 0 {
			return false
		}
	}
	return len(raw) <= most
}

// decodeText decodes what the scanner has accepted.
func decodeText(dst, b []byte) []byte {
	for len(b) > 0 {
		i := bytes.IndexAny(b, "&<\r")
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:i]...)
		b = b[i:]
		switch b[0] {
		case '<':
			const open, end = "<![CDATA[", "]]>"
			n := bytes.Index(b, []byte(end))
			dst = appendLines(dst, b[len(open):n])
			b = b[n+len(end):]
		case '&':
			r, n := reference(b)
			dst = utf8.AppendRune(dst, r)
			b = b[n:]
		default:
			dst = append(dst, '\n')
			b = afterReturn(b)
		}
	}
	return dst
}

// afterReturn passes over a line end: CR, or CR and LF.
func afterReturn(b []byte) []byte {
	if len(b) > 1 && b[1] == '\n' {
		return b[2:]
	}
	return b[1:]
}

// appendLines appends bytes without references, every line end as LF.
func appendLines(dst, b []byte) []byte {
	for {
		i := bytes.IndexByte(b, '\r')
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(append(dst, b[:i]...), '\n')
		b = afterReturn(b[i:])
	}
}

// decodeAttr decodes an attribute's value: white space becomes blanks.
func decodeAttr(dst, b []byte) []byte {
	for len(b) > 0 {
		switch c := b[0]; c {
		case '&':
			r, n := reference(b)
			dst = utf8.AppendRune(dst, r)
			b = b[n:]
		case '\r':
			dst = append(dst, ' ')
			b = afterReturn(b)
		case '\t', '\n':
			dst = append(dst, ' ')
			b = b[1:]
		default:
			dst = append(dst, c)
			b = b[1:]
		}
	}
	return dst
}

// Encode writes v so that the document stays well-formed whatever v holds.
// Characters that XML doesn't have become U+FFFD. An Object becomes an element
// with v as its text, and none at all for Null, unless it is the root element.
func (f *format) Encode(dst []byte, t *doc.Tree, node int, v doc.Value) []byte {
	n, text := &t.Nodes[node], v.Text
	if v.Kind == doc.Null {
		text = ""
	}
	switch {
	case n.Kind == doc.Object:
		return f.encodeElement(dst, t, node, v)
	case strings.HasPrefix(f.names[f.keys[node]], "@xmlns:") && strings.TrimSpace(text) == "":
		text = "urn:masked" // a prefix can't be bound to nothing
	case n.Flags&FlagComment != 0:
		return f.appendComment(dst, text, t.ASCII)
	case n.Flags&FlagPI != 0:
		return f.appendLoose(dst, strings.ReplaceAll(text, "?>", "? >"), t.ASCII)
	case n.Flags&FlagEmpty != 0:
		if text == "" {
			return append(dst, t.Raw(node)...)
		}
		return appendElement(dst, t.Src[n.KeyStart:n.KeyEnd], nil, text, t.ASCII)
	}
	return appendEscaped(dst, text, t.ASCII, n.Flags&FlagAttr != 0)
}

// encodeElement writes an element anew, with its namespaces: its own name can
// have one of their prefixes.
func (f *format) encodeElement(dst []byte, t *doc.Tree, node int, v doc.Value) []byte {
	if node == doc.Root {
		for c := range t.Children(doc.Root) {
			if key := t.Key(c); key[0] != '#' {
				node = c
			}
		}
	} else if v.Kind == doc.Null && t.Nodes[node].Parent != doc.Root {
		return dst
	}
	var declared []byte
	if t.Nodes[node].Kind == doc.Object {
		for c := range t.Children(node) {
			if key := t.Key(c); key == "@xmlns" || strings.HasPrefix(key, "@xmlns:") {
				a := &t.Nodes[c]
				declared = append(append(declared, ' '), t.Src[a.KeyStart:a.KeyEnd]...)
			}
		}
	}
	n := &t.Nodes[node]
	text := v.Text
	if v.Kind == doc.Null {
		text = ""
	}
	return appendElement(dst, t.Src[n.KeyStart:n.KeyEnd], declared, text, t.ASCII)
}

func appendElement(dst, tag, declared []byte, text string, ascii bool) []byte {
	dst = append(append(append(dst, '<'), tag...), declared...)
	if text == "" {
		return append(dst, "/>"...)
	}
	dst = appendEscaped(append(dst, '>'), text, ascii, false)
	return append(append(append(dst, "</"...), tag...), '>')
}

// AppendText appends a text as it stands between tags. With ascii, all that isn't is
// written as references.
func AppendText(dst []byte, text string, ascii bool) []byte {
	return appendEscaped(dst, text, ascii, false)
}

// Takes reports whether XML has all characters of a text.
func Takes(text string) bool {
	for _, r := range text {
		if !isChar(r) {
			return false
		}
	}
	return utf8.ValidString(text)
}

func appendEscaped(dst []byte, text string, ascii, attr bool) []byte {
	for _, r := range text {
		switch {
		case !isChar(r):
			r = utf8.RuneError
		case r == '&':
			dst = append(dst, "&amp;"...)
			continue
		case r == '<':
			dst = append(dst, "&lt;"...)
			continue
		case r == '>':
			dst = append(dst, "&gt;"...)
			continue
		}
		if ascii && r >= utf8.RuneSelf || r == '\r' || attr && (r == '"' || r == '\'' || r == '\n' || r == '\t') {
			dst = append(strconv.AppendInt(append(dst, "&#"...), int64(r), 10), ';')
			continue
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// appendComment takes what a comment can't hold out of the text.
func (f *format) appendComment(dst []byte, text string, ascii bool) []byte {
	text = strings.ReplaceAll(text, "-", "- ")
	return f.appendLoose(dst, text, ascii)
}

// appendLoose appends text where there are no references.
func (f *format) appendLoose(dst []byte, text string, ascii bool) []byte {
	for _, r := range text {
		switch {
		case !isChar(r), r == '\r', ascii && r >= utf8.RuneSelf:
			dst = append(dst, '*')
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
