package soql

import (
	"slices"
	"strings"
)

// item is one of a list of fields.
type item struct {
	expression
	alias string
	at    int
}

// selection is a list of fields.
type selection struct {
	items []item
	// subs are the queries in it, and typed what stands behind TYPEOF: where each begins
	// and ends. They are read when it is known what the query is about.
	subs, typed []span
	// related are the relationships of TYPEOF.
	related [][]string
	// all: fields stand in the rows that the list doesn't name.
	all bool
}

// span are tokens, the last of them not included.
type span struct{ from, to int }

// query reads a query from SELECT on.
func (p *parser) query(s *scope) (*Level, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if !p.words("select") {
		return nil, p.wrong("SELECT is expected")
	}
	sel, err := p.selection()
	if err != nil {
		return nil, err
	}
	if !p.words("from") {
		return nil, p.wrong("FROM, or a further field behind a comma, is expected")
	}
	if err := p.from(s); err != nil {
		return nil, err
	}
	behind := p.i
	level := &Level{Columns: map[string]Column{}, Subs: map[string]*Level{}}
	if err := p.within(s, sel, level); err != nil {
		return nil, err
	}
	p.i = behind
	grouped, err := p.clauses(s)
	if err != nil {
		return nil, err
	}
	return level, p.columns(s, sel, level, grouped)
}

// selection reads a list of fields. What stands in brackets of its own is passed
// over, and read by within.
func (p *parser) selection() (*selection, error) {
	sel := &selection{}
	for {
		t := p.peek()
		var err error
		switch {
		case t.isSign("("):
			from := p.i
			err = p.skip()
			sel.subs = append(sel.subs, span{from, p.i})
		case t.is("typeof") && p.after().kind == tokenName && !p.after().is("from"):
			from := p.i
			for p.peek().kind != tokenEnd && !p.peek().is("end") {
				p.i++
			}
			p.next()
			sel.typed = append(sel.typed, span{from, p.i})
		case t.is("fields") && p.after().isSign("("):
			p.i += 2
			sel.all = true
			if p.word("all", "standard", "custom") == "" || !p.sign(")") {
				err = p.wrong("FIELDS is written FIELDS(ALL), FIELDS(STANDARD) or FIELDS(CUSTOM)")
			}
		default:
			err = p.item(sel)
		}
		if err != nil {
			return nil, err
		}
		if !p.sign(",") {
			return sel, nil
		}
	}
}

func (p *parser) item(sel *selection) error {
	it := item{at: p.peek().at}
	var err error
	if it.expression, err = p.expression(); err != nil {
		return err
	}
	if t := p.peek(); p.isAlias() {
		it.alias = t.text
		p.i++
	}
	sel.items = append(sel.items, it)
	return nil
}

// skip passes over brackets and what is in them.
func (p *parser) skip() error {
	for depth := 0; ; {
		switch t := p.next(); {
		case t.kind == tokenEnd:
			return p.wrong("a bracket isn't closed")
		case t.isSign("("):
			depth++
		case t.isSign(")"):
			if depth--; depth == 0 {
				return nil
			}
		}
	}
}

// from reads the objects of a query, with the names that it gives them.
func (p *parser) from(s *scope) error {
	s.names = map[string][]string{}
	t := p.peek()
	first, err := p.path()
	if err != nil {
		return err
	}
	if len(first) > 1 {
		return p.fail(t.at, "a query is about one object, or, in a list of fields, about one relationship")
	}
	if s.from == "" {
		s.from = first[0]
		p.q.Objects = append(p.q.Objects, first[0])
	} else {
		s.base = slices.Concat(s.base, first)
	}
	if err := p.called(s, nil); err != nil {
		return err
	}
	for p.sign(",") {
		t := p.peek()
		path, err := p.path()
		if err != nil {
			return err
		}
		way, known := s.names[strings.ToLower(path[0])]
		known = known || strings.EqualFold(path[0], s.from)
		if !known || len(path) == 1 {
			return p.fail(t.at, "a further object is one that a relationship of a named object leads to: FROM Contact c, c.Account a")
		}
		if !p.isAlias() {
			return p.wrong("a further object has no name: FROM Contact c, c.Account a")
		}
		way = slices.Concat(way, path[1:])
		p.q.add(Select, Field{s.from, slices.Concat(s.base, way)})
		if err := p.called(s, way); err != nil {
			return err
		}
	}
	return nil
}

// isAlias reports whether the next word is a name that the query gives to what
// stands before it: one that no clause begins with.
func (p *parser) isAlias() bool {
	t, after := p.peek(), p.after()
	if t.kind != tokenName || isReserved(t.text) {
		return false
	}
	switch strings.ToLower(t.text) {
	case "order":
		return !after.is("by")
	case "for":
		return !after.is("view") && !after.is("reference") && !after.is("update")
	case "offset":
		return after.kind != tokenNumber
	case "update":
		return !after.is("tracking") && !after.is("viewstat")
	case "all":
		return !after.is("rows")
	case "set", "as":
		return false
	}
	return true
}

