package oidc

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// BeginRequest is a person who wants in.
type BeginRequest struct {
	// BaseURL is the site's own address, scheme and host with port, without a
	// path ("https://crm.example.de"). It comes from the site's configuration or
	// from the canonical request, never from a forwarded header.
	BaseURL string
	// ReturnTo is what they asked for: path and query. What isn't a plain path
	// on this host becomes "/".
	ReturnTo string
	// Bindings are the values of the binding cookie, usually one or none.
	Bindings []string
	// StepUp demands that somebody who is signed in proves themselves again, now.
	StepUp *StepUp
	// Retry marks a sign-in that was started anew because the one before
	// expired: see Finished.Retry.
	Retry bool
	// Fresh asks the provider to have them sign in anew. What it made of that is
	// the Identity's AuthTime: look there.
	Fresh bool
}

// Begun is a sign-in that was started.
type Begun struct {
	// Redirect is the provider's address to send the browser to.
	Redirect string
	// Binding is the value that the binding cookie has to have.
	Binding string
	// SetBinding says that the browser doesn't have it yet.
	SetBinding bool
}

// Begin starts a sign-in. Nothing is remembered here: calling it any number of
// times costs no memory.
//
// Its errors wrap ErrProviderDown, ErrMisconfigured or ErrNoSecondFactor (where
// discovery shows that none can be proven).
func (p *Provider) Begin(ctx context.Context, r BeginRequest) (Begun, error) {
	if err := checkBaseURL(r.BaseURL); err != nil {
		return Begun{}, err
	}
	snap, err := p.discover(ctx)
	if err != nil {
		return Begun{}, err
	}
	bind, had := firstBinding(r.Bindings)
	if !had {
		bind = newBinding()
	}
	s := state{
		begun: time.Unix(p.cfg.Now().Unix(), 0), binding: bind.hash(),
		stepUp: r.StepUp.seal(), retry: r.Retry, returnTo: ReturnTo(r.ReturnTo),
	}
	rand.Read(s.id[:]) // never fails (crypto/rand)
	sealed, err := p.seal(s, r.BaseURL)
	if err != nil {
		return Begun{}, err
	}
	nonce, err := bind.nonce(s.id)
	if err != nil {
		return Begun{}, err
	}
	verifier, err := bind.verifier(s.id)
	if err != nil {
		return Begun{}, err
	}
	options := []oauth2.AuthCodeOption{gooidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)}
	options = append(options, p.demands(r.StepUp)...)
	if r.Fresh {
		options = append(options, askAnew()...)
	}
	oauth := snap.oauth
	oauth.RedirectURL = RedirectURI(r.BaseURL)
	return Begun{
		Redirect: oauth.AuthCodeURL(sealed, options...),
		Binding:  bind.value(), SetBinding: !had,
	}, nil
}

// demands asks the provider for what Finish will check. Whoever edits them out
// of the address bar only gets a token that is refused.
func (p *Provider) demands(up *StepUp) []oauth2.AuthCodeOption {
	if p.elsewhere() {
		return nil
	}
	var options []oauth2.AuthCodeOption
	acr := p.contextsFor(up)
	switch {
	case len(acr) == 0:
	case p.preset.claims:
		options = append(options, oauth2.SetAuthURLParam("claims", acrsClaim(acr)))
	default:
		options = append(options, oauth2.SetAuthURLParam("acr_values", strings.Join(acr, " ")))
	}
	switch {
	case up != nil:
		options = append(options, askAnew()...)
	case p.proof.factor.MaxAge > 0:
		options = append(options, oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(p.proof.factor.MaxAge/time.Second))))
	}
	return options
}

// askAnew makes a provider ask again even somebody who is signed in there.
func askAnew() []oauth2.AuthCodeOption {
	return []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0")}
}

// contextsFor are the contexts to ask for: those of the strongest demand, since
// a provider answers with one.
func (p *Provider) contextsFor(up *StepUp) []string {
	resistant := p.proof.always
	if up != nil {
		if acr := up.Demand.Contexts(); len(acr) > 0 {
			return acr
		}
		resistant = resistant || up.Demand.PhishingResistant
	}
	if resistant && len(p.proof.resistant.ACR) > 0 {
		return p.proof.resistant.ACR
	}
	return p.proof.factor.ACR
}

// acrsClaim is the claims parameter by which Entra ID takes authentication contexts.
func acrsClaim(values []string) string {
	type demand struct {
		Essential bool     `json:"essential"`
		Values    []string `json:"values"`
	}
	b, err := json.Marshal(map[string]map[string]demand{"id_token": {"acrs": {Essential: true, Values: values}}})
	if err != nil { // strings and booleans always encode
		return "{}"
	}
	return string(b)
}

func firstBinding(values []string) (binding, bool) {
	for _, v := range values {
		if b, ok := parseBinding(v); ok {
			return b, true
		}
	}
	return nil, false
}

func checkBaseURL(base string) error {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" ||
		u.Scheme+"://"+u.Host != base {
		return fmt.Errorf("%w: the site's address has to be scheme and host only, such as https://crm.example.de", ErrMisconfigured)
	}
	return nil
}
