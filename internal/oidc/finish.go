package oidc

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// FinishRequest is what came back to CallbackPath.
type FinishRequest struct {
	// BaseURL is the site's own address, as in BeginRequest.
	BaseURL string
	// State, Code, Iss and Error are the query's parameters of those names.
	State, Code, Iss, Error string
	// Bindings are the values of the binding cookie; up to 8 are tried, since
	// several cookies can have the name.
	Bindings []string
}

// Callback reads the parameters of a callback. A parameter that is there twice
// counts as missing: which one is meant would be a guess.
func Callback(q url.Values) FinishRequest {
	one := func(name string) string {
		if v := q[name]; len(v) == 1 {
			return v[0]
		}
		return ""
	}
	return FinishRequest{State: one("state"), Code: one("code"), Iss: one("iss"), Error: one("error")}
}

// Finished is a sign-in that came back. Everything but Identity and Subject is
// set as soon as the state was found to be this browser's, even where an error
// is returned.
type Finished struct {
	Identity Identity
	// Subject is whom the verified ID token names, also where they were refused
	// after that (no second factor): for the log. It opens nothing.
	Subject string
	// ReturnTo is what the person asked for at first: path and query.
	ReturnTo string
	// Binding is the value of the binding cookie that it was begun with.
	Binding string
	// StateID names the sign-in. A session may be made for it once.
	StateID string
	// Demand is what a step-up has to meet; it is set where the caller proves the
	// second factor (Config.Elsewhere).
	Demand Demand
	// StepUp says that they were made to prove themselves anew.
	StepUp bool
	// Retry says that this was an automatic second attempt: there is no third.
	Retry bool
}

// Finish checks what came back and makes an Identity of it. For its errors see
// Refusal.
func (p *Provider) Finish(ctx context.Context, r FinishRequest) (Finished, error) {
	st, err := p.open(r.State, r.BaseURL)
	if err != nil {
		return Finished{}, err
	}
	bind, ok := st.bindingOf(r.Bindings)
	if !ok {
		return Finished{}, fmt.Errorf("%w: begun in another browser", ErrState)
	}
	fin := Finished{
		ReturnTo: st.returnTo, StateID: base64.RawURLEncoding.EncodeToString(st.id[:]),
		Binding: bind.value(), StepUp: st.stepUp != nil, Retry: st.retry,
	}
	if st.late(p.cfg.Now()) {
		return fin, fmt.Errorf("%w: begun more than %s ago", ErrExpired, StateFor)
	}
	snap, err := p.discover(ctx)
	if err != nil {
		return fin, err
	}
	if err := p.checkAnswer(snap, r); err != nil {
		return fin, err
	}
	verifier, err := bind.verifier(st.id)
	if err != nil {
		return fin, err
	}
	nonce, err := bind.nonce(st.id)
	if err != nil {
		return fin, err
	}
	tokens, err := p.exchange(ctx, snap, r, verifier)
	if err != nil {
		return fin, err
	}
	raw, _ := tokens.Extra("id_token").(string)
	claims, err := p.verify(ctx, snap, raw, tokens.AccessToken, thisNonce(nonce))
	if err != nil {
		return fin, err
	}
	fin.Subject = claims.text("sub")
	if err := p.proveFactor(claims); err != nil {
		return fin, err
	}
	if err := p.proveStepUp(claims, st); err != nil {
		return fin, err
	}
	if fin.Demand, err = p.leftToProve(st); err != nil {
		return fin, err
	}
	fin.Identity, err = p.identity(ctx, snap, tokens, claims, true)
	fin.Identity.IDToken = raw
	if err != nil {
		fin.Identity = Identity{}
	}
	return fin, err
}

// checkAnswer looks at the parameters before anything is asked with them: the
// issuer (RFC 9207: a code of another provider isn't sent to this one), then the
// provider's no.
func (p *Provider) checkAnswer(snap *snapshot, r FinishRequest) error {
	if r.Iss != p.cfg.Issuer && (r.Iss != "" || snap.meta.IssParameter) {
		return fmt.Errorf("%w: the answer names another issuer, or none", ErrState)
	}
	switch r.Error {
	case "":
	case "access_denied", "login_required", "consent_required", "interaction_required", "account_selection_required":
		return fmt.Errorf("%w: the provider answered %s", ErrDenied, r.Error)
	case "unmet_authentication_requirements":
		return fmt.Errorf("%w: the provider answered %s: %s", ErrNoSecondFactor, r.Error, p.preset.remedy)
	case "server_error", "temporarily_unavailable":
		return fmt.Errorf("%w: the provider answered %s", ErrProviderDown, r.Error)
	case "invalid_request", "invalid_scope", "unauthorized_client", "unsupported_response_type", "request_not_supported":
		return fmt.Errorf("%w: the provider answered %s: compare client_id, redirect URI and scopes with its settings", ErrMisconfigured, r.Error)
	default:
		return fmt.Errorf("%w: the provider answered with an error of its own", ErrDenied)
	}
	if r.Code == "" {
		return fmt.Errorf("%w: no code, or more than one", ErrState)
	}
	return nil
}

