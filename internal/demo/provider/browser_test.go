package provider_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/crmgate/crmgate/internal/demo/provider"
)

const (
	clientID     = "kontor"
	clientSecret = "a secret with spaces & signs"
	callbackURI  = "http://127.0.0.1:9/callback"
	loggedOutURI = "http://127.0.0.1:9/signed-out"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// house is a running provider and a client of it.
type house struct {
	t        *testing.T
	clock    *clock
	issuer   string
	provider *gooidc.Provider
	oauth    oauth2.Config
}

func newHouse(t *testing.T, path string, change ...func(*provider.Config)) *house {
	t.Helper()
	h := &house{t: t, clock: &clock{at: time.Now()}}
	server := httptest.NewUnstartedServer(nil)
	h.issuer = "http://" + server.Listener.Addr().String() + path
	config := provider.Config{
		Issuer: h.issuer, ClientID: clientID, ClientSecret: clientSecret,
		RedirectURIs: []string{callbackURI}, PostLogoutURIs: []string{loggedOutURI},
		Employees: provider.Employees(), ShowCodes: true, Now: h.clock.now,
	}
	for _, f := range change {
		f(&config)
	}
	handler, err := provider.New(config)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = handler
	server.Start()
	t.Cleanup(server.Close)
	h.provider, err = gooidc.NewProvider(t.Context(), h.issuer)
	if err != nil {
		t.Fatalf("discovery: %v", err)
	}
	h.oauth = oauth2.Config{
		ClientID: clientID, ClientSecret: clientSecret, RedirectURL: callbackURI, Endpoint: h.provider.Endpoint(),
		Scopes: []string{"openid", "profile", "email", "offline_access"},
	}
	return h
}

// browser keeps cookies and stops where the client would take over.
type browser struct {
	t      *testing.T
	client *http.Client
	// callback is the query that the client was called back with.
	callback url.Values
	page     string
	status   int
	header   http.Header
	at       *url.URL
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t}
	b.client = &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), callbackURI) {
			b.callback = r.URL.Query()
			return http.ErrUseLastResponse
		}
		if strings.HasPrefix(r.URL.String(), loggedOutURI) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return b
}

func (b *browser) do(r *http.Request) {
	b.t.Helper()
	b.callback = nil
	resp, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.page, b.status, b.header, b.at = string(body), resp.StatusCode, resp.Header, resp.Request.URL
}

func (b *browser) get(target string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, target, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", "en")
	b.do(r)
}

// submit fills in the page's first form.
func (b *browser) submit(fields url.Values) {
	b.t.Helper()
	b.submitTo(first(b.t, b.page, `<form method="post" action="([^"]+)"`), fields)
}

func (b *browser) submitTo(action string, fields url.Values) {
	b.t.Helper()
	target, err := b.at.Parse(action)
	if err != nil {
		b.t.Fatal(err)
	}
	if m := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(b.page); m != nil {
		fields.Set("id", m[1])
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, target.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept-Language", "en")
	b.do(r)
}

func (b *browser) password(login, password string) {
	b.t.Helper()
	b.submit(url.Values{"login": {login}, "password": {password}})
}

func (b *browser) code(code string) {
	b.t.Helper()
	b.submit(url.Values{"code": {code}})
}

func first(t *testing.T, text, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("page has no %s:\n%s", pattern, text)
	}
	return m[1]
}

// attempt is one sign-in from the client's side.
type attempt struct {
	verifier, state, nonce string
	url                    string
}

func (h *house) attempt(options ...oauth2.AuthCodeOption) attempt {
	a := attempt{verifier: oauth2.GenerateVerifier(), state: oauth2.GenerateVerifier(), nonce: oauth2.GenerateVerifier()}
	options = append(options, oauth2.S256ChallengeOption(a.verifier), gooidc.Nonce(a.nonce))
	a.url = h.oauth.AuthCodeURL(a.state, options...)
	return a
}

func employee(t *testing.T, login string) provider.Employee {
	t.Helper()
	for _, e := range provider.Employees() {
		if e.Login == login {
			return e
		}
	}
	t.Fatalf("no employee %s", login)
	return provider.Employee{}
}

// signIn goes the whole way of an employee with all the factors they have.
func (h *house) signIn(b *browser, login string, options ...oauth2.AuthCodeOption) attempt {
	h.t.Helper()
	e := employee(h.t, login)
	a := h.attempt(options...)
	b.get(a.url)
	b.password(login, e.Password)
	if e.TOTPSecret != "" {
		b.code(provider.Code(e.TOTPSecret, h.clock.now()))
	}
	return a
}

// claims are what the client reads from the ID token.
type claims struct {
	Subject  string   `json:"sub"`
	AMR      []string `json:"amr"`
	ACR      string   `json:"acr"`
	AuthTime int64    `json:"auth_time"`
	SID      string   `json:"sid"`
	Username string   `json:"preferred_username"`
	Name     string   `json:"name"`
	Email    string   `json:"email"`
	Roles    []string `json:"roles"`
	Nonce    string   `json:"nonce"`
}

func (h *house) verify(token *oauth2.Token) (claims, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return claims{}, fmt.Errorf("no ID token")
	}
	id, err := h.provider.Verifier(&gooidc.Config{ClientID: clientID}).Verify(context.Background(), raw)
	if err != nil {
		return claims{}, err
	}
	var c claims
	return c, id.Claims(&c)
}

// exchange collects the tokens of a finished sign-in.
func (h *house) exchange(b *browser, a attempt) (*oauth2.Token, claims) {
	h.t.Helper()
	if b.callback.Get("state") != a.state {
		h.t.Fatalf("callback = %v (status %d), want a code with our state\n%s", b.callback, b.status, b.page)
	}
	token, err := h.oauth.Exchange(h.t.Context(), b.callback.Get("code"), oauth2.VerifierOption(a.verifier))
	if err != nil {
		h.t.Fatalf("exchange: %v", err)
	}
	c, err := h.verify(token)
	if err != nil {
		h.t.Fatalf("ID token: %v", err)
	}
	if c.Nonce != a.nonce {
		h.t.Fatalf("nonce = %q, want %q", c.Nonce, a.nonce)
	}
	return token, c
}
