package stack

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"html"
	"index/suffixarray"
	"io"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// Reading is every text that a reader could make out of some bytes: JSON and
// markup escapes, base64, packed files, and the charsets that a CRM may write.
type Reading struct {
	text *suffixarray.Index // blanks of every kind are one space
	bare *suffixarray.Index // without the signs that people write in numbers
}

// Read makes a Reading of the parts of one answer.
func Read(parts ...[]byte) *Reading {
	var r reader
	for _, p := range parts {
		r.add(p, 0)
	}
	text := visible(r.out.String())
	return &Reading{
		text: suffixarray.New([]byte(strings.Join(strings.Fields(text), " "))),
		bare: suffixarray.New([]byte(bare(text))),
	}
}

// Holds reports whether a value can be read, in whatever notation.
func (r *Reading) Holds(value string) bool {
	value = strings.Join(strings.Fields(visible(value)), " ")
	if len(r.text.Lookup([]byte(value), 1)) > 0 {
		return true
	}
	b := bare(value)
	return isNumber.MatchString(b) && len(r.bare.Lookup([]byte(b), 1)) > 0
}

// visible is a text as it looks, without what nobody sees in it.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, norm.NFKC.String(s))
}

// isNumber is what telephone numbers, IBANs and tax ids look like without the
// signs between their digits.
var isNumber = regexp.MustCompile(`^[A-Z]{0,3}\d{7,}$`)

func bare(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || strings.ContainsRune("+-/().\u2011\u2013\u00ad\u200b", c) {
			return -1
		}
		return c
	}, s)
}

type reader struct{ out strings.Builder }

const maxNesting = 6

func (r *reader) say(s string) {
	r.out.WriteString(s)
	r.out.WriteByte('\n')
}

func (r *reader) add(b []byte, depth int) {
	if depth > maxNesting || len(b) == 0 {
		return
	}
	r.charsets(b)
	s := string(b)
	if un := html.UnescapeString(s); un != s {
		r.say(un)
	}
	if un, err := url.QueryUnescape(s); err == nil && strings.Contains(s, "%") {
		r.say(un)
	}
	if strings.Contains(s, "+A") { // how UTF-7 writes any letter of Europe
		r.say(utf7(s))
	}
	r.packed(b, depth)
	r.json(b, depth)
	r.base64(b, depth)
}

func (r *reader) charsets(b []byte) {
	r.say(string(b))
	if latin, err := charmap.Windows1252.NewDecoder().Bytes(b); err == nil && !utf8.Valid(b) {
		r.say(string(latin))
	}
	if !bytes.ContainsRune(b, 0) {
		return
	}
	for _, swap := range []int{0, 1} {
		units := make([]uint16, 0, len(b)/2)
		for i := 0; i+1 < len(b); i += 2 {
			units = append(units, uint16(b[i+swap])|uint16(b[i+1-swap])<<8)
		}
		r.say(string(utf16.Decode(units)))
	}
}

func (r *reader) packed(b []byte, depth int) {
	if zr, err := gzip.NewReader(bytes.NewReader(b)); err == nil {
		if un, err := io.ReadAll(zr); err == nil {
			r.add(un, depth+1)
		}
	}
	zr, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return
	}
	for _, f := range zr.File {
		r.say(f.Name)
		rc, err := f.Open()
		if err != nil {
			continue
		}
		if un, err := io.ReadAll(rc); err == nil {
			r.add(un, depth+1)
		}
		rc.Close()
	}
}

func (r *reader) json(b []byte, depth int) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if d.Decode(&v) == nil {
		r.value(v, depth)
	}
}

func (r *reader) value(v any, depth int) {
	switch v := v.(type) {
	case string:
		r.say(v)
		r.base64([]byte(v), depth)
		if strings.HasPrefix(v, "[") || strings.HasPrefix(v, "{") {
			r.json([]byte(v), depth+1)
		}
	case json.Number:
		r.say(v.String())
	case []any:
		for _, e := range v {
			r.value(e, depth)
		}
	case map[string]any:
		for k, e := range v {
			r.say(k)
			r.value(e, depth)
		}
	}
}

var isBase64 = regexp.MustCompile(`^[A-Za-z0-9+/=\s_-]{16,}$`)

func (r *reader) base64(b []byte, depth int) {
	if !isBase64.Match(b) {
		return
	}
	s := strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) {
			return -1
		}
		return c
	}, string(b))
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if un, err := enc.DecodeString(s); err == nil {
			r.add(un, depth+1)
			return
		}
	}
}

var utf7Run = regexp.MustCompile(`\+[A-Za-z0-9/]+-?`)

// utf7 undoes RFC 2152: Python's CSV writer offers it.
func utf7(s string) string {
	return utf7Run.ReplaceAllStringFunc(s, func(run string) string {
		b, err := base64.RawStdEncoding.DecodeString(strings.Trim(run, "+-"))
		if err != nil {
			return run
		}
		units := make([]uint16, 0, len(b)/2)
		for i := 0; i+1 < len(b); i += 2 {
			units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
		}
		return string(utf16.Decode(units))
	})
}
