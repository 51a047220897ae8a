package signin

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/test/stack"
)

var (
	providersForm = regexp.MustCompile(`<form[^>]* method="post" action="([^"]+)"[^>]*>.*?name="xsrf" value="([^"]*)"`)
	onwardLink    = regexp.MustCompile(`<a class="button main" href="([^"]+)"`)
)

// confirm presses the provider's button that ends its session.
func confirm(t *testing.T, p *stack.Person, at *stack.Answer) *stack.Answer {
	t.Helper()
	form := providersForm.FindStringSubmatch(strings.ReplaceAll(want(t, at, http.StatusOK).Body, "\n", " "))
	if form == nil {
		t.Fatalf("%s asks for nothing: %.600s", shown(at.URL), at.Body)
	}
	to, err := at.URL.Parse(html.UnescapeString(form[1]))
	if err != nil {
		t.Fatal(err)
	}
	return p.Navigate(t, http.MethodPost, to.String(), url.Values{"xsrf": {form[2]}, "logout": {"yes"}})
}

// TestSignInEndsWithAnotherVendorsProvider signs out in both directions at
// oidc-provider, which makes its own logout tokens and checks our hint.
func TestSignInEndsWithAnotherVendorsProvider(t *testing.T) {
	t.Parallel()
	s := start(t, plan{})
	t.Run("C15-back-channel-of-the-provider", func(t *testing.T) {
		vera, markus := s.signIn(t, "vera"), s.signIn(t, "markus")
		confirm(t, vera, vera.Navigate(t, http.MethodGet, s.provider.Issuer+"/session/end", nil))
		stack.Poll(t, "the session is dead", func() bool {
			return vera.Fetch(t, http.MethodGet, "/api/contacts/1001", "").Status == http.StatusUnauthorized
		})
		want(t, markus.Fetch(t, http.MethodGet, "/api/contacts/1001", ""), http.StatusOK)
		if e := s.events(t, audit.Revoked); len(e) != 1 || !strings.Contains(e[0].Detail, "back channel") {
			t.Errorf("entries %+v, want one of the back channel", e)
		}
	})
	t.Run("sign-out-ends-the-providers-session", func(t *testing.T) {
		vera := s.signIn(t, "vera")
		out := want(t, vera.Send(t, http.MethodPost, s.Base+"/.crmgate/sign-out", http.Header{
			"Accept": {"text/html"}, "Sec-Fetch-Site": {"same-origin"}, "Sec-Fetch-Mode": {"navigate"},
		}, ""), http.StatusOK)
		link := onwardLink.FindStringSubmatch(out.Body)
		if link == nil || !strings.HasPrefix(link[1], s.provider.Issuer+"/") {
			t.Fatalf("the page doesn't lead to the provider: %.600s", out.Body)
		}
		back := confirm(t, vera, vera.Navigate(t, http.MethodGet, html.UnescapeString(link[1]), nil))
		if want(t, back, http.StatusOK); shown(back.URL) != s.Base+"/.crmgate/signed-out" {
			t.Errorf("the provider leads to %s", shown(back.URL))
		}
		if at := vera.Navigate(t, http.MethodGet, s.Base+"/contacts", nil); !strings.HasPrefix(at.URL.Path, "/interaction/") {
			t.Errorf("after the sign-out a page is answered by %s", shown(at.URL))
		}
	})
}

// TestSignInAtAProviderWithHabits: several audiences with azp, no amr, and a
// refresh token that stays the same.
func TestSignInAtAProviderWithHabits(t *testing.T) {
	t.Parallel()
	s := start(t, plan{provider: stack.ProviderConfig{Set: map[string]any{
		"rotate_refresh_token": false, "seconds": map[string]int{"access_token": 4},
		"behaviour": map[string]any{"id_token": map[string]any{
			"set": map[string]any{"aud": []string{stack.ClientID, "api"}, "azp": stack.ClientID}, "omit": []string{"amr"},
		}},
	}}})
	vera := s.signIn(t, "vera")
	before := s.provider.Count(t)["/token"]
	stack.Poll(t, "two renewals", func() bool { return s.provider.Count(t)["/token"] >= before+2 })
	want(t, vera.Fetch(t, http.MethodGet, "/api/contacts/1001", ""), http.StatusOK)
	if e := s.events(t, audit.RefreshFailed); len(e) > 0 {
		t.Errorf("renewals failed: %+v", e)
	}
}
