package gate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/crmgate/crmgate/internal/demo/provider"
	_ "github.com/crmgate/crmgate/modules/standard"
)

const (
	clientID     = "crm"
	clientSecret = "a secret of the tests"
)

// environment is one running Caddy and what stands around it.
type environment struct {
	dir      string
	crm      *standIn
	provider *server
	forger   *forger
	flaky    *flaky

	plain    *site // http, HTTP/1.1, no encode
	secure   *site // https, HTTP/1.1 and 2, encode
	forged   *site // signs in at the forger
	late     *site // signs in at a provider that comes and goes
	calls    *site // the profile of a CRM with remote calls
	probed   *site // a probe instead of the proxy
	down     *site // a CRM that nobody answers for
	opened   *site // signs in at the forger; public paths, and a page of another origin
	live     *site // a profile that opens a socket
	leaky    *site // the profile of the leak suite
	observes *site // only observes
	unknown  *site // observes a CRM of which nothing is known
	strict   *site // signs in at the forger, by a factor that can't be phished
	groups   *site // signs in at the forger, whose groups are the roles
	odata    *site // Dynamics
	drawn    *site // a service of OData with the profile that is drawn of it
	watched  *site // the profile of the leak suite, only observed
	handles  *site // Salesforce; signs in at the forger
	another  *site // the same once more
	links    *site // HubSpot; signs in at the forger
	files    *site // EspoCRM; signs in at the forger
	lenient  *site // Salesforce, only observed; signs in at the forger
	audited  *site // signs in at the forger; a desk with consent
	lured    *site // the profile of the leak suite, with canaries and links; signs in at the forger
	ruled    *site // signs in at the forger; rules to acknowledge, and a desk
	ruledRPC *site // the same before remote calls
	ruledObs *site // the same, only observed
	reveals  *site // signs in at the forger; fields are revealed, and there is a desk
	aging    *site // signs in at the forger; contacts are kept until their birthday of thirty
}

// server is an HTTP server on a loopback port that was bound beforehand, so
// that its address is known before what needs it is made.
type server struct {
	ln  net.Listener
	srv *http.Server
	url string
}

func listen() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

func newServer() (*server, error) {
	ln, err := listen()
	if err != nil {
		return nil, err
	}
	return &server{ln: ln, url: "http://" + ln.Addr().String()}, nil
}

func (s *server) serve(h http.Handler) {
	s.srv = &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go s.srv.Serve(s.ln) // ends with Close
}

func (s *server) close() {
	if s.srv != nil {
		s.srv.Close()
	}
}

// site is an address at which a gate listens. Its socket is bound before Caddy
// starts and handed over as a file descriptor: no port is guessed.
type site struct {
	env  *environment
	ln   net.Listener
	file *os.File
	url  string
	host string
	who  *signedIn
}

func newSite(e *environment, scheme string) (*site, error) {
	ln, err := listen()
	if err != nil {
		return nil, err
	}
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		return nil, err
	}
	host := ln.Addr().String()
	if scheme == "https" {
		_, port, _ := net.SplitHostPort(host)
		host = "localhost:" + port
	}
	return &site{env: e, ln: ln, file: file, host: host, url: scheme + "://" + host, who: newSignedIn()}, nil
}

// block is the site's block in the Caddyfile.
func (s *site) block(gate, behind string) string {
	return fmt.Sprintf("%s {\n\tbind fd/%d\n%s\n%s\n}\n", s.url, s.file.Fd(), gate, behind)
}

func startEnvironment(dir string) (*environment, error) {
	e := &environment{dir: dir}
	if err := e.sites(); err != nil {
		return nil, err
	}
	if err := e.around(); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "exports.csv"), []byte(exports), 0o600); err != nil {
		return nil, err
	}
	if err := errors.Join(e.liveProfile(), e.drawnProfile()); err != nil {
		return nil, err
	}
	if err := load(e.caddyfile(), e.data()); err != nil {
		return nil, err
	}
	return e, e.secure.ready()
}

// ready waits until the site has its certificate, which Caddy makes behind the
// back of its start.
func (s *site) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := newBrowser(s).try(ask{path: "/.crmgate/ready"}); err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", s.url, ctx.Err())
		}
	}
}

func (e *environment) data() string { return filepath.Join(e.dir, "data") }
func (e *environment) logs() string { return filepath.Join(e.dir, "logs") }

