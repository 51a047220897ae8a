// Package soql reads what a query in SOQL asks about, and a search in SOSL, and the
// parts of them that stand in a parameterised search; and queries in languages made
// after its model, COQL and VTQL. It knows no CRM: it yields
// names, and who calls it knows what they are.
//
// The reading is strict. What isn't understood to the last character is refused,
// because the service could take it for a question about a field. Refusals name the
// place and what isn't understood, and quote nothing.
package soql

import (
	"fmt"
	"slices"
	"strings"
)

// Role is what a query does with a field.
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

// Field is a field by the way to it.
type Field struct {
	// From is the object from which Path leads on.
	From string
	// Path are the relationships that lead to the field, and the field. The first of
	// several can be the object's own name.
	Path []string
}

// Ref is a field that a query names. Of a search the field is the group of fields
// that is searched: `name fields`.
type Ref struct {
	Role Role
	Field
}

// Column is what stands in a row under a name that the query made up: a value of
// one of the fields, or a number of rows where there is none.
type Column struct{ Fields []Field }

// Level is what rows of the answer hold: those of the query itself, of a query in
// its list of fields, or of one kind of record that a search returns.
type Level struct {
	// Columns are the names that the query made up, in lower case.
	Columns map[string]Column
	// Fields are the fields, in lower case, that stand in the rows under their own names,
	// where nothing else does but an id; nil where other fields can.
	Fields map[string]bool
	// Grouped says that the rows are no records: they hold the columns alone.
	Grouped bool
	// Subs are the queries in the list of fields, by the relationship in lower case.
	Subs map[string]*Level
}

// Query is what is asked.
type Query struct {
	// Objects are all that are named as such, in their order; the query's own is the
	// first.
	Objects []string
	Refs    []Ref
	// Names are those that the query gives to objects.
	Names []Name
	// Rows are the answer's rows: of a query by "", of a search by the object's name in
	// lower case.
	Rows map[string]*Level
}

// Name is what a query calls an object, and where it does: the way from an object to
// the one that the names of fields lead on from. No relationship of that may be called
// so, too.
type Name struct {
	Name string
	Field
}

// SyntaxError says what isn't served, and where. It quotes nothing.
type SyntaxError struct {
	// Language is the language's name.
	Language string
	// Position is the character, counted from 1.
	Position int
	Text     string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s, character %d: %s", e.Language, e.Position, e.Text)
}

// Level returns the rows of an object, nil where the query doesn't ask for such.
func (q *Query) Level(object string) *Level {
	if l, ok := q.Rows[""]; ok {
		return l
	}
	return q.Rows[strings.ToLower(object)]
}

// add notes a field; one that was noted before isn't noted again.
func (q *Query) add(role Role, fields ...Field) {
	for _, f := range fields {
		same := func(o Ref) bool {
			return o.Role == role && o.From == f.From && slices.Equal(o.Path, f.Path)
		}
		if !slices.ContainsFunc(q.Refs, same) {
			q.Refs = append(q.Refs, Ref{role, f})
		}
	}
}

// ParseQuery reads a query in SOQL.
func ParseQuery(s string) (*Query, error) {
	p, err := newParser("SOQL", s, 0)
	if err != nil {
		return nil, err
	}
	level, err := p.query(&scope{})
	if err != nil {
		return nil, err
	}
	p.q.Rows[""] = level
	return p.q, p.end()
}

// ParseFilter reads a condition of a query that stands by itself.
func ParseFilter(q *Query, object, s string) error {
	p, err := newParser("SOQL", s, 0)
	if err != nil {
		return err
	}
	p.q = q
	if err := p.condition(newScope(object)); err != nil {
		return err
	}
	return p.end()
}

// ParseOrder reads what a query is sorted by, where it stands by itself.
func ParseOrder(q *Query, object, s string) error {
	p, err := newParser("SOQL", s, 0)
	if err != nil {
		return err
	}
	p.q = q
	if err := p.order(newScope(object)); err != nil {
		return err
	}
	return p.end()
}

// ParseFields reads a list of fields, without queries in it.
func ParseFields(q *Query, object, s string) error {
	p, err := newParser("SOQL", s, 0)
	if err != nil {
		return err
	}
	p.q = q
	level, err := p.returned(newScope(object))
	if err != nil {
		return err
	}
	q.returns(object, level)
	return p.end()
}

// Searching starts a query of its own for a search whose parts stand elsewhere.
func Searching() *Query { return &Query{Rows: map[string]*Level{}} }

// Returning notes an object that a search returns, and the group of its fields that
// is searched: ALL, NAME, EMAIL, PHONE or SIDEBAR. It reports whether there is such
// a group, and the object wasn't noted before.
func (q *Query) Returning(object, group string) bool {
	name := strings.ToLower(object)
	group = strings.ToLower(group)
	if _, twice := q.Rows[name]; twice || !isName(object) || !isGroup(group) {
		return false
	}
	q.Objects = append(q.Objects, object)
	q.Rows[name] = &Level{}
	q.add(Search, Field{object, []string{group + " fields"}})
	return true
}

func isGroup(word string) bool {
	return slices.Contains([]string{"all", "name", "email", "phone", "sidebar"}, word)
}

// returns adds the columns of a list of fields to those of the object.
func (q *Query) returns(object string, level *Level) { q.Rows[strings.ToLower(object)] = level }

// isName reports whether a text is a plain name.
func isName(s string) bool {
	for i := range len(s) {
		if !nameByte(s[i]) || i == 0 && !letter(s[i]) {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

const maxName = 255

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func nameByte(c byte) bool { return letter(c) || c >= '0' && c <= '9' || c == '_' }
