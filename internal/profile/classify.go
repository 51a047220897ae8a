package profile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/xmlrpc"
	"github.com/crmgate/crmgate/internal/profile/soql"
)

// Request is a canonical request as the profile sees it.
type Request struct {
	Method string
	// Path is decoded and canonical: "/api/contacts/7".
	Path string
	// Query are the decoded parameters in their order.
	Query []Param
	// MediaType is the body's type without parameters, lower case.
	MediaType string
	// ContentType is the type as it was sent, for a multipart form's boundary.
	ContentType string
	// SOAPActions are the operations that SOAPAction headers and an action parameter
	// of the type name.
	SOAPActions []string
	// Body is the body, decoded from its content coding, at most the limit.
	Body []byte
	// Batch is what carries the request, and Part its place there; nil where it came
	// alone.
	Batch *Batch
	Part  int
}

// Param is one query parameter.
type Param struct{ Name, Value string }

// Refusal says why a request isn't let through before a policy is asked.
type Refusal struct {
	// Reason is a closed word for the log: unknown_route, unknown_call,
	// malformed, type, denied, unknown_type, unknown_field, repeated,
	// file.
	Reason string
	// Text is for the person; it quotes no values.
	Text string
	// Status is the HTTP status that the profile asks for; 0 = the error shape's.
	Status int
	// Route is the route's name, if one was found.
	Route string
	// Call is the remote call's name, if it is known to the profile.
	Call string
	// ID is the request's own id in a remote call, raw JSON, for the answer.
	ID string
}

func (r *Refusal) Error() string { return r.Reason + ": " + r.Text }

func refuse(reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Text: fmt.Sprintf(format, args...)}
}

// Exchange is a classified request: what it asks for, and how its response is
// read.
type Exchange struct {
	// Route is the route's name and Call the remote call's, if any.
	Route, Call string
	// Pass: no personal data in the request or the response.
	Pass bool
	// Upgrade: a pass route that may become a WebSocket.
	Upgrade bool
	// Type is the response's format: one of the words for a route's type.
	Type string
	// Stream says what a streamed response is divided into: the path to its rows,
	// or one of the words for a route's stream. "" = held.
	Stream string
	// Image says that a refusal is answered with a neutral picture.
	Image    bool
	Accesses []access.Access

	p     *Profile
	op    *operation
	tr    *transport // nil for routes
	rt    *route
	od    *odataPlan   // nil but for OData
	gql   *graphqlPlan // nil but for GraphQL
	asks  *soql.Query  // nil but for the languages of queries
	batch *Batch       // nil but for batches
	// at is the access that is being read.
	at   int
	vars map[string]string
	req  Request
	tree *doc.Tree
	// around is what stands around the document; nil where that is the body.
	around *wrapping
	// query is the query as a tree, for a CRM that reads it so; nil until asked for.
	query *doc.Tree
	body  int            // where expressions for the body begin
	args  map[string]int // node of each named argument, -1 when absent
	ctx   int            // node of the call's context, -1
	// contextKeys are the keys of all contexts; nil until asked for.
	contextKeys map[string]bool
	typ         string
	ent         *entity
	// User is the employee's name in the CRM, for the fact `own`.
	User string
	// Wants are the fields, by entity, whose places Locate tells besides (Found.Told);
	// nil: none.
	Wants map[access.Entity][]string

	narrows []narrowing
	writes  []*Write
	// names are what one row of a streamed response leaves to the next.
	names []memberName
	// handles are those that the request brings back, and gives the places of those
	// that its answer gives.
	handles []Handle
	gives   []gives
	// columns are those of a streamed CSV.
	columns columns
}

// Classify finds the route or the call of a request and reads what it asks
// for. A *Refusal is an answer for the client; other errors are faults.
func (p *Profile) Classify(req Request) (*Exchange, error) {
	x, err := p.classify(req)
	if err == nil && req.Batch != nil {
		req.Batch.asked[req.Part] = x
	}
	return x, err
}

func (p *Profile) classify(req Request) (*Exchange, error) {
	req.Path = p.unaliasPath(req.Method, req.Path)
	segments := strings.Split(strings.TrimPrefix(req.Path, "/"), "/")
	if err := p.unalias(&req); err != nil {
		return nil, err
	}
	return p.classifyCalls(segments, &req)
}

