package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// isTrue reports whether a boolean is true.
func isTrue(t *doc.Tree, node int) bool { return t.Text(node) == "true" }

// isEmpty reports whether a node is the false that a CRM writes for no value.
func (p *Profile) isEmpty(t *doc.Tree, node int) bool {
	return p.emptyFalse && t.Nodes[node].Kind == doc.Bool && !isTrue(t, node)
}

// readOrderByValue reads an order that is a text, or nothing.
func (x *Exchange) readOrderByValue(role access.RefRole, typ, prefix string, v value) error {
	switch {
	case v.node < 0:
		return x.readOrderBy(role, typ, prefix, v.text)
	case x.tree.Nodes[v.node].Kind == doc.String:
		return x.readOrderBy(role, typ, prefix, x.tree.Text(v.node))
	case x.tree.Nodes[v.node].Kind == doc.Null || x.p.isEmpty(x.tree, v.node):
		return nil
	}
	return refuse("malformed", "An order is no text.")
}

// readNested reads a filter, a specification or a list of aggregates.
func (x *Exchange) readNested(r *ref, typ string, node int) error {
	if x.tree.Nodes[node].Kind == doc.Null || x.p.isEmpty(x.tree, node) {
		return nil
	}
	switch r.syntax {
	case "prefix_domain":
		return x.readPrefixDomain(r.role, typ, "", node, 0)
	case "specification":
		return x.readSpecification(typ, "", node, 0)
	}
	return x.readAggregates(r, typ, node)
}

// prefixOperators are the operators of clauses in a filter with prefixes.
func prefixOperators() []string {
	return []string{
		"=", "!=", "<>", "<", ">", "<=", ">=", "=?", "in", "not in", "like", "not like", "ilike", "not ilike",
		"=like", "not =like", "=ilike", "not =ilike", "child_of", "parent_of",
	}
}

// readPrefixDomain reads `["&", ["a", "=", 1], "|", …]`. Whatever else is there is
// refused: the CRM could read it as a clause.
func (x *Exchange) readPrefixDomain(role access.RefRole, typ, prefix string, node, depth int) error {
	t := x.tree
	if depth > maxDomainDepth {
		return refuse("malformed", "A filter is nested too deeply.")
	}
	if t.Nodes[node].Kind != doc.Array {
		return refuse("malformed", "A filter is not a list.")
	}
	for c := range t.Children(node) {
		switch t.Nodes[c].Kind {
		case doc.String:
			if word := t.Text(c); word != "&" && word != "|" && word != "!" {
				return refuse("malformed", "A filter has a word that joins nothing.")
			}
		case doc.Array:
			if err := x.readPrefixClause(role, typ, prefix, c, depth); err != nil {
				return err
			}
		default:
			return refuse("malformed", "A filter holds something that is no clause.")
		}
	}
	return nil
}

func (x *Exchange) readPrefixClause(role access.RefRole, typ, prefix string, node, depth int) error {
	t := x.tree
	name, op, val := t.Element(node, 0), t.Element(node, 1), t.Element(node, 2)
	if val < 0 || t.Element(node, 3) >= 0 || t.Nodes[op].Kind != doc.String {
		return refuse("malformed", "A clause of a filter is not [name, operator, value].")
	}
	word := t.Text(op)
	if t.Nodes[name].Kind == doc.Number && word == "=" && t.Nodes[val].Kind == doc.Number {
		return nil // [1, "=", 1]: always, or never
	}
	if t.Nodes[name].Kind != doc.String || t.Text(name) == "" {
		return refuse("malformed", "A clause of a filter names no field.")
	}
	res := x.p.resolve(typ, strings.Split(t.Text(name), "."))
	res.prefix = prefix + res.prefix
	switch {
	case word == "any" || word == "not any":
		if res.related == "" {
			return refuse("unknown_field", "A filter looks into a field that is no relation in the profile.")
		}
		return x.readPrefixDomain(role, res.related, prefix+t.Text(name)+".", val, depth+1)
	case !contains(prefixOperators(), word):
		return refuse("malformed", "A clause of a filter has an operator that is not in the profile.")
	case t.Nodes[val].Kind == doc.Object:
		return refuse("malformed", "A clause of a filter compares with an object.")
	}
	x.ask(role, res, literalKind(t, val))
	return nil
}

