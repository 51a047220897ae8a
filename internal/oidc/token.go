package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
)

// errSignature marks an ID token that no key known here has signed.
var errSignature = errors.New("its signature is none of the provider's keys'")

// nonceCheck says whether an ID token's nonce, "" without one, is the right one.
type nonceCheck func(nonce string) bool

// thisNonce accepts one nonce.
func thisNonce(want string) nonceCheck {
	return func(nonce string) bool { return subtle.ConstantTimeCompare([]byte(nonce), []byte(want)) == 1 }
}

// verify checks an ID token by OpenID Connect Core 3.1.3.7 and returns its claims.
func (p *Provider) verify(ctx context.Context, snap *snapshot, raw, access string, nonce nonceCheck) (claims, error) {
	if raw == "" {
		return nil, fmt.Errorf("%w: the provider sent no ID token: is the scope openid allowed for this client?", ErrToken)
	}
	keys := &probe{keys: snap.keys}
	token, err := gooidc.NewVerifier(p.cfg.Issuer, keys, &gooidc.Config{
		ClientID:             p.cfg.ClientID,
		SupportedSigningAlgs: signingAlgs(snap.meta.SigningAlgs),
		// go-oidc knows no leeway for exp: our clock may be Skew ahead.
		Now: func() time.Time { return p.cfg.Now().Add(-Skew) },
	}).Verify(ctx, raw)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, fmt.Errorf("verifying the ID token: %w", ctx.Err())
	case errors.Is(keys.err, errUnreachable):
		return nil, fmt.Errorf("%w: fetching the provider's keys: %w", ErrProviderDown, keys.err)
	case keys.err != nil:
		return nil, fmt.Errorf("%w: verifying the ID token: %w: %w", ErrToken, errSignature, keys.err)
	default:
		return nil, fmt.Errorf("%w: verifying the ID token: %w", ErrToken, err)
	}
	c, err := decodeClaims(token)
	if err != nil {
		return nil, err
	}
	if err := p.checkToken(token, c, nonce); err != nil {
		return nil, err
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(access); err != nil {
			return nil, fmt.Errorf("%w: at_hash and access token disagree", ErrToken)
		}
	}
	return c, nil
}

// checkToken is what go-oidc leaves to its caller.
func (p *Provider) checkToken(token *gooidc.IDToken, c claims, nonce nonceCheck) error {
	latest := p.cfg.Now().Add(Skew)
	azp, hasAZP := c["azp"]
	notBefore, bounded := c.time("nbf")
	switch {
	case !nonce(token.Nonce):
		return fmt.Errorf("%w: the ID token's nonce is not this sign-in's", ErrToken)
	case token.Subject == "" || len(token.Subject) > 255:
		return fmt.Errorf("%w: the ID token's sub is empty or over 255 bytes", ErrToken)
	case hasAZP && azp != p.cfg.ClientID:
		return fmt.Errorf("%w: the ID token was issued to another client (azp)", ErrToken)
	case len(token.Audience) > 1 && !hasAZP:
		return fmt.Errorf("%w: the ID token has several audiences and no azp", ErrToken)
	case token.IssuedAt.Unix() <= 0:
		return fmt.Errorf("%w: the ID token has no iat", ErrToken)
	case token.IssuedAt.After(latest):
		return fmt.Errorf("%w: the ID token is %s ahead: set the clocks of gateway and provider", ErrToken, token.IssuedAt.Sub(p.cfg.Now()).Round(time.Second))
	case bounded && notBefore.After(latest):
		return fmt.Errorf("%w: the ID token is not valid yet: set the clocks of gateway and provider", ErrToken)
	}
	return nil
}

// probe remembers why keys could not be had: go-oidc turns it into text.
type probe struct {
	keys gooidc.KeySet
	err  error
}

// VerifySignature implements gooidc.KeySet.
func (k *probe) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.keys.VerifySignature(ctx, jwt)
	k.err = err
	return payload, err
}
