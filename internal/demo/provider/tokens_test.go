package provider_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/crmgate/crmgate/internal/demo/provider"
)

func TestRefreshKeepsTheProofAndRotates(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	token, before := h.exchange(b, h.signIn(b, "vera"))
	refresh := func(rt string) (*oauth2.Token, error) {
		return h.oauth.TokenSource(t.Context(), &oauth2.Token{RefreshToken: rt}).Token()
	}
	renewed, err := refresh(token.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	c, err := h.verify(renewed)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.AMR, before.AMR) || c.ACR != before.ACR || c.AuthTime != before.AuthTime || c.SID != before.SID {
		t.Errorf("claims = %+v, want those of the sign-in %+v", c, before)
	}
	if _, err := refresh(token.RefreshToken); err == nil {
		t.Error("a rotated refresh token was taken")
	}
	if _, err := refresh(renewed.RefreshToken); err == nil {
		t.Error("a refresh token outlived the use of its stolen copy")
	}
}

func TestCodeIsGoodOnceAndOnlyWithItsVerifier(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	a := h.signIn(b, "nina")
	code := b.callback.Get("code")
	h.exchange(b, a)
	if _, err := h.oauth.Exchange(t.Context(), code, oauth2.VerifierOption(a.verifier)); err == nil {
		t.Error("a code was taken twice")
	}
	h.clock.advance(time.Second)
	h.signIn(b, "nina", prompt("login"))
	if _, err := h.oauth.Exchange(t.Context(), b.callback.Get("code"), oauth2.VerifierOption(oauth2.GenerateVerifier())); err == nil {
		t.Error("a code was taken with a foreign verifier")
	}
	a = h.signIn(b, "nina", prompt("login"))
	h.clock.advance(61 * time.Second)
	if _, err := h.oauth.Exchange(t.Context(), b.callback.Get("code"), oauth2.VerifierOption(a.verifier)); err == nil {
		t.Error("a code was taken after a minute")
	}
}

func TestRacingExchangesOfOneCodeGetOneGrant(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	a := h.signIn(b, "nina")
	var wg sync.WaitGroup
	errs := make([]error, 10)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = h.oauth.Exchange(t.Context(), b.callback.Get("code"), oauth2.VerifierOption(a.verifier))
		})
	}
	wg.Wait()
	good := 0
	for _, err := range errs {
		if err == nil {
			good++
		}
	}
	if good != 1 {
		t.Errorf("%d of ten racing exchanges succeeded, want 1", good)
	}
}

func TestFlowWithoutS256IsRefused(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	for _, u := range []string{
		h.oauth.AuthCodeURL("s"),
		h.oauth.AuthCodeURL("s", oauth2.SetAuthURLParam("code_challenge", "x"), oauth2.SetAuthURLParam("code_challenge_method", "plain")),
	} {
		if b.get(u); b.callback.Get("error") != "invalid_request" {
			t.Errorf("callback = %v, want invalid_request", b.callback)
		}
	}
}

func TestForeignRedirectURIIsNotFollowed(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	h.oauth.RedirectURL = "http://127.0.0.1:9/callback/../evil"
	if b.get(h.attempt().url); b.status != http.StatusBadRequest || b.callback != nil {
		t.Errorf("status %d, callback %v", b.status, b.callback)
	}
}

func TestWrongClientSecretGetsNoToken(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	a := h.signIn(b, "nina")
	h.oauth.ClientSecret = "wrong"
	var refused *oauth2.RetrieveError
	if _, err := h.oauth.Exchange(t.Context(), b.callback.Get("code"), oauth2.VerifierOption(a.verifier)); !errors.As(err, &refused) {
		t.Errorf("exchange: %v, want a refusal", err)
	}
}

func TestUserinfoTellsWhatTheTokenTells(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	token, c := h.exchange(b, h.signIn(b, "dora"))
	info, err := h.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
	if err != nil {
		t.Fatal(err)
	}
	var u claims
	if err := info.Claims(&u); err != nil {
		t.Fatal(err)
	}
	if u.Subject != c.Subject || u.Email != c.Email || !slices.Equal(u.Roles, []string{"auditor", "data_protection"}) {
		t.Errorf("userinfo = %+v, ID token %+v", u, c)
	}
}

func TestDiscoveryNamesOnlyWhatIsServed(t *testing.T) {
	h := newHouse(t, "")
	var d map[string]json.RawMessage
	if err := h.provider.Claims(&d); err != nil {
		t.Fatal(err)
	}
	if got := string(d["response_types_supported"]); got != `["code"]` {
		t.Errorf("response_types_supported = %s", got)
	}
	if got := string(d["acr_values_supported"]); !strings.Contains(got, provider.ACRSecondFactor) {
		t.Errorf("acr_values_supported = %s", got)
	}
	if _, ok := d["device_authorization_endpoint"]; ok {
		t.Error("a device endpoint is announced")
	}
}

func TestConfigurationThatCannotWorkIsRefused(t *testing.T) {
	good := func() provider.Config {
		return provider.Config{
			Issuer: "http://127.0.0.1:1", ClientID: "a", ClientSecret: "b", RedirectURIs: []string{callbackURI},
			Employees: provider.Employees(),
		}
	}
	if _, err := provider.New(good()); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*provider.Config){
		"no issuer":           func(c *provider.Config) { c.Issuer = "" },
		"http off loopback":   func(c *provider.Config) { c.Issuer = "http://login.example.com" },
		"slash at the end":    func(c *provider.Config) { c.Issuer += "/" },
		"no secret":           func(c *provider.Config) { c.ClientSecret = "" },
		"no redirect":         func(c *provider.Config) { c.RedirectURIs = nil },
		"relative redirect":   func(c *provider.Config) { c.RedirectURIs = []string{"/callback"} },
		"employee twice":      func(c *provider.Config) { c.Employees = append(c.Employees, c.Employees[0]) },
		"empty password":      func(c *provider.Config) { c.Employees[0].Password = "" },
		"colon in subject":    func(c *provider.Config) { c.Employees[0].Subject = "a:b" },
		"secret isn't base32": func(c *provider.Config) { c.Employees[0].TOTPSecret = "0189" },
	} {
		c := good()
		spoil(&c)
		if _, err := provider.New(c); !errors.Is(err, provider.ErrConfig) {
			t.Errorf("%s: %v, want ErrConfig", name, err)
		}
	}
}
