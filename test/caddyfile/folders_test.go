package caddyfile

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/crmgate/crmgate/modules/crmgate"
)

const folders = "../../caddyfiles"

// Every folder's Caddyfile adapts without a warning, provisions, and passes the
// check that nothing leads around its gate, as it is and with the variables that
// its first lines name.
func TestCaddyfilesOfTheFoldersStart(t *testing.T) {
	for _, set := range []struct {
		name string
		env  map[string]string
	}{
		{"as they are", nil},
		{"for a trial", map[string]string{
			"CRM_ADDRESS": "http://localhost:8080", "TRYTON_UPSTREAM": "unix//run/tryton.sock",
			"DEMO_ADDRESS": "https://demo.example.de", "DEMO_UPSTREAM": "https://crm.internal:8443",
			"OIDC_ISSUER": "https://login.example.org", "OIDC_CLIENT_ID": "gateway",
		}},
	} {
		t.Run(set.name, func(t *testing.T) {
			for name, value := range set.env {
				t.Setenv(name, value)
			}
			eachFolder(t, starts)
		})
	}
}

// Somebody who opens a folder finds out what it is for.
func TestFoldersOfCaddyfilesAreExplained(t *testing.T) {
	eachFolder(t, func(t *testing.T, dir string) {
		t.Helper()
		if _, err := os.Stat(filepath.Join(dir, "README.md")); err != nil {
			t.Error(err)
		}
	})
}

func eachFolder(t *testing.T, try func(t *testing.T, dir string)) {
	t.Helper()
	found, err := filepath.Glob(folders + "/*/Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 2 {
		t.Fatalf("found only %q", found)
	}
	for _, file := range found {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) { try(t, dir) })
	}
}

func starts(t *testing.T, dir string) {
	t.Helper()
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("OIDC_CLIENT_SECRET", "made up")
	file := filepath.Join(dir, "Caddyfile")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt(text, map[string]any{"filename": file})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings {
		t.Error(w)
	}
	config := new(caddy.Config)
	if err := json.Unmarshal(raw, config); err != nil {
		t.Fatal(err)
	}
	ctx, err := caddy.ProvisionContext(config)
	if err != nil {
		t.Fatalf("provisioning: %v", err)
	}
	mod, err := ctx.App("crmgate")
	if err != nil {
		t.Fatal(err)
	}
	app, ok := mod.(*crmgate.App)
	if !ok {
		t.Fatalf("the app crmgate is %T", mod)
	}
	for _, f := range app.Check() {
		t.Error(f)
	}
}
