package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// badSignIn is a callback that must be refused.
type badSignIn struct {
	name   string
	config func(*Config)
	// begin changes how the sign-in starts, op the provider's behaviour, request
	// what comes back, and wait passes before it does.
	begin   func(*BeginRequest)
	op      func(op *fakeOP)
	request func(p party, t *testing.T, r *FinishRequest)
	wait    time.Duration
	want    *Refusal
}

func token(change func(map[string]any)) func(*fakeOP) {
	return func(op *fakeOP) { op.token = change }
}

func claim(name string, value any) func(*fakeOP) {
	return token(func(c map[string]any) { c[name] = value })
}

func without(name string) func(*fakeOP) {
	return token(func(c map[string]any) { delete(c, name) })
}

func ahead(name string, d time.Duration) func(*fakeOP) {
	return func(op *fakeOP) {
		op.token = func(c map[string]any) { c[name] = op.now.Now().Add(d).Unix() }
	}
}

func request(change func(*FinishRequest)) func(party, *testing.T, *FinishRequest) {
	return func(_ party, _ *testing.T, r *FinishRequest) { change(r) }
}

func badStates() []badSignIn {
	return []badSignIn{
		{name: "C14-no-state", request: request(func(r *FinishRequest) { r.State = "" }), want: ErrState},
		{name: "C14-state-of-nobody", request: request(func(r *FinishRequest) { r.State = strings.Repeat("A", 120) }), want: ErrState},
		{name: "C14-state-not-base64", request: request(func(r *FinishRequest) { r.State += "=" }), want: ErrState},
		{name: "C14-state-altered", request: request(func(r *FinishRequest) {
			r.State = "A" + r.State[1:]
			if r.State[1] == 'A' {
				r.State = "B" + r.State[1:]
			}
		}), want: ErrState},
		{name: "C14-no-cookie", request: request(func(r *FinishRequest) { r.Bindings = nil }), want: ErrState},
		{name: "C14-state-of-another-browser", request: func(p party, t *testing.T, r *FinishRequest) {
			r.Bindings = p.begin(t).Bindings
		}, want: ErrState},
		{name: "C14-state-of-another-site", request: request(func(r *FinishRequest) { r.BaseURL = "https://other.example.de" }), want: ErrState},
		{name: "C14-old-state", wait: StateFor + time.Second, want: ErrExpired},
		{name: "C14-replayed-code", request: func(p party, t *testing.T, r *FinishRequest) {
			if _, err := p.Finish(t.Context(), *r); err != nil {
				t.Fatal(err)
			}
		}, want: ErrExpired},
		{name: "C14-code-of-another-sign-in", request: func(p party, t *testing.T, r *FinishRequest) {
			r.Code = p.begin(t).Code
		}, want: ErrExpired}, // the PKCE verifier is not its own
		{name: "C14-no-code", request: request(func(r *FinishRequest) { r.Code = "" }), want: ErrState},
		{name: "C14-foreign-iss", request: request(func(r *FinishRequest) { r.Iss = "https://evil.example" }), want: ErrState},
		{name: "C14-missing-iss", op: func(op *fakeOP) {
			op.meta = func(m map[string]any) { m["authorization_response_iss_parameter_supported"] = true }
		}, want: ErrState},
		{name: "denied", request: request(func(r *FinishRequest) { r.Error, r.Code = "access_denied", "" }), want: ErrDenied},
		{name: "error-with-code", request: request(func(r *FinishRequest) { r.Error = "<script>" }), want: ErrDenied},
		{name: "error-of-the-set-up", request: request(func(r *FinishRequest) { r.Error = "invalid_scope" }), want: ErrMisconfigured},
		{name: "error-of-the-provider", request: request(func(r *FinishRequest) { r.Error = "server_error" }), want: ErrProviderDown},
	}
}

