package oidc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Identity is a person as the provider vouched for them. (Issuer, Subject) names
// them; name and address are for display only.
type Identity struct {
	Issuer  string
	Subject string
	Name    string
	Email   string
	// EmailVerified is what the provider says of Email.
	EmailVerified bool
	// User is the person's name in the CRM, or "" if the token has none.
	User string
	// Roles are sorted, each once. RolesFound is false where neither ID token nor
	// userinfo had the configured claim: a hint for the log, not a right.
	Roles      []string
	RolesFound bool
	// AMR, ACR and AuthTime are the ID token's. ACR joins acr and Entra's acrs
	// with spaces; AuthTime is zero if unknown.
	AMR      []string
	ACR      string
	AuthTime time.Time
	// SID is the provider's session, for back-channel logout.
	SID string
	// IDToken is raw, for id_token_hint. RefreshToken may be "".
	IDToken      string
	RefreshToken string
	AccessToken  string
	// Expiry is the access token's, or zero.
	Expiry time.Time
}

// identity gathers who somebody is from the ID token and, where roles or user
// are not in it, from userinfo. At a sign-in name and address are looked for
// there, too; without them it goes on: they are for display only.
func (p *Provider) identity(ctx context.Context, snap *snapshot, tokens *oauth2.Token, c claims, signIn bool) (Identity, error) {
	if p.overage(c) {
		return Identity{}, fmt.Errorf("%w: the token refers to another place for the groups: use app roles (roles roles), or send only the groups assigned to the application", ErrGroupOverage)
	}
	sources, err := p.sources(ctx, snap, tokens, c, signIn)
	if err != nil {
		return Identity{}, err
	}
	id := Identity{
		Issuer: p.cfg.Issuer, Subject: c.text("sub"), SID: c.text("sid"),
		AMR: c.methods(p.preset.methods), ACR: strings.Join(c.contexts(), " "),
		RefreshToken: tokens.RefreshToken, AccessToken: tokens.AccessToken, Expiry: tokens.Expiry,
	}
	id.AuthTime, _ = c.time("auth_time")
	for _, s := range sources {
		if id.Name == "" {
			id.Name = s.text("name")
		}
		if id.Email == "" {
			id.Email = s.text("email")
			id.EmailVerified = s["email_verified"] == true || s["email_verified"] == "true"
		}
	}
	if id.Roles, id.RolesFound, err = p.roles(sources); err != nil {
		return Identity{}, err
	}
	id.User, err = p.user(sources)
	return id, err
}

// sources are the claims of the ID token, and those of userinfo where it takes
// them.
func (p *Provider) sources(ctx context.Context, snap *snapshot, tokens *oauth2.Token, c claims, signIn bool) ([]claims, error) {
	needed := p.lacks(c, p.cfg.RolesClaim) || p.lacks(c, p.cfg.UserClaim)
	welcome := signIn && (c.text("name") == "" || c.text("email") == "")
	if snap.meta.UserInfoEndpoint == "" || !needed && !welcome {
		return []claims{c}, nil
	}
	info, err := p.userinfo(ctx, snap, tokens, c.text("sub"))
	switch {
	case err != nil && needed:
		return nil, err
	case err != nil:
		return []claims{c}, nil //nolint:nilerr // they go without a name
	case needed && p.overage(info):
		return nil, fmt.Errorf("%w: userinfo refers to another place for the groups", ErrGroupOverage)
	}
	return []claims{c, info}, nil
}

func (p *Provider) lacks(c claims, path string) bool {
	if path == "" {
		return false
	}
	_, ok := c.at(path)
	return !ok
}

// overage reports whether the claim that holds the roles was left out of the
// token because it is too long.
func (p *Provider) overage(c claims) bool {
	if p.cfg.RolesClaim == "" {
		return false
	}
	elsewhere, _ := c["_claim_names"].(map[string]any)
	root, _, _ := strings.Cut(p.cfg.RolesClaim, ".")
	_, named := elsewhere[p.cfg.RolesClaim]
	_, rooted := elsewhere[root]
	hinted := p.cfg.RolesClaim == "groups" && (c["hasgroups"] == true || c["hasgroups"] == "true")
	return named || rooted || hinted
}

func (p *Provider) userinfo(ctx context.Context, snap *snapshot, tokens *oauth2.Token, subject string) (claims, error) {
	info, err := snap.op.UserInfo(gooidc.ClientContext(ctx, p.http), oauth2.StaticTokenSource(tokens))
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, fmt.Errorf("fetching userinfo: %w", ctx.Err())
	case errors.Is(err, errUnreachable):
		return nil, fmt.Errorf("%w: fetching userinfo: %w", ErrProviderDown, err)
	default:
		return nil, fmt.Errorf("%w: userinfo was refused or is unreadable", ErrToken)
	}
	// Without this check an access token of somebody else would lend their roles
	// (OpenID Connect Core 5.3.2).
	if info.Subject != subject {
		return nil, fmt.Errorf("%w: userinfo speaks of another person (sub)", ErrToken)
	}
	return decodeClaims(info)
}

// roles returns the roles of the first source that has the claim.
func (p *Provider) roles(sources []claims) (roles []string, found bool, err error) {
	if p.cfg.RolesClaim == "" {
		return nil, false, nil
	}
	for _, s := range sources {
		v, ok := s.at(p.cfg.RolesClaim)
		if !ok {
			continue
		}
		if keyed, ok := v.(map[string]any); ok && p.preset.keyed {
			for role := range keyed {
				roles = append(roles, role)
			}
		} else if roles, err = words(v); err != nil {
			return nil, false, fmt.Errorf("%w: roles claim %s: %w: name the claim that holds the list", ErrToken, p.cfg.RolesClaim, err)
		}
		slices.Sort(roles)
		return slices.Compact(roles), true, nil
	}
	return nil, false, nil
}

func (p *Provider) user(sources []claims) (string, error) {
	if p.cfg.UserClaim == "" {
		return "", nil
	}
	for _, s := range sources {
		v, ok := s.at(p.cfg.UserClaim)
		if !ok {
			continue
		}
		name, ok := v.(string)
		if !ok {
			return "", fmt.Errorf("%w: crm_user claim %s is no text", ErrToken, p.cfg.UserClaim)
		}
		return name, nil
	}
	return "", nil
}
