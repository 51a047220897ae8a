package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/xmlrpc"
)

// transport is one wire form of remote calls.
type transport struct {
	pattern pattern
	body    string
	when    []condition
	members []string
	call    path
	// typ and method are where the type and the call's name stand, in the place of
	// call.
	typ, method *source
	args        path
	positional  bool // args is set
	skip        int  // how many of args are none
	named       *path
	context     bool
	defaults    string
	result      path
	bare        bool // the result is the answer as a whole
	envelope    []string
	failure     failure
	shapes      *Shapes // of refusals; nil for the profile's
}

type failure struct {
	at    path
	name  path
	known map[string][]path
}

// source is a place of a word: a path into the body, or a text with variables.
type source struct {
	at   path
	text string // "" for a path
}

func (c *compiler) source(where, s string) *source {
	switch {
	case s == "":
		return nil
	case s == "body" || strings.HasPrefix(s, "body."):
		return &source{at: c.path(where, s)}
	}
	return &source{text: s}
}

// read returns the word; false where there is none.
func (s *source) read(x *Exchange) (string, bool) {
	if s.text != "" {
		return expandVars(s.text, x.vars), true
	}
	n := s.at.first(x.tree, doc.Root)
	if n < 0 || x.tree.Nodes[n].Kind != doc.String {
		return "", false
	}
	return x.tree.Text(n), true
}

// transport compiles what a transport says besides its pattern.
func (c *compiler) transport(where string, pat pattern, s *transportSpec) *transport {
	if s.Body == xmlrpc.Name {
		c.xmlrpc(where, s)
	}
	tr := &transport{
		skip:    s.Skip,
		pattern: pat, body: s.Body, members: s.Members, context: s.Context, defaults: s.Defaults, envelope: s.Envelope,
		call: c.path(where, s.Call), typ: c.source(where, s.Type), method: c.source(where, s.Method),
		args: c.path(where, s.Args), positional: s.Args != "", result: c.path(where, s.Result), bare: s.Result == "$",
		failure: failure{at: c.path(where, s.Failure.At), name: c.path(where, s.Failure.Name), known: map[string][]path{}},
	}
	if s.Named != "" {
		named := c.path(where, s.Named)
		tr.named = &named
	}
	for name, paths := range s.Failure.Known {
		tr.failure.known[name] = []path{}
		for _, pth := range paths {
			tr.failure.known[name] = append(tr.failure.known[name], c.path(where, pth))
		}
	}
	c.callsWhen(where, tr, s.When)
	if s.Error != nil {
		shapes := c.shapes(where+", error", s.Error)
		tr.shapes = &shapes
	}
	c.checkTransport(where, tr, s)
	c.checkPlaces(where, tr)
	return tr
}

func (c *compiler) checkTransport(where string, tr *transport, s *transportSpec) {
	if s.Body != "json" && s.Body != xmlrpc.Name {
		c.fail(where, "body %q is not served; write json or xmlrpc", s.Body)
	}
	if s.Skip != 0 && s.Body != xmlrpc.Name {
		c.fail(where, "skip is for calls of XML-RPC: `body: xmlrpc`")
	}
	if (s.Call == "") == (s.Method == "") || s.Type != "" && s.Method == "" {
		c.fail(where, "say where the call's name stands: either `call`, or `method` and the `type` of the records")
	}
	if s.Args == "" && s.Named == "" || s.Result == "" || s.Failure.At == "" {
		c.fail(where, "args or named, result and failure.at are needed")
	}
	if s.Body == "json" && len(s.Members) == 0 && (tr.named == nil || len(*tr.named) > 0) {
		c.fail(where, "list the request's members; without them they are the named arguments (`named: body`)")
	}
	if tr.bare && s.Failure.At != "$" {
		c.fail(where, "where the result is the whole answer, so is the error; write `failure: {at: $}`")
	}
	if s.Defaults != "" && !s.Context {
		c.fail(where, "defaults stand in the context; add `context: true`")
	}
}