func badTokens() []badSignIn {
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	sign := func(make func(op *fakeOP, c map[string]any) string) func(*fakeOP) {
		return func(op *fakeOP) { op.sign = func(c map[string]any) string { return make(op, c) } }
	}
	return []badSignIn{
		{name: "C25-token-of-another-client", op: claim("aud", "other"), want: ErrToken},
		{name: "C25-several-audiences-without-azp", op: claim("aud", []string{clientID, "other"}), want: ErrToken},
		{name: "C25-azp-of-another-client", op: token(func(c map[string]any) {
			c["aud"], c["azp"] = []string{clientID, "other"}, "other"
		}), want: ErrToken},
		{name: "C25-logout-token-as-id-token", op: token(func(c map[string]any) {
			delete(c, "nonce")
			c["events"] = map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
		}), want: ErrToken},
		{name: "C25-no-id-token", op: sign(func(*fakeOP, map[string]any) string { return "" }), want: ErrToken},
		{name: "C26-unsigned", op: sign(func(_ *fakeOP, c map[string]any) string { return unsigned(c) }), want: ErrToken},
		{name: "C26-hs256-with-the-public-key", op: sign(func(op *fakeOP, c map[string]any) string {
			der, err := x509.MarshalPKIXPublicKey(op.key.Public())
			if err != nil {
				op.t.Error(err)
			}
			return op.signWith(jose.HS256, der, op.kid, c)
		}), want: ErrToken},
		{name: "C26-hs256-with-the-client-secret", op: sign(func(op *fakeOP, c map[string]any) string {
			return op.signWith(jose.HS256, []byte(strings.Repeat(clientSecret, 8)), op.kid, c)
		}), want: ErrToken},
		{name: "C26-foreign-key", op: sign(func(op *fakeOP, c map[string]any) string { return op.signWith(jose.ES256, other, op.kid, c) }), want: ErrToken},
		{name: "C26-unknown-key-id", op: sign(func(op *fakeOP, c map[string]any) string { return op.signWith(jose.ES256, other, "k9", c) }), want: ErrToken},
		{name: "C26-expired", op: ahead("exp", -Skew-time.Second), want: ErrToken},
		{name: "C26-no-exp", op: without("exp"), want: ErrToken},
		{name: "C26-iat-ahead", op: ahead("iat", Skew+time.Second), want: ErrToken},
		{name: "C26-nbf-ahead", op: ahead("nbf", Skew+time.Second), want: ErrToken},
		{name: "C26-no-iat", op: without("iat"), want: ErrToken},
		{name: "C26-issuer-with-slash", op: func(op *fakeOP) {
			op.token = func(c map[string]any) { c["iss"] = op.srv.URL + "/" }
		}, want: ErrToken},
		{name: "C14-wrong-nonce", op: claim("nonce", "x"), want: ErrToken},
		{name: "C14-no-nonce", op: without("nonce"), want: ErrToken},
		{name: "wrong-at-hash", op: claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), want: ErrToken},
		{name: "no-sub", op: without("sub"), want: ErrToken},
		{name: "roles-of-a-wrong-kind", op: claim("realm_access", map[string]any{"roles": 7}), want: ErrToken},
	}
}

