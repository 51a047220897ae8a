package csv

// lexer tells byte by byte where cells and rows end. It is strict: what two
// readers could divide in two ways is a fault.
type lexer struct {
	comma, quote byte
	state        state
}

type state uint8

const (
	rowStart  state = iota
	cellStart       // behind a comma
	bare            // in a cell without quotes
	quoted          // in a cell with quotes
	quoteSeen       // behind a quote in a quoted cell: its end, or the first of two
	returned        // behind a carriage return
)

// event is what a byte ends. A cell that it ends lies before it.
type event uint8

const (
	cellEnds event = 1 << iota
	rowEnds
)

const (
	faultNUL     = "a NUL byte"
	faultQuote   = "a quote inside a cell without quotes"
	faultBehind  = "text behind a closing quote"
	faultReturn  = "a carriage return without a line feed"
	faultUnended = "a quoted cell that is not closed"
	faultRagged  = "a row with more or fewer cells than the first"
)

// step reads one byte. The fault is "" or names what is wrong.
func (l *lexer) step(c byte) (event, string) {
	switch {
	case c == 0:
		return 0, faultNUL
	case l.state == quoted:
		if c == l.quote {
			l.state = quoteSeen
		}
		return 0, ""
	case l.state == returned && c != '\n':
		return 0, faultReturn
	case c == l.quote:
		return l.stepQuote()
	case c == l.comma:
		l.state = cellStart
		return cellEnds, ""
	case c == '\r':
		ev := l.cell()
		l.state = returned
		return ev, ""
	case c == '\n':
		ev := l.cell() | rowEnds
		l.state = rowStart
		return ev, ""
	case l.state == quoteSeen:
		return 0, faultBehind
	}
	l.state = bare
	return 0, ""
}

func (l *lexer) stepQuote() (event, string) {
	if l.state == bare {
		return 0, faultQuote
	}
	l.state = quoted
	return 0, ""
}

// cell is the event of a line end: a blank line has no cell, and behind a
// carriage return the cell has ended.
func (l *lexer) cell() event {
	if l.state == rowStart || l.state == returned {
		return 0
	}
	return cellEnds
}

// end reads the end of the document.
func (l *lexer) end() (event, string) {
	switch l.state {
	case quoted:
		return 0, faultUnended
	case returned:
		return 0, faultReturn
	case rowStart:
		return 0, ""
	}
	l.state = rowStart
	return cellEnds | rowEnds, ""
}