func (e *environment) sites() error {
	for _, s := range []struct {
		at     **site
		scheme string
	}{
		{&e.plain, "http"},
		{&e.secure, "https"},
		{&e.forged, "http"},
		{&e.late, "http"},
		{&e.calls, "http"},
		{&e.probed, "http"},
		{&e.down, "http"},
		{&e.opened, "http"},
		{&e.live, "http"},
		{&e.leaky, "http"},
		{&e.strict, "http"},
		{&e.groups, "http"},
		{&e.observes, "http"},
		{&e.unknown, "http"},
		{&e.odata, "http"},
		{&e.drawn, "http"},
		{&e.watched, "http"},
		{&e.handles, "http"},
		{&e.another, "http"},
		{&e.links, "http"},
		{&e.files, "http"},
		{&e.lenient, "http"},
		{&e.audited, "http"},
		{&e.lured, "http"},
		{&e.ruled, "http"},
		{&e.ruledRPC, "http"},
		{&e.ruledObs, "http"},
		{&e.reveals, "http"},
		{&e.aging, "http"},
	} {
		var err error
		if *s.at, err = newSite(e, s.scheme); err != nil {
			return err
		}
	}
	return nil
}

// around starts the CRM and the providers.
func (e *environment) around() error {
	var err error
	if e.crm, err = newStandIn(); err != nil {
		return err
	}
	all := []*site{e.plain, e.secure, e.forged, e.late, e.calls, e.probed, e.down, e.live, e.leaky, e.observes, e.unknown, e.odata, e.drawn, e.watched}
	if e.provider, err = startProvider(nil, all...); err != nil {
		return err
	}
	if e.forger, err = newForger(); err != nil {
		return err
	}
	e.flaky = new(flaky)
	e.flaky.server, err = startProvider(e.flaky.wrap, e.late)
	return err
}

// startProvider starts the demo's provider for the sites.
func startProvider(wrap func(http.Handler) http.Handler, sites ...*site) (*server, error) {
	s, err := newServer()
	if err != nil {
		return nil, err
	}
	cfg := provider.Config{
		Issuer: s.url, ClientID: clientID, ClientSecret: clientSecret, Employees: provider.Employees(),
	}
	for _, x := range sites {
		cfg.RedirectURIs = append(cfg.RedirectURIs, x.url+"/.crmgate/callback")
		cfg.PostLogoutURIs = append(cfg.PostLogoutURIs, x.url+"/.crmgate/signed-out")
	}
	h, err := provider.New(cfg)
	if err != nil {
		return nil, err
	}
	if wrap != nil {
		h = wrap(h)
	}
	s.serve(h)
	return s, nil
}

// exports lets support export, masked: in the demo's own policy whoever may
// export sees everything.
const exports = `p, support, person, name,  export, clear,   , allow
p, support, person, email, export, partial, , allow
p, support, person, bank,  export, hidden,  , allow
`

// gateBlock is the directive with the demo's profile and policy, and exports.
func gateBlock(dir, issuer string, more ...string) string {
	return namedGate("demo", "builtin:demo "+filepath.Join(dir, "exports.csv"), issuer, more...)
}

// gateWith is gateBlock with one more line about the provider.
func gateWith(line, dir, issuer string, more ...string) string {
	return strings.Replace(gateBlock(dir, issuer, more...), "client_id ", line+"\n\t\t\tclient_id ", 1)
}

func namedGate(profile, policy, issuer string, more ...string) string {
	return fmt.Sprintf(`	crm_gate {
		profile %s
		policy %s
		oidc %s {
			client_id %s
			client_secret %q
			mfa acr %s
		}
		%s
	}`, profile, policy, issuer, clientID, clientSecret, provider.ACRSecondFactor, strings.Join(more, "\n\t\t"))
}

// here is the path of a file in testdata.
func here(name string) string {
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		panic(err)
	}
	return path
}

func proxyTo(address string) string {
	return fmt.Sprintf("\treverse_proxy %s {\n\t\theader_up Host {host}\n\t}", address)
}

// globals are the global options: everything that Caddy can log goes to files.
func globals(dir, level string) string {
	level, more, _ := strings.Cut(level, "\n")
	return fmt.Sprintf(`{
	admin off
	persist_config off
	skip_install_trust
	auto_https disable_redirects
	storage file_system %[1]s/caddy
	grace_period 5s
	log {
		output file %[1]s/logs/process.log
		level %[2]s
	}
	servers {
		protocols h1 h2
		max_header_size 1MiB
	}
%[3]s
}
`, dir, level, more)
}

func inTenDays() string { return time.Now().AddDate(0, 0, 10).Format(time.DateOnly) }

