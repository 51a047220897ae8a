package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// RefreshRequest is a session whose tokens are to be renewed.
type RefreshRequest struct {
	// Identity is what Finish, or the Refresh before, returned: with its tokens.
	Identity Identity
}

// Refresh swaps the refresh token and returns who the person is by now: roles
// and name as the provider states them, with the new tokens. Where the answer
// has no new refresh token the old one stays.
//
// The caller must let nobody else send the same refresh token meanwhile:
// providers that rotate them take that for theft and revoke all.
//
// The errors fall into two kinds, which EndsSession tells apart:
//
//   - ErrRefreshGone (the provider no longer takes the token), ErrNoSecondFactor
//     (it takes the second factor back, or max_age has passed), ErrToken (the
//     answer can't be believed: another person, another client, a bad signature)
//     and ErrGroupOverage end the session. ErrRefreshGone does so only while the
//     session still holds the token that was sent: another node may have been
//     quicker.
//   - ErrProviderDown, ErrMisconfigured and the end of ctx say nothing of the
//     person: the session goes on, and a later attempt may succeed.
//
// With an error that doesn't end the session the Identity returned is still the
// one to keep: if the provider gave new tokens before something failed, it is
// the old one with the new refresh token, without which the session could never
// be refreshed again.
func (p *Provider) Refresh(ctx context.Context, r RefreshRequest) (Identity, error) {
	old := r.Identity
	if old.RefreshToken == "" {
		return old, fmt.Errorf("%w: the session has no refresh token", ErrRefreshGone)
	}
	snap, err := p.discover(ctx)
	if err != nil {
		return old, err
	}
	tokens, err := p.swap(ctx, snap, old.RefreshToken)
	if err != nil {
		return old, err
	}
	old.RefreshToken, old.AccessToken, old.Expiry = tokens.RefreshToken, tokens.AccessToken, tokens.Expiry
	renewed, err := p.renew(ctx, snap, tokens, old)
	if err != nil {
		return old, err
	}
	return renewed, nil
}

// EndsSession reports whether an error of Refresh means that the session must
// not go on.
func EndsSession(err error) bool {
	return slices.ContainsFunc([]*Refusal{ErrRefreshGone, ErrNoSecondFactor, ErrToken, ErrGroupOverage}, func(r *Refusal) bool {
		return errors.Is(err, r)
	})
}

// swap sends the refresh token.
func (p *Provider) swap(ctx context.Context, snap *snapshot, refresh string) (*oauth2.Token, error) {
	oauth := snap.oauth
	tokens, err := oauth.TokenSource(gooidc.ClientContext(ctx, p.http), &oauth2.Token{RefreshToken: refresh}).Token()
	if err != nil {
		return nil, tokenEndpointError(ctx, "refreshing", ErrRefreshGone, ErrMisconfigured, err)
	}
	return tokens, nil
}

// renew makes an Identity of the answer to a refresh. old has the new tokens.
func (p *Provider) renew(ctx context.Context, snap *snapshot, tokens *oauth2.Token, old Identity) (Identity, error) {
	before := peekClaims(old.IDToken)
	raw, _ := tokens.Extra("id_token").(string)
	if raw == "" {
		return p.renewByUserinfo(ctx, snap, tokens, old, before)
	}
	c, err := p.verify(ctx, snap, raw, tokens.AccessToken, sameNonce(before))
	switch {
	case errors.Is(err, errSignature) && p.wire.young():
		// The provider may have changed its keys since: they may be fetched again
		// within a minute, and that is no reason to end anybody's session.
		return Identity{}, fmt.Errorf("%w: the refreshed ID token's key is not known yet", ErrProviderDown)
	case err != nil:
		return Identity{}, err
	}
	if c.text("sub") != old.Subject {
		return Identity{}, fmt.Errorf("%w: the refreshed ID token names another person (sub)", ErrToken)
	}
	if err := p.proveAgain(c, old); err != nil {
		return Identity{}, err
	}
	id, err := p.identity(ctx, snap, tokens, c, false)
	if err != nil {
		return Identity{}, err
	}
	id.IDToken = raw
	id = id.keeping(old, c)
	if p.elsewhere() { // what was proven here is not the provider's to change
		id.AMR, id.ACR, id.AuthTime = old.AMR, old.ACR, old.AuthTime
	}
	return id, nil
}

