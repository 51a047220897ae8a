package gate_test

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/session"
)

// somebody is a person of one test alone.
func somebody() string { return "p-" + strings.ToLower(rand.Text()) }

// signedInAs signs somebody in at the forger, on a session of theirs there.
func signedInAs(t *testing.T, s *site, sub, sid string) *browser {
	t.Helper()
	b := newBrowser(s)
	b.do(t, ask{path: forge(t, b, toProvider(t, b), "who="+sub+"/"+sid), page: true}).want(t, http.StatusFound)
	b.do(t, ask{path: "/api/contacts"}).want(t, http.StatusOK)
	return b
}

// copied is another browser with the same cookies.
func (b *browser) copied() *browser {
	c := newBrowser(b.site)
	c.jar, _ = cookiejar.New(nil)
	u, _ := url.Parse(b.site.url)
	for _, cookie := range b.jar.Cookies(u) {
		c.jar.SetCookies(u, []*http.Cookie{{Name: cookie.Name, Value: cookie.Value, Path: "/"}})
	}
	return c
}

func (b *browser) isIn(t *testing.T, in bool) {
	t.Helper()
	want := http.StatusUnauthorized
	if in {
		want = http.StatusOK
	}
	b.do(t, ask{path: "/api/contacts"}).want(t, want)
}

// logoutToken is one of the forger's that is right but for change.
func logoutToken(sub, sid string, change map[string]any) string {
	now := time.Now()
	claims := map[string]any{
		"iss": env.forger.url, "aud": clientID, "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "jti": rand.Text(),
		"sub": sub, "sid": sid, "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == "" })
	return env.forger.sign(claims, env.forger.key, jose.ES256)
}

// tell sends a logout token, as a provider does.
func tell(t *testing.T, s *site, token string) *reply {
	t.Helper()
	r := newBrowser(s).do(t, ask{
		path: "/.crmgate/backchannel-logout", method: "POST", body: url.Values{"logout_token": {token}}.Encode(),
		header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	})
	if r.header.Get("Cache-Control") != "no-store" || r.header.Get("Audit-Id") != "" || len(r.header.Values("Set-Cookie")) > 0 {
		t.Errorf("headers %v", r.header)
	}
	return r
}

// revocations are the entries of the sessions that were ended for a person.
func revocations(t *testing.T, employee string) (details []string) {
	t.Helper()
	for _, s := range entries(t, env.data()) {
		if e := s.Entry; e.Event == audit.Revoked && e.Employee == employee {
			details = append(details, e.Detail)
			if e.Session == "" || e.Request == "" {
				t.Errorf("entry %+v", e)
			}
		}
	}
	return details
}

// pseudonymOf finds a person in the log by their latest entry.
func pseudonymOf(t *testing.T, b *browser) string {
	t.Helper()
	return b.do(t, ask{path: "/api/contacts"}).want(t, http.StatusOK).logged(t)[0].Entry.Employee
}

func TestSignInLogout(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(t *testing.T){
		"C15-signed-out":               diesBySigningOut,
		"C15-back-channel-sid":         diesByBackChannelSID,
		"C15-back-channel-sub":         diesByBackChannelSub,
		"C15-front-channel":            diesByFrontChannel,
		"C15-own-page":                 diesByOwnPage,
		"C15-logout-tokens-are-once":   logoutTokenOnce,
		"C18-logout-needs-proof":       logoutNeedsProof,
		"C18-front-channel-needs-both": frontChannelNeedsBoth,
		"C23-logout-bodies-are-short":  logoutBodies,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t)
		})
	}
}

func diesBySigningOut(t *testing.T) {
	b := signedInAs(t, env.forged, somebody(), "")
	before := b.copied()
	b.do(t, ask{path: "/.crmgate/sign-out", method: "POST", header: http.Header{"Sec-Fetch-Site": {"same-origin"}}})
	before.isIn(t, false)
}

