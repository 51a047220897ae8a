package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

func TestSignInGivesAnIdentity(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	fin, err := p.Finish(t.Context(), p.begin(t))
	if err != nil {
		t.Fatal(err)
	}
	id := fin.Identity
	if id.Issuer != p.op.srv.URL || id.Subject != "u-1" || id.User != "ada" || id.Name != "Ada Muster" ||
		id.Email != "ada@example.de" || !id.EmailVerified || id.SID != "sid-1" ||
		!slices.Equal(id.Roles, []string{"sales", "support"}) || !id.RolesFound ||
		!slices.Equal(id.AMR, []string{"pwd", "mfa"}) || !id.AuthTime.Equal(p.now.Now()) ||
		id.RefreshToken != "rt-1" || id.AccessToken != "at-1" || strings.Count(id.IDToken, ".") != 2 {
		t.Errorf("Identity = %+v", id)
	}
	if fin.ReturnTo != "/contacts?id=7" || len(fin.StateID) != 22 || fin.Retry || fin.StepUp {
		t.Errorf("Finished = %+v", fin)
	}
	if p.op.count("/userinfo") != 0 {
		t.Error("userinfo was fetched although the ID token had everything")
	}
}

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
		{name: "C27-half-of-a-combination", config: func(c *Config) { c.Factor = Factor{AMR: []string{"pwd+otp"}} },
			op: claim("amr", []string{"otp"}), want: ErrNoSecondFactor},
		{name: "C27-lower-acr", config: func(c *Config) { c.Factor = Factor{ACR: []string{"gold"}} },
			op: claim("acr", "silver"), want: ErrNoSecondFactor},
		{name: "C27-old-auth-time", config: aged, op: ahead("auth_time", -time.Hour-2*Skew), want: ErrNoSecondFactor},
		{name: "C27-no-auth-time", config: aged, op: without("auth_time"), want: ErrNoSecondFactor},
		{name: "C27-auth-time-ahead", config: aged, op: ahead("auth_time", 2*Skew), want: ErrNoSecondFactor},
		{name: "C27-step-up-without-asking-again", begin: func(r *BeginRequest) { r.StepUp = true },
			op: ahead("auth_time", -5*time.Minute), want: ErrNoSecondFactor},
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

