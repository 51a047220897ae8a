package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/spf13/cobra"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/modules/crmgate"
)

const doctorLong = `Looks at a configuration before anybody signs in, and says what it finds and what
to do about it: the check that the start makes (no way leads around the gate), the
identity provider (reachable, keys, second factor, clocks, redirect URIs), the data
directory with keys, sessions and log, and whether the CRM is reached, and through
the gateway only.

It starts nothing and changes nothing, and it sends the provider no secret: it asks
there for the discovery document and the keys and, as a stranger, for a sign-in. It
may run beside the gateway, as the gateway's user and with its environment. Its exit
status is 0 where nothing is an error.`

// gateFor bounds all questions about one gate.
const gateFor = 30 * time.Second

// examination is one run over a configuration.
type examination struct {
	list []crmgate.Remark
	// register is what to register at each gate's provider.
	register []registration
	// site is what is looked at, "" for what all sites share.
	site string
}

type registration struct {
	Issuer string `json:"issuer"`
	crmgate.ToRegister
}

func doctorCommand(cmd *cobra.Command) {
	var file string
	var asJSON bool
	cmd.Flags().StringVarP(&file, "config", "c", "", "The gateway's Caddyfile (or Caddy's JSON)")
	_ = cmd.MarkFlagRequired("config") // the flag is there
	jsonFlag(cmd, &asJSON)
	cmd.Example = "  crmgate doctor --config /etc/crmgate/Caddyfile"
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		e := &examination{register: []registration{}} // not null in JSON
		e.run(cmd.Context(), file, cmd.ErrOrStderr())
		show := e.show
		if asJSON {
			show = e.showJSON
		}
		if err := show(cmd.OutOrStdout()); err != nil {
			return err
		}
		if e.count(crmgate.Failure) > 0 {
			return errors.New("with these errors the gateway doesn't start, or nobody can sign in")
		}
		return nil
	}
}

// run examines a configuration.
func (e *examination) run(ctx context.Context, file string, warnings io.Writer) {
	const about, remedy = "configuration", "Correct it and run this again: nothing else was looked at"
	raw, err := readConfig(file, warnings)
	if err != nil {
		e.say(crmgate.Failure, about, remedy, "%v", err)
		return
	}
	app, done, err := provision(raw)
	if err != nil {
		e.say(crmgate.Failure, about, remedy, "%s: %v", file, err)
		return
	}
	defer done()
	if len(app.Gates()) == 0 {
		e.say(crmgate.Failure, about, "Put crm_gate into the CRM's site", "%s: there is no crm_gate in it", file)
		return
	}
	e.start(app)
	for _, g := range app.Gates() {
		e.gate(ctx, app, g)
	}
	e.site = ""
	src, err := app.KeySource()
	if errors.Is(err, keys.ErrNoService) {
		e.say(crmgate.Warning, "keys", "Run this as a service of systemd, too", "whether they can be read can't be told from here: %v", err)
		return
	}
	if err != nil {
		e.say(crmgate.Failure, "keys", "Correct the option keys", "%v", err)
		return
	}
	e.data(ctx, app.DataDir, src)
	e.list = append(e.list, app.ExamineStore(ctx))
}

