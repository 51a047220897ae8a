package html

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/crmgate/crmgate/internal/doc"
)

// format is a page's side of a doc.Tree.
type format struct{}

// Name is "html".
func (format) Name() string { return name }

// Text decodes a run of text, an attribute's value or a comment as browsers do.
func (format) Text(t *doc.Tree, node int) string {
	n, raw := &t.Nodes[node], t.Raw(node)
	if verbatim(n, raw) {
		return t.Slice(n.Start, n.End)
	}
	switch {
	case n.Flags&(FlagRaw|FlagComment) != 0:
		return string(raw)
	case n.Flags&FlagAttr != 0:
		return decodeAttr(raw)
	}
	return html.UnescapeString(newlines(raw))
}

// Verbatim returns what browsers read as it is written.
func (format) Verbatim(t *doc.Tree, node int) ([]byte, bool) {
	n, raw := &t.Nodes[node], t.Raw(node)
	return raw, n.Kind == doc.String && verbatim(n, raw)
}

func verbatim(n *doc.Node, raw []byte) bool {
	return n.Flags&(FlagRaw|FlagComment) != 0 || bytes.IndexByte(raw, '&') < 0 && bytes.IndexByte(raw, '\r') < 0
}

// Key is an element's tag name, "@name" for an attribute, "#text" or "#comment".
func (format) Key(t *doc.Tree, node int) string {
	n := &t.Nodes[node]
	key := t.Src[n.KeyStart:n.KeyEnd]
	switch {
	case n.Flags&FlagText != 0:
		return "#text"
	case n.Flags&FlagComment != 0:
		return "#comment"
	case n.Flags&FlagAttr != 0:
		return "@" + lower(key)
	}
	key = lowered(key)
	if tag := atom.Lookup(key); tag != 0 {
		return tag.String()
	}
	return string(key)
}

// EncodeKey leaves the key as it is: tag and attribute names are never values,
// and texts and comments have none.
func (format) EncodeKey(dst []byte, t *doc.Tree, node int, _ string) []byte {
	n := &t.Nodes[node]
	return append(dst, t.Src[n.KeyStart:n.KeyEnd]...)
}

// Encode writes v so that it can't end the place it stands in. In a script or a
// style sheet v is source text: what could end the element is escaped in a way
// that strings of JSON, JavaScript and CSS read as the same characters.
func (format) Encode(dst []byte, t *doc.Tree, node int, v doc.Value) []byte {
	n, text := &t.Nodes[node], v.Text
	if v.Kind == doc.Null {
		text = ""
	}
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	switch {
	case n.Flags&FlagComment != 0:
		if n.Flags&FlagBogus != 0 {
			dst = append(dst, ' ') // a letter here would make `</1>` an end tag
		}
		return appendComment(dst, text, t.ASCII)
	case n.Flags&FlagRaw != 0:
		return appendRaw(dst, text, t.ASCII, rawElement(t, node))
	case n.Flags&FlagAttr == 0:
		return appendEscaped(dst, text, t.ASCII)
	case n.Flags&(FlagDouble|FlagSingle) != 0:
		return appendEscaped(dst, text, t.ASCII)
	case n.Flags&FlagBare != 0:
		dst = append(dst, '=')
	}
	return append(appendEscaped(append(dst, '"'), text, t.ASCII), '"')
}

// rawElement is the element that a raw text stands in.
func rawElement(t *doc.Tree, node int) atom.Atom {
	p := &t.Nodes[t.Nodes[node].Parent]
	return atom.Lookup(lowered(t.Src[p.KeyStart:p.KeyEnd]))
}

