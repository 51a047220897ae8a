// Package sse cuts a stream of server-sent events (text/event-stream) into events
// and writes them anew with other data. Their bytes stay, but for the data, texts of
// comments and ids that are left out.
package sse

import (
	"bytes"
	"errors"
	"regexp"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
)

// ErrTooLarge says that one event is larger than may be held.
var ErrTooLarge = errors.New("an event is larger than may be held")

// Event is a complete event, or a comment between events. What it refers to is
// valid until emit returns.
type Event struct {
	// Name is the event's name, "" for none.
	Name string
	// ID is the id that a client asks to go on from.
	ID string
	// Data is what the data lines hold, joined by line feeds; HasData tells an
	// empty one from none, and Silent says that there is neither data, name nor id.
	Data    []byte
	HasData bool
	Silent  bool

	raw   []byte
	lines []line
}

type kind uint8

const (
	blank kind = iota
	comment
	name
	id
	retry
	data
	kinds
)

// line is a line of an event: its value is [value, end), its line end [end, next).
type line struct {
	kind                    kind
	start, value, end, next int
}

// Splitter cuts a stream into events. It takes what servers write and nothing
// beyond: a line feed, with or without a carriage return, ends a line; fields that
// no client knows, an event's name or id given twice, bytes that are not UTF-8, NUL,
// and a stream that ends within an event are refused. The first error stays.
type Splitter struct {
	max     int
	buf     []byte
	from    int // where the event at hand begins
	at      int // where its line at hand begins
	scanned int
	event   Event
	seen    [kinds]bool
	offset  int
	err     error
}

// NewSplitter returns a Splitter of which no event may be larger than max bytes.
func NewSplitter(max int) *Splitter { return &Splitter{max: max} }

// Feed takes the next bytes and emits what is complete. p isn't kept. An error of
// emit ends the stream like any other.
func (s *Splitter) Feed(p []byte, emit func(*Event) error) error {
	if s.err != nil {
		return s.err
	}
	s.buf = append(s.buf, p...)
	for s.err == nil {
		n := bytes.IndexByte(s.buf[s.scanned:], '\n')
		if n < 0 {
			s.scanned = len(s.buf)
			break
		}
		end := s.scanned + n + 1
		s.err = s.line(end, emit)
		s.at, s.scanned = end, end
	}
	if s.err == nil && len(s.buf)-s.from > s.max {
		s.err = ErrTooLarge
	}
	s.compact()
	return s.err
}

// compact forgets what was emitted.
func (s *Splitter) compact() {
	n := s.from
	if n == 0 {
		return
	}
	s.buf = append(s.buf[:0], s.buf[n:]...)
	s.from, s.at, s.scanned, s.offset = 0, s.at-n, s.scanned-n, s.offset+n
	for i := range s.event.lines {
		l := &s.event.lines[i]
		l.start, l.value, l.end, l.next = l.start-n, l.value-n, l.end-n, l.next-n
	}
}

// Close takes the end of the stream.
func (s *Splitter) Close() error {
	if s.err == nil && len(s.buf) > s.from {
		s.err = s.refuse("the stream ends within an event")
	}
	return s.err
}

func (s *Splitter) refuse(what string) error {
	return &doc.SyntaxError{Format: "sse", Offset: s.offset + s.at, What: what}
}

// line reads the line [s.at, next).
func (s *Splitter) line(next int, emit func(*Event) error) error {
	l := line{start: s.at, value: s.at, end: next - 1, next: next}
	if l.end > l.start && s.buf[l.end-1] == '\r' {
		l.end--
	}
	text := s.buf[l.start:l.end]
	if bytes.IndexByte(text, '\r') >= 0 || bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) {
		return s.refuse("a lone carriage return, a NUL byte, or bytes that are not UTF-8")
	}
	if next-s.from > s.max {
		return ErrTooLarge
	}
	if err := s.field(&l, text); err != nil {
		return err
	}
	begun := len(s.event.lines) > 0
	s.event.lines = append(s.event.lines, l)
	if l.kind == blank || l.kind == comment && !begun {
		return s.emit(next, emit)
	}
	return nil
}

