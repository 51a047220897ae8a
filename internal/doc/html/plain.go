package html

import (
	"bytes"

	"golang.org/x/net/html/atom"
)

// The tokenizer copies every name and value, and takes most of the time that a page
// costs. Most tokens need none of it: a text, an end tag without anything behind its
// name, a start tag whose attributes are all written as name="value". No two readers
// take these in two ways, so they are scanned here; whatever else a page holds goes
// to the tokenizer. FuzzPlain holds that both make the same tree.

// plainToken takes the token at b.at where it is plain, and reports whether it was.
func (b *builder) plainToken() (bool, error) {
	if b.z != nil && b.zAt == b.at && b.odd > 0 {
		return false, nil // the tokenizer is at work
	}
	if e := b.top(); e.foreign || isRawText(e.atom) {
		return false, nil
	}
	rest := b.src[b.at:]
	switch {
	case rest[0] != '<':
		n := bytes.IndexByte(rest, '<')
		if n < 0 || n+1 == len(rest) || !beginsMarkup(rest[n+1]) {
			return false, nil
		}
		return b.took(n, b.text(rest[:n]))
	case len(rest) > 3 && rest[1] == '/':
		size := plainName(rest[2:])
		if size == 0 || 2+size == len(rest) || rest[2+size] != '>' {
			return false, nil
		}
		return b.took(3+size, b.endElement(rest[:3+size], size))
	}
	size := plainName(rest[1:])
	if size == 0 || !isPlainElement(atom.Lookup(rest[1:1+size])) {
		return false, nil
	}
	end := b.plainAttrs(rest, 1+size)
	if end == 0 {
		return false, nil
	}
	return b.took(end, b.element(rest[:end], size, rest[end-2] == '/'))
}

// took goes on behind a token of n bytes.
func (b *builder) took(n int, err error) (bool, error) {
	if err == nil {
		b.at += n
	}
	return true, err
}

// beginsMarkup reports whether a `<` before c is more than a character.
func beginsMarkup(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '/' || c == '!' || c == '?'
}

// isPlainElement reports whether what follows the element's start tag is read like
// what follows any other's.
func isPlainElement(a atom.Atom) bool {
	switch a {
	case atom.Noscript, atom.Plaintext, atom.Svg, atom.Math:
		return false
	}
	return !isRawText(a)
}

// plainName measures a name that begins with a lower-case letter and goes on with
// these, digits and hyphens.
func plainName(b []byte) int {
	for i, c := range b {
		if ('a' > c || c > 'z') && (i == 0 || ('0' > c || c > '9') && c != '-') {
			return i
		}
	}
	return len(b)
}

// mostPlain is how many attributes are compared with each other.
const mostPlain = 12

// plainAttrs puts the attributes of a start tag into b.attrs and returns where the
// tag ends, or 0 where it isn't plain: each attribute has a space before it, a name
// that none before it has, and a value in double quotes with no references in it
// but `&amp;`.
func (b *builder) plainAttrs(tag []byte, i int) int {
	b.attrs = b.attrs[:0]
	for i < len(tag) {
		from := i
		i = skipSpace(tag, i, len(tag))
		rest := tag[i:]
		switch {
		case len(rest) > 0 && rest[0] == '>':
			return i + 1
		case len(rest) > 1 && rest[0] == '/' && rest[1] == '>':
			return i + 2
		case i == from:
			return 0
		}
		size := plainName(rest)
		if size == 0 || len(b.attrs) == mostPlain || !bytes.HasPrefix(rest[size:], []byte(`="`)) || b.hasAttr(rest[:size]) {
			return 0
		}
		value := rest[size+2:]
		n := bytes.IndexByte(value, '"')
		if n < 0 || !plainValue(value[:n]) {
			return 0
		}
		at := b.at + i
		b.attrs = append(b.attrs, attribute{
			keyStart: at, keyEnd: at + size, start: at + size + 2, end: at + size + 2 + n, flags: FlagAttr | FlagDouble,
		})
		i += size + 2 + n + 1
	}
	return 0
}

func (b *builder) hasAttr(name []byte) bool {
	for i := range b.attrs {
		if bytes.Equal(b.src[b.attrs[i].keyStart:b.attrs[i].keyEnd], name) {
			return true
		}
	}
	return false
}

// plainValue reports whether every reader decodes a value alike.
func plainValue(value []byte) bool {
	if bytes.IndexByte(value, '\r') >= 0 {
		return false
	}
	for {
		i := bytes.IndexByte(value, '&')
		if i < 0 {
			return true
		}
		if value = value[i:]; !bytes.HasPrefix(value, []byte("&amp;")) {
			return false
		}
		value = value[len("&amp;"):]
	}
}
