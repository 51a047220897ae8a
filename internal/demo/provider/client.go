package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// client is the one client, as the library sees it.
type client struct{ config Config }

func (c client) GetID() string                       { return c.config.ClientID }
func (c client) RedirectURIs() []string              { return c.config.RedirectURIs }
func (c client) PostLogoutRedirectURIs() []string    { return c.config.PostLogoutURIs }
func (c client) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (c client) AuthMethod() oidc.AuthMethod         { return oidc.AuthMethodBasic }
func (c client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }
func (c client) IDTokenLifetime() time.Duration      { return idTokenFor }
func (c client) ClockSkew() time.Duration            { return 0 }
func (c client) DevMode() bool                       { return false }
func (c client) IsScopeAllowed(string) bool          { return false }

// IDTokenUserinfoClaimsAssertion puts name and e-mail into the ID token, where
// many clients look for them.
func (c client) IDTokenUserinfoClaimsAssertion() bool { return true }

func (c client) LoginURL(id string) string {
	return c.config.Issuer + pathLogin + "?id=" + id
}

func (c client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}

func (c client) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
}

func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

// key signs ID tokens. It is made at start: a restart signs everybody out.
type key struct {
	id      string
	private *ecdsa.PrivateKey
}

func newKey() (key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return key{}, fmt.Errorf("making a signing key: %w", err)
	}
	return key{id: newID(), private: private}, nil
}

func (k key) ID() string                                  { return k.id }
func (k key) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k key) Key() any                                    { return k.private }

// publicKey is what the key set shows.
type publicKey struct{ key }

func (k publicKey) Key() any                           { return k.private.Public() }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k publicKey) Use() string                        { return oidc.KeyUseSignature }
