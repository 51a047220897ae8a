package crmgate_test

import (
	"slices"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/crmgate/crmgate/modules/crmgate"
)

func TestAddressesToRegisterAreThoseOfTheSite(t *testing.T) {
	for config, want := range map[string][]string{
		"crm.example.de {\n\tfake_gate\n\treverse_proxy https://crm.internal\n}\n": {"https://crm.example.de/.crmgate/callback"},
		"crm.example.de:8443, b.example.de:8443 {\n\tfake_gate\n\treverse_proxy https://crm.internal\n}\n": {
			"https://b.example.de:8443/.crmgate/callback", "https://crm.example.de:8443/.crmgate/callback",
		},
		"http://localhost:8080 {\n\tfake_gate\n\treverse_proxy 127.0.0.1:1\n}\n": {"http://localhost:8080/.crmgate/callback"},
		":8443 {\n\ttls internal\n\tfake_gate\n\treverse_proxy https://crm.internal\n}\n": {
			"https://<the site's host>:8443/.crmgate/callback",
		},
		"{\n\tservers {\n\t\ttrusted_proxies static 10.0.0.0/8\n\t}\n}\nhttp://crm.example.de:8080 {\n\tfake_gate\n\treverse_proxy https://crm.internal\n}\n": {
			"https://crm.example.de/.crmgate/callback",
		},
	} {
		app, gate := onlyGate(t, config)
		got := app.ToRegister(gate)
		if !slices.Equal(got.Redirect, want) || len(got.BackChannel) != len(want) {
			t.Errorf("%s\nregister %q, want %q", config, got.Redirect, want)
		}
	}
}

func TestUpstreamsAreThoseBehindTheGate(t *testing.T) {
	app, gate := onlyGate(t, "crm.example.de {\n\tfake_gate\n\thandle /a* {\n\t\treverse_proxy https://a.internal:8443\n\t}\n\treverse_proxy 127.0.0.1:8000\n}\nother.example.de {\n\treverse_proxy 127.0.0.1:9000\n}\n")
	if got := app.Upstreams(gate); !slices.Equal(got, []string{"127.0.0.1:8000", "a.internal:8443"}) {
		t.Errorf("upstreams %q", got)
	}
}

func onlyGate(t *testing.T, config string) (*crmgate.App, crmgate.Gate) {
	t.Helper()
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(config), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		t.Fatal(err)
	}
	mod, err := provisionContext(t, string(adapted)).App("crmgate")
	if err != nil {
		t.Fatal(err)
	}
	app := mod.(*crmgate.App)
	if len(app.Gates()) != 1 {
		t.Fatalf("%d gates", len(app.Gates()))
	}
	return app, app.Gates()[0]
}
