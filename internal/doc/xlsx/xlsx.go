// Package xlsx reads the cells of a workbook's first visible sheet as a tree of
// values, an Array of rows, each an Array of String cells, and builds a new
// workbook from them. It is the one format whose documents aren't spliced: values
// stand in shared strings, caches, comments, hidden sheets and properties as
// well, and a workbook made of masked cells alone has none of these.
package xlsx

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/crmgate/crmgate/internal/doc"
)

const name = "xlsx"

// Bounds of a workbook: what it unpacks to, its parts, and its cells.
const (
	maxUnpacked = 32 << 20
	maxParts    = 512
	maxCells    = 200_000
)

// A tree's bytes are the cells' texts with these behind them. Neither can stand
// in a workbook: XML has no such characters.
const (
	cellEnd = 0x1f
	rowEnd  = 0x1e
)

// Parse reads a workbook. The tree's bytes are of its own making; Build makes a
// workbook of them. A cell's text is what a spreadsheet shows, dates in the form
// 1959-07-13 where the format is the system's own; a formula's is its last
// result. Rows without a text are none; the others are as wide as the first one
// at least.
//
// Refused with a doc.SyntaxError: what is no workbook, is encrypted or has no
// visible sheet, more than 32 MiB unpacked, 512 parts, 200,000 cells, or lim.
func Parse(src []byte, lim doc.Limits) (t *doc.Tree, err error) {
	defer func() {
		if r := recover(); r != nil { // excelize on parts that it doesn't expect
			t, err = nil, refuse("a workbook that can't be read")
		}
	}()
	if err := bounded(src); err != nil {
		return nil, err
	}
	// The second limit is where excelize would begin to use files.
	f, err := excelize.OpenReader(bytes.NewReader(src), excelize.Options{
		UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked, ShortDatePattern: "yyyy-mm-dd",
	})
	if err != nil {
		return nil, refuse("no workbook")
	}
	defer f.Close()
	sheet, err := firstSheet(f)
	if err != nil {
		return nil, err
	}
	r := reader{limit: min(lim.Nodes, maxCells)}
	if err := r.read(f, sheet); err != nil {
		return nil, err
	}
	return r.tree(), nil
}

// bounded looks at the archive before anything is unpacked. What unpacks to more
// than it says here is an error of the archive's reader.
func bounded(src []byte) error {
	z, err := zip.NewReader(bytes.NewReader(src), int64(len(src)))
	if err != nil {
		return refuse("no archive")
	}
	if len(z.File) > maxParts {
		return refuse(fmt.Sprintf("more than %d parts", maxParts))
	}
	left := uint64(maxUnpacked)
	seen := map[string]bool{}
	for _, part := range z.File {
		if part.UncompressedSize64 > left {
			return refuse(fmt.Sprintf("more than %d MiB unpacked", maxUnpacked>>20))
		}
		left -= part.UncompressedSize64
		key := strings.ToLower(strings.ReplaceAll(part.Name, `\`, "/"))
		if seen[key] {
			return refuse("a part that is given twice")
		}
		seen[key] = true
	}
	return nil
}

func firstSheet(f *excelize.File) (string, error) {
	for _, sheet := range f.GetSheetList() {
		if visible, err := f.GetSheetVisible(sheet); err == nil && visible {
			return sheet, nil
		}
	}
	return "", refuse("no visible sheet")
}

// reader collects the rows' texts.
type reader struct {
	limit, cells int
	src          []byte
	// widths are the rows' numbers of cells.
	widths []int
}

func (r *reader) read(f *excelize.File, sheet string) error {
	rows, err := f.Rows(sheet)
	if err != nil {
		return refuse("a sheet that can't be read")
	}
	defer rows.Close()
	for rows.Next() {
		cells, err := rows.Columns()
		if err != nil {
			return refuse("a row that can't be read")
		}
		if err := r.row(cells); err != nil {
			return err
		}
	}
	if err := rows.Error(); err != nil {
		return refuse("a sheet that can't be read")
	}
	return nil
}

func (r *reader) row(cells []string) error {
	for len(cells) > 0 && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	if len(cells) == 0 {
		return nil
	}
	width := len(cells)
	if len(r.widths) > 0 {
		width = max(width, r.widths[0])
	}
	if r.cells += width + 1; r.cells >= r.limit {
		return refuse(fmt.Sprintf("more than %d cells", r.limit))
	}
	for i := range width {
		if i < len(cells) {
			if !isText(cells[i]) {
				return refuse("a cell with characters that no workbook has")
			}
			r.src = append(r.src, cells[i]...)
		}
		r.src = append(r.src, cellEnd)
	}
	r.src = append(r.src, rowEnd)
	r.widths = append(r.widths, width)
	return nil
}

// isText reports whether a text can stand in XML.
func isText(s string) bool {
	for _, r := range s {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return false
		}
	}
	return utf8.ValidString(s)
}

func (r *reader) tree() *doc.Tree {
	nodes := make([]doc.Node, 1, r.cells+1)
	nodes[0] = doc.Node{Kind: doc.Array, Parent: -1, End: int32(len(r.src))}
	at := int32(0)
	for _, width := range r.widths {
		row := int32(len(nodes))
		nodes = append(nodes, doc.Node{Kind: doc.Array, Start: at, Parent: doc.Root, Next: row + int32(width) + 1})
		for range width {
			end := at + int32(bytes.IndexByte(r.src[at:], cellEnd))
			nodes = append(nodes, doc.Node{Kind: doc.String, Start: at, End: end, Parent: row, Next: int32(len(nodes)) + 1})
			at = end + 1
		}
		nodes[row].End = at
		at++ // the row's end
	}
	nodes[0].Next = int32(len(nodes))
	return &doc.Tree{Src: r.src, Nodes: nodes, Format: format{}}
}

// ErrBuild says that masked cells can't be made a workbook of.
var ErrBuild = errors.New("building a workbook")

// Build makes a workbook of a tree's bytes after its values were replaced. It has
// one sheet and no styles. What is a plain number of at most nine digits becomes a
// number; all else is text, and nothing a formula.
func Build(cells []byte) ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close()
	const sheet = "Sheet1"
	row := 0
	for line := range bytes.SplitSeq(cells, []byte{rowEnd}) {
		if len(line) == 0 {
			continue // behind the last one
		}
		row++
		values := bytes.Split(bytes.TrimSuffix(line, []byte{cellEnd}), []byte{cellEnd})
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = typed(string(v))
		}
		if err := f.SetSheetRow(sheet, fmt.Sprintf("A%d", row), &list); err != nil {
			return nil, fmt.Errorf("%w: row %d doesn't fit", ErrBuild, row)
		}
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBuild, err)
	}
	return out.Bytes(), nil
}

func refuse(what string) error { return &doc.SyntaxError{Format: name, What: what} }
