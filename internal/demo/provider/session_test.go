package provider_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/crmgate/crmgate/internal/demo/provider"
)

func TestSecondSignInReusesTheSession(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	_, before := h.exchange(b, h.signIn(b, "vera"))
	h.clock.advance(time.Hour)
	a := h.attempt()
	b.get(a.url)
	_, c := h.exchange(b, a)
	if c.AuthTime != before.AuthTime || c.SID != before.SID || !slices.Contains(c.AMR, "otp") {
		t.Errorf("claims = %+v, want those of %+v", c, before)
	}
}

func TestEightHoursEndTheSession(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	h.exchange(b, h.signIn(b, "vera"))
	h.clock.advance(8*time.Hour + time.Second)
	if b.get(h.attempt().url); b.callback != nil {
		t.Errorf("callback = %v, want the sign-in page", b.callback)
	}
}

func acr(v string) oauth2.AuthCodeOption    { return oauth2.SetAuthURLParam("acr_values", v) }
func prompt(v string) oauth2.AuthCodeOption { return oauth2.SetAuthURLParam("prompt", v) }
func maxAge(v string) oauth2.AuthCodeOption { return oauth2.SetAuthURLParam("max_age", v) }

func TestFreshSignInIsAskedForWhenTheClientSaysSo(t *testing.T) {
	for name, option := range map[string]oauth2.AuthCodeOption{
		"prompt=login": prompt("login"), "prompt=select_account": prompt("select_account"),
		"max_age=0": maxAge("0"), "max_age=60": maxAge("60"),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, "")
			b := newBrowser(t)
			_, before := h.exchange(b, h.signIn(b, "vera"))
			h.clock.advance(61 * time.Second)
			if b.get(h.attempt(option).url); b.callback != nil {
				t.Fatalf("callback = %v, want the sign-in page", b.callback)
			}
			_, c := h.exchange(b, h.signIn(b, "vera", option))
			if c.AuthTime != before.AuthTime+61 {
				t.Errorf("auth_time = %d, want the new sign-in's", c.AuthTime)
			}
		})
	}
}

func TestSessionWithinMaxAgeIsGoodEnough(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	h.exchange(b, h.signIn(b, "vera"))
	h.clock.advance(59 * time.Second)
	a := h.attempt(maxAge("60"))
	b.get(a.url)
	h.exchange(b, a)
}

func TestPromptNoneNeverShowsAPage(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	a := h.attempt(prompt("none"))
	b.get(a.url)
	if b.callback.Get("error") != "login_required" || b.callback.Get("state") != a.state {
		t.Errorf("callback = %v, want login_required", b.callback)
	}
	h.exchange(b, h.signIn(b, "vera"))
	a = h.attempt(prompt("none"))
	b.get(a.url)
	h.exchange(b, a)
}

func TestStepUpAsksForTheCodeAlone(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	a := h.attempt(acr(provider.ACRPassword))
	b.get(a.url)
	b.password("vera", "vera-demo")
	_, c := h.exchange(b, a)
	if !slices.Equal(c.AMR, []string{"pwd"}) || c.ACR != provider.ACRPassword {
		t.Fatalf("amr, acr = %v, %s; want the password alone", c.AMR, c.ACR)
	}
	sid := c.SID
	a = h.attempt(acr(provider.ACRSecondFactor))
	b.get(a.url)
	if strings.Contains(b.page, `name="password"`) {
		t.Fatal("step-up asks for the password again")
	}
	b.code(provider.Code(employee(t, "vera").TOTPSecret, h.clock.now()))
	_, c = h.exchange(b, a)
	if !slices.Equal(c.AMR, []string{"pwd", "otp", "mfa"}) || c.ACR != provider.ACRSecondFactor || c.SID != sid {
		t.Errorf("amr, acr, sid = %v, %s, %s", c.AMR, c.ACR, c.SID)
	}
}

