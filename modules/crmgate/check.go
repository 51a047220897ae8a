package crmgate

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

// Finding is what the check says of one place in the configuration.
type Finding struct {
	// Where names the server, the routes down to the place and the handler:
	// `server srv0 › routes[1] (host crm.example.de) › subroute › routes[0]: reverse_proxy crm:80`.
	Where string
	// What is wrong there.
	What string
	// Remedy says what to do about it.
	Remedy string
	// Stops says that the app doesn't start with it. The others are worth a
	// look: an exception that the administrator made, with its reason, or what
	// the check can't see.
	Stops bool
	// Reason is the administrator's, where a named exception allows the finding.
	Reason string
}

// Error puts the finding in one line.
func (f Finding) Error() string { return f.Where + ": " + f.What + ". " + f.Remedy }

// Check walks the provisioned HTTP app and returns what leads around a gate, what
// changes a request behind one, and what travels in clear text. It starts
// nothing and asks nobody, so that it can be run on a configuration that isn't
// live:
//
//   - every handler that sends requests on (reverse_proxy, php_fastcgi, handlers
//     of other modules with a client of their own), for the hosts of a gate, lies
//     behind the gate, and none in routes for errors. Handlers of modules that
//     the check doesn't know lie behind the gate or lead to it;
//   - behind the gate nothing changes method, path, query or body. php_fastcgi's
//     own rewrite is the exception;
//   - a request meets one gate, and nothing changes its host but a proxy's header_up;
//   - a gated site has TLS, and the way to the CRM is encrypted or local;
//   - where machines sign in by client certificates, the server verifies those;
//   - it is said in which country each CRM is.
//
// Conditions other than the host count as possible: what can't be told is
// refused. Other apps of Caddy (layer4, say) and other processes are out of
// sight.
func (a *App) Check() []Finding {
	if len(a.gates) == 0 {
		return nil
	}
	app := a.httpApp()
	if app == nil {
		return []Finding{{
			Where: "the app http", What: "there are gates, but no servers that hold them",
			Remedy: "Put crm_gate into a site", Stops: true,
		}}
	}
	c := &check{app: app}
	for _, name := range slices.Sorted(maps.Keys(app.Servers)) {
		c.walkers = append(c.walkers, newWalker(name, app.Servers[name]))
	}
	for _, k := range c.walkers {
		c.gates = append(c.gates, k.gates...)
	}
	c.lost(a.gates)
	for _, g := range c.gates {
		c.gate(g)
	}
	for _, k := range c.walkers {
		for _, s := range k.seen {
			c.handler(k, s)
		}
	}
	c.located(a)
	return c.found
}

// check refuses to start when a way leads around a gate, and logs what was
// allowed to.
func (a *App) check() error {
	var stops []error
	for _, f := range a.Check() {
		if f.Stops {
			stops = append(stops, f)
			continue
		}
		a.logger.Warn(f.What, zap.String("where", f.Where), zap.String("remedy", f.Remedy), zap.String("reason", f.Reason))
	}
	return errors.Join(stops...)
}

// check is one run over an HTTP app.
type check struct {
	app     *caddyhttp.App
	walkers []*walker
	gates   []*passage
	found   []Finding
}

func (c *check) stop(where, what, remedy string) {
	c.found = append(c.found, Finding{Where: where, What: what, Remedy: remedy, Stops: true})
}

func (c *check) note(where, what, remedy string) {
	c.found = append(c.found, Finding{Where: where, What: what, Remedy: remedy})
}

// unless stops, unless the administrator gave a reason. word is the exception's
// name in the Caddyfile.
func (c *check) unless(reason, word, where, what, remedy string) {
	c.found = append(c.found, Finding{
		Where: where, What: what, Stops: reason == "", Reason: reason,
		Remedy: fmt.Sprintf("%s, or write into crm_gate why it may be so: %s <reason>", remedy, word),
	})
}

// lost finds gates that no walk met: they are in routes that a module hides, or
// that nothing leads to.
func (c *check) lost(gates []Gate) {
	for _, g := range gates {
		if !slices.ContainsFunc(c.gates, func(p *passage) bool { return p.gate == g }) {
			c.stop("the gate of "+g.Describe(), "no route leads to it that can be seen",
				"Put crm_gate into the site itself, or take it out")
		}
	}
}

