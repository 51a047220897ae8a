package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
)

func (c *compiler) transports() {
	for i := range c.spec.Transports {
		s := &c.spec.Transports[i]
		where := "transport " + s.Match
		pat, err := parsePattern(s.Match)
		if err != nil {
			c.errs = append(c.errs, err)
			continue
		}
		tr := c.transport(where, pat, s)
		c.p.transports = append(c.p.transports, tr)
	}
}

func (c *compiler) calls() {
	for i := range c.spec.Calls {
		s := &c.spec.Calls[i]
		where := "call " + s.Call
		if s.Call == "" {
			c.fail(where, "a call needs a name: `call: \"*.read\"`")
		}
		name, err := parseCallName(s.Call)
		if err != nil {
			c.errs = append(c.errs, err)
		}
		cl := &call{name: name, sig: s.Sig, named: s.Named}
		c.operation(where, &cl.operation, &s.operationSpec, slices.Concat(s.Sig, s.Named), access.Read)
		if s.Stream != "" {
			c.fail(where, "a call's answer is held; leave stream out")
		}
		for _, t := range s.Types {
			cl.types = append(cl.types, glob(t))
		}
		c.noLanguage(where, cl)
		if cl.entity == "" {
			cl.entity = "{type}"
		}
		for _, before := range c.p.calls {
			if len(before.types) == 0 && before.name.glob.match(s.Call) {
				c.fail(where, "can never match: %s stands before it", before.name.glob)
			}
		}
		c.p.calls = append(c.p.calls, cl)
	}
	if len(c.p.transports) > 0 && len(c.p.calls) == 0 {
		c.fail("calls", "a transport without calls refuses everything; add one")
	}
}

func (c *compiler) routes() {
	for i := range c.spec.Routes {
		s := &c.spec.Routes[i]
		where := "route " + s.Match
		pat, err := parsePattern(s.Match)
		if err != nil {
			c.errs = append(c.errs, err)
			continue
		}
		pat.onlyIDs(c.p.salesforceIDs)
		rt := &route{name: s.Name, pattern: pat, body: s.Body, typ: s.Type, form: s.Form, media: s.Media, csv: s.CSV, query: s.Query, members: s.Members, upgrade: s.Upgrade}
		if rt.name == "" {
			rt.name = s.Match
		}
		c.batch(where, rt, s)
		c.routeDefaults(where, rt)
		c.answer(where, rt, s)
		c.soap(where, rt, s)
		c.form(where, rt)
		c.operation(where, &rt.operation, &s.operationSpec, nil, methodAction(pat.methods))
		if s.GraphQL != nil || s.Continues != nil || rt.batch != nil {
			c.noContacts(where, &rt.operation)
		}
		c.formMembers(where, rt)
		c.answerRecords(where, rt)
		c.nestedParams(where, rt)
		c.odata(where, rt, s)
		c.language(where, rt)
		c.graphql(where, rt, s)
		c.bodyMembers(where, rt)
		c.when(where, rt, s.When)
		c.handles(where, rt, s)
		c.soapOperation(where, rt)
		rt.events = s.SSE.Events
		c.routeStream(where, rt)
		if !rt.pass && rt.deny == "" && rt.entity == "" && !rt.odataNamed() && rt.language() == nil && rt.graphql == nil && rt.batch == nil && rt.continues == nil {
			c.fail(where, "a route needs an entity, `pass: true`, `deny: text` or `continues`")
		}
		rt.way = rt.bodyWay()
		c.unasked(where, rt)
		c.unread(where, rt)
		c.unlisted(where, rt)
		c.upgrade(where, rt)
		c.anyParameter(where, rt)
		c.routeTypes(where, rt, s.Types)
		for _, before := range c.p.routes {
			if before.pattern.covers(&rt.pattern) && !otherCall(before, rt) && !before.optional {
				c.fail(where, "can never match: %s stands before it", before.pattern.text)
			}
		}
		rt.number = len(c.p.routes)
		c.p.routes = append(c.p.routes, rt)
	}
}

// form checks a form that holds the request as JSON.
func (c *compiler) form(where string, rt *route) {
	f := &rt.form
	if f.JSON == "" && len(f.Fields)+len(f.Members) == 0 {
		return
	}
	if forms(rt.body) == nil || f.JSON == "" {
		c.fail(where, "a form that holds JSON has `body: form` (or urlencoded, or multipart) and the field: `form: {json: data, members: [fields, domain]}`")
	}
}

