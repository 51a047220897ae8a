package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/session"
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
	// app is what the configuration says of the log's place; the zero value is
	// the directory.
	app   crmgate.App
	place *crmgate.LogPlace
}

// adminSocket is the name of the demo's admin socket in its data directory.
const adminSocket = "admin.sock"

// find finds the directory of a log. It is never guessed from the caller's home.
func (p *place) find(warnings io.Writer) (data, error) {
	d, err := p.locate(warnings)
	if err != nil {
		return d, err
	}
	if in, err := d.inStore(); err != nil || in {
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
		if err := d.configured(p.config, warnings); err != nil {
			return d, err
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

// inStore reports whether the log is where the sessions are.
func (d data) inStore() (bool, error) {
	store, err := d.store()
	if err != nil {
		return false, err
	}
	_, ok := store.(crmgate.LogKeeper)
	return ok && !d.app.Log.Local, nil
}

// options are those that the gateway opens a log in the directory with.
func (d data) options() audit.Options {
	return audit.Options{Checkpoints: crmgate.CheckpointDir(d.dir)}
}

// configured takes the directory, the admin API and the log's place from a
// configuration.
func (d *data) configured(file string, warnings io.Writer) error {
	c, err := loadConfig(file, warnings)
	if err != nil {
		return err
	}
	if d.dir, err = c.dataDir(); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if c.Admin.Listen != "" {
		d.admin = c.Admin.Listen
	}
	if len(c.Apps.CRMGate) > 0 {
		if err := json.Unmarshal(c.Apps.CRMGate, &d.app); err != nil {
			return fmt.Errorf("%s: reading the app crmgate: %w", file, err)
		}
	}
	return nil
}

// of names the node of an error, where there are several.
func (d data) of(node string, err error) error {
	if d.place.Database == nil {
		return err
	}
	return fmt.Errorf("node %s: %w", node, err)
}

// ask asks the running gateway.
func (d data) ask(path string, asked, answer any) error {
	body, err := json.Marshal(asked)
	if err != nil {
		return fmt.Errorf("asking the gateway: %w", err)
	}
	resp, err := caddycmd.AdminAPIRequest(d.admin, http.MethodPost, path, nil, bytes.NewReader(body))
	if err != nil && strings.Contains(err.Error(), "caddy responded with error") { // it runs, and says no
		return fmt.Errorf("asking the gateway of %s: %w", d.dir, err)
	}
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

// store is the configured session store, nil for the default.
func (d data) store() (session.Opener, error) {
	if d.app.StoreRaw == nil {
		return nil, nil
	}
	mod, err := guestModule(d.app.StoreRaw, "crmgate.stores", "module")
	if err != nil {
		return nil, fmt.Errorf("the configured store: %w", err)
	}
	store, ok := mod.(session.Opener)
	if !ok {
		return nil, fmt.Errorf("the configured store %T is none", mod)
	}
	return store, nil
}

// guestModule makes a configured module of a namespace. It isn't provisioned: it works with
// nothing but its configuration.
func guestModule(raw json.RawMessage, namespace, key string) (caddy.Module, error) {
	var named map[string]any
	if err := json.Unmarshal(raw, &named); err != nil {
		return nil, fmt.Errorf("reading its configuration: %w", err)
	}
	name, _ := named[key].(string)
	info, err := caddy.GetModule(namespace + "." + name)
	if err != nil {
		return nil, err
	}
	delete(named, key)
	rest, err := json.Marshal(named)
	if err != nil {
		return nil, fmt.Errorf("reading its configuration: %w", err)
	}
	mod := info.New()
	if err := caddy.StrictUnmarshalJSON(rest, mod); err != nil {
		return nil, fmt.Errorf("reading its configuration: %w", err)
	}
	return mod, nil
}

// open finds the log that belongs to the directory, and those of the other nodes
// where a database keeps them. close lets go of it.
func (d *data) open(ctx context.Context) error {
	store, err := d.store()
	if err != nil {
		return err
	}
	if d.place, err = crmgate.PlaceLog(ctx, d.dir, d.app.Log, store); err != nil {
		return fmt.Errorf("finding the audit log: %w", err)
	}
	return nil
}

func (d data) close() {
	if d.place != nil {
		_ = d.place.Close() // what was written has been answered
	}
}

// reach finds the data directory with its log and keys.
func (p *place) reach(ctx context.Context, warnings io.Writer) (data, *keys.Ring, error) {
	d, err := p.find(warnings)
	if err != nil {
		return d, nil, err
	}
	ring, err := d.ring(ctx)
	if err != nil {
		return d, nil, err
	}
	return d, ring, d.open(ctx)
}

// keySource is the configured source of the master keys; without a configuration, the
// file in the directory.
func (d data) keySource() (keys.Source, error) {
	if d.app.KeysRaw == nil {
		return keys.InDir(crmgate.KeyDir(d.dir)), nil
	}
	mod, err := guestModule(d.app.KeysRaw, "crmgate.keys", "source")
	if err != nil {
		return nil, fmt.Errorf("the configured keys: %w", err)
	}
	source, ok := mod.(crmgate.KeySource)
	if !ok {
		return nil, fmt.Errorf("the configured keys %T are no source", mod)
	}
	return source.Source(d.dir)
}

// ring opens the keys. It never makes new ones: they would open nothing here.
func (d data) ring(ctx context.Context) (*keys.Ring, error) {
	src, err := d.keySource()
	if err != nil {
		return nil, err
	}
	ring, err := crmgate.OpenKeys(ctx, d.dir, src, false)
	if errors.Is(err, os.ErrNotExist) {
		hint := ""
		if d.app.KeysRaw == nil {
			hint = ", or name the configuration that says where it is by --config"
		}
		return nil, fmt.Errorf("the log's key is missing: %w; put the key of this log there%s", err, hint)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the log's key: %w", err)
	}
	return ring, nil
}
