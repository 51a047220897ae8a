package profile

import (
	"slices"
	"strings"
)

// A filter as an expression: `email ~ 'x' && (city = 'Ulm' OR born >= 1990)`. Each
// comparison is a field, an operator and a value, or a further field: whatever could
// name one is taken for one. Texts stand in single quotes. What stands in double
// quotes or behind a backslash is read in more than one way, functions and words with
// signs before them can hold anything: they are refused, as is all else.

// expression reads one from its beginning to its end.
type expression struct {
	rest  string
	field func(name string) error
}

// readExpression reads the fields that an expression names.
func (x *Exchange) readExpression(r *ref, typ, text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	e := &expression{rest: text, field: func(name string) error { return x.readName(r, typ, name) }}
	if err := e.joined(0); err != nil {
		return err
	}
	if e.rest != "" {
		return refuse("malformed", "An expression goes on where it should end.")
	}
	return nil
}

// joined reads comparisons with words or signs between them.
func (e *expression) joined(depth int) error {
	if depth > maxComparisonDepth {
		return refuse("malformed", "An expression is nested too deeply.")
	}
	for {
		if err := e.term(depth); err != nil {
			return err
		}
		if !e.take("&&", "||") && !e.word("and", "or") {
			return nil
		}
	}
}

// term reads a comparison or a group, be it negated.
func (e *expression) term(depth int) error {
	for e.word("not") || !strings.HasPrefix(e.rest, "!=") && e.take("!") {
		if depth++; depth > maxComparisonDepth {
			return refuse("malformed", "An expression is nested too deeply.")
		}
	}
	if !e.take("(") {
		return e.comparison()
	}
	if err := e.joined(depth + 1); err != nil {
		return err
	}
	if !e.take(")") {
		return refuse("malformed", "An expression has a bracket that isn't closed.")
	}
	return nil
}

// comparison reads a field's name, an operator, and a value or a list of them.
func (e *expression) comparison() error {
	e.blanks()
	name := e.name()
	if name == "" || literal(name) {
		return refuse("malformed", "A comparison doesn't begin with a field's name.")
	}
	if err := e.field(name); err != nil {
		return err
	}
	between, list, ok := e.operator()
	if !ok {
		return refuse("malformed", "A comparison's operator is not known.")
	}
	if !list {
		if err := e.value(); err != nil || !between {
			return err
		}
		if !e.word("and") {
			return refuse("malformed", "What is between two values names one alone.")
		}
		return e.value()
	}
	if !e.take("(") {
		return refuse("malformed", "A list of values has no brackets.")
	}
	for {
		if err := e.value(); err != nil {
			return err
		}
		if e.take(")") {
			return nil
		}
		if !e.take(",") {
			return refuse("malformed", "A list of values has no comma between them.")
		}
	}
}

// operator reads a comparison's operator, and says how many values follow.
func (e *expression) operator() (between, list, ok bool) {
	e.word("not")
	switch {
	case e.word("in"):
		return false, true, true
	case e.word("between"):
		return true, false, true
	case e.word("is"):
		e.word("not")
		return false, false, true
	}
	ok = e.take("?!=", "?>=", "?<=", "?!~", "?=", "?>", "?<", "?~", "!=", "!~", "<>", "<=", ">=", "==", "=", "<", ">", "~") ||
		e.word("like", "ilike", "contains", "startswith", "starts_with", "endswith", "ends_with", "eq", "ne", "neq", "gt", "gte", "ge", "lt", "lte", "le")
	return false, false, ok
}

// value reads a text, a number, a literal, or a field's name.
func (e *expression) value() error {
	e.blanks()
	switch {
	case strings.HasPrefix(e.rest, "'"):
		return e.quoted()
	case e.number():
		return nil
	}
	name := e.name()
	switch {
	case name == "":
		return refuse("malformed", "A comparison's value is neither a text in single quotes nor a number.")
	case literal(name):
		return nil
	}
	return e.field(name)
}

// quoted reads a text. A quote within it is doubled.
func (e *expression) quoted() error {
	for strings.HasPrefix(e.rest, "'") {
		text, rest, closed := strings.Cut(e.rest[1:], "'")
		if !closed || strings.Contains(text, `\`) {
			return refuse("malformed", "A text in an expression isn't closed, or has a backslash in it.")
		}
		e.rest = rest
	}
	return nil
}

// number reads a whole or a decimal number.
func (e *expression) number() bool {
	rest := strings.TrimPrefix(e.rest, "-")
	n := 0
	for n < len(rest) && (isDigit(rest[n]) || rest[n] == '.' && n > 0) {
		n++
	}
	if n == 0 || n < len(rest) && nameByte(rest[n]) {
		return false
	}
	e.rest = rest[n:]
	return true
}

// name reads a name with dots in it. A function's is none.
func (e *expression) name() string {
	n := 0
	for n < len(e.rest) && (nameByte(e.rest[n]) && (n > 0 || !isDigit(e.rest[n])) || e.rest[n] == '.' && n > 0) {
		n++
	}
	name := e.rest[:n]
	if strings.HasPrefix(strings.TrimLeft(e.rest[n:], expressionBlanks), "(") {
		return ""
	}
	e.rest = e.rest[n:]
	return name
}

const expressionBlanks = " \t\r\n"

func (e *expression) blanks() { e.rest = strings.TrimLeft(e.rest, expressionBlanks) }

// take reads one of some signs. Longer ones come first.
func (e *expression) take(signs ...string) bool {
	e.blanks()
	for _, s := range signs {
		if strings.HasPrefix(e.rest, s) {
			e.rest = e.rest[len(s):]
			return true
		}
	}
	return false
}

// word reads one of some words, in whichever case.
func (e *expression) word(words ...string) bool {
	e.blanks()
	n := 0
	for n < len(e.rest) && (nameByte(e.rest[n]) || e.rest[n] == '.') {
		n++
	}
	if !slices.Contains(words, strings.ToLower(e.rest[:n])) {
		return false
	}
	e.rest = e.rest[n:]
	return true
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || isDigit(c)
}

func literal(word string) bool {
	switch strings.ToLower(word) {
	case "true", "false", "null", "nil", "none":
		return true
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
