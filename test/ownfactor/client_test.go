package ownfactor_test

import (
	"bytes"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/factor/softkey"
	"github.com/crmgate/crmgate/internal/keys"
)

func bytesReader(b []byte) io.Reader { return bytes.NewReader(b) }

// browser is somebody's browser at one site.
type browser struct {
	t    *testing.T
	site string
	jar  http.CookieJar
	// ago is how many seconds ago the provider says that they signed in.
	ago string
}

func newBrowser(t *testing.T, site string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, site: site, jar: jar}
}

// shown is what a browser shows.
type shown struct {
	status   int
	header   http.Header
	body     string
	location string
}

func (b *browser) do(method, address string, form url.Values, header ...string) shown {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Accept-Language", "en")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	c := &http.Client{Jar: b.jar, Timeout: 90 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return shown{resp.StatusCode, resp.Header, string(raw), resp.Header.Get("Location")}
}

func (b *browser) get(path string) shown {
	b.t.Helper()
	return b.do(http.MethodGet, b.site+path, nil)
}

// signIn opens a page and goes through the provider, up to what the gateway
// shows after it.
func (b *browser) signIn(who, path string) shown {
	b.t.Helper()
	s := b.get(path)
	for s.status == http.StatusFound {
		to := s.location
		if strings.HasPrefix(to, env.op.url) && strings.Contains(to, "/authorize") {
			to += "&" + url.Values{"who": {who}, "ago": {b.ago}}.Encode()
		}
		if strings.HasPrefix(to, "/") {
			to = b.site + to
		}
		s = b.do(http.MethodGet, to, nil)
	}
	return s
}

var (
	formOf   = regexp.MustCompile(`(?s)<form[^>]*>.*?</form>`)
	hiddenOf = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	optionOf = regexp.MustCompile(`data-options="([^"]*)"`)
	secretOf = regexp.MustCompile(`<code class="secret"[^>]*>([^<]*)</code>`)
	codesOf  = regexp.MustCompile(`<li><code>([^<]*)</code></li>`)
)

// form returns the fields of the form that does something, and the options of
// its ceremony.
func (s shown) form(t *testing.T, do string) (url.Values, []byte) {
	t.Helper()
	v, options, ok := s.find(do)
	if !ok {
		t.Fatalf("the page has no form %q: %d %.1500s", do, s.status, afterBody(s.body))
	}
	return v, options
}

func (s shown) find(do string) (url.Values, []byte, bool) {
	for _, f := range formOf.FindAllString(s.body, -1) {
		v := url.Values{}
		for _, m := range hiddenOf.FindAllStringSubmatch(f, -1) {
			v.Set(m[1], html.UnescapeString(m[2]))
		}
		if v.Get("do") != do {
			continue
		}
		var options []byte
		if m := optionOf.FindStringSubmatch(f); m != nil {
			options = []byte(html.UnescapeString(m[1]))
		}
		return v, options, true
	}
	return nil, nil, false
}

func afterBody(s string) string {
	if _, after, ok := strings.Cut(s, "<body"); ok {
		return after
	}
	return s
}

func (s shown) secret(t *testing.T) string {
	t.Helper()
	m := secretOf.FindStringSubmatch(s.body)
	if m == nil {
		t.Fatalf("the page shows no secret: %d %.600s", s.status, afterBody(s.body))
	}
	return strings.ReplaceAll(m[1], " ", "")
}

func (s shown) codes() []string {
	var list []string
	for _, m := range codesOf.FindAllStringSubmatch(s.body, -1) {
		list = append(list, m[1])
	}
	return list
}

// post sends a form of the second factor.
func (b *browser) post(v url.Values, more ...string) shown {
	b.t.Helper()
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return b.do(http.MethodPost, b.site+"/.crmgate/factor", v)
}

func codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	c, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// enrolApp goes from the page of the enrolment to a session, and returns the
// app's secret and the recovery codes.
func (b *browser) enrolApp(s shown) (secret string, codes []string) {
	b.t.Helper()
	secret = s.secret(b.t)
	v, _ := s.form(b.t, "new_totp")
	// The step before is still good; so the one of now is left for what follows.
	done := b.post(v, "code", codeAt(b.t, secret, time.Now().Add(-30*time.Second)))
	if done.status != http.StatusOK || len(done.codes()) != 10 {
		b.t.Fatalf("enrolment: %d %.800s", done.status, afterBody(done.body))
	}
	return secret, done.codes()
}

func (b *browser) enrolKey(s shown) (*softkey.Key, shown) {
	b.t.Helper()
	key := softkey.New(b.site)
	v, options := s.form(b.t, "new_passkey")
	raw, err := key.Create(options)
	if err != nil {
		b.t.Fatal(err)
	}
	return key, b.post(v, "answer", string(raw), "name", "Key <b>one</b>")
}

func (b *browser) proveKey(s shown, key *softkey.Key) shown {
	b.t.Helper()
	v, options := s.form(b.t, "passkey")
	raw, err := key.Get(options)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.post(v, "answer", string(raw))
}

// inside reports whether the browser has a session.
func (b *browser) inside() bool {
	b.t.Helper()
	return b.get("/static/app.css").body == "the CRM"
}

func (b *browser) wantInside(want bool) {
	b.t.Helper()
	if got := b.inside(); got != want {
		b.t.Errorf("inside = %t, want %t", got, want)
	}
}

// entries are what the log says of an employee.
func entries(t *testing.T) []audit.Entry {
	t.Helper()
	ring, err := keys.Open(filepath.Join(env.data(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	var all []audit.Entry
	for s, err := range audit.Read(t.Context(), filepath.Join(env.data(), "log"), ring) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s.Entry)
	}
	return all
}
