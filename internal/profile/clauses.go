package profile

import (
	"cmp"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// clauses sees that a filter's tree is described, in one of its two forms.
func (c *compiler) clauses(where string, r *ref) {
	k := &r.clauses
	named := k.Name != "" || k.Operator != "" || k.Value != "" || k.Group != ""
	keyed := strings.HasSuffix(k.Operator, operatorKey) // the operator is a member's name
	whole := k.Name != "" && k.Operator != "" && (k.Value != "" || keyed) && len(k.Operators) > 0
	c.tuples(where, k)
	switch {
	case r.syntax != "clauses" && (named || len(k.Groups)+len(k.Operators)+len(k.Prefixes)+len(k.Suffixes)+len(k.Members)+len(k.Tuples) > 0):
		c.fail(where, "clauses is for the syntax clauses; add `syntax: clauses`")
	case named && !whole:
		c.fail(where, "clauses that name their field in a member have name, operator, value and operators; where members are named by fields, leave name, operator and value out")
	case keyed && (k.Value != "" || strings.Contains(k.Operator, "|")):
		c.fail(where, "where the operator is the name of a member (`parameter.*`), that holds the value; leave value out")
	case named && len(k.Prefixes)+len(k.Suffixes) > 0:
		c.fail(where, "prefixes and suffixes are for clauses whose members are named by fields; leave name, operator and value out")
	}
}

// readClauses reads filters that are trees of objects, in the body, in a nested
// query, or in a text that is JSON.
func (x *Exchange) readClauses(r *ref, typ string) error {
	t, root := x.tree, -1
	switch {
	case r.at.origin == fromQuery && !x.p.nestedQuery:
		for _, v := range x.valuesAt(r.at) {
			if err := x.readClauseText(r, typ, v.text); err != nil {
				return err
			}
		}
		return nil
	case r.at.origin == fromQuery:
		q, err := x.nestedQuery()
		if err != nil {
			return err
		}
		t, root = q, q.Member(doc.Root, r.at.name)
	case t != nil && r.at.origin == fromBody:
		root = x.body
	}
	var err error
	r.at.path.each(t, root, func(n int) {
		switch {
		case err != nil:
		case isForm(t) && !isContainer(t, n):
			err = x.readClauseText(r, typ, t.Text(n))
		default:
			err = x.readClauseTree(t, r, typ, n, 0)
		}
	})
	return err
}

// readClauseText reads a tree that stands as JSON in a parameter or a form's field.
func (x *Exchange) readClauseText(r *ref, typ, text string) error {
	if text == "" {
		return nil
	}
	t, err := parseJSON([]byte(text))
	if err != nil {
		return &Refusal{Reason: "malformed", Text: "A filter is not strict JSON.", Status: 400}
	}
	return x.readClauseTree(t, r, typ, doc.Root, 0)
}

// readClauseTree reads a clause, or a list of them.
func (x *Exchange) readClauseTree(t *doc.Tree, r *ref, typ string, node, depth int) error {
	if depth > maxDomainDepth {
		return refuse("malformed", "A filter is nested too deeply.")
	}
	switch t.Nodes[node].Kind {
	case doc.Null:
		return nil
	case doc.Array:
		if r.clauses.Tuples != nil {
			return x.readTuples(t, r, typ, node, depth)
		}
		for c := range t.Children(node) {
			if err := x.readClauseTree(t, r, typ, c, depth+1); err != nil {
				return err
			}
		}
		return nil
	case doc.Object:
		if r.clauses.Name == "" {
			return x.readFieldClauses(t, r, typ, node, depth)
		}
		return x.readClauseObject(t, r, typ, node, depth)
	}
	return refuse("malformed", "A filter is no clause.")
}

// operatorKey ends the way to an object whose one member's name is the operator.
const operatorKey = ".*"

// operatorIn is the operator of a clause; false without one.
func (k *clausesSpec) operatorIn(t *doc.Tree, node int) (string, bool) {
	way, keyed := strings.CutSuffix(k.Operator, operatorKey)
	op := firstMember(t, node, way)
	if op < 0 {
		return "", false
	}
	if !keyed {
		return t.Text(op), t.Nodes[op].Kind == doc.String
	}
	value := t.First(op)
	if t.Nodes[op].Kind != doc.Object || value < 0 || t.After(value) >= 0 || t.Nodes[value].Kind == doc.Object || holdsContainer(t, value) {
		return "", false
	}
	return t.Key(value), true
}

// isGroup reports whether an object is `{"and": […]}`: its one member holds clauses.
func (k *clausesSpec) isGroup(t *doc.Tree, node int) (int, bool) {
	c := t.First(node)
	if c < 0 || !contains(k.Groups, t.Key(c)) || !isContainer(t, c) {
		return -1, false
	}
	return c, t.After(c) < 0
}

func (x *Exchange) readClauseObject(t *doc.Tree, r *ref, typ string, node, depth int) error {
	k := &r.clauses
	if group, ok := k.isGroup(t, node); ok {
		return x.readClauseTree(t, r, typ, group, depth+1)
	}
	for c := range t.Children(node) {
		if !k.lists(t.Key(c)) {
			return refuse("malformed", "A clause of a filter has a member that is not in the profile.")
		}
	}
	word, ok := k.operatorIn(t, node)
	if !ok {
		return refuse("malformed", "A clause of a filter names no operator.")
	}
	name := firstMember(t, node, k.Name)
	field, searches := k.Search[word]
	switch {
	case contains(k.Groups, word):
		group := firstMember(t, node, cmp.Or(k.Group, k.Value))
		if group < 0 {
			return refuse("malformed", "A group of a filter has no clauses.")
		}
		return x.readClauseTree(t, r, typ, group, depth+1)
	case k.Group != "" && firstMember(t, node, k.Group) >= 0:
		return refuse("malformed", "A clause of a filter holds others, and its operator is not in the profile as a group.")
	case contains(k.Stored, word):
		return nil
	case searches:
		x.ask(access.RefSearch, x.p.resolve(typ, strings.Split(field, ".")), "")
		return nil
	case !contains(k.Operators, word) && !contains(k.IDs, word):
		return refuse("malformed", "A clause of a filter has an operator that is not in the profile.")
	case name < 0 || t.Nodes[name].Kind != doc.String || t.Text(name) == "":
		return refuse("malformed", "A clause of a filter names no field.")
	}
	return x.askClause(r, typ, t.Text(name), contains(k.IDs, word))
}

// lists reports whether a clause may have a member of that name.
func (k *clausesSpec) lists(key string) bool {
	for _, ways := range []string{k.Name, k.Operator, k.Value, k.Group} {
		for way := range strings.SplitSeq(ways, "|") {
			if first, _, _ := strings.Cut(way, "."); first == key {
				return true
			}
		}
	}
	return contains(k.Members, key)
}

// firstMember follows ways of members, `a.b|c`, to the first that is there; -1.
func firstMember(t *doc.Tree, node int, ways string) int {
	for way := range strings.SplitSeq(ways, "|") {
		n := node
		for key := range strings.SplitSeq(way, ".") {
			if n < 0 || t.Nodes[n].Kind != doc.Object {
				n = -1
				break
			}
			n = t.Member(n, key)
		}
		if n >= 0 {
			return n
		}
	}
	return -1
}

// askClause adds the field of one clause.
func (x *Exchange) askClause(r *ref, typ, name string, ids bool) error {
	typ, name, ok := r.mapped(typ, name)
	if !ok {
		return refuse("unknown_field", "A field in the request is not in the profile %s.", x.p.Name)
	}
	literal := ""
	if ids {
		literal = "id"
	}
	res := x.p.resolve(typ, x.p.steps(name, r.separator))
	if err := x.plainRef(r.role, typ, name, &res); err != nil {
		return err
	}
	x.ask(r.role, res, literal)
	return nil
}