// classifyCalls finds the first transport that takes the request, or the first route.
func (p *Profile) classifyCalls(segments []string, req *Request) (*Exchange, error) {
	passedOver := false
	for _, tr := range p.transports {
		vars := map[string]string{}
		if !tr.pattern.match(req.Method, segments, vars) {
			continue
		}
		x := &Exchange{p: p, tr: tr, vars: vars, req: *req, Route: tr.pattern.text, Type: tr.body, ctx: -1}
		fits, err := x.fitsCall()
		if err == nil && !fits {
			passedOver = true
			continue
		}
		if err == nil {
			err = x.classifyCall()
		}
		if err != nil {
			return nil, x.complete(err)
		}
		return x, nil
	}
	x, err := p.classifyRoutes(segments, req, 0)
	if r, ok := errors.AsType[*Refusal](err); ok && passedOver && r.Reason == "unknown_route" {
		return nil, refuse("unknown_call", "This call is not in the profile %s.", p.Name)
	}
	return x, err
}

// classifyRoutes finds the first route, from the one of a number on, that takes the
// request.
func (p *Profile) classifyRoutes(segments []string, req *Request, from int) (*Exchange, error) {
	bodies := bodies{}
	for i, rt := range p.routes[from:] {
		i += from
		vars := map[string]string{}
		if !rt.pattern.match(req.Method, segments, vars) || !rt.pattern.matchQuery(req.Query, vars) {
			continue
		}
		if rt.soap != nil {
			return p.soapRoute(i, segments, req)
		}
		x := &Exchange{p: p, rt: rt, op: &rt.operation, vars: vars, req: *req, Route: rt.name, Type: rt.typ, Upgrade: rt.upgrade, ctx: -1, gives: rt.gives}
		if !x.fits(bodies) || len(rt.types) > 0 && !matchAny(rt.types, x.expand(rt.entity)) {
			continue
		}
		if err := x.classifyRoute(); err != nil {
			return nil, x.complete(err)
		}
		return x, nil
	}
	if bodies.asked() {
		return nil, refuse("unknown_call", "The request's body is none that the profile %s lists for this address.", p.Name)
	}
	return nil, refuse("unknown_route", "This address is not in the profile %s.", p.Name)
}

// complete tells a refusal what is known of its request.
func (x *Exchange) complete(err error) error {
	if r, ok := errors.AsType[*Refusal](err); ok {
		r.Route, r.Call = x.Route, x.Call
		r.ID = x.requestID()
		if r.Status == 0 && x.op != nil && r.Reason == "denied" {
			r.Status = x.op.status
		}
	}
	return err
}

// requestID returns the raw `id` member of a remote call, for error answers.
func (x *Exchange) requestID() string {
	if x.tr == nil || x.tree == nil {
		return "null"
	}
	id := x.tree.Member(doc.Root, "id")
	if id < 0 || x.tree.Nodes[id].Kind != doc.Number {
		return "null"
	}
	return string(x.tree.Raw(id))
}

// RequestID is the raw JSON of the request's own id, "null" without one.
func (x *Exchange) RequestID() string { return x.requestID() }

func (x *Exchange) classifyRoute() error {
	if x.op.deny != "" {
		return &Refusal{Reason: "denied", Text: x.op.deny, Status: x.op.status}
	}
	if err := x.checkQuery(); err != nil {
		return err
	}
	if x.rt.batch != nil {
		return x.readBatch()
	}
	if x.p.nestedQuery && !x.op.pass {
		if _, err := x.nestedQuery(); err != nil {
			return err
		}
	}
	if err := errors.Join(x.checkDialect(), x.checkCallback()); err != nil {
		return err
	}
	if x.rt.graphql != nil {
		return x.classifyGraphQL()
	}
	if err := x.parseBody(x.rt.body); err != nil {
		return err
	}
	if err := errors.Join(x.checkBody(), x.checkReferences()); err != nil {
		return err
	}
	if x.rt.continues != nil {
		return x.readHandles()
	}
	if err := errors.Join(x.classifyOData(), x.classifyLanguage()); err != nil {
		return err
	}
	if err := x.classifyOperation(); err != nil {
		return err
	}
	return x.checkFiles()
}

