package gate_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/session"
)

func TestEmployeeSignsInAndSeesTheCRM(t *testing.T) {
	t.Parallel()
	for _, s := range []*site{env.plain, env.secure} {
		r := s.as(t, "vera").get(t, "/api/contacts/1001", nil).want(t, http.StatusOK)
		if x := r.logged(t); x.records("contact")["1001"].ID == "" {
			t.Errorf("entries %s, want contact/1001", x)
		}
	}
}

// toProvider opens a page without a session and returns the provider's address.
func toProvider(t *testing.T, b *browser) *url.URL {
	t.Helper()
	r := b.do(t, ask{path: "/api/contacts", page: true}).want(t, http.StatusFound)
	u, err := url.Parse(r.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// forge goes to the forger with a fault and returns the callback's address.
func forge(t *testing.T, b *browser, at *url.URL, fault string) string {
	t.Helper()
	q := at.Query()
	q.Set("forge", fault)
	at.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at.String(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.send(b.client(false, b.h1), req)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(r.want(t, http.StatusFound).header.Get("Location"), b.site.url)
}

// noSession fails the test if the answer or the browser has a session.
func noSession(t *testing.T, b *browser, r *reply) {
	t.Helper()
	name := session.Cookies{Plain: strings.HasPrefix(b.site.url, "http://")}.Session()
	if strings.Contains(strings.Join(r.header.Values("Set-Cookie"), "\n"), name+"=") {
		t.Error("the refused sign-in got a session")
	}
	b.do(t, ask{path: "/api/contacts"}).want(t, http.StatusUnauthorized)
}

// refusedSignIn checks the entry of a refused sign-in.
func refusedSignIn(t *testing.T, r *reply, word string) audit.Entry {
	t.Helper()
	x := r.logged(t)
	e := x[0].Entry
	if len(x) != 1 || e.Kind != audit.Control || e.Event != audit.Refused || e.Error != word {
		t.Errorf("entries %s, want one refused sign-in: %s", x, word)
	}
	return e
}

func TestForgedTokenMakesNoSession(t *testing.T) {
	t.Parallel()
	for fault, word := range map[string]string{
		"nonce": "token", "audience": "token", "issuer": "token", "expired": "token", "key": "token", "unsigned": "token",
		"altered": "token", "none": "token", "factor": "mfa_missing", "weak": "mfa_missing",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			b := newBrowser(env.forged)
			back := forge(t, b, toProvider(t, b), fault)
			r := b.do(t, ask{path: back, page: true}).want(t, http.StatusForbidden)
			if !strings.Contains(r.header.Get("Content-Type"), "text/html") || !strings.Contains(string(r.body), word) {
				t.Errorf("the person sees %s, want a page that names %s", r, word)
			}
			if word != "token" {
				refusedSignIn(t, r, word)
			}
			noSession(t, b, r)
			back = forge(t, b, toProvider(t, b), "")
			b.do(t, ask{path: back, page: true}).want(t, http.StatusFound)
			b.do(t, ask{path: "/api/contacts"}).want(t, http.StatusOK)
		})
	}
}

// The provider vouched for who they are: the log names them.
func TestRefusalForTheSecondFactorNamesTheEmployee(t *testing.T) {
	t.Parallel()
	b := newBrowser(env.forged)
	r := b.do(t, ask{path: forge(t, b, toProvider(t, b), "weak"), page: true})
	if e := refusedSignIn(t, r, "mfa_missing"); e.Employee == "" {
		t.Error("the entry names nobody")
	}
	r = b.do(t, ask{path: forge(t, b, toProvider(t, b), "key"), page: true})
	if r.header.Get("Audit-Id") != "" {
		t.Errorf("%s names somebody whom nobody vouched for", r.logged(t))
	}
}

func TestSpentCodeIsTriedAnewOnce(t *testing.T) {
	t.Parallel()
	b := newBrowser(env.forged)
	first := toProvider(t, b)
	r := b.do(t, ask{path: forge(t, b, first, "code"), page: true}).want(t, http.StatusFound)
	again, err := url.Parse(r.header.Get("Location"))
	if err != nil || !strings.HasPrefix(again.String(), env.forger.url+"/authorize?") {
		t.Fatalf("sent to %s, want the provider", r.header.Get("Location"))
	}
	if again.Query().Get("state") == first.Query().Get("state") {
		t.Error("the second attempt has the first one's state")
	}
	r = b.do(t, ask{path: forge(t, b, again, "code"), page: true}).want(t, http.StatusForbidden)
	if !strings.Contains(string(r.body), "expired") {
		t.Errorf("got %s, want the reason expired", r)
	}
	noSession(t, b, r)
	if strings.Contains(string(r.body), "canary") {
		t.Error("the page repeats the provider's text")
	}
}

func TestStateOfAnotherBrowserIsRefused(t *testing.T) {
	t.Parallel()
	mine, theirs := newBrowser(env.forged), newBrowser(env.forged)
	back := forge(t, theirs, toProvider(t, theirs), "")
	altered, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	q := altered.Query()
	state := q.Get("state")
	flipped := map[byte]byte{'A': 'B'}[state[20]]
	if flipped == 0 {
		flipped = 'A'
	}
	q.Set("state", state[:20]+string(flipped)+state[21:])
	altered.RawQuery = q.Encode()
	q.Del("state")
	missing := url.URL{Path: altered.Path, RawQuery: q.Encode()}
	for name, a := range map[string]ask{
		"no cookie": {path: back}, "altered": {path: altered.String()}, "missing": {path: missing.String()},
		"empty": {path: missing.String() + "&state="}, "long": {path: missing.String() + "&state=" + strings.Repeat("A", 8000)},
	} {
		b := mine
		if name == "altered" {
			b = theirs
		}
		a.page = true
		r := b.do(t, a).want(t, http.StatusForbidden)
		if !strings.Contains(string(r.body), "state") {
			t.Errorf("%s: the page doesn't name the reason", name)
		}
		noSession(t, b, r)
	}
	b := theirs
	b.do(t, ask{path: back + "&state=" + state, page: true}).want(t, http.StatusBadRequest)
	b.do(t, ask{path: back, page: true}).want(t, http.StatusFound)
}

// Each state makes one session, whoever comes back with it again.
func TestCallbackWorksOnce(t *testing.T) {
	t.Parallel()
	b := newBrowser(env.forged)
	back := forge(t, b, toProvider(t, b), "")
	bare := newBrowser(env.forged)
	u, _ := url.Parse(b.site.url)
	for _, c := range b.jar.Cookies(u) {
		bare.jar.SetCookies(u, []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/"}})
	}
	b.do(t, ask{path: back, page: true}).want(t, http.StatusFound)
	r := bare.do(t, ask{path: back, page: true}).want(t, http.StatusForbidden)
	noSession(t, bare, r)
	// Who is signed in already goes on: another tab was quicker.
	b.do(t, ask{path: back, page: true}).want(t, http.StatusFound)
}

func TestEmployeeWithoutSecondFactorIsRefused(t *testing.T) {
	t.Parallel()
	b := newBrowser(env.plain)
	r, err := b.throughProvider("nina", "/contacts")
	if err != nil {
		t.Fatal(err)
	}
	r.want(t, http.StatusForbidden)
	if !strings.Contains(string(r.body), "zweiten Faktor") {
		t.Errorf("the page %s doesn't say what is missing", r.body)
	}
	if e := refusedSignIn(t, r, "mfa_missing"); e.Employee == "" {
		t.Error("the entry names nobody")
	}
	noSession(t, b, r)
}

func TestProviderMayBeDownAtStartAndAtSignIn(t *testing.T) {
	t.Parallel()
	b := newBrowser(env.late) // down since before the gate's start
	open := func() *reply { return b.do(t, ask{path: "/contacts", page: true}) }
	r := open().want(t, http.StatusServiceUnavailable)
	if !strings.Contains(string(r.body), "Anmeldedienst") {
		t.Errorf("the page %s doesn't say what is down", r.body)
	}
	b.do(t, ask{path: "/api/contacts"}).want(t, http.StatusUnauthorized)
	env.flaky.up.Store(true)
	eventually(t, "the provider is found again", func() bool { return open().status == http.StatusFound })
	// It goes away between the redirect and the way back.
	b = newBrowser(env.late)
	state := toProvider(t, b).Query().Get("state")
	env.flaky.up.Store(false)
	r = b.do(t, ask{path: "/.crmgate/callback?code=x&state=" + url.QueryEscape(state), page: true})
	r.want(t, http.StatusServiceUnavailable)
	noSession(t, b, r)
	env.flaky.up.Store(true)
	if err := b.signIn("vera"); err != nil {
		t.Errorf("signing in after the outage: %v", err)
	}
	env.flaky.up.Store(false)
	// Whoever is signed in works on.
	b.do(t, ask{path: "/api/contacts"}).want(t, http.StatusOK)
	env.flaky.up.Store(true)
}

// A stranger must not be able to fill the log: nobody is known, nothing is
// entered.
func TestStrangersLeaveNoEntries(t *testing.T) {
	t.Parallel()
	b := newBrowser(env.plain)
	for _, a := range []ask{
		{path: "/.crmgate/callback?state=x&code=y", page: true},
		{path: "/.crmgate/callback?error=access_denied", page: true},
		{path: "/contacts", page: true},
		{path: "/api/contacts"},
		{path: "/nowhere/at/all"},
		{path: "/api/contacts", method: "POST", body: `{"last_name":"x"}`, header: http.Header{"Content-Encoding": {"gzip"}}},
	} {
		if r := b.do(t, a); r.header.Get("Audit-Id") != "" {
			t.Errorf("%s %s made an entry: %s", a.method, a.path, r.logged(t))
		}
	}
}

func TestWithoutSessionOnlyNavigationsAreRedirected(t *testing.T) {
	t.Parallel()
	sc := newScene(t, nil)
	b := newBrowser(env.plain)
	html := http.Header{"Accept": {"text/html"}}
	for name, c := range map[string]struct {
		ask    ask
		status int
	}{
		"navigation":             {ask{path: "/contacts", page: true}, http.StatusFound},
		"an old browser":         {ask{path: "/contacts", header: html}, http.StatusFound},
		"script":                 {ask{path: "/api/contacts"}, http.StatusUnauthorized},
		"script that takes HTML": {ask{path: "/contacts", header: http.Header{"Accept": {"text/html"}, "X-Requested-With": {"XMLHttpRequest"}}}, http.StatusUnauthorized},
		"fetch":                  {ask{path: "/contacts", header: http.Header{"Accept": {"text/html"}, "Sec-Fetch-Mode": {"cors"}}}, http.StatusUnauthorized},
		"picture":                {ask{path: "/contacts", header: http.Header{"Accept": {"image/*"}, "Sec-Fetch-Mode": {"no-cors"}}}, http.StatusUnauthorized},
		"form":                   {ask{path: "/contacts/new", page: true, method: "POST", body: "last_name=x"}, http.StatusUnauthorized},
		"PUT":                    {ask{path: "/api/contacts/1001", method: "PUT", body: "{}"}, http.StatusUnauthorized},
		"HEAD":                   {ask{path: "/contacts", page: true, method: "HEAD"}, http.StatusUnauthorized},
		"unknown route":          {ask{path: "/nowhere"}, http.StatusUnauthorized},
	} {
		c.ask.scene = sc
		r := b.do(t, c.ask)
		if r.status != c.status {
			t.Errorf("%s: %s, want %d", name, r, c.status)
		}
		if c.status == http.StatusFound {
			if !strings.HasPrefix(r.header.Get("Location"), env.provider.url+"/") {
				t.Errorf("%s: sent to %q", name, r.header.Get("Location"))
			}
			continue
		}
		if r.header.Get("Location") != "" {
			t.Errorf("%s: a redirect would lose what was sent", name)
		}
		if !c.ask.page {
			problem(t, r, "signed_out")
		}
	}
	sc.nothing(t)
}

// problem checks the answer for a program: RFC 9457, with the reason.
func problem(t *testing.T, r *reply, reason string) {
	t.Helper()
	var p struct {
		Status         int
		Reason, Detail string
	}
	if r.header.Get("Content-Type") != "application/problem+json" || json.Unmarshal(r.body, &p) != nil {
		t.Errorf("%s is no problem+json", r)
		return
	}
	if p.Reason != reason || p.Status != r.status || p.Detail == "" {
		t.Errorf("problem %s, want reason %q", r.body, reason)
	}
}

func TestSignedOutSessionIsDead(t *testing.T) {
	t.Parallel()
	b := newBrowser(env.plain)
	if err := b.signIn("vera"); err != nil {
		t.Fatal(err)
	}
	copied := newBrowser(env.plain)
	u, _ := url.Parse(b.site.url)
	copied.jar.SetCookies(u, b.jar.Cookies(u))
	copied.do(t, ask{path: "/api/contacts"}).want(t, http.StatusOK)
	// Neither a link nor another site's form signs anybody out.
	b.do(t, ask{path: "/.crmgate/sign-out", page: true}).want(t, http.StatusOK)
	cross := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}
	b.do(t, ask{path: "/.crmgate/sign-out", method: "POST", header: cross}).want(t, http.StatusForbidden)
	b.do(t, ask{path: "/.crmgate/sign-out", method: "POST", header: http.Header{"Origin": {"http://evil.example"}}}).want(t, http.StatusForbidden)
	b.do(t, ask{path: "/.crmgate/sign-out", method: "POST"}).want(t, http.StatusForbidden)
	copied.do(t, ask{path: "/api/contacts"}).want(t, http.StatusOK)
	r := b.do(t, ask{path: "/.crmgate/sign-out", method: "POST", header: http.Header{"Sec-Fetch-Site": {"same-origin"}}})
	if !strings.HasPrefix(r.want(t, http.StatusFound).header.Get("Location"), env.provider.url+"/") {
		t.Errorf("sent to %q, want the provider's end of session", r.header.Get("Location"))
	}
	copied.do(t, ask{path: "/api/contacts"}).want(t, http.StatusUnauthorized)
}

// A session that somebody planted in the browser before is worth nothing after.
func TestSignInReplacesThePlantedSession(t *testing.T) {
	t.Parallel()
	attacker, victim := newBrowser(env.forged), newBrowser(env.forged)
	attacker.do(t, ask{path: forge(t, attacker, toProvider(t, attacker), ""), page: true}).want(t, http.StatusFound)
	u, _ := url.Parse(env.forged.url)
	back := forge(t, victim, toProvider(t, victim), "")
	planted := attacker.jar.Cookies(u)
	for _, c := range planted {
		if c.Name == (session.Cookies{Plain: true}).Session() {
			victim.jar.SetCookies(u, []*http.Cookie{c})
		}
	}
	victim.do(t, ask{path: back, page: true}).want(t, http.StatusFound)
	victim.do(t, ask{path: "/api/contacts"}).want(t, http.StatusOK)
	attacker.do(t, ask{path: "/api/contacts"}).want(t, http.StatusUnauthorized)
}
