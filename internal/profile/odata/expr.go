package odata

import (
	"regexp"
	"strings"
)

// parser reads an expression of $filter or $orderby, and notes the fields in it.
type parser struct {
	s string
	i int
	q *Query
	// role is what the fields are for.
	role Role
	// from and base lead from the resource to where names begin.
	from string
	base []string
	// vars are the variables of lambdas, with what leads to what they stand for.
	vars map[string][]string
	// aliases are the values of parameters.
	aliases map[string]string
	// values: no fields may stand here.
	values bool
	depth  int
	// two: the expression is OData v2's.
	two bool
}

// maxDepth is how deep expressions may stand in each other.
const maxDepth = 40

var (
	guidForm   = regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$`)
	numberForm = regexp.MustCompile(`^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[mMdDfFlL]?$`)
	dateForm   = regexp.MustCompile(`^-?[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?$`)
	timeForm   = regexp.MustCompile(`^[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?$`)
)

// precedence is how strongly an operator binds, 0 for a word that is none.
func precedence(word string) int {
	switch word {
	case "or":
		return 1
	case "and":
		return 2
	case "eq", "ne":
		return 3
	case "gt", "ge", "lt", "le", "has", "in":
		return 4
	case "add", "sub":
		return 5
	case "mul", "div", "divby", "mod":
		return 6
	}
	return 0
}

// isFunction reports whether a word is one of OData's functions. cast and isof take
// types, and case is a language of its own: they aren't served.
func isFunction(word string) bool {
	switch word {
	case "concat", "contains", "endswith", "indexof", "length", "startswith", "substring", "substringof",
		"matchesPattern", "tolower", "toupper", "trim", "hassubset", "hassubsequence",
		"day", "date", "fractionalseconds", "hour", "maxdatetime", "mindatetime", "minute", "month", "now", "second",
		"time", "totaloffsetminutes", "totalseconds", "year", "ceiling", "floor", "round":
		return true
	}
	return false
}

// whole reads an expression that is all of the text.
func (p *parser) whole() error {
	if err := p.expr(1); err != nil {
		return err
	}
	p.spaces()
	if p.i != len(p.s) {
		return fail("An expression goes on where it should end.")
	}
	return nil
}

func (p *parser) spaces() {
	for p.i < len(p.s) && p.s[p.i] == ' ' {
		p.i++
	}
}

func (p *parser) eat(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

// peekWord is the name that stands next, "" for none.
func (p *parser) peekWord() string {
	end := p.i
	for end < len(p.s) && nameByte(p.s[end]) {
		end++
	}
	return p.s[p.i:end]
}

// expr reads operands and the operators between them that bind as strongly as
// least.
func (p *parser) expr(least int) error {
	if p.depth++; p.depth > maxDepth {
		return fail("An expression is nested too deeply.")
	}
	defer func() { p.depth-- }()
	if err := p.unary(); err != nil {
		return err
	}
	for {
		at := p.i
		p.spaces()
		word := p.peekWord()
		binds := precedence(word)
		if binds == 0 || binds < least || p.i == at {
			p.i = at
			return nil
		}
		p.i += len(word)
		if p.i < len(p.s) && p.s[p.i] != ' ' && p.s[p.i] != '(' {
			return fail("A space is missing behind an operator.")
		}
		p.spaces()
		var err error
		if word == "in" && p.i < len(p.s) && p.s[p.i] == '(' {
			p.i++
			err = p.list(')', false)
		} else {
			err = p.expr(binds + 1)
		}
		if err != nil {
			return err
		}
	}
}

func (p *parser) unary() error {
	p.spaces()
	if word := p.peekWord(); word == "not" && p.i+3 < len(p.s) && (p.s[p.i+3] == ' ' || p.s[p.i+3] == '(') {
		p.i += 3
		return p.nested()
	}
	if p.i+1 < len(p.s) && p.s[p.i] == '-' && (p.s[p.i+1] < '0' || p.s[p.i+1] > '9') {
		p.i++
		return p.nested()
	}
	return p.primary()
}

// nested reads an operand one level deeper.
func (p *parser) nested() error {
	if p.depth++; p.depth > maxDepth {
		return fail("An expression is nested too deeply.")
	}
	defer func() { p.depth-- }()
	return p.unary()
}

// list reads expressions with commas between them up to the closing bracket.
func (p *parser) list(closing byte, empty bool) error {
	p.spaces()
	if empty && p.eat(closing) {
		return nil
	}
	for {
		if err := p.expr(1); err != nil {
			return err
		}
		p.spaces()
		if p.eat(closing) {
			return nil
		}
		if !p.eat(',') {
			return fail("A list isn't closed.")
		}
	}
}

// primary reads a value, a field, a function or an expression in brackets.
func (p *parser) primary() error {
	if p.i >= len(p.s) {
		return fail("An expression ends where something should follow.")
	}
	switch c := p.s[p.i]; {
	case c == '(' && !p.values:
		p.i++
		return p.bracketed()
	case c == '\'':
		return p.text('\'')
	case c == '"' && p.values: // in an array
		return p.text('"')
	case c == '[' && p.values:
		p.i++
		return p.list(']', true)
	case c == '@':
		return p.alias()
	case c >= '0' && c <= '9' || c == '-' || c == '+':
		return p.scalar()
	}
	if end := p.scalarEnd(); guidForm.MatchString(p.s[p.i:end]) {
		p.i = end
		return nil
	}
	return p.word()
}

func (p *parser) bracketed() error {
	if err := p.expr(1); err != nil {
		return err
	}
	p.spaces()
	if !p.eat(')') {
		return fail("A bracket isn't closed.")
	}
	return nil
}

// text reads a text in quotes; a quote in it is doubled. A backslash in double
// quotes is read in more than one way.
func (p *parser) text(quote byte) error {
	for p.i++; p.i < len(p.s); p.i++ {
		if quote == '"' && p.s[p.i] == '\\' {
			return fail("A text in an array holds a backslash.")
		}
		if p.s[p.i] != quote {
			continue
		}
		if quote == '\'' && p.i+1 < len(p.s) && p.s[p.i+1] == quote {
			p.i++
			continue
		}
		p.i++
		return nil
	}
	return fail("A text isn't closed.")
}

// alias reads @p, whose value stands in another parameter.
func (p *parser) alias() error {
	p.i++
	name := p.peekWord()
	p.i += len(name)
	value, ok := p.aliases["@"+name]
	if !ok || p.values {
		return fail("A parameter has no value.")
	}
	return p.valueOnly(value)
}

// valueOnly checks that a text is one value, or an array of values.
func (p *parser) valueOnly(s string) error {
	in := &parser{s: s, q: p.q, values: true, depth: p.depth + 1}
	if err := in.primary(); err != nil {
		return err
	}
	if in.i != len(s) {
		return fail("A value is expected, and something else stands behind it.")
	}
	return nil
}

func (p *parser) scalarEnd() int {
	end := p.i
	for end < len(p.s) && (nameByte(p.s[end]) || strings.IndexByte("-+.:", p.s[end]) >= 0) {
		end++
	}
	return end
}

// scalar reads a number, a date, a time or a GUID.
func (p *parser) scalar() error {
	end := p.scalarEnd()
	s := p.s[p.i:end]
	if !numberForm.MatchString(s) && !guidForm.MatchString(s) && !dateForm.MatchString(s) && !timeForm.MatchString(s) && s != "-INF" {
		return fail("A value has a form that the profile does not know.")
	}
	p.i = end
	return nil
}
