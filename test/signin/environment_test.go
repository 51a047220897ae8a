package signin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/demo/crm"
	"github.com/crmgate/crmgate/test/stack"
)

func TestMain(m *testing.M) { stack.Main(m) }

// sessionCookie and bindingCookie are the gate's cookies on loopback.
const (
	sessionCookie = "crmgate"
	bindingCookie = "crmgate-login"
)

// plan says how a site differs from the plain one.
type plan struct {
	provider stack.ProviderConfig
	// global, gate and oidc are lines for the blocks of these names in the
	// Caddyfile. mfa replaces the line of the second factor.
	global, gate, oidc []string
	mfa                string
	// admin is the address of Caddy's admin API; default: off.
	admin string
	// debug logs everything that Caddy can.
	debug bool
}

// site is a gate before the demo's CRM, with the provider beside it.
type site struct {
	*stack.Gate
	provider *stack.Provider
	crm      *crmSeen
	addr     string
	secret   string // a file: Caddy logs its configuration at debug level
	plan     plan
}

// crmSeen is the demo's CRM; it remembers what reached it.
type crmSeen struct {
	*httptest.Server
	mu   sync.Mutex
	seen []*http.Request
}

func startCRM(t *testing.T) *crmSeen {
	t.Helper()
	kontor, err := crm.New(crm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	c := &crmSeen{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.seen = append(c.seen, r.Clone(r.Context()))
		c.mu.Unlock()
		kontor.ServeHTTP(w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

// requests are what reached the CRM until now.
func (c *crmSeen) requests() []*http.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clip(c.seen)
}

// start runs CRM, provider and gate.
func start(t *testing.T, p plan) *site {
	t.Helper()
	s := &site{crm: startCRM(t), addr: stack.FreePort(t), plan: p, secret: filepath.Join(t.TempDir(), "secret")}
	if err := os.WriteFile(s.secret, []byte(stack.ClientSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	s.provider = stack.StartProvider(t, p.provider, "http://"+s.addr)
	s.Gate = stack.StartGate(t, s.addr, s.caddyfile(s.addr), "")
	return s
}

// caddyfile is the gate's configuration for an address.
func (s *site) caddyfile(addr string) string {
	mfa := s.plan.mfa
	if mfa == "" {
		mfa = "mfa acr " + stack.ACR
	}
	admin, log := "off", ""
	if s.plan.admin != "" {
		admin = s.plan.admin
	}
	if s.plan.debug {
		log = "debug"
	}
	lines := func(list []string) string { return strings.Join(list, "\n\t\t\t") }
	return fmt.Sprintf(`{
	admin %s
	%s
	crmgate {
		log {
			segment_mib 1
		}
		%s
	}
}
http://%s {
	log
	crm_gate {
		profile demo
		policy builtin:demo
		oidc %s {
			client_id %s
			client_secret {file.%s}
			%s
			%s
		}
		%s
	}
	reverse_proxy %s {
		header_up Host {http.request.hostport}
	}
}
`, admin, log, lines(s.plan.global), addr, s.provider.Issuer, stack.ClientID, s.secret, mfa, lines(s.plan.oidc),
		lines(s.plan.gate), strings.TrimPrefix(s.crm.URL, "http://"))
}

// person opens a browser.
func (s *site) person(t *testing.T, login string) *stack.Person {
	t.Helper()
	return stack.NewPerson(t, s.Base, s.provider, login)
}

// signIn opens a browser and signs in; it has to end in the CRM.
func (s *site) signIn(t *testing.T, login string) *stack.Person {
	t.Helper()
	p := s.person(t, login)
	want(t, p.Visit(t, "/contacts"), http.StatusOK)
	if p.Cookie(t, sessionCookie) == "" {
		t.Fatal("there is no session")
	}
	return p
}

// events are the control entries of an event, in their order.
func (s *site) events(t *testing.T, event audit.Event) []audit.Entry {
	t.Helper()
	var list []audit.Entry
	for _, e := range s.Entries(t) {
		if e.Entry.Event == event {
			list = append(list, e.Entry)
		}
	}
	return list
}

// want fails the test unless an answer has the status.
func want(t *testing.T, a *stack.Answer, status int) *stack.Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("%s answers %d, want %d:\n%.1500s", shown(a.URL), a.Status, status, a.Body)
	}
	return a
}

// shown is an address without its query, which can hold a code.
func shown(u *url.URL) string { return u.Scheme + "://" + u.Host + u.Path }
