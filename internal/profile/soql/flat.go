package soql

import (
	"slices"
	"strings"
)

// Languages whose rows are flat: a row holds what was asked for, each value under the
// name by which it was.
const (
	coql = "COQL"
	vtql = "VTQL"
)

// ParseCOQL reads a query in Zoho's language: paths of lookups, aggregates, names for
// columns behind AS, conditions in brackets, groups.
func ParseCOQL(s string) (*Query, error) { return parseFlat(coql, s) }

// ParseVTQL reads a query in vtiger's language: fields of one module, `*` or
// `count(*)`, conditions without brackets.
func ParseVTQL(s string) (*Query, error) { return parseFlat(vtql, s) }

func parseFlat(language, s string) (*Query, error) {
	p, err := newParser(language, s, 0)
	if err != nil {
		return nil, err
	}
	f := &flat{parser: p, level: &Level{Columns: map[string]Column{}, Fields: map[string]bool{}}, s: newScope("")}
	if err := f.query(); err != nil {
		return nil, err
	}
	p.q.Rows[""] = f.level
	return p.q, p.end()
}

// flat reads a query whose rows are flat.
type flat struct {
	*parser
	level *Level
	s     *scope
}

func (f *flat) rich() bool { return f.language == coql }

func (f *flat) query() error {
	if !f.words("select") {
		return f.wrong("SELECT is expected")
	}
	// What names mean is told by FROM, which stands behind them.
	list := f.i
	for t := f.peek(); !t.is("from"); t = f.peek() {
		if t.kind == tokenEnd {
			return f.wrong("FROM is expected")
		}
		f.i++
	}
	f.i++
	t := f.next()
	if t.kind != tokenName || isFlatWord(t.text) {
		return f.fail(t.at, "the name of what is asked for is expected")
	}
	f.s.from = t.text
	f.q.Objects = []string{t.text}
	behind := f.i
	f.i = list
	if err := f.list(); err != nil {
		return err
	}
	if !f.words("from") {
		return f.wrong("FROM, or a further field behind a comma, is expected")
	}
	f.i = behind
	return f.flatClauses()
}

// list reads what is selected.
func (f *flat) list() error {
	if !f.rich() && f.sign("*") {
		f.level.Fields = nil
		return nil
	}
	for {
		if err := f.selected(); err != nil {
			return err
		}
		if !f.sign(",") {
			return nil
		}
	}
}

// selected reads one column.
func (f *flat) selected() error {
	at := f.peek().at
	if f.after().isSign("(") {
		return f.aggregate()
	}
	path, err := f.flatPath()
	if err != nil {
		return err
	}
	field := f.s.field(path)
	f.q.add(Select, field)
	name := strings.ToLower(strings.Join(path, "."))
	if f.words("as") {
		return f.named(Column{[]Field{field}})
	}
	if len(path) == 1 {
		if _, twice := f.level.Columns[name]; twice {
			return f.fail(at, "a column's name stands twice")
		}
		f.level.Fields[name] = true
		return nil
	}
	return f.column(name, Column{[]Field{field}}, at)
}

// aggregate reads a function of all records' values.
func (f *flat) aggregate() error {
	at := f.peek().at
	word := strings.ToLower(f.next().text)
	known := []string{"count"}
	if f.rich() {
		known = []string{"count", "sum", "max", "min", "avg"}
	}
	if !slices.Contains(known, word) {
		return f.fail(at, "a function is not served")
	}
	f.i++ // the bracket
	f.level.Grouped = true
	c, name := Column{}, word+"(*)"
	if word != "count" || !f.sign("*") {
		if !f.rich() {
			return f.wrong("count is written count(*)")
		}
		path, err := f.flatPath()
		if err != nil {
			return err
		}
		field := f.s.field(path)
		f.q.add(Select, field)
		f.q.add(Aggregate, field)
		if name = word + "(" + strings.ToLower(strings.Join(path, ".")) + ")"; word != "count" {
			c.Fields = []Field{field}
		}
	}
	if err := f.expect(")", "the brackets of a function aren't closed, or hold more than one field"); err != nil {
		return err
	}
	if f.words("as") {
		return f.named(c)
	}
	if !f.rich() {
		name = "count" // and whatever else stands in the row is masked
	}
	return f.column(name, c, at)
}

// named reads the name that the query gives to a column.
func (f *flat) named(c Column) error {
	t := f.next()
	if !f.rich() || t.kind != tokenName || isFlatWord(t.text) {
		return f.fail(t.at, "a column's name is expected")
	}
	return f.column(strings.ToLower(t.text), c, t.at)
}

func (f *flat) column(name string, c Column, at int) error {
	if _, twice := f.level.Columns[name]; twice || f.level.Fields[name] {
		return f.fail(at, "a column's name stands twice")
	}
	f.level.Columns[name] = c
	return nil
}

