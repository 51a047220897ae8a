package gate

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/profile"
)

// atHome is a request to https://crm.example.de that went on to 10.0.0.5:8069.
func atHome(t testing.TB) *request {
	t.Helper()
	src, err := profile.Builtin("dynamics")
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	h := &Handler{profile: p, CRMHosts: []string{"odoo.Internal.example.de", "old.example.de:8443", "*.acme.example", "odoo", "[::1]:8069"}, logger: zap.NewNop()}
	if err := h.checkCRMHosts(); err != nil {
		t.Fatal(err)
	}
	repl := caddy.NewReplacer()
	repl.Set(upstreamPlaceholder, "10.0.0.5:8069")
	r := httptest.NewRequestWithContext(context.WithValue(t.Context(), caddy.ReplacerCtxKey, repl), http.MethodGet, "/", nil)
	return &request{h: h, r: r, https: true, c: &canon.Canonical{Host: "crm.example.de"}}
}

func TestAddressesOfTheCRMLeadHome(t *testing.T) {
	t.Parallel()
	q := atHome(t)
	const home = "https://crm.example.de"
	for address, want := range map[string]string{
		"http://10.0.0.5:8069/a?b=%20c#d":     home + "/a?b=%20c#d",
		"http://10.0.0.5/a":                   home + "/a",
		"https://acme.crm4.dynamics.com":      home,
		"https://acme.crm4.dynamics.com?x=/y": home + "?x=/y",
		"HTTPS://ODOO.internal.example.de/a":  home + "/a",
		"https://odoo.internal.example.de:1/": home + "/",
		"https://old.example.de:8443/a":       home + "/a",
		"https://a.acme.example/a":            home + "/a",
		"http://crm.example.de/a":             home + "/a",
		"http://odoo:8069/a":                  home + "/a",
		"http://[::1]:8069/a":                 home + "/a",
		"//10.0.0.5:8069/a":                   home + "/a",
		"//crm.example.de/a":                  "//crm.example.de/a",
		"/a?b":                                "/a?b",
		"contacts?$skiptoken=2":               "contacts?$skiptoken=2",
		"":                                    "",
		"http://10.0.0.5:8070/a":              "",
		"https://old.example.de/a":            "",
		"https://acme.example/a":              "",
		"https://crm.example.de.evil/a":       "",
		"https://dynamics.com/a":              "",
		"https://x@acme.crm4.dynamics.com/":   "",
		`https:/\acme.crm4.dynamics.com/`:     "",
		"ws://acme.crm4.dynamics.com/":        "",
		"https:///a":                          "",
	} {
		got, ok := q.homed(address)
		if got != want || ok != (want != "" || address == "") {
			t.Errorf("%s is %q, %v; want %q", address, got, ok, want)
		}
	}
}

func TestCRMHostsAreNames(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"https://crm.example.de", "crm.example.de/a", "*", "a b.c", "crm.example.de:", "*.*.de", "*.", ".x"} {
		h := &Handler{CRMHosts: []string{bad}}
		if err := h.checkCRMHosts(); err == nil || !strings.Contains(err.Error(), "crm_hosts "+bad+": write a host's name") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	var h Handler
	if err := h.UnmarshalCaddyfile(caddyfile.NewTestDispenser("crm_gate {\n crm_hosts\n}")); err == nil {
		t.Error("crm_hosts takes nothing")
	}
}

// Whatever the CRM writes, an address that is said to lead to the gate names no other
// host.
func FuzzHomed(f *testing.F) {
	for _, seed := range []string{
		"https://acme.crm4.dynamics.com/a?b#c", "//10.0.0.5:8069/x", `https:\\evil.example`, "https://a@b/", "/\t/evil.example", "\x01https://x",
		"<https://acme.crm4.dynamics.com/n>; rel=next, </a>; rel=\"x\"", "<<https://a>", "https://[::1]:80/", "javascript:1", "http:evil.example",
	} {
		f.Add(seed)
	}
	q := atHome(f)
	f.Fuzz(func(t *testing.T, address string) {
		got, ok := q.homed(address)
		if ok && !leadsHome(got) {
			t.Errorf("%q became %q", address, got)
		}
		link := q.homeLink(address)
		if again := q.homeLink(link); again != link {
			t.Errorf("%q became %q, and that %q", address, link, again)
		}
	})
}

// leadsHome reports whether a browser on a page of the gate stays there.
func leadsHome(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	at := (&url.URL{Scheme: "https", Host: "crm.example.de", Path: "/"}).ResolveReference(u)
	return at.Scheme == "https" && at.Host == "crm.example.de" && !strings.ContainsRune(address, '\\')
}
