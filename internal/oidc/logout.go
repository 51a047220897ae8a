package oidc

import "net/url"

// EndSession returns the address that ends the person's session at the provider
// and sends them on to postLogoutRedirect. ok is false if the provider has none,
// or if nothing is known of it yet: the page then has to say that they stay
// signed in there. It touches no network.
func (p *Provider) EndSession(idTokenHint, postLogoutRedirect, state string) (address string, ok bool) {
	snap := p.current.Load()
	if snap == nil || snap.meta.EndSessionEndpoint == "" {
		return "", false
	}
	u, err := url.Parse(snap.meta.EndSessionEndpoint)
	if err != nil {
		return "", false
	}
	q := u.Query()
	q.Set("client_id", p.cfg.ClientID)
	for name, value := range map[string]string{
		"id_token_hint": idTokenHint, "post_logout_redirect_uri": postLogoutRedirect, "state": state,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	u.RawQuery = q.Encode()
	return u.String(), true
}