func (e *environment) caddyfile() string {
	crm, dead := proxyTo(e.crm.url), proxyTo("127.0.0.1:1")
	salesforce := namedGate("salesforce", here("handles.csv"), e.forger.url, "accept documented")
	access := fmt.Sprintf("\tlog {\n\t\toutput file %s/access.log\n\t}\n", e.logs())
	return globals(e.dir, "DEBUG") +
		e.plain.block(access+gateBlock(e.dir, e.provider.url, "forbid contact card svnr_at", "flag * kennzeichen"), crm) +
		e.secure.block(access+"\ttls internal\n\tencode zstd gzip {\n\t\tminimum_length 1\n\t}\n"+gateBlock(e.dir, e.provider.url, "hold 256KiB"), crm) +
		e.forged.block(gateBlock(e.dir, e.forger.url), crm) +
		e.late.block(gateBlock(e.dir, e.flaky.server.url), crm) +
		e.calls.block(namedGate("tryton", "builtin:tryton", e.provider.url), crm) +
		e.probed.block(gateBlock(e.dir, e.provider.url), "\tgatetest_probe") +
		e.opened.block(gateBlock(e.dir, e.forger.url, "search_rate 5", "public /healthz /static/app.css", "cors "+appOrigin, "administrators role it_admin", lightDesk), crm) +
		e.audited.block(access+gateBlock(e.dir, e.forger.url, strictDesk), crm) +
		e.lured.block(access+namedGate(here("leaks.yaml"), here("leaks.csv"), e.forger.url, "canary person 5001", "canary person 5002 stop", "links {\n\t\t\town example.de\n\t\t}", lightDesk), crm) +
		e.ruled.block(access+gateBlock(e.dir, e.forger.url, ruledBlock, lightDesk), crm) +
		e.ruledRPC.block(namedGate("tryton", "builtin:tryton", e.forger.url, ruledBlock, lightDesk), crm) +
		e.ruledObs.block(gateBlock(e.dir, e.forger.url, "rules", "observe until "+inTenDays()), crm) +
		e.reveals.block(access+namedGate("demo", "builtin:demo "+filepath.Join(e.dir, "exports.csv")+" "+here("reveal.csv"), e.forger.url, revealBlock, lightDesk), crm) +
		e.aging.block(access+gateBlock(e.dir, e.forger.url, "retain contact 30y after birth_date", "overdue role dpo", "overdue confirm dpo council", lightDesk), crm) +
		e.live.block(access+namedGate(filepath.Join(e.dir, "live.yaml"), "builtin:demo "+filepath.Join(e.dir, "exports.csv"), e.provider.url), crm) +
		e.strict.block(gateWith("mfa phishing_resistant amr hwk", e.dir, e.forger.url), crm) +
		e.groups.block(gateWith("roles groups", e.dir, e.forger.url, "administrators role it_admin"), crm) +
		e.down.block(access+gateBlock(e.dir, e.provider.url), dead) +
		e.observes.block(access+gateBlock(e.dir, e.provider.url, "hold 256KiB", "request_limit 64KiB", "observe until "+inTenDays()), crm) +
		e.unknown.block(access+namedGate("generic", "builtin:generic", e.provider.url, "observe until "+inTenDays()), crm) +
		e.leaky.block(access+namedGate(here("leaks.yaml"), here("leaks.csv"), e.provider.url, "step_up /people/4711 amr hwk", "forbid person card"), crm) +
		e.odata.block(access+namedGate("dynamics", "builtin:dynamics", e.provider.url, "accept documented"), crm) +
		e.drawn.block(access+namedGate(filepath.Join(e.dir, "drawn.yaml"), filepath.Join(e.dir, "drawn.csv"), e.provider.url, "accept documented"), crm) +
		e.handles.block(access+salesforce, crm) + e.another.block(salesforce, crm) +
		e.lenient.block(namedGate("salesforce", here("handles.csv"), e.forger.url, "observe until "+inTenDays()), crm) +
		e.files.block(namedGate("espocrm", here("handles.csv"), e.forger.url, "accept documented"), crm) +
		e.links.block(namedGate("hubspot", here("handles.csv"), e.forger.url, "accept documented"), crm) +
		e.watched.block(access+namedGate(here("leaks.yaml"), here("leaks.csv"), e.provider.url, "observe until "+inTenDays()), crm)
}

// load runs Caddy with a Caddyfile. The log's segments are small: a test run
// isn't to write 128 MiB of zeros. underscores lets headers with underscores in
// their names in, which Caddy drops unless it is told so.
func load(caddyfile, data string, underscores ...string) error {
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return fmt.Errorf("adapting: %w", err)
	}
	var cfg map[string]any
	if err := json.Unmarshal(adapted, &cfg); err != nil {
		return err
	}
	apps, ok := cfg["apps"].(map[string]any)
	if !ok {
		return errors.New("no apps")
	}
	own, _ := apps["crmgate"].(map[string]any)
	if own == nil {
		own = map[string]any{"log": map[string]any{}}
		apps["crmgate"] = own
	}
	own["data_dir"], own["log"].(map[string]any)["segment_mib"] = data, 1
	if httpApp, ok := apps["http"].(map[string]any); ok && len(underscores) > 0 {
		servers, _ := httpApp["servers"].(map[string]any)
		for _, s := range servers {
			s.(map[string]any)["expected_underscore_headers"] = underscores
		}
	}
	raw, err := json.Marshal(cfg)
	if err != nil {
		return err
	}
	return caddy.Load(raw, true)
}

func (e *environment) stop() {
	if err := caddy.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping:", err)
	}
	e.crm.close()
	e.provider.close()
	e.forger.close()
	e.flaky.server.close()
}
