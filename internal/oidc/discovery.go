package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	// knownFor is how long a discovery document is used before a fresh one is
	// looked for; the old one stays until that succeeds.
	knownFor   = time.Hour
	firstPause = time.Second
	longPause  = 15 * time.Second
	// readyFor is how long Ready believes that a provider which answered is still
	// there, and readyWithin how long it then waits for the next answer: a load
	// balancer won't wait much longer.
	readyFor    = 30 * time.Second
	readyWithin = 2 * time.Second
)

// errBusy says that somebody else asks the provider. It never leaves discover.
var errBusy = errors.New("discovery is under way")

// snapshot is what discovery said. It is immutable.
type snapshot struct {
	op      *gooidc.Provider
	keys    *gooidc.RemoteKeySet
	oauth   oauth2.Config
	meta    metadata
	fetched time.Time
}

// metadata is what is read of a discovery document beside go-oidc's own fields.
type metadata struct {
	JWKSURI            string   `json:"jwks_uri"`
	UserInfoEndpoint   string   `json:"userinfo_endpoint"`
	EndSessionEndpoint string   `json:"end_session_endpoint"`
	SigningAlgs        []string `json:"id_token_signing_alg_values_supported"`
	TokenAuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
	ACRValues          []string `json:"acr_values_supported"`
	IssParameter       bool     `json:"authorization_response_iss_parameter_supported"`
}

// backoff spaces attempts that failed.
type backoff struct {
	pause time.Duration
	until time.Time
	err   error
}

func (b *backoff) failed(now time.Time, err error) {
	b.pause = min(max(2*b.pause, firstPause), longPause)
	b.until = now.Add(b.pause)
	b.err = err
}

// Ready reports whether people can sign in now: nil, ErrProviderDown or
// ErrMisconfigured with the cause. It asks the provider where the last answer is
// older than readyFor, but not more often than the backoff allows, so it may be
// called at any rate.
func (p *Provider) Ready(ctx context.Context) error {
	_, err := p.look(ctx, readyFor)
	if !errors.Is(err, errBusy) {
		return err
	}
	if last := p.fault.Load(); last != nil { // somebody else is finding out
		return *last
	}
	return nil
}

// discover returns what is known of the provider, asking it where needed. What
// was last known good goes on while it can't be asked.
func (p *Provider) discover(ctx context.Context) (*snapshot, error) {
	s, err := p.look(ctx, knownFor)
	if s != nil {
		return s, nil
	}
	return nil, err
}

// look returns what is known of the provider, asking it where that is older than
// freshFor. Beside an error it returns what was known before, if anything was.
func (p *Provider) look(ctx context.Context, freshFor time.Duration) (*snapshot, error) {
	if s := p.fresh(freshFor); s != nil {
		return s, nil
	}
	old := p.current.Load()
	if err := p.takeTurn(ctx, old != nil); err != nil {
		return old, err
	}
	defer func() { <-p.turn }()
	if s := p.fresh(freshFor); s != nil { // somebody else was faster
		return s, nil
	}
	now := p.cfg.Now()
	if now.Before(p.backoff.until) {
		return old, p.backoff.err
	}
	s, err := p.fetchSoon(ctx, old != nil && freshFor < knownFor)
	if err == nil {
		p.backoff = backoff{}
		p.fault.Store(nil)
		p.current.Store(s)
		return s, nil
	}
	if ctx.Err() != nil { // the person left; that says nothing about the provider
		return old, err
	}
	p.backoff.failed(now, err)
	p.fault.Store(&err)
	return old, err
}

// fetchSoon is fetch, where it hurries within readyWithin.
func (p *Provider) fetchSoon(ctx context.Context, hurry bool) (*snapshot, error) {
	if !hurry {
		return p.fetch(ctx)
	}
	soon, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	s, err := p.fetch(soon)
	if err != nil && soon.Err() != nil {
		return nil, fmt.Errorf("%w: the discovery document of %s takes longer than %s", ErrProviderDown, p.cfg.Issuer, readyWithin)
	}
	return s, err
}

// takeTurn waits until nobody else asks the provider. Who has an old snapshot to
// go on with doesn't wait.
func (p *Provider) takeTurn(ctx context.Context, hurry bool) error {
	if hurry {
		select {
		case p.turn <- struct{}{}:
			return nil
		default:
			return errBusy
		}
	}
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the provider's discovery document: %w", ctx.Err())
	}
}

func (p *Provider) fresh(freshFor time.Duration) *snapshot {
	s := p.current.Load()
	if s == nil || p.cfg.Now().Sub(s.fetched) >= freshFor {
		return nil
	}
	return s
}

