package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// A filter as comparisons: `field[operator]:value`, several with commas between
// them, in and(…), or(…) and not(…). Values may stand in quotes. An order is the
// same without values. Whatever else is there is refused: the CRM could read it as
// a comparison.

// maxComparisonDepth is how deep and, or and not may stand in each other.
const maxComparisonDepth = 16

// readComparisons reads the fields that a filter or an order names.
func (x *Exchange) readComparisons(r *ref, typ, text string) error {
	if text == "" {
		return nil
	}
	return x.readComparisonList(r, typ, text, 0)
}

func (x *Exchange) readComparisonList(r *ref, typ, text string, depth int) error {
	items, ok := splitComparisons(text)
	if !ok || depth > maxComparisonDepth {
		return refuse("malformed", "A filter has quotes or brackets that don't match.")
	}
	for _, item := range items {
		if err := x.readComparisonItem(r, typ, strings.TrimSpace(item), depth); err != nil {
			return err
		}
	}
	return nil
}

// readComparisonItem reads one comparison, or a group of them.
func (x *Exchange) readComparisonItem(r *ref, typ, item string, depth int) error {
	word, in, group := strings.Cut(item, "(")
	if !group || strings.ContainsAny(word, "[:'\"") {
		return x.readComparison(r, typ, item)
	}
	if (word != "and" && word != "or" && word != "not") || !strings.HasSuffix(in, ")") {
		return refuse("malformed", "A filter joins its parts by a word that is not in the profile.")
	}
	return x.readComparisonList(r, typ, strings.TrimSuffix(in, ")"), depth+1)
}

// readComparison reads `field[operator]:value`, `field[direction]` or `field`.
func (x *Exchange) readComparison(r *ref, typ, item string) error {
	name, rest, bracket := strings.Cut(item, "[")
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '.' {
			return refuse("malformed", "A filter names a field that is no plain name.")
		}
	}
	word, value, closed := strings.Cut(rest, "]")
	if name == "" || bracket && (!closed || !plainWord(word)) {
		return refuse("malformed", "A comparison is not field[operator]:value.")
	}
	if r.role == access.RefSort {
		if value != "" {
			return refuse("malformed", "An order compares with a value.")
		}
		return x.readName(r, typ, name)
	}
	// A CRM that heeds quotes or brackets in values otherwise than we do may see a
	// further comparison there: each needs a bracket of its own, and something behind.
	list := strings.HasPrefix(value, ":[")
	if !strings.HasPrefix(value, ":") || strings.LastIndexByte(value, '[') > 1 || list && strings.IndexByte(value, ']') != len(value)-1 {
		return refuse("malformed", "A comparison is not field[operator]:value, or its value holds a bracket.")
	}
	return x.readName(r, typ, name)
}

func plainWord(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}

// splitComparisons divides a list at the commas that stand in no quotes and no
// brackets. Quotes are doubled or escaped within themselves.
func splitComparisons(text string) ([]string, bool) {
	var items []string
	depth, start := 0, 0
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0:
			if c == '\\' {
				return nil, false // what it escapes is read in more than one way
			}
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			if depth--; depth < 0 {
				return nil, false
			}
		case c == ',' && depth == 0:
			items = append(items, text[start:i])
			start = i + 1
		}
	}
	return append(items, text[start:]), depth == 0 && quote == 0
}
