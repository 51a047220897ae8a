package mask

import (
	"unicode"
	"unicode/utf8"
)

// foldByte maps ASCII to what counts as equal in a search: letters without case;
// the characters for space, since a query writes + and a slug - for it; and the
// two alphabets of base64.
func foldByte(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case 'a' <= c && c <= 'z':
		return c
	}
	switch c {
	case '\t', '\n', '\r', '+', '-':
		return ' '
	case '_':
		return '/'
	}
	return c
}

// fold appends the text as it is compared. Each character keeps its length in
// bytes, so that places in the folded text are places in the text.
func fold(dst []byte, text string) []byte {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			dst = append(dst, foldByte(c))
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if l := unicode.ToLower(r); l != r && utf8.RuneLen(l) == n {
			dst = utf8.AppendRune(dst, l)
		} else {
			dst = append(dst, text[i:i+n]...)
		}
		i += n
	}
	return dst
}
