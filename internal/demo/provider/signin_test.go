package provider_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

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
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.attempt().url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := jarless.Do(r)
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
