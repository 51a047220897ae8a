// Package oidc is the relying party: it sends a person to the identity provider
// and makes an Identity of what comes back, or a Refusal.
//
// The rules are: authorization code with PKCE S256 and a nonce, always. No
// state on the server: `state` is a sealed blob, and nonce and PKCE verifier are
// derived from it and from a secret that only this browser holds, so several
// tabs and several nodes work. No second factor in the ID token, no identity.
// Nothing touches the network before somebody signs in or asks Ready.
package oidc

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// CallbackPath is where the identity provider sends the person back to. The
// redirect URI to register is the site's address followed by it.
const CallbackPath = "/.crmgate/callback"

// Skew is how far the clocks of gateway and provider may lie apart.
const Skew = time.Minute

// Sealer encrypts and authenticates small blobs under a key per purpose. Open
// fails for anything that Seal didn't make for the same purpose and aad.
type Sealer interface {
	Seal(purpose string, plaintext, aad []byte) ([]byte, error)
	Open(purpose string, sealed, aad []byte) ([]byte, error)
}

// Config says which provider signs people in, and how it proves a second factor.
type Config struct {
	// Issuer is the provider's name for itself, exactly as its discovery document
	// writes it. https, or http on a loopback address.
	Issuer string
	// ClientID and ClientSecret are what the provider issued for this gateway.
	ClientID     string
	ClientSecret string
	// Scopes default to openid, profile and email. openid is added if missing.
	Scopes []string
	// RolesClaim is where the roles stand: the name of a claim, or a dotted path
	// (`realm_access.roles`). The value is a string or an array of strings. Empty:
	// nobody has roles.
	RolesClaim string
	// UserClaim is the claim that names the person in the CRM
	// (`preferred_username`), by the same rules. Its value is a string.
	UserClaim string
	// Preset names a kind of provider: see Presets. It says how a second factor
	// is proven there.
	Preset string
	// Factor replaces the preset's proof; without a preset it is required.
	Factor Factor
	// PhishingResistant demands at every sign-in, beside the proof of a second
	// factor, that it can't be phished.
	PhishingResistant bool
	// Resistant replaces what the preset takes as a proof of that; its MaxAge
	// means nothing.
	Resistant Factor
	// Elsewhere are the methods (amr) that the caller proves by itself after
	// Finish. With any, the provider has to prove no second factor and is asked
	// for none: Factor's MaxAge and all demands speak of the caller's own proof,
	// which it puts into the Identity's AMR and AuthTime.
	Elsewhere []string
	// HTTPClient reaches the provider. Its redirects and answer sizes are bounded
	// in any case. The default times out after ten seconds.
	HTTPClient *http.Client
	// Now is the clock; the default is time.Now.
	Now func() time.Time
	// Seal protects `state`. Nodes that share sign-ins share its keys.
	Seal Sealer
}

// Provider is the relying party for one identity provider. It is safe for
// concurrent use.
type Provider struct {
	cfg    Config
	preset preset
	proof  proof
	issuer *url.URL
	http   *http.Client
	wire   *wire

	// turn is held by whoever talks to discovery: single flight that a waiting
	// person can leave with their context.
	turn    chan struct{}
	backoff backoff // guarded by turn
	current atomic.Pointer[snapshot]
	fault   atomic.Pointer[error] // why the last attempt failed, nil where it didn't
}

// New checks the configuration and touches no network. Its errors name the
// remedy and are meant for the administrator.
func New(cfg Config) (*Provider, error) {
	issuer, err := parseIssuer(cfg.Issuer)
	if err != nil {
		return nil, err
	}
	if cfg.ClientID == "" {
		return nil, errors.New("client_id is missing: register this gateway at the provider and name the id it was given")
	}
	if cfg.ClientSecret == "" {
		return nil, errors.New("client_secret is empty: register this gateway as a confidential client, and check that the variable or file it is read from is set")
	}
	if cfg.Seal == nil {
		return nil, errors.New("no keys to seal the sign-in with")
	}
	kind, proof, err := proofOf(cfg, issuer)
	if err != nil {
		return nil, err
	}
	if len(cfg.Scopes) == 0 {
		cfg.Scopes = []string{"openid", "profile", "email"}
	}
	if !slices.Contains(cfg.Scopes, "openid") {
		cfg.Scopes = append([]string{"openid"}, cfg.Scopes...)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p := &Provider{
		cfg: cfg, preset: kind, proof: proof, issuer: issuer,
		wire: &wire{now: cfg.Now},
		turn: make(chan struct{}, 1),
	}
	p.http = p.wire.client(cfg.HTTPClient)
	return p, nil
}

// RedirectURI is what has to be registered at the provider for a site.
func RedirectURI(baseURL string) string { return baseURL + CallbackPath }

// Issuer returns the provider's name for itself.
func (p *Provider) Issuer() string { return p.cfg.Issuer }

func parseIssuer(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return nil, errors.New("the issuer is missing: name the provider's issuer URL, for example https://login.example.com/realms/acme")
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("issuer %q is no plain URL: write scheme, host and path as the provider's discovery document does", raw)
	case strings.HasSuffix(u.Path, "/.well-known/openid-configuration"):
		return nil, fmt.Errorf("issuer %q is the discovery document's address: leave out /.well-known/openid-configuration", raw)
	case !trusted(u, u):
		return nil, fmt.Errorf("issuer %q is not https: use https (http is taken on a loopback address only)", raw)
	}
	return u, nil
}

// trusted reports whether a URL may carry secrets: https, or plain http between
// a loopback provider and itself.
func trusted(u, issuer *url.URL) bool {
	switch u.Scheme {
	case "https":
		return true
	case "http":
		return issuer.Scheme == "http" && loopback(u.Hostname())
	}
	return false
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
