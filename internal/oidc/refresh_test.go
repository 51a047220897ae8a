package oidc

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// signedInParty is a party with somebody signed in, ten minutes ago.
func signedInParty(t *testing.T, change ...func(*Config)) (party, Identity) {
	t.Helper()
	p := newParty(t, change...)
	p.op.set(func() { p.op.token = func(c map[string]any) { c["acr"], c["groups"] = "gold", []string{"g"} } })
	fin, err := p.Finish(t.Context(), p.begin(t))
	if err != nil {
		t.Fatal(err)
	}
	p.now.Advance(10 * time.Minute)
	return p, fin.Identity
}

func TestRefreshTellsWhoSomebodyIsByNow(t *testing.T) {
	t.Parallel()
	p, id := signedInParty(t)
	p.op.set(func() {
		p.op.refreshed = func(c, _ map[string]any) {
			c["realm_access"] = map[string]any{"roles": []string{"support"}}
			c["name"] = "Ada Neu"
		}
	})
	got, err := p.Refresh(t.Context(), RefreshRequest{Identity: id})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Roles, []string{"support"}) || got.Name != "Ada Neu" || got.RefreshToken != "rt-2" ||
		got.IDToken == id.IDToken || !got.AuthTime.Equal(id.AuthTime) || got.SID != "sid-1" || got.User != "ada" {
		t.Errorf("Identity = %+v", got)
	}
	// Roles that have gone altogether are gone.
	p.op.set(func() {
		p.op.refreshed = func(c, _ map[string]any) { delete(c, "realm_access") }
		p.op.userinfo = map[string]any{"sub": "u-1"}
	})
	if got, err = p.Refresh(t.Context(), RefreshRequest{Identity: id}); err != nil || len(got.Roles) != 0 {
		t.Errorf("C17: roles %v after they were taken away (%v)", got.Roles, err)
	}
}

// OpenID Connect Core 12.2: an ID token may be missing, or leave out what was
// said at sign-in.
func TestRefreshKeepsWhatMayBeLeftOut(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c, answer map[string]any){
		"no amr, acr, auth_time": func(c, _ map[string]any) { delete(c, "amr"); delete(c, "acr"); delete(c, "auth_time") },
		"no sid, no nonce":       func(c, _ map[string]any) { delete(c, "sid"); delete(c, "nonce") },
		"no name":                func(c, _ map[string]any) { delete(c, "name"); delete(c, "email") },
		"auth_time of now":       func(c, _ map[string]any) { c["auth_time"] = c["iat"] },
		"other proving methods":  func(c, _ map[string]any) { c["amr"] = []string{"mfa", "pwd"} },
		"no ID token":            func(_, answer map[string]any) { answer["id_token"] = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, id := signedInParty(t, func(c *Config) { c.Factor.MaxAge = time.Hour })
			p.op.set(func() {
				p.op.refreshed = change
				p.op.userinfo = map[string]any{"sub": "u-1"}
			})
			got, err := p.Refresh(t.Context(), RefreshRequest{Identity: id})
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got.AMR)
			if !slices.Equal(got.AMR, []string{"mfa", "pwd"}) || !got.AuthTime.Equal(id.AuthTime) || got.SID != id.SID ||
				!slices.Equal(got.Roles, id.Roles) || got.Name != id.Name || got.User != id.User || got.Email != id.Email {
				t.Errorf("Identity = %+v, want %+v", got, id)
			}
		})
	}
}

func TestRefreshWithoutNewRefreshTokenKeepsTheOld(t *testing.T) {
	t.Parallel()
	p, id := signedInParty(t)
	p.op.set(func() { p.op.refreshed = func(_, answer map[string]any) { delete(answer, "refresh_token") } })
	if got, err := p.Refresh(t.Context(), RefreshRequest{Identity: id}); err != nil || got.RefreshToken != "rt-1" {
		t.Errorf("refresh token %q, %v", got.RefreshToken, err)
	}
}

