package odata

import (
	"slices"
	"strings"
)

// word reads what begins with a name: a word for a value, a function, a value with
// its type before it, or a field.
func (p *parser) word() error {
	if strings.HasPrefix(p.s[p.i:], "$it/") && !p.values {
		p.i += len("$it/")
		return p.field(nil)
	}
	name := p.peekWord()
	if !isName(name) {
		return fail("An expression holds something that the profile does not know.")
	}
	rest := p.s[p.i+len(name):]
	switch {
	case slices.Contains([]string{"null", "true", "false", "INF", "NaN"}, name) && !strings.HasPrefix(rest, "/"):
		p.i += len(name)
		return nil
	case strings.HasPrefix(rest, "'"):
		if !slices.Contains(p.typedValues(), name) {
			return fail("A value has a type that the profile does not know.")
		}
		p.i += len(name)
		return p.text('\'')
	case strings.HasPrefix(rest, "."):
		return p.dotted()
	case p.values:
		return fail("A value is expected where the request has something else.")
	case strings.HasPrefix(rest, "("):
		if !isFunction(name) && (!p.two || name != "replace") {
			return fail("A function is not in the profile.")
		}
		p.i += len(name) + 1
		return p.list(')', true)
	}
	return p.field(p.base)
}

// dotted reads what begins with a name that has dots in it: a function of the
// service's own, or a value of an enumeration. A type in a path isn't served.
func (p *parser) dotted() error {
	end := p.i
	for end < len(p.s) && (nameByte(p.s[end]) || p.s[end] == '.') {
		end++
	}
	name := p.s[p.i:end]
	p.i = end
	switch {
	case p.i < len(p.s) && p.s[p.i] == '\'':
		return p.text('\'')
	case p.i < len(p.s) && p.s[p.i] == '(' && !p.values && !p.two && strings.HasPrefix(name, "Microsoft.Dynamics.CRM."):
		return p.named()
	}
	return fail("A type in a path is not served.")
}

// named reads the parameters of one of Dataverse's functions for queries:
// `(PropertyName='createdon',PropertyValue=7)`.
func (p *parser) named() error {
	start := p.i
	for depth, quote := 0, byte(0); ; p.i++ {
		if p.i >= len(p.s) {
			return fail("A bracket isn't closed.")
		}
		switch c := p.s[p.i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		}
		if p.s[p.i] == ')' && quote == 0 && depth == 0 {
			break
		}
	}
	inside := p.s[start+1 : p.i]
	p.i++
	args, err := split(inside, ',')
	if err != nil {
		return err
	}
	fields := 0
	for _, arg := range args {
		name, value, _ := strings.Cut(strings.Trim(arg, " "), "=")
		value = strings.Trim(value, " ")
		switch name {
		case "PropertyName", "PropertyName1", "PropertyName2":
			fields++
			err = p.quotedField(value)
		case "PropertyValue", "PropertyValue1", "PropertyValue2", "PropertyValues":
			err = p.argument(value)
		default:
			err = fail("A function has a parameter that is not in the profile.")
		}
		if err != nil {
			return err
		}
	}
	if fields == 0 {
		return fail("A function names no field.")
	}
	return nil
}

// argument checks that a function's parameter is a value.
func (p *parser) argument(value string) error {
	if strings.HasPrefix(value, "@") {
		aliased, ok := p.aliases[value]
		if !ok {
			return fail("A parameter has no value.")
		}
		value = aliased
	}
	return p.valueOnly(value)
}

// quotedField reads the field that a text names.
func (p *parser) quotedField(value string) error {
	if strings.HasPrefix(value, "@") {
		value = p.aliases[value]
	}
	if len(value) < 3 || value[0] != '\'' || value[len(value)-1] != '\'' {
		return fail("A function names no field.")
	}
	in := &parser{s: value[1 : len(value)-1], q: p.q, role: p.role, from: p.from, base: p.base, depth: p.depth + 1}
	steps := strings.Split(in.s, "/")
	for _, s := range steps {
		if !isName(s) {
			return fail("A function names no field.")
		}
	}
	p.note(slices.Concat(p.base, steps), false)
	return nil
}

// field reads a path of properties, the last of them perhaps $count, any or all.
func (p *parser) field(base []string) error {
	if p.values {
		return fail("A value is expected where the request has something else.")
	}
	path := slices.Clone(base)
	for first := true; ; first = false {
		name := p.peekWord()
		if strings.HasPrefix(p.s[p.i:], "$count") && !first {
			p.i += len("$count")
			p.note(path, true)
			return p.ends()
		}
		if !isName(name) {
			return fail("A path holds something else than names.")
		}
		p.i += len(name)
		if (name == "any" || name == "all") && !first && p.eat('(') {
			return p.lambda(path)
		}
		if to, ok := p.vars[name]; ok && first {
			path = slices.Clone(to)
		} else {
			path = append(path, name)
		}
		if !p.eat('/') {
			break
		}
	}
	if len(path) == 0 {
		return fail("A path leads nowhere.")
	}
	p.note(path, false)
	return p.ends()
}

// ends checks that nothing stands behind a path that could belong to it.
func (p *parser) ends() error {
	if p.i < len(p.s) && strings.IndexByte(" ),", p.s[p.i]) < 0 {
		return fail("A path holds something else than names.")
	}
	return nil
}

// lambda reads `v:expression)` for what a path leads to.
func (p *parser) lambda(path []string) error {
	p.spaces()
	p.note(path, true)
	if p.eat(')') {
		return nil
	}
	name := p.peekWord()
	p.i += len(name)
	_, taken := p.vars[name]
	p.spaces()
	if !isName(name) || taken || !p.eat(':') {
		return fail("A lambda is written v:expression, each with a variable of its own.")
	}
	if p.vars == nil {
		p.vars = map[string][]string{}
	}
	p.vars[name] = path
	defer delete(p.vars, name)
	if err := p.expr(1); err != nil {
		return err
	}
	p.spaces()
	if !p.eat(')') {
		return fail("A bracket isn't closed.")
	}
	return nil
}

// note notes a field, or what a name that the request made up stands for.
func (p *parser) note(path []string, id bool) {
	if c, ok := p.q.Columns[path[0]]; ok && len(path) == 1 {
		if !c.Public {
			p.q.add(Ref{Role: p.role, From: c.From, Path: c.Path, ID: id})
		}
		return
	}
	p.q.add(Ref{Role: p.role, From: p.from, Path: path, ID: id})
}
