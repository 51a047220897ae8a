package signin

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/test/stack"
)

const export = "/contacts/export.csv"

// stepUpSite demands a key for exports, and a fresh proof for one page.
func stepUpSite(t *testing.T) *site {
	t.Helper()
	return start(t, plan{
		provider: stack.ProviderConfig{Set: map[string]any{"accounts": keyHolders(t)}},
		mfa:      "mfa acr " + stack.ACR + " " + stack.ACRKey,
		gate: []string{
			"step_up action:export acr " + stack.ACRKey,
			"step_up /leads/* max_age 1m",
		},
	})
}

// keyHolders are the provider's accounts; paula has a security key.
func keyHolders(t *testing.T) map[string]any {
	t.Helper()
	accounts := map[string]any{}
	for login, a := range stack.StandardAccounts(t) {
		a["key"] = "a key of " + login
		accounts[login] = a
	}
	return accounts
}

// TestSignInStepUp goes through a step-up as a person does, and as somebody who
// would rather not.
func TestSignInStepUp(t *testing.T) {
	t.Parallel()
	s := stepUpSite(t)

	t.Run("C16-step-up-makes-a-new-session-and-ends-the-old", func(t *testing.T) {
		paula := s.signIn(t, "paula")
		old := paula.Cookie(t, sessionCookie)
		at := paula.Navigate(t, http.MethodGet, s.Base+export+"?sort=email", nil)
		if !strings.HasPrefix(at.URL.String(), s.provider.Issuer) {
			t.Fatalf("the export leads to %s, want the provider", shown(at.URL))
		}
		a := want(t, paula.ProveByKey(t, at), http.StatusOK)
		if a.URL.String() != s.Base+export+"?sort=email" || !strings.Contains(a.Body, ";") {
			t.Errorf("the step-up ended at %s", a.URL)
		}
		if now := paula.Cookie(t, sessionCookie); now == old || now == "" {
			t.Error("the session has the id of before")
		}
		thief := s.person(t, "paula")
		thief.SetCookie(t, sessionCookie, old)
		want(t, thief.Fetch(t, http.MethodGet, "/api/contacts", ""), http.StatusUnauthorized)
		// The proof lasts for the session: it needs no second one.
		want(t, paula.Navigate(t, http.MethodGet, s.Base+export, nil), http.StatusOK)
		up := s.events(t, audit.StepUp)
		if len(up) != 1 || !strings.Contains(up[0].Factor, "acr="+stack.ACRKey) || up[0].Names != nil {
			t.Errorf("the entries of the step-up are %+v", up)
		}
	})

	t.Run("C16-another-person-comes-back", func(t *testing.T) {
		vera := s.signIn(t, "vera")
		mine := vera.Cookie(t, sessionCookie)
		at := vera.Navigate(t, http.MethodGet, s.Base+export, nil)
		s.provider.Behave(t, map[string]any{"id_token": map[string]any{"set": map[string]any{"sub": "paula"}}})
		a := want(t, vera.ProveByKey(t, at), http.StatusForbidden)
		s.provider.Behave(t, map[string]any{"id_token": map[string]any{}})
		if !strings.Contains(a.Body, "other_person") {
			t.Errorf("the page doesn't say why:\n%s", a.Body)
		}
		if vera.Cookie(t, sessionCookie) != mine {
			t.Error("the session changed")
		}
		want(t, vera.Fetch(t, http.MethodGet, "/api/contacts/1001", ""), http.StatusOK)
	})

	t.Run("C27-weaker-factor-than-demanded", func(t *testing.T) {
		paula := s.signIn(t, "paula")
		at := paula.Navigate(t, http.MethodGet, s.Base+export, nil)
		a := want(t, paula.Prove(t, at), http.StatusForbidden) // a code, not the key
		if !strings.Contains(a.Body, "step_up_failed") {
			t.Errorf("the page doesn't say why:\n%s", a.Body)
		}
	})

	t.Run("scripts-are-told", func(t *testing.T) {
		paula := s.signIn(t, "paula")
		before := len(s.crm.requests())
		a := want(t, paula.Fetch(t, http.MethodGet, export, ""), http.StatusUnauthorized)
		if c := a.Header.Get("WWW-Authenticate"); !strings.Contains(c, `error="insufficient_user_authentication"`) || !strings.Contains(c, `acr_values="`+stack.ACRKey+`"`) {
			t.Errorf("WWW-Authenticate: %s", c)
		}
		var problem struct {
			Reason string
			Login  string `json:"login_url"`
		}
		if err := json.Unmarshal([]byte(a.Body), &problem); err != nil || problem.Reason != "step_up" || problem.Login != "/.crmgate/step-up/1" {
			t.Fatalf("the answer is %s (%v)", a.Body, err)
		}
		if a.Header.Get("Audit-Id") == "" {
			t.Error("the refusal is no entry")
		}
		if n := len(s.crm.requests()) - before; n != 0 {
			t.Errorf("%d requests reached the CRM", n)
		}
		a = want(t, paula.ProveByKey(t, paula.Navigate(t, http.MethodGet, s.Base+problem.Login, nil)), http.StatusOK)
		if a.URL.Path != "/contacts" { // where the CRM leads from /
			t.Errorf("the fresh sign-in ended at %s", shown(a.URL))
		}
		want(t, paula.Fetch(t, http.MethodGet, export, ""), http.StatusOK)
	})

	t.Run("C18-step-up-address-takes-no-parameters", func(t *testing.T) {
		paula := s.signIn(t, "paula")
		for _, path := range []string{"/0", "/3", "/x", "/1,,1", "/01", "/1,1,1,1,1,1,1,1,1,1,1", "/", "//evil.example", "/-1", "/99999999999999999999"} {
			if a := paula.Navigate(t, http.MethodGet, s.Base+"/.crmgate/step-up"+path, nil); a.Status != http.StatusNotFound && a.Status != http.StatusBadRequest {
				t.Errorf("step-up%s answers %d at %s", path, a.Status, shown(a.URL))
			}
		}
	})
}