// formMembers sees that the JSON in a form is described.
func (c *compiler) formMembers(where string, rt *route) {
	whole := rt.write != nil && len(rt.write.at.path) == 0
	if rt.form.JSON != "" && whole == (len(rt.form.Members) > 0) {
		c.fail(where, "say what may stand in the form's JSON, where it isn't the values themselves (`write: {at: body}`): `form: {json: data, members: [fields, domain]}`")
	}
}

// upgrade refuses a socket where something would have to be masked.
func (c *compiler) upgrade(where string, rt *route) {
	if rt.upgrade && (!rt.pass || !slices.Equal(rt.pattern.methods, []string{"GET"})) {
		c.fail(where, "upgrade is for a GET route with `pass: true` alone: what goes through a socket can't be masked")
	}
}

// bodyMembers sees that a body is described: a member that nobody looks at
// could ask about anything.
func (c *compiler) bodyMembers(where string, rt *route) {
	described := rt.write != nil || rt.members != nil || rt.pass || rt.deny != "" || rt.opaque || rt.image || rt.form.JSON != "" || rt.graphql != nil
	read := readable(rt.body)
	if read && !described {
		c.fail(where, "the body isn't described: list its members (`members: [filter, sort]`, `members: []` for none), say `write` or `body: none`")
	}
	if !read && rt.members != nil {
		c.fail(where, "members are for a body of JSON or a form")
	}
}

// nestedParams notes which parameters stand as trees: one that does in a request
// and not in the profile would be read by the CRM and not by us.
func (c *compiler) nestedParams(where string, rt *route) {
	plain := map[string]bool{}
	for i := range rt.refs {
		r := &rt.refs[i]
		if r.at.origin != fromQuery {
			continue
		}
		if len(r.at.path) > 0 || strings.Contains(r.at.name, "[*]") || (r.syntax == "clauses" || r.syntax == "keys") && c.p.nestedQuery {
			rt.nested = append(rt.nested, r.at.name)
		} else {
			plain[r.at.name] = true
		}
	}
	for _, name := range rt.nested {
		if plain[name] {
			c.fail(where, "the parameter %s is a text to one reference and a tree to another", name)
		}
		if !c.p.nestedQuery {
			c.fail(where, "%s is read as a tree; add `nested: true` to normalize.query", name)
		}
	}
}

func (c *compiler) routeStream(where string, rt *route) {
	if rt.stream != "" && (len(rt.links) > 0 || slices.ContainsFunc(rt.gives, func(g gives) bool { return g.address })) {
		c.fail(where, "addresses in a streamed answer aren't led to the gateway; leave stream out, or the links")
	}
	if len(rt.events) > 0 && rt.typ != "sse" {
		c.fail(where, "sse is for answers of the type sse; add `type: sse`")
	}
	if rt.typ == "sse" {
		if rt.stream != "" {
			c.fail(where, "answers of the type sse are streamed by themselves; leave stream out")
		}
		rt.stream = "events"
		return
	}
	if rt.stream == "" || rt.typ == "csv" && rt.stream == "rows" {
		return
	}
	if rt.typ != "json" && (rt.typ != "ndjson" || rt.stream != json.Lines) {
		c.fail(where, "stream is served for json, as `stream: lines` for ndjson and as `stream: rows` for csv")
	}
	if _, err := json.NewSplitter(rt.stream, doc.DefaultLimits(), 1); err != nil {
		c.fail(where, "stream: %v", err)
	}
}

func (c *compiler) routeDefaults(where string, rt *route) {
	if rt.body == "" {
		rt.body = "json"
		if slices.Equal(rt.pattern.methods, []string{"GET"}) || slices.Equal(rt.pattern.methods, []string{"DELETE"}) {
			rt.body = "none"
		}
	}
	if !slices.Contains([]string{"soap", "none", "any"}, rt.body) && !readable(rt.body) {
		c.fail(where, "body %q is not served; write json, form, urlencoded, multipart, nested, soap or none, or `json|form` where the CRM takes either", rt.body)
	}
}

func methodAction(methods []string) access.Action {
	if len(methods) != 1 {
		return access.Read
	}
	switch methods[0] {
	case "POST":
		return access.Create
	case "PUT", "PATCH":
		return access.Update
	case "DELETE":
		return access.Delete
	}
	return access.Read
}
