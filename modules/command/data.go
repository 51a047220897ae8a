package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// place says which gateway's data a command works on.
type place struct {
	data, config string
}

// placeFlags adds --data and --config. Others are flags that the command
// has already, and that take their place.
func placeFlags(cmd *cobra.Command, p *place, others ...string) {
	cmd.Flags().StringVar(&p.data, "data", "", "The gateway's data directory: the one that holds keys and log")
	cmd.Flags().StringVarP(&p.config, "config", "c", "", "The gateway's Caddyfile (or Caddy's JSON), which names the directory")
	cmd.MarkFlagsMutuallyExclusive(append(others, "data", "config")...)
	cmd.MarkFlagsOneRequired(append(others, "data", "config")...)
}

// data is a gateway's data directory.
type data struct {
	dir string
	// admin is the address of the running gateway's admin API.
	admin string
}

// adminSocket is the name of the demo's admin socket in its data directory.
const adminSocket = "admin.sock"

// find finds the directory of a log. It is never guessed from the caller's home.
func (p *place) find(warnings io.Writer) (data, error) {
	d, err := p.locate(warnings)
	if err != nil {
		return d, err
	}
	if _, err := os.Stat(d.log()); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return d, fmt.Errorf("there is no audit log in %s: name the gateway's data directory by --data, or its configuration by --config", d.dir)
		}
		return d, fmt.Errorf("looking for the audit log: %w", err)
	}
	return d, nil
}

// locate finds the directory, where there may be no log yet.
func (p *place) locate(warnings io.Writer) (data, error) {
	d := data{dir: p.data, admin: caddy.DefaultAdminListen}
	if p.config != "" {
		c, err := loadConfig(p.config, warnings)
		if err != nil {
			return d, err
		}
		if d.dir, err = c.dataDir(); err != nil {
			return d, fmt.Errorf("%s: %w", p.config, err)
		}
		if c.Admin.Listen != "" {
			d.admin = c.Admin.Listen
		}
	}
	abs, err := filepath.Abs(d.dir)
	if err != nil {
		return d, fmt.Errorf("finding the data directory: %w", err)
	}
	d.dir = abs
	if _, err := os.Stat(filepath.Join(d.dir, adminSocket)); err == nil && p.config == "" { // a demo's
		d.admin = "unix/" + filepath.Join(d.dir, adminSocket)
	}
	return d, nil
}

// ask asks the running gateway.
func (d data) ask(path string, asked, answer any) error {
	body, err := json.Marshal(asked)
	if err != nil {
		return fmt.Errorf("asking the gateway: %w", err)
	}
	resp, err := caddycmd.AdminAPIRequest(d.admin, http.MethodPost, path, nil, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("asking the gateway of %s: %w; it has to run with its admin API switched on: name its configuration by --config", d.dir, err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("reading the gateway's answer: %w", err)
	}
	return nil
}

func (d data) log() string { return filepath.Join(d.dir, "log") }

// options are those that the gateway opens this log with.
func (d data) options() audit.Options {
	return audit.Options{Checkpoints: crmgate.CheckpointDir(d.dir)}
}

// ring opens the keys. It never makes new ones: they would open nothing here.
func (d data) ring() (*keys.Ring, error) {
	dir := filepath.Join(d.dir, "keys")
	if _, err := os.Stat(filepath.Join(dir, keys.FileName)); err != nil {
		return nil, fmt.Errorf("the log's key is missing: %w; put the key of this log there", err)
	}
	ring, err := keys.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the log's key: %w", err)
	}
	return ring, nil
}
