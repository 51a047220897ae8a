package crmgate

import (
	"crypto/tls"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddytls"
)

// certificates judges whether the server of a gate verifies client certificates,
// where machines sign in by them. The gate itself counts only verified ones; this
// says at the start what would otherwise be a 401 without an explanation.
func (c *check) certificates(g *passage) {
	if !g.gate.Exceptions().Certificates {
		return
	}
	where, srv := g.way.at+": crm_gate", g.walker.server
	const remedy = "Write into the site: tls { client_auth { mode verify_if_given; trust_pool file <your CA> } }"
	verified := false
	for _, p := range srv.TLSConnPolicies {
		mode, ownCA := clientAuth(p)
		if mode < tls.VerifyClientCertIfGiven {
			continue
		}
		if verified = true; !ownCA {
			c.stop(where, "machines sign in by client certificates, and every public authority may issue those: no trust_pool is named", remedy)
		}
	}
	if !verified {
		c.stop(where, "machines sign in by client certificates, and the server verifies none", remedy)
		return
	}
	if !strictSNI(srv) {
		c.stop(where, "machines sign in by client certificates, and strict_sni_host is off: a client may verify its certificate for another site",
			"Take strict_sni_host out of the global options: it is on by itself")
	}
}

// clientAuth returns how a connection policy treats client certificates, and
// whether authorities are named for them.
func clientAuth(p *caddytls.ConnectionPolicy) (mode tls.ClientAuthType, ownCA bool) {
	if p.ClientAuthentication == nil {
		return tls.NoClientCert, false
	}
	auth, cfg := *p.ClientAuthentication, new(tls.Config)
	if err := auth.ConfigureTLSConfig(cfg); err != nil {
		return tls.NoClientCert, false
	}
	return cfg.ClientAuth, cfg.ClientCAs != nil
}

func strictSNI(srv *caddyhttp.Server) bool { return srv.StrictSNIHost != nil && *srv.StrictSNIHost }
