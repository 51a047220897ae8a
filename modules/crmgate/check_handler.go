package crmgate

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/fileserver"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/requestbody"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy/fastcgi"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
)

// kind is what a handler means for the check.
type kind int

const (
	harmless kind = iota
	forwards      // sends requests on to another server
	changes       // changes method, path, query or body
	rehosts       // changes the host that routes look at
	files         // answers from the disk
	foreign       // a module that the check doesn't know
)

// what is a handler as the check sees it.
type what struct {
	kind     kind
	label    string // names it for a reader
	proxy    *reverseproxy.Handler
	branches []branch
	opaque   bool // holds routes that can't be looked into
	phpIndex bool // the rewrite that belongs to php_fastcgi
}

// branch is what a handler holds of other handlers.
type branch struct {
	name    string
	routes  caddyhttp.RouteList
	handler caddyhttp.MiddlewareHandler // instead of routes
	errors  bool
}

func judgeHandler(h caddyhttp.MiddlewareHandler) what {
	label := moduleName(h)
	switch h := h.(type) {
	case *reverseproxy.Handler:
		return judgeProxy(h)
	case *rewrite.Rewrite:
		return what{kind: changes, label: label + changed(h)}
	case *requestbody.RequestBody:
		if h.Set != "" {
			return what{kind: changes, label: label + " set"}
		}
	case *headers.Handler:
		if setsHost(h.Request) {
			return what{kind: rehosts, label: label + " (Host)"}
		}
	case *fileserver.FileServer:
		return what{kind: files, label: label}
	}
	w := what{label: label}
	in := inside(h)
	w.branches, w.opaque = in.branches, in.opaque
	switch {
	case in.forwards:
		w.kind = forwards
	case !known(h):
		w.kind = foreign
	}
	return w
}

func judgeProxy(h *reverseproxy.Handler) what {
	w := what{kind: forwards, label: "reverse_proxy", proxy: h}
	if _, ok := h.Transport.(*fastcgi.Transport); ok {
		w.label = "reverse_proxy (fastcgi)"
	}
	for _, u := range h.Upstreams {
		w.label += " " + u.Dial
	}
	for i := range h.HandleResponse {
		w.branches = append(w.branches, branch{
			name: fmt.Sprintf("handle_response[%d].routes", i), routes: h.HandleResponse[i].Routes,
		})
	}
	return w
}

// known reports whether a handler is one of Caddy's own that neither sends a
// request on nor changes it. A handler from elsewhere may do either.
func known(h caddyhttp.MiddlewareHandler) bool {
	m, ok := h.(caddy.Module)
	if !ok {
		return false
	}
	return slices.Contains([]string{
		"acme_server", "authentication", "copy_response", "copy_response_headers", "encode", "error", "headers",
		"intercept", "log_append", "map", "metrics", "push", "request_body", "static_response", "templates",
		"timeouts", "tracing", "vars",
	}, strings.TrimPrefix(string(m.CaddyModule().ID), "http.handlers."))
}

func moduleName(h caddyhttp.MiddlewareHandler) string {
	if m, ok := h.(caddy.Module); ok {
		return m.CaddyModule().ID.Name()
	}
	return "a handler without a name"
}

// changed says what a rewrite changes, in the words of the Caddyfile.
func changed(r *rewrite.Rewrite) string {
	switch {
	case r.Method != "":
		return " of the method"
	case r.StripPathPrefix != "":
		return " strip_prefix " + r.StripPathPrefix
	case r.URI != "":
		return " " + r.URI
	}
	return " of the address"
}

// setsHost reports whether request headers are changed so that the host is
// another one: Caddy takes r.Host for a header there.
func setsHost(ops *headers.HeaderOps) bool {
	if ops == nil {
		return false
	}
	isHost := func(name string) bool {
		return strings.EqualFold(name, "Host") || strings.ContainsAny(name, "*{")
	}
	for _, set := range []http.Header{ops.Set, ops.Add} {
		for name := range set {
			if isHost(name) {
				return true
			}
		}
	}
	for name := range ops.Replace {
		if isHost(name) {
			return true
		}
	}
	return slices.ContainsFunc(ops.Delete, isHost)
}

// isPHPIndex recognises the rewrite that the directive php_fastcgi makes, and no
// other: to an existing file of the application, right before the FastCGI proxy
// that takes it. Profiles of PHP applications match what both paths mean.
func isPHPIndex(list caddyhttp.RouteList, i int) bool {
	if i+1 >= len(list) {
		return false
	}
	file, ok := onlyMatcher(&list[i]).(*fileserver.MatchFile)
	if !ok || len(file.SplitPath) == 0 || !isIndexRewrite(&list[i]) {
		return false
	}
	next := &list[i+1]
	if len(next.Handlers) != 1 {
		return false
	}
	proxy, ok := next.Handlers[0].(*reverseproxy.Handler)
	if !ok {
		return false
	}
	transport, ok := proxy.Transport.(*fastcgi.Transport)
	if !ok || !slices.EqualFunc(transport.SplitPath, file.SplitPath, strings.EqualFold) {
		return false
	}
	paths, ok := onlyMatcher(next).(*caddyhttp.MatchPath)
	return ok && slices.EqualFunc(*paths, file.SplitPath, func(path, ext string) bool {
		return strings.EqualFold(path, "*"+ext)
	})
}

func isIndexRewrite(r *caddyhttp.Route) bool {
	if len(r.Handlers) != 1 {
		return false
	}
	rw, ok := r.Handlers[0].(*rewrite.Rewrite)
	return ok && rw.URI == "{http.matchers.file.relative}" && rw.Method == "" && rw.StripPathPrefix == "" &&
		rw.StripPathSuffix == "" && len(rw.URISubstring) == 0 && len(rw.PathRegexp) == 0 && rw.Query == nil
}

func onlyMatcher(r *caddyhttp.Route) any {
	if len(r.MatcherSets) != 1 || len(r.MatcherSets[0]) != 1 {
		return nil
	}
	return r.MatcherSets[0][0]
}
