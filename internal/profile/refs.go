package profile

import (
	"fmt"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// ref is a compiled place in a request that names fields.
type ref struct {
	role      access.RefRole
	at        expr
	syntax    string
	separator string
	entity    string
	field     string
	names     map[string]string
	forms     []nameForm // of names
	except    []string
	listed    bool
	order     []glob
	narrow    string // query parameter
	member    string
	clauses   clausesSpec
	terms     termsSpec
}

// value is a place in a request: a node of the body or a text from elsewhere.
type value struct {
	node int // -1 for a text
	text string
}

// valuesAt returns what stands at an expression; nothing when it is absent.
func (x *Exchange) valuesAt(e expr) []value {
	switch e.origin {
	case fromConst:
		return []value{{-1, e.name}}
	case fromVar:
		if v, ok := x.vars[e.name]; ok {
			return []value{{-1, v}}
		}
	case fromQuery:
		if x.p.nestedQuery {
			return x.queryValues(e)
		}
		var vs []value
		for _, q := range x.req.Query {
			if q.Name == e.name {
				vs = append(vs, value{-1, q.Value})
			}
		}
		return vs
	case fromBody:
		return x.nodesAt(e.path, x.body)
	case fromArg:
		if n, ok := x.args[e.name]; ok && n >= 0 {
			return x.nodesAt(e.path, n)
		}
	}
	return nil
}

func (x *Exchange) nodesAt(p path, from int) []value {
	if x.tree == nil {
		return nil
	}
	var vs []value
	p.each(x.tree, from, func(n int) { vs = append(vs, value{doc.Leaf(x.tree, n), ""}) })
	return vs
}

// idsAt reads record ids: scalars or lists of them.
func (x *Exchange) idsAt(e expr) ([]string, error) {
	var ids []string
	for _, v := range x.valuesAt(e) {
		if v.node < 0 {
			if x.p.integerIDs && !isInteger(v.text) {
				return nil, refuse("malformed", "An id in the request is no whole number.")
			}
			if x.p.salesforceIDs {
				if err := x.plainIDs(strings.Split(v.text, ","), &ids); err != nil {
					return nil, err
				}
				continue
			}
			ids = append(ids, v.text)
			continue
		}
		if err := x.collectIDs(v.node, &ids); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func (x *Exchange) collectIDs(node int, ids *[]string) error {
	t := x.tree
	switch t.Nodes[node].Kind {
	case doc.Array:
		for c := range t.Children(node) {
			if err := x.collectIDs(c, ids); err != nil {
				return err
			}
		}
		return nil
	case doc.String, doc.Number:
		id := t.Text(node)
		if x.p.integerIDs && (t.Nodes[node].Kind != doc.Number || !isInteger(id)) {
			return refuse("malformed", "An id in the request is no whole number.")
		}
		if x.p.salesforceIDs {
			return x.plainIDs([]string{id}, ids)
		}
		if !isOwn(id) {
			*ids = append(*ids, id)
		}
		return nil
	case doc.Null:
		return nil
	}
	if x.p.isEmpty(t, node) {
		return nil
	}
	return refuse("malformed", "An id in the request is neither a number nor a text.")
}

// isInteger reports whether a text is a whole number in its one plain spelling.
func isInteger(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 18 || digits[0] == '0' && s != "0" {
		return false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// readRef reads the fields that one place of the request names.
func (x *Exchange) readRef(r *ref) error {
	typ := x.typ
	if r.entity != "" {
		typ = x.expand(r.entity)
	}
	switch r.syntax {
	case "soql", "sosl", "search_parameters", "coql", "vtql":
		return nil // read before the operation
	case "params":
		return x.readParams(r, typ)
	case "clauses":
		return x.readClauses(r, typ)
	case "keys":
		if r.at.origin == fromQuery && x.p.nestedQuery {
			return x.readQueryKeys(r, typ)
		}
	}
	for _, v := range x.valuesAt(r.at) {
		if err := x.readRefValue(r, typ, v); err != nil {
			return err
		}
	}
	return nil
}

// textOf is the text of a value, wherever it stands.
func (x *Exchange) textOf(v value) string {
	if v.node >= 0 {
		return x.tree.Text(v.node)
	}
	return v.text
}

func (x *Exchange) readRefValue(r *ref, typ string, v value) error {
	if v.node >= 0 && r.syntax != "list" && isUnread(x.tree, v.node) {
		return refuse("malformed", "A text is expected where the request has elements.")
	}
	if v.node >= 0 && isForm(x.tree) && contains([]string{"list", "keys", "order"}, r.syntax) {
		v = value{-1, x.tree.Text(v.node)}
	}
	switch r.syntax {
	case "search":
		if v.node >= 0 && (x.tree.Nodes[v.node].Kind == doc.Null || x.p.isEmpty(x.tree, v.node)) || v.node < 0 && v.text == "" {
			return nil
		}
		return x.readSearch(r, typ)
	case "list":
		return x.readList(r, typ, v)
	case "csv":
		return x.readCSV(r, typ, v)
	case "fetchxml":
		return x.readFetch(v.text)
	case "stored":
		x.readStored(r, x.textOf(v))
		return nil
	case "comparisons":
		return x.readComparisons(r, typ, x.textOf(v))
	case "criteria":
		return x.readCriteria(r, typ, x.textOf(v), 0)
	case "expression":
		return x.readExpression(r, typ, x.textOf(v))
	case "terms":
		return x.readTerms(r, typ, x.textOf(v))
	case "keys":
		return x.readKeys(r, typ, v)
	case "prefix_domain", "specification", "aggregates":
		if v.node < 0 {
			return refuse("malformed", "A list or an object is expected where the request has a text.")
		}
		return x.readNested(r, typ, v.node)
	case "order_by":
		if r.names != nil {
			return x.readMappedOrder(r, typ, v)
		}
		return x.readOrderByValue(r.role, typ, "", v)
	case "domain":
		node := v.node
		if node < 0 {
			return x.readDomainText(r, typ, v.text)
		}
		return x.readDomain(x.tree, r.role, typ, "", node, 0)
	case "order":
		if v.node < 0 {
			return x.readOrderText(r, typ, v.text)
		}
		return x.readOrder(r, typ, v.node)
	}
	return x.readNameAt(r, typ, v)
}

// readNameAt reads one name, or nothing.
func (x *Exchange) readNameAt(r *ref, typ string, v value) error {
	text := v.text
	if v.node >= 0 {
		if x.p.isEmpty(x.tree, v.node) {
			return nil
		}
		if isContainer(x.tree, v.node) {
			return refuse("malformed", "A field's name is expected where the request has something else.")
		}
		text = x.tree.Text(v.node)
	}
	return x.readName(r, typ, text)
}

func (x *Exchange) readCSV(r *ref, typ string, v value) error {
	text := v.text
	if v.node >= 0 {
		text = x.tree.Text(v.node)
	}
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		return x.readListText(r, typ, text)
	}
	for name := range strings.SplitSeq(text, ",") {
		if err := x.readName(r, typ, strings.TrimSpace(name)); err != nil {
			return err
		}
	}
	return nil
}

func (x *Exchange) readKeys(r *ref, typ string, v value) error {
	t, node := x.tree, v.node
	if node < 0 && v.text == "" {
		return nil
	}
	if node < 0 {
		var err error
		if t, err = parseJSON([]byte(v.text)); err != nil {
			return refuse("malformed", "An object of fields is not strict JSON.")
		}
		node = doc.Root
	}
	if t.Nodes[node].Kind != doc.Object {
		return refuse("malformed", "An object of fields is expected.")
	}
	for c := range t.Children(node) {
		if contains(r.except, t.Key(c)) {
			continue
		}
		if err := x.readName(r, typ, t.Key(c)); err != nil {
			return err
		}
	}
	return nil
}

// readName adds the reference to one (dotted) name.
func (x *Exchange) readName(r *ref, typ, name string) error {
	if name == "" {
		return nil
	}
	typ, name, ok := r.mapped(typ, name)
	if !ok {
		return refuse("unknown_field", "A field in the request is not in the profile %s.", x.p.Name)
	}
	if r.role == access.RefSort {
		name = strings.TrimPrefix(name, "-")
	}
	res := x.p.resolve(typ, x.p.steps(name, r.separator))
	if err := x.plainRef(r.role, typ, name, &res); err != nil {
		return err
	}
	if r.role == access.RefSelect {
		return x.selectField(res)
	}
	x.ask(r.role, res, "")
	return nil
}

// selectField adds a field that is asked for. A file is asked for as a whole:
// it can't be masked.
func (x *Exchange) selectField(res resolved) error {
	x.addRef(access.Ref{
		Role: access.RefSelect, Entity: entityName(res.entity, res.typ),
		Field: res.prefix + res.name, Categories: res.field.categories,
	})
	if res.field.file && !x.asksSize(res.field) {
		x.addRef(access.Ref{
			Role: RefWhole, Entity: entityName(res.entity, res.typ),
			Field: res.prefix + res.name, Categories: res.field.categories,
		})
	}
	return nil
}

// asksSize reports whether the call's context makes the CRM answer with the
// file's size.
func (x *Exchange) asksSize(f *field) bool {
	if f.sizeContext == "" || x.ctx < 0 {
		return false
	}
	n := x.tree.Member(x.ctx, f.sizeContext)
	if n >= 0 && x.tree.Nodes[n].Kind == doc.Bool {
		return isTrue(x.tree, n)
	}
	return n >= 0 && x.tree.Text(n) == "size"
}

// ask adds a field that is asked about, one reference for each entity whose
// records the answer depends on.
func (x *Exchange) ask(role access.RefRole, res resolved, literal string) {
	found := x.p.parts(role, res)
	// An id says nothing of the record; a text is compared with its display,
	// but where the field itself holds "type,id".
	plain := res.related != "" && !res.composite()
	if literal == "id" && plain || literal != "" && res.field.reference {
		found = []asked{{entityName(res.entity, res.typ), []access.Category{access.Public}}}
	}
	for _, a := range found {
		x.addRef(access.Ref{Role: role, Entity: a.entity, Field: res.prefix + res.name, Categories: a.categories})
	}
}

func (r *ref) String() string { return fmt.Sprintf("%s %s", r.role, r.at.text) }
