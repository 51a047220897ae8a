package csv

import "fmt"

// Splitter divides a stream into rows. What it emits, one after the other, is
// the stream: each row with its line end, the header too, and blank lines by
// themselves. A row can be parsed with Dialect as a document of its own; a blank
// line is one without rows.
//
// Its errors are those of Parse, with offsets into the stream. After an error
// nothing more is emitted. A Splitter is used by one goroutine.
type Splitter struct {
	d      Dialect
	max    int
	emit   func(row []byte) error
	lex    lexer
	mark   mark
	sniff  *sniffer
	buf    []byte
	offset int // of the next byte in the stream
	cells  int
	width  int
	err    error
}

// NewSplitter returns a splitter that hands complete rows of at most maxRow bytes
// to emit. The row is emit's until it returns. An error of emit ends the stream.
func NewSplitter(d Dialect, maxRow int, emit func(row []byte) error) (*Splitter, error) {
	d, _, err := d.check()
	if err != nil {
		return nil, err
	}
	s := &Splitter{d: d, max: maxRow, emit: emit}
	s.d.BOM, s.mark = false, mark{off: d.Charset != "utf-8"}
	s.lex = lexer{comma: d.Comma, quote: d.Quote}
	if d.Comma == 0 {
		s.sniff = newSniffer(d)
	}
	return s, nil
}

// Dialect returns the stream's dialect. It is complete once a row was emitted.
func (s *Splitter) Dialect() Dialect { return s.d }

// Feed reads the next bytes of the stream.
func (s *Splitter) Feed(p []byte) error {
	if s.err == nil {
		s.err = s.feed(p)
	}
	return s.err
}

// Close reads the end of the stream and emits a last row without a line end.
// Nothing can be fed afterwards.
func (s *Splitter) Close() error {
	if s.err == nil {
		s.err = s.close()
	}
	return s.err
}

func (s *Splitter) feed(p []byte) error {
	if s.sniff == nil {
		return s.split(p)
	}
	for i, c := range p {
		if s.sniff.step(c) {
			s.buf = append(s.buf, p[:i+1]...)
			if err := s.sniffed(); err != nil {
				return err
			}
			return s.split(p[i+1:])
		}
	}
	s.buf = append(s.buf, p...)
	return s.checkSize(len(s.buf))
}

// sniffed ends the search for the comma and reads again what it took.
func (s *Splitter) sniffed() error {
	comma, err := s.sniff.comma()
	if err != nil {
		return err
	}
	s.d.Comma, s.lex.comma, s.sniff = comma, comma, nil
	first := s.buf
	s.buf = nil
	return s.split(first)
}

func (s *Splitter) split(p []byte) error {
	from := 0
	for i, c := range p {
		if s.mark.skip(c) {
			s.offset++
			s.d.BOM = s.mark.found()
			continue
		}
		ev, fault := s.lex.step(c)
		if err := s.note(ev, fault); err != nil {
			return err
		}
		s.offset++
		if ev&rowEnds != 0 {
			row := p[from : i+1]
			if len(s.buf) > 0 {
				s.buf = append(s.buf, row...)
				row = s.buf
			}
			if err := s.emitRow(row); err != nil {
				return err
			}
			from, s.buf = i+1, s.buf[:0]
		}
	}
	s.buf = append(s.buf, p[from:]...)
	return s.checkSize(len(s.buf))
}

func (s *Splitter) note(ev event, fault string) error {
	if fault != "" {
		return refuse(s.offset, fault)
	}
	if ev&cellEnds != 0 {
		s.cells++
	}
	if ev&rowEnds == 0 || s.cells == 0 {
		return nil
	}
	if s.width == 0 {
		s.width = s.cells
	}
	if s.cells != s.width {
		return refuse(s.offset, faultRagged)
	}
	s.cells = 0
	return nil
}

func (s *Splitter) emitRow(row []byte) error {
	if err := s.checkSize(len(row)); err != nil {
		return err
	}
	return s.emit(row)
}

func (s *Splitter) checkSize(n int) error {
	if n > s.max {
		return refuse(s.offset, fmt.Sprintf("a row longer than %d bytes", s.max))
	}
	return nil
}

func (s *Splitter) close() error {
	if s.sniff != nil {
		if err := s.sniffed(); err != nil {
			return err
		}
	}
	ev, fault := s.lex.end()
	if err := s.note(ev, fault); err != nil {
		return err
	}
	if len(s.buf) == 0 {
		return nil
	}
	return s.emitRow(s.buf)
}
