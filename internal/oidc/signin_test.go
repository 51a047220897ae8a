package oidc

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
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

// Name and address are for display: where only they are missing, userinfo may
// fail, and it decides nothing else.
func TestUserinfoGivesTheNameAndNothingElseThen(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.op.set(func() {
		p.op.token = func(c map[string]any) { delete(c, "name"); delete(c, "email") }
		p.op.userinfo = map[string]any{
			"sub": "u-1", "name": "Ada", "email": "ada@example.de", "email_verified": true,
			"preferred_username": "somebody", "realm_access": map[string]any{"roles": "boss"},
		}
	})
	fin, err := p.Finish(t.Context(), p.begin(t))
	if id := fin.Identity; err != nil || id.Name != "Ada" || id.Email != "ada@example.de" || !id.EmailVerified || id.User == "somebody" || slices.Contains(id.Roles, "boss") {
		t.Errorf("Identity = %+v, %v", id, err)
	}
	for _, info := range []map[string]any{nil, {"sub": "another", "name": "Eve"}} {
		p.op.set(func() { p.op.userinfo = info })
		if fin, err := p.Finish(t.Context(), p.begin(t)); err != nil || fin.Identity.Name != "" {
			t.Errorf("userinfo %v: %+v, %v", info, fin.Identity, err)
		}
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
	if q := query(BeginRequest{StepUp: &StepUp{}}); q.Get("prompt") != "login" || q.Get("max_age") != "0" {
		t.Errorf("step-up asks for %v", q)
	}
	if long := query(BeginRequest{ReturnTo: "/" + strings.Repeat("x", 1499)}).Get("state"); len(long) > stateLimit {
		t.Errorf("a state is %d bytes long, over what Finish reads", len(long))
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
