package crmgate

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/upgrade"
)

// VersionPath is the route by which an upgrade sees that the version it installed is the
// one that serves.
const VersionPath = "/crmgate/version"

// UpgradeConfig is where newer versions are found. The gateway itself asks nobody: the
// command does, when a person or a timer calls it.
type UpgradeConfig struct {
	// Source is the address of a folder of releases, https alone.
	Source string `json:"source"`
	// Keys are release keys as their maintainers publish them. One of them has to have
	// signed the index of releases; two are for the time in which a key is changed.
	Keys []string `json:"keys"`
}

// Place returns the source, checked.
func (c *UpgradeConfig) Place() (*upgrade.Source, error) {
	s := &upgrade.Source{Address: c.Source, Keys: c.Keys}
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("upgrade: %w", err)
	}
	return s, nil
}

func (c *UpgradeConfig) check() error {
	if c == nil {
		return nil
	}
	_, err := c.Place()
	return err
}

func (a *App) unmarshalUpgrade(d *caddyfile.Dispenser) error {
	if a.Upgrade != nil {
		return d.Err("upgrade stands once")
	}
	if d.NextArg() {
		return d.Errf("upgrade takes a block, not %q: upgrade { source … key … }", d.Val())
	}
	c := new(UpgradeConfig)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		switch word := d.Val(); word {
		case "source":
			if c.Source != "" {
				return d.Err("source stands once")
			}
			if !d.AllArgs(&c.Source) {
				return d.Err("source takes one address: source https://…")
			}
		case "key":
			keys := d.RemainingArgs()
			if len(keys) == 0 {
				return d.Err("key takes release keys: key NAME+…")
			}
			c.Keys = append(c.Keys, keys...)
		default:
			return UnknownWord(d, word, "source", "key")
		}
	}
	if _, err := c.Place(); err != nil {
		return d.WrapErr(err)
	}
	a.Upgrade = c
	return nil
}

// Version is what VersionPath answers.
type Version struct {
	// Version is what the program calls itself, before Caddy's own version.
	Version string `json:"version"`
}

func adminVersion(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet {
		return caddy.APIError{HTTPStatus: http.StatusMethodNotAllowed, Err: errors.New("GET tells the version")}
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(Version{caddy.CustomVersion})
}
