package profile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile/graphql"
)

// maxRoots is how many fields of the query one document may ask for: each is an
// access of its own in the log.
const maxRoots = 100

// graphqlPlan is what a document of GraphQL asks for.
type graphqlPlan struct {
	op    *graphql.Operation
	roots []*graphqlRoot
	// question is the request's own text, for the entry.
	question string
	// groups is what the values can hold by which the operation's answer is grouped
	// that is being looked at.
	groups []access.Category
}

// graphqlRoot is one field of the query or of the mutation: one operation.
type graphqlRoot struct {
	// keys lead to its value in the answer's data.
	keys  []string
	name  string
	field *graphql.Field
	spec  *graphqlField
	typ   string
	// groups is what the values can hold by which the answer is grouped.
	groups []access.Category
}

// refuseGraphQL turns what the codec says into an answer.
func refuseGraphQL(err error) error {
	if syntax, ok := errors.AsType[*graphql.SyntaxError](err); ok {
		return &Refusal{Reason: "malformed", Text: syntax.Text}
	}
	return err
}

// isGraphQLParam reports whether GraphQL's reader judges a query parameter. In a
// POST it would stand for a member of the body, or be passed over.
func (x *Exchange) isGraphQLParam(name string) bool {
	return x.rt.graphql != nil && x.req.Method != "POST" && contains(graphqlMembers(), name)
}

func graphqlMembers() []string {
	return []string{"query", "variables", "operationName", "extensions"}
}

// graphqlRequest is what a request of GraphQL consists of.
type graphqlRequest struct {
	query, operation string
	variables        *doc.Tree // nil for none
	at               int       // the object of variables there
	offset           int       // of their document in the body, -1 for elsewhere
}

// classifyGraphQL reads the document and what each of its operations asks for.
func (x *Exchange) classifyGraphQL() error {
	req, err := x.graphqlRequest()
	if err != nil {
		return err
	}
	op, err := graphql.Parse(req.query, req.operation, req.variable)
	if err != nil {
		return refuseGraphQL(err)
	}
	if op.Mutation && x.req.Method != "POST" {
		return refuse("malformed", "Mutations are served by POST.")
	}
	if x.tree, err = parseJSON(op.Arguments.JSON); err != nil {
		return refuse("malformed", "The arguments of the query nest too deeply.")
	}
	x.gql = &graphqlPlan{op: op, question: clip(req.text(x))}
	if err := x.graphqlRoots(op.Fields, nil, nil); err != nil {
		return err
	}
	outer := x.vars
	for _, r := range x.gql.roots {
		x.vars = maps.Clone(outer)
		if err := x.readRoot(r); err != nil {
			return err
		}
	}
	x.Pass = len(x.Accesses) == 0
	return nil
}

func (x *Exchange) graphqlRequest() (*graphqlRequest, error) {
	if x.req.Method != "POST" {
		return x.graphqlQuery()
	}
	if err := x.parseBody("json"); err != nil {
		return nil, err
	}
	t := x.tree
	if t.Nodes[doc.Root].Kind != doc.Object {
		return nil, refuse("malformed", "Several operations in one request aren't served: send each by itself.")
	}
	r := &graphqlRequest{}
	for c := range t.Children(doc.Root) {
		name, kind := t.Key(c), t.Nodes[c].Kind
		switch {
		case contains(x.rt.members, name):
		case !contains(graphqlMembers(), name):
			return nil, refuse("unknown_parameter", "The member %s of the request is not in the profile. A query comes with its text.", shortName(name))
		case kind == doc.Null:
		case name == "query" && kind == doc.String:
			r.query = t.Text(c)
		case name == "operationName" && kind == doc.String:
			r.operation = t.Text(c)
		case name == "variables" && kind == doc.Object:
			r.variables, r.at = t, c
		case name == "extensions" && kind == doc.Object:
		default:
			return nil, refuse("malformed", "The member %s of the request has another form than the profile knows.", shortName(name))
		}
	}
	return r, x.graphqlExtensions(t, t.Member(doc.Root, "extensions"), r.query)
}