func TestSomebodyElseCanSignIn(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	a := h.attempt()
	b.get(a.url)
	b.password("vera", "vera-demo")
	b.submitTo("/oidc/login/restart", url.Values{})
	b.password("nina", "nina-demo")
	if _, c := h.exchange(b, a); c.Username != "nina" || len(c.AMR) != 1 {
		t.Errorf("claims = %+v, want nina by password", c)
	}
}

func TestZeroMaxAgeAsksAnewWithinTheSameSecond(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	h.exchange(b, h.signIn(b, "nina"))
	if b.get(h.attempt(maxAge("0")).url); b.callback != nil {
		t.Errorf("callback = %v, want the sign-in page", b.callback)
	}
}

func TestNewSignInEndsTheOldCookie(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	h.exchange(b, h.signIn(b, "nina"))
	at, err := url.Parse(h.issuer + "/oidc/login")
	if err != nil {
		t.Fatal(err)
	}
	old := b.client.Jar.Cookies(at)
	h.exchange(b, h.signIn(b, "nina", prompt("login")))
	b = newBrowser(t)
	b.client.Jar.SetCookies(at, old)
	if b.get(h.attempt().url); b.callback != nil {
		t.Errorf("callback = %v: the cookie of the earlier sign-in is still good", b.callback)
	}
}

func TestIDTokenHintAdmitsNobodyElse(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	token, _ := h.exchange(b, h.signIn(b, "vera"))
	hint, _ := token.Extra("id_token").(string)
	b = newBrowser(t)
	h.exchange(b, h.signIn(b, "nina"))
	b.get(h.attempt(oauth2.SetAuthURLParam("id_token_hint", hint)).url)
	if b.callback != nil {
		t.Fatalf("callback = %v, want the sign-in page", b.callback)
	}
	if b.password("nina", "nina-demo"); b.status != http.StatusForbidden || b.callback != nil {
		t.Errorf("status %d, callback %v, want a refusal", b.status, b.callback)
	}
}

func TestEndSessionEndsBrowserSessionAndTokens(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	token, _ := h.exchange(b, h.signIn(b, "vera"))
	var d struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := h.provider.Claims(&d); err != nil {
		t.Fatal(err)
	}
	hint, _ := token.Extra("id_token").(string)
	b.get(d.EndSession + "?" + url.Values{
		"id_token_hint": {hint}, "post_logout_redirect_uri": {loggedOutURI}, "state": {"xyz"},
	}.Encode())
	if got := b.header.Get("Location"); got != loggedOutURI+"?state=xyz" {
		t.Errorf("redirect = %q (status %d)", got, b.status)
	}
	if b.get(h.attempt().url); b.callback != nil {
		t.Error("the browser is still signed in")
	}
	if _, err := h.oauth.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token(); err == nil {
		t.Error("the refresh token outlived the sign-out")
	}
	if _, err := h.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token)); err == nil {
		t.Error("the access token outlived the sign-out")
	}
}

func TestSignOutWithoutHintAsksFirst(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	h.exchange(b, h.signIn(b, "vera"))
	b.get(h.issuer + "/oidc/end_session?client_id=" + clientID + "&post_logout_redirect_uri=" + url.QueryEscape(loggedOutURI))
	if !strings.Contains(b.page, "Do you want to sign out") {
		t.Fatalf("page:\n%s", b.page)
	}
	a := h.attempt()
	if b.get(a.url); b.callback == nil {
		t.Fatal("the question alone signed out")
	}
	b.get(h.issuer + "/oidc/sign-out")
	b.submit(url.Values{})
	if !strings.Contains(b.page, "Signed out") {
		t.Errorf("page:\n%s", b.page)
	}
	if b.get(h.attempt().url); b.callback != nil {
		t.Error("the browser is still signed in")
	}
}

func TestForeignPostLogoutURIIsRefused(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	b.get(h.issuer + "/oidc/end_session?client_id=" + clientID + "&post_logout_redirect_uri=https://example.org/")
	if b.status != http.StatusBadRequest {
		t.Errorf("status %d, want 400", b.status)
	}
}