// checkQuery refuses parameters that the route doesn't list: a CRM may
// understand ones that the profile doesn't.
func (x *Exchange) checkQuery() error {
	if x.op.pass && x.rt.query == nil {
		return nil
	}
	if contains(x.rt.query, "*") { // opaque, or each is judged
		return nil
	}
	for _, q := range x.req.Query {
		name := q.Name
		if x.p.nestedQuery && (!strings.Contains(q.Name, "[") || !contains(x.rt.query, q.Name)) {
			var nested bool
			name, _, nested = strings.Cut(name, "[")
			if !x.op.pass && nested != contains(x.rt.nested, name) {
				return refuse("malformed", "A query parameter is a list or an object where the profile says otherwise.")
			}
		}
		if !contains(x.rt.query, name) && !x.rt.pattern.namesParam(q.Name) && !x.isODataParam(name) && !x.isSearchParam(name) && !x.isGraphQLParam(name) {
			return refuse("unknown_parameter", "A query parameter is not in the profile for this address.")
		}
	}
	return nil
}

func (x *Exchange) parseBody(kind string) error {
	var err error
	if strings.Contains(kind, "|") {
		kind = x.bodyKind(kind)
	}
	if len(x.req.Body) == 0 && x.req.MediaType == "" && (x.req.Method == "GET" || x.req.Method == "HEAD") && kind != "none" {
		return nil // a route of several methods; a query has no body
	}
	switch kind {
	case "none":
		if len(x.req.Body) > 0 {
			return refuse("body", "This address takes no request body.")
		}
		return nil
	case "any", "soap": // read already
		return nil
	case "json":
		if x.req.MediaType != "application/json" && !isJSON(x.req.MediaType) {
			return &Refusal{Reason: "type", Text: "This address takes application/json only.", Status: 415}
		}
		x.tree, err = parseJSON(x.req.Body)
	case xmlrpc.Name:
		return x.parseXMLRPC()
	case "form", "urlencoded", "multipart":
		return x.parseForm(kind)
	case "nested":
		return x.parseNested()
	default:
		return fmt.Errorf("profile %s: body %q is not served", x.p.Name, kind)
	}
	if err != nil {
		return &Refusal{Reason: "malformed", Text: "The request body is not strict " + kind + ".", Status: 400}
	}
	return nil
}

// classifyOperation reads entity, ids and references.
func (x *Exchange) classifyOperation() error {
	if x.op.pass {
		x.Pass = true
		return nil
	}
	x.Stream, x.Image = x.op.stream, x.op.image
	if err := x.bindEntity(); err != nil {
		return err
	}
	a := access.Access{
		Route: x.Route, Call: x.Call, Action: x.op.action,
		Entity: entityName(x.ent, x.typ), Type: x.typ,
	}
	for _, e := range x.op.ids {
		ids, err := x.idsAt(e)
		if err != nil {
			return err
		}
		a.IDs = append(a.IDs, ids...)
	}
	x.Accesses = []access.Access{a}
	if err := errors.Join(x.readOData(), x.readLanguage()); err != nil {
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
	if x.op.opaque || x.op.image {
		x.askWhole()
	}
	if x.op.question {
		x.Accesses[0].Question = x.questionText()
	}
	return nil
}

func (x *Exchange) addRef(r access.Ref) {
	x.Accesses[x.at].Refs = append(x.Accesses[x.at].Refs, r)
}

func (x *Exchange) bindEntity() error {
	typ := x.typeOf(x.op.entity)
	if x.op.entityAt != nil {
		typ = ""
		if vs := x.valuesAt(*x.op.entityAt); len(vs) == 1 {
			typ = x.textOf(vs[0])
		}
	}
	if x.od != nil {
		typ = x.od.typ
	}
	if x.asks != nil {
		typ = x.asks.Objects[0]
	}
	if of, ok := x.p.typeOfIDs(typ); ok {
		typ = of
	}
	x.typ, x.ent = typ, x.p.entityOf(typ)
	if x.ent == nil {
		return refuse("unknown_type", "Records of this kind are not in the profile %s.", x.p.Name)
	}
	return nil
}
