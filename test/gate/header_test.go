package gate_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
)

// withHeaders answers a contact with more headers.
func withHeaders(status int, body string, h http.Header) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), h)
		jsonAnswer(status, body)(w, r)
	}
}

func TestHeadersWithValuesStayHere(t *testing.T) {
	t.Parallel()
	secret := []string{canary}
	h := http.Header{
		"Etag": {`"` + canary + `"`}, "Last-Modified": secret, "Content-Md5": secret, "Digest": secret, "Content-Location": {"/c/" + canary},
		"Link": {"</c/" + canary + ">; rel=next"}, "Refresh": {"0; url=/c/" + canary}, "X-Total-Count": {"1"}, "X-Debug-Sql": secret,
		"X-User-Email": {"erika@example.com"}, "Server-Timing": secret, "Sourcemap": secret, "Warning": secret, "Accept-Ranges": {"bytes"},
		"Content-Disposition": {`inline; filename="` + canary + `.pdf"`}, "Content-Range": {"bytes 0-1/2"}, "Alt-Svc": {`h3=":443"`},
		"Set-Cookie": {
			"session=abc; HttpOnly", "last_viewed=" + canary, "crmgate=stolen; Path=/", "__Host-crmgate=stolen; Path=/; Secure",
			"=crmgate-login=stolen", "Crmgate=stolen", "ok=1",
		},
		"Content-Language": {"de"}, "Vary": {"Accept-Language"}, "Www-Authenticate": {`Basic realm="` + canary + `"`},
		"X-Accel-Redirect": {"/etc/passwd"}, "Audit-Id": {"forged/1"}, "X-Crmgate-User": {"mallory"}, "Cache-Control": {"public, max-age=3600"},
		"Trailer": {"X-Late"}, "Clear-Site-Data": {`"cookies"`}, "Service-Worker-Allowed": {"/"},
	}
	sc := newScene(t, withHeaders(http.StatusOK, contact(1), h))
	for _, s := range []*site{env.plain, env.secure} {
		for _, two := range []bool{false, s == env.secure} {
			r := s.as(t, "vera").do(t, ask{path: "/api/contacts/1", scene: sc, two: two}).want(t, http.StatusOK)
			r.hides(t)
			for _, name := range []string{
				"Etag", "Last-Modified", "Content-Md5", "Digest", "Content-Location", "Link", "Refresh", "X-Total-Count", "X-Debug-Sql", "X-User-Email",
				"Server-Timing", "Sourcemap", "Warning", "Accept-Ranges", "Content-Disposition", "Content-Range", "X-Crmgate-User", "Service-Worker-Allowed", "Clear-Site-Data",
			} {
				if v := r.header.Values(name); len(v) > 0 {
					t.Errorf("%s came through: %q", name, v)
				}
			}
			if got := strings.Join(r.header.Values("Set-Cookie"), "\n"); got != "session=abc; HttpOnly\nok=1" {
				t.Errorf("cookies %q", got)
			}
			for name, want := range map[string]string{"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff", "Content-Language": "de"} {
				if r.header.Get(name) != want || len(r.header.Values(name)) != 1 {
					t.Errorf("%s is %q, want %q", name, r.header.Values(name), want)
				}
			}
			if strings.Contains(r.header.Get("Audit-Id"), "forged") {
				t.Error("the CRM said which entry this is")
			}
		}
	}
}

func TestTrailersAndEarlyAnswersStayHere(t *testing.T) {
	t.Parallel()
	body := contact(1)
	raw := "HTTP/1.1 103 Early Hints\r\nLink: </" + canary + ">; rel=preload\r\nSet-Cookie: early=" + canary + "\r\n\r\n" +
		"HTTP/1.1 102 Processing\r\n\r\n" +
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nTrailer: X-Iban, Set-Cookie\r\n\r\n" +
		chunk(body) + "0\r\nX-Iban: " + canary + "\r\nSet-Cookie: late=" + canary + "\r\nX-Unannounced: " + canary + "\r\n\r\n"
	for _, path := range []string{"/api/contacts/1", "/api/stream/contacts"} {
		answer, login := raw, "vera"
		if strings.Contains(path, "stream") {
			answer, login = strings.Replace(raw, chunk(body), chunk("["+body+"]"), 1), "paula"
		}
		conn := dial(t, env.plain)
		sc := newScene(t, rawAnswer(answer))
		request := "GET " + path + " HTTP/1.1\r\nHost: " + env.plain.host + "\r\nTE: trailers\r\nCookie: " + env.plain.as(t, login).cookies() + "\r\n" + caseHeader + ": " + sc.id + "\r\nConnection: close\r\n\r\n"
		if _, err := conn.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
		wire := readAll(t, conn)
		if !strings.HasPrefix(wire, "HTTP/1.1 200 OK\r\n") || !strings.Contains(wire, "muster@example.com") {
			t.Fatalf("got %q", wire)
		}
		if login == "paula" {
			wire = strings.Replace(wire, `"iban":"`+canary, "", 1) // hers to see
		}
		for _, no := range []string{canary, "Early", "X-Iban", "X-Unannounced", "late=", "early="} {
			if strings.Contains(wire, no) {
				t.Errorf("%s: %q came through: %q", path, no, wire)
			}
		}
	}
}