// Where roles stand in userinfo, userinfo takes them away.
func TestRefreshWithoutIDTokenAsksUserinfo(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.op.set(func() {
		p.op.token = func(c map[string]any) { delete(c, "realm_access") }
		p.op.userinfo = map[string]any{"sub": "u-1", "realm_access": map[string]any{"roles": []string{"sales"}}}
	})
	fin, err := p.Finish(t.Context(), p.begin(t))
	if err != nil || !slices.Equal(fin.Identity.Roles, []string{"sales"}) {
		t.Fatal(fin.Identity.Roles, err)
	}
	p.op.set(func() {
		p.op.refreshed = func(_, answer map[string]any) { answer["id_token"] = "" }
		p.op.userinfo = map[string]any{"sub": "u-1"}
	})
	if got, err := p.Refresh(t.Context(), RefreshRequest{Identity: fin.Identity}); err != nil || len(got.Roles) != 0 {
		t.Errorf("C17: roles %v, %v", got.Roles, err)
	}
	p.op.set(func() { p.op.userinfo = map[string]any{"sub": "u-2"} })
	if _, err := p.Refresh(t.Context(), RefreshRequest{Identity: fin.Identity}); !errors.Is(err, ErrToken) {
		t.Errorf("userinfo of another person: %v", err)
	}
}

type badRefresh struct {
	name   string
	config func(*Config)
	change func(p party, c, answer map[string]any)
	wait   time.Duration
	want   *Refusal
	ends   bool
}

func badRefreshes() []badRefresh {
	set := func(name string, value any) func(party, map[string]any, map[string]any) {
		return func(_ party, c, _ map[string]any) { c[name] = value }
	}
	return []badRefresh{
		{name: "C17-another-person", change: set("sub", "u-2"), want: ErrToken, ends: true},
		{name: "C17-another-client", change: set("aud", "other"), want: ErrToken, ends: true},
		{name: "C17-another-issuer", change: set("iss", "https://other.example"), want: ErrToken, ends: true},
		{name: "C17-azp-of-another-client", change: set("azp", "other"), want: ErrToken, ends: true},
		{name: "C17-another-nonce", change: set("nonce", "x"), want: ErrToken, ends: true},
		{name: "C17-wrong-at-hash", change: set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), want: ErrToken, ends: true},
		{name: "C17-foreign-signature", change: func(p party, c, answer map[string]any) {
			answer["id_token"] = p.op.signWith(jose.HS256, []byte(strings.Repeat("k", 32)), p.op.kid, c)
		}, want: ErrToken, ends: true},
		{name: "C17-overage", config: func(c *Config) { c.RolesClaim = "groups" }, change: func(_ party, c, _ map[string]any) {
			delete(c, "groups")
			c["_claim_names"] = map[string]any{"groups": "src1"}
			c["_claim_sources"] = map[string]any{"src1": map[string]any{"endpoint": "https://graph.example/x"}}
		}, want: ErrGroupOverage, ends: true},
		{name: "C27-amr-taken-back", change: set("amr", []string{"pwd"}), want: ErrNoSecondFactor, ends: true},
		{name: "C27-amr-emptied", change: set("amr", []string{}), want: ErrNoSecondFactor, ends: true},
		{name: "C27-acr-lowered", config: func(c *Config) { c.Factor = Factor{ACR: []string{"gold"}} }, change: set("acr", "silver"), want: ErrNoSecondFactor, ends: true},
		{name: "C27-amr-taken-back-beside-acr", config: func(c *Config) { c.Factor = Factor{ACR: []string{"gold"}} }, change: func(_ party, c, _ map[string]any) {
			delete(c, "acr")
			c["amr"] = []string{"pwd"}
		}, want: ErrNoSecondFactor, ends: true},
		{name: "C27-max-age-passed", config: func(c *Config) { c.Factor.MaxAge = time.Hour }, wait: time.Hour, change: func(_ party, c, _ map[string]any) {
			c["auth_time"] = c["iat"]
		}, want: ErrNoSecondFactor, ends: true},
		{name: "gone", change: func(p party, _, _ map[string]any) {}, want: ErrRefreshGone, ends: true},
		{name: "unreachable", change: func(p party, _, _ map[string]any) {}, want: ErrProviderDown},
		{name: "talks-nonsense", change: func(p party, _, _ map[string]any) {}, want: ErrMisconfigured},
		{name: "refuses-the-client", change: func(p party, _, _ map[string]any) {}, want: ErrMisconfigured},
	}
}

