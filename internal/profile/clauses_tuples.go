package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// Clauses as lists have their parts in places: `["email", "=", "x"]`. Which part
// stands where is told by how many there are.

// tuples sees that the number of a list's elements tells its form.
func (c *compiler) tuples(where string, k *clausesSpec) {
	for i, t := range k.Tuples {
		known := !slices.ContainsFunc(t, func(part string) bool {
			return !slices.Contains([]string{"type", "name", "operator", "value", ""}, part)
		})
		if !known || !slices.Contains(t, "name") {
			c.fail(where, "tuples are lists of type, name, operator, value and \"\" (without meaning), with a name: `tuples: [[name, operator, value]]`")
		}
		if slices.ContainsFunc(k.Tuples[:i], func(o []string) bool { return len(o) == len(t) }) {
			c.fail(where, "two of the tuples have %d elements; nobody could tell which one a clause is", len(t))
		}
	}
}

// readTuples reads a clause that is a list, or a list of clauses: one whose first
// element is a text is a clause, or a group where that joins further ones.
func (x *Exchange) readTuples(t *doc.Tree, r *ref, typ string, node, depth int) error {
	first := t.First(node)
	if first < 0 {
		return nil
	}
	k := &r.clauses
	joined := t.Nodes[first].Kind != doc.String || k.joins(t.Text(first))
	if !joined {
		return x.readTuple(t, r, typ, node)
	}
	for c := range t.Children(node) {
		if t.Nodes[c].Kind == doc.String && k.joins(t.Text(c)) {
			continue
		}
		if !isContainer(t, c) {
			return refuse("malformed", "A filter holds something that is no clause.")
		}
		if err := x.readClauseTree(t, r, typ, c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// joins reports whether a word joins clauses, in whatever case.
func (k *clausesSpec) joins(word string) bool {
	return slices.ContainsFunc(k.Groups, func(g string) bool { return strings.EqualFold(g, word) })
}

// readTuple reads `["email", "=", "x"]`.
func (x *Exchange) readTuple(t *doc.Tree, r *ref, typ string, node int) error {
	parts := slices.Collect(t.Children(node))
	i := slices.IndexFunc(r.clauses.Tuples, func(as []string) bool { return len(as) == len(parts) })
	if i < 0 {
		return refuse("malformed", "A clause of a filter has another number of parts than the profile says.")
	}
	name := ""
	for at, part := range r.clauses.Tuples[i] {
		n := parts[at]
		text := t.Nodes[n].Kind == doc.String && t.Text(n) != ""
		switch {
		case part == "value" && (t.Nodes[n].Kind == doc.Object || holdsContainer(t, n)),
			part == "" && isContainer(t, n), part != "value" && part != "" && !text,
			part == "operator" && !r.clauses.comparesWith(t.Text(n)):
			return refuse("malformed", "A clause of a filter isn't what the profile says: %s.", strings.Join(r.clauses.Tuples[i], ", "))
		case part == "type":
			typ = t.Text(n)
		case part == "name":
			name = t.Text(n)
		}
	}
	return x.askClause(r, typ, name, false)
}

// comparesWith reports whether a word is an operator: one of those that are listed,
// or, where none are, a sign or a few words.
func (k *clausesSpec) comparesWith(word string) bool {
	if len(k.Operators) > 0 {
		return slices.ContainsFunc(k.Operators, func(o string) bool { return glob(o).match(word) || strings.EqualFold(o, word) })
	}
	const most = 32
	return len(word) <= most && (strings.Trim(word, "=!<>~^$*%@") == "" || oddRunes(strings.ReplaceAll(word, " ", "")) == "")
}