// called reads the name that a query gives to an object. A custom relationship's
// name is none: it would mean two things.
func (p *parser) called(s *scope, way []string) error {
	t := p.peek()
	name := strings.ToLower(t.text)
	if !p.isAlias() {
		return nil
	}
	if _, twice := s.names[name]; twice || strings.Contains(name, "__") || strings.EqualFold(name, s.from) {
		return p.wrong("an object's name stands twice, or is another's")
	}
	p.i++
	s.names[name] = way
	p.q.Names = append(p.q.Names, Name{t.text, Field{s.from, s.base}})
	return nil
}

// within reads what stands in a list of fields and has names of its own.
func (p *parser) within(s *scope, sel *selection, level *Level) error {
	if s.filter && len(sel.subs)+len(sel.typed) > 0 {
		return p.wrong("the query that a field is compared with selects something else than a field")
	}
	for _, at := range sel.subs {
		p.i = at.from + 1
		in := &scope{from: s.from, base: s.base}
		start := p.peek().at
		sub, err := p.query(in)
		if err != nil {
			return err
		}
		if err := p.expect(")", "a query in brackets goes on where it should end"); err != nil {
			return err
		}
		name := strings.ToLower(in.base[len(in.base)-1])
		if level.Subs[name] != nil || sub.Grouped {
			return p.fail(start, "a query in the list of fields stands twice, or groups")
		}
		level.Subs[name] = sub
	}
	for _, at := range sel.typed {
		p.i = at.from + 1
		path, err := p.typeOf(s)
		if err == nil && p.i != at.to {
			err = p.wrong("TYPEOF holds a field that is called END")
		}
		if err != nil {
			return err
		}
		sel.related = append(sel.related, path)
	}
	return nil
}

// typeOf reads `What WHEN Account THEN Phone, Name ELSE Name END`.
func (p *parser) typeOf(s *scope) ([]string, error) {
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	whens := 0
	for ; p.words("when"); whens++ {
		t := p.next()
		if t.kind != tokenName || !p.words("then") {
			return nil, p.wrong("TYPEOF is written TYPEOF relationship WHEN object THEN fields ELSE fields END")
		}
		if err := p.chosen(newScope(t.text), nil); err != nil {
			return nil, err
		}
	}
	if p.words("else") {
		if err := p.chosen(s, path); err != nil {
			return nil, err
		}
	}
	if whens == 0 || !p.words("end") {
		return nil, p.wrong("TYPEOF is written TYPEOF relationship WHEN object THEN fields ELSE fields END")
	}
	return path, nil
}

// chosen reads the fields of one case of TYPEOF.
func (p *parser) chosen(s *scope, base []string) error {
	for {
		path, err := p.path()
		if err != nil {
			return err
		}
		p.q.add(Select, s.field(slices.Concat(base, path)))
		if !p.sign(",") {
			return nil
		}
	}
}

// groups refuses what can't stand beside groups, or beside their number.
func (p *parser) groups(sel *selection, grouped bool) error {
	more := sel.all || len(sel.subs)+len(sel.typed) > 0
	counted := slices.ContainsFunc(sel.items, func(it item) bool { return it.counts && len(it.paths) == 0 })
	switch {
	case grouped && more:
		return p.wrong("a query that groups selects something else than fields and functions")
	case counted && (more || grouped || len(sel.items) > 1 || sel.items[0].alias != ""):
		return p.wrong("COUNT() stands beside something else")
	}
	return nil
}

// columns says what the rows hold under which name.
func (p *parser) columns(s *scope, sel *selection, level *Level, grouped bool) error {
	if s.filter {
		if len(sel.items) != 1 || !sel.items[0].plain || sel.all || grouped {
			return p.wrong("the query that a field is compared with selects something else than a field")
		}
		p.note(s, Filter, sel.items[0].expression)
		return nil
	}
	level.Grouped = grouped || slices.ContainsFunc(sel.items, func(it item) bool { return it.groups && len(it.paths) > 0 })
	if err := p.groups(sel, level.Grouped); err != nil {
		return err
	}
	r := &row{s: s, level: level, taken: map[string]bool{"attributes": true}, all: sel.all}
	for name := range level.Subs {
		r.taken[name] = true
	}
	for _, path := range sel.related {
		r.mark(path)
	}
	for i := range sel.items {
		it := &sel.items[i]
		fields := p.note(s, Select, it.expression)
		if it.asks {
			p.note(s, Aggregate, it.expression)
		}
		if it.counts {
			fields = nil
		}
		r.add(it, Column{fields})
		if r.clash {
			return p.fail(it.at, "a column's name stands twice, or could be a field's")
		}
	}
	r.expressions()
	return nil
}
