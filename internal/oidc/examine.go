package oidc

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// Examined is what a provider says of itself, for whoever checks a
// configuration before anybody signs in.
type Examined struct {
	// Keys is how many of the provider's keys can check an ID token's signature.
	// KeysFault says why they couldn't be fetched.
	Keys      int
	KeysFault error
	// Algs are the algorithms of ID tokens that are taken from this provider.
	Algs []string
	// Secret: the provider takes a client's secret in a way that is known here.
	Secret bool
	// PKCE: the provider says that it takes S256.
	PKCE bool
	// Ahead is how far this clock is ahead of the provider's; ClockKnown is false
	// where the provider doesn't say its time.
	Ahead      time.Duration
	ClockKnown bool
	// EndSession and BackChannel: the provider can be told of a sign-out, and
	// says that it tells of one.
	EndSession, BackChannel bool
	// Announced is what the provider publishes that can prove a second factor, and
	// Doubts is what speaks against one, or against a demand. One of both isn't
	// empty, but where the caller proves the second factor by itself.
	Announced []string
	Doubts    []Doubt
}

// Doubt says what speaks against a proof, and what to do about it.
type Doubt struct{ What, Remedy string }

// published is what Examine reads of a discovery document beside metadata.
type published struct {
	BackChannel bool     `json:"backchannel_logout_supported"`
	Claims      []string `json:"claims_supported"`
	PKCE        []string `json:"code_challenge_methods_supported"`
	acr         []string
}

// Examine asks for the provider's discovery document and keys, with the demands in
// mind that sign-ins may have to meet. It sends no secret. Its errors are those of
// Ready.
func (p *Provider) Examine(ctx context.Context, demands ...Demand) (Examined, error) {
	snap, err := p.discover(ctx)
	if err != nil {
		return Examined{}, err
	}
	said := published{acr: snap.meta.ACRValues}
	if err := snap.op.Claims(&said); err != nil {
		return Examined{}, fmt.Errorf("%w: reading the discovery document: %w", ErrMisconfigured, err)
	}
	methods := snap.meta.TokenAuthMethods
	e := Examined{
		Algs:   signingAlgs(snap.meta.SigningAlgs),
		Secret: len(methods) == 0 || slices.Contains(methods, "client_secret_basic") || slices.Contains(methods, "client_secret_post"),
		PKCE:   slices.Contains(said.PKCE, "S256"), EndSession: snap.meta.EndSessionEndpoint != "", BackChannel: said.BackChannel,
	}
	e.Keys, e.KeysFault = p.signingKeys(ctx, snap.meta.JWKSURI)
	e.Ahead, e.ClockKnown = p.ahead(ctx)
	if p.elsewhere() {
		return e, nil
	}
	e.Announced = p.announced(said)
	e.Doubts = append(p.doubts(said, len(e.Announced) > 0), p.doubtsAbout(said, demands)...)
	return e, nil
}

// signingKeys counts the keys that can check a signature.
func (p *Provider) signingKeys(ctx context.Context, at string) (int, error) {
	resp, err := p.get(ctx, at)
	if err != nil {
		return 0, fmt.Errorf("fetching the keys at %s: %w", at, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("fetching the keys at %s: status %d", at, resp.StatusCode)
	}
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		return 0, fmt.Errorf("reading the keys at %s: %w", at, err)
	}
	n := 0
	for _, k := range set.Keys {
		if (k.Use == "" || k.Use == "sig") && k.IsPublic() && k.Valid() {
			n++
		}
	}
	return n, nil
}

// get asks the provider as a stranger.
func (p *Provider) get(ctx context.Context, at string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("asking the provider: %w", err)
	}
	return p.http.Do(req)
}

// announced says what can prove a second factor of what a provider publishes.
func (p *Provider) announced(said published) []string {
	var list []string
	if len(p.proof.factor.AMR) > 0 && slices.Contains(said.Claims, "amr") {
		list = append(list, "the claim amr")
	}
	if p.preset.claims {
		if len(p.proof.factor.ACR) > 0 && slices.Contains(said.Claims, "acrs") {
			list = append(list, "the claim acrs")
		}
		return list
	}
	for _, v := range p.proof.factor.ACR {
		if slices.Contains(said.acr, v) {
			list = append(list, fmt.Sprintf("the acr %q", v))
		}
	}
	return list
}

