package crmgate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// walker goes through the routes of one server in the order in which a request
// meets them. It notes the gates and every handler that the check judges.
type walker struct {
	name   string
	server *caddyhttp.Server
	gates  []*passage
	seen   []*sighting
	active map[string]bool // the named routes it is in: one can invoke itself
}

// passage is a gate at a place where the walk met it.
type passage struct {
	gate   Gate
	walker *walker
	way    way // before the gate
}

// passed is a passage that lies before a place.
type passed struct {
	*passage
	// all says that every request there came through it, else those to the
	// passage's hosts did.
	all bool
}

// way is what is known of the requests at a place in the chain of handlers.
type way struct {
	at     string
	hosts  hosts       // the hosts they may be for
	gone   hosts       // hosts that terminal routes have taken away
	passed []passed    // the gates before it
	strays []*sighting // the handlers of unknown modules before it
	failed bool        // in routes for errors: nobody knows what came before
}

// sighting is a handler that the check judges, where the walk met it.
type sighting struct {
	way
	what
	leads bool // a gate follows it in the chain
}

func newWalker(name string, server *caddyhttp.Server) *walker {
	k := &walker{name: name, server: server, active: map[string]bool{}}
	w := way{at: "server " + name, hosts: hosts{anyHost}}
	k.routes(server.Routes, w)
	k.errors(server.Errors, w)
	return k
}

// routes walks a list and returns what is known behind it.
func (k *walker) routes(list caddyhttp.RouteList, w way) way {
	for i := range list {
		w = k.route(list, i, w)
	}
	return w
}

// errors walks routes that run when a handler failed. It may have failed before
// the gate or behind it: no gate counts there.
func (k *walker) errors(config *caddyhttp.HTTPErrorConfig, w way) {
	if config == nil {
		return
	}
	w.at += " › errors"
	w.passed, w.strays, w.failed = nil, nil, true
	k.routes(config.Routes, w)
}

func (k *walker) route(list caddyhttp.RouteList, i int, w way) way {
	r := &list[i]
	in, sure := scope(r)
	sure = sure && r.Group == "" // another route of the group may have come first
	inside := w
	inside.at += fmt.Sprintf(" › routes[%d]%s", i, describeMatchers(r))
	inside.hosts = w.hosts.meet(in)
	if len(inside.hosts) == 0 {
		return w
	}
	everyone, before := w.hosts.within(in), len(w.passed)
	inside = k.handlers(r, inside, isPHPIndex(list, i))
	if sure {
		w.passed = slices.Clone(inside.passed)
		for j := before; j < len(w.passed); j++ {
			w.passed[j].all = w.passed[j].all && everyone
		}
		if r.Terminal {
			w.gone = slices.Concat(w.gone, inside.hosts)
		}
	}
	if r.Group == "" && !r.Terminal {
		w.strays = inside.strays
	}
	return w
}

func (k *walker) handlers(r *caddyhttp.Route, w way, phpIndex bool) way {
	for _, h := range r.Handlers {
		w = k.handler(h, w, phpIndex)
	}
	return w
}

// handler notes what h is and walks the routes in it. What a subroute or a named
// route holds stands in the chain itself; other handlers run their routes on
// conditions of their own, so that a gate in them covers nothing outside.
func (k *walker) handler(h caddyhttp.MiddlewareHandler, w way, phpIndex bool) way {
	if g, ok := h.(Gate); ok {
		return k.gate(g, w)
	}
	at := w.at
	switch h := h.(type) {
	case *caddyhttp.Subroute:
		w.at += " › subroute"
		k.errors(h.Errors, w)
		w = k.routes(h.Routes, w)
		w.at = at
		return w
	case *caddyhttp.Invoke:
		w = k.invoke(h.Name, w)
		w.at = at
		return w
	}
	s := &sighting{way: w, what: judgeHandler(h)}
	s.phpIndex = phpIndex
	k.seen = append(k.seen, s)
	for _, b := range s.branches {
		inner := w
		inner.at += " › " + s.label + " › " + strings.TrimSuffix(b.name, ".routes")
		switch {
		case b.errors:
			k.errors(&caddyhttp.HTTPErrorConfig{Routes: b.routes}, inner)
		case b.handler != nil:
			k.handler(b.handler, inner, false)
		default:
			k.routes(b.routes, inner)
		}
	}
	if s.kind == foreign {
		w.strays = slices.Concat(w.strays, []*sighting{s})
	}
	return w
}

func (k *walker) gate(g Gate, w way) way {
	p := &passage{gate: g, walker: k, way: w}
	k.gates = append(k.gates, p)
	for _, s := range w.strays {
		s.leads = true
	}
	w.passed = slices.Concat(w.passed, []passed{{passage: p, all: true}})
	return w
}

func (k *walker) invoke(name string, w way) way {
	r, ok := k.server.NamedRoutes[name]
	if !ok || k.active[name] {
		return w
	}
	k.active[name] = true
	defer delete(k.active, name)
	w.at += " › named route " + name
	return k.routes(caddyhttp.RouteList{*r}, w)
}

// covers reports whether each request to one of these hosts came through a gate.
func (w way) covers(to hosts) bool {
	var through hosts
	for _, p := range w.passed {
		if p.all {
			return true
		}
		through = append(through, p.way.hosts...)
	}
	return to.within(through)
}

// behind returns the gates that some request at this place came through.
func (w way) behind() []*passage {
	var found []*passage
	for _, p := range w.passed {
		if p.all || len(w.hosts.meet(p.way.hosts).without(w.gone)) > 0 {
			found = append(found, p.passage)
		}
	}
	return found
}

// describeMatchers says in a few words what a route looks at.
func describeMatchers(r *caddyhttp.Route) string {
	var sets []string
	for _, set := range r.MatcherSets {
		var words []string
		for _, m := range set {
			words = append(words, describeMatcher(m))
		}
		sets = append(sets, strings.Join(words, " and "))
	}
	if len(sets) == 0 {
		return ""
	}
	return " (" + strings.Join(sets, " or ") + ")"
}

func describeMatcher(matcher any) string {
	switch m := matcher.(type) {
	case *caddyhttp.MatchHost:
		return "host " + strings.Join(*m, " ")
	case caddyhttp.MatchHost:
		return "host " + strings.Join(m, " ")
	case *caddyhttp.MatchPath:
		return "path " + strings.Join(*m, " ")
	}
	if m, ok := matcher.(caddy.Module); ok {
		return m.CaddyModule().ID.Name()
	}
	return fmt.Sprintf("%T", matcher)
}