func diesByBackChannelSID(t *testing.T) {
	who := somebody()
	desk, phone, other := signedInAs(t, env.forged, who, "desk-"+who), signedInAs(t, env.forged, who, "phone-"+who), signedInAs(t, env.forged, somebody(), "x")
	before, employee := desk.copied(), pseudonymOf(t, desk)
	if r := tell(t, env.forged, logoutToken(who, "desk-"+who, nil)); r.status != http.StatusOK || len(r.body) > 0 {
		t.Fatalf("got %s", r)
	}
	for _, b := range []*browser{desk, before} {
		b.isIn(t, false)
	}
	phone.isIn(t, true)
	other.isIn(t, true)
	if d := revocations(t, employee); len(d) != 1 || !strings.Contains(d[0], "back channel") {
		t.Errorf("entries %q, want one", d)
	}
	desk.do(t, ask{path: forge(t, desk, toProvider(t, desk), "who="+who+"/new"), page: true}).want(t, http.StatusFound)
	desk.isIn(t, true)
}

func diesByBackChannelSub(t *testing.T) {
	who := somebody()
	one, two, other := signedInAs(t, env.forged, who, "1"+who), signedInAs(t, env.forged, who, ""), signedInAs(t, env.forged, somebody(), "")
	employee := pseudonymOf(t, one)
	tell(t, env.forged, logoutToken(who, "", nil)).want(t, http.StatusOK)
	one.isIn(t, false)
	two.isIn(t, false)
	other.isIn(t, true)
	if d := revocations(t, employee); len(d) != 2 {
		t.Errorf("entries %q, want two", d)
	}
}

func diesByFrontChannel(t *testing.T) {
	who := somebody()
	b, other := signedInAs(t, env.forged, who, "f-"+who), signedInAs(t, env.forged, who, "other-"+who)
	employee := pseudonymOf(t, b)
	path := "/.crmgate/frontchannel-logout?" + url.Values{"iss": {env.forger.url}, "sid": {"f-" + who}}.Encode()
	frame := newBrowser(env.forged).do(t, ask{path: path, page: true, header: http.Header{"Sec-Fetch-Dest": {"iframe"}, "Sec-Fetch-Site": {"cross-site"}}})
	frame.want(t, http.StatusOK)
	if got := frame.header.Get("Content-Security-Policy"); got != "default-src 'none'; frame-ancestors "+env.forger.url {
		t.Errorf("policy %q", got)
	}
	if frame.header.Get("X-Frame-Options") != "" || frame.header.Get("Audit-Id") != "" || frame.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", frame.header)
	}
	b.isIn(t, false)
	other.isIn(t, true)
	if d := revocations(t, employee); len(d) != 1 || !strings.Contains(d[0], "front channel") {
		t.Errorf("entries %q, want one", d)
	}
	again := newBrowser(env.forged).do(t, ask{path: path, page: true}).want(t, http.StatusOK)
	if string(again.body) != string(frame.body) {
		t.Error("the answer says whether somebody was signed in")
	}
}

func frontChannelNeedsBoth(t *testing.T) {
	who := somebody()
	b := signedInAs(t, env.forged, who, "s-"+who)
	for name, q := range map[string]url.Values{
		"no iss": {"sid": {"s-" + who}}, "no sid": {"iss": {env.forger.url}}, "nothing": {}, "empty sid": {"iss": {env.forger.url}, "sid": {""}},
		"another issuer": {"iss": {env.provider.url}, "sid": {"s-" + who}}, "slash": {"iss": {env.forger.url + "/"}, "sid": {"s-" + who}},
		"long": {"iss": {env.forger.url}, "sid": {strings.Repeat("s", 300)}}, "twice": {"iss": {env.forger.url}, "sid": {"s-" + who, "s-" + who}},
	} {
		r := b.do(t, ask{path: "/.crmgate/frontchannel-logout?" + q.Encode(), page: true})
		if r.status != http.StatusBadRequest {
			t.Errorf("%s: %s", name, r)
		}
	}
	b.do(t, ask{path: "/.crmgate/frontchannel-logout?" + url.Values{"iss": {env.forger.url}, "sid": {"s-" + who}}.Encode(), method: "POST"}).want(t, http.StatusMethodNotAllowed)
	b.isIn(t, true)
}

