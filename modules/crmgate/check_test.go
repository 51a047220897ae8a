package crmgate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	// The modules that the configurations here name.
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	"github.com/crmgate/crmgate/modules/crmgate"
	_ "github.com/crmgate/crmgate/modules/store/sqlite"
)

func init() {
	caddy.RegisterModule(fakeGate{})
	caddy.RegisterModule(guest{})
	caddy.RegisterModule(guestTransport{})
	caddy.RegisterModule(plainGuest{})
	caddy.RegisterModule(closedGuest{})
	caddy.RegisterModule(clientGuest{})
	httpcaddyfile.RegisterHandlerDirective("fake_gate", func(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		g := new(fakeGate)
		return g, g.unmarshal(h.Dispenser)
	})
	httpcaddyfile.RegisterDirectiveOrder("fake_gate", httpcaddyfile.After, "encode")
	httpcaddyfile.RegisterHandlerDirective("plain_guest", func(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		h.Next()
		return new(plainGuest), nil
	})
	httpcaddyfile.RegisterDirectiveOrder("plain_guest", httpcaddyfile.Before, "encode")
}

// fakeGate stands where crm_gate stands, without a provider or a CRM.
type fakeGate struct {
	Ungated       string `json:"ungated,omitempty"`
	PlainHTTP     string `json:"plain_http,omitempty"`
	ClearUpstream string `json:"clear_upstream,omitempty"`
	Certificates  string `json:"certificates,omitempty"`
}

func (fakeGate) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.fake_gate", New: func() caddy.Module { return new(fakeGate) }}
}

func (g *fakeGate) unmarshal(d *caddyfile.Dispenser) error {
	d.Next()
	for d.NextBlock(0) {
		into := map[string]*string{"ungated": &g.Ungated, "plain_http": &g.PlainHTTP, "clear_upstream": &g.ClearUpstream, "certificates": &g.Certificates}[d.Val()]
		if into == nil || !d.AllArgs(into) {
			return d.ArgErr()
		}
	}
	return nil
}

func (g *fakeGate) Provision(ctx caddy.Context) error {
	mod, err := ctx.App("crmgate")
	if err != nil {
		return err
	}
	mod.(*crmgate.App).Register(g)
	return nil
}

func (g *fakeGate) Start(*crmgate.Services) error { return nil }
func (g *fakeGate) Describe() string              { return "the fake" }
func (g *fakeGate) Exceptions() crmgate.Exceptions {
	return crmgate.Exceptions{Ungated: g.Ungated, PlainHTTP: g.PlainHTTP, ClearUpstream: g.ClearUpstream, Certificates: g.Certificates != ""}
}

// guest is a handler of another module that holds routes where its author liked.
type guest struct {
	passOn
	inner
	Cases []struct {
		Routes caddyhttp.RouteList `json:"routes"`
	} `json:"cases,omitempty"`
	One    *caddyhttp.Route            `json:"one,omitempty"`
	Named  map[string]*caddyhttp.Route `json:"named,omitempty"`
	Failed *caddyhttp.HTTPErrorConfig  `json:"failed,omitempty"`
	Sub    caddyhttp.Subroute          `json:"sub,omitzero"`
	Any    caddyhttp.MiddlewareHandler `json:"-"`
	AnyRaw json.RawMessage             `json:"any,omitempty" caddy:"namespace=http.handlers inline_key=handler"`
	Client http.RoundTripper           `json:"-"`
	Own    bool                        `json:"own_client,omitempty"`
}

type inner struct {
	Deep []caddyhttp.Route `json:"deep,omitempty"`
}

func (guest) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.guest", New: func() caddy.Module { return new(guest) }}
}

func (g *guest) Provision(ctx caddy.Context) error {
	lists := []caddyhttp.RouteList{g.Deep}
	for _, c := range g.Cases {
		lists = append(lists, c.Routes)
	}
	if g.Failed != nil {
		lists = append(lists, g.Failed.Routes)
	}
	if g.Own {
		g.Client = new(http.Transport)
	}
	var err error
	for _, l := range lists {
		err = errors.Join(err, l.Provision(ctx))
	}
	if g.One != nil {
		err = errors.Join(err, g.One.Provision(ctx, nil))
	}
	for _, r := range g.Named {
		err = errors.Join(err, r.Provision(ctx, nil))
	}
	if g.AnyRaw != nil {
		mod, loadErr := ctx.LoadModule(g, "AnyRaw")
		g.Any, _ = mod.(caddyhttp.MiddlewareHandler)
		err = errors.Join(err, loadErr)
	}
	return errors.Join(err, g.Sub.Provision(ctx))
}

