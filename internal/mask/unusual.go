package mask

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// unusual reports whether a text has characters that can be written otherwise,
// or that nobody sees: beyond ASCII and the letters of western languages.
func unusual(text string) bool {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c < utf8.RuneSelf:
		case c == latin && i+1 < len(text):
			i++
		default:
			return true
		}
	}
	return false
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
