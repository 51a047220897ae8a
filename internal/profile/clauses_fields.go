package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// readFieldClauses reads an object whose members are named by the fields that they
// compare, or hold further clauses.
func (x *Exchange) readFieldClauses(t *doc.Tree, r *ref, typ string, node, depth int) error {
	for c := range t.Children(node) {
		if err := x.readFieldClause(t, r, typ, c, depth); err != nil {
			return err
		}
	}
	return nil
}

func (x *Exchange) readFieldClause(t *doc.Tree, r *ref, typ string, node, depth int) error {
	k, key := &r.clauses, t.Key(node)
	field, searches := k.Search[key]
	switch {
	case contains(k.Groups, key) || isCounter(key):
		if !isContainer(t, node) && t.Nodes[node].Kind != doc.Null {
			return refuse("malformed", "A group of a filter has no clauses.")
		}
		return x.readClauseTree(t, r, typ, node, depth+1)
	case contains(k.Stored, key) || contains(k.Members, key):
		if isContainer(t, node) {
			return refuse("malformed", "A member of a filter that names no field holds more than a value.")
		}
		return nil
	case searches:
		x.ask(access.RefSearch, x.p.resolve(typ, strings.Split(field, ".")), "")
		return nil
	}
	return x.readCompared(t, r, typ, k.bareName(key), node, depth)
}

// readCompared reads what a field is compared with: a value, a list of values, or an
// object of operators. An object without any leads to a part of the field.
func (x *Exchange) readCompared(t *doc.Tree, r *ref, typ, name string, node, depth int) error {
	if depth > maxDomainDepth || name == "" {
		return refuse("malformed", "A filter is nested too deeply, or names no field.")
	}
	if t.Nodes[node].Kind != doc.Object {
		if holdsContainer(t, node) {
			return refuse("malformed", "A field is compared with a list of more than values.")
		}
		return x.askClause(r, typ, name, false)
	}
	if t.First(node) < 0 {
		return x.askClause(r, typ, name, false)
	}
	for c := range t.Children(node) {
		if err := x.readOperator(t, r, typ, name, c, depth); err != nil {
			return err
		}
	}
	return nil
}

// readOperator reads one member of an object in a field's place.
func (x *Exchange) readOperator(t *doc.Tree, r *ref, typ, name string, node, depth int) error {
	k, key := &r.clauses, t.Key(node)
	switch {
	case contains(k.Groups, key): // {email: {$not: {$eq: "x"}}}
		return x.readCompared(t, r, typ, name, node, depth+1)
	case !contains(k.IDs, key) && !k.compares(key):
		return x.readCompared(t, r, typ, name+r.separator+k.bareName(key), node, depth+1)
	case t.Nodes[node].Kind == doc.Object || holdsContainer(t, node):
		return refuse("malformed", "A field is compared with more than values.")
	}
	return x.askClause(r, typ, name, contains(k.IDs, key))
}

// compares reports whether a member of an object in a field's place is an operator.
func (k *clausesSpec) compares(key string) bool {
	for _, op := range k.Operators {
		if glob(op).match(key) {
			return true
		}
	}
	return false
}

// bareName is a field's name without the operators around it, of which the longest
// counts: `>=` goes before `>`.
func (k *clausesSpec) bareName(name string) string {
	longest := ""
	for _, p := range k.Prefixes {
		if strings.HasPrefix(name, p) && len(p) > len(longest) {
			longest = p
		}
	}
	name = name[len(longest):]
	longest = ""
	for _, s := range k.Suffixes {
		if strings.HasSuffix(name, s) && len(s) > len(longest) {
			longest = s
		}
	}
	return strings.TrimSuffix(name, longest)
}

// holdsContainer reports whether a list holds objects or lists.
func holdsContainer(t *doc.Tree, node int) bool {
	if !isContainer(t, node) {
		return false
	}
	for c := range t.Children(node) {
		if isContainer(t, c) {
			return true
		}
	}
	return false
}

// isCounter reports whether a name is the place in a list.
func isCounter(name string) bool { return name != "" && strings.Trim(name, "0123456789") == "" }
