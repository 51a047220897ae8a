package json

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// between takes one byte between tokens.
func (s *Splitter) between(p []byte) int {
	c := p[0]
	switch c {
	case ' ', '\t', '\r', '\n':
		s.frame = append(s.frame, c)
		return 1
	}
	switch s.due {
	case dueKey, dueKeyOrEnd:
		s.keyDue(c)
	case dueColon:
		s.take(c, c == ':', dueValue, "a colon is due")
	case dueComma:
		s.commaDue(c)
	case dueValue, dueValueOrEnd:
		s.valueDue(c)
	default:
		s.fail("bytes behind the value")
	}
	if s.role != noToken {
		return 0 // the token's own bytes are taken by its scanner
	}
	return 1
}

// take accepts the byte c into the frame.
func (s *Splitter) take(c byte, ok bool, next due, fault string) {
	if !ok {
		s.fail(fault)
		return
	}
	s.frame = append(s.frame, c)
	s.due = next
}

func (s *Splitter) top() *level {
	if len(s.levels) == 0 {
		return nil
	}
	return &s.levels[len(s.levels)-1]
}

func (s *Splitter) keyDue(c byte) {
	switch {
	case c == '"':
		s.begin(keyToken, c)
	case c == '}' && s.due == dueKeyOrEnd:
		s.close(c)
	default:
		s.fail("a member name is due")
	}
}

func (s *Splitter) commaDue(c byte) {
	top := s.top()
	switch {
	case c == ',' && top.object:
		s.take(c, true, dueKey, "")
	case c == ',':
		s.take(c, true, dueValue, "")
	case c == '}' && top.object, c == ']' && !top.object:
		s.close(c)
	default:
		s.fail("a comma or a closing bracket is due")
	}
}

func (s *Splitter) valueDue(c byte) {
	top := s.top()
	if c == ']' && s.due == dueValueOrEnd {
		s.close(c)
		return
	}
	if top != nil && top.records {
		s.begin(recordToken, c)
		return
	}
	s.values++
	if s.values > s.lim.Nodes {
		s.fail("too many values")
		return
	}
	if c != '{' && c != '[' {
		s.begin(valueToken, c)
		return
	}
	if len(s.levels) >= s.lim.Depth {
		s.fail("nested too deeply")
		return
	}
	l := level{object: c == '{', matched: s.matched(top)}
	if l.object {
		l.keys = map[string]bool{}
	} else {
		l.records, l.matched = l.matched == len(s.path), -1
	}
	s.levels = append(s.levels, l)
	s.take(c, true, dueValueOrEnd, "")
	if l.object {
		s.due = dueKeyOrEnd
	}
}

// matched is how much of the path leads to the value that is due.
func (s *Splitter) matched(top *level) int {
	switch {
	case top == nil:
		return 0
	case top.object && top.matched >= 0 && top.matched < len(s.path) && top.key == s.path[top.matched]:
		return top.matched + 1
	}
	return -1
}

func (s *Splitter) close(c byte) {
	s.levels = s.levels[:len(s.levels)-1]
	s.take(c, true, dueComma, "")
	s.ended()
}

// ended settles what is due behind a value.
func (s *Splitter) ended() {
	s.due = dueComma
	if len(s.levels) == 0 {
		s.due = dueNothing
	}
}

func (s *Splitter) begin(r role, c byte) {
	s.role = r
	s.token = s.token[:0]
	s.scan = newTokenScan(c)
}

// tokenBytes gives bytes to the token at hand.
func (s *Splitter) tokenBytes(p []byte, emit func(Unit) error) int {
	n := s.scan.take(p)
	if len(s.token)+n > s.max {
		s.tooLarge()
		return n
	}
	raw := p[:n]
	done := s.scan.closed(n < len(p))
	if !done || len(s.token) > 0 {
		s.token = append(s.token, raw...)
		raw = s.token
	}
	if done {
		s.finish(raw, emit)
	}
	return n
}

// finish takes a complete token.
func (s *Splitter) finish(raw []byte, emit func(Unit) error) {
	r := s.role
	s.role = noToken
	switch r {
	case recordToken:
		s.record(raw, emit)
		s.ended()
	case keyToken:
		s.name(raw)
	case valueToken:
		s.value(raw, emit)
		s.ended()
	}
}

func (s *Splitter) name(raw []byte) {
	t := s.parse(raw)
	if t == nil {
		return
	}
	defer Release(t)
	top := s.top()
	top.key = t.Text(doc.Root)
	s.names += len(raw)
	switch {
	case top.keys[top.key]:
		s.fail("member name occurs twice")
		return
	case s.names > s.max:
		s.tooLarge()
		return
	}
	top.keys[top.key] = true
	s.frame = append(s.frame, raw...)
	s.due = dueColon
}

func (s *Splitter) value(raw []byte, emit func(Unit) error) {
	t := s.parse(raw)
	if t == nil {
		return
	}
	defer Release(t)
	if k := t.Nodes[doc.Root].Kind; k != doc.String && k != doc.Number {
		s.frame = append(s.frame, raw...)
		return
	}
	s.emit(Unit{Value: true, Path: s.here(), Tree: t, Raw: raw}, emit)
}

// here is the path of the value at hand.
func (s *Splitter) here() string {
	var b strings.Builder
	b.WriteByte('$')
	for i := range s.levels {
		if s.levels[i].object {
			b.WriteByte('.')
			b.WriteString(s.levels[i].key)
		} else {
			b.WriteString("[]")
		}
	}
	return b.String()
}

// tokenScan finds the end of a token that comes in pieces. It looks for
// brackets and quotes only; Parse judges the rest.
type tokenScan struct {
	first            byte
	depth            int
	inString, escape bool
	done             bool
}

func newTokenScan(first byte) tokenScan { return tokenScan{first: first} }

// take returns how many bytes of p belong to the token.
func (t *tokenScan) take(p []byte) int {
	for i := 0; i < len(p); i++ {
		c := p[i]
		switch {
		case t.escape:
			t.escape = false
		case t.inString:
			i += plainString(p[i:])
			if i == len(p) {
				return i
			}
			t.escape = p[i] == '\\'
			t.inString = p[i] != '"'
			t.done = !t.inString && t.depth == 0
		case t.first != '"' && t.first != '{' && t.first != '[':
			if endsPlain(c) {
				t.done = true
				return i
			}
		case c == '"':
			t.inString = true
		case c == '{' || c == '[':
			t.depth++
		case c == '}' || c == ']':
			t.depth--
			t.done = t.depth == 0
		}
		if t.done {
			return i + 1
		}
	}
	return len(p)
}

// endsPlain reports whether a number or a literal ends before c.
func endsPlain(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ':', ']', '}', '[', '{', '"':
		return true
	}
	return false
}

// plainString is the length of what neither ends a string nor escapes.
func plainString(p []byte) int {
	i := 0
	for i+wordBytes <= len(p) {
		if m := special(binary.LittleEndian.Uint64(p[i:])); m != 0 {
			i += bits.TrailingZeros64(m) / 8
			break
		}
		i += wordBytes
	}
	for i < len(p) && p[i] != '"' && p[i] != '\\' {
		i++
	}
	return i
}

// closed reports whether the token is complete. A number or a literal ends with
// the byte behind it, or with the document.
func (t *tokenScan) closed(end bool) bool {
	return t.done || end && t.first != '"' && t.first != '{' && t.first != '['
}