// flatClauses reads what stands behind FROM.
func (f *flat) flatClauses() error {
	if f.words("where") {
		if err := f.flatCondition(); err != nil {
			return err
		}
	}
	if f.rich() && f.words("group", "by") {
		f.level.Grouped = true
		if err := f.fields(Group); err != nil {
			return err
		}
	}
	if f.words("order", "by") {
		if err := f.fields(Sort); err != nil {
			return err
		}
	}
	if err := f.flatBounds(); err != nil {
		return err
	}
	if !f.rich() {
		f.sign(";")
	}
	return nil
}

// flatBounds reads how many rows are asked for: `limit 5`, `limit 10, 5`, `limit 5
// offset 10`, `offset 10`.
func (f *flat) flatBounds() error {
	if f.words("limit") {
		if err := f.count(); err != nil {
			return err
		}
		if f.sign(",") {
			return f.count()
		}
	}
	if f.rich() && f.words("offset") {
		return f.count()
	}
	return nil
}

// fields reads a list of fields in a role, with directions where they are sorted by.
func (f *flat) fields(role Role) error {
	for {
		path, err := f.flatPath()
		if err != nil {
			return err
		}
		f.q.add(role, f.s.field(path))
		if role == Sort {
			f.word("asc", "desc")
		}
		if !f.sign(",") {
			return nil
		}
	}
}

// flatCondition reads conditions with AND and OR between them.
func (f *flat) flatCondition() error {
	if err := f.deeper(); err != nil {
		return err
	}
	defer func() { f.depth-- }()
	for {
		var err error
		if f.rich() && f.sign("(") {
			if err = f.flatCondition(); err == nil {
				err = f.expect(")", "a bracket isn't closed")
			}
		} else {
			err = f.flatComparison()
		}
		if err != nil {
			return err
		}
		if f.word("and", "or") == "" {
			return nil
		}
	}
}

// flatComparison reads a field, how it is compared, and with what.
func (f *flat) flatComparison() error {
	path, err := f.flatPath()
	if err != nil {
		return err
	}
	f.q.add(Filter, f.s.field(path))
	if t := f.peek(); t.kind == tokenSign && slices.Contains([]string{"=", "!=", "<", "<=", ">", ">="}, t.text) {
		f.i++
		return f.flatValue()
	}
	if f.rich() && f.words("is") {
		f.words("not")
		if !f.words("null") {
			return f.wrong("IS NULL or IS NOT NULL is expected")
		}
		return nil
	}
	if f.rich() {
		f.words("not")
	}
	switch {
	case f.words("like"):
		return f.flatValue()
	case f.words("in"):
		return f.flatValues()
	case f.rich() && f.words("between"):
		if err := f.flatValue(); err != nil {
			return err
		}
		if !f.words("and") {
			return f.wrong("BETWEEN is written BETWEEN value AND value")
		}
		return f.flatValue()
	}
	return f.wrong("a field isn't compared with anything, or in a way that is not served")
}

func (f *flat) flatValues() error {
	if err := f.expect("(", "a list of values is expected"); err != nil {
		return err
	}
	for {
		if err := f.flatValue(); err != nil {
			return err
		}
		if f.sign(")") {
			return nil
		}
		if err := f.expect(",", "a list of values isn't closed"); err != nil {
			return err
		}
	}
}

// flatValue reads one value. A name is none: the service could take it for a field's.
func (f *flat) flatValue() error {
	t := f.next()
	switch {
	case t.kind == tokenText, t.kind == tokenNumber, t.kind == tokenDate, t.is("true"), t.is("false"), f.rich() && t.is("null"):
		return nil
	}
	return f.fail(t.at, "a value is expected: a text in single quotes, or a number")
}

// flatPath reads names with dots between them; where there are no lookups one name.
func (f *flat) flatPath() ([]string, error) {
	t := f.peek()
	if t.kind == tokenName && isFlatWord(t.text) {
		return nil, f.wrong("a field's name is expected")
	}
	path, err := f.path()
	if err == nil && len(path) > 1 && !f.rich() {
		return nil, f.fail(t.at, "a field's name has no dots")
	}
	return path, err
}

// isFlatWord reports whether a word is one of the languages' own.
func isFlatWord(word string) bool {
	return isReserved(word) || slices.Contains([]string{"as", "between", "by", "false", "is", "offset", "order", "true"}, strings.ToLower(word))
}

// plainText finds the end of a text in single quotes of a flat language. How these
// write a quote within one isn't known for each version of the services: a text that
// can be read in two ways is refused.
func (p *parser) plainText(start int) (int, error) {
	for i := start + 1; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '\'' && i+1 < len(p.s) && p.s[i+1] == '\'':
			return 0, p.fail(i, "a text holds a quote")
		case c == '\'':
			return i + 1, nil
		case c == '\\':
			return 0, p.fail(i, "a text holds a backslash")
		case c < ' ' || c == 0x7f:
			return 0, p.fail(i, "a text holds a control character")
		}
	}
	return 0, p.fail(start, "a text isn't closed")
}
