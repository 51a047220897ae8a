package gate_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/canon"
)

// identityHeaders are headers by which a client could claim to be somebody, or
// to ask for something else, in the spellings that CRMs read as one.
func identityHeaders() http.Header {
	h := http.Header{}
	for _, name := range []string{
		"X-Crmgate-User", "X-Crmgate-Roles", "X_Crmgate_User", "x.crmgate.user", "X-CRMGATE_User", "X-Crmgate", "Audit-Id", "Audit_Id",
		"Remote-User", "Remote_User", "X-Remote-User", "X-Auth-Request-Email", "X-WEBAUTH-USER", "X-Forwarded-User", "X-Forwarded-Groups",
		"X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Forwarded-Prefix", "X-Real-IP", "Forwarded", "Proxy",
		"Ssl-Client-Verify", "X-SSL-Client-CN", "Http2-Settings",
	} {
		h[name] = []string{"mallory"}
	}
	h["X-Forwarded-For"], h["X-Forwarded-Host"], h["X-Forwarded-Proto"] = []string{"6.6.6.6"}, []string{"evil.example"}, []string{"gopher"}
	return h
}

func TestForgedIdentityNeverReachesTheCRM(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/api/contacts/1001", "/static/app.css", "/contacts", "/api/stream/contacts"} {
		for _, s := range []*site{env.plain, env.secure} {
			sc := newScene(t, nil)
			h := identityHeaders()
			// Tokens of Connection would make the proxy take out what it added.
			h["Connection"] = []string{"close, X-Forwarded-For, X-Crmgate-User, Cookie, Accept-Encoding, " + caseHeader, "X-Forwarded-Proto"}
			if s == env.secure {
				delete(h, "Http2-Settings")
			}
			delete(h, "Http2-Settings") // h2c is an upgrade and refused by itself
			login := "vera"
			if path == "/api/stream/contacts" {
				login = "paula"
			}
			s.as(t, login).do(t, ask{path: path, header: h, scene: sc}).want(t, http.StatusOK)
			got := sc.requests()
			if len(got) == 0 {
				t.Fatalf("%s: the CRM received nothing", path)
			}
			for _, r := range got {
				for name, values := range r.header {
					line := name + ": " + strings.Join(values, ", ")
					if strings.Contains(line, "mallory") || strings.Contains(line, "evil") || strings.Contains(line, "6.6.6.6") || strings.Contains(line, "gopher") {
						t.Errorf("%s: the CRM received %q", path, line)
					}
				}
				if r.header.Get("X-Forwarded-For") != "127.0.0.1" || r.header.Get("X-Forwarded-Proto") != strings.Split(s.url, ":")[0] {
					t.Errorf("%s: the proxy's own headers were taken out: %v", path, r.header)
				}
				if path == "/api/contacts/1001" && r.header.Get("Accept-Encoding") == "" {
					t.Errorf("%s: the gate's own header was taken out", path)
				}
			}
		}
	}
}

func TestGatewaysCookiesNeverReachTheCRM(t *testing.T) {
	t.Parallel()
	for _, s := range []*site{env.plain, env.secure} {
		for _, path := range []string{"/api/contacts/1001", "/static/app.css"} {
			sc := newScene(t, nil)
			b := s.as(t, "vera")
			u, _ := url.Parse(s.url)
			own, crms := "", ""
			for _, c := range b.jar.Cookies(u) {
				if c.Name == "kontor_session" { // any other would be taken out
					crms = c.Name + "=" + c.Value
				}
				if strings.Contains(c.Name, "crmgate") {
					own += c.Name + "=" + c.Value + "; "
				}
			}
			if !strings.Contains(own, "crmgate=") || !strings.Contains(own, "crmgate-login=") {
				t.Fatalf("the browser has %q, want session and binding", own)
			}
			bare := newBrowser(s)
			h := http.Header{
				"Cookie":  {`theme=dark; ` + own + `Crmgate=x; __host-crmgate=y; __Host-crmgate-login=z; ` + crms + `; note="a; b"; last=1`},
				"Cookie_": {own},
			}
			bare.do(t, ask{path: path, header: h, scene: sc}).want(t, http.StatusOK)
			for _, r := range sc.requests() {
				if got := r.header.Get("Cookie"); got != `theme=dark; `+crms+`; note="a; b"; last=1` || crms == "" {
					t.Errorf("the CRM received the cookies %q", got)
				}
				for name, values := range r.header {
					for _, c := range b.jar.Cookies(u) {
						if strings.Contains(strings.Join(values, " "), c.Value) && strings.Contains(c.Name, "crmgate") {
							t.Errorf("the CRM received the gateway's cookie in %s", name)
						}
					}
				}
			}
		}
	}
}

