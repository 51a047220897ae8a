package soql

import "strings"

// ParseSearch reads a search in SOSL.
func ParseSearch(s string) (*Query, error) {
	from, err := find(s)
	if err != nil {
		return nil, err
	}
	p, err := newParser("SOSL", s, from)
	if err != nil {
		return nil, err
	}
	group := "all"
	if p.words("in") {
		if group = p.word("all", "name", "email", "phone", "sidebar"); group == "" || !p.words("fields") {
			return nil, p.wrong("IN names one of ALL FIELDS, NAME FIELDS, EMAIL FIELDS, PHONE FIELDS and SIDEBAR FIELDS")
		}
	}
	if !p.words("returning") {
		return nil, p.wrong("RETURNING is expected, with the objects that are searched: without it all are")
	}
	for {
		if err := p.object(group); err != nil {
			return nil, err
		}
		if !p.sign(",") {
			break
		}
	}
	for p.words("with") {
		if err := p.with(); err != nil {
			return nil, err
		}
	}
	if p.words("limit") {
		if err := p.count(); err != nil {
			return nil, err
		}
	}
	if err := p.updates(); err != nil {
		return nil, err
	}
	return p.q, p.end()
}

// find is the place behind FIND and the text in braces. A brace in it, or a quote
// that isn't closed, would be read in more than one way.
func find(s string) (int, error) {
	p := &parser{language: "SOSL", s: s}
	i := len(s) - len(strings.TrimLeft(s, " \t\r\n"))
	if len(s) < i+len("find") || !strings.EqualFold(s[i:i+len("find")], "find") {
		return 0, p.fail(i, "FIND is expected")
	}
	i += len("find")
	i += len(s[i:]) - len(strings.TrimLeft(s[i:], " \t\r\n"))
	if i >= len(s) || s[i] != '{' {
		return 0, p.fail(i, "FIND is followed by a text in braces")
	}
	quoted := false
	for i++; i < len(s); i++ {
		switch c := s[i]; {
		case c == '}' && !quoted:
			return i + 1, nil
		case c == '{', c == '}', c < ' ' && c != '\t' && c != '\r' && c != '\n', c == 0x7f:
			return 0, p.fail(i, "a text that is searched for holds a brace or a control character")
		case c == '"':
			quoted = !quoted
		case c == '\\':
			if i+1 >= len(s) || strings.IndexByte(`?&|!{}[]()^~*:\"'+-`, s[i+1]) < 0 {
				return 0, p.fail(i, "a text that is searched for holds a backslash before something that can't be escaped")
			}
			i++
		}
	}
	return 0, p.fail(len(s), "a text that is searched for isn't closed")
}

// object reads an object that a search returns, and what of it.
func (p *parser) object(group string) error {
	t := p.peek()
	path, err := p.path()
	if err != nil {
		return err
	}
	if len(path) > 1 || !p.q.Returning(path[0], group) {
		return p.fail(t.at, "an object stands twice, or is no plain name")
	}
	if !p.sign("(") {
		return nil
	}
	s := newScope(path[0])
	level, err := p.returned(s)
	if err != nil {
		return err
	}
	p.q.returns(path[0], level)
	if p.words("where") {
		if err := p.condition(s); err != nil {
			return err
		}
	}
	if p.words("order", "by") {
		if err := p.order(s); err != nil {
			return err
		}
	}
	if err := p.bounds(); err != nil {
		return err
	}
	return p.expect(")", "the brackets of an object aren't closed, or hold a clause that is not served")
}

// returned reads the fields of an object that a search returns.
func (p *parser) returned(s *scope) (*Level, error) {
	sel, err := p.selection()
	if err != nil {
		return nil, err
	}
	level := &Level{Columns: map[string]Column{}}
	for _, it := range sel.items {
		if it.groups {
			return nil, p.fail(it.at, "a search returns no groups")
		}
	}
	if len(sel.subs) > 0 {
		return nil, p.wrong("a search has no queries in its lists of fields")
	}
	behind := p.i
	if err := p.within(s, sel, level); err != nil {
		return nil, err
	}
	p.i = behind
	return level, p.columns(s, sel, level, false)
}

// with reads what else a search says.
func (p *parser) with() error {
	switch word := p.word("highlight", "snippet", "division", "metadata", "network", "pricebookid", "spell_correction"); word {
	case "highlight":
		return nil
	case "snippet":
		if p.sign("(") {
			if !p.words("target_length") || !p.sign("=") || !p.whole() || !p.sign(")") {
				return p.wrong("SNIPPET is written SNIPPET(target_length=120)")
			}
		}
		return nil
	case "":
		return p.wrong("a clause of WITH is not served")
	case "network":
		if p.words("in") {
			return p.values()
		}
	}
	if err := p.expect("=", "a clause of WITH has no value"); err != nil {
		return err
	}
	return p.value()
}
