package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutClaims are those of a logout token that is right.
func (p party) logoutClaims() map[string]any {
	now := p.now.Now()
	return map[string]any{
		"iss": p.op.srv.URL, "aud": clientID, "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "jti": "j-1",
		"sub": "u-1", "sid": "sid-1", "events": map[string]any{logoutEvent: map[string]any{}},
	}
}

func (p party) logoutToken(change map[string]any) string {
	c := p.logoutClaims()
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == absent })
	return p.op.signWith(jose.ES256, p.op.key, p.op.kid, c)
}

// absent takes a claim out.
var absent = new(int)

func TestLogoutTokenSaysWhoHasLeft(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	got, err := p.VerifyLogout(t.Context(), p.logoutToken(nil))
	want := Logout{Subject: "u-1", SID: "sid-1", ID: "j-1", Until: p.now.Now().Add(4 * time.Minute)}
	if err != nil || got != want {
		t.Errorf("VerifyLogout = %+v, %v, want %+v", got, err, want)
	}
	for _, without := range []string{"sub", "sid"} {
		if _, err := p.VerifyLogout(t.Context(), p.logoutToken(map[string]any{without: absent})); err != nil {
			t.Errorf("without %s: %v", without, err)
		}
	}
	if _, err := p.VerifyLogout(t.Context(), p.logoutToken(map[string]any{"aud": []string{"another", clientID}})); err != nil {
		t.Errorf("several audiences: %v", err)
	}
}

func TestLogoutTokenIsRememberedAsLongAsItIsTaken(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	for _, life := range []time.Duration{time.Minute, 2 * time.Minute, time.Hour} {
		raw := p.logoutToken(map[string]any{"exp": p.now.Now().Add(life).Unix()})
		for {
			l, err := p.VerifyLogout(t.Context(), raw)
			if err != nil {
				break
			}
			if !p.now.Now().Before(l.Until) {
				t.Fatalf("a token of %s is taken after %s, when it is forgotten", life, l.Until)
			}
			p.now.Advance(10 * time.Second)
		}
	}
}

