package gate_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/session"
)

// TestSignInAttacks tries the classes of faults that gateways like this one have
// had, by their numbers. A class that another test holds is named here, too.
func TestSignInAttacks(t *testing.T) {
	t.Parallel()
	for _, class := range []struct {
		name string
		test func(*testing.T)
	}{
		{"C01-identity-headers-are-forged", TestForgedIdentityNeverReachesTheCRM},
		{"C02-identity-headers-in-other-spellings", TestForgedIdentityNeverReachesTheCRM},
		{"C03-connection-names-the-gateways-headers", TestForgedIdentityNeverReachesTheCRM},
		{"C03-cookies-of-the-gateway-go-upstream", TestGatewaysCookiesNeverReachTheCRM},
		{"C04-forwarded-address-chooses-the-rule", forwardedAddress},
		{"C05-query-opens-a-path", queryOpensNothing},
		{"C06-fragment-widens-a-path", fragmentIsRefused},
		{"C07-ambiguous-path", TestAmbiguousRequestIsRefused},
		{"C07-forwarded-is-what-was-judged", TestForwardedTargetIsTheJudgedOne},
		{"C08-host-spelled-otherwise", hostSpelledOtherwise},
		{"C09-health-check-opens-nothing", healthCheckOpensNothing},
		{"C10-open-redirects", openRedirects},
		{"C11-forwarded-host-and-scheme", forwardedHost},
		{"C12-claimed-address-in-the-log", claimedAddress},
		{"C13-person-is-issuer-and-subject", personIsSubject},
		{"C14-state-of-another-browser", TestStateOfAnotherBrowserIsRefused},
		{"C14-callback-twice", TestCallbackWorksOnce},
		{"C14-spent-code", TestSpentCodeIsTriedAnewOnce},
		{"C16-planted-session", TestSignInReplacesThePlantedSession},
		{"C18-parameters-of-the-gateways-own-pages", ownPagesTakeNothing},
		{"C20-log-that-cannot-be-written", unwritableLogStopsRequests},
		{"C21-placeholders-stay-as-they-are", placeholdersStay},
		{"C23-ten-thousand-cookies", TestManyCookiesSignNobodyOut},
		{"C23-huge-header", TestHugeHeaderIsRefused},
		{"C24-markup-in-pages", markupIsText},
		{"C26-forged-tokens", TestForgedTokenMakesNoSession},
		{"C27-no-second-factor", TestEmployeeWithoutSecondFactorIsRefused},
		{"C27-refused-sign-in-is-logged", TestRefusalForTheSecondFactorNamesTheEmployee},
		{"C29-nothing-is-kept-by-caches", nothingIsKept},
		{"C29-conditional-and-partial-requests", TestClientCannotAskForAFormThatCannotBeMasked},
		{"C30-own-pages-are-whole-paths", ownPathsAreWhole},
	} {
		t.Run(class.name, class.test)
	}
}

// refusedOutside fails the test unless a stranger's request is answered with 401
// and nothing reaches the CRM.
func refusedOutside(t *testing.T, a ask) {
	t.Helper()
	a.scene = newScene(t, nil)
	if r := newBrowser(env.plain).do(t, a); r.status != http.StatusUnauthorized && r.status != http.StatusBadRequest && r.status != http.StatusForbidden {
		t.Errorf("%s %s with %v: %s", a.method, a.path, a.header, r)
	}
	a.scene.nothing(t)
}

func forwardedAddress(t *testing.T) {
	t.Parallel()
	for _, open := range []string{"/.crmgate/ready", "/.crmgate/signed-out", "/static/app.css", "/healthz"} {
		for _, name := range []string{
			"X-Forwarded-Uri", "X-Original-Url", "X-Original-Uri", "X-Rewrite-Url", "X-Forwarded-Path", "X-Forwarded-Prefix", "X-Accel-Redirect",
			"X-Envoy-Original-Path", "Referer",
		} {
			refusedOutside(t, ask{path: "/api/contacts/1001", header: http.Header{name: {open}, "X-Http-Method-Override": {"OPTIONS"}, "X-Forwarded-Method": {"OPTIONS"}}})
		}
	}
}

