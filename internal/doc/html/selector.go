package html

import (
	"fmt"
	"strings"
)

// Selector is a compiled selector: the alternatives, and what each of them
// selects of the elements it matches.
//
// The language is a small part of CSS: tag, *, .class, #id, [attr], [attr=value],
// [attr^=value], [attr$=value], :nth-child(n) for the nth element around it, several of
// them on one element, `a b` for b
// anywhere below a, `a > b` for b directly below a, and `,` between alternatives.
// Tags and attribute names match in any case, classes, ids and values exactly.
//
// An alternative ends with what it selects: `@name` is the value of that
// attribute; `#text`, or nothing, is every text run below the element. Comments
// and raw text (scripts, styles) below it count as such runs, for a value hidden
// there is a value; runs of white space don't. `#text` is therefore no id: write
// [id=text].
//
// A selector reads from the element it is matched from, which is not itself
// among the candidates. One that begins with `>` looks at that element's children
// alone, and one that is only a target (`@data-id`, `#text`) selects from the
// element itself.
type Selector struct {
	source string
	alts   []alternative
}

// String returns the selector as it was written.
func (s Selector) String() string { return s.source }

// alternative is one way to match: the steps from the outermost to the element.
type alternative struct {
	steps []step
	// attr is the lower-case name of the attribute selected, "" for text.
	attr string
}

// step is what one element has to be, and how it stands to the step before.
type step struct {
	// child says that it stands directly below the element of the step before
	// (of the first step: directly below the element matched from).
	child   bool
	tag     string // lower case, "" for any
	id      string
	classes []string
	attrs   []condition
	// nth is its place among the elements directly below the one around it, 0 for any.
	nth int
}

// condition is `[name]`, or a comparison of the attribute's value.
type condition struct {
	name  string // lower case
	op    byte   // 0 (present), '=', '^' or '$'
	value string
}

// CompileSelector reads a selector. The error names the position (counted in
// bytes from 1) and what to write instead.
func CompileSelector(source string) (Selector, error) {
	c := compiler{s: source}
	sel := Selector{source: source}
	for {
		alt, err := c.alternative()
		if err != nil {
			return Selector{}, err
		}
		sel.alts = append(sel.alts, alt)
		if c.i == len(c.s) {
			return sel, nil
		}
		c.i++ // the comma
	}
}

// compiler reads a selector from left to right.
type compiler struct {
	s string
	i int
}

func (c *compiler) fault(what string) error {
	return fmt.Errorf("selector %q, position %d: %s", c.s, c.i+1, what)
}

func (c *compiler) peek() byte {
	if c.i < len(c.s) {
		return c.s[c.i]
	}
	return 0
}

// space skips white space and reports whether there was any.
func (c *compiler) space() bool {
	from := c.i
	for c.i < len(c.s) && isSpace(c.s[c.i]) {
		c.i++
	}
	return c.i > from
}

// alternative reads up to a comma or the end.
func (c *compiler) alternative() (alternative, error) {
	var a alternative
	c.space()
	for child := c.combinator(); ; {
		if c.atTarget() {
			if len(a.steps) == 0 && child || len(a.steps) > 0 && (child || isSpace(c.s[c.i-1])) {
				return a, c.fault("a target belongs to an element: write it without a space behind it, or * before it")
			}
			return a, c.target(&a)
		}
		st, err := c.step()
		if err != nil {
			return a, err
		}
		st.child = child
		a.steps = append(a.steps, st)
		if c.atTarget() {
			return a, c.target(&a)
		}
		spaced := c.space()
		if c.i == len(c.s) || c.peek() == ',' {
			return a, nil
		}
		if child = c.combinator(); !child && !spaced {
			return a, c.fault("expected a space, >, a comma or the end")
		}
	}
}

func (c *compiler) combinator() bool {
	if c.peek() != '>' {
		return false
	}
	c.i++
	c.space()
	return true
}

// atTarget reports whether a target stands here: @name, or #text as a whole word.
func (c *compiler) atTarget() bool {
	const text = "#text"
	rest := c.s[c.i:]
	if !strings.HasPrefix(rest, text) {
		return c.peek() == '@'
	}
	return len(rest) == len(text) || !isName(rest[len(text)])
}

