package crmgate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/crmgate/crmgate/modules/crmgate"
)

// The keys of what the handlers below write down in a request's variables.
const (
	passedVar = "crmgate_test.passed"
	traceVar  = "crmgate_test.trace"
)

// trace is what became of a request.
type trace struct {
	host      string // that the client asked for
	gated     bool   // it came through a gate under that host
	forwarded bool   // it was sent on
	bare      bool   // it was sent on without a gate around it
	changed   bool   // it was sent on otherwise than the gate saw it
}

func traceOf(r *http.Request) *trace {
	tr, _ := r.Context().Value(caddy.CtxKey(traceVar)).(*trace)
	return tr
}

func (g *fakeGate) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if tr := traceOf(r); tr != nil {
		tr.gated = tr.gated || tr.host == r.Host
		caddyhttp.SetVar(r.Context(), passedVar, r.URL.Path)
		defer caddyhttp.SetVar(r.Context(), passedVar, "")
		_ = next.ServeHTTP(w, r) // the gate answers errors itself
		return nil
	}
	return next.ServeHTTP(w, r)
}

func (clientGuest) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if tr := traceOf(r); tr != nil {
		judged, _ := caddyhttp.GetVar(r.Context(), passedVar).(string)
		tr.forwarded = true
		tr.bare = tr.bare || judged == ""
		tr.changed = tr.changed || judged != "" && judged != r.URL.Path
		return nil
	}
	return next.ServeHTTP(w, r)
}

// object is a piece of Caddy's JSON.
type object = map[string]any

type generator struct {
	*rand.Rand
	named []string // the routes to invoke
}

func (g generator) pick(words ...string) string { return words[g.IntN(len(words))] }

func (g generator) routes(depth int) []object {
	list := make([]object, 1+g.IntN(3))
	for i := range list {
		list[i] = g.route(depth)
	}
	return list
}

func (g generator) route(depth int) object {
	r := object{}
	match := object{}
	if g.IntN(2) == 0 {
		match["host"] = []string{g.pick("a.test", "b.test", "*.test", "A.TEST", "other")}
	}
	if g.IntN(5) == 0 {
		match["path"] = []string{g.pick("/1", "/2")}
	}
	if len(match) > 0 {
		r["match"] = []object{match}
	}
	if g.IntN(5) == 0 {
		r["group"] = g.pick("g", "h")
	}
	if g.IntN(4) == 0 {
		r["terminal"] = true
	}
	var handle []object
	for range 1 + g.IntN(2) {
		handle = append(handle, g.handler(depth))
	}
	r["handle"] = handle
	return r
}

func (g generator) handler(depth int) object {
	switch n := g.IntN(16); {
	case n < 4:
		return object{"handler": "fake_gate"}
	case n < 7:
		return object{"handler": "client_guest"}
	case n < 8:
		return object{"handler": "rewrite", "uri": g.pick("/1", "/2", "/3")}
	case n < 9:
		return object{"handler": "error"}
	case n < 10 && len(g.named) > 0:
		return object{"handler": "invoke", "name": g.pick(g.named...)}
	case n < 11:
		return object{"handler": "headers", "request": object{"set": object{"Host": []string{"a.test"}}}}
	case n < 12 || depth == 0:
		return object{"handler": "vars"}
	}
	sub := object{"handler": "subroute", "routes": g.routes(depth - 1)}
	if g.IntN(5) == 0 {
		sub["errors"] = object{"routes": g.routes(0)}
	}
	return sub
}

func (g generator) config() []byte {
	named := object{}
	for _, name := range []string{"x", "y"} { // y may invoke x
		named[name] = g.route(1)
		g.named = append(g.named, name)
	}
	server := object{"listen": []string{"127.0.0.1:9"}, "routes": g.routes(2), "named_routes": named}
	if g.IntN(3) == 0 {
		server["errors"] = object{"routes": g.routes(1)}
	}
	config, _ := json.Marshal(object{"apps": object{"http": object{"servers": object{"srv0": server}}, "crmgate": object{}}})
	return config
}

// Random routes, each tried with requests: where the check finds nothing, none to
// a host that meets a gate is sent on without it or otherwise than it was judged.
func TestNoRequestGoesAroundWhatTheCheckAccepts(t *testing.T) {
	const wanted = 40 // accepted configurations in which a gate let a request on
	seen := 0
	for seed := uint64(0); seen < wanted; seed++ {
		if seed == 100_000 {
			t.Fatalf("only %d of %d configurations were worth trying", seen, seed)
		}
		config := generator{Rand: rand.New(rand.NewPCG(seed, 1))}.config()
		gates, proxies := bytes.Count(config, []byte(`"fake_gate"`)), bytes.Count(config, []byte(`"client_guest"`))
		if gates == 0 || gates > 2 || proxies == 0 || proxies > 2 {
			continue // empty, or sure to be refused
		}
		app, server := provision(t, config)
		if stops(app.Check()) {
			continue
		}
		gated, traces := map[string]bool{}, map[string]*trace{}
		for _, host := range []string{"a.test", "b.test", "c.test", "other", "none"} {
			for _, path := range []string{"/1", "/2", "/3"} {
				tr := ask(server, host, path)
				gated[host] = gated[host] || tr.gated
				traces[host+path] = tr
				if tr.changed || gated[host] && tr.gated && tr.bare {
					t.Fatalf("%s%s became %+v in\n%s", host, path, *tr, config)
				}
			}
		}
		worth := false
		for host := range gated {
			for _, path := range []string{"/1", "/2", "/3"} {
				tr := traces[host+path]
				worth = worth || tr.gated && tr.forwarded
				if gated[host] && tr.bare {
					t.Fatalf("%s%s was sent on without the gate in\n%s", host, path, config)
				}
			}
		}
		if worth {
			seen++
		}
	}
}

func stops(found []crmgate.Finding) bool {
	for _, f := range found {
		// Nobody looks for the certificate of a client that a guest module hides.
		if f.Stops && !strings.Contains(f.Remedy, "clear_upstream") {
			return true
		}
	}
	return false
}

func provision(t *testing.T, text []byte) (*crmgate.App, *caddyhttp.Server) {
	t.Helper()
	ctx := provisionContext(t, string(text))
	app, err := ctx.App("crmgate")
	if err != nil {
		t.Fatal(err)
	}
	web, err := ctx.App("http")
	if err != nil {
		t.Fatal(err)
	}
	return app.(*crmgate.App), web.(*caddyhttp.App).Servers["srv0"]
}

func ask(server *caddyhttp.Server, host, path string) *trace {
	tr := &trace{host: host}
	r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("http://%s%s", host, path), nil)
	r = r.WithContext(context.WithValue(r.Context(), caddy.CtxKey(traceVar), tr))
	server.ServeHTTP(httptest.NewRecorder(), r)
	return tr
}
