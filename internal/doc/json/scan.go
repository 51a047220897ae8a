package json

import (
	"encoding/binary"
	"math/bits"

	"github.com/crmgate/crmgate/internal/doc"
)

// scanner reads tokens. The first fault stays; pos is where it is then.
type scanner struct {
	src   []byte
	pos   int
	fault string
	// high gathers the top bits of the strings' bytes: zero means ASCII.
	high uint64
}

func (s *scanner) fail(what string) {
	if s.fault == "" {
		s.fault = what
	}
}

// is takes the byte c where it stands next.
func (s *scanner) is(c byte) bool {
	if s.fault == "" && s.pos < len(s.src) && s.src[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) space() {
	src, i := s.src, s.pos
	for i < len(src) && src[i] <= ' ' {
		switch src[i] {
		case ' ', '\n', '\r', '\t':
			i++
			continue
		}
		break
	}
	s.pos = i
}

// Patterns for looking at eight bytes at once.
const (
	ones      = 0x0101010101010101
	tops      = 0x8080808080808080
	quotes    = '"' * ones
	slashes   = '\\' * ones
	blanks    = ' ' * ones
	wordBytes = 8
)

// special marks, in the top bit of each byte, quotes, backslashes and control
// characters. Marks above the lowest one may be wrong.
func special(w uint64) uint64 {
	q, b := w^quotes, w^slashes
	return ((q-ones)&^q | (b-ones)&^b | (w-blanks)&^w) & tops
}

// str takes a string that starts at pos and reports whether it holds escapes.
func (s *scanner) str() (escaped bool) {
	src, i, high := s.src, s.pos+1, uint64(0)
	for {
		for i+wordBytes <= len(src) {
			w := binary.LittleEndian.Uint64(src[i:])
			if m := special(w); m != 0 {
				n := bits.TrailingZeros64(m) / 8
				high |= w & (1<<(8*n) - 1)
				i += n
				break
			}
			high |= w
			i += wordBytes
		}
		for i < len(src) && src[i] != '"' && src[i] != '\\' && src[i] >= ' ' {
			high |= uint64(src[i])
			i++
		}
		s.pos = i
		if i >= len(src) {
			s.fail("ends within a string")
			break
		}
		if src[i] == '"' {
			s.pos++
			break
		}
		if src[i] != '\\' {
			s.fail("control character in a string")
			break
		}
		escaped = true
		n := s.escape(src[i:])
		if n == 0 {
			break
		}
		i += n
	}
	s.high |= high & tops
	return escaped
}

// escape returns the length of the escape that b starts with, a surrogate pair
// being one.
func (s *scanner) escape(b []byte) int {
	if len(b) < 2 {
		s.fail("ends within a string")
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
	default:
		s.fail("unknown escape")
		return 0
	}
	r := hex4(b)
	switch {
	case r < 0:
		s.fail("incomplete \\u escape")
		return 0
	case r < 0xd800 || r > 0xdfff:
		return 6
	}
	if low := hex4(b[6:]); r > 0xdbff || low < 0xdc00 || low > 0xdfff {
		s.fail("lone surrogate")
		return 0
	}
	return 12
}

// hex4 decodes the \uXXXX that b starts with, -1 where it starts with none.
func hex4(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	r := rune(0)
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// plain takes a number or a literal that starts with c.
func (s *scanner) plain(c byte) doc.Kind {
	switch c {
	case 't':
		s.word("true")
		return doc.Bool
	case 'f':
		s.word("false")
		return doc.Bool
	case 'n':
		s.word("null")
		return doc.Null
	}
	n := numberLen(s.src[s.pos:])
	if n == 0 {
		s.fail("not a value")
	}
	s.pos += n
	if s.pos < len(s.src) && numberByte(s.src[s.pos]) {
		s.fail("malformed number")
	}
	return doc.Number
}

func (s *scanner) word(w string) {
	if len(s.src)-s.pos < len(w) || string(s.src[s.pos:s.pos+len(w)]) != w {
		s.fail("not a value")
		return
	}
	s.pos += len(w)
}

func numberByte(c byte) bool {
	return '0' <= c && c <= '9' || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E'
}

// numberLen is the length of the longest number that b starts with, 0 where it
// starts with none.
func numberLen(b []byte) int {
	i := 0
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch n := digits(b[i:]); {
	case n == 0:
		return 0
	case b[i] == '0':
		i++
	default:
		i += n
	}
	if i < len(b) && b[i] == '.' {
		n := digits(b[i+1:])
		if n == 0 {
			return i
		}
		i += 1 + n
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		j := i + 1
		if j < len(b) && (b[j] == '+' || b[j] == '-') {
			j++
		}
		if n := digits(b[j:]); n > 0 {
			i = j + n
		}
	}
	return i
}

func digits(b []byte) int {
	for i, c := range b {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(b)
}
