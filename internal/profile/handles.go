package profile

import (
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// Handle is what a request brings back of an earlier answer.
type Handle struct{ Name, Value string }

// Given is a handle in an answer.
type Given struct {
	Handle
	// Address says that the value is an address, and the handle what the route that
	// it leads to takes for one.
	Address bool
	// Lasts is how long it can come back.
	Lasts time.Duration
}

// gives is a compiled place of handles in answers.
type gives struct {
	handle  string
	header  string // "" for a place in the document
	at      path
	address bool
	none    []string
	lasts   time.Duration
}

// continued is a compiled place of a handle in requests.
type continued struct {
	handle string
	at     expr
}

// Handles are those that the request brings back. Nothing is known of what such a
// request asks until Resume says it; it has no accesses. Nil where it brings none.
func (x *Exchange) Handles() []Handle { return x.handles }

// GivesHandles reports whether handles can stand in the answer.
func (x *Exchange) GivesHandles() bool { return len(x.gives) > 0 }

// HeaderHandles are the handles in the answer's headers, by the headers' names, and
// the values that stand there for none.
func (x *Exchange) HeaderHandles(values func(name string) []string) (given map[string]Given, none map[string]string) {
	given, none = map[string]Given{}, map[string]string{}
	for i := range x.gives {
		g := &x.gives[i]
		if g.header == "" {
			continue
		}
		switch vs := values(g.header); {
		case len(vs) != 1 || vs[0] == "": // several are none that a client could tell
		case contains(g.none, vs[0]):
			none[g.header] = vs[0]
		default:
			given[g.header] = g.given(vs[0])
		}
	}
	return given, none
}

func (g *gives) given(value string) Given {
	return Given{Handle: Handle{g.handle, value}, Address: g.address, Lasts: g.lasts}
}

// readHandles reads the handles of a request that continues another.
func (x *Exchange) readHandles() error {
	for _, c := range x.rt.continues {
		vs := x.valuesAt(c.at)
		if len(vs) > 1 {
			return refuse("malformed", "The request brings back several handles of a kind.")
		}
		if len(vs) == 0 {
			continue
		}
		value := vs[0].text
		if n := vs[0].node; n >= 0 {
			if isContainer(x.tree, n) {
				return refuse("malformed", "A handle in the request is no text.")
			}
			value = x.tree.Text(n)
		}
		if value != "" {
			x.handles = append(x.handles, Handle{c.handle, value})
		}
	}
	if len(x.handles) == 0 {
		return refuse("malformed", "The request doesn't say what it goes on from.")
	}
	return nil
}

// Resume is the exchange of a request that brings handles back, where first is the
// one that got them. What it asks is what first asks; so what may be seen of the
// answer is what may be seen of the first one's. A *Refusal says that first isn't
// served any more.
func (x *Exchange) Resume(first Request) (*Exchange, error) {
	y, err := x.p.Classify(first)
	if err != nil {
		return nil, x.complete(err)
	}
	if len(x.handles) == 0 || len(y.handles) > 0 || !y.GivesHandles() {
		return nil, x.complete(refuse("denied", "The profile %s doesn't go on from that request any more.", x.p.Name))
	}
	y.Route, y.gives, y.narrows = x.Route, x.gives, nil
	for i := range y.Accesses {
		y.Accesses[i].Route = x.Route
	}
	if x.rt.describes {
		y.rt, y.op, y.od, y.gql = x.rt, x.op, nil, nil
		y.Type, y.Stream, y.columns = x.Type, x.op.stream, columns{}
		maps.Copy(y.vars, x.vars)
	}
	return y, nil
}

// Otherwise is the exchange of a request whose handles aren't known, where the
// profile says that it is for a route behind; nil where it doesn't.
func (x *Exchange) Otherwise() (*Exchange, error) {
	if x.rt == nil || !x.rt.optional {
		return nil, nil //nolint:nilnil // nobody else's
	}
	return x.p.classifyRoutes(strings.Split(strings.TrimPrefix(x.req.Path, "/"), "/"), &x.req, x.rt.number+1)
}

// handles compiles what a route says of handles.
func (c *compiler) handles(where string, rt *route, s *routeSpec) {
	for i := range s.Gives {
		rt.gives = append(rt.gives, c.gives(where, rt, &s.Gives[i]))
	}
	if len(s.Gives) > 0 && (rt.pass || rt.deny != "" || rt.write != nil || rt.batch != nil || rt.graphql != nil || rt.soap != nil) {
		c.fail(where, "gives is for routes that ask for records: not beside pass, deny, write, batch, graphql or soap")
	}
	if rt.optional = s.Optional; s.Optional && len(s.Continues) == 0 {
		c.fail(where, "optional is for a route that continues")
	}
	if len(s.Continues) == 0 {
		return
	}
	for name, at := range s.Continues {
		e := c.expr(where, at, nil)
		if e.origin != fromVar && e.origin != fromQuery && (e.origin != fromBody || len(e.path) == 0) {
			c.fail(where, "continues: a handle stands in a variable of the address, in a query parameter or in the body: `{job: \"{id}\"}`")
		}
		rt.continues = append(rt.continues, continued{name, e})
	}
	slices.SortFunc(rt.continues, func(a, b continued) int { return strings.Compare(a.handle, b.handle) })
	c.continuing(where, rt, s)
}

// continuing checks that a route which continues says nothing of what is asked.
func (c *compiler) continuing(where string, rt *route, s *routeSpec) {
	rt.describes = s.Type != "" || len(s.Records)+len(s.Public)+len(s.Links)+len(s.Media) > 0 || s.Stream != "" || s.CSV != (csvSpec{})
	switch {
	case rt.pass || rt.deny != "" || rt.opaque || rt.image || rt.question || rt.echo || rt.alone || rt.upgrade,
		rt.entity != "" || len(rt.ids)+len(rt.refs) > 0 || rt.write != nil || s.Action != "",
		rt.odata != "" || rt.graphql != nil || rt.batch != nil || rt.soap != nil || rt.form.JSON != "":
		c.fail(where, "continues: what is asked is what the request asked that got the handle; leave all but match, query, members and what is said of the answer out")
	case strings.Contains(s.CSV.Comma+s.CSV.Quote+s.CSV.Charset+s.CSV.Header+s.JSON.Callback, "query."):
		c.fail(where, "continues: how the answer is written stands in no query parameter here")
	}
}

const (
	defaultLasts = 24 * time.Hour
	maxLasts     = 30 * 24 * time.Hour
)

func (c *compiler) gives(where string, rt *route, s *givesSpec) gives {
	g := gives{handle: s.Handle, address: s.Address, none: s.None, lasts: defaultLasts}
	if s.Handle == "" {
		c.fail(where, "gives: call the handle something: `{handle: job, at: $.id}`")
	}
	if s.Lasts != "" {
		var err error
		if g.lasts, err = parseLasts(s.Lasts); err != nil || g.lasts < time.Minute || g.lasts > maxLasts {
			c.fail(where, "gives: lasts is a time from one minute to 30 days: `15m`, `48h`, `7d`")
		}
	}
	if name, ok := strings.CutPrefix(s.At, "header."); ok {
		g.header = textproto.CanonicalMIMEHeaderKey(name)
		if name == "" || ownHeader(g.header) {
			c.fail(where, "gives: %q is no header of the CRM's own", s.At)
		}
		return g
	}
	e := c.expr(where, s.At, nil)
	if e.origin != fromResponse || len(e.path) == 0 || rt.typ != "json" || rt.stream != "" || rt.odata != "" {
		c.fail(where, "gives: a handle stands in an answer of the type json that isn't streamed (`at: $.id`), or in a header (`at: header.X-Locator`)")
	}
	g.at = e.path
	return g
}

// ownHeader reports whether a header says something of the answer that the gateway
// has to say itself.
func ownHeader(name string) bool {
	return slices.Contains([]string{"Set-Cookie", "Location", "Content-Location", "Link", "Refresh", "Etag", "Audit-Id"}, name) ||
		slices.ContainsFunc([]string{"Content-", "Access-Control-", "Cross-Origin-", "X-Crmgate-", "Transfer-"}, func(p string) bool { return strings.HasPrefix(name, p) })
}

func parseLasts(s string) (time.Duration, error) {
	days, ok := strings.CutSuffix(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	var n int
	if _, err := fmt.Sscanf(days, "%d", &n); err != nil || fmt.Sprint(n) != days || n > int(maxLasts/time.Hour/24) {
		return 0, fmt.Errorf("no number of days: %q", s)
	}
	return time.Duration(n) * 24 * time.Hour, nil
}

// handleNames sees that every handle is given out and taken back somewhere.
func (c *compiler) handleNames() {
	given, taken := map[string]bool{}, map[string]bool{}
	for _, rt := range c.p.routes {
		for _, g := range rt.gives {
			given[g.handle] = true
		}
		for _, t := range rt.continues {
			taken[t.handle] = true
		}
	}
	for _, rt := range c.p.routes {
		for _, g := range rt.gives {
			if !taken[g.handle] {
				c.fail("route "+rt.pattern.text, "gives: no route continues the handle %q", g.handle)
			}
		}
		for _, t := range rt.continues {
			if !given[t.handle] {
				c.fail("route "+rt.pattern.text, "continues: no route gives the handle %q", t.handle)
			}
		}
	}
}

// HasHandles reports whether any route gives handles out, so that what was asked has
// to be kept.
func (p *Profile) HasHandles() bool {
	return slices.ContainsFunc(p.routes, func(rt *route) bool { return len(rt.gives) > 0 })
}
