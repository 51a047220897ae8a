package xml

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc/coding"
)

// Classes of bytes. All bytes from 0x80 on may begin or continue a name's
// character; nameRune tells.
const (
	nameStart uint8 = 1 << iota
	namePart
	space
	// textStop are the bytes at which the scan of a text stops.
	textStop
	// attrStop are those at which the scan of an attribute's value stops.
	attrStop
)

var classes = [256]uint8{
	'\t': space | attrStop, '\n': space | attrStop, '\r': space | textStop | attrStop, ' ': space,
	'<': textStop | attrStop, '&': textStop | attrStop, ']': textStop, '"': attrStop, '\'': attrStop,
	'_': nameStart | namePart, '-': namePart, '.': namePart,
	'0': namePart, '1': namePart, '2': namePart, '3': namePart, '4': namePart,
	'5': namePart, '6': namePart, '7': namePart, '8': namePart, '9': namePart,
	'A': nameStart | namePart, 'B': nameStart | namePart, 'C': nameStart | namePart, 'D': nameStart | namePart,
	'E': nameStart | namePart, 'F': nameStart | namePart, 'G': nameStart | namePart, 'H': nameStart | namePart,
	'I': nameStart | namePart, 'J': nameStart | namePart, 'K': nameStart | namePart, 'L': nameStart | namePart,
	'M': nameStart | namePart, 'N': nameStart | namePart, 'O': nameStart | namePart, 'P': nameStart | namePart,
	'Q': nameStart | namePart, 'R': nameStart | namePart, 'S': nameStart | namePart, 'T': nameStart | namePart,
	'U': nameStart | namePart, 'V': nameStart | namePart, 'W': nameStart | namePart, 'X': nameStart | namePart,
	'Y': nameStart | namePart, 'Z': nameStart | namePart,
	'a': nameStart | namePart, 'b': nameStart | namePart, 'c': nameStart | namePart, 'd': nameStart | namePart,
	'e': nameStart | namePart, 'f': nameStart | namePart, 'g': nameStart | namePart, 'h': nameStart | namePart,
	'i': nameStart | namePart, 'j': nameStart | namePart, 'k': nameStart | namePart, 'l': nameStart | namePart,
	'm': nameStart | namePart, 'n': nameStart | namePart, 'o': nameStart | namePart, 'p': nameStart | namePart,
	'q': nameStart | namePart, 'r': nameStart | namePart, 's': nameStart | namePart, 't': nameStart | namePart,
	'u': nameStart | namePart, 'v': nameStart | namePart, 'w': nameStart | namePart, 'x': nameStart | namePart,
	'y': nameStart | namePart, 'z': nameStart | namePart,
}

// nameRune reports whether a character that isn't ASCII may stand in a name
// (XML 1.0, fifth edition), and at its start.
func nameRune(r rune) (start, part bool) {
	switch {
	case r >= 0xc0 && r <= 0x2ff && r != 0xd7 && r != 0xf7, r >= 0x370 && r <= 0x1fff && r != 0x37e,
		r == 0x200c, r == 0x200d, r >= 0x2070 && r <= 0x218f, r >= 0x2c00 && r <= 0x2fef,
		r >= 0x3001 && r <= 0xd7ff, r >= 0xf900 && r <= 0xfdcf, r >= 0xfdf0 && r <= 0xfffd, r >= 0x10000 && r <= 0xeffff:
		return true, true
	case r == 0xb7, r >= 0x300 && r <= 0x36f, r == 0x203f, r == 0x2040:
		return false, true
	}
	return false, false
}

// isChar reports whether XML 1.0 has the character.
func isChar(r rune) bool {
	switch {
	case r < ' ':
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xd800:
		return true
	case r < 0xe000:
		return false
	case r == 0xfffe || r == 0xffff:
		return false
	}
	return r <= utf8.MaxRune
}

const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// badChar returns the offset of the first byte that is no character of the
// charset or of XML, or -1, and whether all bytes are ASCII.
func badChar(src []byte, cs coding.Charset) (at int, ascii bool) {
	high := uint64(0)
	i := 0
	for ; i+8 <= len(src); i += 8 {
		w := binary.LittleEndian.Uint64(src[i:])
		high |= w & tops
		if (w-' '*ones)&^w&tops == 0 {
			continue
		}
		for j, c := range src[i : i+8] {
			if c < ' ' && classes[c]&space == 0 {
				return i + j, false
			}
		}
	}
	for ; i < len(src); i++ {
		high |= uint64(src[i]) & tops
		if c := src[i]; c < ' ' && classes[c]&space == 0 {
			return i, false
		}
	}
	if high == 0 {
		return -1, true
	}
	if at := cs.Invalid(src); at >= 0 {
		return at, false
	}
	if !isUTF8(cs) {
		return -1, false
	}
	return nonCharacter(src), false
}

// nonCharacter returns the offset of U+FFFE or U+FFFF in UTF-8, or -1.
func nonCharacter(src []byte) int {
	for i := 0; ; i++ {
		n := bytes.Index(src[i:], []byte("\xef\xbf"))
		if n < 0 {
			return -1
		}
		i += n
		if src[i+2] >= 0xbe {
			return i
		}
	}
}
