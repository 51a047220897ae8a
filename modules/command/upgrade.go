package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/upgrade"
	"github.com/crmgate/crmgate/modules/crmgate"
)

const upgradeLong = `Asks the source of releases that the configuration names (global option crmgate,
block upgrade), and where there is a newer version, downloads it, checks its
signature, size and hash, asks it whether it takes the configuration, puts it into
this program's place (by dpkg or rpm, where one of them owns the file), restarts the
service and waits until the new version serves. Where it doesn't, the version before
it is put back and started again, the exit status is 1, and that version isn't tried
again by itself.

It is root's work. Stopped or killed at any step, the next run ends what was begun.
A version that keeps its data in a form that this one can't read is installed with
--one-way alone: nothing leads back from it but a backup.`

// upgradeFlags are the command's.
type upgradeFlags struct {
	config, state, service string
	wait                   time.Duration
	check, asJSON, formats bool
	oneWay, retry          bool
}

func upgradeCommand(cmd *cobra.Command) {
	cmd.Use = "upgrade --config FILE [--check]"
	cmd.Annotations = map[string]string{upgradeName: "ours"}
	f := new(upgradeFlags)
	flags := cmd.Flags()
	flags.StringVarP(&f.config, "config", "c", "", "The gateway's Caddyfile (or Caddy's JSON)")
	flags.BoolVar(&f.formats, "formats", false, "Print the formats of what this build keeps, as releases name them")
	cmd.MarkFlagsOneRequired("config", "formats")
	cmd.MarkFlagsMutuallyExclusive("config", "formats")
	flags.StringVar(&f.state, "state", "/var/lib/crmgate-upgrade", "Where the way back is kept, a directory of root's")
	flags.StringVar(&f.service, "service", "crmgate.service", "The gateway's unit")
	flags.DurationVar(&f.wait, "wait", time.Minute, "How long the new version may take until it serves")
	flags.BoolVar(&f.check, "check", false, "Say what there is, and change nothing")
	flags.BoolVar(&f.oneWay, "one-way", false, "Also where nothing leads back")
	flags.BoolVar(&f.retry, "retry", false, "Also a version that didn't come up here before")
	jsonFlag(cmd, &f.asJSON)
	cmd.Example = "  crmgate upgrade --config /etc/crmgate/Caddyfile --check\n  sudo crmgate upgrade --config /etc/crmgate/Caddyfile"
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if f.formats {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), dataFormats())
			return err
		}
		return f.run(cmd)
	}
}

func (f *upgradeFlags) run(cmd *cobra.Command) (err error) {
	if f.asJSON && !f.check {
		return errors.New("--json goes with --check")
	}
	ctx := cmd.Context()
	source, admin, err := f.source(cmd)
	if err != nil {
		return err
	}
	if !ownProgram() {
		return errors.New("this is a Caddy of your own with crmgate's modules: upgrade it by building it anew, where it was built")
	}
	at, err := upgrade.Built(caddy.CustomVersion)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("looking for this program: %w", err)
	}
	place, err := upgrade.FindPlace(ctx, program)
	if err != nil {
		return err
	}
	state, err := upgrade.OpenState(f.state)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, state.Close()) }()
	u := &upgrade.Upgrade{
		Source: source, State: state, Place: place, At: at, Data: dataFormats(), OneWay: f.oneWay, Retry: f.retry,
		Service: &systemd{unit: f.service, admin: admin, wait: f.wait, program: place.Path},
		Try:     func(ctx context.Context, program string) error { return takes(ctx, program, f.config) },
		Say:     func(format string, args ...any) { fmt.Fprintf(cmd.OutOrStdout(), format+"\n", args...) },
	}
	if f.check {
		return f.look(cmd, u)
	}
	return u.Run(ctx)
}

// source is what the configuration says, with the address of the admin API.
func (f *upgradeFlags) source(cmd *cobra.Command) (*upgrade.Source, string, error) {
	c, err := loadConfig(f.config, cmd.ErrOrStderr())
	if err != nil {
		return nil, "", err
	}
	var app struct {
		Upgrade *crmgate.UpgradeConfig `json:"upgrade"`
	}
	if len(c.Apps.CRMGate) > 0 {
		if err := json.Unmarshal(c.Apps.CRMGate, &app); err != nil {
			return nil, "", fmt.Errorf("%s: reading the app crmgate: %w", f.config, err)
		}
	}
	if app.Upgrade == nil {
		return nil, "", fmt.Errorf("%s names no source of releases: write upgrade { source https://… key … } into the global option crmgate", f.config)
	}
	if c.Admin.Disabled {
		return nil, "", fmt.Errorf("%s switches the admin API off, so that nobody could see whether a new version serves: write admin unix//run/crmgate/admin.sock instead", f.config)
	}
	source, err := app.Upgrade.Place()
	admin := c.Admin.Listen
	if admin == "" {
		admin = caddy.DefaultAdminListen
	}
	return source, admin, err
}

func (f *upgradeFlags) look(cmd *cobra.Command, u *upgrade.Upgrade) error {
	p, err := u.Look(cmd.Context())
	if err != nil {
		return err
	}
	if f.asJSON {
		return printJSON(cmd.OutOrStdout(), p)
	}
	switch {
	case p.To == "":
		u.Say("%s is the newest release", p.At)
	case p.Failed != "":
		u.Say("%s is there. It didn't come up here before: %s", p.To, p.Failed)
	case p.OneWay:
		u.Say("%s is there, and nothing leads back from it to %s (--one-way)", p.To, p.At)
	default:
		u.Say("%s is there, for %s", p.To, p.At)
	}
	return nil
}

// takes asks a program whether it takes a configuration: words and structure. What it
// would do with it shows when it runs.
func takes(ctx context.Context, program, config string) error {
	if err := os.Chmod(program, 0o700); err != nil { //nolint:gosec // it is a program
		return fmt.Errorf("trying the new program: %w", err)
	}
	args := []string{"adapt", "--config", config}
	if filepath.Ext(config) == ".json" {
		args = []string{"version"}
	}
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput() //nolint:gosec // a release key has signed it
	if err != nil {
		return fmt.Errorf("it doesn't take %s: %w: %s", config, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// dataFormats names what this build writes. A build that writes the same can read it.
func dataFormats() string {
	list := []string{fmt.Sprintf("log %d", audit.Format)}
	for _, m := range caddy.GetModules("crmgate.stores") {
		if s, ok := m.New().(interface{ Schema() int }); ok {
			list = append(list, fmt.Sprintf("%s %d", m.ID.Name(), s.Schema()))
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
