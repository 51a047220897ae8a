package profile

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// A domain is a filter as nested lists: an optional "AND" or "OR" first, then
// clauses [name, operator, value(, type)] and domains. The operators are =, !=,
// <, >, <=, >=, and like, ilike, in, where, child_of and parent_of with or without
// "not ". Whatever else is there is refused: the CRM could read it as a clause.

// narrowing is a clause on a composite search that can be replaced by clauses
// on its readable parts.
type narrowing struct {
	param  string // a query parameter, "" for a clause of the body
	clause int    // node of the clause
	prefix string
	name   string
	op     string
	typ    string
	entity *entity
	// from and to are the references that it asks, as indexes into the access's.
	from, to int
}

const maxDomainDepth = 16

// isOperator reports whether a word makes a list a clause.
func isOperator(op string) bool {
	for _, negative := range []string{"not where", "not child_of", "not parent_of", "not like", "not ilike", "not in"} {
		if op == negative || op == strings.TrimPrefix(negative, "not ") {
			return true
		}
	}
	switch op {
	case "=", "!=", "<", ">", "<=", ">=":
		return true
	}
	return false
}

func (x *Exchange) readDomain(t *doc.Tree, role access.RefRole, typ, prefix string, node, depth int) error {
	if depth > maxDomainDepth {
		return refuse("malformed", "A filter is nested too deeply.")
	}
	if t.Nodes[node].Kind == doc.Null {
		return nil
	}
	if t.Nodes[node].Kind != doc.Array {
		return refuse("malformed", "A filter is not a list.")
	}
	first := t.First(node)
	if first >= 0 && t.Nodes[first].Kind == doc.String {
		if word := t.Text(first); word != "AND" && word != "OR" {
			return x.readClause(t, role, typ, prefix, node, depth)
		}
	}
	for c := range t.Children(node) {
		if c == first && t.Nodes[c].Kind == doc.String {
			continue
		}
		if err := x.readDomain(t, role, typ, prefix, c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// readClause reads [name, operator, value] or, for references, [name,
// operator, value, type].
func (x *Exchange) readClause(t *doc.Tree, role access.RefRole, typ, prefix string, node, depth int) error {
	var parts []int
	for c := range t.Children(node) {
		parts = append(parts, c)
	}
	if len(parts) < 3 || len(parts) > 4 || t.Nodes[parts[1]].Kind != doc.String {
		return refuse("malformed", "A clause of a filter is not [name, operator, value].")
	}
	// With another word in its place, the CRM takes the list for a filter and
	// the value for a clause of it.
	name, op := t.Text(parts[0]), t.Text(parts[1])
	if name == "" || !isOperator(op) {
		return refuse("malformed", "A clause of a filter has an operator that is not in the profile.")
	}
	steps := strings.Split(name, ".")
	if len(parts) == 4 {
		return x.readLongClause(t, role, typ, prefix, steps, op, parts)
	}
	res := x.p.resolve(typ, steps)
	res.prefix = prefix + res.prefix
	if op == "where" || op == "not where" {
		if res.related == "" {
			return refuse("unknown_field", "A filter looks into a field that is no relation in the profile.")
		}
		return x.readDomain(t, role, res.related, prefix+name+".", parts[2], depth+1)
	}
	from := len(x.Accesses[0].Refs)
	x.ask(role, res, literalKind(t, parts[2]))
	x.noteNarrowing(t, res, node, op, prefix, from)
	return nil
}

// readLongClause reads a clause of four parts. Where the field holds a
// reference, the 4th names the type that it is taken for; where it is a
// relation, the 4th is the target's own relation along which the operator looks
// for children or parents. Elsewhere it has no meaning that we know.
func (x *Exchange) readLongClause(t *doc.Tree, role access.RefRole, typ, prefix string, steps []string, op string, parts []int) error {
	own := x.p.resolve(typ, steps[:1])
	own.prefix = prefix
	last := t.Text(parts[3])
	switch {
	case own.field.reference && len(steps) > 1:
		if x.p.entityOf(last) == nil {
			return refuse("unknown_type", "Records of this kind are not in the profile %s.", x.p.Name)
		}
		x.ask(role, own, "id")
		target := x.p.resolve(last, steps[1:])
		target.prefix = prefix + steps[0] + "." + target.prefix
		x.ask(role, target, literalKind(t, parts[2]))
		return nil
	case own.related != "" && len(steps) == 1 && (strings.HasSuffix(op, "child_of") || strings.HasSuffix(op, "parent_of")):
		along := x.p.resolve(own.related, []string{last})
		if along.related == "" {
			return refuse("unknown_field", "A filter follows a field that is no relation in the profile.")
		}
		x.ask(role, own, literalKind(t, parts[2]))
		along.prefix = prefix + steps[0] + "."
		x.ask(role, along, literalKind(t, parts[2]))
		return nil
	}
	return refuse("malformed", "A clause of a filter is not [name, operator, value].")
}

// literalKind says "id" when a relation is compared with ids, null or booleans
// alone, "reference" when a text is "type,id" ("party.party,47"), "" otherwise.
// A CRM compares a relation with any text by the record's display: even one that
// looks like a reference is a question about it.
func literalKind(t *doc.Tree, node int) string {
	switch t.Nodes[node].Kind {
	case doc.Number, doc.Null, doc.Bool:
		return "id"
	case doc.String:
		if isReference(t.Text(node)) {
			return "reference"
		}
	case doc.Array:
		kind := "id"
		for c := range t.Children(node) {
			switch literalKind(t, c) {
			case "":
				return ""
			case "reference":
				kind = "reference"
			}
		}
		return kind
	}
	return ""
}

// isReference reports whether a text is "type,id".
func isReference(s string) bool {
	typ, id, ok := strings.Cut(s, ",")
	if !ok || typ == "" || id == "" {
		return false
	}
	for _, c := range typ {
		if (c < 'a' || c > 'z') && c != '.' && c != '_' && (c < '0' || c > '9') {
			return false
		}
	}
	return isInteger(id)
}

// noteNarrowing remembers a clause that asks a composite, so that it can be
// narrowed to its readable parts if the policy refuses it.
func (x *Exchange) noteNarrowing(t *doc.Tree, res resolved, node int, op, outer string, from int) {
	if t != x.tree || res.entity == nil {
		return
	}
	e, name := res.entity, res.name
	// Within `where`, names are relative to the relation.
	typ, prefix := res.typ, strings.TrimPrefix(res.prefix, outer)
	if res.related != "" {
		// A text compared with a relation is searched in its display.
		target := x.p.entityOf(res.related)
		if target == nil || target.display == "" || literalKind(t, t.Element(node, 2)) == "id" {
			return
		}
		e, typ, prefix, name = target, res.related, prefix+res.name+".", target.display
	}
	s, ok := e.search[name]
	if !ok || len(s.Narrow) == 0 {
		return
	}
	x.narrow(narrowing{clause: node, prefix: prefix, name: name, op: op, typ: typ, entity: e}, from)
}

// narrow remembers what can be narrowed: the references from the given one on.
func (x *Exchange) narrow(n narrowing, from int) {
	refs := x.Accesses[0].Refs
	for i := from; i < len(refs); i++ {
		refs[i].Narrow = true
	}
	n.from, n.to = from, len(refs)
	x.narrows = append(x.narrows, n)
}

// Narrowed is a request whose composite searches ask their readable parts
// alone.
type Narrowed struct {
	Body []byte
	// Query are parameters to add to the request's.
	Query []Param
}

// Narrow narrows every composite search that may not be asked as a whole. ok is
// false when nothing readable is left, or the operator can't be narrowed. The
// result has to be classified and judged anew.
func (x *Exchange) Narrow(may func(access.Entity, access.Category) bool) (n Narrowed, ok bool) {
	var edits []doc.Edit
	for _, at := range x.narrows {
		if x.mayAsk(at, may) {
			continue
		}
		if at.param != "" {
			parts := x.readable(at, may)
			if len(parts) == 0 {
				return Narrowed{}, false
			}
			n.Query = append(n.Query, Param{Name: at.param, Value: strings.Join(parts, ",")})
			continue
		}
		with, ok := x.narrowed(at, may)
		if !ok {
			return Narrowed{}, false
		}
		node := x.tree.Nodes[at.clause]
		edits = append(edits, doc.Edit{Start: node.Start, End: node.End, With: with})
	}
	n.Body = x.req.Body
	if len(edits) > 0 {
		var err error
		if n.Body, err = x.Splice(x.req.Body, edits); err != nil {
			return Narrowed{}, false
		}
	}
	return n, len(edits) > 0 || len(n.Query) > 0
}

// mayAsk reports whether a search may be asked as it is.
func (x *Exchange) mayAsk(n narrowing, may func(access.Entity, access.Category) bool) bool {
	for _, r := range x.Accesses[0].Refs[n.from:n.to] {
		if !all(asked{r.Entity, r.Categories}, may) {
			return false
		}
	}
	return true
}

// readable lists the parts to which a search may be narrowed for this role.
func (x *Exchange) readable(n narrowing, may func(access.Entity, access.Category) bool) []string {
	var parts []string
	for _, part := range n.entity.search[n.name].Narrow {
		found := x.p.parts(access.RefFilter, x.p.resolve(n.typ, strings.Split(part, ".")))
		if !slices.ContainsFunc(found, func(a asked) bool { return !all(a, may) }) {
			parts = append(parts, part)
		}
	}
	return parts
}

// all reports whether everything asked about in an entity may be.
func all(a asked, may func(access.Entity, access.Category) bool) bool {
	for _, c := range a.categories {
		if !may(a.entity, c) {
			return false
		}
	}
	return true
}

// narrowed builds ["OR", [part, op, value], …]; a negative operator needs all
// parts to disagree, so it is joined by "AND".
func (x *Exchange) narrowed(n narrowing, may func(access.Entity, access.Category) bool) ([]byte, bool) {
	join := `"OR"`
	switch n.op {
	case "=", "like", "ilike", "in":
	case "!=", "not like", "not ilike", "not in":
		join = `"AND"`
	default:
		return nil, false
	}
	if x.tr.isXML() {
		return nil, false // it is written as JSON
	}
	op := x.tree.Raw(x.tree.Element(n.clause, 1))
	val := x.tree.Raw(x.tree.Element(n.clause, 2))
	out := []byte("[" + join)
	parts := x.readable(n, may)
	for _, part := range parts {
		name, err := json.Marshal(n.prefix + part)
		if err != nil {
			return nil, false
		}
		out = append(out, ",["...)
		out = append(out, name...)
		out = append(out, ',')
		out = append(out, op...)
		out = append(out, ',')
		out = append(out, val...)
		out = append(out, ']')
	}
	return append(out, ']'), len(parts) > 0
}

// readDomainText reads a domain that stands as JSON in a query parameter; there
// a list of whole numbers names records by their ids.
func (x *Exchange) readDomainText(r *ref, typ, text string) error {
	t, err := parseJSON([]byte(text))
	if err != nil {
		return refuse("malformed", "A filter in the query is not strict JSON.")
	}
	if first := t.First(doc.Root); t.Nodes[doc.Root].Kind == doc.Array && first >= 0 && t.Nodes[first].Kind == doc.Number {
		return x.readIDList(t)
	}
	return x.readDomain(t, r.role, typ, "", doc.Root, 0)
}

func (x *Exchange) readIDList(t *doc.Tree) error {
	for c := range t.Children(doc.Root) {
		id := t.Text(c)
		if t.Nodes[c].Kind != doc.Number || !isInteger(id) {
			return refuse("malformed", "A list of ids holds something else.")
		}
		x.Accesses[0].IDs = append(x.Accesses[0].IDs, id)
	}
	return nil
}
