package crmgate

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"reflect"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// contents are what a handler of any module holds of routes and proxies. A guest
// module can hold a proxy in a field of its own; without looking it would be a way
// around the gate that nobody sees.
type contents struct {
	branches []branch
	forwards bool // a way of its own to other servers: a RoundTripper or Go's reverse proxy
	opaque   bool // routes in a field that can't be read
	visited  map[visit]bool
}

type visit struct {
	at uintptr
	of reflect.Type
}

// How deep a handler's own structs are looked into.
const maxDepth = 8

func inside(h caddyhttp.MiddlewareHandler) contents {
	c := contents{visited: map[visit]bool{}}
	v := reflect.ValueOf(h)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() == reflect.Struct {
		c.fields(v, "", maxDepth)
	}
	return c
}

func (c *contents) fields(v reflect.Value, name string, depth int) {
	for i := range v.NumField() {
		switch f := v.Type().Field(i); {
		case f.IsExported():
			c.value(v.Field(i), join(name, f), depth)
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			c.fields(v.Field(i), name, depth) // its exported fields are the handler's own
		default:
			c.hidden(v.Field(i))
		}
	}
}

// hidden notes that an unexported field holds routes, a handler or a client: what
// the handler does with them can't be seen.
func (c *contents) hidden(v reflect.Value) {
	if isNil(v) {
		return
	}
	switch v.Type() {
	case reflect.TypeFor[caddyhttp.RouteList](), reflect.TypeFor[[]caddyhttp.Route](),
		reflect.TypeFor[[]caddyhttp.ResponseHandler](), reflect.TypeFor[[]caddyhttp.MiddlewareHandler]():
		c.opaque = c.opaque || v.Len() > 0
	case reflect.TypeFor[*caddyhttp.Subroute](), reflect.TypeFor[*caddyhttp.Route](),
		reflect.TypeFor[caddyhttp.MiddlewareHandler]():
		c.opaque = true
	case reflect.TypeFor[*http.Transport](), reflect.TypeFor[http.RoundTripper](),
		reflect.TypeFor[*httputil.ReverseProxy](), reflect.TypeFor[*reverseproxy.Handler]():
		c.forwards = true
	}
}

// value looks at a field, its elements and what it points to.
func (c *contents) value(v reflect.Value, name string, depth int) {
	if depth == 0 || isNil(v) || !v.CanInterface() || c.leaf(v, name) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		key := visit{v.Pointer(), v.Type()}
		if !c.visited[key] {
			c.visited[key] = true
			c.value(v.Elem(), name, depth-1)
		}
	case reflect.Interface:
		c.value(v.Elem(), name, depth-1)
	case reflect.Struct:
		c.fields(v, name, depth-1)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			c.value(v.Index(i), fmt.Sprintf("%s[%d]", name, i), depth-1)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			c.value(it.Value(), fmt.Sprintf("%s[%v]", name, it.Key()), depth-1)
		}
	}
}

// leaf takes what the walk itself can go on with, and stops at what is no part of
// the handler.
func (c *contents) leaf(v reflect.Value, name string) bool {
	if v.Kind() == reflect.Struct && v.CanAddr() {
		v = v.Addr() // most modules have pointer receivers
	}
	switch x := v.Interface().(type) {
	case caddyhttp.RouteList:
		c.add(branch{name: name, routes: x})
	case []caddyhttp.Route:
		c.add(branch{name: name, routes: x})
	case *caddyhttp.Route:
		c.add(branch{name: name, routes: caddyhttp.RouteList{*x}})
	case *caddyhttp.HTTPErrorConfig:
		c.add(branch{name: name, routes: x.Routes, errors: true})
	case caddyhttp.MiddlewareHandler:
		c.add(branch{name: name, handler: x})
	case *httputil.ReverseProxy, http.RoundTripper:
		c.forwards = true
	case *caddyhttp.Server, *caddyhttp.App, caddy.Context, *caddy.Context, caddyhttp.MatcherSets:
	default:
		return false
	}
	return true
}

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map, reflect.Func, reflect.Chan:
		return v.IsNil()
	}
	return false
}

func (c *contents) add(b branch) { c.branches = append(c.branches, b) }

// join names a field as it is written in JSON.
func join(name string, field reflect.StructField) string {
	key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	if key == "" || key == "-" {
		key = field.Name
	}
	if name == "" {
		return key
	}
	return name + "." + key
}