func TestRedirectLeadsWhereTheEmployeeMayGo(t *testing.T) {
	t.Parallel()
	own := env.plain.url
	for to, want := range map[string]string{
		"/contacts/1001":                            "/contacts/1001",
		own + "/contacts/1001":                      own + "/contacts/1001",
		"//" + env.plain.host + "/contacts/1001":    "//" + env.plain.host + "/contacts/1001",
		"1001":                                      "1001",          // beside /contacts/new
		"?sort=email":                               "/contacts/new", // which takes no query
		"/contacts?sort=email":                      "/contacts?sort=email",
		"/contacts?email=muster@example.com":        "/contacts?email=muster@example.com",
		"/contacts?iban=" + canary:                  "/contacts",
		"/contacts?message=" + canary:               "/contacts",
		"/contacts?sort=iban":                       "/contacts",
		"/?saved=" + canary:                         "/",
		"/contacts/1001?flash=" + canary:            "/contacts/1001",
		"/contacts/1001#" + canary + "%20Erika":     "/contacts/1001",
		"/contacts/1001#tab/notes":                  "/contacts/1001#tab/notes",
		"/somewhere/" + canary:                      "",
		"https://evil.example/" + canary:            "",
		"//evil.example/" + canary:                  "",
		`/\evil.example/` + canary:                  "",
		`\\evil.example`:                            "",
		"javascript:alert(1)":                       "",
		"mailto:erika@example.com":                  "",
		"http://" + canary + "@" + env.plain.host:   "",
		"/contacts/1001/../../x":                    "",
		"/contacts%2f1001":                          "",
		"/.crmgate/callback?state=x&code=" + canary: "",
		"":                    "",
		"/contacts;" + canary: "",
		"ftp://" + env.plain.host + "/contacts/1": "",
	} {
		sc := newScene(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Location"] = []string{to}
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusSeeOther)
			_, _ = w.Write([]byte(`<a href="` + to + `">` + canary + `</a>`)) // not read
		})
		r := env.plain.as(t, "vera").do(t, ask{
			method: "POST", path: "/contacts/new", page: true, scene: sc, body: "last_name=Neu",
			header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}},
		})
		r.hides(t)
		if want == "" {
			if r.status != http.StatusBadGateway || r.header.Get("Location") != "" || !strings.Contains(string(r.body), "Ob gespeichert wurde") {
				t.Errorf("to %q: %s, Location %q", to, r, r.header.Get("Location"))
			}
			r.logged(t).faulted(t, "redirect")
			continue
		}
		if r.status != http.StatusSeeOther || r.header.Get("Location") != want || len(r.body) > 0 {
			t.Errorf("to %q: %s, Location %q, want %q", to, r, r.header.Get("Location"), want)
		}
	}
}

// The address of a new record names it: the log does, too.
func TestRedirectsRecordIsLogged(t *testing.T) {
	t.Parallel()
	for status, body := range map[int]string{http.StatusSeeOther: "", http.StatusCreated: `{"id":8123,"last_name":"Neu"}`} {
		sc := newScene(t, withHeaders(status, body, http.Header{"Location": {"/api/contacts/8123"}}))
		r := env.plain.as(t, "vera").do(t, ask{method: "POST", path: "/api/contacts", scene: sc, body: `{"last_name":"Neu"}`}).want(t, status)
		if r.header.Get("Location") != "/api/contacts/8123" {
			t.Errorf("Location %q", r.header.Get("Location"))
		}
		if x := r.logged(t); x.records("contact")["8123"].ID == "" {
			t.Errorf("entries %s, want contact/8123", x)
		}
	}
	two := newScene(t, withHeaders(http.StatusSeeOther, "", http.Header{"Location": {"/contacts/1", "/contacts/2"}}))
	env.plain.as(t, "vera").do(t, ask{method: "POST", path: "/api/contacts", scene: two, body: `{"last_name":"Neu"}`}).want(t, http.StatusBadGateway)
}

func TestClientCannotAskForAFormThatCannotBeMasked(t *testing.T) {
	t.Parallel()
	sc := newScene(t, nil)
	env.plain.as(t, "vera").do(t, ask{path: "/api/contacts/1001", scene: sc, header: http.Header{
		"Range": {"bytes=0-5"}, "If-Range": {`"x"`}, "If-None-Match": {"*"}, "If-Modified-Since": {"Mon, 01 Jan 2029 00:00:00 GMT"},
		"Accept-Encoding": {"compress, dcb, exi"}, "Accept-Charset": {"utf-7"}, "Te": {"trailers"}, "A-Im": {"feed"}, "Want-Digest": {"sha-256"},
	}}).want(t, http.StatusOK)
	got := sc.requests()[0].header
	for _, name := range []string{"Range", "If-Range", "If-None-Match", "If-Modified-Since", "Accept-Charset", "Te", "A-Im", "Want-Digest"} {
		if got.Get(name) != "" {
			t.Errorf("%s reached the CRM: %q", name, got.Get(name))
		}
	}
	if got.Get("Accept-Encoding") != "gzip, br, zstd, deflate" {
		t.Errorf("the CRM was asked for %q", got.Get("Accept-Encoding"))
	}
}
