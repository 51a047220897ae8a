package gate_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// appOrigin is the origin whose scripts may read the answers of env.opened.
const appOrigin = "https://app.example.de"

func TestSignInPublic(t *testing.T) {
	t.Parallel()
	b := newBrowser(env.opened)
	t.Run("C09-health-is-one-path", func(t *testing.T) {
		sc := newScene(t, typed("text/plain", http.StatusOK, "ok"))
		b.do(t, ask{path: "/healthz", scene: sc}).want(t, http.StatusOK)
		for _, a := range []ask{
			{path: "/healthz/"},
			{path: "/healthz/x"},
			{path: "/healthzx"},
			{path: "/Healthz"},
			{path: "/contacts", header: http.Header{"User-Agent": {"kube-probe/1.30"}}},
			{path: "/api/contacts", header: http.Header{"User-Agent": {"GoogleHC/1.0"}}},
			{path: "/healthz", method: "POST", body: "{}"},
			{path: "/healthz", method: "DELETE"},
		} {
			a.scene = newScene(t, nil)
			r := b.do(t, a)
			if r.status != http.StatusUnauthorized {
				t.Errorf("%s %s: %s", a.method, a.path, r)
			}
			a.scene.nothing(t)
		}
	})
	t.Run("C05-query-opens-nothing", func(t *testing.T) {
		for _, path := range []string{"/api/contacts?x=/healthz", "/api/contacts/1001?path=/static/app.css", "/api/contacts?q=/healthz"} {
			b.do(t, ask{path: path}).want(t, http.StatusUnauthorized)
		}
	})
	t.Run("C04-headers-open-nothing", func(t *testing.T) {
		for _, name := range []string{"X-Forwarded-Uri", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Forwarded-Prefix"} {
			b.do(t, ask{path: "/api/contacts", header: http.Header{name: {"/healthz"}}}).want(t, http.StatusUnauthorized)
		}
	})
	t.Run("C07-spellings-open-nothing", func(t *testing.T) {
		sc := newScene(t, nil)
		for _, path := range []string{
			"/healthz/../api/contacts", "/healthz/%2e%2e/api/contacts", "/healthz%2f..%2fapi/contacts", "/healthz;/../api/contacts", "/healthz%00/x",
			"/healthz%23/api", "/healthz%3f/api", "//healthz", "/./healthz", "/healthz%252f", "/healthz\\x", "/healthz%5cx", "/static/app.css%2f..%2f..%2fapi%2fcontacts",
		} {
			r, err := b.try(ask{path: path, scene: sc})
			if err == nil && r.status != http.StatusBadRequest && r.status != http.StatusUnauthorized {
				t.Errorf("%s: %s", path, r)
			}
		}
		sc.nothing(t)
		// An escape that means the same letter is the same path.
		b.do(t, ask{path: "/%68ealthz", scene: newScene(t, typed("text/plain", http.StatusOK, "ok"))}).want(t, http.StatusOK)
	})
	t.Run("C01-public-strips-identity", func(t *testing.T) {
		sc := newScene(t, typed("text/plain", http.StatusOK, "ok"))
		h := identityHeaders()
		delete(h, "Http2-Settings")
		h["Cookie"] = []string{"crmgate=" + strings.Repeat("A", 43) + "; theme=dark; crmgate-login=" + strings.Repeat("B", 43)}
		r := b.do(t, ask{path: "/static/app.css", header: h, scene: sc}).want(t, http.StatusOK)
		if r.header.Get("Audit-Id") != "" {
			t.Error("a stranger made an entry")
		}
		got := sc.requests()
		if len(got) != 1 || got[0].header.Get("Cookie") != "theme=dark" {
			t.Fatalf("the CRM received %+v", got)
		}
		for name, values := range got[0].header {
			if strings.Contains(strings.Join(values, " "), "mallory") {
				t.Errorf("the CRM received %s", name)
			}
		}
	})
}

