package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/xml"
)

// soapCall is a compiled description of a SOAP request.
type soapCall struct {
	operation string
	elements  []string
	repeated  []string
	empty     []string
	headers   []string
}

// soap compiles what a route says of a SOAP request.
func (c *compiler) soap(where string, rt *route, s *routeSpec) {
	if rt.body != "soap" {
		if s.SOAP.Operation != "" || len(s.SOAP.Elements) > 0 {
			c.fail(where, "soap describes requests of the body soap; add `body: soap`")
		}
		return
	}
	rt.soap = &soapCall{operation: s.SOAP.Operation, elements: s.SOAP.Elements, repeated: s.SOAP.Repeated, empty: s.SOAP.Empty, headers: s.SOAP.Headers}
	if rt.soap.operation == "" {
		c.fail(where, "a SOAP request needs its operation: `soap: {operation: get_entry, elements: [session, id]}`")
	}
	for _, name := range slices.Concat(rt.soap.empty, rt.soap.repeated) {
		if !contains(rt.soap.elements, name) {
			c.fail(where, "soap: %q isn't among the elements; nearest: %q", name, nearest(name, rt.soap.elements))
		}
	}
}

// soapOperation checks what a SOAP route can ask for. Saves aren't served.
func (c *compiler) soapOperation(where string, rt *route) {
	if rt.soap == nil || rt.deny != "" || rt.pass {
		return
	}
	if rt.write != nil || rt.action == access.Create || rt.action == access.Update {
		c.fail(where, "saves in SOAP are not served: describe the operation with `deny`, or leave it out; a call that reads needs `action: read`")
	}
	served := []string{"name", "csv", "list", "search"}
	for i := range rt.refs {
		if r := &rt.refs[i]; r.at.origin == fromBody && !slices.Contains(served, r.syntax) {
			c.fail(where, "a reference with the syntax %s is not served in SOAP; there are: %v", r.syntax, served)
		}
	}
}

// otherCall reports whether two routes of one address are for two operations.
func otherCall(a, b *route) bool {
	return otherCondition(a, b) || a.soap != nil && b.soap != nil && a.soap.operation != b.soap.operation
}

// soapRequest is the one SOAP request of a body: its tree, its headers and its
// operation's element.
type soapRequest struct {
	tree      *doc.Tree
	header    int
	operation int
}

func malformedSOAP(what string) *Refusal {
	return &Refusal{Reason: "malformed", Text: "The SOAP request " + what + ".", Status: 400}
}

// readSOAP reads a body strictly: one envelope, at most one header, one body with
// one element. What a SOAP server could take for something else is refused: text
// beside elements, attributes that aren't SOAP's or the schema's own (a reference
// to another element), an action that names another operation.
func readSOAP(req *Request) (*soapRequest, *Refusal) {
	if !slices.Contains([]string{"text/xml", "application/xml", "application/soap+xml"}, req.MediaType) {
		return nil, &Refusal{Reason: "type", Text: "This address takes SOAP only.", Status: 415}
	}
	t, err := xml.Parse(req.Body, xml.Options{Charset: "utf-8"}, doc.DefaultLimits())
	if err != nil {
		return nil, malformedSOAP("is not strict XML")
	}
	s := &soapRequest{tree: t, header: -1, operation: -1}
	body := -1
	envelope := onlyElement(t, doc.Root, "Envelope")
	if envelope >= 0 {
		for c := range t.Children(envelope) {
			switch key := t.Key(c); {
			case !isElement(key):
			case key == "Header" && s.header < 0 && body < 0:
				s.header = c
			case key == "Body" && body < 0:
				body = c
			default:
				return nil, malformedSOAP("is no envelope of a header and a body")
			}
		}
	}
	if s.operation = onlyElement(t, body, ""); s.operation < 0 {
		return nil, malformedSOAP("is no envelope of a header and a body with one operation")
	}
	marked, _ := t.Format.(doc.Marked)
	for n := range t.Nodes {
		switch key := t.Key(n); {
		case strings.HasPrefix(key, "@") && !marked.Markup(t, n):
			return nil, malformedSOAP("has an attribute that the profile does not know")
		case key == "#text" && (int(t.Nodes[n].Parent) == envelope || int(t.Nodes[n].Parent) == body):
			return nil, malformedSOAP("has text beside its elements")
		}
	}
	if !agrees(req.SOAPActions, t.Key(s.operation)) {
		return nil, malformedSOAP("names another operation in its action than in its body")
	}
	return s, nil
}

// onlyElement returns the one element below a node, -1 where there are others, or
// where it has another name than the one that is given.
func onlyElement(t *doc.Tree, node int, name string) int {
	if node < 0 || t.Nodes[node].Kind != doc.Object {
		return -1
	}
	only := -1
	for c := range t.Children(node) {
		if !isElement(t.Key(c)) {
			continue
		}
		if only >= 0 || name != "" && t.Key(c) != name {
			return -1
		}
		only = c
	}
	return only
}