// checkPlaces sees that a call of the gateway's own can be written where the
// client's stands.
func (c *compiler) checkPlaces(where string, tr *transport) {
	if tr.isXML() {
		c.checkParams(where, tr)
		return
	}
	if tr.method == nil {
		return
	}
	places := []path{tr.args, tr.method.at}
	if tr.named != nil {
		places = append(places, *tr.named)
	}
	if tr.typ != nil {
		places = append(places, tr.typ.at)
	}
	for _, p := range places {
		if !isMembers(p) {
			c.fail(where, "type, method, args and named are paths of members: `body.params.model`")
		}
	}
}

// isMembers reports whether a path leads to one place, from member to member.
func isMembers(p path) bool {
	return !slices.ContainsFunc(p, func(s step) bool { return s.kind != stepKey || len(s.keys) != 1 })
}

// findMethod finds the call of a transport that names type and method apart.
func (x *Exchange) findMethod() (full string, c *call, err error) {
	method, ok := x.tr.method.read(x)
	if !ok || method == "" {
		return "", nil, refuse("malformed", "The call names no method.")
	}
	if x.tr.method.text == "" && strings.Contains(method, "/") {
		return method, nil, nil // the name of an address
	}
	full = method
	delete(x.vars, "type")
	if x.tr.typ != nil {
		typ, ok := x.tr.typ.read(x)
		if !ok || typ == "" {
			return "", nil, refuse("malformed", "The call names no kind of records.")
		}
		x.vars["type"], full = typ, typ+"."+method
	}
	x.vars["method"] = method
	return full, x.p.callNamed(method, x.vars), nil
}

// bindNamed binds the arguments that come by their names. One that the profile
// doesn't list, or that stands among the positional ones too, is refused.
func (x *Exchange) bindNamed(c *call) error {
	t := x.tree
	object := x.tr.named.first(t, doc.Root)
	if object < 0 {
		return nil
	}
	if t.Nodes[object].Kind != doc.Object {
		return refuse("malformed", "The call's named arguments are no object.")
	}
	for n := range t.Children(object) {
		name := t.Key(n)
		if name == "context" && x.tr.context {
			if err := x.bindContext(n); err != nil {
				return err
			}
			continue
		}
		if x.op.pass && len(c.sig) == 0 {
			continue
		}
		if !contains(c.sig, name) && !contains(c.named, name) {
			return refuse("malformed", "The call has an argument that the profile doesn't know.")
		}
		if at, ok := x.args[name]; ok && at >= 0 {
			return refuse("malformed", "The call has an argument twice.")
		}
		x.args[name] = n
	}
	return nil
}

func (x *Exchange) bindContext(node int) error {
	switch x.tree.Nodes[node].Kind {
	case doc.Object:
		x.ctx = node
	case doc.Null, doc.Bool:
	default:
		if x.tr.isXML() && !isContainer(x.tree, node) && x.tree.Text(node) == "" {
			return nil // what some clients write for nothing
		}
		return refuse("malformed", "The call's context is no object.")
	}
	return nil
}

// inContext reports whether a context in the request has the key: the call's own,
// or one that stands with a part of it.
func (x *Exchange) inContext(key string) bool {
	if x.tree == nil {
		return false
	}
	if x.contextKeys == nil {
		x.contextKeys = map[string]bool{}
		for n := range x.tree.Nodes {
			if up := int(x.tree.Nodes[n].Parent); up >= 0 && (up == x.ctx || x.tree.Key(up) == "context") {
				x.contextKeys[x.tree.Key(n)] = true
			}
		}
	}
	return x.contextKeys[key]
}

// widened is the field with what keys of a context put into its value besides.
func (x *Exchange) widened(f *field) *field {
	if len(f.context) == 0 {
		return f
	}
	wide := *f
	for key, c := range f.context {
		if x.inContext(key) {
			wide.categories = unique(append(slices.Clip(wide.categories), c))
		}
	}
	if len(wide.categories) > 1 && f.public() {
		wide.categories = wide.categories[1:]
	}
	return &wide
}

// displayed are the categories that the display of a record of that type has in
// this exchange.
func (x *Exchange) displayed(typ string) []access.Category {
	e := x.p.entityOf(typ)
	if e == nil || e.display == "" {
		return unclassified()
	}
	return x.widened(e.lookup(e.display, false)).categories
}
