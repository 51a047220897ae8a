package coding

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"

	"github.com/crmgate/crmgate/internal/doc"
)

// ErrCharset says that a charset is unknown here, or can't be read safely.
var ErrCharset = errors.New("charset not supported")

// Charset is a character set whose first 128 bytes are ASCII's and whose
// characters are one byte each, or UTF-8. The zero value is UTF-8.
type Charset struct {
	name  string
	table *charmap.Charmap // nil for utf-8 and us-ascii
}

const (
	nameUTF8  = "utf-8"
	nameASCII = "us-ascii"
)

// LookupCharset returns the charset of that name, with the aliases that the web
// and Python know. "" is UTF-8. Unlike browsers, ISO 8859-1 is not taken for
// windows-1252 and ASCII for neither: what is written in a document's charset
// must be read back by programs that mean what they say.
func LookupCharset(name string) (Charset, error) {
	key := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	switch key {
	case "", nameUTF8, "utf8":
		return Charset{name: nameUTF8}, nil
	case nameASCII, "ascii":
		return Charset{name: nameASCII}, nil
	case "iso-8859-1", "iso8859-1", "latin1", "latin-1", "l1":
		return Charset{name: "iso-8859-1", table: charmap.ISO8859_1}, nil
	case "iso-8859-9", "iso8859-9", "latin5", "l5":
		return Charset{name: "iso-8859-9", table: charmap.ISO8859_9}, nil
	}
	enc, err := htmlindex.Get(key)
	if err != nil {
		return Charset{}, unsupported()
	}
	table, ok := enc.(*charmap.Charmap)
	if !ok || !asciiSuperset(table) {
		return Charset{}, unsupported()
	}
	if key, err = htmlindex.Name(enc); err != nil {
		return Charset{}, unsupported()
	}
	return Charset{name: key, table: table}, nil
}

// unsupported doesn't quote the name: it may come from a stranger.
func unsupported() error {
	return fmt.Errorf("%w: use UTF-8, or a charset with one byte a character", ErrCharset)
}

func asciiSuperset(table *charmap.Charmap) bool {
	for c := range byte(utf8.RuneSelf) {
		if table.DecodeByte(c) != rune(c) {
			return false
		}
	}
	return true
}

// Name is the canonical name, in lower case.
func (c Charset) Name() string {
	if c.name == "" {
		return nameUTF8
	}
	return c.name
}

// Invalid returns the offset of the first byte that is no character of the
// charset, or -1. The control characters between 0x80 and 0x9f count as invalid:
// where they stand, another charset was meant.
func (c Charset) Invalid(src []byte) int {
	if c.table == nil && c.name != nameASCII && utf8.Valid(src) {
		return -1
	}
	for i := 0; i < len(src); {
		r, n := c.next(src[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

// next decodes the first character; utf8.RuneError of length 1 is an invalid one.
func (c Charset) next(src []byte) (rune, int) {
	switch {
	case src[0] < utf8.RuneSelf:
		return rune(src[0]), 1
	case c.name == nameASCII:
		return utf8.RuneError, 1
	case c.table == nil:
		return utf8.DecodeRune(src)
	}
	r := c.table.DecodeByte(src[0])
	if r < 0xa0 {
		return utf8.RuneError, 1
	}
	return r, 1
}

// Decode returns text in the charset as a string. Invalid bytes become U+FFFD.
func (c Charset) Decode(src []byte) string {
	if c.table == nil && c.name != nameASCII {
		return string(src)
	}
	return string(c.appendUTF8(make([]byte, 0, len(src)+len(src)/8), src))
}

func (c Charset) appendUTF8(dst, src []byte) []byte {
	for len(src) > 0 {
		r, n := c.next(src)
		dst, src = utf8.AppendRune(dst, r), src[n:]
	}
	return dst
}

// UTF8 transcodes a document. A byte that the charset doesn't have is a
// doc.SyntaxError at its offset. A UTF-8 document is returned as it is.
func (c Charset) UTF8(src []byte) ([]byte, error) {
	if i := c.Invalid(src); i >= 0 {
		return nil, &doc.SyntaxError{Format: "text", Offset: i, What: "a byte that is no character of " + c.Name()}
	}
	if c.table == nil {
		return src, nil
	}
	return c.appendUTF8(make([]byte, 0, len(src)+len(src)/8), src), nil
}

// AppendEncoded appends text in the charset. A character that the charset lacks
// becomes an asterisk.
func (c Charset) AppendEncoded(dst []byte, text string) []byte {
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
			dst = append(dst, byte(r))
		case c.table != nil:
			b, ok := c.table.EncodeRune(r)
			if !ok || r < 0xa0 {
				b = '*'
			}
			dst = append(dst, b)
		case c.name == nameASCII:
			dst = append(dst, '*')
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