// keeping fills in what a refreshed ID token may lawfully leave out (OpenID
// Connect Core 12.2). auth_time stays that of the sign-in: a refresh is none,
// and a provider that says otherwise would make an old factor look fresh.
func (id Identity) keeping(old Identity, c claims) Identity {
	if !c.states("amr") {
		id.AMR = old.AMR
	}
	if !c.states("acr") && !c.states("acrs") {
		id.ACR = old.ACR
	}
	if id.AuthTime.IsZero() || old.AuthTime.IsZero() || id.AuthTime.After(old.AuthTime) {
		id.AuthTime = old.AuthTime
	}
	if id.SID == "" {
		id.SID = old.SID
	}
	if id.Name == "" {
		id.Name = old.Name
	}
	if id.Email == "" {
		id.Email, id.EmailVerified = old.Email, old.EmailVerified
	}
	if id.User == "" {
		id.User = old.User
	}
	return id
}

// renewByUserinfo is for providers that send no ID token with a refresh. Roles
// and user come from userinfo where it states them, or where they came from
// there at sign-in: what has gone from it is gone.
func (p *Provider) renewByUserinfo(ctx context.Context, snap *snapshot, tokens *oauth2.Token, old Identity, before claims) (Identity, error) {
	if err := p.withinMaxAge(old.AuthTime); err != nil {
		return Identity{}, err
	}
	if snap.meta.UserInfoEndpoint == "" {
		return old, nil
	}
	info, err := p.userinfo(ctx, snap, tokens, old.Subject)
	if err != nil {
		return Identity{}, err
	}
	if p.overage(info) {
		return Identity{}, fmt.Errorf("%w: userinfo refers to another place for the groups", ErrGroupOverage)
	}
	if !p.lacks(info, p.cfg.RolesClaim) || p.lacks(before, p.cfg.RolesClaim) {
		if old.Roles, old.RolesFound, err = p.roles([]claims{info}); err != nil {
			return Identity{}, err
		}
	}
	user, err := p.user([]claims{info})
	if err != nil {
		return Identity{}, err
	}
	if user != "" {
		old.User = user
	}
	return old, nil
}

// proveAgain holds a refreshed ID token to the proof of the sign-in. amr, acr
// and auth_time may lawfully be missing: what isn't stated anew stays. What is
// stated counts: a factor that the provider takes back ends the session.
func (p *Provider) proveAgain(c claims, old Identity) error {
	if err := p.withinMaxAge(old.AuthTime); err != nil {
		return err
	}
	if p.elsewhere() {
		return nil
	}
	if err := p.notTakenBack(p.proof.factor, c, old); err != nil {
		return fmt.Errorf("%w: %s", err, p.preset.remedy)
	}
	if p.proof.always {
		return p.notTakenBack(p.proof.resistant, c, old)
	}
	return nil
}

// notTakenBack compares what a refreshed ID token states with what was stated
// last: the one before may have left it out.
func (p *Provider) notTakenBack(f Factor, c claims, old Identity) error {
	amr, acr := c.methods(p.preset.methods), c.contexts()
	if f.proven(amr, acr) {
		return nil
	}
	wasAMR, wasACR := old.AMR, strings.Fields(old.ACR)
	statesAMR := c.states("amr") || p.preset.methods != "" && c.states(p.preset.methods)
	statesACR := c.states("acr") || c.states("acrs")
	if statesAMR && (f.proven(wasAMR, nil) || fewer(amr, wasAMR)) || statesACR && f.proven(nil, wasACR) {
		return fmt.Errorf("%w: the refreshed ID token has %s", ErrNoSecondFactor, stated(amr, acr))
	}
	return nil
}

// fewer reports whether methods were taken back: all that are stated were there
// before, and some that were there are not stated.
func fewer(now, before []string) bool {
	return len(now) < len(before) && hasAll(before, now)
}

// states reports whether a claim is there with a value.
func (c claims) states(name string) bool { return c[name] != nil }

// peekClaims reads an ID token that was verified when it came.
func peekClaims(raw string) claims {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil
	}
	c, err := decodePart(parts[1])
	if err != nil {
		return nil
	}
	return c
}

// sameNonce accepts what Core 12.2 says of a refreshed ID token: no nonce, or
// that of the one before.
func sameNonce(before claims) nonceCheck {
	was := before.text("nonce")
	return func(nonce string) bool {
		return nonce == "" || was != "" && subtle.ConstantTimeCompare([]byte(nonce), []byte(was)) == 1
	}
}
