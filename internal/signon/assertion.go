package signon

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Signer signs assertions (JWT, ES256) and publishes the keys to check them by.
// It is immutable and safe for concurrent use.
type Signer struct {
	sign jose.Signer
	jwks []byte
}

// NewSigner makes a signer of secrets, the first of which signs. The others were
// first before: their keys stay published. The same secrets make the same keys,
// on every node.
func NewSigner(secrets [][32]byte) (*Signer, error) {
	if len(secrets) == 0 {
		return nil, errors.New("making a signing key: there is no secret")
	}
	s := new(Signer)
	var set jose.JSONWebKeySet
	for i, secret := range secrets {
		key, err := deriveKey(secret)
		if err != nil {
			return nil, err
		}
		public := jose.JSONWebKey{Key: key.Public(), Algorithm: string(jose.ES256), Use: "sig"}
		thumb, err := public.Thumbprint(crypto.SHA256)
		if err != nil {
			return nil, fmt.Errorf("naming a signing key: %w", err)
		}
		public.KeyID = base64.RawURLEncoding.EncodeToString(thumb)
		set.Keys = append(set.Keys, public)
		if i > 0 {
			continue
		}
		s.sign, err = jose.NewSigner(
			jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: public.KeyID}},
			new(jose.SignerOptions).WithType("JWT"))
		if err != nil {
			return nil, fmt.Errorf("making a signer: %w", err)
		}
	}
	var err error
	if s.jwks, err = json.Marshal(set); err != nil {
		return nil, fmt.Errorf("writing the signing keys: %w", err)
	}
	return s, nil
}

// deriveKey makes a P-256 key of a secret. Of 2^32 secrets one is no scalar of
// the curve: its hash is tried next, and so on.
func deriveKey(secret [32]byte) (*ecdsa.PrivateKey, error) {
	for range 8 {
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret[:]); err == nil {
			return key, nil
		}
		secret = sha256.Sum256(secret[:])
	}
	return nil, errors.New("making a signing key: the secret gives none")
}

// JWKS are the public keys as a JSON Web Key Set.
func (s *Signer) JWKS() []byte { return s.jwks }

// About is what an assertion says beside the person.
type About struct {
	// Issuer is the gateway's address at this site, Audience the CRM's name.
	Issuer, Audience string
	Now              time.Time
	TTL              time.Duration
}

type assertion struct {
	Issuer   string   `json:"iss"`
	Audience string   `json:"aud"`
	Subject  string   `json:"sub"`
	IssuedAt int64    `json:"iat"`
	Expires  int64    `json:"exp"`
	ID       string   `json:"jti"`
	User     string   `json:"preferred_username,omitempty"`
	Email    string   `json:"email,omitempty"`
	Verified bool     `json:"email_verified,omitempty"`
	Name     string   `json:"name,omitempty"`
	Roles    []string `json:"roles"`
}

// Sign makes an assertion. Each has an id of its own, so that the CRM can refuse
// one that it has seen.
func (s *Signer) Sign(p Person, a About) (string, error) {
	if err := p.Check(); err != nil {
		return "", err
	}
	roles := p.Roles
	if roles == nil {
		roles = []string{}
	}
	raw, err := json.Marshal(assertion{
		Issuer: a.Issuer, Audience: a.Audience, Subject: p.Subject,
		IssuedAt: a.Now.Unix(), Expires: a.Now.Add(a.TTL).Unix(), ID: rand.Text(),
		User: p.User, Email: p.Email, Verified: p.Email != "", Name: p.Name, Roles: roles,
	})
	if err != nil {
		return "", fmt.Errorf("writing an assertion: %w", err)
	}
	signed, err := s.sign.Sign(raw)
	if err != nil {
		return "", fmt.Errorf("signing an assertion: %w", err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("signing an assertion: %w", err)
	}
	return token, nil
}