func queryOpensNothing(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/api/contacts/1001?x=/.crmgate/ready", "/api/contacts/1001?/.crmgate/callback", "/api/contacts?next=/healthz",
		"/api/contacts/1001?path=/static/app.css", "/contacts?.crmgate/signed-out",
	} {
		refusedOutside(t, ask{path: path})
	}
}

func fragmentIsRefused(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		"/api/contacts#/.crmgate/ready", "/api/contacts/1001%23/.crmgate/ready", "/.crmgate/ready#/../../api/contacts", "/.crmgate/ready%23/../api/contacts",
		"/api/contacts/1001%2523/x",
	} {
		sc := newScene(t, nil)
		text := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n%s: %s\r\nConnection: close\r\n\r\n", target, env.plain.host, caseHeader, sc.id)
		if r := exchangeRaw(t, dial(t, env.plain), text); r.status < 400 {
			t.Errorf("%s: %s", target, r)
		}
		sc.nothing(t)
	}
}

func hostSpelledOtherwise(t *testing.T) {
	t.Parallel()
	_, port, _ := strings.Cut(env.secure.host, ":")
	cookies := env.secure.as(t, "vera").cookies()
	for _, host := range []string{
		"LOCALHOST:" + port, "LocalHost:" + port, "localhost.:" + port, "localhost", "localhost:0" + port, "crm.example.de", "localhost:" + port + "@evil.example",
		"evil.example", "127.0.0.1:" + port, "localhost:" + port + ", evil.example", "",
	} {
		for _, target := range []string{"/api/contacts/1", "https://" + host + "/api/contacts/1", "https://evil.example/api/contacts/1"} {
			sc := newScene(t, jsonAnswer(http.StatusOK, contact(1)))
			text := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n%s: %s\r\nConnection: close\r\n\r\n", target, host, cookies, caseHeader, sc.id)
			r := exchangeRaw(t, dial(t, env.secure), text)
			r.hides(t)
			if r.status == http.StatusOK && len(sc.requests()) > 0 && r.header.Get("Audit-Id") == "" {
				t.Errorf("Host %q, target %s: answered without an entry: %s", host, target, r)
			}
			// Without a session the same spelling leads nowhere else.
			text = fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/html\r\nConnection: close\r\n\r\n", target, host)
			r = exchangeRaw(t, dial(t, env.secure), text)
			to, err := url.Parse(r.header.Get("Location"))
			if err != nil || to.Host == "" {
				continue
			}
			back, err := url.Parse(to.Query().Get("redirect_uri"))
			if err != nil || "http://"+to.Host != env.provider.url || back.Hostname() != "localhost" || back.Scheme != "https" {
				t.Errorf("Host %q, target %s: sent to %s, and back to %s", host, target, to.Host, back)
			}
		}
	}
}

// leadsToProvider fails the test unless an address is the provider's and brings
// people back to the site.
func leadsToProvider(t *testing.T, to, site string) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil || u.Scheme+"://"+u.Host != env.provider.url {
		t.Errorf("sent to %q, want the provider", to)
		return
	}
	if back := u.Query().Get("redirect_uri"); back != site+"/.crmgate/callback" {
		t.Errorf("the provider is to send people to %q", back)
	}
}

func healthCheckOpensNothing(t *testing.T) {
	t.Parallel()
	for _, agent := range []string{"kube-probe/1.31", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "Amazon-Route53-Health-Check-Service", "Consul Health Check", "Prometheus/3.0"} {
		for _, path := range []string{"/api/contacts/1001", "/contacts", "/healthz", "/static/app.css", "/.crmgate"} {
			refusedOutside(t, ask{path: path, header: http.Header{"User-Agent": {agent}}})
		}
	}
}

