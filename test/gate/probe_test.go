package gate_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(new(probe))
	httpcaddyfile.RegisterHandlerDirective("gatetest_probe", func(httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		return new(probe), nil
	})
	httpcaddyfile.RegisterDirectiveOrder("gatetest_probe", httpcaddyfile.Before, "respond")
}

// probe stands in the proxy's place, where another module's code would: it gets
// the very writer that the gate hands on.
type probe struct{}

// probes are the handlers of tests, by the name of their scene.
var probes sync.Map

func (*probe) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.gatetest_probe", New: func() caddy.Module { return new(probe) }}
}

func (*probe) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	if f, ok := probes.Load(r.Header.Get(caseHeader)); ok {
		return f.(func(http.ResponseWriter, *http.Request) error)(w, r)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// newProbe makes f the next handler behind the gate for requests of the scene.
func newProbe(t *testing.T, f func(w http.ResponseWriter, r *http.Request) error) *scene {
	t.Helper()
	sc := newScene(t, nil)
	probes.Store(sc.id, f)
	t.Cleanup(func() { probes.Delete(sc.id) })
	return sc
}
