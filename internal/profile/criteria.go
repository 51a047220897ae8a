package profile

import "strings"

// Criteria are comparisons in brackets, joined by words: `((mail:starts_with:a)and(
// (city:equals:x)or(city:equals:y)))`, or one without brackets. Whatever else is
// there is refused: the CRM could read it as a comparison.

// readCriteria reads the fields that criteria name.
func (x *Exchange) readCriteria(r *ref, typ, text string, depth int) error {
	text = strings.TrimSpace(text)
	if text == "" && depth == 0 {
		return nil
	}
	if depth > maxComparisonDepth {
		return refuse("malformed", "Criteria are nested too deeply.")
	}
	if !strings.HasPrefix(text, "(") {
		return x.readCriterion(r, typ, text)
	}
	for {
		end := closing(text)
		if end < 0 {
			return refuse("malformed", "Criteria have brackets that don't match.")
		}
		if err := x.readCriteria(r, typ, text[1:end], depth+1); err != nil {
			return err
		}
		if text = strings.TrimSpace(text[end+1:]); text == "" {
			return nil
		}
		word, rest, ok := strings.Cut(text, "(")
		if word = strings.ToLower(strings.TrimSpace(word)); !ok || word != "and" && word != "or" {
			return refuse("malformed", "Criteria are joined by a word that is neither and nor or.")
		}
		text = "(" + rest
	}
}

// closing is the place of the bracket that closes the first; -1 without one.
func closing(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		case '\\':
			return -1 // what it escapes is read in more than one way
		}
	}
	return -1
}

// readCriterion reads `field:operator:value`. A value that holds what could be a
// further comparison is refused.
func (x *Exchange) readCriterion(r *ref, typ, text string) error {
	parts := strings.SplitN(text, ":", 3)
	if len(parts) < 3 || !plainName(parts[0]) || parts[1] == "" || strings.ContainsAny(parts[1], " ()'\"") || strings.ContainsAny(parts[2], "()\\") {
		return refuse("malformed", "A criterion is not field:operator:value.")
	}
	words := strings.FieldsFunc(strings.ToLower(parts[2]), func(c rune) bool { return (c < 'a' || c > 'z') && c != '_' && c != ':' })
	for i, w := range words {
		if (w == "and" || w == "or") && strings.Contains(strings.Join(words[i:], " "), ":") {
			return refuse("malformed", "A criterion's value holds what could be another one.")
		}
	}
	return x.readName(r, typ, parts[0])
}

// plainName reports whether a text is a field's name, with dots, and nothing else.
func plainName(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '.' && c != '$' {
			return false
		}
	}
	return s != ""
}