func appendEscaped(dst []byte, text string, ascii bool) []byte {
	for _, r := range text {
		switch {
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case r == '"', r == '\'', r == '\r', ascii && r >= utf8.RuneSelf:
			dst = fmt.Appendf(dst, "&#%d;", r)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// appendComment takes what ends a comment out of the text: comments have no
// escapes.
func appendComment(dst []byte, text string, ascii bool) []byte {
	dash := true
	for _, r := range text {
		switch {
		case r == '-' && dash:
			dst = append(dst, " -"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case ascii && r >= utf8.RuneSelf:
			dst = append(dst, '*')
		default:
			dst = utf8.AppendRune(dst, r)
		}
		dash = r == '-'
	}
	if dash && text != "" {
		dst = append(dst, ' ')
	}
	return dst
}

// appendRaw escapes `</`, `<!` and `<s` in a script or style sheet, and every
// `<` in the other elements with raw text.
func appendRaw(dst []byte, text string, ascii bool, in atom.Atom) []byte {
	source := in == atom.Script || in == atom.Style
	for i, r := range text {
		switch {
		case r == '<' && !source:
			dst = append(dst, "&lt;"...)
		case r == '<' && in == atom.Script && startsAny(text[i+1:], "!", "script"):
			dst = append(dst, `\u003c`...)
		case r == '<' && startsAny(text[i+1:], "/"):
			dst = append(dst, `<\`...)
		case ascii && r >= utf8.RuneSelf:
			dst = append(dst, '*')
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

func startsAny(s string, words ...string) bool {
	for _, w := range words {
		if len(s) >= len(w) && equalFold([]byte(s[:len(w)]), w) {
			return true
		}
	}
	return false
}

// decodeAttr decodes an attribute's value. Unlike in text, a reference without
// its semicolon counts only where neither `=` nor a letter or digit follows:
// `?a=1&copy=2` holds no copyright sign.
func decodeAttr(raw []byte) string {
	s := newlines(raw)
	i := strings.IndexByte(s, '&')
	if i < 0 {
		return s
	}
	var out strings.Builder
	for ; i >= 0; i = strings.IndexByte(s, '&') {
		out.WriteString(s[:i])
		n := referenceLen(s[i:])
		out.WriteString(decodeReference(s[i:i+n], s[i+n:]))
		s = s[i+n:]
	}
	out.WriteString(s)
	return out.String()
}

// referenceLen measures what could be a reference at the start of s.
func referenceLen(s string) int {
	i := 1
	if len(s) > 1 && s[1] == '#' {
		i = 2
	}
	for i < len(s) && isAlnum(s[i]) {
		i++
	}
	if i < len(s) && s[i] == ';' {
		i++
	}
	return i
}

func decodeReference(ref, rest string) string {
	text := html.UnescapeString(ref)
	switch {
	case strings.HasPrefix(ref, "&#"):
		return text
	case strings.HasSuffix(ref, ";"):
		if text == html.UnescapeString(ref[:len(ref)-1])+";" {
			return ref // only a part of the name is a reference's
		}
	case strings.HasPrefix(rest, "="), utf8.RuneCountInString(text) != 1:
		return ref
	}
	return text
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// newlines turns CR and CRLF into LF, as browsers do before they read on.
func newlines(raw []byte) string {
	if bytes.IndexByte(raw, '\r') < 0 {
		return string(raw)
	}
	s := strings.ReplaceAll(string(raw), "\r\n", "\n")
	return strings.ReplaceAll(s, "\r", "\n")
}

// attrBytes decodes an attribute's value, without a copy where there is nothing
// to decode.
func attrBytes(raw []byte) []byte {
	if bytes.IndexByte(raw, '&') < 0 && bytes.IndexByte(raw, '\r') < 0 {
		return raw
	}
	return []byte(decodeAttr(raw))
}

// lower lower-cases ASCII alone, as tokenizers do with names.
func lower(b []byte) string { return string(lowered(b)) }

// lowered is lower without a copy where there is nothing to change.
func lowered(b []byte) []byte {
	upper := func(c byte) bool { return 'A' <= c && c <= 'Z' }
	if !slices.ContainsFunc(b, upper) {
		return b
	}
	b = slices.Clone(b)
	for i, c := range b {
		if upper(c) {
			b[i] = c + 'a' - 'A'
		}
	}
	return b
}
