package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// config is a configuration as Caddy reads it.
type config struct {
	Admin caddy.AdminConfig `json:"admin"`
	Apps  struct {
		CRMGate json.RawMessage `json:"crmgate"`
		HTTP    struct {
			Servers map[string]struct {
				Routes json.RawMessage `json:"routes"`
			} `json:"servers"`
		} `json:"http"`
	} `json:"apps"`
}

// loadConfig reads a Caddyfile, or Caddy's JSON where the name ends in .json.
// What the adapter warns of goes to warnings.
func loadConfig(file string, warnings io.Writer) (*config, error) {
	raw, err := readConfig(file, warnings)
	if err != nil {
		return nil, err
	}
	c := new(config)
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, fmt.Errorf("reading %s: %w; name a Caddyfile, or Caddy's JSON in a file that ends in .json", file, err)
	}
	return c, nil
}

// readConfig reads a Caddyfile or JSON as Caddy's JSON.
func readConfig(file string, warnings io.Writer) ([]byte, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if filepath.Ext(file) != ".json" {
		return adapt(raw, file, warnings)
	}
	return raw, nil
}

// adapt turns a Caddyfile into JSON. Errors name its file and line.
func adapt(caddyfile []byte, file string, warnings io.Writer) ([]byte, error) {
	adapter := caddyconfig.GetAdapter("caddyfile")
	if adapter == nil {
		return nil, errors.New("this binary has no Caddyfile adapter: build it with modules/standard")
	}
	raw, told, err := adapter.Adapt(caddyfile, map[string]any{"filename": file})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	for _, w := range told {
		if strings.Contains(w.Message, "not formatted") {
			continue
		}
		if _, err := fmt.Fprintf(warnings, "%s:%d: %s\n", w.File, w.Line, w.Message); err != nil {
			return nil, fmt.Errorf("writing a warning: %w", err)
		}
	}
	return raw, nil
}

// dataDir is where the configuration keeps keys and log.
func (c *config) dataDir() (string, error) {
	var app struct {
		DataDir string `json:"data_dir"`
	}
	if len(c.Apps.CRMGate) > 0 {
		if err := json.Unmarshal(c.Apps.CRMGate, &app); err != nil {
			return "", fmt.Errorf("reading the app crmgate: %w", err)
		}
	}
	if app.DataDir == "" {
		return filepath.Join(caddy.AppDataDir(), "crmgate"), nil
	}
	dir, err := caddy.NewReplacer().ReplaceOrErr(app.DataDir, true, true)
	if err != nil {
		return "", fmt.Errorf("the app crmgate's data_dir: %w", err)
	}
	return dir, nil
}
