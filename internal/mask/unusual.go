package mask

import (
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// unusual reports whether a text has characters that can be written otherwise,
// or that nobody sees: beyond ASCII and the letters of the languages that are
// written in Latin ones.
func unusual(text string) bool {
	for i := asciiLen(text); i < len(text); i += asciiLen(text[i:]) {
		n := usual(text, i)
		if n == 0 {
			return true
		}
		i += n
	}
	return false
}

// asciiLen is how many ASCII characters a text begins with.
func asciiLen(text string) int {
	const tops, word = 0x8080808080808080, 8
	i := 0
	for i+word <= len(text) && binary.LittleEndian.Uint64([]byte(text[i:i+word]))&tops == 0 {
		i += word
	}
	for i < len(text) && text[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// usual returns the length of the usual letter beyond ASCII that stands at i, 0 for
// none.
func usual(text string, i int) int {
	c := text[i]
	if i+1 < len(text) && (c == latin || (c == latinA || c == latinB) && !joined(c, text[i+1])) {
		return 2
	}
	return 0
}

// latinA and latinB are the first bytes of U+0100 to U+017F: the letters of
// Polish, Turkish, Czech and their neighbours.
const (
	latinA = 0xc4
	latinB = 0xc5
)

// joined reports whether such a character stands for two others, or for one that
// is more common: Ĳ, ĳ, Ŀ, ŀ, ŉ, ſ.
func joined(first, second byte) bool {
	if first == latinA {
		return second == 0xb2 || second == 0xb3 || second == 0xbf
	}
	return second == 0x80 || second == 0x89 || second == 0xbf
}

// plainly writes a text as people read it: composed and compatible characters as
// one (NFKC), spaces and hyphens of every kind as the plain ones, and nothing
// invisible.
func plainly(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Pd, r):
			return '-'
		}
		return r
	}, norm.NFKC.String(text))
}
