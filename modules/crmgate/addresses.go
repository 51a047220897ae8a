package crmgate

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/crmgate/crmgate/internal/oidc"
)

// The addresses of a gate that its identity provider has to know, beside
// oidc.CallbackPath.
const (
	SignedOutPath    = "/.crmgate/signed-out"
	BackChannelPath  = "/.crmgate/backchannel-logout"
	FrontChannelPath = "/.crmgate/frontchannel-logout"
)

// unknownHost stands for the host of a site that names none.
const unknownHost = "<the site's host>"

// ToRegister are the addresses to register at a gate's identity provider.
type ToRegister struct {
	Redirect     []string `json:"redirect_uris"`
	SignedOut    []string `json:"post_logout_redirect_uris"`
	BackChannel  []string `json:"backchannel_logout_uris"`
	FrontChannel []string `json:"frontchannel_logout_uris"`
}

// ToRegister says what to register for a gate, one of each for every address of
// its site.
func (a *App) ToRegister(g Gate) ToRegister {
	var t ToRegister
	for _, base := range a.bases(g) {
		t.Redirect = append(t.Redirect, oidc.RedirectURI(base))
		t.SignedOut = append(t.SignedOut, base+SignedOutPath)
		t.BackChannel = append(t.BackChannel, base+BackChannelPath)
		t.FrontChannel = append(t.FrontChannel, base+FrontChannelPath)
	}
	return t
}

// Gates are the gates of this configuration.
func (a *App) Gates() []Gate { return a.gates }

// bases are the addresses of a gate's site, scheme and host with port.
func (a *App) bases(g Gate) []string {
	app := a.httpApp()
	if app == nil {
		return nil
	}
	var bases []string
	add := func(base string) {
		if !slices.Contains(bases, base) {
			bases = append(bases, base)
		}
	}
	for name, srv := range app.Servers {
		for _, p := range newWalker(name, srv).gates {
			if p.gate != g {
				continue
			}
			for _, host := range p.way.hosts {
				if host == anyHost {
					host = unknownHost
				}
				for _, listen := range listens(srv) {
					add(base(app, srv, host, listen))
				}
			}
		}
	}
	slices.Sort(bases)
	return bases
}

func listens(srv *caddyhttp.Server) []string {
	if len(srv.Listen) == 0 {
		return []string{":443"}
	}
	return srv.Listen
}

// base is a site's address as a browser writes it. Behind a proxy that speaks
// https for it, it is the proxy's.
func base(app *caddyhttp.App, srv *caddyhttp.Server, host, listen string) string {
	addr, err := caddy.ParseNetworkAddress(listen)
	httpPort := uint(app.HTTPPort)
	if httpPort == 0 {
		httpPort = caddyhttp.DefaultHTTPPort
	}
	if err != nil || addr.IsUnixNetwork() || addr.StartPort == 0 || trustsProxies(srv) {
		return "https://" + host
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	clear := len(srv.TLSConnPolicies) == 0 || addr.StartPort == httpPort
	if clear && addr.StartPort == 80 || !clear && addr.StartPort == 443 {
		return scheme(clear) + host
	}
	return scheme(clear) + net.JoinHostPort(strings.Trim(host, "[]"), strconv.FormatUint(uint64(addr.StartPort), 10))
}

func scheme(clear bool) string {
	if clear {
		return "http://"
	}
	return "https://"
}

// Upstreams are the addresses that the proxies behind a gate ask.
func (a *App) Upstreams(g Gate) []string {
	app := a.httpApp()
	if app == nil {
		return nil
	}
	c := &check{app: app}
	var dials []string
	for name, srv := range app.Servers {
		k := newWalker(name, srv)
		for _, p := range k.gates {
			if p.gate != g {
				continue
			}
			for _, s := range c.behind(p) {
				if s.proxy == nil {
					continue
				}
				for _, u := range s.proxy.Upstreams {
					dials = append(dials, u.Dial)
				}
			}
		}
	}
	slices.Sort(dials)
	return slices.Compact(dials)
}