// TestSignInStepUpByAge moves nothing but the provider's idea of when somebody
// signed in.
func TestSignInStepUpByAge(t *testing.T) {
	t.Parallel()
	s := stepUpSite(t)
	hour := map[string]any{"id_token": map[string]any{"set": map[string]any{"auth_time": 1_700_000_000}}}

	t.Run("C27-old-auth-time-leads-to-a-fresh-sign-in", func(t *testing.T) {
		s.provider.Behave(t, hour)
		vera := s.signIn(t, "vera")
		s.provider.Behave(t, map[string]any{"id_token": map[string]any{}})
		want(t, vera.Navigate(t, http.MethodGet, s.Base+"/contacts", nil), http.StatusOK)
		at := vera.Navigate(t, http.MethodGet, s.Base+"/leads/2001", nil)
		if !strings.Contains(at.Body, `name="password"`) {
			t.Fatalf("the provider doesn't ask again: %s", shown(at.URL))
		}
		if a := vera.Prove(t, at); a.URL.Path != "/leads/2001" || a.Status >= http.StatusInternalServerError {
			t.Errorf("the step-up ended at %s with %d", shown(a.URL), a.Status)
		}
	})

	t.Run("C27-provider-ignores-what-it-is-asked", func(t *testing.T) {
		s.provider.Behave(t, hour)
		vera := s.signIn(t, "vera")
		s.provider.Behave(t, map[string]any{"ignore": []string{"prompt", "max_age", "acr_values"}})
		a := want(t, vera.Navigate(t, http.MethodGet, s.Base+"/leads/2001", nil), http.StatusForbidden)
		if !strings.Contains(a.Body, "step_up_failed") {
			t.Errorf("the page doesn't say why:\n%s", a.Body)
		}
		stack.Poll(t, "the process log names the reason", func() bool { return strings.Contains(s.String(), "auth_time too old") })
		want(t, vera.Fetch(t, http.MethodGet, "/api/contacts/1001", ""), http.StatusOK)
		s.provider.Behave(t, map[string]any{"ignore": []string{}, "id_token": map[string]any{}})
	})
}
