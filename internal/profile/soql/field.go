package soql

import (
	"slices"
	"strings"
)

// scope is what names mean in one query.
type scope struct {
	// from and base lead to the query's own object: base are the relationships, for a
	// query in a list of fields.
	from string
	base []string
	// names are what the query calls objects, in lower case, with what leads to each.
	names map[string][]string
	// filter: the query is compared with, and what it selects is a condition.
	filter bool
}

func newScope(object string) *scope { return &scope{from: object, names: map[string][]string{}} }

// field is the field that a path of names stands for.
func (s *scope) field(path []string) Field {
	if way, ok := s.names[strings.ToLower(path[0])]; ok && len(path) > 1 {
		return Field{s.from, slices.Concat(s.base, way, path[1:])}
	}
	return Field{s.from, slices.Concat(s.base, path)}
}

// expression is a field, or a function with fields in it.
type expression struct {
	paths [][]string
	// plain: no function stands around the field.
	plain bool
	// counts: its value is a number of rows, none of a field's.
	counts bool
	// asks: its value is computed of several records, or of a part of the value.
	asks bool
	// groups: it makes the query's rows groups of records.
	groups bool
	// renders: it is the field's value in another notation.
	renders bool
	// rendered: a function for another notation stands outermost. Without an alias it
	// stands in a row under the field's name, or as an expression.
	rendered bool
}

func aggregates() []string { return []string{"avg", "count_distinct", "max", "min", "sum", "grouping"} }

func dateFunctions() []string {
	return []string{
		"calendar_month", "calendar_quarter", "calendar_year", "day_in_month", "day_in_week", "day_in_year", "day_only",
		"fiscal_month", "fiscal_quarter", "fiscal_year", "hour_in_day", "week_in_month", "week_in_year",
	}
}

// isFunction reports whether a word before a bracket is one of the language's.
func isFunction(word string) bool {
	return slices.Contains([]string{"count", "format", "tolabel", "convertcurrency", "converttimezone", "distance"}, word) ||
		slices.Contains(aggregates(), word) || slices.Contains(dateFunctions(), word)
}

// expression reads a field, or a function.
func (p *parser) expression() (expression, error) {
	if !p.after().isSign("(") {
		path, err := p.path()
		return expression{paths: [][]string{path}, plain: true}, err
	}
	t := p.peek()
	word := strings.ToLower(t.text)
	if t.kind != tokenName || !isFunction(word) {
		return expression{}, p.wrong("a function is not served")
	}
	p.i += 2
	if err := p.deeper(); err != nil {
		return expression{}, err
	}
	defer func() { p.depth-- }()
	if word == "count" && p.sign(")") {
		return expression{counts: true, groups: true, asks: true}, nil
	}
	if word == "distance" {
		return p.distance()
	}
	e, err := p.expression()
	if err != nil {
		return e, err
	}
	if err := p.expect(")", "the brackets of a function aren't closed, or hold more than one field"); err != nil {
		return e, err
	}
	return e, p.function(&e, word, t.at)
}

// function says what a function makes of what stands in it.
func (p *parser) function(e *expression, word string, at int) error {
	renders := slices.Contains([]string{"format", "tolabel", "convertcurrency"}, word)
	switch {
	case renders && e.counts && word != "format", !renders && !e.plain && !e.renders:
		return p.fail(at, "a function stands around another one that it can't have in it")
	case renders:
		e.renders = e.plain || e.renders
	case word == "converttimezone":
		if !e.plain {
			return p.fail(at, "a function stands around another one that it can't have in it")
		}
		e.renders = true
	case slices.Contains(dateFunctions(), word):
		e.asks, e.renders = true, false
	default:
		e.asks, e.groups, e.renders = true, true, false
		e.counts = word == "count" || word == "count_distinct" || word == "grouping"
	}
	e.plain, e.rendered = false, renders
	return nil
}

// distance reads the places and the unit of DISTANCE.
func (p *parser) distance() (expression, error) {
	e := expression{asks: true}
	for range 2 {
		if p.peek().is("geolocation") && p.after().isSign("(") {
			p.i += 2
			if p.next().kind != tokenNumber || !p.sign(",") || p.next().kind != tokenNumber || !p.sign(")") {
				return e, p.wrong("a place is written GEOLOCATION(latitude, longitude)")
			}
		} else {
			path, err := p.path()
			if err != nil {
				return e, err
			}
			e.paths = append(e.paths, path)
		}
		if err := p.expect(",", "DISTANCE has two places and a unit"); err != nil {
			return e, err
		}
	}
	if p.next().kind != tokenText || !p.sign(")") {
		return e, p.wrong("DISTANCE has two places and a unit")
	}
	return e, nil
}

// maxSteps is how many names a path may have.
const maxSteps = 8

// path reads names with dots between them.
func (p *parser) path() ([]string, error) {
	var path []string
	for {
		t := p.peek()
		if t.kind != tokenName || len(path) == 0 && isReserved(t.text) {
			return nil, p.wrong("a field's name is expected")
		}
		p.i++
		if path = append(path, t.text); len(path) > maxSteps {
			return nil, p.wrong("a field's path is too long")
		}
		if !p.sign(".") {
			return path, nil
		}
	}
}

// isReserved reports whether a word is none for a field, an object or an alias.
func isReserved(word string) bool {
	return slices.Contains([]string{
		"and", "asc", "desc", "excludes", "first", "from", "group", "having", "in", "includes", "last", "like",
		"limit", "not", "null", "nulls", "or", "select", "using", "where", "with",
	}, strings.ToLower(word))
}

// note notes the fields of an expression in a role.
func (p *parser) note(s *scope, role Role, e expression) []Field {
	fields := make([]Field, 0, len(e.paths))
	for _, path := range e.paths {
		fields = append(fields, s.field(path))
	}
	p.q.add(role, fields...)
	return fields
}
