package provider_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/crmgate/crmgate/internal/demo/provider"
)

func TestPasswordAndCodeProveTwoFactors(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	_, c := h.exchange(b, h.signIn(b, "vera"))
	if !slices.Equal(c.AMR, []string{"pwd", "otp", "mfa"}) || c.ACR != provider.ACRSecondFactor {
		t.Errorf("amr, acr = %v, %s", c.AMR, c.ACR)
	}
	if c.AuthTime != h.clock.now().Unix() {
		t.Errorf("auth_time = %d, want %d", c.AuthTime, h.clock.now().Unix())
	}
	want := claims{Subject: "demo-vera", Username: "vera", Name: "Vera Sommer", Email: "vera@example.com"}
	if c.Subject != want.Subject || c.Username != want.Username || c.Name != want.Name || c.Email != want.Email {
		t.Errorf("claims = %+v, want %+v", c, want)
	}
	if !slices.Equal(c.Roles, []string{"sales"}) || c.SID == "" {
		t.Errorf("roles, sid = %v, %q", c.Roles, c.SID)
	}
}

func TestEmployeeWithoutSecondFactorProvesOnlyAPassword(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	_, c := h.exchange(b, h.signIn(b, "nina", acr(provider.ACRSecondFactor)))
	if !slices.Equal(c.AMR, []string{"pwd"}) || c.ACR != provider.ACRPassword {
		t.Errorf("amr, acr = %v, %s; want the password alone", c.AMR, c.ACR)
	}
}

func TestIssuerMayHaveAPath(t *testing.T) {
	h := newHouse(t, "/login")
	b := newBrowser(t)
	h.exchange(b, h.signIn(b, "dora"))
}

func TestWrongPasswordLeadsNowhere(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	for _, login := range []string{"vera", "nobody", ""} {
		b.get(h.attempt().url)
		b.password(login, "wrong")
		if b.status != http.StatusForbidden || b.callback != nil || !strings.Contains(b.page, "login or the password is wrong") {
			t.Errorf("login %q: status %d, callback %v", login, b.status, b.callback)
		}
	}
}

func TestWrongCodeLeadsNowhere(t *testing.T) {
	h := newHouse(t, "")
	vera := employee(t, "vera")
	now := h.clock.now()
	right := []string{
		provider.Code(vera.TOTPSecret, now), provider.Code(vera.TOTPSecret, now.Add(-30*time.Second)),
		provider.Code(vera.TOTPSecret, now.Add(30*time.Second)),
	}
	guess := 0
	for slices.Contains(right, digits(guess)) {
		guess++
	}
	for _, code := range []string{digits(guess), "", "12345", "abcdef", provider.Code(vera.TOTPSecret, now.Add(-5*time.Minute))} {
		b := newBrowser(t)
		b.get(h.attempt().url)
		b.password("vera", vera.Password)
		if b.code(code); b.status != http.StatusForbidden || b.callback != nil {
			t.Errorf("code %q: status %d, callback %v", code, b.status, b.callback)
		}
		b.code(provider.Code(vera.TOTPSecret, now)) // the count starts anew
	}
}

func digits(n int) string { return strings.Repeat("0", 6-len(strconv.Itoa(n))) + strconv.Itoa(n) }

func TestPasswordAloneDoesNotFinishASignIn(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	a := h.attempt()
	b.get(a.url)
	b.password("vera", employee(t, "vera").Password)
	id := first(t, b.page, `name="id" value="([^"]+)"`)
	b.get(h.issuer + "/oidc/authorize/callback?id=" + id)
	if b.callback.Get("code") != "" || b.callback.Get("error") != "interaction_required" {
		t.Errorf("callback = %v, want interaction_required", b.callback)
	}
}

func TestFiveWrongAttemptsLockALoginForAMinute(t *testing.T) {
	for _, login := range []string{"vera", "nobody"} {
		h := newHouse(t, "")
		b := newBrowser(t)
		a := h.attempt()
		b.get(a.url)
		for i := range 4 {
			if b.password(login, "wrong"); b.status != http.StatusForbidden {
				t.Fatalf("attempt %d: status %d", i+1, b.status)
			}
		}
		b.password(login, "wrong")
		if b.status != http.StatusTooManyRequests || b.header.Get("Retry-After") != "60" {
			t.Fatalf("fifth attempt: status %d, Retry-After %q", b.status, b.header.Get("Retry-After"))
		}
		if login == "nobody" {
			continue
		}
		h.clock.advance(59 * time.Second)
		if b.password("vera", "vera-demo"); b.status != http.StatusTooManyRequests {
			t.Fatalf("right password within the minute: status %d", b.status)
		}
		h.clock.advance(2 * time.Second)
		b.password("vera", "vera-demo")
		b.code(provider.Code(employee(t, "vera").TOTPSecret, h.clock.now()))
		h.exchange(b, a)
	}
}

