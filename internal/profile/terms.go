package profile

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/access"
)

// terms sees that a filter of terms is described.
func (c *compiler) terms(where string, r *ref) {
	k := &r.terms
	switch described := len(k.Joins)+len(k.Operators)+len(k.Sort) > 0 || k.Words != ""; {
	case r.syntax != "terms" && described:
		c.fail(where, "terms is for the syntax terms; add `syntax: terms`")
	case r.syntax == "terms" && (len(k.Operators) == 0 || len(k.Joins) == 0):
		c.fail(where, "the syntax terms says what stands between terms and what compares: `terms: {joins: [\";\"], operators: [\":\"]}`")
	case contains(k.Joins, "") || contains(k.Operators, "") || contains(k.Sort, ""):
		c.fail(where, "a join, an operator or a word of terms is empty")
	}
}

// readTerms reads the fields that a filter of terms asks about.
func (x *Exchange) readTerms(r *ref, typ, text string) error {
	text = strings.TrimSpace(text)
	if in, ok := strings.CutPrefix(text, `"`); ok && strings.HasSuffix(in, `"`) && strings.Count(in, `"`) == 1 {
		text = in[:len(in)-1] // the whole filter in quotes
	}
	for text != "" {
		term, rest := r.terms.cut(text)
		if err := x.readTerm(r, typ, bareTerm(term)); err != nil {
			return err
		}
		text = rest
	}
	return nil
}

// cut divides a text at the first join, the longest that stands there, or the one
// behind which a word stands that sorts: `^` of `^ORDERBYname`, not `^OR`.
func (k *termsSpec) cut(text string) (term, rest string) {
	at, join := firstOf(text, k.Joins)
	if at < 0 {
		return text, ""
	}
	for _, j := range k.Joins {
		if after, ok := strings.CutPrefix(text[at:], j); ok && k.sorts(after) != "" {
			join = j
		}
	}
	return text[:at], text[at+len(join):]
}

// sorts is the longest word that sorts with which a term begins.
func (k *termsSpec) sorts(term string) string {
	longest := ""
	for _, w := range k.Sort {
		if strings.HasPrefix(term, w) && len(w) > len(longest) {
			longest = w
		}
	}
	return longest
}

// firstOf is the place of the first of some words, and the longest that stands there;
// -1 without one.
func firstOf(text string, words []string) (at int, word string) {
	at = -1
	for _, w := range words {
		if i := strings.Index(text, w); i >= 0 && (at < 0 || i < at || i == at && len(w) > len(word)) {
			at, word = i, w
		}
	}
	return at, word
}

// bareTerm is a term without brackets and signs of a negation before it.
func bareTerm(term string) string {
	for {
		t := strings.TrimLeft(term, " \t\r\n(!-+")
		if len(t) > 4 && strings.EqualFold(t[:4], "not ") {
			t = t[4:]
		}
		if t == term {
			return strings.TrimRight(t, " \t\r\n")
		}
		term = t
	}
}

func (x *Exchange) readTerm(r *ref, typ, term string) error {
	if term == "" || strings.Trim(term, ")") == "" {
		return nil
	}
	if word := r.terms.sorts(term); word != "" {
		by := *r
		by.role = access.RefSort
		return x.readTermName(&by, typ, term[len(word):])
	}
	at, op := firstOf(term, r.terms.Operators)
	if at >= 0 {
		return x.readComparedTerm(r, typ, term[:at], term[at+len(op):])
	}
	switch {
	case r.terms.Words == "":
		return refuse("malformed", "A term of a filter has no operator that is in the profile.")
	case strings.EqualFold(term, "and"), strings.EqualFold(term, "or"):
		return nil
	case strings.ContainsAny(term, "<>=~:!^|&;,"): // could compare after all
		return refuse("malformed", "A word of a filter holds a sign that could be an operator.")
	}
	in := *r
	in.role, in.field = access.RefSearch, r.terms.Words
	return x.readSearch(&in, typ)
}

// readComparedTerm reads a name, and sees that no other term hides in the value: behind
// a join that the profile doesn't list, or made by a script.
func (x *Exchange) readComparedTerm(r *ref, typ, name, value string) error {
	for rest := value; ; {
		at, op := firstOf(rest, r.terms.Operators)
		if at < 0 {
			break
		}
		if x.endsInName(typ, rest[:at]) {
			return refuse("malformed", "A value in a filter could be a further term of it.")
		}
		rest = rest[at+len(op):]
	}
	if word, _, script := strings.Cut(strings.TrimLeft(value, " '\"("), ":"); script && strings.EqualFold(strings.TrimSpace(word), "javascript") {
		return refuse("malformed", "A value in a filter is a script: what it asks can't be told.")
	}
	return x.readTermName(r, typ, strings.TrimSpace(name))
}

func (x *Exchange) readTermName(r *ref, typ, name string) error {
	if name == "" || name == "*" {
		return refuse("malformed", "A term of a filter names no field.")
	}
	return x.readName(r, typ, name)
}

// endsInName reports whether the last word of a text could be a field's name: it
// begins with a letter, or the entity lists it.
func (x *Exchange) endsInName(typ, text string) bool {
	// A name can stand in quotes, and in brackets or a function's.
	text = strings.TrimRightFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("\"'`)]}", r) })
	n := len(strings.TrimRightFunc(text, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune("_.-", r) || r == utf8.RuneError
	}))
	word := strings.TrimLeft(text[n:], "-.")
	return word != "" && (!isDigit(word[0]) || x.p.entityOf(typ).spells(word, ""))
}
