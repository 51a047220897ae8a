// Package provider is the OpenID Provider of `crmgate demo` and of the tests:
// password and TOTP for a handful of employees, everything in memory, gone when
// the process ends. The protocol is the library's (zitadel/oidc); storage,
// sign-in pages and the rules of the second factor are here.
//
// The rules:
//   - An employee with a TOTP secret signs in with password and code, one
//     without by password alone; the ID token says which in amr and acr.
//   - acr_values can ask for less (ACRPassword). A later request for more is a
//     step-up: only the code is asked for.
//   - prompt=login, prompt=select_account and max_age=0 always ask anew; an
//     older sign-in than max_age asks anew.
//   - Only the authorization code flow with PKCE S256.
//   - A sign-in belongs to the browser that opened its page: a link to it does
//     nothing for the one who sent it.
//   - A code may be typed twice within its 90 seconds. A provider for real
//     people must refuse that; here it would keep two tests from signing in
//     within half a minute.
package provider

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/text/language"
)

// The authentication context classes that the ID token's acr names and that
// acr_values may ask for.
const (
	ACRPassword     = "urn:crmgate:demo:password"
	ACRSecondFactor = "urn:crmgate:demo:second-factor"
)

// Config describes one provider with one client.
type Config struct {
	// Issuer is the provider's URL: https anywhere, http on loopback only. A
	// path in it is a prefix of every route.
	Issuer string
	// ClientID and ClientSecret are the one client's; both required.
	ClientID, ClientSecret string
	// RedirectURIs and PostLogoutURIs are compared exactly.
	RedirectURIs, PostLogoutURIs []string
	// Employees can sign in. Logins and subjects are unique.
	Employees []Employee
	// ShowCodes lets the second page show the current code, so that a demo
	// needs no telephone.
	ShowCodes bool
	// Now is the clock of sign-ins, codes and locks; nil is the wall clock.
	// The library stamps iat and exp from the wall clock in any case.
	Now func() time.Time
}

// ErrConfig is what every error of New wraps.
var ErrConfig = errors.New("demo provider cannot start")

// The routes, below the issuer's path. All but discovery share one prefix, so
// that the provider's cookies never travel to another port of the same host.
const (
	pathPrefix     = "/oidc"
	pathAuthorize  = pathPrefix + "/authorize"
	pathCallback   = pathAuthorize + "/callback"
	pathToken      = pathPrefix + "/token"
	pathUserinfo   = pathPrefix + "/userinfo"
	pathRevoke     = pathPrefix + "/revoke"
	pathEndSession = pathPrefix + "/end_session"
	pathKeys       = pathPrefix + "/keys"
	pathLogin      = pathPrefix + "/login"
	pathCode       = pathPrefix + "/login/code"
	pathRestart    = pathPrefix + "/login/restart"
	pathSignOut    = pathPrefix + "/sign-out"
	pathSignedOut  = pathPrefix + "/signed-out"
	pathStyle      = pathPrefix + "/style.css"
)

// New returns the provider. Errors wrap ErrConfig and name what to change.
func New(c Config) (http.Handler, error) {
	issuer, err := c.check()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	st, err := newState(c)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	library, err := newLibrary(c, st)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	pages, err := newPages(c, issuer, st, library)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return pages.routes(), nil
}

func newLibrary(c Config, st *state) (*op.Provider, error) {
	config := &op.Config{
		DefaultLogoutRedirectURI: c.Issuer + pathSignedOut,
		CodeMethodS256:           true,
		AuthMethodPost:           true,
		GrantTypeRefreshToken:    true,
		SupportedUILocales:       []language.Tag{language.German, language.English},
		SupportedScopes: []string{
			oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail, oidc.ScopeOfflineAccess,
		},
		SupportedClaims: []string{
			"sub", "aud", "exp", "iat", "iss", "auth_time", "nonce", "acr", "amr", "at_hash", "sid",
			"preferred_username", "name", "email", "email_verified", "roles",
		},
	}
	if _, err := rand.Read(config.CryptoKey[:]); err != nil {
		return nil, fmt.Errorf("making a token key: %w", err)
	}
	options := []op.Option{
		op.WithCustomEndpoints(op.NewEndpoint(pathAuthorize), op.NewEndpoint(pathToken), op.NewEndpoint(pathUserinfo),
			op.NewEndpoint(pathRevoke), op.NewEndpoint(pathEndSession), op.NewEndpoint(pathKeys)),
		// The library's default lets every origin call every endpoint with the
		// browser's cookies. No page needs that here.
		op.WithCORSOptions(nil),
	}
	if strings.HasPrefix(c.Issuer, "http://") {
		options = append(options, op.WithAllowInsecure())
	}
	return op.NewProvider(config, st, op.StaticIssuer(c.Issuer), options...)
}

func (c Config) check() (*url.URL, error) {
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Host == "" {
		return nil, errors.New("the issuer is no URL: give it as https://host or http://127.0.0.1:port")
	}
	_, loopback := op.HTTPLoopbackOrLocalhost(c.Issuer)
	switch {
	case issuer.Scheme != "https" && (issuer.Scheme != "http" || !loopback):
		return nil, fmt.Errorf("issuer %s: http is for loopback only, use https", c.Issuer)
	case strings.HasSuffix(c.Issuer, "/"):
		return nil, fmt.Errorf("issuer %s: leave out the slash at the end", c.Issuer)
	case c.ClientID == "" || c.ClientSecret == "":
		return nil, errors.New("the client needs an id and a secret")
	case len(c.RedirectURIs) == 0:
		return nil, errors.New("the client needs a redirect URI")
	}
	for _, uri := range slices.Concat(c.RedirectURIs, c.PostLogoutURIs) {
		if u, err := url.Parse(uri); err != nil || u.Host == "" {
			return nil, fmt.Errorf("redirect URI %s is not absolute", uri)
		}
	}
	return issuer, c.checkEmployees()
}

func (c Config) checkEmployees() error {
	seen := make(map[string]bool)
	for _, e := range c.Employees {
		switch {
		case e.Subject == "" || e.Login == "" || e.Password == "":
			return errors.New("every employee needs a subject, a login and a password")
		case strings.Contains(e.Subject, ":"):
			// The library joins token and subject with a colon.
			return fmt.Errorf("subject %s: leave out the colon", e.Subject)
		case e.Login != normalLogin(e.Login):
			return fmt.Errorf("login %s: write it in lower case without spaces around it", e.Login)
		case seen["s:"+e.Subject] || seen["l:"+e.Login]:
			return fmt.Errorf("employee %s stands twice", e.Login)
		case e.TOTPSecret != "" && Code(e.TOTPSecret, time.Unix(0, 0)) == "":
			return fmt.Errorf("employee %s: the TOTP secret is not base32", e.Login)
		}
		seen["s:"+e.Subject], seen["l:"+e.Login] = true, true
	}
	return nil
}

// newID returns 160 random bits that stand well in URLs and cookies.
func newID() string {
	var b [20]byte
	// Read never fails: it ends the process instead (crypto/rand).
	_, _ = rand.Read(b[:])
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}