func (p *Provider) fetch(ctx context.Context) (*snapshot, error) {
	op, err := gooidc.NewProvider(gooidc.ClientContext(ctx, p.http), p.cfg.Issuer)
	if err != nil {
		return nil, p.discoveryError(ctx, err)
	}
	s := &snapshot{op: op, fetched: p.cfg.Now()}
	if err := op.Claims(&s.meta); err != nil {
		return nil, fmt.Errorf("%w: reading the discovery document of %s: %w", ErrMisconfigured, p.cfg.Issuer, err)
	}
	if err := p.checkMetadata(s); err != nil {
		return nil, err
	}
	s.oauth = oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret,
		Scopes: p.cfg.Scopes, Endpoint: op.Endpoint(),
	}
	s.oauth.Endpoint.AuthStyle = authStyle(s.meta.TokenAuthMethods)
	p.wire.useKeys(s.meta.JWKSURI)
	if old := p.current.Load(); old != nil && old.meta.JWKSURI == s.meta.JWKSURI {
		s.keys = old.keys // keep the last good keys
	} else {
		// The key set outlives the request that discovered it, and must not keep
		// what hangs on that request's context alive.
		s.keys = gooidc.NewRemoteKeySet(gooidc.ClientContext(context.Background(), p.http), s.meta.JWKSURI)
	}
	return s, nil
}

func (p *Provider) discoveryError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("fetching the discovery document of %s: %w", p.cfg.Issuer, ctx.Err())
	}
	if mismatch, ok := errors.AsType[*gooidc.IssuerMismatchError](err); ok {
		return fmt.Errorf("%w: the provider calls itself %q: write the issuer exactly so instead of %q",
			ErrMisconfigured, mismatch.Discovered, mismatch.Provided)
	}
	if errors.Is(err, errUnreachable) {
		return fmt.Errorf("%w: fetching the discovery document of %s: %w", ErrProviderDown, p.cfg.Issuer, err)
	}
	return fmt.Errorf("%w: no discovery document under %s/.well-known/openid-configuration: check the issuer",
		ErrMisconfigured, p.cfg.Issuer)
}

// checkMetadata refuses what can't lead to a safe sign-in, naming the field.
func (p *Provider) checkMetadata(s *snapshot) error {
	endpoint := s.op.Endpoint()
	required := []struct{ field, value string }{
		{"authorization_endpoint", endpoint.AuthURL},
		{"token_endpoint", endpoint.TokenURL},
		{"jwks_uri", s.meta.JWKSURI},
	}
	for _, r := range required {
		if r.value == "" {
			return fmt.Errorf("%w: the discovery document of %s has no %s", ErrMisconfigured, p.cfg.Issuer, r.field)
		}
	}
	optional := []struct{ field, value string }{
		{"userinfo_endpoint", s.meta.UserInfoEndpoint},
		{"end_session_endpoint", s.meta.EndSessionEndpoint},
	}
	for _, r := range append(required, optional...) {
		if r.value == "" {
			continue
		}
		if u, err := url.Parse(r.value); err != nil || u.Host == "" || !trusted(u, p.issuer) {
			return fmt.Errorf("%w: %s in the discovery document of %s is not https", ErrMisconfigured, r.field, p.cfg.Issuer)
		}
	}
	return p.checkPossible(s)
}

// checkPossible refuses by name what discovery shows can never succeed.
func (p *Provider) checkPossible(s *snapshot) error {
	if len(s.meta.SigningAlgs) > 0 && len(signingAlgs(s.meta.SigningAlgs)) == 0 {
		return fmt.Errorf("%w: %s signs ID tokens with shared secrets only: let it sign with RS256 or ES256 for this client",
			ErrMisconfigured, p.cfg.Issuer)
	}
	if p.preset.claims || p.elsewhere() {
		return nil // acrs are none of acr_values_supported; elsewhere none is asked for
	}
	if offersNone(p.proof.factor, s.meta.ACRValues) {
		return fmt.Errorf("%w: %s offers none of the configured mfa acr values: %s", ErrNoSecondFactor, p.cfg.Issuer, p.preset.remedy)
	}
	if p.proof.always && offersNone(p.proof.resistant, s.meta.ACRValues) {
		return fmt.Errorf("%w: %s offers none of the acr values of mfa phishing_resistant: let it map one to keys and passkeys", ErrNoSecondFactor, p.cfg.Issuer)
	}
	return nil
}

// offersNone reports whether a proof by acr alone is none that a provider offers.
func offersNone(f Factor, known []string) bool {
	return len(f.AMR) == 0 && len(known) > 0 && !slices.ContainsFunc(f.ACR, func(v string) bool { return slices.Contains(known, v) })
}

// authStyle picks how the client proves itself. RFC 6749's default is Basic;
// trying both in turn would spend the code on the first.
func authStyle(methods []string) oauth2.AuthStyle {
	if len(methods) > 0 && !slices.Contains(methods, "client_secret_basic") && slices.Contains(methods, "client_secret_post") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// signingAlgs keeps the asymmetric algorithms of what a provider advertises. A
// provider that advertises nothing is held to RS256, which every one has.
func signingAlgs(advertised []string) []string {
	if len(advertised) == 0 {
		return []string{gooidc.RS256}
	}
	taken := []string{
		gooidc.RS256, gooidc.RS384, gooidc.RS512, gooidc.ES256, gooidc.ES384,
		gooidc.ES512, gooidc.PS256, gooidc.PS384, gooidc.PS512, gooidc.EdDSA,
	}
	return slices.DeleteFunc(slices.Clone(advertised), func(alg string) bool { return !slices.Contains(taken, alg) })
}
