package profile

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/xmlrpc"
)

// isXML reports whether the transport is XML-RPC.
func (tr *transport) isXML() bool { return tr != nil && tr.body == xmlrpc.Name }

// xmlrpc fills in what XML-RPC says itself.
func (c *compiler) xmlrpc(where string, s *transportSpec) {
	if s.Result != "" || s.Failure.At != "" || len(s.Members)+len(s.Envelope) > 0 {
		c.fail(where, "XML-RPC says itself where its result and its fault stand, and has no other members: leave result, failure.at, members and envelope out")
	}
	s.Result, s.Failure.At = "$."+xmlrpc.KeyResult, "$."+xmlrpc.KeyFault
	if s.Error == nil {
		fault := func(code string) string { return string(xmlrpc.AppendFault(nil, code, "{text}")) }
		s.Error = &errorSpec{Status: 200, XML: fault("403"), SignedOut: &errorSpec{Status: 200, XML: fault("401")}}
	}
}

// callsWhen compiles what tells calls of one address apart.
func (c *compiler) callsWhen(where string, tr *transport, when map[string]string) {
	rt := &route{body: "json"}
	for _, at := range slices.Sorted(maps.Keys(when)) {
		c.condition(where, rt, at, when[at])
	}
	tr.when = rt.when
}

// fitsCall reports whether the body holds what tells the call from others of its
// address. One that can't be read is none of them.
func (x *Exchange) fitsCall() (bool, error) {
	if len(x.tr.when) == 0 {
		return true, nil
	}
	if err := x.parseBody(x.tr.body); err != nil {
		return false, err
	}
	return !slices.ContainsFunc(x.tr.when, func(c condition) bool { return !x.meets(&c) }), nil
}

// parseXMLRPC reads a call of XML-RPC.
func (x *Exchange) parseXMLRPC() error {
	if x.req.MediaType != "text/xml" && x.req.MediaType != "application/xml" {
		return &Refusal{Reason: "type", Text: "This address takes XML-RPC (text/xml) only.", Status: 415}
	}
	t, err := xmlrpc.Parse(x.req.Body, "utf-8", doc.DefaultLimits())
	if err != nil || t.Member(doc.Root, xmlrpc.KeyMethod) < 0 {
		return refuse("malformed", "The request body is not a strict call of XML-RPC.")
	}
	if t.Text(t.Member(doc.Root, xmlrpc.KeyMethod)) == "system.multicall" {
		return refuse("unknown_call", "Several calls in one request (system.multicall) are not served; send them one by one.")
	}
	x.tree = t
	return nil
}

// param is the number of the parameter that a path leads to; -1 for the list of all.
func (p path) param() (n int, ok bool) {
	if len(p) == 0 || p[0].kind != stepKey || !slices.Equal(p[0].keys, []string{xmlrpc.KeyParams}) {
		return 0, false
	}
	if len(p) == 1 {
		return -1, true
	}
	return p[1].n, len(p) == 2 && p[1].kind == stepIndex
}

// checkParams sees that each part of a call stands in a place of its own.
func (c *compiler) checkParams(where string, tr *transport) {
	list, ok := tr.args.param()
	switch {
	case tr.positional && !ok || tr.skip < 0 || tr.skip > 0 && list >= 0:
		c.fail(where, "args is the list of all parameters (`args: body.params`, with `skip` for those before the arguments), or one parameter that is a list (`args: body.params[5]`)")
	case tr.named != nil:
		if n, ok := tr.named.param(); !ok || n < 0 || list < 0 {
			c.fail(where, "named arguments are one parameter (`named: body.params[6]`), and args then another one")
		}
	}
	for _, s := range []*source{tr.typ, tr.method} {
		if s == nil || s.text != "" {
			continue
		}
		if n, ok := s.at.param(); !ok || n < 0 || list < 0 && n >= tr.skip {
			c.fail(where, "type and method are parameters before the arguments: `type: body.params[3]`")
		}
	}
}

// places are the numbers of the parameters that mean something, where the arguments
// are one of them; nil where they are the list itself.
func (tr *transport) places() []int {
	list, _ := tr.args.param()
	if list < 0 {
		return nil
	}
	places := []int{list}
	if tr.named != nil {
		n, _ := tr.named.param()
		places = append(places, n)
	}
	for _, s := range []*source{tr.typ, tr.method} {
		if s != nil && s.text == "" {
			n, _ := s.at.param()
			places = append(places, n)
		}
	}
	return places
}

// checkParams refuses parameters that nobody reads: more than there are places, and
// lists and objects where the database, the user and the key stand.
func (x *Exchange) checkParams() error {
	places, i := x.tr.places(), 0
	for n := range x.tree.Children(x.tree.Member(doc.Root, xmlrpc.KeyParams)) {
		switch before := i < x.tr.skip || places != nil && !slices.Contains(places, i); {
		case places != nil && i > slices.Max(places):
			return refuse("malformed", "The call has more parameters than the profile knows.")
		case before && isContainer(x.tree, n):
			return refuse("malformed", "A list or an object stands before the call's arguments.")
		}
		i++
	}
	return nil
}

// callText is what a call of XML-RPC asks, written as JSON: its arguments alone, for
// a key can stand before them.
func (x *Exchange) callText() string {
	var b bytes.Buffer
	if nodes, err := x.listed(); err == nil && x.tr.positional {
		b.WriteByte('[')
		for i, n := range nodes {
			if i > 0 {
				b.WriteByte(',')
			}
			appendJSON(&b, x.tree, n)
		}
		b.WriteByte(']')
	}
	if x.tr.named != nil {
		if n := x.tr.named.first(x.tree, doc.Root); n >= 0 {
			b.WriteByte(' ')
			appendJSON(&b, x.tree, n)
		}
	}
	return clip(b.String())
}

// appendJSON writes a value of any document as JSON.
func appendJSON(b *bytes.Buffer, t *doc.Tree, node int) {
	quote := func(s string) {
		raw, err := json.Marshal(s)
		if err != nil {
			raw = []byte(`""`)
		}
		b.Write(raw)
	}
	list := func(open, end byte, each func(c int)) {
		b.WriteByte(open)
		for c := range t.Children(node) {
			if c > node+1 {
				b.WriteByte(',')
			}
			each(c)
		}
		b.WriteByte(end)
	}
	switch t.Nodes[node].Kind {
	case doc.Object:
		list('{', '}', func(c int) {
			quote(t.Key(c))
			b.WriteByte(':')
			appendJSON(b, t, c)
		})
	case doc.Array:
		list('[', ']', func(c int) { appendJSON(b, t, c) })
	case doc.String:
		quote(t.Text(node))
	case doc.Null, doc.Invalid:
		b.WriteString("null")
	default:
		b.WriteString(t.Text(node))
	}
}