func TestRefreshRefuses(t *testing.T) {
	t.Parallel()
	answers := map[string]http.HandlerFunc{
		"unreachable":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"talks-nonsense":     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>CANARY</html>")) },
		"refuses-the-client": func(w http.ResponseWriter, _ *http.Request) { tokenError(w, "invalid_client") },
		"gone":               func(w http.ResponseWriter, _ *http.Request) { tokenError(w, "invalid_grant") },
	}
	for _, bad := range badRefreshes() {
		t.Run(bad.name, func(t *testing.T) {
			t.Parallel()
			p, id := signedInParty(t, func(c *Config) {
				if bad.config != nil {
					bad.config(c)
				}
			})
			p.now.Advance(bad.wait)
			p.op.set(func() {
				p.op.answer = answers[bad.name]
				p.op.refreshed = func(c, answer map[string]any) { bad.change(p, c, answer) }
			})
			got, err := p.Refresh(t.Context(), RefreshRequest{Identity: id})
			if !errors.Is(err, bad.want) || EndsSession(err) != bad.ends {
				t.Fatalf("Refresh: %v (ends the session: %t), want %v (%t)", err, EndsSession(err), bad.want, bad.ends)
			}
			if !bad.ends && (got.RefreshToken != "rt-1" || got.Subject != "u-1") {
				t.Errorf("the session to keep is %+v", got)
			}
			for _, secret := range []string{"ada@", "Ada ", "CANARY", clientSecret, "at-1", "rt-1", "rt-2"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("C19: the error text holds %q: %v", secret, err)
				}
			}
		})
	}
}

// What isn't stated anew stays, and is what the next refresh is compared with.
func TestFactorTakenBackAfterARefreshWithoutOneEndsTheSession(t *testing.T) {
	t.Parallel()
	p, id := signedInParty(t)
	p.op.set(func() {
		p.op.refreshed = func(c, answer map[string]any) {
			delete(c, "amr")
			delete(answer, "refresh_token")
		}
	})
	id, err := p.Refresh(t.Context(), RefreshRequest{Identity: id})
	if err != nil || !p.Proves(id, p.now.Now()) {
		t.Fatalf("Refresh = %+v, %v", id, err)
	}
	p.op.set(func() { p.op.refreshed = func(c, _ map[string]any) { c["amr"] = []string{"pwd"} } })
	if _, err := p.Refresh(t.Context(), RefreshRequest{Identity: id}); !errors.Is(err, ErrNoSecondFactor) {
		t.Errorf("Refresh: %v", err)
	}
}

// A provider that rotates has given a new refresh token before its keys can't be
// had: losing it would end the session at the next refresh.
func TestRefreshKeepsTheNewTokenWhenLaterStepsFail(t *testing.T) {
	t.Parallel()
	p, id := signedInParty(t)
	p.op.set(func() {
		p.op.refreshed = func(c, _ map[string]any) { delete(c, "realm_access") }
		p.op.infoDown = true
	})
	got, err := p.Refresh(t.Context(), RefreshRequest{Identity: id})
	if !errors.Is(err, ErrProviderDown) || EndsSession(err) || got.RefreshToken != "rt-2" || !slices.Equal(got.Roles, id.Roles) {
		t.Errorf("Refresh = %+v, %v", got, err)
	}
}

// The provider changes its keys right after they were fetched, and before they
// may be fetched again.
func TestChangedKeysEndNoSession(t *testing.T) {
	t.Parallel()
	p, id := signedInParty(t)
	if _, err := p.Refresh(t.Context(), RefreshRequest{Identity: id}); err != nil {
		t.Fatal(err)
	}
	for _, kid := range []string{"k2", "k3"} { // the first change leads to a fetch, the second comes within the minute
		p.op.set(func() { p.op.kid = kid })
		got, err := p.Refresh(t.Context(), RefreshRequest{Identity: id})
		if kid == "k2" && err != nil || kid == "k3" && (!errors.Is(err, ErrProviderDown) || EndsSession(err) || got.RefreshToken == "") {
			t.Errorf("%s: Refresh = %v", kid, err)
		}
	}
	p.now.Advance(keysFor)
	if _, err := p.Refresh(t.Context(), RefreshRequest{Identity: id}); err != nil {
		t.Errorf("a minute later: %v", err)
	}
	// A signature by none of the provider's keys ends it all the same, a minute later.
	p.op.set(func() {
		p.op.sign = func(c map[string]any) string { return p.op.signWith(jose.ES256, p.op.key, "other", c) }
	})
	if _, err := p.Refresh(t.Context(), RefreshRequest{Identity: id}); EndsSession(err) {
		t.Errorf("at once: %v", err)
	}
}

func TestRefreshEndsWithItsContext(t *testing.T) {
	t.Parallel()
	p, id := signedInParty(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Refresh(ctx, RefreshRequest{Identity: id}); !errors.Is(err, context.Canceled) || EndsSession(err) {
		t.Errorf("Refresh: %v", err)
	}
	id.RefreshToken = ""
	if _, err := p.Refresh(t.Context(), RefreshRequest{Identity: id}); !errors.Is(err, ErrRefreshGone) {
		t.Errorf("without a refresh token: %v", err)
	}
}
