package soql

import (
	"regexp"
	"strings"
)

// condition reads conditions with AND and OR between them.
func (p *parser) condition(s *scope) error {
	if err := p.deeper(); err != nil {
		return err
	}
	defer func() { p.depth-- }()
	for {
		for p.words("not") {
			// Any number of them.
		}
		var err error
		if p.sign("(") {
			if err = p.condition(s); err == nil {
				err = p.expect(")", "a bracket isn't closed")
			}
		} else {
			err = p.comparison(s)
		}
		if err != nil {
			return err
		}
		if p.word("and", "or") == "" {
			return nil
		}
	}
}

// comparison reads a field, how it is compared, and with what.
func (p *parser) comparison(s *scope) error {
	e, err := p.expression()
	if err != nil {
		return err
	}
	p.note(s, Filter, e)
	if e.groups {
		p.note(s, Aggregate, e)
	}
	switch {
	case p.peek().kind == tokenSign && strings.ContainsAny(p.peek().text, "=<>"):
		p.i++
		return p.value()
	case p.words("like"):
		return p.value()
	case p.words("in"), p.words("not", "in"):
		if p.peek().isSign("(") && p.after().is("select") {
			return p.join()
		}
		return p.values()
	case p.word("includes", "excludes") != "":
		return p.values()
	}
	return p.wrong("a field isn't compared with anything, or in a way that is not served")
}

// join reads the query whose rows a field is compared with.
func (p *parser) join() error {
	p.i++
	if _, err := p.query(&scope{filter: true}); err != nil {
		return err
	}
	return p.expect(")", "a query in brackets goes on where it should end")
}

// values reads a list of values.
func (p *parser) values() error {
	if err := p.expect("(", "a list of values is expected"); err != nil {
		return err
	}
	for {
		if err := p.value(); err != nil {
			return err
		}
		if p.sign(")") {
			return nil
		}
		if err := p.expect(",", "a list of values isn't closed"); err != nil {
			return err
		}
	}
}

var (
	dateWord   = regexp.MustCompile(`(?i)^(?:yesterday|today|tomorrow|(?:last|this|next)_(?:week|month|quarter|year|fiscal_quarter|fiscal_year)|(?:last|next)_90_days)$`)
	dateCount  = regexp.MustCompile(`(?i)^(?:(?:last|next)_n_(?:days|weeks|months|quarters|years|fiscal_quarters|fiscal_years)|n_(?:days|weeks|months|quarters|years|fiscal_quarters|fiscal_years)_ago)$`)
	amountWord = regexp.MustCompile(`(?i)^[a-z]{3}[0-9]+$`)
)

// value reads one value. A name of something else is none: the service could take
// it for a field's.
func (p *parser) value() error {
	t := p.peek()
	switch {
	case t.kind == tokenText, t.kind == tokenNumber, t.kind == tokenDate:
	case t.is("null"), t.is("true"), t.is("false"), t.kind == tokenName && dateWord.MatchString(t.text):
	case t.kind == tokenName && dateCount.MatchString(t.text):
		p.i++
		if !p.sign(":") || !p.whole() {
			return p.wrong("a number of days, weeks, months, quarters or years is expected")
		}
		return nil
	case t.kind == tokenName && amountWord.MatchString(t.text):
		p.i++
		if p.sign(".") && !p.whole() {
			return p.wrong("an amount has a form that is not known")
		}
		return nil
	default:
		return p.wrong("a value is expected")
	}
	p.i++
	return nil
}

// whole takes a whole number.
func (p *parser) whole() bool {
	t := p.peek()
	if t.kind != tokenNumber || strings.Trim(t.text, "+-0123456789") != "" {
		return false
	}
	p.i++
	return true
}

// count takes a number of rows.
func (p *parser) count() error {
	if t := p.peek(); t.kind == tokenNumber && strings.Trim(t.text, "0123456789") == "" {
		p.i++
		return nil
	}
	return p.wrong("a number of rows is expected")
}