func TestSignIn(t *testing.T) {
	t.Parallel()
	for _, bad := range slices.Concat(badStates(), badTokens(), badFactors(), badUserinfo()) {
		t.Run(bad.name, func(t *testing.T) {
			t.Parallel()
			p := newParty(t, func(c *Config) {
				if bad.config != nil {
					bad.config(c)
				}
			})
			if bad.op != nil {
				p.op.set(func() { bad.op(p.op) })
			}
			r := p.begin(t, func(b *BeginRequest) {
				if bad.begin != nil {
					bad.begin(b)
				}
			})
			if bad.request != nil {
				bad.request(p, t, &r)
			}
			p.now.Advance(bad.wait)
			fin, err := p.Finish(t.Context(), r)
			if !errors.Is(err, bad.want) {
				t.Fatalf("Finish: %v, want %v", err, bad.want)
			}
			if fin.Identity.Subject != "" || fin.Identity.Roles != nil || fin.Identity.IDToken != "" {
				t.Errorf("a refused sign-in left an identity: %+v", fin.Identity)
			}
			for _, secret := range []string{"ada@", "Ada ", "CANARY", clientSecret, r.Code, r.State, "at-1", "rt-1"} {
				if secret != "" && strings.Contains(err.Error(), secret) {
					t.Errorf("C19: the error text holds %q: %v", secret, err)
				}
			}
		})
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

func TestUserinfoFillsWhatTheTokenLacks(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.op.set(func() {
		p.op.token = func(c map[string]any) {
			for _, name := range []string{"realm_access", "preferred_username", "name", "email"} {
				delete(c, name)
			}
		}
		p.op.userinfo = map[string]any{
			"sub": "u-1", "preferred_username": "ada", "name": "Ada", "realm_access": map[string]any{"roles": "sales"},
			"amr": []string{"mfa"}, "acr": "phr",
		}
	})
	fin, err := p.Finish(t.Context(), p.begin(t))
	if err != nil {
		t.Fatal(err)
	}
	if id := fin.Identity; id.User != "ada" || id.Name != "Ada" || !slices.Equal(id.Roles, []string{"sales"}) || id.ACR != "" {
		t.Errorf("Identity = %+v", id)
	}
	p.op.set(func() { p.op.token = func(c map[string]any) { delete(c, "amr"); delete(c, "realm_access") } })
	if _, err := p.Finish(t.Context(), p.begin(t)); !errors.Is(err, ErrNoSecondFactor) {
		t.Errorf("amr in userinfo proved a second factor: %v", err)
	}
}

func TestMissingRolesAreNoRoles(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.op.set(func() {
		p.op.token = func(c map[string]any) { delete(c, "realm_access") }
		p.op.userinfo = map[string]any{"sub": "u-1"}
	})
	fin, err := p.Finish(t.Context(), p.begin(t))
	if err != nil || len(fin.Identity.Roles) != 0 || fin.Identity.RolesFound {
		t.Errorf("Finish = %+v, %v", fin.Identity, err)
	}
}

func TestSkewedClocksStillSignIn(t *testing.T) {
	t.Parallel()
	for _, drift := range []time.Duration{-Skew, Skew} {
		p := newParty(t, func(c *Config) { c.Factor.MaxAge = time.Hour })
		p.op.set(func() {
			p.op.token = func(c map[string]any) {
				at := p.now.Now().Add(drift)
				c["iat"], c["nbf"], c["auth_time"] = at.Unix(), at.Unix(), at.Unix()
				c["exp"] = at.Add(time.Second).Unix()
			}
		})
		if _, err := p.Finish(t.Context(), p.begin(t)); err != nil {
			t.Errorf("drift %s: %v", drift, err)
		}
	}
}

func TestSeveralTabsSignInInAnyOrder(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	first := p.begin(t)
	same := func(b *BeginRequest) { b.Bindings = first.Bindings }
	second := p.begin(t, same)
	third := p.begin(t, same)
	if !slices.Equal(first.Bindings, second.Bindings) || first.State == second.State {
		t.Fatal("a second tab got another browser's secret, or the same state")
	}
	ids := map[string]bool{}
	for _, r := range []FinishRequest{third, first, second} {
		fin, err := p.Finish(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		ids[fin.StateID] = true
	}
	if len(ids) != 3 {
		t.Errorf("3 tabs share %d state ids", len(ids))
	}
}

func TestAnyNodeWithTheKeysFinishes(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	cfg := p.cfg
	other, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Finish(t.Context(), p.begin(t)); err != nil {
		t.Error(err)
	}
}

func TestDuplicateBindingCookiesAreAllTried(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	r := p.begin(t)
	r.Bindings = []string{"", "junk", newBinding().value(), r.Bindings[0]}
	if _, err := p.Finish(t.Context(), r); err != nil {
		t.Error(err)
	}
	r = p.begin(t)
	right := r.Bindings[0]
	r.Bindings = nil
	for range 9 {
		r.Bindings = append(r.Bindings, newBinding().value())
	}
	r.Bindings[8] = right
	if _, err := p.Finish(t.Context(), r); !errors.Is(err, ErrState) {
		t.Errorf("the ninth cookie was tried: %v", err)
	}
}

func TestRedirectAsksForWhatIsChecked(t *testing.T) {
	t.Parallel()
	p := newParty(t, func(c *Config) { c.Factor = Factor{ACR: []string{"gold", "phr"}, MaxAge: time.Hour} })
	query := func(r BeginRequest) url.Values {
		r.BaseURL = site
		begun, err := p.Begin(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(begun.Redirect)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(begun.Redirect, p.op.srv.URL+"/authorize?tenant=1&") {
			t.Errorf("Redirect = %s", begun.Redirect)
		}
		return u.Query()
	}
	q := query(BeginRequest{})
	for name, want := range map[string]string{
		"response_type": "code", "client_id": clientID, "redirect_uri": site + CallbackPath,
		"scope": "openid profile email", "code_challenge_method": "S256", "acr_values": "gold phr", "max_age": "3600", "prompt": "",
	} {
		if q.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, q.Get(name), want)
		}
	}
	if len(q.Get("nonce")) != 43 || len(q.Get("code_challenge")) != 43 {
		t.Errorf("nonce or challenge missing: %v", q)
	}
	if q := query(BeginRequest{StepUp: true}); q.Get("prompt") != "login" || q.Get("max_age") != "0" {
		t.Errorf("step-up asks for %v", q)
	}
	if long := query(BeginRequest{ReturnTo: "/" + strings.Repeat("x", 1499)}).Get("state"); len(long) > stateLimit {
		t.Errorf("a state is %d bytes long, over what Finish reads", len(long))
	}
}

func TestStepUpTakesAFreshProof(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	fin, err := p.Finish(t.Context(), p.begin(t, func(r *BeginRequest) { r.StepUp, r.Retry = true, true }))
	if err != nil || !fin.StepUp || !fin.Retry {
		t.Errorf("Finish = %+v, %v", fin, err)
	}
}

func TestRefusedSignInStillKnowsWhereItWasGoing(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	r := p.begin(t)
	p.now.Advance(time.Hour)
	fin, err := p.Finish(t.Context(), r)
	if !errors.Is(err, ErrExpired) || fin.ReturnTo != "/contacts?id=7" || fin.StateID == "" {
		t.Errorf("Finish = %+v, %v", fin, err)
	}
	r.Bindings = nil
	if fin, _ := p.Finish(t.Context(), r); fin.ReturnTo != "" {
		t.Error("another browser learned where this one was going")
	}
}

func TestPersonWhoLeavesIsNoOutage(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Ready(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, ErrProviderDown) {
		t.Errorf("Ready = %v", err)
	}
	if err := p.Ready(t.Context()); err != nil {
		t.Errorf("the next one had to wait: %v", err)
	}
}