// readSpecification reads `{"name": {}, "company": {"fields": {"phone": {}}}}`.
func (x *Exchange) readSpecification(typ, prefix string, node, depth int) error {
	t := x.tree
	if depth > maxDomainDepth || t.Nodes[node].Kind != doc.Object {
		return refuse("malformed", "What is asked for is no object of fields, or nested too deeply.")
	}
	for c := range t.Children(node) {
		if t.Nodes[c].Kind == doc.String && depth == 0 {
			if err := x.selectField(x.p.resolve(typ, strings.Split(t.Key(c), "."))); err != nil {
				return err
			}
			continue
		}
		res := x.p.resolve(typ, []string{t.Key(c)})
		res.prefix = prefix
		if err := x.selectField(res); err != nil {
			return err
		}
		if t.Nodes[c].Kind != doc.Object {
			return refuse("malformed", "A field that is asked for has no object.")
		}
		for m := range t.Children(c) {
			if err := x.readSpecified(res, m, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// readSpecified reads one member of what is said of a field.
func (x *Exchange) readSpecified(res resolved, node, depth int) error {
	prefix := res.prefix + res.name + "."
	switch x.tree.Key(node) {
	case "fields":
		return x.readSpecification(res.related, prefix, node, depth+1)
	case "order":
		return x.readOrderByValue(access.RefSort, res.related, prefix, value{node: node})
	case "context":
		if x.tree.Nodes[node].Kind == doc.Object || x.tree.Nodes[node].Kind == doc.Null {
			return nil
		}
	case "limit", "offset":
		if !isContainer(x.tree, node) {
			return nil
		}
	}
	return refuse("malformed", "A field is asked for in a way that is not in the profile.")
}

// readOrderBy reads `name desc nulls last, date:month, id`.
func (x *Exchange) readOrderBy(role access.RefRole, typ, prefix, text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		words := orderWords(part)
		if len(words) == 0 || !isDirection(words[1:]) {
			return refuse("malformed", "An order has an unknown direction.")
		}
		if err := x.askAggregate(role, typ, prefix, words[0]); err != nil {
			return err
		}
	}
	return nil
}

// orderWords divides one part of an order: `name desc`, `name:desc`, `name|desc` or
// `-name`.
func orderWords(part string) []string {
	words := strings.Fields(part)
	if len(words) != 1 {
		return words
	}
	name := words[0]
	if len(name) > 1 && (name[0] == '-' || name[0] == '+') {
		return []string{name[1:]}
	}
	if at := strings.LastIndexAny(name, ":|"); at > 0 && isDirection([]string{name[at+1:]}) {
		return []string{name[:at], name[at+1:]}
	}
	return words
}

// isDirection reads `asc`, `desc`, and where values that are missing stand.
func isDirection(words []string) bool {
	if len(words) > 0 && (strings.EqualFold(words[0], "asc") || strings.EqualFold(words[0], "desc")) {
		words = words[1:]
	}
	return len(words) == 0 || len(words) == 2 && strings.EqualFold(words[0], "nulls") &&
		(strings.EqualFold(words[1], "first") || strings.EqualFold(words[1], "last"))
}

// readAggregates reads a list of `field` and `field:function`, or one of them.
func (x *Exchange) readAggregates(r *ref, typ string, node int) error {
	t := x.tree
	if t.Nodes[node].Kind == doc.String {
		return x.askAggregate(r.role, typ, "", t.Text(node))
	}
	if t.Nodes[node].Kind != doc.Array {
		return refuse("malformed", "A list of field names is expected.")
	}
	for c := range t.Children(node) {
		if t.Nodes[c].Kind != doc.String {
			return refuse("malformed", "A list of field names holds something else.")
		}
		if err := x.askAggregate(r.role, typ, "", t.Text(c)); err != nil {
			return err
		}
	}
	return nil
}

// askAggregate reads `field` or `field:function`; `__count` names none. With a
// name of the client's own (`x:max(field)`) a value would come back as another
// field's.
func (x *Exchange) askAggregate(role access.RefRole, typ, prefix, text string) error {
	name, function, _ := strings.Cut(text, ":")
	if name == "__count" && function == "" {
		return nil
	}
	for _, c := range name + function {
		if c != '_' && c != '.' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return refuse("malformed", "A field's name is expected where the request has something else.")
		}
	}
	if name == "" {
		return refuse("malformed", "A field's name is expected where the request has something else.")
	}
	res := x.p.resolve(typ, strings.Split(name, "."))
	res.prefix = prefix + res.prefix
	x.ask(role, res, "")
	return nil
}
