package odata

import (
	"slices"
	"strings"
)

// Param is a query option, decoded.
type Param struct{ Name, Value string }

// Taken reports whether a query parameter is OData's, so that ParseQuery judges it.
func Taken(name string) bool { return strings.HasPrefix(name, "$") || strings.HasPrefix(name, "@") }

// Aliases are the values of parameter aliases among query parameters.
func Aliases(params []Param) map[string]string {
	aliases := map[string]string{}
	for _, p := range params {
		if strings.HasPrefix(p.Name, "@") {
			aliases[p.Name] = strings.Trim(p.Value, " ")
		}
	}
	return aliases
}

// ParseQuery reads the query options of a request. Parameters that aren't Taken
// are none of its business.
func ParseQuery(params []Param) (*Query, error) { return parseQuery(params, false) }

func parseQuery(params []Param, two bool) (*Query, error) {
	o := &options{q: &Query{}, aliases: Aliases(params), seen: map[string]bool{}, two: two}
	// What $apply makes is what the others speak of.
	apply := func(p Param) bool { return p.Name == "$apply" }
	if i := slices.IndexFunc(params, apply); i >= 0 {
		if err := o.apply(params[i].Value); err != nil {
			return nil, err
		}
	}
	for _, p := range params {
		if !Taken(p.Name) {
			continue
		}
		if o.seen[p.Name] {
			return nil, fail("A query option stands twice.")
		}
		o.seen[p.Name] = true
		if strings.HasPrefix(p.Name, "@") {
			if o.two || !isName(p.Name[1:]) {
				return nil, fail("A parameter's name is no plain name.")
			}
			continue
		}
		if err := o.option(p.Name, p.Value); err != nil {
			return nil, err
		}
	}
	if o.seen["$apply"] && (o.seen["$expand"] || o.seen["$search"] || o.seen["$filter"] || o.seen["$select"]) {
		// Services differ in what they do first.
		return nil, fail("$apply is served without $filter, $select, $expand and $search; it has filter(…) of its own.")
	}
	return o.q, nil
}

// options reads the query options of one level: the request's, or an expansion's.
type options struct {
	q       *Query
	aliases map[string]string
	seen    map[string]bool
	base    []string
	depth   int
	// two: they are OData v2's.
	two bool
}

// maxExpand is how deep expansions may stand in each other.
const maxExpand = 10

func (o *options) option(name, value string) error {
	if taken, err := o.optionTwo(name, value); taken {
		return err
	}
	switch name {
	case "$filter":
		return o.expression(Filter, value)
	case "$orderby":
		return o.orderby(value)
	case "$select":
		return o.selection(value)
	case "$expand":
		return o.expand(value)
	case "$top", "$skip", "$levels":
		if value == "" || strings.Trim(value, "0123456789") != "" {
			return fail("A query option is no number.")
		}
		return nil
	case "$count":
		if value != "true" && value != "false" {
			return fail("$count is true or false.")
		}
		return nil
	}
	if o.depth > 0 {
		return fail("A query option of an expansion is not served.")
	}
	switch name {
	case "$apply": // read before
		return nil
	case "$search":
		o.q.add(Ref{Role: Search, Path: []string{"$search"}})
		return nil
	case "$skiptoken":
		return o.skiptoken(value)
	case "$format":
		if value == "json" || value == "application/json" {
			return nil
		}
		return fail("Answers are served as JSON alone: $format=json.")
	}
	return fail("A query option is not served.")
}

func (o *options) expression(role Role, s string) error {
	p := &parser{s: s, q: o.q, role: role, base: o.base, aliases: o.aliases, two: o.two}
	return p.whole()
}

// orderby reads expressions, each with its direction.
func (o *options) orderby(s string) error {
	items, err := split(s, ',')
	if err != nil {
		return err
	}
	for _, item := range items {
		item = strings.Trim(item, " ")
		if plain, ok := strings.CutSuffix(item, " asc"); ok {
			item = plain
		} else if plain, ok := strings.CutSuffix(item, " desc"); ok {
			item = plain
		}
		if err := o.expression(Sort, item); err != nil {
			return err
		}
	}
	return nil
}

// selection reads the names of fields, behind those of navigation properties.
func (o *options) selection(s string) error {
	for item := range strings.SplitSeq(s, ",") {
		item = strings.Trim(item, " ")
		if item == "*" {
			continue
		}
		steps, err := names(item)
		if err != nil {
			return err
		}
		p := &parser{q: o.q, role: Select}
		p.note(slices.Concat(o.base, steps), false)
	}
	return nil
}

// names reads `a/b/c`.
func names(s string) ([]string, error) {
	steps := strings.Split(s, "/")
	for _, step := range steps {
		if !isName(step) {
			return nil, fail("A list of fields holds something else than names.")
		}
	}
	return steps, nil
}

// expand reads navigation properties, each with options of its own.
func (o *options) expand(s string) error {
	if o.depth++; o.depth > maxExpand {
		return fail("An expansion is nested too deeply.")
	}
	defer func() { o.depth-- }()
	items, err := split(s, ',')
	if err != nil {
		return err
	}
	for _, item := range items {
		if err := o.expandOne(strings.Trim(item, " ")); err != nil {
			return err
		}
	}
	return nil
}

func (o *options) expandOne(item string) error {
	path, inside, nested := item, "", false
	if strings.Contains(item, "(") {
		var ok bool
		if path, inside, ok = call(item); !ok {
			return fail("An expansion is written nav($select=…;$filter=…).")
		}
		nested = true
	}
	path = strings.TrimSuffix(path, "/$ref")
	steps, err := names(path)
	if err != nil {
		return err
	}
	if !nested {
		return nil
	}
	in := &options{q: o.q, aliases: o.aliases, seen: map[string]bool{}, base: slices.Concat(o.base, steps), depth: o.depth}
	parts, err := split(inside, ';')
	if err != nil {
		return err
	}
	for _, part := range parts {
		name, value, ok := strings.Cut(part, "=")
		if !ok || in.seen[name] {
			return fail("An option of an expansion is no $name=value, or stands twice.")
		}
		in.seen[name] = true
		if err := in.option(name, value); err != nil {
			return err
		}
	}
	return nil
}

// ParseFilter reads an expression of $filter that stands somewhere else.
func ParseFilter(q *Query, from, s string) error {
	return (&parser{s: s, q: q, role: Filter, from: from}).whole()
}

// ParseOrder reads `field`, `field asc` or `field desc`.
func ParseOrder(q *Query, from, s string) error {
	name, dir, _ := strings.Cut(s, " ")
	if !isName(name) || dir != "" && dir != "asc" && dir != "desc" {
		return fail("An order is a field and asc or desc.")
	}
	q.add(Ref{Role: Sort, From: from, Path: []string{name}})
	return nil
}

// Add notes a field that the caller read itself.
func (q *Query) Add(role Role, from, name string) error {
	if !isName(name) {
		return fail("A list of fields holds something else than names.")
	}
	q.add(Ref{Role: role, From: from, Path: []string{name}})
	return nil
}