func TestSignInCORS(t *testing.T) {
	t.Parallel()
	allowed := http.Header{"Origin": {appOrigin}, "Sec-Fetch-Mode": {"cors"}}
	t.Run("a-401-can-be-read", func(t *testing.T) {
		r := newBrowser(env.opened).do(t, ask{path: "/api/contacts", header: allowed}).want(t, http.StatusUnauthorized)
		checkCORS(t, r, appOrigin)
		problem(t, r, "signed_out")
		var p map[string]any
		if err := json.Unmarshal(r.body, &p); err != nil || p["login_url"] != env.opened.url+"/.crmgate/continue" {
			t.Errorf("login_url %v, %v", p["login_url"], err)
		}
	})
	t.Run("preflight", func(t *testing.T) {
		sc := newScene(t, nil)
		h := http.Header{"Origin": {appOrigin}, "Access-Control-Request-Method": {"PUT"}, "Access-Control-Request-Headers": {"content-type,x-csrf"}}
		r := newBrowser(env.opened).do(t, ask{path: "/api/contacts/1", method: "OPTIONS", header: h, scene: sc}).want(t, http.StatusNoContent)
		checkCORS(t, r, appOrigin)
		if !strings.Contains(r.header.Get("Access-Control-Allow-Methods"), "PUT") || r.header.Get("Access-Control-Allow-Headers") != "content-type,x-csrf" {
			t.Errorf("headers %v", r.header)
		}
		h["Access-Control-Request-Headers"] = []string{"x\", evil"}
		r = newBrowser(env.opened).do(t, ask{path: "/api/contacts/1", method: "OPTIONS", header: h, scene: sc})
		if r.header.Get("Access-Control-Allow-Headers") != "" {
			t.Errorf("headers %v", r.header)
		}
		sc.nothing(t)
	})
	t.Run("the-CRMs-word-is-replaced", func(t *testing.T) {
		b := signedInAs(t, env.opened, somebody(), "")
		loose := http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Credentials": {"false"}, "Vary": {"Accept"}}
		for _, path := range []string{"/api/contacts/1", "/static/app.css"} {
			sc := newScene(t, withHeaders(http.StatusOK, contact(1), loose))
			r := b.do(t, ask{path: path, header: allowed, scene: sc}).want(t, http.StatusOK)
			checkCORS(t, r, appOrigin)
		}
	})
	t.Run("other-origins-get-nothing", func(t *testing.T) {
		for _, o := range []string{"https://evil.example", "null", "https://app.example.de.evil.example", "https://app.example.de:444", "http://app.example.de", "https://APP.example.de"} {
			r := newBrowser(env.opened).do(t, ask{path: "/api/contacts", header: http.Header{"Origin": {o}}}).want(t, http.StatusUnauthorized)
			checkCORS(t, r, "")
			r = newBrowser(env.opened).do(t, ask{path: "/api/contacts", method: "OPTIONS", header: http.Header{"Origin": {o}, "Access-Control-Request-Method": {"GET"}}})
			checkCORS(t, r.want(t, http.StatusUnauthorized), "")
		}
	})
	t.Run("own-pages-are-nobody-elses", func(t *testing.T) {
		b := signedInAs(t, env.opened, somebody(), "")
		checkCORS(t, b.do(t, ask{path: "/.crmgate/sessions", header: allowed}), "")
	})
	t.Run("without-the-word-no-header", func(t *testing.T) {
		r := newBrowser(env.forged).do(t, ask{path: "/api/contacts", header: allowed}).want(t, http.StatusUnauthorized)
		checkCORS(t, r, "")
		if r.header.Get("Vary") != "" {
			t.Errorf("Vary %q", r.header.Get("Vary"))
		}
	})
}

// checkCORS checks who may read an answer, "" = nobody else.
func checkCORS(t *testing.T, r *reply, origin string) {
	t.Helper()
	if got := r.header.Values("Access-Control-Allow-Origin"); strings.Join(got, "|") != origin {
		t.Errorf("Access-Control-Allow-Origin %q, want %q", got, origin)
	}
	credentials := map[bool]string{true: "true"}[origin != ""]
	if got := r.header.Values("Access-Control-Allow-Credentials"); strings.Join(got, "|") != credentials {
		t.Errorf("Access-Control-Allow-Credentials %q, want %q", got, credentials)
	}
	if origin != "" && !strings.Contains(strings.Join(r.header.Values("Vary"), ","), "Origin") {
		t.Errorf("Vary %q", r.header.Values("Vary"))
	}
}

