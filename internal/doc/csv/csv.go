// Package csv reads documents of separated values as a tree of values with
// offsets into their bytes: an Array of rows, each an Array of String cells.
package csv

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/coding"
)

// FlagQuoted is a cell in quotes.
const FlagQuoted uint8 = 1

const name = "csv"

// Parse reads a document. Rows end with a line feed, with or without a carriage
// return before it; the last one needn't. Blank lines are no rows. The header, if
// there is one, is the first row.
//
// Refused with a doc.SyntaxError: a quote inside a cell without quotes, text
// behind a closing quote, a lone carriage return, NUL, rows of different length,
// bytes that the charset doesn't have, and what exceeds lim. A dialect that can't
// be used is an ErrDialect.
func Parse(src []byte, d Dialect, lim doc.Limits) (*doc.Tree, error) {
	if len(src) > math.MaxInt32 {
		return nil, refuse(0, "longer than 2 GiB")
	}
	d, err := Resolve(src, d)
	if err != nil {
		return nil, err
	}
	_, cs, err := d.check()
	if err != nil {
		return nil, err
	}
	if i := bytes.IndexByte(src, 0); i >= 0 {
		return nil, refuse(i, faultNUL)
	}
	if i := cs.Invalid(src); i >= 0 {
		return nil, refuse(i, "a byte that is no character of "+cs.Name())
	}
	p := parser{src: src, lim: lim, lex: lexer{comma: d.Comma, quote: d.Quote}, row: -1}
	p.nodes = make([]doc.Node, 1, 2+len(src)/8)
	p.nodes[0] = doc.Node{Kind: doc.Array, Parent: -1, End: int32(len(src))}
	if d.BOM {
		p.at = len(bom)
		p.nodes[0].Start = int32(p.at)
	}
	if err := p.run(); err != nil {
		return nil, err
	}
	return &doc.Tree{Src: src, Nodes: p.nodes, Format: format{d, cs}, ASCII: cs.Name() == "us-ascii"}, nil
}

// DialectOf returns the dialect that a document was read with.
func DialectOf(t *doc.Tree) Dialect {
	f, _ := t.Format.(format)
	return f.d
}

func refuse(at int, what string) error {
	return &doc.SyntaxError{Format: name, Offset: at, What: what}
}

type parser struct {
	src   []byte
	at    int
	lim   doc.Limits
	lex   lexer
	nodes []doc.Node
	// row is the open row's node, -1 for none; cell is where its next cell
	// starts; width is the first row's number of cells.
	row, cell, width int
}

func (p *parser) run() error {
	p.cell = p.at
	for ; p.at < len(p.src); p.at++ {
		p.skip()
		if p.at == len(p.src) {
			break
		}
		ev, fault := p.lex.step(p.src[p.at])
		if err := p.note(ev, fault); err != nil {
			return err
		}
	}
	ev, fault := p.lex.end()
	if err := p.note(ev, fault); err != nil {
		return err
	}
	p.nodes[doc.Root].Next = int32(len(p.nodes))
	return nil
}

// skip passes over the bytes inside a cell that end nothing.
func (p *parser) skip() {
	switch p.lex.state {
	case quoted:
		if i := bytes.IndexByte(p.src[p.at:], p.lex.quote); i >= 0 {
			p.at += i
		}
	case bare:
		for p.at < len(p.src) {
			c := p.src[p.at]
			if c == p.lex.comma || c == p.lex.quote || c == '\n' || c == '\r' {
				return
			}
			p.at++
		}
	}
}

func (p *parser) note(ev event, fault string) error {
	if fault != "" {
		return refuse(p.at, fault)
	}
	if ev&cellEnds != 0 {
		if err := p.addCell(); err != nil {
			return err
		}
	}
	if ev&rowEnds != 0 {
		return p.endRow()
	}
	return nil
}

