package gate_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// at is the same browser at another site: a host's cookies go to all its ports,
// and whoever has one can send it anywhere.
func (b *browser) at(s *site) *browser {
	other := newBrowser(s)
	other.jar = b.jar
	return other
}

// signedInBy signs somebody in at the forger by a method, with a role and groups.
func signedInBy(t *testing.T, b *browser, who, method, role string, groups ...string) {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"sub": who, "amr": []string{"pwd", method}, "roles": []string{role}, "groups": groups})
	if err != nil {
		t.Fatal(err)
	}
	forged := "claims:" + base64.RawURLEncoding.EncodeToString(raw)
	b.do(t, ask{path: forge(t, b, toProvider(t, b), forged), page: true}).want(t, http.StatusFound)
}

// barred fails the test unless the browser is nobody at its site, by whatever way
// something there asks who it is.
func (b *browser) barred(t *testing.T) {
	t.Helper()
	sc := newScene(t, nil)
	own := http.Header{"Sec-Fetch-Site": {"same-origin"}}
	form := http.Header{"Sec-Fetch-Site": {"same-origin"}, "Content-Type": {"application/x-www-form-urlencoded"}}
	for _, a := range []ask{
		{path: "/api/contacts", scene: sc},
		{path: "/static/app.css", scene: sc},
		{path: "/api/contacts/1001", method: "PATCH", body: `{"city":"Wien"}`, header: own, scene: sc},
		{path: "/.crmgate/"},
		{path: "/.crmgate/why"},
		{path: "/.crmgate/continue"},
		{path: "/.crmgate/sessions"},
		{path: "/.crmgate/sessions", method: "POST", body: url.Values{"end": {"others"}}.Encode(), header: form},
	} {
		b.do(t, a).want(t, http.StatusUnauthorized)
	}
	if r := b.do(t, ask{path: "/api/contacts", page: true, scene: sc}).want(t, http.StatusFound); !strings.Contains(r.header.Get("Location"), "/auth") {
		t.Errorf("a page leads to %s, not to the provider", r.header.Get("Location"))
	}
	sc.nothing(t)
}

// Sites share the store. What a role is, and what proves a second factor, each
// says for itself.
func TestSignInAtAnotherSite(t *testing.T) {
	t.Parallel()
	t.Run("C25-session-of-another-provider-opens-nothing", func(t *testing.T) {
		t.Parallel()
		b := fresh(t, env.plain, "vera")
		b.at(env.forged).barred(t)
		b.isIn(t, true)
	})
	t.Run("C25-roles-of-another-claim-are-none", func(t *testing.T) {
		t.Parallel()
		b := newBrowser(env.groups)
		signedInBy(t, b, somebody(), "otp", "support", "support", "it_admin")
		b.at(env.forged).barred(t)
		b.isIn(t, true)
		// Its administrators see nobody of the other site, and end nobody there.
		who, victim, again := somebody(), newBrowser(env.forged), newBrowser(env.forged)
		signedInBy(t, victim, who, "otp", "sales")
		signedInBy(t, again, who, "otp", "sales")
		refs := buttons(string(again.do(t, ask{path: "/.crmgate/sessions", page: true}).want(t, http.StatusOK).body))
		page := b.do(t, ask{path: allSessions, page: true}).want(t, http.StatusOK)
		if len(refs) != 1 || strings.Contains(string(page.body), refs[0]) {
			t.Fatalf("sessions %q of another site, and the page %s", refs, page)
		}
		press(t, b, refs[0], http.Header{"Sec-Fetch-Site": {"same-origin"}}).want(t, http.StatusSeeOther)
		victim.isIn(t, true)
	})
	t.Run("C27-weaker-factor-of-another-site-is-none", func(t *testing.T) {
		t.Parallel()
		who, b := somebody(), newBrowser(env.forged)
		signedInBy(t, b, who, "otp", "sales")
		b.at(env.strict).barred(t)
		// A sign-in there that fails leaves it where it is good; one that succeeds
		// replaces it, and is good at both: nobody is sent to and fro.
		strict := b.at(env.strict)
		strict.do(t, ask{path: forge(t, strict, toProvider(t, strict), ""), page: true}).want(t, http.StatusForbidden)
		b.isIn(t, true)
		signedInBy(t, strict, who, "hwk", "sales")
		strict.isIn(t, true)
		b.isIn(t, true)
	})
	t.Run("the-same-demands-share-a-sign-in", func(t *testing.T) {
		t.Parallel()
		b := newBrowser(env.forged)
		signedInBy(t, b, somebody(), "otp", "sales")
		b.at(env.opened).isIn(t, true)
	})
}
