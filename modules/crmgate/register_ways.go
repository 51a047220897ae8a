package crmgate

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy/fastcgi"

	"github.com/crmgate/crmgate/internal/report"
)

// served are the addresses of a gate's site, with how the way to each is protected.
func (a *App) served(g Gate) []report.RegisterServed {
	all := []report.RegisterServed{}
	app := a.httpApp()
	if app == nil {
		return all
	}
	c := &check{app: app}
	for name, srv := range app.Servers {
		for _, p := range newWalker(name, srv).gates {
			if p.gate != g {
				continue
			}
			for _, host := range p.way.hosts {
				for _, listen := range listens(srv) {
					if host == anyHost {
						host = unknownHost
					}
					s := report.RegisterServed{Address: base(app, srv, host, listen), Protection: c.protects(srv, host, listen)}
					if s.Protection == report.InClear {
						s.Reason = g.Exceptions().PlainHTTP
					}
					if !slices.ContainsFunc(all, func(had report.RegisterServed) bool { return had.Address == s.Address }) {
						all = append(all, s)
					}
				}
			}
		}
	}
	slices.SortFunc(all, func(x, y report.RegisterServed) int { return strings.Compare(x.Address, y.Address) })
	return all
}

// protects says how the way to a listener is protected.
func (c *check) protects(srv *caddyhttp.Server, host, listen string) string {
	addr, err := caddy.ParseNetworkAddress(listen)
	switch {
	case !c.inClear(srv, listen) && len(srv.TLSConnPolicies) > 0:
		return report.Protected
	case trustsProxies(srv):
		return report.ByProxy
	case err == nil && (addr.IsUnixNetwork() || isLoopback(addr.Host)) || isLoopback(host) || strings.HasSuffix(host, ".localhost"):
		return report.LocalOnly
	}
	return report.InClear
}

// ways are where requests to a gate's site are sent on to: those behind it, and those that
// an exception lets go around it.
func (a *App) ways(g Gate) []report.RegisterWay {
	all := []report.RegisterWay{}
	app := a.httpApp()
	if app == nil {
		return all
	}
	c := &check{app: app}
	for _, name := range slices.Sorted(maps.Keys(app.Servers)) {
		c.walkers = append(c.walkers, newWalker(name, app.Servers[name]))
	}
	for _, k := range c.walkers {
		c.gates = append(c.gates, k.gates...)
	}
	for _, p := range c.gates {
		if p.gate != g {
			continue
		}
		for _, s := range c.behind(p) {
			if s.kind == forwards {
				all = s.ways(all, false, g.Exceptions())
			}
		}
		for _, k := range c.walkers {
			for _, s := range k.seen {
				if around := c.around(k, s, p); s.kind == forwards && len(around) > 0 && !s.covers(around) {
					all = s.ways(all, true, g.Exceptions())
				}
			}
		}
	}
	slices.SortFunc(all, func(x, y report.RegisterWay) int {
		return strings.Compare(fmt.Sprint(x.Around, x.To, x.Protection), fmt.Sprint(y.Around, y.To, y.Protection))
	})
	return all
}

// ways adds where a handler sends requests on to.
func (s *sighting) ways(all []report.RegisterWay, around bool, why Exceptions) []report.RegisterWay {
	add := func(w report.RegisterWay) {
		switch w.Around = around; {
		case around:
			w.Reason = why.Ungated
		case w.Protection == report.InClear || w.Protection == report.Unverified || w.Protection == report.UnknownWays:
			w.Reason = why.ClearUpstream
		}
		i := slices.IndexFunc(all, func(had report.RegisterWay) bool {
			return had.To == w.To && had.Protection == w.Protection && had.Around == w.Around && had.Dynamic == w.Dynamic
		})
		switch at := s.at + ": " + s.module(); {
		case i < 0:
			w.Where = []string{at}
			all = append(all, w)
		case !slices.Contains(all[i].Where, at):
			all[i].Where = append(all[i].Where, at)
		}
	}
	if s.proxy == nil {
		add(report.RegisterWay{Protection: report.UnknownWays})
		return all
	}
	tls, known := transportTLS(s.proxy)
	for _, u := range s.proxy.Upstreams {
		add(report.RegisterWay{To: dialled(u.Dial), Protection: protection(u.Dial, tls, known)})
	}
	if s.proxy.DynamicUpstreams != nil {
		for _, to := range sources(reflect.ValueOf(s.proxy.DynamicUpstreams), 0) {
			w := report.RegisterWay{To: to, Dynamic: true, Protection: report.InClear}
			switch {
			case !known:
				w.Protection = report.UnknownWays
			case tls != nil && tls.InsecureSkipVerify:
				w.Protection = report.Unverified
			case tls != nil && len(tls.ExceptPorts) == 0:
				w.Protection = report.Protected
			}
			add(w)
		}
	}
	return all
}

// module is the handler's name without the addresses.
func (s *sighting) module() string {
	if s.proxy != nil {
		name, _, _ := strings.Cut(s.label, " ")
		return name
	}
	return s.label
}

// transportTLS is how a proxy's transport encrypts; known is false for a transport of
// another module.
func transportTLS(proxy *reverseproxy.Handler) (tls *reverseproxy.TLSConfig, known bool) {
	switch t := proxy.Transport.(type) {
	case *reverseproxy.HTTPTransport:
		return t.TLS, true
	case *fastcgi.Transport:
		return nil, true
	}
	return nil, false
}

func protection(dial string, tls *reverseproxy.TLSConfig, known bool) string {
	switch {
	case !known:
		return report.UnknownWays
	case tls != nil && tls.InsecureSkipVerify:
		return report.Unverified
	case isProtected(dial, nil):
		return report.LocalOnly
	case isProtected(dial, tls):
		return report.Protected
	}
	return report.InClear
}

// dialled is an address as it is dialled, with the placeholder that it stands in for.
func dialled(dial string) string {
	if now := caddy.NewReplacer().ReplaceKnown(dial, ""); now != dial {
		return now + " (" + dial + ")"
	}
	return dial
}

// sources name what finds upstreams at run time. Caddy empties the fields from which the
// sources of several were loaded, so this looks at those that hold them.
func sources(v reflect.Value, depth int) []string {
	for (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || depth > maxDepth {
		return []string{"?"}
	}
	if list := v.FieldByName("sources"); list.IsValid() && list.Kind() == reflect.Slice {
		var all []string
		for i := range list.Len() {
			all = append(all, sources(list.Index(i), depth+1)...)
		}
		return all
	}
	kind := strings.ToLower(strings.TrimSuffix(v.Type().Name(), "Upstreams"))
	said := []string{kind}
	for _, field := range []string{"Service", "Proto", "Name", "Port"} {
		if f := v.FieldByName(field); f.IsValid() && f.Kind() == reflect.String && f.String() != "" {
			said = append(said, f.String())
		}
	}
	return []string{strings.Join(said, " ")}
}