func TestRightPasswordDoesNotResetTheCountOfCodes(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	for range 5 {
		b.get(h.attempt().url)
		b.password("vera", "vera-demo")
		b.code("not it")
	}
	if b.status != http.StatusTooManyRequests {
		t.Errorf("status after five wrong codes = %d, want 429", b.status)
	}
}

func TestRacingGuessesAreCounted(t *testing.T) {
	h := newHouse(t, "")
	var wg sync.WaitGroup
	statuses := make([]int, 20)
	for i := range statuses {
		b := newBrowser(t)
		b.get(h.attempt().url)
		wg.Go(func() {
			b.password("vera", "guess "+strconv.Itoa(i))
			statuses[i] = b.status
		})
	}
	wg.Wait()
	looked := 0
	for _, s := range statuses {
		if s == http.StatusForbidden {
			looked++
		}
	}
	if looked != 4 {
		t.Errorf("%d guesses were only refused, want 4: the fifth locks", looked)
	}
}

func TestSignInBelongsToTheBrowserThatOpenedIt(t *testing.T) {
	h := newHouse(t, "")
	attacker, victim := newBrowser(t), newBrowser(t)
	// The attacker starts a sign-in without opening its page, and sends the link.
	jarless := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := jarless.Get(h.attempt().url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	link := resp.Header.Get("Location")
	victim.get(link)
	victim.password("nina", "nina-demo")
	if victim.callback.Get("code") == "" {
		t.Fatalf("victim's sign-in: status %d", victim.status)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	attacker.get(h.attempt().url) // has cookies of its own
	attacker.get(h.issuer + "/oidc/authorize/callback?id=" + u.Query().Get("id"))
	if attacker.callback != nil || attacker.status != http.StatusForbidden {
		t.Errorf("attacker got status %d, %v", attacker.status, attacker.callback)
	}
	attacker.submitTo("/oidc/authorize/callback?id="+first(t, attacker.pageOf(h), `name="id" value="([^"]+)"`),
		url.Values{"id": {u.Query().Get("id")}})
	if attacker.callback != nil || attacker.status != http.StatusMethodNotAllowed {
		t.Errorf("attacker's POST got status %d, %v", attacker.status, attacker.callback)
	}
}

// pageOf opens a fresh sign-in page.
func (b *browser) pageOf(h *house) string {
	b.get(h.attempt().url)
	return b.page
}

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

func TestSignInPageExpires(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	b.get(h.attempt().url)
	h.clock.advance(15*time.Minute + time.Second)
	b.password("nina", "nina-demo")
	if b.status != http.StatusBadRequest || !strings.Contains(b.page, "no longer valid") || b.callback != nil {
		t.Errorf("status %d, callback %v", b.status, b.callback)
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

func TestFormFromAnotherSiteIsRefused(t *testing.T) {
	h := newHouse(t, "")
	b := newBrowser(t)
	b.get(h.attempt().url)
	id := first(t, b.page, `name="id" value="([^"]+)"`)
	form := url.Values{"id": {id}, "login": {"nina"}, "password": {"nina-demo"}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.issuer+"/oidc/login", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://example.org")
	if b.do(r); b.status != http.StatusForbidden || b.callback != nil {
		t.Errorf("status %d, callback %v", b.status, b.callback)
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

func TestPagesSpeakGermanAndEnglish(t *testing.T) {
	h := newHouse(t, "")
	for accept, want := range map[string]string{
		"de-AT,de;q=0.9": `<html lang="de">`, "en-GB": `<html lang="en">`, "fr": `<html lang="en">`, ";;;": `<html lang="en">`,
	} {
		b := newBrowser(t)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.attempt().url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Language", accept)
		if b.do(r); !strings.Contains(b.page, want) {
			t.Errorf("Accept-Language %q: no %s", accept, want)
		}
		if csp := b.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") ||
			!strings.Contains(csp, "form-action 'self' http://127.0.0.1:9") {
			t.Errorf("Content-Security-Policy = %q", csp)
		}
	}
}

func TestCodeIsShownOnlyWhereConfigured(t *testing.T) {
	for _, show := range []bool{true, false} {
		h := newHouse(t, "", func(c *provider.Config) { c.ShowCodes = show })
		b := newBrowser(t)
		b.get(h.attempt().url)
		b.password("vera", "vera-demo")
		code := provider.Code(employee(t, "vera").TOTPSecret, h.clock.now())
		if strings.Contains(b.page, code[:3]+" "+code[3:]) != show || strings.Contains(b.page, code) {
			t.Errorf("ShowCodes %v:\n%s", show, b.page)
		}
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