// exchange swaps the code for tokens.
func (p *Provider) exchange(ctx context.Context, snap *snapshot, r FinishRequest, verifier string) (*oauth2.Token, error) {
	oauth := snap.oauth
	oauth.RedirectURL = RedirectURI(r.BaseURL)
	tokens, err := oauth.Exchange(gooidc.ClientContext(ctx, p.http), r.Code, oauth2.VerifierOption(verifier))
	if err == nil {
		return tokens, nil
	}
	return nil, tokenEndpointError(ctx, "exchanging the code", ErrExpired, ErrToken, err)
}

// tokenEndpointError makes a Refusal of what the token endpoint said: gone for a
// grant that it no longer takes, unreadable for what is no answer of one.
func tokenEndpointError(ctx context.Context, doing string, gone, unreadable *Refusal, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	if errors.Is(err, errUnreachable) {
		return fmt.Errorf("%w: %s: %w", ErrProviderDown, doing, err)
	}
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return fmt.Errorf("%w: %s: the token endpoint's answer is unreadable", unreadable, doing)
	}
	// The answer's own text may hold anything, so only known words are repeated.
	switch refused.ErrorCode {
	case "invalid_grant", "interaction_required", "login_required", "consent_required":
		return fmt.Errorf("%w: %s: the provider no longer takes the grant (%s)", gone, doing, refused.ErrorCode)
	case "invalid_client", "unauthorized_client", "invalid_request", "unsupported_grant_type", "invalid_scope":
		return fmt.Errorf("%w: %s: the token endpoint answered %s: compare client_id, client_secret and redirect URI with the provider's settings",
			ErrMisconfigured, doing, refused.ErrorCode)
	}
	status := http.StatusInternalServerError
	if refused.Response != nil {
		status = refused.Response.StatusCode
	}
	return fmt.Errorf("%w: %s: the token endpoint answered with status %d", ErrMisconfigured, doing, status)
}

// proveFactor holds the ID token to the configured proof.
func (p *Provider) proveFactor(c claims) error {
	amr, acr := c.methods(p.preset.methods), c.contexts()
	if p.elsewhere() {
		return nil
	}
	if !p.proof.factor.proven(amr, acr) {
		return fmt.Errorf("%w: the ID token has %s: %s", ErrNoSecondFactor, stated(amr, acr), p.preset.remedy)
	}
	if p.proof.always && !p.proof.resistant.proven(amr, acr) {
		return fmt.Errorf("%w: the ID token has %s, which proves no phishing-resistant factor", ErrNotResistant, stated(amr, acr))
	}
	if p.proof.factor.MaxAge == 0 {
		return nil
	}
	at, ok := c.time("auth_time")
	if !ok {
		return fmt.Errorf("%w: the ID token has no auth_time: let the provider send it for this client", ErrNoSecondFactor)
	}
	return p.withinMaxAge(at)
}

// withinMaxAge checks when somebody signed in at the provider.
func (p *Provider) withinMaxAge(at time.Time) error {
	now := p.cfg.Now()
	switch {
	case at.After(now.Add(Skew)):
		return fmt.Errorf("%w: auth_time lies in the future", ErrNoSecondFactor)
	case p.proof.factor.MaxAge > 0 && now.Sub(at) > p.proof.factor.MaxAge+Skew:
		return fmt.Errorf("%w: signed in at the provider longer than %s ago", ErrNoSecondFactor, p.proof.factor.MaxAge)
	}
	return nil
}

// stated shows methods and contexts in an error.
func stated(amr, acr []string) string {
	amr = slices.Sorted(slices.Values(amr))
	return fmt.Sprintf("amr %s and acr %s", listed(amr), listed(acr))
}

// listed shows methods and contexts in an error: short words, bounded, since
// the provider chooses them.
func listed(values []string) string {
	if len(values) == 0 {
		return "(none)"
	}
	text := fmt.Sprintf("%q", values)
	return text[:min(len(text), 200)]
}
