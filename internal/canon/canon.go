// Package canon makes the one canonical form of a request that is judged,
// logged and forwarded.
//
// A gateway that judges one reading of a request while the CRM acts on another
// is no gateway. So a request that the CRM could read otherwise than we do is
// refused ([ErrAmbiguous]), and what is left is rewritten by [Canonical.Apply]
// to exactly the bytes that were judged:
//
//   - The path is decoded once and encoded again by one fixed rule (see
//     canonicalPath), so that every spelling of a path that is let through
//     becomes the same bytes. A `+` becomes `%2B`: some readers take it for a
//     space in paths, too.
//   - The query is never re-encoded. It is judged strictly and forwarded byte for
//     byte: `+` and `%20` both mean a space and stay as they were sent. Only a
//     lone `?` falls away.
//   - The host is lower-case, without trailing dot and default port.
//
// [StripHeaders], [StripCookies] and [StripSetCookies] keep the gateway's own headers
// and cookies its own; [MaskedRoute] takes out what would make the CRM answer in
// a form that can't be masked.
package canon

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Options are what a profile declares about how its CRM reads requests. The zero
// value is the strictest.
type Options struct {
	// Lists are the query parameters that may stand more than once. A `*` stands
	// for any run of characters: `ids[]`, `where[*][value][]`.
	Lists []string
	// SemicolonLiteral says that the CRM takes a raw `;` in a query for an
	// ordinary character, never for a separator.
	SemicolonLiteral bool
	// LiteralNames says that the CRM takes parameter names as they are. PHP
	// doesn't: it reads `order.by` and `order by` as `order_by`. Without this,
	// names that PHP would change are refused.
	LiteralNames bool
	// MethodParams are the query parameters that override the method and that the
	// profile classifies by (`_HttpMethod`). All others of the kind are refused.
	MethodParams []string
	// HTTPS says that the client speaks https although this server doesn't see it
	// (TLS ends at a trusted proxy). It decides which port is the default one.
	HTTPS bool
}

// Param is a query parameter, decoded.
type Param struct {
	Name, Value string
}

// Canonical is a request's canonical form. It is a plain value; nothing in it
// changes after [Request].
type Canonical struct {
	Method string
	// Host is the lower-case authority without trailing dot and default port.
	Host string
	// Path is the path decoded once: what profiles match. It has no empty, dot or
	// ambiguous segment. For `OPTIONS *` it is "*".
	Path string
	// RawPath is the canonical encoding of Path: the bytes that are forwarded.
	RawPath string
	// RawQuery is the query as it was sent and is forwarded.
	RawQuery string
	// Query are the parameters of RawQuery in their order.
	Query []Param
	// Upgrade names the protocol, lower-case, that the client wants to switch to
	// ("websocket", "h2c"); "" if none. What follows a switch is not HTTP and
	// can't be masked, so a caller refuses what the profile doesn't declare.
	Upgrade string
}

// validMethod is the closed list. CONNECT would open a tunnel, TRACE would echo
// credentials; anything else is a method that no profile classifies.
func validMethod(m string) bool {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return true
	}
	return false
}

// Request judges r and returns its canonical form. It reads r.URL, which is what
// a proxy behind us would forward, and not r.RequestURI, which rewrites before us
// leave behind. The error is an [*Error]; it quotes nothing of the request. r is
// not changed: see [Canonical.Apply].
func Request(r *http.Request, opts Options) (*Canonical, error) {
	if !validMethod(r.Method) {
		return nil, refuse(MethodUnknown)
	}
	c := &Canonical{Method: r.Method, Upgrade: upgrade(r.Header)}
	https := opts.HTTPS || r.TLS != nil
	host, reason := canonicalHost(r.Host, https)
	if reason != "" {
		return nil, refuse(reason)
	}
	c.Host = host
	if reason := judgeFraming(r); reason != "" {
		return nil, refuse(reason)
	}
	if reason := judgeHosts(r, host, https); reason != "" {
		return nil, refuse(reason)
	}
	if c.Path, c.RawPath, reason = requestPath(r); reason != "" {
		return nil, refuse(reason)
	}
	if c.Path == "*" && r.URL.RawQuery != "" {
		return nil, refuse(TargetForm)
	}
	c.RawQuery = r.URL.RawQuery
	if c.Query, reason = parseQuery(c.RawQuery, &opts); reason != "" {
		return nil, refuse(reason)
	}
	return c, nil
}