// graphqlQuery reads a request by GET.
func (x *Exchange) graphqlQuery() (*graphqlRequest, error) {
	if err := x.parseBody("none"); err != nil {
		return nil, err
	}
	r := &graphqlRequest{offset: -1}
	extensions := ""
	for _, q := range x.req.Query {
		switch q.Name {
		case "query":
			r.query = q.Value
		case "operationName":
			r.operation = q.Value
		case "extensions":
			extensions = q.Value
		case "variables":
			if q.Value == "" {
				continue
			}
			t, err := parseJSON([]byte(q.Value))
			if err != nil || t.Nodes[doc.Root].Kind != doc.Object {
				return nil, refuse("malformed", "The variables of the query are no object.")
			}
			r.variables, r.at = t, doc.Root
		}
	}
	if extensions == "" {
		return r, x.graphqlExtensions(nil, -1, r.query)
	}
	t, err := parseJSON([]byte(extensions))
	if err != nil || t.Nodes[doc.Root].Kind != doc.Object {
		return nil, refuse("malformed", "The extensions of the query are no object.")
	}
	return r, x.graphqlExtensions(t, doc.Root, r.query)
}

// graphqlExtensions refuses what could stand for another query than the text: a hash
// without a text, or with another one.
func (x *Exchange) graphqlExtensions(t *doc.Tree, node int, query string) error {
	if query == "" {
		return refuse("malformed", "A query comes with its text: persisted queries aren't served.")
	}
	if node < 0 {
		return nil
	}
	sum := sha256.Sum256([]byte(query))
	for c := range t.Children(node) {
		switch name := t.Key(c); name {
		case "clientLibrary":
		case "persistedQuery":
			hash := t.Member(c, "sha256Hash")
			if hash < 0 || !strings.EqualFold(t.Text(hash), hex.EncodeToString(sum[:])) {
				return refuse("malformed", "The hash of a persisted query isn't that of its text.")
			}
		default:
			return refuse("unknown_parameter", "The extension %s of the request is not served.", shortName(name))
		}
	}
	return nil
}

// shortName bounds a name of the client's in a message; one that is no plain name
// isn't quoted.
func shortName(name string) string {
	const most = 64
	if len(name) > most || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") != "" {
		return "…"
	}
	return name
}

// variable is the codec's look-up of a variable.
func (r *graphqlRequest) variable(name string) (raw []byte, at int, ok bool) {
	if r.variables == nil {
		return nil, 0, false
	}
	n := r.variables.Member(r.at, name)
	if n < 0 {
		return nil, 0, false
	}
	if r.offset < 0 {
		return r.variables.Raw(n), -1, true
	}
	return r.variables.Raw(n), int(r.variables.Nodes[n].Start), true
}

// text is the request's own text.
func (r *graphqlRequest) text(x *Exchange) string {
	text := r.query
	if r.variables != nil {
		text += "\n" + string(r.variables.Raw(r.at))
	}
	return text
}

// graphqlRoots finds the operations of a document.
func (x *Exchange) graphqlRoots(fields []*graphql.Field, keys, names []string) error {
	for _, f := range fields {
		at, called := append(slices.Clip(keys), f.Key), append(slices.Clip(names), f.Name)
		root := &graphqlRoot{keys: at, name: strings.Join(called, "."), field: f}
		switch {
		case f.Name == typeName:
			continue
		case strings.HasPrefix(f.Name, "__"):
			if !x.rt.graphql.introspection {
				return refuse("denied", "Asking for the schema (%s) is not served.", shortName(f.Name))
			}
			x.gql.roots = append(x.gql.roots, root)
			continue
		}
		spec, typ, leads := x.rt.graphql.find(x.p, x.gql.op.Mutation, called)
		switch {
		case leads && f.Args < 0:
			if err := x.graphqlRoots(f.Fields, at, called); err != nil {
				return err
			}
			continue
		case spec == nil:
			return refuse("unknown_call", "The field %s of the query is not in the profile %s.", shortName(root.name), x.p.Name)
		case spec.deny != "":
			return &Refusal{Reason: "denied", Text: spec.deny, Status: spec.status}
		}
		root.spec, root.typ = spec, typ
		if x.gql.roots = append(x.gql.roots, root); len(x.gql.roots) > maxRoots {
			return refuse("malformed", "The query asks for too many fields at once.")
		}
	}
	return nil
}

