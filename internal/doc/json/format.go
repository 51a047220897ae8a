package json

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
)

// Format reads and encodes the values of a tree that Parse made.
type Format struct{}

var (
	_ doc.Format   = Format{}
	_ doc.Verbatim = Format{}
	_ doc.Keyed    = Format{}
)

// Name returns "json".
func (Format) Name() string { return "json" }

// Text returns a string's decoded text, and a number or a bool as it is
// written.
func (Format) Text(t *doc.Tree, node int) string {
	n := &t.Nodes[node]
	if n.Kind != doc.String {
		return t.Slice(n.Start, n.End)
	}
	return decode(t, n.Start+1, n.End-1, n.Flags&Escaped != 0)
}

// Verbatim returns the inside of a string without escapes.
func (Format) Verbatim(t *doc.Tree, node int) ([]byte, bool) {
	n := &t.Nodes[node]
	if n.Kind != doc.String || n.Flags&Escaped != 0 {
		return nil, false
	}
	return t.Src[n.Start+1 : n.End-1], true
}

// Key returns a member's decoded name.
func (Format) Key(t *doc.Tree, node int) string {
	n := &t.Nodes[node]
	return decode(t, n.KeyStart+1, n.KeyEnd-1, n.Flags&KeyEscaped != 0)
}

// HasKey compares a member's name without copying it.
func (Format) HasKey(t *doc.Tree, node int, name string) bool {
	n := &t.Nodes[node]
	if n.Flags&KeyEscaped != 0 || n.KeyEnd <= n.KeyStart+1 {
		return t.Key(node) == name
	}
	return string(t.Src[n.KeyStart+1:n.KeyEnd-1]) == name
}

// Encode appends v as JSON. A number or bool whose text is none becomes null:
// the document stays valid whatever the caller passes.
func (Format) Encode(dst []byte, t *doc.Tree, _ int, v doc.Value) []byte {
	switch v.Kind {
	case doc.String:
		return quote(dst, v.Text, t.ASCII)
	case doc.Number:
		if v.Text != "" && numberLen([]byte(v.Text)) == len(v.Text) {
			return append(dst, v.Text...)
		}
	case doc.Bool:
		if v.Text == "true" || v.Text == "false" {
			return append(dst, v.Text...)
		}
	}
	return append(dst, "null"...)
}

// EncodeKey appends a member's name with its quotes.
func (Format) EncodeKey(dst []byte, t *doc.Tree, _ int, key string) []byte {
	return quote(dst, key, t.ASCII)
}

func decode(t *doc.Tree, from, to int32, escaped bool) string {
	if !escaped {
		return t.Slice(from, to)
	}
	return string(unescape(make([]byte, 0, to-from), t.Src[from:to]))
}

// unescape appends the text of a string's inside that the scanner has accepted.
func unescape(dst, b []byte) []byte {
	for {
		i := bytes.IndexByte(b, '\\')
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:i]...)
		b = b[i:]
		switch c := b[1]; c {
		case 'u':
			r := hex4(b)
			b = b[6:]
			if utf16.IsSurrogate(r) {
				r = utf16.DecodeRune(r, hex4(b))
				b = b[6:]
			}
			dst = utf8.AppendRune(dst, r)
			continue
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		default:
			dst = append(dst, c)
		}
		b = b[2:]
	}
}

// quote appends s as a JSON string. `<` is always escaped: the document can
// stand in a script element, where `</script` and `<!--` would end it or open
// a comment.
func quote(dst []byte, s string, ascii bool) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			i++
			if c >= ' ' && c != '"' && c != '\\' && c != '<' {
				continue
			}
			dst = append(dst, s[from:i-1]...)
			dst = escapeByte(dst, c)
			from = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		if !ascii && r != '\u2028' && r != '\u2029' && (r != utf8.RuneError || n > 1) {
			continue
		}
		dst = append(dst, s[from:i-n]...)
		dst = escapeRune(dst, r)
		from = i
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

func escapeByte(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return escapeUnit(dst, rune(c))
}

func escapeRune(dst []byte, r rune) []byte {
	if r < 0x10000 {
		return escapeUnit(dst, r)
	}
	high, low := utf16.EncodeRune(r)
	return escapeUnit(escapeUnit(dst, high), low)
}

func escapeUnit(dst []byte, u rune) []byte {
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', digits[u>>12&15], digits[u>>8&15], digits[u>>4&15], digits[u&15])
}
