package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// CreateAccessToken makes a token without a refresh token beside it.
func (s *state) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req, ok := r.(*request)
	if !ok {
		return "", time.Time{}, fmt.Errorf("granting a token: %T is not served here", r)
	}
	id, expires := s.addAccess(s.addGrant(req), r.GetScopes())
	return id, expires, nil
}

// CreateAccessAndRefreshTokens makes a grant's first tokens, or rotates them. A
// refresh token that was rotated before ends the grant: two parties hold it.
func (s *state) CreateAccessAndRefreshTokens(_ context.Context, r op.TokenRequest, current string) (string, string, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var g *grant
	switch r := r.(type) {
	case *request:
		g = s.addGrant(r)
	case *refreshRequest:
		g = s.goodGrant(current)
	}
	if g == nil {
		return "", "", time.Time{}, oidc.ErrInvalidGrant().WithParent(errUnknownToken)
	}
	g.refresh = g.id + "." + newID()
	id, expires := s.addAccess(g, r.GetScopes())
	return id, g.refresh, expires, nil
}

func (s *state) TokenRequestByRefreshToken(_ context.Context, token string) (op.RefreshTokenRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.goodGrant(token)
	if g == nil {
		return nil, op.ErrInvalidRefreshToken
	}
	return &refreshRequest{grant: *g, scopes: g.scopes}, nil
}

func (s *state) GetRefreshTokenInfo(_ context.Context, clientID, token string) (string, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.goodGrant(token)
	if g == nil || g.clientID != clientID {
		return "", "", op.ErrInvalidRefreshToken
	}
	return g.proof.subject, g.id, nil
}

// RevokeToken ends one access token, or a grant by its id or refresh token.
func (s *state) RevokeToken(_ context.Context, token, _, clientID string) *oidc.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.access, token)
	id, ok := splitRefresh(token)
	if !ok {
		id = token
	}
	if g := s.grants[id]; g != nil && g.clientID == clientID {
		s.endGrant(g)
	}
	return nil
}

// addGrant and the rest are called with the lock held.
func (s *state) addGrant(r *request) *grant {
	g := &grant{
		id: newID(), clientID: r.GetClientID(), scopes: r.GetScopes(), proof: r.proof,
		expires: time.Now().Add(grantFor),
	}
	s.grants[g.id] = g
	return g
}

func (s *state) goodGrant(refresh string) *grant {
	id, _ := splitRefresh(refresh)
	g := s.grants[id]
	switch {
	case g == nil || time.Now().After(g.expires):
		return nil
	case !same(g.refresh, refresh):
		s.endGrant(g)
		return nil
	}
	return g
}

func (s *state) addAccess(g *grant, scopes []string) (string, time.Time) {
	id, expires := newID(), time.Now().Add(accessFor)
	s.access[id] = accessToken{grant: g.id, scopes: scopes, expires: expires}
	return id, expires
}

func (s *state) endGrant(g *grant) {
	delete(s.grants, g.id)
	for id, t := range s.access {
		if t.grant == g.id {
			delete(s.access, id)
		}
	}
}
