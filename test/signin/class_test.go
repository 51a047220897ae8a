package signin

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/test/stack"
)

// TestSignInAttacks tries, against the built gate and another vendor's provider,
// the classes of faults that only the whole shows.
func TestSignInAttacks(t *testing.T) {
	t.Parallel()
	t.Run("C19-tokens-codes-and-cookies-are-nowhere", nothingLeaks)
	t.Run("C22-admin-api-from-another-origin", adminFromElsewhere)
	t.Run("C23-flood-of-starts", floodOfStarts)
	t.Run("C26-keys-rotate-in-mid-session", keysRotate)
	t.Run("C26-unknown-keys-dont-flood-the-provider", unknownKeys)
	t.Run("C27-provider-downgrades", providerDowngrades)
	t.Run("C27-phishing-resistant-only", resistantOnly)
}

// nothingLeaks looks for every secret of a sign-in in all that the gate writes,
// says and sends, at debug level and with Caddy's access log.
func nothingLeaks(t *testing.T) {
	t.Parallel()
	s := start(t, plan{debug: true})
	vera := s.person(t, "vera")
	var mu sync.Mutex
	secrets := map[string]string{}
	note := func(what, value string) {
		mu.Lock()
		defer mu.Unlock()
		if len(value) > 20 {
			secrets[value] = what
		}
	}
	vera.Client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		for _, name := range []string{"code", "state", "nonce", "code_challenge"} {
			note(name, r.URL.Query().Get(name))
		}
		return nil
	}
	want(t, vera.Visit(t, "/contacts"), http.StatusOK)
	home := want(t, vera.Navigate(t, http.MethodGet, s.Base+"/.crmgate/", nil), http.StatusOK)
	want(t, vera.Fetch(t, http.MethodGet, "/api/contacts/1001", ""), http.StatusOK)
	bad := vera.Navigate(t, http.MethodGet, s.Base+"/.crmgate/callback?state=x&code=thecodethatisonlyinthisaddress&error=x", nil)
	note("code", "thecodethatisonlyinthisaddress")
	note("session", vera.Cookie(t, sessionCookie))
	note("binding", vera.Cookie(t, bindingCookie))
	note("client secret", stack.ClientSecret)
	for _, token := range s.provider.Issued(t) {
		note("token", token)
	}
	if len(secrets) < 10 {
		t.Fatalf("only %d secrets are known", len(secrets))
	}
	s.Stop(t)
	search := func(where, text string) {
		for value, what := range secrets {
			if at := strings.Index(text, value); at >= 0 {
				t.Errorf("%s holds a %s: …%s…", where, what, text[max(0, at-200):at])
			}
			if strings.Contains(text, url.QueryEscape(value)) {
				t.Errorf("%s holds a %s", where, what)
			}
		}
	}
	search("the process log", s.String())
	search("a page", home.Body+bad.Body)
	for _, r := range s.crm.requests() {
		search("a request to the CRM", fmt.Sprint(r.URL, r.Header))
	}
	err := filepath.WalkDir(s.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		search(strings.TrimPrefix(path, s.Dir), string(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s.String(), `"level":"debug"`) {
		t.Error("the log is not that of debug level")
	}
}

// adminFromElsewhere sends what a page of another site can send to Caddy's admin
// API. A change of the configuration by its owner is an entry.
func adminFromElsewhere(t *testing.T) {
	t.Parallel()
	admin := stack.FreePort(t)
	s := start(t, plan{admin: admin})
	evil := []byte(`{"apps":{}}`)
	for name, header := range map[string]http.Header{
		"text":     {"Content-Type": {"text/plain"}, "Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}},
		"JSON":     {"Content-Type": {"application/json"}, "Origin": {"https://evil.example"}},
		"no-cors":  {"Content-Type": {"text/plain"}, "Sec-Fetch-Mode": {"no-cors"}, "Origin": {"null"}},
		"the site": {"Content-Type": {"application/json"}, "Origin": {s.Base}},
		"rebound":  {"Content-Type": {"application/json"}, "Host": {"evil.example"}},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+admin+"/load", strings.NewReader(string(evil)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = header
		if h := header.Get("Host"); h != "" {
			req.Host = h
		}
		res, err := (&http.Client{Timeout: stack.Patience}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode < 400 {
			t.Errorf("%s: a page of another site changed the configuration: %s", name, res.Status)
		}
	}
	s.signIn(t, "vera")
	if n := len(s.events(t, audit.PolicyChange)); n != 1 {
		t.Errorf("%d entries of the configuration in force, want that of the start", n)
	}
}

// floodOfStarts begins sign-ins as fast as it can and looks at the gate's memory;
// somebody real signs in meanwhile.
func floodOfStarts(t *testing.T) {
	t.Parallel()
	s := start(t, plan{})
	s.signIn(t, "vera")
	begin := func(n int) {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				c := &http.Client{Timeout: stack.Patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
				for range n / 8 {
					req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Base+"/contacts", http.NoBody)
					if err != nil {
						t.Error(err)
						return
					}
					req.Header.Set("Accept", "text/html")
					res, err := c.Do(req)
					if err != nil {
						t.Error(err)
						return
					}
					res.Body.Close()
					if res.StatusCode != http.StatusFound {
						t.Errorf("a start is answered with %s", res.Status)
						return
					}
				}
			})
		}
		all.Wait()
	}
	begin(2000) // connections, buffers, the collector's pace
	before := rss(t, s.PID())
	begin(20_000)
	s.signIn(t, "paula")
	if after := rss(t, s.PID()); after > before+32<<20 {
		t.Errorf("20,000 starts grew the gate from %d to %d bytes", before, after)
	}
	if n := len(s.Entries(t)); n > 50 {
		t.Errorf("strangers made %d entries", n)
	}
}

// rss is the memory of a process, in bytes.
func rss(t *testing.T, pid int) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	var size, resident int
	if _, err := fmt.Sscan(string(raw), &size, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * os.Getpagesize()
}

// keysRotate: who is signed in works on, and who signs in is verified with the
// new key once the old set has aged, without a restart.
func keysRotate(t *testing.T) {
	t.Parallel()
	s := start(t, plan{})
	vera := s.signIn(t, "vera")
	s.provider.RotateKeys(t, true)
	want(t, vera.Fetch(t, http.MethodGet, "/api/contacts/1001", ""), http.StatusOK)
	// Within a minute of the last fetch the new key isn't looked for: made-up key
	// ids must not drive requests. Then it is.
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for began := time.Now(); s.person(t, "paula").Visit(t, "/contacts").Status != http.StatusOK; <-tick.C {
		if time.Since(began) > stack.Patience {
			t.Fatal("nobody can sign in under the new key")
		}
	}
	if n := s.provider.Count(t)["/jwks"]; n > 3 {
		t.Errorf("the keys were fetched %d times", n)
	}
	want(t, vera.Fetch(t, http.MethodGet, "/api/contacts/1001", ""), http.StatusOK)
}

func unknownKeys(t *testing.T) {
	t.Parallel()
	s := start(t, plan{})
	s.signIn(t, "vera")
	before := s.provider.Count(t)["/jwks"]
	for range 5 {
		s.provider.RotateKeys(t, false)
		want(t, s.person(t, "vera").Visit(t, "/contacts"), http.StatusForbidden)
	}
	if n := s.provider.Count(t)["/jwks"] - before; n > 1 {
		t.Errorf("5 tokens under unknown keys led to %d fetches", n)
	}
}

func providerDowngrades(t *testing.T) {
	t.Parallel()
	s := start(t, plan{mfa: "mfa amr mfa\n\t\t\tmfa max_age 1h"})
	for name, c := range map[string]struct {
		change map[string]any
		reason string
	}{
		"no amr":                         {map[string]any{"omit": []string{"amr"}}, "mfa_missing"},
		"no amr, acr mfa":                {map[string]any{"omit": []string{"amr"}, "set": map[string]any{"acr": "mfa"}}, "mfa_missing"},
		"password only":                  {map[string]any{"set": map[string]any{"amr": []string{"pwd"}}}, "mfa_missing"},
		"amr as an object":               {map[string]any{"set": map[string]any{"amr": map[string]any{"mfa": true}}}, "mfa_missing"},
		"old auth_time":                  {map[string]any{"set": map[string]any{"auth_time": 1_700_000_000}}, "mfa_missing"},
		"no auth_time":                   {map[string]any{"omit": []string{"auth_time"}}, "mfa_missing"},
		"audience of another client too": {map[string]any{"set": map[string]any{"aud": []string{"crmgate", "other"}}}, "token"},
		"azp of another client":          {map[string]any{"set": map[string]any{"aud": []string{"crmgate", "other"}, "azp": "other"}}, "token"},
		"groups left out":                {map[string]any{"omit": []string{"roles"}, "set": map[string]any{"_claim_names": map[string]any{"roles": "src1"}, "_claim_sources": map[string]any{"src1": map[string]any{}}}}, "group_overage"},
	} {
		s.provider.Behave(t, map[string]any{"id_token": c.change})
		vera := s.person(t, "vera")
		a := vera.Visit(t, "/contacts")
		if a.Status != http.StatusForbidden || !strings.Contains(a.Body, c.reason) || vera.Cookie(t, sessionCookie) != "" {
			t.Errorf("%s: %d at %s, want a refusal for %s", name, a.Status, shown(a.URL), c.reason)
		}
		if e := s.events(t, audit.Refused); c.reason != "token" && (len(e) == 0 || e[len(e)-1].Error != c.reason || e[len(e)-1].Employee == "") {
			t.Errorf("%s: the entries are %+v", name, e)
		}
	}
	// What is lawful still signs in.
	s.provider.Behave(t, map[string]any{"id_token": map[string]any{"set": map[string]any{"aud": []string{"crmgate", "api"}, "azp": "crmgate"}}})
	s.signIn(t, "vera")
	// A provider that takes no acr_values and gives no refresh tokens signs in as well.
	s.provider.Behave(t, map[string]any{"id_token": map[string]any{}, "ignore": []string{"acr_values", "max_age"}})
	s.signIn(t, "paula")
}

func resistantOnly(t *testing.T) {
	t.Parallel()
	s := start(t, plan{
		provider: stack.ProviderConfig{Set: map[string]any{"accounts": keyHolders(t)}},
		mfa:      "mfa amr mfa\n\t\t\tmfa phishing_resistant amr hwk",
	})
	paula := s.person(t, "paula")
	a := want(t, paula.Visit(t, "/contacts"), http.StatusForbidden) // by code
	if !strings.Contains(a.Body, "not_phishing_resistant") {
		t.Errorf("the page doesn't say why:\n%s", a.Body)
	}
	again := s.person(t, "paula")
	a = want(t, again.ProveByKey(t, again.Navigate(t, http.MethodGet, s.Base+"/contacts", nil)), http.StatusOK)
	if a.URL.Path != "/contacts" {
		t.Errorf("the sign-in ended at %s", shown(a.URL))
	}
	var ready struct {
		SignIn bool `json:"sign_in"`
	}
	if err := json.Unmarshal([]byte(again.Fetch(t, http.MethodGet, "/.crmgate/ready", "").Body), &ready); err != nil || !ready.SignIn {
		t.Errorf("ready says %v, %v", ready, err)
	}
}
