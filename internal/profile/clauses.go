package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// readClauses reads filters that are trees of objects, in the body or in a nested
// query.
func (x *Exchange) readClauses(r *ref, typ string) error {
	t, root := x.tree, -1
	switch {
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
		if err == nil {
			err = x.readClauseTree(t, r, typ, n, 0)
		}
	})
	return err
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
		for c := range t.Children(node) {
			if err := x.readClauseTree(t, r, typ, c, depth+1); err != nil {
				return err
			}
		}
		return nil
	case doc.Object:
		return x.readClauseObject(t, r, typ, node, depth)
	}
	return refuse("malformed", "A filter is no clause.")
}

func (x *Exchange) readClauseObject(t *doc.Tree, r *ref, typ string, node, depth int) error {
	k := &r.clauses
	for c := range t.Children(node) {
		if key := t.Key(c); key != k.Name && key != k.Operator && key != k.Value && !contains(k.Members, key) {
			return refuse("malformed", "A clause of a filter has a member that is not in the profile.")
		}
	}
	op := t.Member(node, k.Operator)
	if op < 0 || t.Nodes[op].Kind != doc.String {
		return refuse("malformed", "A clause of a filter names no operator.")
	}
	word, name, value := t.Text(op), t.Member(node, k.Name), t.Member(node, k.Value)
	field, searches := k.Search[word]
	switch {
	case contains(k.Groups, word):
		if value < 0 {
			return refuse("malformed", "A group of a filter has no clauses.")
		}
		return x.readClauseTree(t, r, typ, value, depth+1)
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
	literal := ""
	if contains(k.IDs, word) {
		literal = "id"
	}
	x.ask(r.role, x.p.resolve(typ, x.p.steps(t.Text(name), r.separator)), literal)
	return nil
}