func diesByOwnPage(t *testing.T) {
	who := somebody()
	here, there, third, stranger := signedInAs(t, env.forged, who, ""), signedInAs(t, env.forged, who, ""), signedInAs(t, env.forged, who, ""), signedInAs(t, env.forged, somebody(), "")
	before, employee := there.copied(), pseudonymOf(t, here)
	page := here.do(t, ask{path: "/.crmgate/sessions", page: true}).want(t, http.StatusOK)
	refs := buttons(string(page.body))
	if len(refs) != 2 || !strings.Contains(string(page.body), "diese Sitzung") {
		t.Fatalf("the page has the buttons %q: %s", refs, page)
	}
	mine := there.do(t, ask{path: "/.crmgate/sessions", page: true})
	end := slices.IndexFunc(refs, func(ref string) bool { return !strings.Contains(string(mine.body), ref) })
	if end < 0 { // every ref but one's own is on a page
		t.Fatal("nobody can tell which session is which")
	}
	press := func(b *browser, value string, h http.Header) *reply {
		h = maps.Clone(h)
		h.Set("Content-Type", "application/x-www-form-urlencoded")
		return b.do(t, ask{path: "/.crmgate/sessions", method: "POST", body: url.Values{"end": {value}}.Encode(), header: h})
	}
	own := http.Header{"Sec-Fetch-Site": {"same-origin"}}
	for _, h := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"http://evil.example"}}, {}} {
		press(here, refs[end], h).want(t, http.StatusForbidden)
	}
	press(stranger, refs[end], own).want(t, http.StatusSeeOther)
	there.isIn(t, true)
	press(here, refs[end], own).want(t, http.StatusSeeOther)
	there.isIn(t, false)
	before.isIn(t, false)
	third.isIn(t, true)
	press(here, "others", own).want(t, http.StatusSeeOther)
	third.isIn(t, false)
	here.isIn(t, true)
	stranger.isIn(t, true)
	if d := revocations(t, employee); len(d) != 2 || !strings.Contains(d[0], "by the employee") {
		t.Errorf("entries %q, want two", d)
	}
	newBrowser(env.forged).do(t, ask{path: "/.crmgate/sessions", method: "POST", body: "end=others"}).want(t, http.StatusUnauthorized)
	press(here, "", own).want(t, http.StatusBadRequest)
}

// buttons are the sessions that a page can end.
func buttons(page string) (refs []string) {
	for _, part := range strings.Split(page, `name="end" value="`)[1:] {
		if ref, _, _ := strings.Cut(part, `"`); ref != "others" {
			refs = append(refs, ref)
		}
	}
	return refs
}

func logoutTokenOnce(t *testing.T) {
	who := somebody()
	b := signedInAs(t, env.forged, who, "")
	token := logoutToken(who, "", nil)
	tell(t, env.forged, token).want(t, http.StatusOK)
	b.isIn(t, false)
	b = signedInAs(t, env.forged, who, "")
	tell(t, env.forged, token).want(t, http.StatusBadRequest)
	tell(t, env.opened, token).want(t, http.StatusBadRequest)
	b.isIn(t, true)
}