// provision makes a configuration's apps without starting them. Logs that it
// configures aren't opened, and a certificate authority of its own isn't made
// where the gateway keeps it: both belong to the user that runs the gateway.
func provision(raw []byte) (*crmgate.App, func(), error) {
	cfg := new(caddy.Config)
	if err := caddy.StrictUnmarshalJSON(raw, cfg); err != nil {
		return nil, nil, err
	}
	scratch, err := os.MkdirTemp("", "crmgate-doctor-")
	if err != nil {
		return nil, nil, fmt.Errorf("making a folder for the time of the examination: %w", err)
	}
	app, cancel, err := provisionIn(cfg, scratch)
	done := func() {
		cancel()
		_ = os.RemoveAll(scratch) // nothing of worth is in it
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return app, done, nil
}

func provisionIn(cfg *caddy.Config, scratch string) (*crmgate.App, func(), error) {
	off, none := false, func() {}
	cfg.StorageRaw = caddyconfig.JSONModuleObject(struct {
		Root string `json:"root"`
	}{scratch}, "module", "file_system", nil)
	cfg.Logging = &caddy.Logging{Logs: map[string]*caddy.CustomLog{
		"default": {BaseLog: caddy.BaseLog{Level: "ERROR"}},
	}}
	cfg.Admin = &caddy.AdminConfig{Disabled: true, Config: &caddy.ConfigSettings{Persist: &off}}
	ctx, err := caddy.ProvisionContext(cfg)
	if err != nil {
		return nil, none, err
	}
	ctx, cancel := caddy.NewContext(ctx)
	mod, err := ctx.App("crmgate")
	if err != nil {
		return nil, cancel, err
	}
	app, ok := mod.(*crmgate.App)
	if !ok {
		return nil, cancel, fmt.Errorf("the app crmgate is %T", mod)
	}
	return app, cancel, nil
}

func (e *examination) say(level crmgate.Level, about, remedy, what string, args ...any) {
	e.list = append(e.list, crmgate.Remark{Level: level, Site: e.site, About: about, What: fmt.Sprintf(what, args...), Remedy: remedy})
}

// start makes the check that the gateway's start makes.
func (e *examination) start(app *crmgate.App) {
	stops := 0
	for _, f := range app.Check() {
		level, what := crmgate.Warning, f.Where+": "+f.What
		if f.Stops {
			level = crmgate.Failure
			stops++
		}
		remedy := f.Remedy
		if f.Reason != "" {
			remedy = "Allowed by the configuration: " + f.Reason
		}
		e.say(level, "configuration", remedy, "%s", what)
	}
	if stops == 0 {
		e.say(crmgate.Good, "configuration", "", "no way leads around the gate")
	}
}

// gate looks at a gate's provider and at the CRM behind it.
func (e *examination) gate(ctx context.Context, app *crmgate.App, g crmgate.Gate) {
	ctx, cancel := context.WithTimeout(ctx, gateFor)
	defer cancel()
	to := app.ToRegister(g)
	e.site = g.Describe()
	if len(to.Redirect) > 0 {
		e.site = strings.TrimSuffix(to.Redirect[0], oidc.RedirectURI(""))
	}
	if x, ok := g.(crmgate.Examiner); ok {
		var known []string
		for _, uri := range to.Redirect {
			if !strings.ContainsAny(uri, "<*{") {
				known = append(known, uri)
			}
		}
		for _, r := range x.Examine(ctx, known) {
			r.Site = e.site
			e.list = append(e.list, r)
		}
		e.register = append(e.register, registration{x.Issuer(), to})
	}
	ups := app.Upstreams(g)
	if len(ups) == 0 {
		e.say(crmgate.Warning, "CRM", "Put reverse_proxy behind crm_gate; or, where its addresses are found at run time, try it in a browser",
			"no proxy with a fixed address lies behind the gate")
	}
	for _, dial := range ups {
		e.upstream(ctx, dial)
	}
}

// dialFor bounds one connection.
const dialFor = 3 * time.Second

// upstream tries to reach the CRM, and whether others could without the gateway.
func (e *examination) upstream(ctx context.Context, dial string) {
	dial = caddy.NewReplacer().ReplaceKnown(dial, "")
	addr, err := caddy.ParseNetworkAddress(dial)
	if err != nil || strings.Contains(dial, "{") {
		e.say(crmgate.Warning, "CRM", "Try it in a browser", "%s is known at run time only", dial)
		return
	}
	network, at := "tcp", addr.JoinHostPort(0)
	if addr.IsUnixNetwork() {
		network, at = "unix", addr.Host
	}
	if err := reach(ctx, network, at); err != nil {
		e.say(crmgate.Failure, "CRM", "Start the CRM, or correct the address in reverse_proxy", "nothing answers at %s", dial)
		return
	}
	e.say(crmgate.Good, "CRM", "", "it answers at %s", dial)
	switch {
	case network == "unix":
		return
	case !localOnly(addr.Host):
		e.say(crmgate.Warning, "CRM", "Let its firewall take connections from the gateway alone: whoever reaches it directly goes around the gateway",
			"%s is another machine: whether others reach it directly can't be seen from here", dial)
	default:
		e.bypass(ctx, dial, addr.StartPort, addresses())
	}
}

// bypass looks whether a CRM on this machine answers to others, too.
func (e *examination) bypass(ctx context.Context, dial string, port uint, ips []string) {
	for _, ip := range ips {
		if other := net.JoinHostPort(ip, strconv.FormatUint(uint64(port), 10)); other != dial && reach(ctx, "tcp", other) == nil {
			e.say(crmgate.Warning, "CRM", "Bind the CRM to 127.0.0.1, or close the port in the firewall: whoever reaches it directly goes around the gateway",
				"it also answers at %s, which is not loopback", other)
		}
	}
}

func reach(ctx context.Context, network, at string) error {
	ctx, cancel := context.WithTimeout(ctx, dialFor)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, network, at)
	if err != nil {
		return fmt.Errorf("reaching %s: %w", at, err)
	}
	return conn.Close()
}

func localOnly(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "" || host == "localhost" || ip != nil && ip.IsLoopback()
}

// addresses are this machine's own that aren't loopback.
func addresses() []string {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var list []string
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			list = append(list, n.IP.String())
		}
	}
	return list
}

func (e *examination) count(level crmgate.Level) int {
	n := 0
	for _, r := range e.list {
		if r.Level == level {
			n++
		}
	}
	return n
}
