package oidc

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Examined is what a provider says of itself, for whoever checks a
// configuration before anybody signs in.
type Examined struct {
	// Ahead is how far this clock is ahead of the provider's; ClockKnown is false
	// where the provider doesn't say its time.
	Ahead      time.Duration
	ClockKnown bool
	// EndSession and BackChannel: the provider can be told of a sign-out, and
	// says that it tells of one.
	EndSession, BackChannel bool
	// Factors are doubts whether a second factor can be proven, with the remedy;
	// none is the best that can be known beforehand.
	Factors []string
}

// Examine asks the provider's discovery document. It sends no secret. Its errors
// are those of Ready.
func (p *Provider) Examine(ctx context.Context) (Examined, error) {
	snap, err := p.discover(ctx)
	if err != nil {
		return Examined{}, err
	}
	var meta struct {
		BackChannel bool     `json:"backchannel_logout_supported"`
		Claims      []string `json:"claims_supported"`
		ACRValues   []string `json:"acr_values_supported"`
	}
	if err := snap.op.Claims(&meta); err != nil {
		return Examined{}, fmt.Errorf("%w: reading the discovery document: %w", ErrMisconfigured, err)
	}
	e := Examined{EndSession: snap.meta.EndSessionEndpoint != "", BackChannel: meta.BackChannel}
	e.Ahead, e.ClockKnown = p.ahead(ctx)
	e.Factors = p.doubts(meta.ACRValues, meta.Claims)
	return e, nil
}

// doubts says what speaks against a second factor in what the provider publishes.
func (p *Provider) doubts(acr, claims []string) []string {
	var doubts []string
	if len(acr) > 0 && !p.preset.claims {
		for _, v := range p.proof.factor.ACR {
			if !slices.Contains(acr, v) {
				doubts = append(doubts, fmt.Sprintf("the provider doesn't list the acr %q among those it supports: %s", v, p.preset.remedy))
			}
		}
	}
	if len(p.proof.factor.ACR) == 0 && len(claims) > 0 && !slices.Contains(claims, "amr") {
		doubts = append(doubts, "the provider doesn't list amr among its claims: "+p.preset.remedy)
	}
	return doubts
}

// ahead compares the clocks by the provider's Date header, which has whole
// seconds.
func (p *Provider) ahead(ctx context.Context) (time.Duration, bool) {
	at := strings.TrimSuffix(p.cfg.Issuer, "/") + "/.well-known/openid-configuration"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
	if err != nil {
		return 0, false
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return 0, false
	}
	defer resp.Body.Close()
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, false
	}
	return p.cfg.Now().Sub(date).Round(time.Second), true
}

// TakesRedirect asks the provider to send a stranger back at once (prompt=none)
// and reports whether it does: it knows this client, and the redirect URI of the
// site at baseURL is registered. What it answers otherwise proves little: a
// provider may show a page instead. No secret is sent, and nobody is signed in.
func (p *Provider) TakesRedirect(ctx context.Context, baseURL string) (bool, error) {
	if err := checkBaseURL(baseURL); err != nil {
		return false, err
	}
	snap, err := p.discover(ctx)
	if err != nil {
		return false, err
	}
	oauth := snap.oauth
	oauth.RedirectURL = RedirectURI(baseURL)
	to := oauth.AuthCodeURL(rand.Text(),
		oauth2.SetAuthURLParam("prompt", "none"), oauth2.SetAuthURLParam("nonce", rand.Text()),
		oauth2.S256ChallengeOption(rand.Text()+rand.Text()))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to, http.NoBody)
	if err != nil {
		return false, fmt.Errorf("asking the provider: %w", err)
	}
	client := *p.http
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return false, fmt.Errorf("%w: asking for a sign-in: %w", ErrProviderDown, err)
	}
	defer resp.Body.Close()
	return strings.HasPrefix(resp.Header.Get("Location"), oauth.RedirectURL+"?"), nil
}