// find returns the first field that fits a name, and the type in it; or that the
// name leads into a field of fields.
func (g *graphqlRoute) find(p *Profile, mutation bool, called []string) (spec *graphqlField, typ string, leads bool) {
	for i := range g.fields {
		f := &g.fields[i]
		if f.mutation != mutation {
			continue
		}
		for _, words := range f.names {
			fits, bound := matchWords(p, words, called)
			switch {
			case fits && len(f.types) > 0 && !matchAny(f.types, bound):
			case fits && len(words) == len(called):
				return f, bound, false
			case fits:
				leads = true
			}
		}
	}
	return nil, "", leads
}

// matchWords reports whether a name is, or leads to, what the words say.
func matchWords(p *Profile, words []wordPattern, called []string) (fits bool, typ string) {
	if len(called) > len(words) {
		return false, ""
	}
	for i, name := range called {
		word, ok := words[i].match(name)
		if !ok || words[i].variable != "" && p.entityOf(word) == nil {
			return false, ""
		}
		if words[i].variable != "" {
			typ = word
		}
	}
	return true, typ
}

// readRoot reads what one operation asks for.
func (x *Exchange) readRoot(r *graphqlRoot) error {
	if r.spec == nil || r.spec.pass {
		return nil
	}
	x.op, x.Call, x.vars["type"] = &r.spec.operation, r.name, r.typ
	x.bindArguments(r.field)
	x.typ, x.ent = r.typ, x.p.entityOf(r.typ)
	if x.op.entity != "" {
		if err := x.bindEntity(); err != nil {
			return err
		}
	}
	r.typ = x.typ
	x.at = len(x.Accesses)
	x.Accesses = append(x.Accesses, access.Access{Route: x.Route, Call: x.Call, Action: x.op.action, Entity: entityName(x.ent, x.typ), Type: x.typ})
	if err := x.rootIDs(); err != nil {
		return err
	}
	if err := x.readArguments(x.typ, nil, r.field, r.spec.own); err != nil {
		return err
	}
	for i := range x.op.refs {
		if err := x.readRef(&x.op.refs[i]); err != nil {
			return err
		}
	}
	if err := x.readWrites(); err != nil {
		return err
	}
	if err := x.readSelection(x.typ, nil, r.field.Fields); err != nil {
		return err
	}
	r.groups = x.grouped()
	if x.op.question {
		x.Accesses[x.at].Question = x.questionText()
	}
	return nil
}

// rootIDs notes the records that an operation asks for, each once.
func (x *Exchange) rootIDs() error {
	a := &x.Accesses[x.at]
	for _, e := range x.op.ids {
		ids, err := x.idsAt(e)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if !slices.Contains(a.IDs, id) {
				a.IDs = append(a.IDs, id)
			}
		}
	}
	return nil
}

// grouped is what the fields can hold by which an operation's answer is grouped.
func (x *Exchange) grouped() []access.Category {
	var cats []access.Category
	for _, ref := range x.Accesses[x.at].Refs {
		if ref.Role == access.RefGroup {
			cats = append(cats, ref.Categories...)
		}
	}
	return cats
}

// bindArguments names the arguments of a field for expressions.
func (x *Exchange) bindArguments(f *graphql.Field) {
	x.args = map[string]int{}
	if f.Args < 0 {
		return
	}
	for c := range x.tree.Children(x.tree.Element(doc.Root, f.Args)) {
		x.args[x.tree.Key(c)] = c
	}
}