func TestUnknownRouteIsRefusedAndLogged(t *testing.T) {
	t.Parallel()
	b := env.plain.as(t, "paula") // a role that sees everything
	for _, a := range []ask{
		{path: "/admin"},
		{path: "/api/contacts/1001/history"},
		{path: "/api/contacts/"},
		{path: "/API/contacts"},
		{path: "/nowhere", method: "HEAD"},
		{path: "/api/contacts", method: "OPTIONS"},
		{path: "/static/other.js"},
		{path: "/api/contacts/1001", method: "POST", body: "{}"},
	} {
		a.scene = newScene(t, nil)
		r := b.do(t, a).want(t, http.StatusForbidden)
		r.logged(t).refused(t, "unknown_route")
		if a.method != "HEAD" {
			problem(t, r, "unknown_route")
		}
		a.scene.nothing(t)
	}
	r := b.do(t, ask{path: "/admin", page: true}).want(t, http.StatusForbidden)
	if !strings.Contains(string(r.body), "Profil") || !strings.Contains(string(r.body), r.header.Get("Audit-Id")) {
		t.Errorf("the person sees %s, want the reason in German and the reference", r)
	}
	sc := newScene(t, nil)
	r = b.do(t, ask{path: "/api/contacts?unknown=1", scene: sc}).want(t, http.StatusForbidden)
	r.logged(t).refused(t, "unknown_parameter")
	sc.nothing(t)
}

func TestAmbiguousRequestIsRefused(t *testing.T) {
	t.Parallel()
	b := env.plain.as(t, "vera")
	for path, reason := range map[string]canon.Reason{
		"/api/contacts//1001": canon.EmptySegment, "/api/../api/contacts": canon.DotSegment, "/api/contacts/%2e%2e/x": canon.DotSegment,
		"/api%2fcontacts": canon.EncodedSlash, "/api/contacts%00": canon.ControlChar, "/api%5ccontacts": canon.Backslash,
		"/api/contacts;v=1": canon.Semicolon, "/api/%2563ontacts": canon.DoubleEncoding, "/api/contacts?q=a&q=b": canon.RepeatedParam,
		"/api/contacts?q=a;b": canon.Semicolon, "/api/contacts?_method=DELETE": canon.MethodOverride, "/api/contacts?q[]=1&q=2": canon.MixedParam,
	} {
		sc := newScene(t, nil)
		r := b.do(t, ask{path: path, scene: sc}).want(t, http.StatusBadRequest)
		problem(t, r, string(reason))
		r.logged(t).refused(t, string(reason))
		sc.nothing(t)
	}
}

// What is judged is what is forwarded: one spelling of the path.
func TestForwardedTargetIsTheJudgedOne(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/api/%63ontacts/1001":      "/api/contacts/1001",
		"/api/contacts?q=erika+m%C": "",
		"/api/contacts?sort=-email": "/api/contacts?sort=-email",
		"/api/contacts?":            "/api/contacts",
	} {
		sc := newScene(t, nil)
		r := env.plain.as(t, "vera").get(t, path, sc)
		got := sc.requests()
		if want == "" {
			r.want(t, http.StatusBadRequest)
			sc.nothing(t)
			continue
		}
		r.want(t, http.StatusOK)
		if len(got) != 1 || got[0].target != want {
			t.Errorf("%s reached the CRM as %+v, want %s", path, got, want)
		}
	}
}

func TestRequestBodyIsJudgedStrictly(t *testing.T) {
	t.Parallel()
	b := env.plain.as(t, "paula")
	for name, c := range map[string]struct {
		body   string
		header http.Header
		status int
		reason string
	}{
		"duplicate keys":    {`{"last_name":"a","last_name":"b"}`, nil, 400, "malformed"},
		"same key, escaped": {`{"last_name":"a","last\u005fname":"b"}`, nil, 400, "malformed"},
		"truncated":         {`{"last_name":"a"`, nil, 400, "malformed"},
		"two objects":       {`{"last_name":"a"}{}`, nil, 400, "malformed"},
		"bad UTF-8":         {"{\"last_name\":\"\xff\"}", nil, 400, "malformed"},
		"empty":             {"", http.Header{"Content-Type": {"application/json"}}, 400, "malformed"},
		"gzip":              {"\x1f\x8b\x08", http.Header{"Content-Encoding": {"gzip"}}, 415, "request_coding"},
		"charset":           {`{"last_name":"a"}`, http.Header{"Content-Type": {"application/json; charset=utf-16"}}, 415, "type"},
		"other type":        {`{"last_name":"a"}`, http.Header{"Content-Type": {"text/plain"}}, 415, "type"},
		"no type":           {`{"last_name":"a"}`, http.Header{"Content-Type": nil}, 415, "type"},
		"too large":         {`{"last_name":"` + strings.Repeat("a", 5<<20) + `"}`, nil, 413, "request_limit"},
		"a deep one":        {strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60), nil, 400, "malformed"},
	} {
		sc := newScene(t, nil)
		r := b.do(t, ask{method: "POST", path: "/api/contacts", body: c.body, header: c.header, scene: sc})
		if r.status != c.status {
			t.Errorf("%s: got %s, want %d", name, r, c.status)
			continue
		}
		r.logged(t).refused(t, c.reason)
		sc.nothing(t)
	}
	two := b.do(t, ask{method: "POST", path: "/api/contacts", body: "{}", header: http.Header{"Content-Type": {"application/json", "text/plain"}}})
	two.want(t, http.StatusBadRequest)
}