func (p *parser) addCell() error {
	if p.row < 0 {
		p.row = len(p.nodes)
		p.nodes = append(p.nodes, doc.Node{Kind: doc.Array, Start: int32(p.cell), Parent: doc.Root})
	}
	n := doc.Node{Kind: doc.String, Start: int32(p.cell), End: int32(p.at), Parent: int32(p.row)}
	n.Next = int32(len(p.nodes)) + 1
	if p.at > p.cell && p.src[p.cell] == p.lex.quote {
		n.Flags = FlagQuoted
	}
	p.nodes = append(p.nodes, n)
	if len(p.nodes) > p.lim.Nodes {
		return refuse(p.cell, fmt.Sprintf("more than %d values", p.lim.Nodes))
	}
	p.cell = p.at + 1
	return nil
}

func (p *parser) endRow() error {
	p.cell = p.at + 1
	if p.row < 0 {
		return nil // a blank line
	}
	row := &p.nodes[p.row]
	row.End, row.Next = p.nodes[len(p.nodes)-1].End, int32(len(p.nodes))
	width := len(p.nodes) - p.row - 1
	if p.width == 0 {
		p.width = width
	}
	if width != p.width {
		return refuse(int(row.Start), faultRagged)
	}
	p.row = -1
	return nil
}

// format is a document's side of a doc.Tree.
type format struct {
	d  Dialect
	cs coding.Charset
}

// Name is "csv".
func (format) Name() string { return name }

// Text decodes a cell.
func (f format) Text(t *doc.Tree, node int) string {
	raw := t.Raw(node)
	if t.Nodes[node].Flags&FlagQuoted == 0 {
		return f.cs.Decode(raw)
	}
	q := string(f.d.Quote)
	return strings.ReplaceAll(f.cs.Decode(raw[1:len(raw)-1]), q+q, q)
}

// Key is "": cells have places, not names.
func (format) Key(*doc.Tree, int) string { return "" }

// EncodeKey writes nothing.
func (format) EncodeKey(dst []byte, _ *doc.Tree, _ int, _ string) []byte { return dst }

// Encode writes v in the document's charset, quoted if the cell was or if v needs
// it. What a spreadsheet would take for a formula gets an apostrophe before it,
// unless it is a Number. NUL becomes an asterisk.
func (f format) Encode(dst []byte, t *doc.Tree, node int, v doc.Value) []byte {
	text := strings.ReplaceAll(strings.ToValidUTF8(v.Text, "\uFFFD"), "\x00", "*")
	if v.Kind == doc.Null {
		text = ""
	}
	if isFormula(text) && (v.Kind != doc.Number || !isNumber(text)) {
		text = "'" + text
	}
	n := &t.Nodes[node]
	raw := f.cs.AppendEncoded(nil, text)
	if n.Flags&FlagQuoted == 0 && !f.needsQuotes(raw) && (len(raw) != 0 || !aloneInRow(t, node)) {
		return append(dst, raw...)
	}
	q := []byte{f.d.Quote}
	dst = append(dst, f.d.Quote)
	dst = append(dst, bytes.ReplaceAll(raw, q, append(q, q...))...)
	return append(dst, f.d.Quote)
}

// needsQuotes looks for what ends a cell, and for leading spaces, which readers
// may take off. The separators of other dialects count, too: a reader may guess.
func (f format) needsQuotes(raw []byte) bool {
	for _, c := range raw {
		if c == f.d.Comma || c == f.d.Quote || c == '\r' || c == '\n' || bytes.IndexByte(commas(), c) >= 0 {
			return true
		}
	}
	return len(raw) > 0 && (raw[0] == ' ' || raw[len(raw)-1] == ' ')
}

// aloneInRow reports whether the cell is the only one of its row: empty and
// without quotes it would make a blank line of it.
func aloneInRow(t *doc.Tree, node int) bool {
	row := t.Nodes[node].Parent
	return t.Nodes[row].Next-row == 2
}

func isFormula(s string) bool { return s != "" && strings.IndexByte("=+-@\t\r\n", s[0]) >= 0 }

// isNumber reports whether the text is a plain decimal: a sign, digits, a point.
func isNumber(s string) bool {
	digits := false
	for i, c := range s {
		switch {
		case '0' <= c && c <= '9':
			digits = true
		case (c == '-' || c == '+') && i == 0, c == '.' || c == ',':
		default:
			return false
		}
	}
	return digits
}
