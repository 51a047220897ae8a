package crmgate

import (
	"net/netip"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// hosts are patterns of host names, as Caddy's host matcher reads them: a label
// `*` stands for any one label. None at all is no request.
type hosts []string

// anyHost is the pattern of a route without a host matcher.
const anyHost = ""

// meet returns the patterns of the hosts that are in both.
func (h hosts) meet(o hosts) hosts {
	var both hosts
	for _, a := range h {
		for _, b := range o {
			if m, ok := meetHost(a, b); ok {
				both = append(both, m)
			}
		}
	}
	return both
}

// without leaves out the patterns that lie wholly within one of o.
func (h hosts) without(o hosts) hosts {
	var left hosts
	for _, a := range h {
		if !(hosts{a}).within(o) {
			left = append(left, a)
		}
	}
	return left
}

// within reports whether each pattern lies within one of o. Several patterns
// that only together cover one don't count: that errs towards refusing.
func (h hosts) within(o hosts) bool {
	for _, a := range h {
		found := false
		for _, b := range o {
			m, ok := meetHost(a, b)
			found = found || ok && m == a
		}
		if !found {
			return false
		}
	}
	return true
}

// named leaves out the pattern of routes without a host matcher.
func (h hosts) named() hosts {
	var named hosts
	for _, a := range h {
		if a != anyHost {
			named = append(named, a)
		}
	}
	return named
}

// loopback reports whether all are names of this machine for itself.
func (h hosts) loopback() bool {
	for _, a := range h {
		if !isLoopback(a) && !strings.HasSuffix(a, ".localhost") {
			return false
		}
	}
	return len(h) > 0
}

// String lists the patterns for a reader.
func (h hosts) String() string {
	named := h.named()
	if len(named) < len(h) || len(h) == 0 {
		return "any host"
	}
	return strings.Join(named, ", ")
}

func meetHost(a, b string) (string, bool) {
	if a == anyHost {
		return b, true
	}
	if b == anyHost {
		return a, true
	}
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	if len(as) != len(bs) {
		return "", false
	}
	for i := range as {
		switch {
		case as[i] == "*":
			as[i] = bs[i]
		case bs[i] != "*" && as[i] != bs[i]:
			return "", false
		}
	}
	return strings.Join(as, "."), true
}

// isLoopback reports whether a host is this machine by name or address.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

// scope returns the hosts whose requests a route may take, and whether their host
// is all that it looks at: only then it surely takes them.
func scope(r *caddyhttp.Route) (in hosts, sure bool) {
	if len(r.MatcherSets) == 0 {
		return hosts{anyHost}, true
	}
	sure = true
	for _, set := range r.MatcherSets {
		of := hosts{anyHost}
		for _, m := range set {
			names, known := matchedHosts(m)
			sure = sure && known
			of = of.meet(names)
		}
		in = append(in, of...)
	}
	return in, sure
}

// matchedHosts reads a host matcher. A placeholder that only a request fills in
// may be anything, and so may every other matcher.
func matchedHosts(matcher any) (names hosts, known bool) {
	var patterns caddyhttp.MatchHost
	switch m := matcher.(type) {
	case *caddyhttp.MatchHost:
		patterns = *m
	case caddyhttp.MatchHost:
		patterns = m
	default:
		return hosts{anyHost}, false
	}
	repl := caddy.NewReplacer()
	for _, p := range patterns {
		p = strings.ToLower(repl.ReplaceKnown(p, ""))
		if strings.Contains(p, "{") {
			return hosts{anyHost}, false
		}
		names = append(names, p)
	}
	return names, true
}