// dial opens a connection to a site for what no client library would send.
// cookies are the Cookie header of a signed-in browser.
// exchangeRaw sends bytes and reads one answer.
func TestManyCookiesSignNobodyOut(t *testing.T) {
	t.Parallel()
	cookies := env.plain.as(t, "vera").cookies()
	for name, flood := range map[string]string{
		"ten thousand": strings.Repeat("a=b; ", 10_000), "900 KiB in one": "a=" + strings.Repeat("b", 900<<10) + "; ",
		"planted": strings.Repeat("x=crmgate=; ", 20_000), "ends": strings.Repeat(";", 500_000),
	} {
		many := http.Header{"Cookie": {flood + cookies}}
		if r := newBrowser(env.plain).do(t, ask{path: "/api/contacts/1001", header: many}); r.status != http.StatusOK {
			t.Errorf("%s: %s", name, r)
		}
	}
	// More of the gateway's own than it reads: this browser is signed out, and can sign in anew.
	for _, own := range []string{"crmgate=", "crmgate-login="} {
		many := http.Header{"Cookie": {strings.Repeat(own+"x; ", 10_000) + cookies}}
		newBrowser(env.plain).do(t, ask{path: "/api/contacts/1001", header: many}).want(t, http.StatusOK)
	}
	newBrowser(env.plain).do(t, ask{path: "/contacts", page: true, header: http.Header{"Cookie": {strings.Repeat("crmgate=x; ", 10_000)}}}).want(t, http.StatusFound)
}

func upgradeIsRefusedWithAnEntry(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/api/contacts", "/static/app.css", "/contacts"} {
		for name, h := range map[string]http.Header{
			"websocket": {
				"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Version": {"13"},
			},
			"h2c":           {"Connection": {"Upgrade, HTTP2-Settings"}, "Upgrade": {"h2c"}, "Http2-Settings": {"AAMAAABkAARAAAAAAAIAAAAA"}},
			"without token": {"Upgrade": {"websocket"}},
		} {
			sc := newScene(t, nil)
			lines := ""
			for k, v := range h {
				lines += k + ": " + v[0] + "\r\n"
			}
			request := func(cookie string) string {
				return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n%s: %s\r\n%s\r\n", path, env.plain.host, cookie, caseHeader, sc.id, lines)
			}
			r := exchangeRaw(t, dial(t, env.plain), request(env.plain.as(t, "vera").cookies()))
			if r.status != http.StatusForbidden {
				t.Errorf("%s %s: got %s", name, path, r)
				continue
			}
			r.logged(t).refused(t, "upgrade")
			if r := exchangeRaw(t, dial(t, env.plain), request("")); r.status != http.StatusUnauthorized {
				t.Errorf("%s %s without a session: got %s", name, path, r)
			}
			sc.nothing(t)
		}
	}
}

func TestMethodsOutsideTheListAreRefused(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"TRACE", "CONNECT", "PROPFIND", "TRACK"} {
		sc := newScene(t, nil)
		text := fmt.Sprintf("%s /contacts HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n%s: %s\r\n\r\n", method, env.plain.host, env.plain.as(t, "vera").cookies(), caseHeader, sc.id)
		if r := exchangeRaw(t, dial(t, env.plain), text); r.status < 400 {
			t.Errorf("%s: got %s", method, r)
		}
		sc.nothing(t)
	}
}

func TestPlainHTTPBeyondLoopbackIsRefused(t *testing.T) {
	t.Parallel()
	// The site's own address is loopback; another Host never reaches its gate.
	sc := newScene(t, nil)
	r := env.plain.as(t, "vera").do(t, ask{path: "/api/contacts/1001", header: http.Header{"Host": {"crm.example.de"}}, scene: sc})
	if strings.Contains(string(r.body), "last_name") {
		t.Errorf("got %s", r)
	}
	sc.nothing(t)
}

// readAll reads a connection to its end.
// chunk is a piece of a chunked body.
