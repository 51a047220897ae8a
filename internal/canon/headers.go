package canon

import (
	"net/http"
	"strings"
)

// Own are the headers that mean something between the gateway and the CRM, and
// that no client may therefore send. Build it once with [NewOwn]; the zero value
// knows the built-in list alone.
type Own struct {
	names    map[string]struct{}
	prefixes []string
}

// NewOwn adds names to the built-in list: the headers by which this
// configuration tells the CRM who the employee is. A name that ends in `*` is a
// prefix.
func NewOwn(names ...string) Own {
	own := Own{names: make(map[string]struct{}, len(names))}
	for _, name := range names {
		if prefix, ok := strings.CutSuffix(name, "*"); ok {
			own.prefixes = append(own.prefixes, fold(prefix))
			continue
		}
		own.names[fold(name)] = struct{}{}
	}
	return own
}

func (o *Own) has(folded string) bool {
	if _, ok := o.names[folded]; ok {
		return true
	}
	for _, prefix := range o.prefixes {
		if strings.HasPrefix(folded, prefix) {
			return true
		}
	}
	return false
}

// StripHeaders takes out of a client's headers what only the gateway or a proxy may
// say, in every spelling that a CRM could take for it (`X_Crmgate_User`,
// `x.crmgate.user`: CGI and PHP turn every separator into `_`):
//
//   - the gateway's own (X-Crmgate-*, Audit-Id) and those of own;
//   - identities asserted by other proxies (Remote-User, X-Auth-Request-*, …);
//   - other readings of the target: X-Original-URL, X-Rewrite-URL, method
//     overrides, and every X-Forwarded-* but -For, -Host and -Proto, which
//     reverse_proxy replaces unless the peer is a trusted proxy;
//   - Forwarded, of which Caddy knows nothing: it would pass a client's claim on
//     beside the X-Forwarded-* that Caddy vouches for;
//   - other claims of a client address (X-Real-IP, True-Client-IP, …);
//   - Expect, Trailer, Proxy and Proxy-* (httpoxy), Keep-Alive, Http2-Settings;
//   - every Connection token but close, keep-alive, upgrade and te: a proxy
//     deletes the headers named there, after all middleware, so a client could
//     delete what the gateway had added.
//
// A header that stands in its alias spelling only (`Content_Type`, `Cookie_`)
// is dropped where its plain spelling decides something.
func StripHeaders(h http.Header, own Own) {
	for name := range h {
		folded := fold(name)
		switch {
		case own.has(folded), forbidden(folded), isAlias(name, folded):
			delete(h, name)
		case folded == "connection":
			cleanConnection(h, name)
		}
	}
}

// MaskedRoute takes out what would make the CRM answer in a form that can't be
// masked, or answer about the unmasked bytes: ranges, conditions on validators
// that the gateway doesn't hand out, deltas, digests, charsets, foreign content
// codings. codings are the ones that the gateway decodes; with none the CRM is
// asked for identity.
func MaskedRoute(h http.Header, codings ...string) {
	for name := range h {
		switch fold(name) {
		case "range", "if-range", "if-none-match", "if-modified-since", "te", "a-im",
			"accept-charset", "accept-encoding", "want-digest", "want-content-digest",
			"want-repr-digest", "available-dictionary", "dictionary-id":
			delete(h, name)
		}
	}
	if len(codings) == 0 {
		codings = []string{"identity"}
	}
	h["Accept-Encoding"] = []string{strings.Join(codings, ", ")}
}

// fold makes all spellings of a name one: lower case, every separator a dash.
func fold(name string) string {
	plain := true
	for i := range len(name) {
		if c := name[i]; c != '-' && ('a' > c || c > 'z') && ('0' > c || c > '9') {
			plain = false
			break
		}
	}
	if plain {
		return name
	}
	out := []byte(name)
	for i, c := range out {
		switch {
		case 'A' <= c && c <= 'Z':
			out[i] = c | 0x20
		case !isAlnum(c):
			out[i] = '-'
		}
	}
	return string(out)
}

// forbidden is the built-in list, folded.
func forbidden(folded string) bool {
	switch folded {
	case "expect", "trailer", "proxy", "keep-alive", "http2-settings", "forwarded", "audit-id":
		return true
	case "x-original-url", "x-original-uri", "x-original-host", "x-original-method", "x-rewrite-url",
		"x-override-url", "x-host", "x-http-host-override", "x-script-name", "script-name",
		"x-accel-mapping", "x-sendfile-type",
		"x-http-method-override", "x-http-method", "x-method-override":
		return true
	case "x-real-ip", "x-client-ip", "client-ip", "true-client-ip", "cf-connecting-ip", "cf-connecting-ipv6",
		"fastly-client-ip", "x-cluster-client-ip", "x-originating-ip", "x-remote-ip", "x-remote-addr", "remote-addr":
		return true
	case "remote-user", "remote-name", "remote-email", "remote-groups", "x-remote-user", "x-remote-email",
		"x-remote-groups", "x-authenticated-user", "x-authenticated-email", "x-authenticated-groups", "auth-user":
		return true
	}
	return forbiddenFamily(folded)
}

func forbiddenFamily(folded string) bool {
	if rest, ok := strings.CutPrefix(folded, "x-forwarded-"); ok {
		return rest != "for" && rest != "host" && rest != "proto"
	}
	for _, prefix := range [...]string{
		"x-crmgate-", "proxy-", "x-auth-request-", "x-webauth-", "x-pomerium-", "x-token-user-", "ssl-client-",
		"x-ssl-client-", "x-client-cert", "x-amzn-oidc-", "x-goog-authenticated-user-", "cf-access-",
	} {
		if strings.HasPrefix(folded, prefix) {
			return true
		}
	}
	return folded == "x-crmgate"
}

// isAlias reports whether a name is another spelling of a header that decides
// something in its plain one: the gate and Caddy look at the plain one alone.
func isAlias(name, folded string) bool {
	if len(name) == len(folded) && strings.EqualFold(name, folded) {
		return false
	}
	switch folded {
	case "host", "cookie", "cookie2", "authorization", "connection", "upgrade", "te", "transfer-encoding",
		"content-length", "content-type", "content-encoding", "accept-encoding", "accept", "origin", "referer",
		"range", "if-range", "if-none-match", "if-modified-since", "if-match", "if-unmodified-since",
		"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-requested-with":
		return true
	}
	return strings.HasPrefix(folded, "sec-") || strings.HasPrefix(folded, "x-csrf-") || strings.HasPrefix(folded, "content-")
}

// cleanConnection keeps the four tokens that say something of the connection.
func cleanConnection(h http.Header, name string) {
	var keep []string
	for _, line := range h[name] {
		for token := range strings.SplitSeq(line, ",") {
			switch token = strings.Trim(token, " \t"); strings.ToLower(token) {
			case "close", "keep-alive", "upgrade", "te":
				keep = append(keep, token)
			}
		}
	}
	delete(h, name)
	if len(keep) > 0 {
		h["Connection"] = []string{strings.Join(keep, ", ")}
	}
}