func badFactors() []badSignIn {
	aged := func(c *Config) { c.Factor.MaxAge = time.Hour }
	return []badSignIn{
		{name: "C27-no-amr-no-acr", op: without("amr"), want: ErrNoSecondFactor},
		{name: "C27-password-only", op: claim("amr", []string{"pwd"}), want: ErrNoSecondFactor},
		{name: "C27-amr-of-a-wrong-kind", op: claim("amr", map[string]any{"mfa": true}), want: ErrNoSecondFactor},
		{name: "C27-mfa-inside-another-word", op: claim("amr", []string{"nomfa", "mfa2"}), want: ErrNoSecondFactor},
		{name: "C27-acr-is-not-amr", op: token(func(c map[string]any) { c["amr"], c["acr"] = nil, "mfa" }), want: ErrNoSecondFactor},
		{
			name: "C27-half-of-a-combination", config: func(c *Config) { c.Factor = Factor{AMR: []string{"pwd+otp"}} },
			op: claim("amr", []string{"otp"}), want: ErrNoSecondFactor,
		},
		{
			name: "C27-lower-acr", config: func(c *Config) { c.Factor = Factor{ACR: []string{"gold"}} },
			op: claim("acr", "silver"), want: ErrNoSecondFactor,
		},
		{name: "C27-old-auth-time", config: aged, op: ahead("auth_time", -time.Hour-2*Skew), want: ErrNoSecondFactor},
		{name: "C27-no-auth-time", config: aged, op: without("auth_time"), want: ErrNoSecondFactor},
		{name: "C27-auth-time-ahead", config: aged, op: ahead("auth_time", 2*Skew), want: ErrNoSecondFactor},
		{
			name: "C27-not-phishing-resistant", config: func(c *Config) { c.PhishingResistant, c.Resistant = true, Factor{AMR: []string{"hwk"}} },
			op: claim("amr", []string{"pwd", "otp", "mfa"}), want: ErrNotResistant,
		},
		{
			name: "C27-phishing-resistant-alone-is-one-factor", config: func(c *Config) { c.PhishingResistant, c.Resistant = true, Factor{AMR: []string{"hwk"}} },
			op: claim("amr", []string{"hwk"}), want: ErrNoSecondFactor,
		},
		{name: "C27-provider-could-not", request: request(func(r *FinishRequest) {
			r.Error = "unmet_authentication_requirements"
		}), want: ErrNoSecondFactor},
		{name: "group-overage", config: func(c *Config) { c.RolesClaim = "groups" }, op: token(func(c map[string]any) {
			c["_claim_names"] = map[string]any{"groups": "src1"}
			c["_claim_sources"] = map[string]any{"src1": map[string]any{"endpoint": "https://graph.example/x"}}
		}), want: ErrGroupOverage},
		{name: "group-overage-by-hint", config: func(c *Config) { c.RolesClaim = "groups" }, op: claim("hasgroups", true), want: ErrGroupOverage},
	}
}

func badUserinfo() []badSignIn {
	lacking := func(info map[string]any, change func(op *fakeOP)) func(*fakeOP) {
		return func(op *fakeOP) {
			op.token = func(c map[string]any) { delete(c, "realm_access") }
			op.userinfo = info
			if change != nil {
				change(op)
			}
		}
	}
	return []badSignIn{
		{name: "userinfo-of-another-person", op: lacking(map[string]any{
			"sub": "u-2", "realm_access": map[string]any{"roles": []string{"admin"}},
		}, nil), want: ErrToken},
		{name: "userinfo-refused", op: lacking(nil, nil), want: ErrToken},
		{name: "userinfo-down", op: lacking(nil, func(op *fakeOP) { op.infoDown = true }), want: ErrProviderDown},
		{name: "userinfo-overage", op: lacking(map[string]any{
			"sub": "u-1", "_claim_names": map[string]any{"realm_access": "src1"},
		}, nil), want: ErrGroupOverage},
		{name: "token-endpoint-refuses-the-client", config: func(c *Config) { c.ClientSecret = "wrong" }, want: ErrMisconfigured},
		{name: "token-endpoint-talks-nonsense", op: func(op *fakeOP) {
			op.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>CANARY</html>")) }
		}, want: ErrToken},
		{name: "token-endpoint-floods", op: func(op *fakeOP) {
			op.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, answerLimit+1)) }
		}, want: ErrToken},
		{name: "token-endpoint-redirects", op: func(op *fakeOP) {
			op.answer = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://127.0.0.1:1/steal", http.StatusTemporaryRedirect)
			}
		}, want: ErrMisconfigured},
		{name: "keys-down", op: func(op *fakeOP) {
			op.meta = func(m map[string]any) { m["jwks_uri"] = "http://127.0.0.1:1/keys" }
		}, want: ErrProviderDown},
	}
}