// guestTransport is a proxy's way to its upstreams that Caddy doesn't bring.
type guestTransport struct{ *http.Transport }

func (guestTransport) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.reverse_proxy.transport.guest", New: func() caddy.Module {
		return &guestTransport{new(http.Transport)}
	}}
}

// closedGuest is one that holds them in a field that nobody can read.
type closedGuest struct {
	passOn
	Routes json.RawMessage `json:"routes,omitempty"`
	routes caddyhttp.RouteList
}

func (closedGuest) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.closed_guest", New: func() caddy.Module { return new(closedGuest) }}
}

func (g *closedGuest) Provision(ctx caddy.Context) error {
	if err := json.Unmarshal(g.Routes, &g.routes); err != nil {
		return err
	}
	return g.routes.Provision(ctx)
}

// plainGuest is one that says nothing of what it does.
type plainGuest struct{ passOn }

func (plainGuest) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.plain_guest", New: func() caddy.Module { return new(plainGuest) }}
}

// clientGuest is one with a way of its own to other servers.
type clientGuest struct {
	transport *http.Transport // never used: the check looks for it
}

func (clientGuest) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.client_guest", New: func() caddy.Module {
		return &clientGuest{transport: new(http.Transport)}
	}}
}

type passOn struct{}

func (passOn) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	return next.ServeHTTP(w, r)
}

// checkCaddyfile adapts and provisions a Caddyfile as Caddy does, and runs the check.
func checkCaddyfile(t *testing.T, text string) []crmgate.Finding {
	t.Helper()
	adapter := caddyfile.Adapter{ServerType: httpcaddyfile.ServerType{}}
	config, warnings, err := adapter.Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		t.Fatalf("adapting: %v", err)
	}
	for _, w := range warnings {
		if !strings.Contains(w.Message, "not formatted") {
			t.Fatalf("adapting: %v", w)
		}
	}
	return checkJSON(t, string(config))
}

func checkJSON(t *testing.T, text string) []crmgate.Finding {
	t.Helper()
	app, err := provisionContext(t, text).App("crmgate")
	if err != nil {
		t.Fatal(err)
	}
	return app.(*crmgate.App).Check()
}

func provisionContext(t *testing.T, text string) caddy.Context {
	t.Helper()
	config := new(caddy.Config)
	if err := json.Unmarshal([]byte(text), config); err != nil {
		t.Fatal(err)
	}
	config.Logging = &caddy.Logging{Logs: map[string]*caddy.CustomLog{"default": {BaseLog: caddy.BaseLog{Level: "FATAL"}}}}
	ctx, err := caddy.ProvisionContext(config)
	if err != nil {
		t.Fatalf("provisioning: %v", err)
	}
	return ctx
}

// server wraps routes into a configuration with one TLS server.
func server(routes, more string) string {
	return fmt.Sprintf(`{"apps":{"http":{"servers":{"srv0":{"listen":[":443"],"routes":%s%s}}}}}`, routes, more)
}

// wantStop fails unless exactly one finding stops the start and holds all words.
func wantStop(t *testing.T, found []crmgate.Finding, words ...string) {
	t.Helper()
	var stops []string
	for _, f := range found {
		if f.Stops {
			stops = append(stops, f.Error())
		}
	}
	if len(stops) != 1 {
		t.Fatalf("%d findings stop the start, want 1:\n%s", len(stops), strings.Join(stops, "\n"))
	}
	for _, w := range words {
		if !strings.Contains(stops[0], w) {
			t.Errorf("the finding doesn't say %q:\n%s", w, stops[0])
		}
	}
}

func wantNothing(t *testing.T, found []crmgate.Finding) {
	t.Helper()
	for _, f := range found {
		t.Errorf("found %q", f.Error())
	}
}

// wantNote fails unless one finding holds the words and none stops the start.
func wantNote(t *testing.T, found []crmgate.Finding, words ...string) {
	t.Helper()
	if len(found) != 1 || found[0].Stops {
		t.Fatalf("found %v, want one that doesn't stop the start", found)
	}
	for _, w := range words {
		if !strings.Contains(found[0].Error()+found[0].Reason, w) {
			t.Errorf("the finding doesn't say %q:\n%s", w, found[0].Error())
		}
	}
}