// agrees reports whether every action is empty or ends with the operation's name.
func agrees(actions []string, operation string) bool {
	for _, a := range actions {
		a = strings.Trim(a, `"`)
		last := a[strings.LastIndexAny(a, "/#:")+1:]
		if a != "" && last != operation && last != operation+"Request" {
			return false
		}
	}
	return true
}

// soapRoute finds the route of a SOAP request among those of its address.
func (p *Profile) soapRoute(first int, segments []string, req *Request) (*Exchange, error) {
	s, no := readSOAP(req)
	if no != nil {
		no.Route = p.routes[first].name
		return nil, no
	}
	for _, rt := range p.routes[first:] {
		vars := map[string]string{}
		if rt.soap == nil || rt.soap.operation != s.tree.Key(s.operation) || !rt.pattern.match(req.Method, segments, vars) {
			continue
		}
		x := &Exchange{p: p, rt: rt, op: &rt.operation, vars: vars, req: *req, Route: rt.name, Type: rt.typ, ctx: -1}
		x.tree, x.body = s.tree, s.operation
		x.Call = rt.soap.operation
		if x.op.deny == "" {
			if err := x.checkSOAP(s); err != nil {
				return nil, x.complete(err)
			}
		}
		if err := x.classifyRoute(); err != nil {
			return nil, x.complete(err)
		}
		return x, nil
	}
	no = refuse("unknown_call", "This call is not in the profile %s.", p.Name)
	no.Route = p.routes[first].name
	return nil, no
}

// checkSOAP holds the operation's elements against those that the route lists:
// the same ones in the same order, for some servers take them by their names and
// some by their places; only the last ones may be missing.
func (x *Exchange) checkSOAP(s *soapRequest) error {
	call, t, i := x.rt.soap, x.tree, 0
	if t.Nodes[s.operation].Kind == doc.String && !isVoid(t, s.operation) {
		return malformedSOAP("has text beside its elements")
	}
	for c := range t.Children(s.operation) {
		key := t.Key(c)
		switch {
		case key == "#text":
			return malformedSOAP("has text beside its elements")
		case !isElement(key), i > 0 && call.elements[i-1] == key && contains(call.repeated, key):
			continue
		case i >= len(call.elements) || call.elements[i] != key:
			return refuse("unknown_parameter", "The call has an element that the profile does not list, or not in this place.")
		case contains(call.empty, key) && !isVoid(t, c):
			return refuse("unknown_parameter", "An element of the call has to be empty: the profile can't tell what is asked by it.")
		}
		i++
	}
	if s.header < 0 {
		return nil
	}
	for c := range t.Children(s.header) {
		if isElement(t.Key(c)) && !contains(call.headers, t.Key(c)) {
			return refuse("unknown_parameter", "The call has a header that the profile does not list.")
		}
	}
	return nil
}

// isVoid reports whether an element holds no text at any depth.
func isVoid(t *doc.Tree, node int) bool {
	for n := node; n < int(t.Nodes[node].Next); n++ {
		if key := t.Key(n); t.Nodes[n].Kind == doc.String && (isElement(key) || key == "#text") && strings.TrimSpace(t.Text(n)) != "" {
			return false
		}
	}
	return true
}

// isUnread reports whether a place in XML has elements where a text is read.
func isUnread(t *doc.Tree, node int) bool {
	_, marked := t.Format.(doc.Marked)
	return marked && t.Nodes[node].Kind != doc.String && !isVoid(t, node)
}

// readElements reads the names in the elements of a list, or the one name in a text.
func (x *Exchange) readElements(r *ref, typ string, node int) error {
	t := x.tree
	if t.Nodes[node].Kind == doc.String {
		return x.readName(r, typ, strings.TrimSpace(t.Text(node)))
	}
	for c := range t.Children(node) {
		leaf := doc.Leaf(t, c)
		switch {
		case !isElement(t.Key(c)):
		case isUnread(t, leaf):
			return refuse("malformed", "A list of field names holds something else.")
		default:
			if err := x.readName(r, typ, strings.TrimSpace(t.Text(leaf))); err != nil {
				return err
			}
		}
	}
	return nil
}

// soapQuestion is what was asked: what the profile reads of the call, and not its
// other elements, among which a session's key may be.
func (x *Exchange) soapQuestion() string {
	exprs := slices.Clone(x.op.ids)
	if x.op.entityAt != nil {
		exprs = append(exprs, *x.op.entityAt)
	}
	for i := range x.op.refs {
		exprs = append(exprs, x.op.refs[i].at)
	}
	var b strings.Builder
	b.WriteString(x.Call)
	for _, e := range exprs {
		for _, v := range x.valuesAt(e) {
			if e.origin == fromBody && v.node >= 0 {
				b.WriteString("&" + strings.TrimPrefix(e.text, "body.") + "=")
				b.Write(x.tree.Raw(v.node))
			}
		}
	}
	return clip(b.String())
}