// doubts says what speaks against a second factor in what a provider publishes.
// An acr of a preset is one way of several; one that the administrator named is
// meant.
func (p *Provider) doubts(said published, announced bool) []Doubt {
	var list []Doubt
	if len(said.acr) > 0 && !p.preset.claims {
		named := slices.Concat(p.cfg.Factor.ACR, p.cfg.Resistant.ACR)
		slices.Sort(named)
		for _, v := range slices.Compact(named) {
			if !slices.Contains(said.acr, v) {
				list = append(list, Doubt{fmt.Sprintf("the provider doesn't list the acr %q among those it supports", v), p.preset.remedy})
			}
		}
	}
	if len(list) == 0 && !announced {
		list = append(list, Doubt{"the provider announces nothing that proves one (" + p.proof.factor.String() + "), though it may do so unannounced", p.preset.remedy})
	}
	return list
}

// doubtsAbout says what speaks against meeting the demands.
func (p *Provider) doubtsAbout(said published, demands []Demand) []Doubt {
	var list []Doubt
	anew := p.proof.factor.MaxAge > 0 || len(demands) > 0 // a step-up is a sign-in later than it began
	if anew && len(said.Claims) > 0 && !slices.Contains(said.Claims, "auth_time") {
		list = append(list, Doubt{
			"the provider doesn't list the claim auth_time, by which max_age and step_up are judged",
			"let the provider send auth_time in the ID tokens of this client",
		})
	}
	if len(said.acr) == 0 || p.preset.claims {
		return list
	}
	var missing []string
	for _, d := range demands {
		for _, proof := range d.Proofs {
			for _, v := range proof.ACR {
				if !slices.Contains(said.acr, v) && !slices.Contains(p.cfg.Factor.ACR, v) && !slices.Contains(p.cfg.Resistant.ACR, v) {
					missing = append(missing, v)
				}
			}
		}
	}
	slices.Sort(missing)
	for _, v := range slices.Compact(missing) {
		list = append(list, Doubt{
			fmt.Sprintf("the provider doesn't list the acr %q, which step_up demands, among those it supports", v),
			"let the provider offer it to this client, or demand another in step_up",
		})
	}
	return list
}

// ahead compares the clocks by the provider's Date header, which has whole
// seconds.
func (p *Provider) ahead(ctx context.Context) (time.Duration, bool) {
	at := strings.TrimSuffix(p.cfg.Issuer, "/") + "/.well-known/openid-configuration"
	resp, err := p.get(ctx, at)
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

// Taken is what a provider makes of a redirect URI.
type Taken string

// A provider that takes a redirect URI sends a stranger back there; one that
// refuses it, or the client, answers with a status of 400 or more. A page proves
// neither.
const (
	RedirectTaken   Taken = "taken"
	RedirectRefused Taken = "refused"
	RedirectUnclear Taken = "unclear"
)

// TakesRedirect asks the provider to send a stranger back at once (prompt=none)
// to the site at baseURL. No secret is sent, and nobody is signed in.
func (p *Provider) TakesRedirect(ctx context.Context, baseURL string) (Taken, error) {
	if err := checkBaseURL(baseURL); err != nil {
		return "", err
	}
	snap, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	oauth := snap.oauth
	oauth.RedirectURL = RedirectURI(baseURL)
	to := oauth.AuthCodeURL(rand.Text(),
		oauth2.SetAuthURLParam("prompt", "none"), oauth2.SetAuthURLParam("nonce", rand.Text()),
		oauth2.S256ChallengeOption(rand.Text()+rand.Text()))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to, http.NoBody)
	if err != nil {
		return "", fmt.Errorf("asking the provider: %w", err)
	}
	client := *p.http
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("%w: asking for a sign-in: %w", ErrProviderDown, err)
	}
	defer resp.Body.Close()
	switch {
	case strings.HasPrefix(resp.Header.Get("Location"), oauth.RedirectURL+"?"):
		return RedirectTaken, nil
	case resp.StatusCode >= http.StatusBadRequest:
		return RedirectRefused, nil
	}
	return RedirectUnclear, nil
}