// Target is the request-target in the form that is forwarded.
func (c *Canonical) Target() string {
	if c.RawQuery == "" {
		return c.RawPath
	}
	return c.RawPath + "?" + c.RawQuery
}

// Apply writes the canonical form into r, so that exactly what was judged is
// forwarded, and takes out trailers, which reach the CRM after the judgement.
//
// It writes r alone. Under Caddy, php_fastcgi takes REQUEST_URI from the copy of
// the original request in the context: a caller there replaces that, too.
func (c *Canonical) Apply(r *http.Request) {
	r.Method = c.Method
	r.Host = c.Host
	u := &url.URL{Path: c.Path, RawQuery: c.RawQuery}
	if u.EscapedPath() != c.RawPath {
		u.RawPath = c.RawPath
	}
	r.URL = u
	r.RequestURI = c.Target()
	r.Trailer = nil
	for name := range r.Header {
		if fold(name) == "host" || fold(name) == "trailer" {
			delete(r.Header, name)
		}
	}
}

// LocalTarget returns the canonical form of a request-target that a client asks
// to be sent back to (after sign-in, after sign-out). The result begins with one
// `/` and names no host, however a browser reads it; whatever could is refused.
func LocalTarget(target string) (string, error) {
	// Browsers read `\` as `/` and drop tabs and line ends before they parse.
	if !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") {
		return "", refuse(TargetForm)
	}
	raw, query, _ := strings.Cut(target, "?")
	_, canonical, reason := canonicalPath(raw)
	if reason != "" {
		return "", refuse(reason)
	}
	// Repeats and semicolons are judged when the browser comes back with them.
	if _, reason := parseQuery(query, &Options{
		Lists: []string{"*"}, SemicolonLiteral: true, LiteralNames: true,
	}); reason != "" {
		return "", refuse(reason)
	}
	return (&Canonical{RawPath: canonical, RawQuery: query}).Target(), nil
}

// judgeFraming refuses what is left of contradictory framing, and repeated
// headers of which we would judge the first and the CRM could take the last.
// net/http refuses or repairs most of it in HTTP/1 before a handler sees it.
func judgeFraming(r *http.Request) Reason {
	lengths := len(r.Header.Values("Content-Length"))
	encodings := max(len(r.TransferEncoding), len(r.Header.Values("Transfer-Encoding")))
	if lengths+encodings > 1 {
		return Framing
	}
	for _, name := range [...]string{"Authorization", "Content-Type", "Content-Encoding", "Origin"} {
		if len(r.Header.Values(name)) > 1 {
			return RepeatedHeader
		}
	}
	return ""
}

// judgeHosts compares every place that can name a host.
func judgeHosts(r *http.Request, host string, https bool) Reason {
	named := r.Header.Values("Host") // HTTP/2 and 3 leave it beside :authority
	if len(named) > 1 {
		return HostRepeated
	}
	if r.URL.Host != "" {
		named = append(slices.Clip(named), r.URL.Host)
	}
	for _, other := range named {
		if other, reason := canonicalHost(other, https); reason != "" || other != host {
			return HostMismatch
		}
	}
	return ""
}

// upgrade returns the protocol of an Upgrade header, with or without the
// Connection token that belongs to it, or of an extended CONNECT.
func upgrade(h http.Header) string {
	for _, name := range [...]string{"Upgrade", ":protocol"} {
		if v := h[name]; len(v) > 0 {
			return strings.ToLower(strings.TrimSpace(strings.Join(v, ", ")))
		}
	}
	if len(h["Http2-Settings"]) > 0 {
		return "h2c"
	}
	return ""
}
