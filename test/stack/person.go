package stack

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/demo/provider"
)

// Person is somebody at a browser of their own.
type Person struct {
	// Base is the gate's address.
	Base string
	// Client has the browser's cookies and follows redirects.
	Client *http.Client

	account Account
	login   string
}

// NewPerson opens a browser for somebody who has an account at the provider.
func NewPerson(t testing.TB, base string, p *Provider, login string) *Person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	account, ok := p.Accounts[login]
	if !ok {
		t.Fatalf("the provider knows no %s", login)
	}
	return &Person{Base: base, Client: &http.Client{Jar: jar, Timeout: Patience}, account: account, login: login}
}

// Answer is what a request got, read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	// URL is where it came from after all redirects.
	URL *url.URL
}

// Visit opens a path of the gate as a browser does and gives the provider what
// it asks for: login, password and code. It returns where that ended.
func (p *Person) Visit(t testing.TB, path string) *Answer {
	t.Helper()
	return p.Prove(t, p.Navigate(t, http.MethodGet, p.Base+path, nil))
}

// Prove fills in the provider's forms, if that is where somebody is.
func (p *Person) Prove(t testing.TB, at *Answer) *Answer {
	t.Helper()
	code := url.Values{"code": {p.Code()}}
	return p.Give(t, at, url.Values{"login": {p.login}, "password": {p.account.Password}}, code)
}

// ProveByKey is Prove with the security key for the second factor.
func (p *Person) ProveByKey(t testing.TB, at *Answer) *Answer {
	t.Helper()
	key := url.Values{"key": {p.account.Key}}
	return p.Give(t, at, url.Values{"login": {p.login}, "password": {p.account.Password}}, key)
}

// Code is the person's one-time code of now, "" for those without.
func (p *Person) Code() string {
	if p.account.TOTP == "" {
		return ""
	}
	return provider.Code(p.account.TOTP, time.Now())
}

var formAction = regexp.MustCompile(`<form method="post" action="([^"]+)"`)

// Give sends the forms of the provider's pages, one after the other, as long as
// there are some.
func (p *Person) Give(t testing.TB, at *Answer, forms ...url.Values) *Answer {
	t.Helper()
	for _, form := range forms {
		action := formAction.FindStringSubmatch(at.Body)
		if action == nil || strings.HasPrefix(at.URL.String(), p.Base) {
			break
		}
		to, err := at.URL.Parse(action[1])
		if err != nil {
			t.Fatal(err)
		}
		at = p.Navigate(t, http.MethodPost, to.String(), form)
	}
	return at
}

// Navigate opens an address as a browser that shows a page, redirects included.
func (p *Person) Navigate(t testing.TB, method, to string, form url.Values) *Answer {
	t.Helper()
	header := http.Header{"Accept": {"text/html"}, "Accept-Language": {"de"}}
	if form != nil {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return p.Send(t, method, to, header, form.Encode())
}

// Fetch asks as a script of the CRM's pages does. A body is JSON.
func (p *Person) Fetch(t testing.TB, method, path, body string) *Answer {
	t.Helper()
	header := http.Header{"Accept": {"application/json"}}
	if body != "" {
		header.Set("Content-Type", "application/json")
	}
	return p.Send(t, method, p.Base+path, header, body)
}

// Send sends a request with the browser's cookies.
func (p *Person) Send(t testing.TB, method, to string, header http.Header, body string) *Answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	res, err := p.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &Answer{Status: res.StatusCode, Header: res.Header, Body: string(raw), URL: res.Request.URL}
}

// SetCookie puts a cookie of the gate into the browser.
func (p *Person) SetCookie(t testing.TB, name, value string) {
	t.Helper()
	p.Client.Jar.SetCookies(p.at(t), []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// Cookie is the value of a cookie of the gate, "" without one.
func (p *Person) Cookie(t testing.TB, name string) string {
	t.Helper()
	for _, c := range p.Client.Jar.Cookies(p.at(t)) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// Cookies is the Cookie header that the browser would send to the gate.
func (p *Person) Cookies(t testing.TB) string {
	t.Helper()
	var list []string
	for _, c := range p.Client.Jar.Cookies(p.at(t)) {
		list = append(list, c.Name+"="+c.Value)
	}
	return strings.Join(list, "; ")
}

func (p *Person) at(t testing.TB) *url.URL {
	t.Helper()
	u, err := url.Parse(p.Base)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