// field says what kind of line it is, and where its value begins.
func (s *Splitter) field(l *line, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	word, _, colon := bytes.Cut(text, []byte(":"))
	l.value = l.start + len(word)
	if colon {
		l.value++
		if l.value < l.end && s.buf[l.value] == ' ' {
			l.value++
		}
	}
	switch string(word) {
	case "":
		l.kind = comment
	case "event":
		l.kind = name
	case "id":
		l.kind = id
	case "retry":
		l.kind = retry
	case "data":
		l.kind = data
	default:
		return s.refuse("a field that no client knows")
	}
	if l.kind == retry && !isRetry(s.buf[l.value:l.end]) {
		return s.refuse("a retry that is no number")
	}
	if s.seen[l.kind] && l.kind != comment && l.kind != data {
		return s.refuse("a field that is given twice")
	}
	s.seen[l.kind] = true
	return nil
}

// isRetry is a number of milliseconds, of less than three hours.
func isRetry(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0 && len(b) < 8
}

// emit hands the event [s.from, next) on.
func (s *Splitter) emit(next int, emit func(*Event) error) error {
	e := &s.event
	e.raw = s.buf
	e.HasData, e.Silent = s.seen[data], !s.seen[data] && !s.seen[name] && !s.seen[id]
	joined := false
	for _, l := range e.lines {
		value := s.buf[l.value:l.end]
		switch l.kind {
		case name:
			e.Name = string(value)
		case id:
			e.ID = string(value)
		case data:
			if joined {
				e.Data = append(e.Data, '\n')
			}
			e.Data, joined = append(e.Data, value...), true
		}
	}
	err := emit(e)
	s.event = Event{lines: e.lines[:0], Data: e.Data[:0]}
	s.seen = [kinds]bool{}
	s.from = next
	return err
}

// Append appends the event with other data, and with its id or without. With its
// own data it is what it was. A comment keeps its blanks alone: it could hold
// anything, and clients don't look at it.
func (e *Event) Append(dst, with []byte, keepID bool) []byte {
	lines := bytes.Split(with, []byte("\n"))
	same, first := len(lines) == e.count(data), true
	for _, l := range e.lines {
		switch {
		case l.kind == comment:
			dst = append(dst, e.raw[l.start:l.start+1]...)
			dst = append(dst, onlyBlanks(e.raw[l.start+1:l.end])...)
			dst = append(dst, e.raw[l.end:l.next]...)
		case l.kind == id && !keepID:
		case l.kind == data && same:
			dst, lines = e.appendData(dst, l, lines[0]), lines[1:]
		case l.kind == data && first:
			for _, text := range lines {
				dst = e.appendData(dst, l, text)
			}
		case l.kind == data:
		default:
			dst = append(dst, e.raw[l.start:l.next]...)
		}
		first = first && l.kind != data
	}
	return dst
}

func (e *Event) count(k kind) int {
	n := 0
	for _, l := range e.lines {
		if l.kind == k {
			n++
		}
	}
	return n
}

// appendData writes a data line in the style of l.
func (e *Event) appendData(dst []byte, l line, text []byte) []byte {
	dst = append(dst, e.raw[l.start:l.value]...)
	if bare := e.raw[l.value-1] != ':' && e.raw[l.value-1] != ' '; bare && len(text) > 0 {
		dst = append(dst, ':', ' ')
	}
	dst = append(dst, text...)
	return append(dst, e.raw[l.end:l.next]...)
}

func onlyBlanks(b []byte) []byte {
	if len(bytes.Trim(b, " ")) > 0 {
		return nil
	}
	return b
}

var plainID = regexp.MustCompile(`^(?:[0-9]{1,20}(?:[-:.][0-9]{1,20})?|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$`)

// PlainID reports whether an id is a number, or two, or a UUID: nothing that could
// hold more.
func PlainID(id string) bool { return plainID.MatchString(id) }
