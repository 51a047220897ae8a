// Package odata reads what requests of OData v4 ask about: resource paths and query
// options, and FetchXML, which Dataverse takes beside them. It knows no CRM: it
// yields names, and who calls it knows what they are.
//
// The reading is strict. What isn't understood to the last character is refused,
// because the service could take it for a question about a field.
package odata

import (
	"slices"
	"strings"
)

// Role is what a request does with a field.
type Role string

// The roles. All but Select ask about values.
const (
	Select    Role = "select"
	Filter    Role = "filter"
	Sort      Role = "sort"
	Group     Role = "group"
	Aggregate Role = "aggregate"
	Search    Role = "search"
)

// Ref is a field that a request names.
type Ref struct {
	Role Role
	// From is the type from which Path leads on; "" is the resource's own.
	From string
	// Path are the navigation properties that lead to the field, and the field,
	// which can be a navigation property itself.
	Path []string
	// ID says that the field is compared with ids or with nothing at all, not with
	// what the record that it leads to is called.
	ID bool
}

// Column is what stands in an answer under a name that the request made up.
type Column struct {
	From string
	Path []string
	// Public: a number of rows, no value of any.
	Public bool
}

// Query is what a request asks.
type Query struct {
	Refs []Ref
	// Columns are the names that the request made up.
	Columns map[string]Column
	// Tables are the names that FetchXML gave to linked types: columns of theirs are
	// called `name.column`.
	Tables map[string]string
	// Type is the type that FetchXML asks for, "" without it.
	Type string
	// Grouped says that rows of the answer are no records.
	Grouped bool
}

// SyntaxError says what isn't served. Its text quotes nothing of the request.
type SyntaxError struct{ Text string }

func (e *SyntaxError) Error() string { return e.Text }

func fail(text string) error { return &SyntaxError{Text: text} }

// add notes a field; one that was noted before isn't noted again.
func (q *Query) add(r Ref) {
	same := func(o Ref) bool {
		return o.Role == r.Role && o.From == r.From && o.ID == r.ID && slices.Equal(o.Path, r.Path)
	}
	if !slices.ContainsFunc(q.Refs, same) {
		q.Refs = append(q.Refs, r)
	}
}

// column notes a name that the request made up. One that stands for two things
// would be read as either.
func (q *Query) column(name string, c Column) error {
	if _, twice := q.Columns[name]; twice || !isAlias(name) {
		return fail("An alias stands twice, or is no plain name.")
	}
	if q.Columns == nil {
		q.Columns = map[string]Column{}
	}
	q.Columns[name] = c
	return nil
}

// isName reports whether a text is a plain name.
func isName(s string) bool {
	for i := range len(s) {
		if !nameByte(s[i]) || i == 0 && s[i] >= '0' && s[i] <= '9' {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// isAlias reports whether a text is a plain name in which no service could see
// another character: Dataverse writes a dot as `_x002e_`.
func isAlias(s string) bool { return isName(s) && !strings.Contains(s, "_x00") }

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// split divides a text at a separator that stands in no quotes and no brackets.
func split(s string, sep byte) ([]string, error) {
	var parts []string
	var open []byte
	quote := byte(0)
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(' || c == '[' || c == '{':
			open = append(open, c)
		case c == ')' || c == ']' || c == '}':
			if len(open) == 0 || !strings.Contains("()[]{}", string([]byte{open[len(open)-1], c})) {
				return nil, fail("Brackets in a query option don't match.")
			}
			open = open[:len(open)-1]
		case c == sep && len(open) == 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	if quote != 0 || len(open) > 0 {
		return nil, fail("Quotes or brackets in a query option don't match.")
	}
	return append(parts, s[start:]), nil
}

// call divides `name(inside)`.
func call(s string) (name, inside string, ok bool) {
	s = strings.Trim(s, " ")
	name, rest, found := strings.Cut(s, "(")
	if !found || !strings.HasSuffix(rest, ")") {
		return "", "", false
	}
	return name, rest[:len(rest)-1], true
}