func logoutNeedsProof(t *testing.T) {
	who := somebody()
	b := signedInAs(t, env.forged, who, "s-"+who)
	claims := map[string]any{"iss": env.forger.url, "sub": who, "aud": clientID, "jti": "x", "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
	for name, token := range map[string]string{
		"empty": "", "junk": "x.y.z", "unsigned": unsigned(claims), "another key": env.forger.sign(claims, env.forger.other, jose.ES256),
		"another client": logoutToken(who, "", map[string]any{"aud": "another"}), "nonce": logoutToken(who, "", map[string]any{"nonce": "x"}),
		"no event": logoutToken(who, "", map[string]any{"events": ""}), "another issuer": logoutToken(who, "", map[string]any{"iss": env.provider.url}),
		"expired": logoutToken(who, "", map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}),
	} {
		r := tell(t, env.forged, token)
		var said struct{ Error string }
		if r.status != http.StatusBadRequest || json.Unmarshal(r.body, &said) != nil || said.Error != "invalid_request" {
			t.Errorf("%s: %s", name, r)
		}
	}
	b.do(t, ask{path: "/.crmgate/backchannel-logout?logout_token=" + logoutToken(who, "", nil)}).want(t, http.StatusMethodNotAllowed)
	b.isIn(t, true)
	known, unknown := tell(t, env.forged, logoutToken(who, "", nil)), tell(t, env.forged, logoutToken(somebody(), "nobody's", nil))
	if known.status != http.StatusOK || unknown.status != known.status || len(known.body)+len(unknown.body) > 0 {
		t.Errorf("known: %s, unknown: %s: the answers tell who is signed in", known, unknown)
	}
}

func logoutBodies(t *testing.T) {
	token := logoutToken(somebody(), "", nil)
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	for name, a := range map[string]ask{
		"long":      {body: "logout_token=" + strings.Repeat("A", 1<<20), header: form},
		"twice":     {body: "logout_token=" + token + "&logout_token=" + token, header: form},
		"json":      {body: `{"logout_token":"` + token + `"}`},
		"escapes":   {body: "logout_token=%zz", header: form},
		"semicolon": {body: "logout_token=" + token + ";x=1", header: form},
		"nothing":   {header: form},
	} {
		a.path, a.method = "/.crmgate/backchannel-logout", "POST"
		if r := newBrowser(env.forged).do(t, a); r.status != http.StatusBadRequest {
			t.Errorf("%s: %s", name, r)
		}
	}
	for _, token := range []string{token} {
		r := newBrowser(env.forged).do(t, ask{
			path: "/.crmgate/backchannel-logout", method: "POST", body: "future=1&logout_token=" + token, header: http.Header{"Content-Type": {"application/x-www-form-urlencoded;charset=utf-8"}},
		})
		r.want(t, http.StatusOK)
	}
}

// The next person at this browser must not meet the CRM session of the one before.
func TestSignOutLeavesNothingOfTheCRMInTheBrowser(t *testing.T) {
	t.Parallel()
	b := signedInAs(t, env.forged, somebody(), "")
	own := session.Cookies{Plain: true}
	u, _ := url.Parse(env.forged.url)
	for _, name := range []string{"kontor_session", "PHPSESSID"} {
		b.jar.SetCookies(u, []*http.Cookie{{Name: name, Value: "x", Path: "/"}})
	}
	r := b.do(t, ask{path: "/.crmgate/sign-out", method: "POST", page: true, header: http.Header{"Sec-Fetch-Site": {"same-origin"}}}).want(t, http.StatusOK)
	if got := r.header.Get("Clear-Site-Data"); got != `"cache", "storage"` {
		t.Errorf("Clear-Site-Data %q", got)
	}
	for _, c := range b.jar.Cookies(u) {
		if c.Name != own.Binding() {
			t.Errorf("the cookie %s is left", c.Name)
		}
	}
	if !strings.Contains(string(r.body), env.forger.url+"/end?") {
		t.Errorf("the page doesn't lead to the provider: %s", r)
	}
	again := b.do(t, ask{path: "/.crmgate/signed-out", page: true}).want(t, http.StatusOK)
	if strings.Contains(string(again.body), "refresh") || again.header.Get("Location") != "" || strings.Contains(string(again.body), "<script") {
		t.Error("the page signs in again by itself")
	}
	// Without a session there is no hint for the provider, and the page says so.
	r = b.do(t, ask{path: "/.crmgate/sign-out", method: "POST", page: true, header: http.Header{"Sec-Fetch-Site": {"same-origin"}}}).want(t, http.StatusOK)
	if !strings.Contains(string(r.body), "möglicherweise noch angemeldet") {
		t.Errorf("the page doesn't say that the provider's session may go on: %s", r)
	}
}
