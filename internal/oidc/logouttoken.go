package oidc

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
)

const (
	// LogoutFor is how old a logout token may be, whatever its exp says. It
	// bounds how long its id has to be remembered.
	LogoutFor = 10 * time.Minute
	// logoutTokenLimit is the longest logout token in bytes. It names nobody but
	// one person and one session.
	logoutTokenLimit = 16 << 10
	// logoutNameLimit is the longest sub, sid or jti in bytes.
	logoutNameLimit = 255
)

// ErrLogoutToken is a logout token that must not be believed. Its text names
// what is wrong, and quotes nothing of the token.
var ErrLogoutToken = errors.New("the logout token is not valid")

// Logout is what a provider says has ended (OpenID Connect Back-Channel Logout
// 1.0). Subject, SID or both are set.
type Logout struct {
	Subject, SID string
	// ID names the token: one that comes again must not be obeyed again, since
	// the person may have signed in anew.
	ID string
	// Until is when the token can't come back any more and ID may be forgotten.
	Until time.Time
}

// VerifyLogout checks a logout token: signed by the provider with one of the
// keys and algorithms of ID tokens, for this client, fresh, with the event and
// without a nonce, so that no ID token passes for one. Errors wrap
// ErrLogoutToken or ErrProviderDown, or are the end of ctx.
func (p *Provider) VerifyLogout(ctx context.Context, raw string) (Logout, error) {
	if raw == "" || len(raw) > logoutTokenLimit {
		return Logout{}, fmt.Errorf("%w: it is empty or over %d bytes", ErrLogoutToken, logoutTokenLimit)
	}
	if err := logoutType(raw); err != nil {
		return Logout{}, err
	}
	snap, err := p.discover(ctx)
	if err != nil {
		return Logout{}, err
	}
	keys := &probe{keys: snap.keys}
	token, err := gooidc.NewVerifier(p.cfg.Issuer, keys, &gooidc.Config{
		ClientID:             p.cfg.ClientID,
		SupportedSigningAlgs: signingAlgs(snap.meta.SigningAlgs),
		Now:                  func() time.Time { return p.cfg.Now().Add(-Skew) },
	}).VerifyLogout(ctx, raw)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return Logout{}, fmt.Errorf("verifying a logout token: %w", ctx.Err())
	case errors.Is(keys.err, errUnreachable):
		return Logout{}, fmt.Errorf("%w: fetching the provider's keys: %w", ErrProviderDown, keys.err)
	default: // the library's text quotes iss and aud
		return Logout{}, fmt.Errorf("%w: signature, issuer, audience, event, nonce or exp", ErrLogoutToken)
	}
	return p.checkLogout(token)
}

// checkLogout is what go-oidc leaves to its caller.
func (p *Provider) checkLogout(token *gooidc.LogoutToken) (Logout, error) {
	var c struct {
		Events map[string]json.RawMessage `json:"events"`
	}
	if err := token.Claims(&c); err != nil {
		return Logout{}, fmt.Errorf("%w: its events are no object", ErrLogoutToken)
	}
	event := bytes.TrimSpace(c.Events["http://schemas.openid.net/event/backchannel-logout"])
	now := p.cfg.Now()
	switch {
	case len(event) == 0 || event[0] != '{':
		return Logout{}, fmt.Errorf("%w: the event is no object", ErrLogoutToken)
	case token.IssuedAt.Unix() <= 0:
		return Logout{}, fmt.Errorf("%w: it has no iat", ErrLogoutToken)
	case token.IssuedAt.After(now.Add(Skew)):
		return Logout{}, fmt.Errorf("%w: it lies in the future: set the clocks of gateway and provider", ErrLogoutToken)
	case now.Sub(token.IssuedAt) > LogoutFor+Skew:
		return Logout{}, fmt.Errorf("%w: it is older than %s", ErrLogoutToken, LogoutFor)
	case max(len(token.Subject), len(token.SessionID), len(token.TokenID)) > logoutNameLimit:
		return Logout{}, fmt.Errorf("%w: sub, sid or jti is over %d bytes", ErrLogoutToken, logoutNameLimit)
	}
	until := token.IssuedAt.Add(LogoutFor)
	if token.Expiry.Before(until) {
		until = token.Expiry
	}
	return Logout{
		Subject: token.Subject, SID: token.SessionID, ID: token.TokenID,
		// Both clocks: until it is refused as too old here.
		Until: until.Add(2 * Skew),
	}, nil
}

// logoutType refuses what another kind of token says of itself. Providers from
// before the type was registered say JWT, or nothing.
func logoutType(raw string) error {
	head, _, ok := strings.Cut(raw, ".")
	plain, err := base64.RawURLEncoding.DecodeString(head)
	if !ok || err != nil {
		return fmt.Errorf("%w: it is no JWT", ErrLogoutToken)
	}
	var h struct {
		Type string `json:"typ"`
	}
	if err := json.Unmarshal(plain, &h); err != nil {
		return fmt.Errorf("%w: it is no JWT", ErrLogoutToken)
	}
	switch strings.TrimPrefix(strings.ToLower(h.Type), "application/") {
	case "", "jwt", "logout+jwt":
		return nil
	}
	return fmt.Errorf("%w: its type is that of another token", ErrLogoutToken)
}

// LogoutHosts are the origins whose pages may embed the front-channel logout:
// the issuer's and that of the end of session, as far as it is known.
func (p *Provider) LogoutHosts() []string {
	hosts := []string{p.issuer.Scheme + "://" + p.issuer.Host}
	if snap := p.current.Load(); snap != nil {
		if origin := originOf(snap.meta.EndSessionEndpoint); origin != "" && origin != hosts[0] {
			hosts = append(hosts, origin)
		}
	}
	return hosts
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || strings.ContainsAny(u.Host, " ;,'\"") {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
