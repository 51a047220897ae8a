package xlsx

import (
	"strconv"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// format is a workbook's side of a doc.Tree.
type format struct{}

// Name is "xlsx".
func (format) Name() string { return name }

// Text is a cell's text.
func (format) Text(t *doc.Tree, node int) string {
	return t.Slice(t.Nodes[node].Start, t.Nodes[node].End)
}

// Verbatim is a cell's text.
func (format) Verbatim(t *doc.Tree, node int) ([]byte, bool) {
	return t.Raw(node), t.Nodes[node].Kind == doc.String
}

// Key is "": cells have places, not names.
func (format) Key(*doc.Tree, int) string { return "" }

// EncodeKey writes nothing.
func (format) EncodeKey(dst []byte, _ *doc.Tree, _ int, _ string) []byte { return dst }

// Encode writes v's text. Characters that no workbook has become asterisks.
func (format) Encode(dst []byte, _ *doc.Tree, _ int, v doc.Value) []byte {
	if v.Kind == doc.Null {
		return dst
	}
	text := strings.ToValidUTF8(v.Text, "\uFFFD")
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	return append(dst, strings.Map(func(r rune) rune {
		if !isText(string(r)) {
			return '*'
		}
		return r
	}, text)...)
}

// maxText is how many characters a cell has at most; a byte is one at most.
const maxText = 32767

// typed is what becomes of a cell's text in a workbook.
func typed(text string) any {
	digits := strings.TrimPrefix(text, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if !areDigits(whole) || point && !areDigits(fraction) || len(whole)+len(fraction) > 9 || len(whole) > 1 && whole[0] == '0' {
		return text
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && strconv.FormatFloat(n, 'f', len(fraction), 64) == text {
		return n
	}
	return text
}

func areDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
