package crmgate

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy/fastcgi"
)

type upstream = reverseproxy.Upstream

// listeners judges whether the employees' way to the gate is encrypted. Behind a
// proxy that Caddy trusts the gate itself looks at each request.
func (c *check) listeners(g *passage) {
	srv := g.walker.server
	if g.way.hosts.loopback() || trustsProxies(srv) {
		return
	}
	for _, listen := range srv.Listen {
		if c.inClear(srv, listen) {
			c.unless(g.gate.Exceptions().PlainHTTP, "plain_http", g.way.at+": crm_gate",
				fmt.Sprintf("the gate is served without TLS on %s", listen),
				"Give the site an https address, bind it to 127.0.0.1, or name the proxy before it in trusted_proxies")
			return
		}
	}
}

// inClear reports whether a listener speaks plain HTTP to the network. Caddy's
// HTTP port does even in a server with TLS.
func (c *check) inClear(srv *caddyhttp.Server, listen string) bool {
	addr, err := caddy.ParseNetworkAddress(listen)
	if err != nil {
		return true
	}
	if addr.IsUnixNetwork() || strings.HasPrefix(addr.Network, "tcp") && isLoopback(addr.Host) {
		return false
	}
	port := uint(c.app.HTTPPort)
	if port == 0 {
		port = caddyhttp.DefaultHTTPPort
	}
	return len(srv.TLSConnPolicies) == 0 || addr.StartPort <= port && port <= addr.EndPort
}

// trustsProxies reports whether a server trusts proxies to say who the client is.
// Caddy empties the exported field when it has loaded the module, so this looks at
// the one that holds it; if that is ever gone, no proxy counts as trusted.
func trustsProxies(srv *caddyhttp.Server) bool {
	source := reflect.ValueOf(srv).Elem().FieldByName("trustedProxies")
	return source.IsValid() && source.Kind() == reflect.Interface && !source.IsNil()
}

// upstreams judges whether the way from the gate to the CRM is encrypted, checked
// or local.
func (c *check) upstreams(where string, s *sighting, behind []*passage) {
	for _, g := range behind {
		what := "whether the CRM is reached in clear text can't be seen: the handler is of another module"
		if s.proxy != nil {
			what = clearText(s.proxy)
		}
		if what != "" {
			c.unless(g.gate.Exceptions().ClearUpstream, "clear_upstream", where, what,
				"Use https with a certificate that Caddy can check (tls_trust_pool names your own CA), a unix socket or loopback")
		}
	}
}

// clearText says what is unprotected on the way to a proxy's upstreams, "" if
// nothing is.
func clearText(proxy *reverseproxy.Handler) string {
	var tls *reverseproxy.TLSConfig
	switch t := proxy.Transport.(type) {
	case *reverseproxy.HTTPTransport:
		tls = t.TLS
	case *fastcgi.Transport:
	default:
		return fmt.Sprintf("whether the CRM is reached in clear text can't be seen through the transport %T", t)
	}
	if tls != nil && tls.InsecureSkipVerify {
		return "the CRM's certificate isn't checked: anyone between may answer in its place"
	}
	if proxy.DynamicUpstreams != nil && (tls == nil || len(tls.ExceptPorts) > 0) {
		return "the CRM is reached in clear text at addresses that are found at run time"
	}
	for _, u := range proxy.Upstreams {
		if !isProtected(u.Dial, tls) {
			return "the CRM is reached in clear text over a network at " + u.Dial
		}
	}
	return ""
}

func isProtected(dial string, tls *reverseproxy.TLSConfig) bool {
	if network, _, ok := strings.Cut(dial, "/"); ok && caddy.IsUnixNetwork(network) {
		return true
	}
	dial = caddy.NewReplacer().ReplaceKnown(dial, "")
	addr, err := caddy.ParseNetworkAddress(dial)
	switch {
	case err == nil && (addr.IsUnixNetwork() || isLoopback(addr.Host)):
		return true
	case tls == nil:
		return false
	case err != nil || strings.Contains(dial, "{"): // a request says which port
		return len(tls.ExceptPorts) == 0
	}
	return !slices.Contains(tls.ExceptPorts, strconv.FormatUint(uint64(addr.StartPort), 10))
}

// fastCGI reports whether a PHP application lies behind the gate: its files are on
// Caddy's own disk.
func (c *check) fastCGI(g *passage) bool {
	return slices.ContainsFunc(c.behind(g), func(s *sighting) bool {
		if s.proxy == nil {
			return false
		}
		_, ok := s.proxy.Transport.(*fastcgi.Transport)
		return ok
	})
}