func TestSignInLogoutTokens(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := p.now.Now()
	events := func(v any) map[string]any { return map[string]any{"events": v} }
	for name, raw := range map[string]string{
		"C25-another-client":         p.logoutToken(map[string]any{"aud": "CANARY"}),
		"C25-nonce-makes-it-another": p.logoutToken(map[string]any{"nonce": "n"}),
		"C25-empty-nonce":            p.logoutToken(map[string]any{"nonce": nil}),
		"C25-no-event":               p.logoutToken(map[string]any{"events": absent}),
		"C25-another-event":          p.logoutToken(events(map[string]any{"http://schemas.openid.net/event/other": map[string]any{}})),
		"C25-event-is-no-object":     p.logoutToken(events(map[string]any{logoutEvent: "yes"})),
		"C25-event-is-null":          p.logoutToken(events(map[string]any{logoutEvent: nil})),
		"C25-events-are-a-list":      p.logoutToken(events([]string{logoutEvent})),
		"C25-typ-of-an-access-token": p.typed(t, "at+jwt"),
		"C26-alg-none":               unsigned(p.logoutClaims()),
		"C26-hmac":                   p.op.signWith(jose.HS256, []byte(clientSecret+strings.Repeat("x", 32)), p.op.kid, p.logoutClaims()),
		"C26-another-key":            p.op.signWith(jose.ES256, other, p.op.kid, p.logoutClaims()),
		"C26-expired":                p.logoutToken(map[string]any{"iat": now.Add(-5 * time.Minute).Unix(), "exp": now.Add(-2 * time.Minute).Unix()}),
		"C26-no-exp":                 p.logoutToken(map[string]any{"exp": absent}),
		"C26-old-with-a-long-life":   p.logoutToken(map[string]any{"iat": now.Add(-12 * time.Minute).Unix(), "exp": now.Add(time.Hour).Unix()}),
		"C26-from-the-future":        p.logoutToken(map[string]any{"iat": now.Add(2 * time.Minute).Unix()}),
		"C26-no-iat":                 p.logoutToken(map[string]any{"iat": absent}),
		"C26-issuer-with-slash":      p.logoutToken(map[string]any{"iss": p.op.srv.URL + "/"}),
		"no-jti":                     p.logoutToken(map[string]any{"jti": absent}),
		"long-jti":                   p.logoutToken(map[string]any{"jti": strings.Repeat("j", 300)}),
		"long-sid":                   p.logoutToken(map[string]any{"sid": strings.Repeat("s", 300)}),
		"names-nobody":               p.logoutToken(map[string]any{"sub": absent, "sid": absent}),
		"empty":                      "",
		"long":                       strings.Repeat("A", 1<<20),
		"junk":                       "a.b.c",
	} {
		t.Run(name, func(t *testing.T) {
			if l, err := p.VerifyLogout(t.Context(), raw); !errors.Is(err, ErrLogoutToken) || l != (Logout{}) {
				t.Errorf("VerifyLogout = %+v, %v, want ErrLogoutToken", l, err)
			} else if strings.Contains(err.Error(), "u-1") || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("the error quotes the token: %v", err)
			}
		})
	}
	t.Run("C25-types-that-are-right", func(t *testing.T) {
		for _, typ := range []string{"logout+jwt", "application/logout+JWT", "JWT"} {
			if _, err := p.VerifyLogout(t.Context(), p.typed(t, typ)); err != nil {
				t.Errorf("%s: %v", typ, err)
			}
		}
	})
	t.Run("C25-id-token-is-no-logout-token", func(t *testing.T) {
		fin, err := p.Finish(t.Context(), p.begin(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.VerifyLogout(t.Context(), fin.Identity.IDToken); !errors.Is(err, ErrLogoutToken) {
			t.Errorf("VerifyLogout = %v", err)
		}
	})
	t.Run("C25-logout-token-is-no-id-token", func(t *testing.T) {
		q := newParty(t)
		q.op.set(func() {
			q.op.sign = func(map[string]any) string { return q.logoutToken(nil) }
		})
		if _, err := q.Finish(t.Context(), q.begin(t)); !errors.Is(err, ErrToken) {
			t.Errorf("Finish = %v", err)
		}
	})
}

// typed is a right token with a type.
func (p party) typed(t *testing.T, typ string) string {
	t.Helper()
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: p.op.key, KeyID: p.op.kid}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(mustJSON(t, p.logoutClaims()))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestLogoutTokenWhileTheProviderIsDown(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	p.op.set(func() { p.op.down = true })
	if _, err := p.VerifyLogout(t.Context(), p.logoutToken(nil)); !errors.Is(err, ErrProviderDown) {
		t.Errorf("VerifyLogout = %v, want ErrProviderDown", err)
	}
}

func TestMadeUpKeyIDsDriveNoRequests(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		raw := p.op.signWith(jose.ES256, p.op.key, rand.Text(), p.logoutClaims())
		if _, err := p.VerifyLogout(t.Context(), raw); !errors.Is(err, ErrLogoutToken) {
			t.Fatal(err)
		}
	}
	if n := p.op.count("/keys"); n > 1 {
		t.Errorf("50 tokens made %d requests for keys", n)
	}
}

func TestLogoutMayBeEmbeddedByTheProviderOnly(t *testing.T) {
	t.Parallel()
	p := newParty(t)
	if got := p.LogoutHosts(); len(got) != 1 || got[0] != p.op.srv.URL {
		t.Errorf("before discovery: %q", got)
	}
	p.op.set(func() {
		p.op.meta = func(m map[string]any) { m["end_session_endpoint"] = "https://sso.example.de/end?x=1" }
	})
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := p.LogoutHosts(); len(got) != 2 || got[1] != "https://sso.example.de" {
		t.Errorf("after discovery: %q", got)
	}
}

func FuzzLogoutType(f *testing.F) {
	for _, s := range []string{"", ".", "eyJ0eXAiOiJKV1QifQ.e30.", "eyJ0eXAiOiJhdCtqd3QifQ.e30.x", "bnVsbA..", "W10.."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if err := logoutType(raw); err != nil && !errors.Is(err, ErrLogoutToken) {
			t.Errorf("logoutType(%q) = %v", raw, err)
		}
	})
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
