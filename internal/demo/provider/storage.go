package provider

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

var (
	_ op.Storage                        = (*state)(nil)
	_ op.CanSetUserinfoFromRequest      = (*state)(nil)
	_ op.CanTerminateSessionFromRequest = (*state)(nil)
	_ op.AuthRequest                    = (*request)(nil)
	_ op.RefreshTokenRequest            = (*refreshRequest)(nil)
	_ op.Client                         = client{}
)

var (
	errUnknownClient = errors.New("unknown client")
	errUnknownToken  = errors.New("unknown or expired token")
)

// CreateAuthRequest refuses what the library would take: a flow without PKCE,
// or with its plain method.
func (s *state) CreateAuthRequest(_ context.Context, asked *oidc.AuthRequest, demanded string) (op.AuthRequest, error) {
	if asked.CodeChallenge == "" || asked.CodeChallengeMethod != oidc.CodeChallengeMethodS256 {
		return nil, oidc.ErrInvalidRequest().WithDescription("code_challenge with code_challenge_method S256 is required")
	}
	r := s.addRequest(*asked, demanded)
	return &r, nil
}

func (s *state) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	r, err := s.change(id, func(*request) error { return nil })
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// AuthRequestByCode uses the code up, and the request with it: a second use
// finds nothing, however close behind it comes.
func (s *state) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	issued, ok := s.codes[code]
	delete(s.codes, code)
	if !ok || s.config.Now().After(issued.expires) {
		return nil, errExpired
	}
	r, err := s.request(issued.request)
	if err != nil {
		return nil, err
	}
	delete(s.requests, r.id)
	return r, nil
}

func (s *state) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.request(id); err != nil {
		return err
	}
	for c, issued := range s.codes {
		if issued.request == id {
			delete(s.codes, c)
		}
	}
	s.codes[code] = issuedCode{request: id, expires: s.config.Now().Add(codeFor)}
	return nil
}

func (s *state) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.requests, id)
	return nil
}

func (s *state) SigningKey(context.Context) (op.SigningKey, error) { return s.key, nil }

func (s *state) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{s.key.SignatureAlgorithm()}, nil
}

func (s *state) KeySet(context.Context) ([]op.Key, error) {
	return []op.Key{publicKey{s.key}}, nil
}

func (s *state) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != s.config.ClientID {
		return nil, errUnknownClient
	}
	return client{s.config}, nil
}

func (s *state) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if id != s.config.ClientID || !same(secret, s.config.ClientSecret) {
		return errUnknownClient
	}
	return nil
}

// same compares without telling by its duration how much was right.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// SetUserinfoFromScopes is the library's old way; SetUserinfoFromRequest is used.
func (s *state) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest fills the ID token.
func (s *state) SetUserinfoFromRequest(_ context.Context, u *oidc.UserInfo, r op.IDTokenRequest, scopes []string) error {
	var p proof
	switch r := r.(type) {
	case *request:
		p = r.proof
	case *refreshRequest:
		p = r.grant.proof
		// The library writes acr for a code only; a client that checks it at
		// sign-in checks it after a refresh, too.
		u.AppendClaims("acr", p.acr())
	}
	u.AppendClaims("sid", p.sid)
	return s.fill(u, p.subject, scopes)
}

func (s *state) SetUserinfoFromToken(_ context.Context, u *oidc.UserInfo, tokenID, subject, _ string) error {
	scopes, err := s.accessScopes(tokenID, subject)
	if err != nil {
		return err
	}
	return s.fill(u, subject, scopes)
}

func (s *state) SetIntrospectionFromToken(_ context.Context, i *oidc.IntrospectionResponse, tokenID, subject, clientID string) error {
	scopes, err := s.accessScopes(tokenID, subject)
	if err != nil {
		return err
	}
	i.Subject, i.ClientID, i.Scope = subject, clientID, scopes
	return nil
}

func (s *state) fill(u *oidc.UserInfo, subject string, scopes []string) error {
	e := s.bySubject(subject)
	if e == nil {
		return fmt.Errorf("reading subject %s: no such employee", subject)
	}
	u.Subject = e.Subject
	u.AppendClaims("roles", append([]string{}, e.Roles...))
	for _, scope := range scopes {
		switch scope {
		case oidc.ScopeProfile:
			u.Name, u.PreferredUsername = e.Name, e.Login
		case oidc.ScopeEmail:
			u.Email, u.EmailVerified = e.Email, true
		}
	}
	return nil
}

// TerminateSessionFromRequest ends the session that the id_token_hint names.
// Without a hint anybody's link could sign people out: they are asked first.
func (s *state) TerminateSessionFromRequest(_ context.Context, r *op.EndSessionRequest) (string, error) {
	if r.IDTokenHintClaims == nil {
		return s.config.Issuer + pathSignOut, nil
	}
	sid := r.IDTokenHintClaims.SessionID
	if claim, ok := r.IDTokenHintClaims.Claims["sid"].(string); ok {
		sid = claim
	}
	s.signOut(sid)
	return r.RedirectURI, nil
}

// TerminateSession is not called: TerminateSessionFromRequest takes its place.
func (s *state) TerminateSession(context.Context, string, string) error {
	return errors.New("ending a session needs the whole request")
}

func (s *state) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

func (s *state) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errors.New("clients have no keys here")
}

func (s *state) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errors.New("clients have no keys here")
}

// Health always succeeds: there is nothing behind it.
func (s *state) Health(context.Context) error { return nil }

// splitRefresh takes a refresh token apart: grant and secret.
func splitRefresh(token string) (grantID string, ok bool) {
	grantID, _, ok = strings.Cut(token, ".")
	return grantID, ok
}

func (s *state) accessScopes(tokenID, subject string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.access[tokenID]
	if !ok || time.Now().After(t.expires) {
		return nil, errUnknownToken
	}
	if g := s.grants[t.grant]; g == nil || g.proof.subject != subject {
		return nil, errUnknownToken
	}
	return t.scopes, nil
}
