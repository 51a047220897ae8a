// Package form reads what browsers send for forms, and the queries of URLs, as a
// tree of values with offsets into the bytes: an Object with one String member
// per field, in order. A name may occur more than once; callers judge that.
package form

import (
	"bytes"
	"fmt"
	"math"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
)

// FlagBare is a name without `=`.
const FlagBare uint8 = 1

const name = "form"

// Parse reads an application/x-www-form-urlencoded body or a URL's query (without
// the question mark). Between two `&` there may be nothing.
//
// Refused with a doc.SyntaxError: an escape without two hexadecimal digits, NUL,
// `;`, spaces and control characters that are not escaped, names and values that
// are not UTF-8, a value without a name, and what exceeds lim.
func Parse(src []byte, lim doc.Limits) (*doc.Tree, error) {
	if len(src) > math.MaxInt32 {
		return nil, refuse(0, "longer than 2 GiB")
	}
	nodes := make([]doc.Node, 1, 2+bytes.Count(src, []byte("&")))
	nodes[0] = doc.Node{Kind: doc.Object, End: int32(len(src)), Parent: -1}
	for at := 0; at < len(src); {
		end := len(src)
		if i := bytes.IndexByte(src[at:], '&'); i >= 0 {
			end = at + i
		}
		if end > at {
			n, err := member(src, at, end)
			if err != nil {
				return nil, err
			}
			if len(nodes) >= lim.Nodes {
				return nil, refuse(at, fmt.Sprintf("more than %d values", lim.Nodes))
			}
			n.Next = int32(len(nodes)) + 1
			nodes = append(nodes, n)
		}
		at = end + 1
	}
	nodes[0].Next = int32(len(nodes))
	return &doc.Tree{Src: src, Nodes: nodes, Format: format{}, ASCII: true}, nil
}

// member reads src[at:end], a name with or without a value.
func member(src []byte, at, end int) (doc.Node, error) {
	n := doc.Node{Kind: doc.String, KeyStart: int32(at), KeyEnd: int32(end), Start: int32(end), End: int32(end)}
	if i := bytes.IndexByte(src[at:end], '='); i >= 0 {
		n.KeyEnd, n.Start = int32(at+i), int32(at+i+1)
	} else {
		n.Flags = FlagBare
	}
	if n.KeyStart == n.KeyEnd {
		return n, refuse(at, "a value without a name")
	}
	if err := check(src, n.KeyStart, n.KeyEnd); err != nil {
		return n, err
	}
	return n, check(src, n.Start, n.End)
}

// check holds that a name or value decodes in one way alone.
func check(src []byte, start, end int32) error {
	plain := true
	for i := int(start); i < int(end); i++ {
		switch c := src[i]; {
		case c == 0:
			return refuse(i, "a NUL byte")
		case c == ';':
			return refuse(i, "a semicolon: some programs divide there")
		case c <= ' ', c == 0x7f:
			return refuse(i, "a space or control character that is not escaped")
		case c >= utf8.RuneSelf:
			plain = false
		case c == '%':
			if i+2 >= int(end) || !isHex(src[i+1]) || !isHex(src[i+2]) {
				return refuse(i, "an escape without two hexadecimal digits")
			}
			if src[i+1] == '0' && src[i+2] == '0' {
				return refuse(i, "a NUL byte")
			}
			plain = plain && src[i+1] < '8'
		}
	}
	if !plain && !utf8.ValidString(decode(src[start:end])) {
		return refuse(int(start), "not UTF-8")
	}
	return nil
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// decode decodes what check has accepted.
func decode(raw []byte) string {
	s, err := url.QueryUnescape(string(raw))
	if err != nil {
		return "\xff" // check has seen to it that this can't be; not UTF-8 either way
	}
	return s
}

func refuse(at int, what string) error {
	return &doc.SyntaxError{Format: name, Offset: at, What: what}
}

// format is a form's side of a doc.Tree.
type format struct{}

// Name is "form".
func (format) Name() string { return name }

// Text decodes a value.
func (format) Text(t *doc.Tree, node int) string { return decode(t.Raw(node)) }

// Key decodes a name.
func (format) Key(t *doc.Tree, node int) string {
	n := &t.Nodes[node]
	return decode(t.Src[n.KeyStart:n.KeyEnd])
}

// Takes reports whether a text can stand in a form as it is.
func (format) Takes(text string) bool { return clean(text) == text }

// Encode escapes v. A name without a value gets its `=`.
func (format) Encode(dst []byte, t *doc.Tree, node int, v doc.Value) []byte {
	if t.Nodes[node].Flags&FlagBare != 0 {
		dst = append(dst, '=')
	}
	if v.Kind == doc.Null {
		return dst
	}
	return appendEscaped(dst, v.Text)
}

// EncodeKey escapes a name.
func (format) EncodeKey(dst []byte, _ *doc.Tree, _ int, key string) []byte {
	return appendEscaped(dst, key)
}

func appendEscaped(dst []byte, text string) []byte {
	return append(dst, url.QueryEscape(clean(text))...)
}

// clean takes out of a text what no form can hold.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
