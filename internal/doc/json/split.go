package json

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// Lines is the place of the records in a body of one JSON value per line.
const Lines = "lines"

// ErrTooLarge says that one record, or one value beside the records, is larger
// than may be held.
var ErrTooLarge = errors.New("larger than may be held")

// Unit is a piece of a streamed document. The pieces in a row are the document.
// What a Unit refers to is valid until emit returns.
type Unit struct {
	// Record says that the piece is one complete record: an element of the
	// array, or a line's value.
	Record bool
	// Value says that it is a string or a number beside the records.
	Value bool
	// Path leads to a Value: "$.meta.user", "$.links[]".
	Path string
	// Tree is the piece's own tree, for a Record and a Value.
	Tree *doc.Tree
	Raw  []byte
}

// Splitter cuts a streamed document into records and what lies between. It is
// as strict as Parse: everything that was emitted belongs to a valid document
// so far, and of a broken record nothing is emitted. The first error stays.
type Splitter struct {
	path  []string
	lines bool
	lim   doc.Limits
	max   int

	levels []level
	due    due
	// role and token are the token at hand; scan is where its scanner stands.
	role  role
	token []byte
	scan  tokenScan
	// frame are accepted bytes that weren't emitted yet.
	frame []byte
	// offset counts the bytes taken, values and names those beside the records.
	offset, values, names int
	err                   error
}

// level is an open container beside the records, or the array that holds them.
type level struct {
	object bool
	// records says that the elements are records.
	records bool
	// matched is how much of the path leads here, -1 for a way aside.
	matched int
	key     string
	keys    map[string]bool
}

// due is what may come next.
type due uint8

const (
	dueValue due = iota
	dueValueOrEnd
	dueKey
	dueKeyOrEnd
	dueColon
	dueComma
	dueNothing
)

// role is what the token at hand is for.
type role uint8

const (
	noToken role = iota
	keyToken
	valueToken
	recordToken
)

// NewSplitter returns a Splitter for records at that place: "$" for the
// elements of the document itself, "$.data.items" for those of a member's, or
// Lines. No record may be larger than max bytes; lim bounds each record, and all
// that stands beside the records together.
func NewSplitter(at string, lim doc.Limits, max int) (*Splitter, error) {
	s := &Splitter{lim: lim, max: max}
	if at == Lines {
		s.lines = true
		return s, nil
	}
	root, path, deeper := strings.Cut(at, ".")
	if deeper {
		s.path = strings.Split(path, ".")
	}
	if root != "$" || slices.Contains(s.path, "") {
		return nil, fmt.Errorf("records at %q: want $, $.member.member or %s", at, Lines)
	}
	return s, nil
}

// Feed takes the next bytes and emits what is complete. p isn't kept. An error
// of emit ends the stream like any other.
func (s *Splitter) Feed(p []byte, emit func(Unit) error) error {
	for len(p) > 0 && s.err == nil {
		n := 0
		switch {
		case s.lines:
			n = s.line(p, emit)
		case s.role != noToken:
			n = s.tokenBytes(p, emit)
		default:
			n = s.between(p)
		}
		p = p[n:]
		s.offset += n
	}
	s.flush(emit)
	return s.err
}

// Close takes the end of the document.
func (s *Splitter) Close(emit func(Unit) error) error {
	switch {
	case s.err != nil:
		return s.err
	case s.lines:
		s.lineEnd(s.token, emit)
		s.token = nil
	case s.role != noToken && s.scan.closed(true):
		s.finish(s.token, emit)
	}
	if s.err == nil && !s.lines && s.due != dueNothing {
		s.fail("ends early")
	}
	s.flush(emit)
	if s.err == nil {
		s.err = errClosed
		return nil
	}
	return s.err
}

var errClosed = errors.New("bytes behind the end of the stream")

func (s *Splitter) fail(what string) {
	if s.err == nil {
		s.err = &doc.SyntaxError{Format: "json", Offset: s.offset, What: what}
	}
}

// flush emits the frame so far. It goes out even where an error follows: it is
// valid, and nothing broken is in it.
func (s *Splitter) flush(emit func(Unit) error) {
	if len(s.frame) == 0 {
		return
	}
	u := Unit{Raw: s.frame}
	s.frame = s.frame[:0]
	if err := emit(u); err != nil && s.err == nil {
		s.err = err
	}
}

// emit emits the frame and then u.
func (s *Splitter) emit(u Unit, emit func(Unit) error) {
	s.flush(emit)
	if s.err == nil {
		s.err = emit(u)
	}
}

// line takes bytes up to the end of a line.
func (s *Splitter) line(p []byte, emit func(Unit) error) int {
	n := bytes.IndexByte(p, '\n') + 1
	end := n > 0
	if !end {
		n = len(p)
	}
	if len(s.token)+n > s.max+2 {
		s.tooLarge()
		return n
	}
	if !end {
		s.token = append(s.token, p...)
		return n
	}
	whole := p[:n]
	if len(s.token) > 0 {
		s.token = append(s.token, whole...)
		whole = s.token
		s.token = s.token[:0]
	}
	s.lineEnd(whole, emit)
	return n
}

func (s *Splitter) lineEnd(line []byte, emit func(Unit) error) {
	value := bytes.Trim(line, " \t\r\n")
	if len(value) == 0 {
		s.frame = append(s.frame, line...)
		return
	}
	before := bytes.Index(line, value)
	s.frame = append(s.frame, line[:before]...)
	s.record(value, emit)
	if s.err == nil {
		s.frame = append(s.frame, line[before+len(value):]...)
	}
}

func (s *Splitter) tooLarge() {
	if s.err == nil {
		s.err = fmt.Errorf("value at byte %d is %w: over %d bytes", s.offset, ErrTooLarge, s.max)
	}
}

func (s *Splitter) record(raw []byte, emit func(Unit) error) {
	t := s.parse(raw)
	if t == nil {
		return
	}
	defer Release(t)
	s.emit(Unit{Record: true, Tree: t, Raw: raw}, emit)
}

// parse parses one token or record, and reports its fault at its place in the
// stream.
func (s *Splitter) parse(raw []byte) *doc.Tree {
	if s.err != nil {
		return nil
	}
	t, err := Parse(raw, s.lim)
	var fault *doc.SyntaxError
	switch {
	case errors.As(err, &fault):
		s.fail(fault.What)
	case err != nil:
		s.err = err
	}
	return t
}