func (c *compiler) target(a *alternative) error {
	c.i++ // @ or #
	word, err := c.name("an attribute's name")
	if err != nil {
		return err
	}
	if c.s[c.i-len(word)-1] == '@' {
		a.attr = lower([]byte(word))
	}
	if c.space(); c.i < len(c.s) && c.peek() != ',' {
		return c.fault("nothing but a comma can follow a target")
	}
	return nil
}

// step reads the conditions on one element.
func (c *compiler) step() (step, error) {
	var st step
	from := c.i
	if c.peek() == '*' {
		c.i++
	} else if isName(c.peek()) {
		word, _ := c.name("")
		st.tag = lower([]byte(word))
	}
	for !c.atTarget() {
		var err error
		switch c.peek() {
		case '.':
			c.i++
			var class string
			class, err = c.name("a class after the dot")
			st.classes = append(st.classes, class)
		case '#':
			c.i++
			if st.id != "" {
				return st, c.fault("an element has one id")
			}
			st.id, err = c.name("an id after #")
		case '[':
			var cond condition
			cond, err = c.condition()
			st.attrs = append(st.attrs, cond)
		case ':':
			st.nth, err = c.nthChild()
		default:
			if c.i == from {
				return st, c.fault("expected a tag, *, .class, #id, [attribute] or a target")
			}
			return st, nil
		}
		if err != nil {
			return st, err
		}
	}
	return st, nil
}

// nthChild reads `:nth-child(3)`.
func (c *compiler) nthChild() (int, error) {
	const word, most = ":nth-child(", 999
	if !strings.HasPrefix(c.s[c.i:], word) {
		return 0, c.fault("pseudo classes are not known, but :nth-child(3): use tags, classes, ids and attributes")
	}
	c.i += len(word)
	n := 0
	from := c.i
	for c.i < len(c.s) && '0' <= c.peek() && c.peek() <= '9' && n <= most {
		n = n*10 + int(c.peek()-'0')
		c.i++
	}
	if c.i == from || n == 0 || n > most || c.peek() != ')' {
		return 0, c.fault("expected a number from 1 to 999 and a bracket: :nth-child(3)")
	}
	c.i++
	return n, nil
}

// Void returns the tag of an element that the selector selects the texts of and that
// can't hold any; "" where there is none.
func (s Selector) Void() string {
	for i := range s.alts {
		if a := &s.alts[i]; a.attr == "" && len(a.steps) > 0 {
			switch tag := a.steps[len(a.steps)-1].tag; tag {
			case "input", "img", "meta", "link", "source", "embed":
				return tag
			}
		}
	}
	return ""
}

// condition reads [name], [name=value], [name^=value] or [name$=value].
func (c *compiler) condition() (condition, error) {
	c.i++
	c.space()
	word, err := c.name("an attribute's name after [")
	if err != nil {
		return condition{}, err
	}
	cond := condition{name: lower([]byte(word))}
	c.space()
	switch op := c.peek(); op {
	case ']':
		c.i++
		return cond, nil
	case '=':
		cond.op = '='
	case '^', '$':
		c.i++
		if cond.op = op; c.peek() != '=' {
			return cond, c.fault("expected = after " + string(op))
		}
	default:
		return cond, c.fault("expected ], =, ^= or $=")
	}
	c.i++
	c.space()
	if cond.value, err = c.value(); err != nil {
		return cond, err
	}
	if c.space(); c.peek() != ']' {
		return cond, c.fault("expected ]; put a value with other characters than letters, digits, - and _ in quotes")
	}
	c.i++
	if cond.value == "" && cond.op != '=' {
		return cond, c.fault("an empty value matches nothing: write [" + cond.name + "]")
	}
	return cond, nil
}

func (c *compiler) value() (string, error) {
	quote := c.peek()
	if quote != '"' && quote != '\'' {
		return c.name("a value")
	}
	c.i++
	n := strings.IndexByte(c.s[c.i:], quote)
	if n < 0 {
		return "", c.fault("the value's closing quote is missing")
	}
	v := c.s[c.i : c.i+n]
	c.i += n + 1
	if strings.Contains(v, `\`) {
		return "", c.fault(`escapes with \ are not known: use the other kind of quotes`)
	}
	return v, nil
}

func (c *compiler) name(what string) (string, error) {
	from := c.i
	for c.i < len(c.s) && isName(c.s[c.i]) {
		c.i++
	}
	if c.i == from {
		return "", c.fault("expected " + what)
	}
	return c.s[from:c.i], nil
}

func isName(c byte) bool { return isAlnum(c) || c == '-' || c == '_' || c >= 0x80 }
