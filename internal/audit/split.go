package audit

import (
	"errors"
	"fmt"

	"github.com/crmgate/crmgate/internal/access"
)

// ErrTooLarge says that an entry can't be written: one of its values is larger
// than a leaf, or all of it larger than a segment. Stream the response and log
// it in parts.
var ErrTooLarge = errors.New("entry is too large")

// split encodes an entry in pieces of at most limit bytes. What doesn't fit into
// one piece is told in several: an access then stands in each with a part of its
// ids, references and question, a disclosure with a part of its records.
func split(e *Entry, limit int) ([][]byte, error) {
	whole, err := encodeEntry(e)
	if err != nil {
		return nil, err
	}
	if len(whole) <= limit {
		return [][]byte{whole}, nil
	}
	s := &splitter{limit: limit}
	s.bare(e)
	for _, a := range e.Accesses {
		s.access(a)
	}
	if e.Disclosure != nil {
		s.disclosure(e.Disclosure)
	}
	addAll(s, e.Keyed, func(p *Entry, v []string) { p.Keyed = append(p.Keyed, v...) })
	addAll(s, e.Changes, func(p *Entry, v []access.Change) { p.Changes = append(p.Changes, v...) })
	addAll(s, e.Lines, func(p *Entry, v []string) { p.Lines = append(p.Lines, v...) })
	addAll(s, e.Unfinished, func(p *Entry, v []Unfinished) { p.Unfinished = append(p.Unfinished, v...) })
	if s.err != nil {
		return nil, s.err
	}
	return s.encode()
}

type splitter struct {
	limit  int
	base   Entry // what each piece repeats
	cost   int   // of base
	pieces []*Entry
	used   int // of the last piece
	err    error
}

// bare begins the first piece: all that isn't a list. Later pieces repeat what
// ties them together.
func (s *splitter) bare(e *Entry) {
	first := *e
	first.Accesses, first.Disclosure, first.Keyed, first.Unfinished, first.Lines, first.Changes = nil, nil, nil, nil, nil, nil
	if e.Disclosure != nil {
		first.Disclosure = &access.Disclosure{Rows: e.Disclosure.Rows, Withheld: e.Disclosure.Withheld, Unread: e.Disclosure.Unread}
	}
	s.base = Entry{
		Time: e.Time, Kind: e.Kind, Event: e.Event, Request: e.Request, Intent: e.Intent,
		Employee: e.Employee, Part: e.Part, Parts: e.Parts,
	}
	if e.Decision != nil {
		s.base.Decision = &Decision{Refused: e.Decision.Refused, Observe: e.Decision.Observe}
	}
	if e.Observed != nil {
		s.base.Observed = &Observed{Until: e.Observed.Until}
	}
	s.cost = s.measure(&s.base)
	s.pieces, s.used = []*Entry{&first}, s.measure(&first)
	if s.used > s.limit {
		s.err = fmt.Errorf("%w: its single fields alone take %d bytes, %d fit", ErrTooLarge, s.used, s.limit)
	}
}

// Room for the numbers of the piece.
const pieceCost = 64

func (s *splitter) measure(e *Entry) int {
	b, err := encodeEntry(e)
	if err != nil && s.err == nil {
		s.err = err
	}
	return len(b) + pieceCost
}

func (s *splitter) access(a access.Access) {
	ids, refs, question := a.IDs, a.Refs, []rune(a.Question)
	a.IDs, a.Refs, a.Question = nil, nil, ""
	s.add(func(p *Entry) { p.Accesses = append(p.Accesses, a) })
	addAll(s, ids, func(p *Entry, v []string) { b := a; b.IDs = v; p.Accesses = append(p.Accesses, b) })
	addAll(s, refs, func(p *Entry, v []access.Ref) { b := a; b.Refs = v; p.Accesses = append(p.Accesses, b) })
	addAll(s, question, func(p *Entry, v []rune) { b := a; b.Question = string(v); p.Accesses = append(p.Accesses, b) })
}

func (s *splitter) disclosure(d *access.Disclosure) {
	addAll(s, d.Records, func(p *Entry, v []access.DisclosedRecord) {
		if p.Disclosure == nil {
			p.Disclosure = &access.Disclosure{}
		}
		p.Disclosure.Records = append(p.Disclosure.Records, v...)
	})
}

// addAll puts items into pieces, halving a list until its parts fit.
func addAll[T any](s *splitter, items []T, put func(*Entry, []T)) {
	if len(items) == 0 || s.err != nil {
		return
	}
	probe := Entry{}
	put(&probe, items)
	switch cost := s.measure(&probe); {
	case cost <= s.limit/4 || len(items) == 1:
		s.add(func(p *Entry) { put(p, items) })
	default:
		addAll(s, items[:len(items)/2], put)
		addAll(s, items[len(items)/2:], put)
	}
}

// add puts one unit into the last piece, or into a new one.
func (s *splitter) add(put func(*Entry)) {
	if s.err != nil {
		return
	}
	probe := Entry{}
	put(&probe)
	cost := s.measure(&probe)
	if s.used+cost > s.limit {
		next := s.base
		s.pieces, s.used = append(s.pieces, &next), s.cost
	}
	if s.used += cost; s.used > s.limit {
		s.err = fmt.Errorf("%w: one value of it takes %d bytes, %d fit", ErrTooLarge, cost, s.limit)
		return
	}
	put(s.pieces[len(s.pieces)-1])
}

func (s *splitter) encode() ([][]byte, error) {
	out := make([][]byte, len(s.pieces))
	for i, p := range s.pieces {
		p.Piece, p.Pieces = i+1, len(s.pieces)
		var err error
		if out[i], err = encodeEntry(p); err != nil {
			return nil, err
		}
	}
	return out, nil
}
