package gate_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

const allSessions = "/.crmgate/sessions/all"

// signedInWith signs somebody in at the forger with a name and roles.
func signedInWith(t *testing.T, s *site, sub, name string, roles ...string) *browser {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"sub": sub, "name": name, "roles": roles})
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(s)
	b.do(t, ask{path: forge(t, b, toProvider(t, b), "claims:"+base64.RawURLEncoding.EncodeToString(raw)), page: true}).want(t, http.StatusFound)
	return b
}

// press presses a button of the page of all sessions.
func press(t *testing.T, b *browser, ref string, h http.Header) *reply {
	t.Helper()
	h = maps.Clone(h)
	h.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(t, ask{path: allSessions, method: "POST", body: url.Values{"end": {ref}}.Encode(), header: h})
}

// ofSomebody is the button below a name.
func ofSomebody(t *testing.T, r *reply, name string) string {
	t.Helper()
	_, after, ok := strings.Cut(string(r.body), ">"+name+"<")
	if !ok {
		t.Fatalf("%s isn't on the page: %s", name, r)
	}
	refs := buttons(strings.Split(after, "</li>")[0])
	if len(refs) != 1 {
		t.Fatalf("buttons %q", refs)
	}
	return refs[0]
}

func TestSignInAdministrators(t *testing.T) {
	t.Parallel()
	own := http.Header{"Sec-Fetch-Site": {"same-origin"}}
	who, boss := somebody(), somebody()
	victim := signedInWith(t, env.opened, who, "Name "+who, "sales")
	elsewhere := signedInWith(t, env.forged, who+"2", "Name "+who+"2", "sales")
	copied, whose := victim.copied(), pseudonymOf(t, victim)
	admin := signedInWith(t, env.opened, boss, "Name "+boss, "sales", "it_admin")
	administrator := pseudonymOf(t, admin)
	env.plain.as(t, "sven") // at another provider
	page := admin.do(t, ask{path: allSessions, page: true}).want(t, http.StatusOK)
	ref, other := ofSomebody(t, page, "Name "+who), ofSomebody(t, page, "Name "+who+"2")
	sven := employee("sven").Name
	t.Run("a-look-is-an-entry-and-shows-this-providers-people", func(t *testing.T) {
		if e := page.logged(t)[0].Entry; e.Event != audit.Searched || e.Employee != administrator || e.Detail != "session list: everybody" {
			t.Errorf("entry %+v", e)
		}
		if !strings.Contains(string(page.body), "Zuletzt benutzt") || strings.Contains(string(page.body), sven) {
			t.Errorf("page %s", page)
		}
	})
	t.Run("C18-nobody-else-sees-or-ends-all-sessions", func(t *testing.T) {
		victim.do(t, ask{path: allSessions, page: true}).want(t, http.StatusForbidden)
		press(t, victim, ref, own).want(t, http.StatusForbidden)
		newBrowser(env.opened).do(t, ask{path: allSessions}).want(t, http.StatusUnauthorized)
		press(t, newBrowser(env.opened), ref, own).want(t, http.StatusUnauthorized)
		// A site that names no administrators has no such page.
		elsewhere.do(t, ask{path: allSessions, page: true}).want(t, http.StatusNotFound)
		signedInWith(t, env.forged, boss, "Name "+boss, "it_admin").do(t, ask{path: allSessions, page: true}).want(t, http.StatusNotFound)
	})
	t.Run("C18-other-sites-end-nothing", func(t *testing.T) {
		for _, h := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {appOrigin}}, {}} {
			press(t, admin, ref, h).want(t, http.StatusForbidden)
		}
		admin.do(t, ask{path: allSessions + "?end=" + url.QueryEscape(ref), page: true}).want(t, http.StatusOK)
		press(t, admin, "nobody's", own).want(t, http.StatusSeeOther)
		press(t, admin, "others", own).want(t, http.StatusSeeOther)
		victim.isIn(t, true)
	})
	t.Run("C15-administrators-page", func(t *testing.T) {
		press(t, admin, ref, own).want(t, http.StatusSeeOther)
		victim.isIn(t, false)
		copied.isIn(t, false)
		press(t, admin, other, own).want(t, http.StatusSeeOther)
		elsewhere.isIn(t, false)
		admin.isIn(t, true)
		if d := revocations(t, whose); len(d) != 1 || d[0] != "ended by an administrator, "+administrator {
			t.Errorf("entries %q, want one with %s", d, administrator)
		}
	})
}