// Authorization belongs to the CRM.
func TestCRMsAuthorizationArrivesUntouched(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/api/contacts/1001", "/static/app.css"} {
		sc := newScene(t, nil)
		env.plain.as(t, "vera").do(t, ask{path: path, header: http.Header{"Authorization": {"Bearer crm's-own  token=="}}, scene: sc}).want(t, http.StatusOK)
		for _, r := range sc.requests() {
			if got := r.header.Values("Authorization"); len(got) != 1 || got[0] != "Bearer crm's-own  token==" {
				t.Errorf("%s: the CRM received %q", path, got)
			}
		}
	}
}

// browserOpens are the headers of a browser that opens a page and runs its scripts.
func browserOpens() http.Header {
	return http.Header{"Upgrade-Insecure-Requests": {"1"}}
}

func TestFormsAndFramesAreNeverLedAway(t *testing.T) {
	t.Parallel()
	sc := newScene(t, nil)
	for name, c := range map[string]struct {
		ask  ask
		word string
	}{
		"form":  {ask{path: "/contacts/new", page: true, method: "POST", body: "last_name=x"}, "nicht gesendet"},
		"frame": {ask{path: "/contacts", page: true, header: http.Header{"Sec-Fetch-Dest": {"iframe"}}}, "in der dieser Bereich steht"},
	} {
		c.ask.scene = sc
		r := newBrowser(env.forged).do(t, c.ask).want(t, http.StatusUnauthorized)
		body := string(r.body)
		if !strings.Contains(body, c.word) || !strings.Contains(body, `href="/.crmgate/continue" target="_blank" rel="noopener"`) || r.header.Get("Location") != "" {
			t.Errorf("%s: %s", name, r)
		}
	}
	sc.nothing(t)
	b := signedInAs(t, env.forged, somebody(), "")
	if r := b.do(t, ask{path: "/.crmgate/continue", page: true}).want(t, http.StatusOK); !strings.Contains(string(r.body), "Schließen Sie diesen Tab") {
		t.Errorf("got %s", r)
	}
	out := newBrowser(env.forged).do(t, ask{path: "/.crmgate/continue", page: true}).want(t, http.StatusFound)
	if !strings.HasPrefix(out.header.Get("Location"), env.forger.url+"/authorize?") {
		t.Errorf("sent to %q", out.header.Get("Location"))
	}
}

func TestBrowsersKeepTheFragmentOverSignIn(t *testing.T) {
	t.Parallel()
	b := newBrowser(env.forged)
	r := b.do(t, ask{path: "/contacts?view=1", page: true, header: browserOpens()}).want(t, http.StatusOK)
	body := string(r.body)
	if !strings.Contains(body, `data-keep="/contacts?view=1"`) || !strings.Contains(body, `<noscript><meta http-equiv="refresh" content="0; url=`+env.forger.url+"/authorize?") {
		t.Fatalf("got %s", r)
	}
	if p := r.header.Get("Content-Security-Policy"); !strings.Contains(p, "script-src 'sha256-") || strings.Contains(p, "unsafe") {
		t.Errorf("policy %q", p)
	}
	back := forge(t, b, toProvider(t, b), "who="+somebody()+"/")
	r = b.do(t, ask{path: back, page: true, header: browserOpens()}).want(t, http.StatusOK)
	if body := string(r.body); !strings.Contains(body, `<script data-to="/api/contacts">`) || strings.Contains(body, "data-keep") {
		t.Fatalf("got %s", r)
	}
	b.isIn(t, true)
	b.do(t, ask{path: back, page: true, header: browserOpens()}).want(t, http.StatusOK) // another tab was quicker
	for name, a := range map[string]ask{
		"a client of one's own": {path: "/contacts", page: true},
		"a form's answer":       {path: "/contacts", page: true, method: "HEAD", header: browserOpens()},
		"a frame":               {path: "/contacts", page: true, header: http.Header{"Upgrade-Insecure-Requests": {"1"}, "Sec-Fetch-Dest": {"iframe"}}},
	} {
		if r := newBrowser(env.forged).do(t, a); strings.Contains(string(r.body), "<script") {
			t.Errorf("%s: %s", name, r)
		}
	}
}
