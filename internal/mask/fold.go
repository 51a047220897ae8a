package mask

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// foldASCII is what each ASCII character counts as in a search: letters are
// without case; tabs, line ends, + and - are spaces, since a query writes + and a
// slug - for one; _ is /, since base64 has two alphabets.
const foldASCII = "\x00\x01\x02\x03\x04\x05\x06\x07\x08  \x0b\x0c \x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f" +
	" !\"#$%&'()* , ./0123456789:;<=>?@abcdefghijklmnopqrstuvwxyz[\\]^/`abcdefghijklmnopqrstuvwxyz{|}~\x7f"

// fold appends the text as it is compared. Each character keeps its length in
// bytes, so that places in the folded text are places in the text.
func fold(dst []byte, text string) []byte {
	from := len(dst)
	dst = slices.Grow(dst, len(text))[:from+len(text)]
	out := dst[from:]
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			out[i] = foldASCII[c]
			i++
			continue
		}
		if c == latin && i+1 < len(text) && text[i+1]&0xc0 == 0x80 {
			out[i], out[i+1] = c, lowerLatin(text[i+1])
			i += 2
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if l := unicode.ToLower(r); l != r && utf8.RuneLen(l) == n {
			utf8.EncodeRune(out[i:], l)
		} else {
			copy(out[i:], text[i:i+n])
		}
		i += n
	}
	return dst
}

// latin is the first byte of U+00C0 to U+00FF: most of what isn't ASCII in the
// languages west of the Oder.
const latin = 0xc3

// lowerLatin is the second byte of such a letter without case. U+00D7 is ×.
func lowerLatin(c byte) byte {
	if c <= 0x9e && c != 0x97 {
		return c + 0x20
	}
	return c
}

// lowerBeyond is the second byte of a letter that begins with latinA or latinB
// without case, and false where the first byte changes, too, or the letter can be
// written otherwise.
func lowerBeyond(first, c byte) (byte, bool) {
	if c&0xc0 != 0x80 || joined(first, c) {
		return 0, false
	}
	r := rune(first&0x1f)<<6 | rune(c&0x3f)
	l := unicode.ToLower(r)
	switch {
	case utf8.RuneLen(l) != 2:
		return c, true
	case l>>6 != r>>6:
		return 0, false
	}
	return 0x80 | byte(l&0x3f), true
}
