package session

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

const (
	// cookieLimit bounds how many cookies of one name are read.
	cookieLimit = 8
	// valueLen is the length of every value that the gateway gives out: 32 bytes
	// in base64url.
	valueLen = 43
	// bindingFor is how long a browser keeps its binding, in seconds: 30 days.
	bindingFor = 30 * 24 * 60 * 60

	nameSession = "crmgate"
	nameBinding = "crmgate-login"
	hostPrefix  = "__Host-"
)

// Cookies reads and writes the gateway's two cookies: the session, and the
// binding that ties sign-ins to one browser.
//
// The names start with __Host-, so that browsers take them only from this very
// host over TLS: no sibling domain can plant one. Plain is for sites on loopback
// without TLS, where browsers would refuse that; the names have no prefix then.
type Cookies struct {
	Plain bool
}

// Session returns the session cookie's name.
func (c Cookies) Session() string { return c.name(nameSession) }

// Binding returns the binding cookie's name.
func (c Cookies) Binding() string { return c.name(nameBinding) }

func (c Cookies) name(name string) string {
	if c.Plain {
		return name
	}
	return hostPrefix + name
}

// SetSession hands out a session's id. It lives as long as the browser does; the
// limits are the server's.
func (c Cookies) SetSession(h http.Header, id string) {
	c.set(h, c.Session(), id, 0)
}

// SetBinding hands out a binding. The browser keeps it for 30 days.
func (c Cookies) SetBinding(h http.Header, value string) {
	c.set(h, c.Binding(), value, bindingFor)
}

// ClearSession takes the session cookie away.
func (c Cookies) ClearSession(h http.Header) {
	c.set(h, c.Session(), "", -1)
}

func (c Cookies) set(h http.Header, name, value string, maxAge int) {
	cookie := http.Cookie{ //nolint:gosec // Secure is left out on http alone, which only loopback is served by
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		Secure: !c.Plain, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	h.Add("Set-Cookie", cookie.String())
}

// Sessions returns the values of all session cookies that could be ids. Several
// can be there; each is to be tried.
func (c Cookies) Sessions(h http.Header) []string { return values(h, c.Session()) }

// Bindings returns the values of all binding cookies that could be bindings.
func (c Cookies) Bindings(h http.Header) []string { return values(h, c.Binding()) }

// Own reports whether a cookie belongs to the gateway, with or without prefix:
// the CRM may neither see nor set one. Case is ignored, as some servers do.
func Own(name string) bool {
	name = strings.ToLower(textproto.TrimString(name))
	name = strings.TrimPrefix(name, strings.ToLower(hostPrefix))
	return name == nameSession || name == nameBinding
}

// Strip removes the gateway's own cookies from a request that goes to the CRM.
// Others keep their bytes and their order.
func Strip(h http.Header) {
	lines := h["Cookie"]
	if !slices.ContainsFunc(lines, func(line string) bool { return mentions(line) }) {
		return
	}
	var kept []string
	for _, line := range lines {
		if line = stripLine(line); line != "" {
			kept = append(kept, line)
		}
	}
	if len(kept) == 0 {
		delete(h, "Cookie")
		return
	}
	h["Cookie"] = kept
}

// mentions is a cheap test for lines that Strip has to take apart.
func mentions(line string) bool {
	for part := range strings.SplitSeq(line, ";") {
		name, _, _ := strings.Cut(part, "=")
		if Own(name) {
			return true
		}
	}
	return false
}

func stripLine(line string) string {
	if !mentions(line) {
		return line
	}
	var kept strings.Builder
	kept.Grow(len(line))
	for part := range strings.SplitSeq(line, ";") {
		name, _, _ := strings.Cut(part, "=")
		part = textproto.TrimString(part)
		if Own(name) || part == "" {
			continue
		}
		if kept.Len() > 0 {
			kept.WriteString("; ")
		}
		kept.WriteString(part)
	}
	return kept.String()
}

// values finds the plausible values of one name. It searches the header for the
// name, keeps nothing of what it doesn't return, and stops after cookieLimit.
// net/http's own reader builds every cookie of a request, and returns none above
// a bound: an attacker who can plant many would sign people out.
func values(h http.Header, name string) []string {
	var found []string
	sign := name + "="
	for _, line := range h["Cookie"] {
		for at := 0; ; {
			i := strings.Index(line[at:], sign)
			if i < 0 {
				break
			}
			before := strings.TrimRight(line[:at+i], " \t")
			at += i + len(sign)
			if before != "" && before[len(before)-1] != ';' {
				continue // the end of another name, or inside a value
			}
			v, _, _ := strings.Cut(line[at:], ";")
			v = textproto.TrimString(v)
			if !plausible(v) || slices.Contains(found, v) {
				continue
			}
			if found = append(found, v); len(found) == cookieLimit {
				return found
			}
		}
	}
	return found
}

// plausible reports whether a value has the form of those given out here.
func plausible(v string) bool {
	if len(v) != valueLen {
		return false
	}
	for i := range len(v) {
		c := v[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
