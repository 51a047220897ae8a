package crmgate_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	_ "github.com/crmgate/crmgate/modules/store/postgres"
)

// loadStore loads a configuration with this store, written as it stands.
func loadStore(t *testing.T, dir, store string) error {
	t.Helper()
	app := map[string]any{"data_dir": dir, "log": map[string]any{"node": "n1"}}
	if store != "" {
		app["store"] = json.RawMessage(store)
	}
	config, err := json.Marshal(map[string]any{
		"admin":   map[string]any{"disabled": true, "config": map[string]any{"persist": false}},
		"logging": map[string]any{"logs": map[string]any{"default": map[string]any{"writer": map[string]any{"output": "discard"}}}},
		"apps":    map[string]any{"crmgate": app},
	})
	if err != nil {
		t.Fatal(err)
	}
	return caddy.Load(config, true)
}

// A reload refuses another store, or the same with another setting: the old one would
// be kept silently. The same one, however it is written, is taken.
func TestReloadRefusesAnotherStore(t *testing.T) {
	t.Cleanup(func() { _ = caddy.Stop() })
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "sessions.db")
	if err := loadStore(t, dir, ""); err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]string{
		"another setting": `{"module":"sqlite","path":"` + path + `"}`,
		"another store":   `{"module":"postgres","dsn":"postgres://127.0.0.1:1/none"}`,
	} {
		if err := loadStore(t, dir, other); err == nil || !strings.Contains(err.Error(), "another session store can't be taken at a reload") {
			t.Errorf("%s: a reload says %v", name, err)
		}
	}
	for name, same := range map[string]string{"the default": `{"module":"sqlite"}`, "spaced": `{ "module" : "sqlite" }`, "none": ""} {
		if err := loadStore(t, dir, same); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
