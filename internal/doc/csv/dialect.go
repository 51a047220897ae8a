package csv

import (
	"errors"
	"fmt"
	"slices"

	"github.com/crmgate/crmgate/internal/doc/coding"
)

// Dialect is how a document separates, quotes and encodes its cells.
type Dialect struct {
	// Comma separates cells: an ASCII character that is no letter, digit, quote
	// or line end. 0 means that the first row tells: ; , tab or |.
	Comma byte
	// Quote encloses cells; inside it is doubled. 0 is ".
	Quote byte
	// Charset is the charset's name, "" for UTF-8: one with one byte a character
	// whose lower half is ASCII, under a name of the web or of Python.
	Charset string
	// BOM says that the document begins with a byte order mark. Resolve finds
	// out; what a caller says is not looked at.
	BOM bool
}

// ErrDialect says that a dialect can't be used.
var ErrDialect = errors.New("csv dialect")

const bom = "\xef\xbb\xbf"

// commas are what the first row is searched for.
func commas() []byte { return []byte{';', ',', '\t', '|'} }

// check fills in the quote and refuses what can't work.
func (d Dialect) check() (Dialect, coding.Charset, error) {
	if d.Quote == 0 {
		d.Quote = '"'
	}
	cs, err := coding.LookupCharset(d.Charset)
	switch {
	case err != nil:
		return d, cs, fmt.Errorf("%w: %w", ErrDialect, err)
	case d.Comma != 0 && !separates(d.Comma):
		return d, cs, fmt.Errorf("%w: the comma has to be a punctuation mark, a space or a tab", ErrDialect)
	case !separates(d.Quote) || d.Quote == ' ' || d.Quote == '\t':
		return d, cs, fmt.Errorf("%w: the quote has to be a punctuation mark", ErrDialect)
	case d.Comma == d.Quote:
		return d, cs, fmt.Errorf("%w: comma and quote are the same character", ErrDialect)
	}
	d.Charset = cs.Name()
	return d, cs, nil
}

func separates(c byte) bool {
	switch {
	case c == '\t':
		return true
	case c < 0x20, c >= 0x7f, '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return false
	}
	return true
}

// Resolve fills in what the dialect leaves open, by the document's first row.
// Where two separators divide it into equally many cells, the error asks for
// the comma to be declared; a row that none divides is one cell.
func Resolve(src []byte, d Dialect) (Dialect, error) {
	d, _, err := d.check()
	if err != nil {
		return d, err
	}
	d.BOM = hasBOM(src, d)
	if d.Comma != 0 {
		return d, nil
	}
	s := newSniffer(d)
	for _, c := range src {
		if s.step(c) {
			break
		}
	}
	d.Comma, err = s.comma()
	return d, err
}

func hasBOM(src []byte, d Dialect) bool {
	return d.Charset == "utf-8" && len(src) >= len(bom) && string(src[:len(bom)]) == bom
}

// mark passes over the byte order mark at the start of a stream: a quote behind
// it opens the first cell.
type mark struct {
	n   int
	off bool
}

// skip reports whether the next byte belongs to the mark.
func (m *mark) skip(c byte) bool {
	if m.off || c != bom[m.n] {
		m.off = true
		return false
	}
	m.n++
	m.off = m.found()
	return true
}

func (m *mark) found() bool { return m.n == len(bom) }

// sniffer reads the first row once for every candidate.
type sniffer struct {
	mark   mark
	lexers []lexer
	cells  []int
	done   []bool
}

func newSniffer(d Dialect) *sniffer {
	s := &sniffer{mark: mark{off: d.Charset != "utf-8"}}
	for _, c := range commas() {
		if c != d.Quote {
			s.lexers = append(s.lexers, lexer{comma: c, quote: d.Quote})
		}
	}
	s.cells = make([]int, len(s.lexers))
	s.done = make([]bool, len(s.lexers))
	return s
}

// step reports whether every candidate has seen the end of the first row that
// is not blank.
func (s *sniffer) step(c byte) bool {
	if s.mark.skip(c) {
		return false
	}
	all := true
	for i := range s.lexers {
		if s.done[i] {
			continue
		}
		ev, fault := s.lexers[i].step(c)
		s.note(i, ev, fault)
		all = all && s.done[i]
	}
	return all
}

func (s *sniffer) note(i int, ev event, fault string) {
	if ev&cellEnds != 0 {
		s.cells[i]++
	}
	if fault != "" {
		s.cells[i], s.done[i] = 0, true
	}
	if ev&rowEnds != 0 && s.cells[i] > 0 {
		s.done[i] = true
	}
}

func (s *sniffer) comma() (byte, error) {
	for i := range s.lexers {
		if !s.done[i] {
			ev, fault := s.lexers[i].end()
			s.note(i, ev, fault)
		}
	}
	most := slices.Max(s.cells)
	if most <= 1 {
		return ',', nil
	}
	i := slices.Index(s.cells, most)
	if slices.Contains(s.cells[i+1:], most) {
		return 0, fmt.Errorf("%w: two separators divide the first row into %d cells: declare the comma", ErrDialect, most)
	}
	return s.lexers[i].comma, nil
}
