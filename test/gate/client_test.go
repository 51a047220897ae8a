package gate_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/demo/provider"
)

// browser is a client with cookies. It follows redirects only where it is told.
type browser struct {
	site *site
	jar  http.CookieJar
	h1   http.RoundTripper
	h2   http.RoundTripper
}

// transports are shared: nothing in them belongs to one browser.
var transports = sync.OnceValues(func() (h1, h2 http.RoundTripper) {
	one := &http.Transport{
		DisableCompression: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}},
		MaxIdleConnsPerHost: 16, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	two := &http.Transport{
		DisableCompression: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
	return one, two
})

func newBrowser(s *site) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err)
	}
	h1, h2 := transports()
	return &browser{site: s, jar: jar, h1: h1, h2: h2}
}

// signedIn keeps one browser per employee, so that tests share the sign-in.
type signedIn struct {
	mu   sync.Mutex
	once map[string]func() (*browser, error)
}

func newSignedIn() *signedIn { return &signedIn{once: map[string]func() (*browser, error){}} }

// as returns a browser in which the employee is signed in. Tests share it and
// must not sign it out.
func (s *site) as(t testing.TB, login string) *browser {
	t.Helper()
	s.who.mu.Lock()
	f := s.who.once[login]
	if f == nil {
		f = sync.OnceValues(func() (*browser, error) {
			b := newBrowser(s)
			return b, b.signIn(login)
		})
		s.who.once[login] = f
	}
	s.who.mu.Unlock()
	b, err := f()
	if err != nil {
		t.Fatalf("signing %s in: %v", login, err)
	}
	return b
}

func employee(login string) provider.Employee {
	for _, e := range provider.Employees() {
		if e.Login == login {
			return e
		}
	}
	panic("no employee " + login)
}

// signIn opens the site and goes through the provider's pages.
func (b *browser) signIn(login string) error {
	r, err := b.throughProvider(login, "/static/app.css")
	if err != nil {
		return err
	}
	if r.status != http.StatusOK || r.url.Host != b.site.host {
		return fmt.Errorf("ended at %s with %s", r.url.Redacted(), r)
	}
	return nil
}

// throughProvider opens a page and fills in what the provider asks for. It
// returns what the browser shows at the end.
func (b *browser) throughProvider(login, path string) (*reply, error) {
	e := employee(login)
	r, err := b.follow(b.site.url + path)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(r.url.Path, "/oidc/login") {
		return nil, fmt.Errorf("no sign-in page but %s with %s", r.url.Redacted(), r)
	}
	id := r.url.Query().Get("id")
	at := r.url.Scheme + "://" + r.url.Host
	r, err = b.followForm(at+"/oidc/login", url.Values{"id": {id}, "login": {login}, "password": {e.Password}})
	if err != nil || e.TOTPSecret == "" {
		return r, err
	}
	return b.followForm(at+"/oidc/login/code", url.Values{"id": {id}, "code": {provider.Code(e.TOTPSecret, time.Now())}})
}

// reply is an answer that was read whole, or as far as it came.
type reply struct {
	status int
	header http.Header
	body   []byte
	url    *url.URL
	proto  int
	// cut is the error with which the body ended, nil where it was whole.
	cut error
}

// String is the answer in one line: of a page, the body without its head.
func (r *reply) String() string {
	body := string(r.body)
	if _, after, ok := strings.Cut(body, "<body"); ok {
		body = strings.Join(strings.Fields(after), " ")
	}
	return fmt.Sprintf("%d %s %.600q", r.status, r.header.Get("Content-Type"), body)
}

// navigation are the headers of a browser that opens a page.
func navigation() http.Header {
	return http.Header{
		"Accept":         {"text/html,application/xhtml+xml,*/*;q=0.8"},
		"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Site": {"none"}, "Sec-Fetch-Dest": {"document"},
		"Accept-Language": {"de-DE,de;q=0.9"},
	}
}

// follow opens a page the way a person does, redirects included.
func (b *browser) follow(address string) (*reply, error) {
	req, err := http.NewRequest(http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header = navigation()
	return b.send(b.client(true, b.h1), req)
}

func (b *browser) followForm(address string, form url.Values) (*reply, error) {
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header = navigation()
	req.Header.Del("Sec-Fetch-Site") // redirects would have to change it
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(b.client(true, b.h1), req)
}

func (b *browser) client(follow bool, rt http.RoundTripper) *http.Client {
	c := &http.Client{Jar: b.jar, Transport: rt, Timeout: 90 * time.Second}
	if !follow {
		c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return c
}

func (b *browser) send(c *http.Client, req *http.Request) (*reply, error) {
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	r := &reply{status: resp.StatusCode, header: resp.Header, url: resp.Request.URL, proto: resp.ProtoMajor}
	r.body, r.cut = io.ReadAll(resp.Body)
	return r, nil
}

// ask is one request of a script. The zero value is a GET.
type ask struct {
	method string
	path   string
	body   string
	header http.Header
	scene  *scene
	// two asks for HTTP/2.
	two bool
	// page asks as a person who opens a page.
	page bool
	ctx  context.Context //nolint:containedctx // a table of requests
}

func (a ask) request(s *site) (*http.Request, error) {
	method, ctx := a.method, a.ctx
	if method == "" {
		method = http.MethodGet
	}
	if ctx == nil {
		ctx = context.Background()
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+a.path, strings.NewReader(a.body))
	if err != nil {
		return nil, err
	}
	if a.body == "" {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	if a.page {
		req.Header = navigation()
	}
	if a.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	maps.Copy(req.Header, a.header)
	if h := req.Header.Get("Host"); h != "" {
		req.Host = h
	}
	if a.scene != nil {
		req.Header.Set(caseHeader, a.scene.id)
	}
	return req, nil
}

// do sends a request and reads the answer. That there is none fails the test.
func (b *browser) do(t testing.TB, a ask) *reply {
	t.Helper()
	r, err := b.try(a)
	if err != nil {
		t.Fatalf("%s %s: %v", a.method, a.path, err)
	}
	return r
}

func (b *browser) try(a ask) (*reply, error) {
	req, err := a.request(b.site)
	if err != nil {
		return nil, err
	}
	rt := b.h1
	if a.two {
		rt = b.h2
	}
	return b.send(b.client(false, rt), req)
}

// get is a GET of a script.
func (b *browser) get(t testing.TB, path string, sc *scene) *reply {
	t.Helper()
	return b.do(t, ask{path: path, scene: sc})
}

// want fails the test unless the answer has the status.
func (r *reply) want(t testing.TB, status int) *reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("got %s, want %d", r, status)
	}
	return r
}

var errPoll = errors.New("not in time")

// eventually polls until ok says yes.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, errPoll)
		}
	}
}

// signedInAnyway is as for a site whose CRM doesn't answer: the sign-in ends at an error.
func (s *site) signedInAnyway(t *testing.T, login string) *browser {
	t.Helper()
	b := newBrowser(s)
	r, err := b.throughProvider(login, "/static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	r.want(t, http.StatusBadGateway)
	return b
}

// signedInProbe is as for the site with the probe, which answers 204.
func (s *site) signedInProbe(t *testing.T, login string) *browser {
	t.Helper()
	b := newBrowser(s)
	r, err := b.throughProvider(login, "/static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	r.want(t, http.StatusNoContent)
	return b
}
