package xml

import (
	"bytes"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc/coding"
)

// scanner reads tokens. The first fault stays; pos is where it is then.
type scanner struct {
	src   []byte
	pos   int
	cs    coding.Charset
	fault string
}

func (s *scanner) fail(what string) { s.failAt(s.pos, what) }

func (s *scanner) failAt(at int, what string) {
	if s.fault == "" {
		s.pos, s.fault = at, what
	}
}

// is takes the bytes of a literal where they stand next.
func (s *scanner) is(literal string) bool {
	if s.fault == "" && s.sees(literal) {
		s.pos += len(literal)
		return true
	}
	return false
}

func (s *scanner) sees(literal string) bool {
	return len(s.src)-s.pos >= len(literal) && string(s.src[s.pos:s.pos+len(literal)]) == literal
}

// space takes white space and reports whether there is any.
func (s *scanner) space() bool {
	from := s.pos
	for s.pos < len(s.src) && classes[s.src[s.pos]]&space != 0 {
		s.pos++
	}
	return s.pos > from
}

// until takes everything up to the literal and the literal, and returns where it
// begins.
func (s *scanner) until(literal, unended string) int {
	n := bytes.Index(s.src[s.pos:], []byte(literal))
	if n < 0 {
		s.fail(unended)
		return s.pos
	}
	at := s.pos + n
	s.pos = at + len(literal)
	return at
}

// ncName takes a name without a colon.
func (s *scanner) ncName() {
	from := s.pos
	for s.pos < len(s.src) {
		c := s.src[s.pos]
		if c < utf8.RuneSelf {
			if classes[c]&namePart == 0 || s.pos == from && classes[c]&nameStart == 0 {
				break
			}
			s.pos++
			continue
		}
		n := s.nameChar(s.pos == from)
		if n == 0 {
			break
		}
		s.pos += n
	}
	if s.pos == from {
		s.fail("a name is due")
	}
}

// nameChar measures a name's next character that isn't ASCII.
func (s *scanner) nameChar(first bool) int {
	n, r := 1, rune(0)
	if isUTF8(s.cs) {
		r, n = utf8.DecodeRune(s.src[s.pos:])
	} else {
		r, _ = utf8.DecodeRuneInString(s.cs.Decode(s.src[s.pos : s.pos+1]))
	}
	start, part := nameRune(r)
	if first && !start || !part {
		return 0
	}
	return n
}

// qName is where a name with an optional prefix stands.
type qName struct{ start, local, end int }

func (q qName) prefix(src []byte) []byte {
	if q.local == q.start {
		return nil
	}
	return src[q.start : q.local-1]
}

func (s *scanner) qName() qName {
	q := qName{start: s.pos, local: s.pos}
	s.ncName()
	if s.is(":") {
		q.local = s.pos
		s.ncName()
		if s.sees(":") {
			s.fail("a name with two colons")
		}
	}
	q.end = s.pos
	return q
}

// text takes characters up to the next tag. It reports whether they are other
// than white space, and whether readers change them.
func (s *scanner) text() (some, escaped bool) {
	src := s.src
	for s.pos < len(src) && s.fault == "" {
		c := src[s.pos]
		if classes[c]&textStop == 0 {
			some = some || classes[c]&space == 0
			s.pos++
			continue
		}
		switch c {
		case '<':
			return some, escaped
		case '&':
			s.reference()
			some, escaped = true, true
		case '\r':
			escaped = true
			s.pos++
		default:
			if s.sees("]]>") {
				s.fail("]]> in a text")
				return some, escaped
			}
			some = true
			s.pos++
		}
	}
	return some, escaped
}

// reference takes a reference to a character or to one of the five entities.
func (s *scanner) reference() {
	if _, n := reference(s.src[s.pos:]); n > 0 {
		s.pos += n
		return
	}
	s.fail("a reference to an entity that isn't one of the five, or to no character")
}

// reference decodes the reference that b starts with; n is its length, 0 where
// it isn't one.
func reference(b []byte) (r rune, n int) {
	end := bytes.IndexByte(b[:min(len(b), 12)], ';')
	if end < 3 {
		return 0, 0
	}
	switch word := string(b[1:end]); word {
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "amp":
		return '&', end + 1
	case "apos":
		return '\'', end + 1
	case "quot":
		return '"', end + 1
	}
	digits, base := b[2:end], rune(10)
	if b[1] != '#' {
		return 0, 0
	}
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	for _, c := range digits {
		d := digit(c)
		if d < 0 || d >= base {
			return 0, 0
		}
		if r = r*base + d; r > utf8.MaxRune {
			return 0, 0
		}
	}
	if len(digits) == 0 || !isChar(r) {
		return 0, 0
	}
	return r, end + 1
}

func digit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}

// attribute is where one stands. kept says that its text isn't its bytes.
type attribute struct {
	name       qName
	start, end int // of the value
	escaped    bool
}

// attribute takes one behind its white space.
func (s *scanner) attribute() attribute {
	a := attribute{name: s.qName()}
	s.space()
	if !s.is("=") {
		s.fail("an attribute without a value")
		return a
	}
	s.space()
	if s.pos >= len(s.src) || s.src[s.pos] != '"' && s.src[s.pos] != '\'' {
		s.fail("an attribute's value without quotes")
		return a
	}
	quote := s.src[s.pos]
	s.pos++
	a.start = s.pos
	for s.pos < len(s.src) && s.fault == "" {
		switch c := s.src[s.pos]; {
		case c == quote:
			a.end = s.pos
			s.pos++
			return a
		case classes[c]&attrStop == 0, c == '"', c == '\'':
			s.pos++
		case c == '<':
			s.fail("< in an attribute's value")
		case c == '&':
			a.escaped = true
			s.reference()
		default:
			a.escaped = true
			s.pos++
		}
	}
	s.fail("an attribute's value without its end")
	return a
}