// gate judges a gate by itself and with the others of its server.
func (c *check) gate(g *passage) {
	where := g.way.at + ": crm_gate"
	if g.way.failed {
		c.stop(where, "a gate in routes for errors", "Put crm_gate into the site itself")
	}
	for _, other := range c.gates {
		if other == g {
			break
		}
		if both := other.way.hosts.meet(g.way.hosts).without(g.way.gone); other.walker == g.walker && len(both) > 0 {
			c.stop(where, fmt.Sprintf("a second gate for %s; the first is at %s", both, other.way.at),
				"A site has one crm_gate: take one of them out")
		}
	}
	c.listeners(g)
	c.certificates(g)
}

// handler judges a handler with every gate.
func (c *check) handler(k *walker, s *sighting) {
	where := s.at + ": " + s.label
	behind := s.behind()
	switch s.kind {
	case changes:
		c.changed(where, s.phpIndex, behind)
	case forwards:
		c.changed(where, s.proxy == nil || s.proxy.Rewrite == nil, behind)
		c.upstreams(where, s, behind)
	case foreign:
		if len(behind) > 0 {
			c.note(where, "a handler of another module stands behind the gate: whether it changes the request can't be seen",
				"Make sure that it leaves method, path, query and body alone")
		}
	case harmless, rehosts, files:
	}
	for _, g := range c.gates {
		around := c.around(k, s, g)
		switch {
		case s.kind == rehosts && g.walker == k && len(around) > 0:
			c.stop(where, "it changes the host of requests to the gate: the routes that follow look at another host than the client's",
				"Set the host for the CRM with header_up in reverse_proxy")
		case len(around) > 0 && !s.covers(around):
			c.astray(where, s, g, around)
		case len(behind) == 0 && c.shares(s, g):
			c.note(where, fmt.Sprintf("the upstream behind the gate at %s is reached without it for %s", g.way.at, s.hosts),
				"Make sure that it isn't the CRM which answers there")
		}
	}
}

func (c *check) changed(where string, allowed bool, behind []*passage) {
	if len(behind) > 0 && !allowed {
		c.stop(where, "it changes the request behind the gate: what reaches the CRM is not what was judged and logged",
			"Put it before crm_gate, which judges its result")
	}
}

// around returns the gate's hosts whose requests come to the handler. Another
// server counts where both name the host, or where it proxies to the same
// upstream: a port of its own can be another service of the same machine.
func (c *check) around(k *walker, s *sighting, g *passage) hosts {
	to, from := s.hosts, g.way.hosts
	if g.walker != k && !c.shares(s, g) {
		to, from = to.named(), from.named()
	}
	return to.meet(from).without(s.gone)
}

// shares reports whether a proxy asks an upstream that is also behind the gate.
func (c *check) shares(s *sighting, g *passage) bool {
	if s.proxy == nil {
		return false
	}
	for _, u := range s.proxy.Upstreams {
		if slices.ContainsFunc(c.behind(g), func(b *sighting) bool { return asks(b, u.Dial) }) {
			return true
		}
	}
	return false
}

func asks(s *sighting, dial string) bool {
	return s.proxy != nil && slices.ContainsFunc(s.proxy.Upstreams, func(u *upstream) bool { return u.Dial == dial })
}

// behind returns what lies behind a gate.
func (c *check) behind(g *passage) []*sighting {
	var found []*sighting
	for _, s := range g.walker.seen {
		if slices.Contains(s.behind(), g) {
			found = append(found, s)
		}
	}
	return found
}

// astray judges a handler that requests to the gate's hosts reach without it.
func (c *check) astray(where string, s *sighting, g *passage, around hosts) {
	reason := g.gate.Exceptions().Ungated
	switch {
	case s.opaque:
		c.unless(reason, "ungated", where, "a handler of another module holds routes that can't be looked into",
			"Put it behind crm_gate (at "+g.way.at+")")
	case s.kind == forwards && s.failed:
		c.unless(reason, "ungated", where, fmt.Sprintf("a proxy in routes for errors sends requests to %s on without the gate", around),
			"Answer errors with respond or file_server")
	case s.kind == forwards:
		c.unless(reason, "ungated", where, fmt.Sprintf("requests to %s go around the gate at %s", around, g.way.at),
			"Put the proxy behind crm_gate, in the same site and on the same way")
	case s.kind == foreign && !s.leads:
		c.unless(reason, "ungated", where, fmt.Sprintf("a handler of another module answers requests to %s without the gate", around),
			"Put it behind crm_gate, or before it on the same way")
	case s.kind == foreign:
		c.note(where, "a handler of another module stands before the gate: whether it answers requests itself can't be seen",
			"Make sure that it passes requests on")
	case s.kind == files && c.fastCGI(g):
		c.unless(reason, "ungated", where, fmt.Sprintf("files of the PHP application are served to %s without the gate", around),
			"Put file_server behind crm_gate: uploads lie beside the application")
	}
}