// openRedirects runs the payloads against every address that could lead on.
func openRedirects(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "internal", "oidc", "testdata", "openredirects.txt"))
	if err != nil {
		t.Fatal(err)
	}
	b, tried := newBrowser(env.plain), 0
	judge := func(payload string, r *reply) {
		tried++
		if to := r.header.Get("Location"); to != "" && !strings.HasPrefix(to, env.provider.url+"/") && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.HasPrefix(to, `/\`)) {
			t.Errorf("%q leads to %q", payload, to)
		}
		if strings.Contains(string(r.body), "evil.example") && strings.Contains(r.header.Get("Content-Type"), "text/html") {
			t.Errorf("%q is on the page: %s", payload, r)
		}
	}
	for payload := range strings.Lines(string(raw)) {
		payload = strings.TrimSuffix(payload, "\n")
		if payload == "" || strings.HasPrefix(payload, "## ") {
			continue
		}
		v := url.QueryEscape(payload)
		for _, path := range []string{
			"/.crmgate/callback?state=x&code=y&return_to=" + v + "&rd=" + v + "&redirect_uri=" + v + "&next=" + v, "/.crmgate/callback?state=" + v,
			"/.crmgate/signed-out?post_logout_redirect_uri=" + v + "&rd=" + v, "/.crmgate/step-up/1?returnTo=" + v, "/.crmgate/sign-out?rd=" + v, "/.crmgate/?rd=" + v,
		} {
			judge(payload, b.do(t, ask{path: path, page: true, header: http.Header{"Referer": {"https://evil.example/"}}}))
		}
		if strings.ContainsAny(payload, " \t\r\n\\\"") || !strings.HasPrefix(payload, "/") {
			continue // no request target
		}
		text := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/html\r\nConnection: close\r\n\r\n", payload, env.plain.host)
		judge(payload, exchangeRaw(t, dial(t, env.plain), text))
	}
	if tried < 1000 {
		t.Errorf("only %d requests", tried)
	}
}

func forwardedHost(t *testing.T) {
	t.Parallel()
	b := newBrowser(env.plain)
	r := b.do(t, ask{path: "/contacts", page: true, header: http.Header{
		"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Port": {"8443"}, "X-Forwarded-Server": {"evil.example"},
		"Forwarded": {"host=evil.example;proto=https"}, "X-Host": {"evil.example"}, "X-Original-Host": {"evil.example"}, "Origin": {"https://evil.example"},
	}}).want(t, http.StatusFound)
	leadsToProvider(t, r.header.Get("Location"), env.plain.url)
	for _, c := range r.header.Values("Set-Cookie") {
		if strings.Contains(c, "evil") || strings.Contains(c, "Domain") || strings.Contains(c, "Secure") {
			t.Errorf("the cookie is %q", c)
		}
	}
}

func claimedAddress(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "X-Client-Ip", "Forwarded"} {
		v := "6.6.6.6"
		if name == "Forwarded" {
			v = "for=6.6.6.6"
		}
		r := env.plain.as(t, "vera").do(t, ask{path: "/api/contacts/1001", header: http.Header{name: {v}}}).want(t, http.StatusOK)
		for _, e := range r.logged(t) {
			if e.Entry.SourceIP != "127.0.0.1" {
				t.Errorf("%s: the entry's address is %q", name, e.Entry.SourceIP)
			}
		}
	}
}

// Whoever has another's address or name at the provider is somebody else.
func personIsSubject(t *testing.T) {
	t.Parallel()
	signIn := func(fault string) audit.Entry {
		b := newBrowser(env.forged)
		r := b.do(t, ask{path: forge(t, b, toProvider(t, b), fault), page: true}).want(t, http.StatusFound)
		return r.logged(t)[0].Entry
	}
	vera, twin := signIn(""), signIn("twin")
	if vera.Employee == "" || vera.Employee == twin.Employee {
		t.Errorf("two subjects with one address are %q and %q", vera.Employee, twin.Employee)
	}
	if again := signIn("address"); again.Employee != vera.Employee || fmt.Sprint(again.Roles) != fmt.Sprint(vera.Roles) {
		t.Errorf("with the address a@evil.example@acme.example the same subject is %q with %v", again.Employee, again.Roles)
	}
	for _, fault := range []string{"sub-number", "sub-empty", "user-list"} {
		b := newBrowser(env.forged)
		r := b.do(t, ask{path: forge(t, b, toProvider(t, b), fault), page: true}).want(t, http.StatusForbidden)
		noSession(t, b, r)
	}
}

func ownPagesTakeNothing(t *testing.T) {
	t.Parallel()
	params := "iss=https://evil.example&user=paula&roles=master_data&session=x&id_token=eyJhbGciOiJub25lIn0.e30.&access_token=x&error=none&post_logout_redirect_uri=https://evil.example"
	b := newBrowser(env.plain)
	for _, path := range []string{"/.crmgate", "/.crmgate/", "/.crmgate/callback", "/.crmgate/ready", "/.crmgate/signed-out", "/.crmgate/sign-out"} {
		r := b.do(t, ask{path: path + "?" + params, page: true})
		if to := r.header.Get("Location"); strings.Contains(to, "evil") || strings.Contains(to, "paula") {
			t.Errorf("%s leads to %q", path, to)
		}
		if strings.Contains(string(r.body), "evil.example") || strings.Contains(string(r.body), "paula") {
			t.Errorf("%s shows what it was given: %s", path, r)
		}
		noSession(t, b, r)
	}
	// Signing out takes a form of this very site.
	in := newBrowser(env.plain)
	if err := in.signIn("sven"); err != nil {
		t.Fatal(err)
	}
	for _, a := range []ask{
		{path: "/.crmgate/sign-out", page: true},
		{path: "/.crmgate/sign-out?confirm=1", page: true},
		{path: "/.crmgate/sign-out", method: "DELETE"},
		{path: "/.crmgate/sign-out", method: "POST", header: http.Header{"Sec-Fetch-Site": {"same-site"}}},
	} {
		in.do(t, a)
		in.do(t, ask{path: "/api/contacts/1001"}).want(t, http.StatusOK)
	}
}

// Claims, headers and paths in the form of Caddy's placeholders stay text.
func placeholdersStay(t *testing.T) {
	t.Parallel()
	home := os.Getenv("HOME")
	if len(home) < 2 {
		t.Fatal("HOME is not set: nothing could show")
	}
	const bait = "{env.HOME} {file./etc/passwd} {http.request.header.Cookie} {$HOME}"
	b := newBrowser(env.forged)
	r := b.do(t, ask{path: forge(t, b, toProvider(t, b), "placeholder"), page: true}).want(t, http.StatusFound)
	if e := r.logged(t)[0].Entry; e.Names == nil || e.Names.Name != bait || e.Names.User != bait || e.Roles[len(e.Roles)-1] != "{env.HOME}" {
		t.Errorf("the entry's names are %+v, its roles %q", e.Names, e.Roles)
	}
	page := b.do(t, ask{path: "/.crmgate/", page: true}).want(t, http.StatusOK)
	if !strings.Contains(string(page.body), "{env.HOME} {file./etc/passwd}") || strings.Contains(string(page.body), home) || strings.Contains(string(page.body), "root:") {
		t.Errorf("the page shows %s", page)
	}
	sc := newScene(t, nil)
	env.plain.as(t, "vera").do(t, ask{path: "/api/contacts?q=" + url.QueryEscape("{env.HOME}"), scene: sc, header: http.Header{
		"X-Note": {"{env.HOME}"}, "Accept-Language": {"{file./etc/passwd}"}, "Referer": {"/{env.HOME}"},
	}}).want(t, http.StatusOK)
	for _, got := range sc.requests() {
		for name, values := range got.header {
			if strings.Contains(strings.Join(values, " "), home) {
				t.Errorf("the CRM received %s: %q", name, values)
			}
		}
		if got.header.Get("X-Note") != "{env.HOME}" || !strings.Contains(got.target, "env.HOME") {
			t.Errorf("the CRM received %s with the note %q", got.target, got.header.Get("X-Note"))
		}
	}
	for _, path := range []string{"/%7Benv.HOME%7D", "/.crmgate/%7Benv.HOME%7D", "/.crmgate/callback?state=%7Benv.HOME%7D&error=%7Benv.HOME%7D"} {
		if r := env.plain.as(t, "vera").do(t, ask{path: path, page: true}); bytes.Contains(r.body, []byte(home)) || strings.Contains(fmt.Sprint(r.header), home) {
			t.Errorf("%s shows %s", path, r)
		}
	}
}

func markupIsText(t *testing.T) {
	t.Parallel()
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	v := url.QueryEscape(evil)
	for _, b := range []*browser{newBrowser(env.plain), env.plain.as(t, "vera")} {
		for _, path := range []string{
			"/.crmgate/callback?error=" + v + "&error_description=" + v + "&error_uri=javascript:alert(1)&state=" + v, "/.crmgate/callback?state=x&code=" + v, "/.crmgate/" + url.PathEscape(evil),
			"/" + url.PathEscape(evil), "/.crmgate/signed-out?" + v, "/.crmgate/?" + v, "/.crmgate/step-up/" + url.PathEscape(evil), "/contacts?" + v + "=1",
		} {
			r := b.do(t, ask{path: path, page: true, header: http.Header{
				"Referer": {"javascript:alert(1)//" + evil}, "User-Agent": {evil}, "Accept-Language": {"de," + evil}, "X-Forwarded-Host": {evil},
			}})
			if strings.Contains(string(r.body), "<script") || strings.Contains(string(r.body), "onerror") || strings.Contains(string(r.body), "javascript:") {
				t.Errorf("%s: %s", path, r)
			}
			if strings.HasPrefix(r.header.Get("Content-Type"), "text/html") && !strings.HasPrefix(r.header.Get("Content-Security-Policy"), "default-src 'none'") {
				t.Errorf("%s: the policy is %q", path, r.header.Get("Content-Security-Policy"))
			}
		}
	}
	// A name that the provider vouches for is text, too.
	b := newBrowser(env.forged)
	b.do(t, ask{path: forge(t, b, toProvider(t, b), "markup"), page: true}).want(t, http.StatusFound)
	r := b.do(t, ask{path: "/.crmgate/", page: true}).want(t, http.StatusOK)
	if strings.Contains(string(r.body), "<script") || !strings.Contains(string(r.body), "&lt;script") {
		t.Errorf("the name on the page: %s", r)
	}
}

func nothingIsKept(t *testing.T) {
	t.Parallel()
	b := env.plain.as(t, "vera")
	for _, a := range []ask{
		{path: "/api/contacts/1001"},
		{path: "/contacts", page: true},
		{path: "/contacts/1001", page: true},
		{path: "/api/contacts?q=x"},
		{path: "/.crmgate/", page: true},
		{path: "/nowhere"},
		{path: "/nowhere", page: true},
		{path: "/api//contacts"},
		{path: "/.crmgate/signed-out", page: true},
		{path: "/.crmgate/ready"},
		{path: "/.crmgate/callback?state=x", page: true},
	} {
		for _, who := range []*browser{b, newBrowser(env.plain)} {
			r := who.do(t, a)
			if got := r.header.Get("Cache-Control"); got != "private, no-store" {
				t.Errorf("%s as %d: Cache-Control %q", a.path, r.status, got)
			}
			for _, name := range []string{"Etag", "Last-Modified", "Accept-Ranges", "Expires", "Age"} {
				if v := r.header.Get(name); v != "" {
					t.Errorf("%s: %s %q", a.path, name, v)
				}
			}
		}
	}
}

func ownPathsAreWhole(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/.crmgatex/ready", "/.crmgate-ready", "/x/.crmgate/ready", "/.CRMGATE/ready", "/.crmgate/readyx", "/.crmgate/ready/x", "/.crmgate/callback/x",
		"/api/contacts/.crmgate/ready", "/.crmgate/signed-out/..%2f..%2fapi/contacts",
	} {
		sc := newScene(t, nil)
		r := newBrowser(env.plain).do(t, ask{path: path, scene: sc})
		if r.status < 400 {
			t.Errorf("%s: %s", path, r)
		}
		sc.nothing(t)
	}
	name := (session.Cookies{Plain: true}).Session()
	for _, c := range []string{"x" + name, name + "x", "__Secure-" + name} {
		b := newBrowser(env.plain)
		id := ""
		for part := range strings.SplitSeq(env.plain.as(t, "vera").cookies(), "; ") {
			if v, ok := strings.CutPrefix(part, name+"="); ok {
				id = v
			}
		}
		b.do(t, ask{path: "/api/contacts/1001", header: http.Header{"Cookie": {c + "=" + id}}}).want(t, http.StatusUnauthorized)
	}
}
