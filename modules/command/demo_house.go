package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"text/template"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/crmgate/crmgate/internal/demo/crm"
	"github.com/crmgate/crmgate/internal/demo/provider"
	"github.com/crmgate/crmgate/internal/oidc"
)

// house is the running demo: provider, CRM and the gateway in front of it.
type house struct {
	state  *state
	site   site
	url    string
	issuer string
	failed chan error

	crm     *crm.CRM
	servers []*http.Server
	gateway bool
}

// openHouse starts everything. What it has begun it ends when it fails.
func openHouse(ctx context.Context, o demoOptions) (h *house, err error) {
	h = &house{failed: make(chan error, 2)}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if h.site, err = parseListen(o.listen); err != nil {
		return h, err
	}
	if h.state, err = openState(o.data); err != nil {
		return h, err
	}
	if err = h.site.reserve(ctx); err != nil {
		return h, err
	}
	defer h.site.release()
	h.url = h.site.urls()[0] + "/"
	if err = h.openProvider(ctx); err != nil {
		return h, err
	}
	upstream, err := h.openCRM(ctx)
	if err != nil {
		return h, err
	}
	if err = h.state.save(); err != nil {
		return h, err
	}
	return h, h.openGateway(upstream)
}

// clientID is the gateway's at the demo's provider.
const clientID = "kontor"

func (h *house) openProvider(ctx context.Context) error {
	l, err := listen(ctx, h.state.Provider)
	if errors.Is(err, syscall.EADDRINUSE) {
		// Somebody else has the port by now. With another issuer the employees
		// get other pseudonyms.
		l, err = listen(ctx, "127.0.0.1:0")
	}
	if err != nil {
		return fmt.Errorf("listening for the identity provider: %w", err)
	}
	h.state.Provider = l.Addr().String()
	h.issuer = "http://" + h.state.Provider
	c := provider.Config{
		Issuer: h.issuer, ClientID: clientID, ClientSecret: h.state.ClientSecret,
		Employees: provider.Employees(), ShowCodes: true,
	}
	for _, url := range h.site.urls() {
		c.RedirectURIs = append(c.RedirectURIs, oidc.RedirectURI(url))
		c.PostLogoutURIs = append(c.PostLogoutURIs, url+"/.crmgate/signed-out")
	}
	handler, err := provider.New(c)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	h.serve(l, handler)
	return nil
}

func (h *house) openCRM(ctx context.Context) (string, error) {
	m, err := crm.New(crm.Config{})
	if err != nil {
		return "", err
	}
	l, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening for the CRM: %w", err)
	}
	h.crm = m
	h.serve(l, m)
	return l.Addr().String(), nil
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	var c net.ListenConfig
	return c.Listen(ctx, "tcp", addr)
}

func (h *house) serve(l net.Listener, handler http.Handler) {
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	h.servers = append(h.servers, s)
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			h.failed <- err
		}
	}()
}

// caddyfile is what an administrator writes for the demo's CRM, below what keeps
// the demo to itself.
var caddyfile = template.Must(template.New("Caddyfile").Parse(`# What crmgate demo runs. It is written anew at each start.
{
	admin {{.Admin}}
	persist_config off
	auto_https off
	grace_period 2s
	storage file_system {{.Storage}}
	log {
		level ERROR
	}
	log process {
		output file {{.Log}}
		level WARN
	}
	crmgate {
		data_dir {{.Data}}
		log {
			segment_mib 1
		}
	}
}

{{range $i, $url := .Sites}}{{if $i}}, {{end}}{{$url}}{{end}} {
	bind {{.Bind}}
	crm_gate {
		profile demo
		policy builtin:demo
		oidc {{.Issuer}} {
			mfa amr mfa
			client_id {{.ClientID}}
			client_secret {{.ClientSecret}}
		}
		location DE
		register {
			name "Kontor, the CRM of the demo"
			operator self
			purpose contact 6b,6f "Serving customers and answering their questions"
			subjects contact "Contact persons at customers"
		}
		desk {
			auditors role auditor
			officers role data_protection
			own_accesses
		}
	}
	reverse_proxy {{.Upstream}}
}
`))

func (h *house) openGateway(upstream string) error {
	var text bytes.Buffer
	err := caddyfile.Execute(&text, map[string]any{
		"Admin": quoted("unix/" + h.state.path(adminSocket)), "Data": quoted(h.state.dir),
		"Storage": quoted(h.state.path("caddy")), "Log": quoted(h.state.path(demoLog)),
		"Sites": h.site.urls(), "Bind": h.site.host, "Issuer": h.issuer,
		"ClientID": clientID, "ClientSecret": h.state.ClientSecret, "Upstream": upstream,
	})
	if err != nil {
		return fmt.Errorf("writing the Caddyfile: %w", err)
	}
	if err := os.WriteFile(h.state.path(demoCaddyfile), text.Bytes(), 0o600); err != nil {
		return fmt.Errorf("writing the Caddyfile: %w", err)
	}
	var told bytes.Buffer
	raw, err := adapt(text.Bytes(), h.state.path(demoCaddyfile), &told)
	if err != nil {
		return err
	}
	h.gateway = true
	h.site.release()
	if err := caddy.Load(raw, true); err != nil {
		return fmt.Errorf("starting the gateway: %w", err)
	}
	return nil
}

// quoted makes a path one word of a Caddyfile.
func quoted(s string) string { return "`" + s + "`" }

// nothing is the configuration that stops Caddy's admin API, too.
const nothing = `{"admin":{"disabled":true,"config":{"persist":false}},"logging":{"logs":{"default":{"level":"ERROR"}}}}`

// close ends everything. Event streams end first: Caddy waits for them.
func (h *house) close() error {
	var errs []error
	if h.crm != nil {
		h.crm.Close()
	}
	if h.gateway {
		errs = append(errs, caddy.Load([]byte(nothing), true), caddy.Stop())
	}
	for _, s := range h.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
