package sessions

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/demo/crm"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/test/postgres"
	"github.com/crmgate/crmgate/test/stack"
)

func TestMain(m *testing.M) { stack.Main(m) }

const sessionCookie = "crmgate"

// node is one of the gateways.
type node struct {
	*stack.Gate
	site *site
	addr string
}

// site is two gateways on one PostgreSQL, behind a balancer that takes turns, and
// what stands around them.
type site struct {
	a, b     *node
	balancer *httptest.Server
	database *postgres.Server
	dsn      string
	provider *stack.Provider
	crm      *httptest.Server
	// mfa says how a second factor is proven; more are further lines of the gates.
	mfa  string
	more []string
	// t is the test to whose end everything runs, not that of a part of it.
	t *testing.T
}

// start runs everything. seconds is how long an access token lasts.
func start(t *testing.T, seconds int, more ...string) *site {
	t.Helper()
	return startProven(t, seconds, "mfa acr "+stack.ACR, more...)
}

// startProven is start with another proof of the second factor.
func startProven(t *testing.T, seconds int, mfa string, more ...string) *site {
	t.Helper()
	s := &site{database: postgres.Start(t), crm: startCRM(t), mfa: mfa, more: more, t: t}
	s.dsn = s.database.Database(t)
	s.a, s.b = &node{site: s, addr: stack.FreePort(t)}, &node{site: s, addr: stack.FreePort(t)}
	s.balancer = httptest.NewServer(takeTurns(t, "http://"+s.a.addr, "http://"+s.b.addr))
	t.Cleanup(s.balancer.Close)
	s.provider = stack.StartProvider(t, stack.ProviderConfig{Set: map[string]any{
		"rotate_refresh_token": true, "seconds": map[string]int{"access_token": seconds},
	}}, s.balancer.URL, "http://"+s.a.addr, "http://"+s.b.addr)
	s.a.start()
	s.b.start()
	return s
}

// startCRM is the demo's CRM with a socket that says what it hears.
func startCRM(t *testing.T) *httptest.Server {
	t.Helper()
	kontor, err := crm.New(crm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/live" {
			kontor.ServeHTTP(w, r)
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, said, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, said) != nil {
				return
			}
		}
	}))
	t.Cleanup(srv.Close)
	return srv
}

// takeTurns sends each request to the next of the addresses.
func takeTurns(t *testing.T, to ...string) http.Handler {
	t.Helper()
	var proxies []*httputil.ReverseProxy
	for _, address := range to {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		proxies = append(proxies, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = u.Scheme, u.Host, r.In.Host
		}})
	}
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxies[int(n.Add(1))%len(proxies)].ServeHTTP(w, r)
	})
}

// start runs the node, again after it was stopped.
func (n *node) start() {
	t := n.site.t
	t.Helper()
	dir := ""
	if n.Gate != nil {
		dir = n.Dir
	} else if n.site.b == n {
		dir = n.dir(t)
	}
	src, err := profile.Builtin("demo")
	if err != nil {
		t.Fatal(err)
	}
	if dir == "" {
		dir = stack.MemoryDir(t)
	}
	live := strings.Replace(string(src), "routes:\n", "routes:\n  - {match: \"GET /live\", pass: true, upgrade: true, type: none}\n", 1)
	if err := os.WriteFile(filepath.Join(dir, "live.yaml"), []byte(live), 0o600); err != nil {
		t.Fatal(err)
	}
	n.Gate = stack.StartGate(t, n.addr, n.caddyfile(dir), dir)
}

func (n *node) caddyfile(dir string) string {
	_, port, _ := strings.Cut(n.addr, ":")
	return fmt.Sprintf(`{
	admin unix/%s/admin.sock
	crmgate {
		log {
			segment_mib 1
			local
		}
		store postgres {
			dsn %q
		}
	}
}
http://:%s {
	bind 127.0.0.1
	crm_gate {
		profile live.yaml
		policy builtin:demo
		oidc %s {
			client_id %s
			client_secret %s
			%s
		}
		%s
	}
	reverse_proxy %s {
		header_up Host {http.request.hostport}
	}
}
`, dir, n.site.dsn, port, n.site.provider.Issuer, stack.ClientID, stack.ClientSecret, n.site.mfa,
		strings.Join(n.site.more, "\n\t\t"), strings.TrimPrefix(n.site.crm.URL, "http://"))
}

// dir makes the second node's folder with the first one's keys in it.
func (n *node) dir(t *testing.T) string {
	t.Helper()
	dir := stack.MemoryDir(t)
	n.Gate = &stack.Gate{Dir: dir, Data: filepath.Join(dir, "caddy", "crmgate")}
	n.site.copyKeys(t)
	return dir
}

// copyKeys copies the first node's key file to the second, as an administrator
// does. Before the second exists it does nothing.
func (s *site) copyKeys(t *testing.T) {
	t.Helper()
	if s.b.Gate == nil {
		return
	}
	raw, err := os.ReadFile(filepath.Join(s.a.Data, "keys", "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(s.b.Data, "keys")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(keys, "master.key"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// command runs crmgate on the node's configuration.
func (n *node) command(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command(stack.Binary(t), append(args, "--config", filepath.Join(n.Dir, "Caddyfile"))...)
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+n.Dir, "XDG_CONFIG_HOME="+n.Dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("crmgate %v: %v\n%s", args, err, out)
	}
}

func (n *node) reload(t *testing.T) {
	t.Helper()
	n.command(t, "reload", "--force", "--address", "unix/"+n.Dir+"/admin.sock")
}

// events are the control entries of an event on both nodes.
func (s *site) events(t *testing.T, event audit.Event) []audit.Entry {
	t.Helper()
	var list []audit.Entry
	for _, n := range []*node{s.a, s.b} {
		for _, e := range n.Entries(t) {
			if e.Entry.Event == event {
				list = append(list, e.Entry)
			}
		}
	}
	return list
}

// signIn signs somebody in by way of the balancer: each step of it at another
// node. The person then stands at node a.
func (s *site) signIn(t *testing.T, login string) *stack.Person {
	t.Helper()
	p := stack.NewPerson(t, s.balancer.URL, s.provider, login)
	if at := p.Visit(t, "/contacts"); at.Status != http.StatusOK || p.Cookie(t, sessionCookie) == "" {
		t.Fatalf("signing in ended with %d at %s", at.Status, at.URL.Path)
	}
	p.Base = s.a.Base
	return p
}

// at asks a node for a contact.
func at(t *testing.T, n *node, p *stack.Person) *stack.Answer {
	t.Helper()
	return p.Send(t, http.MethodGet, n.Base+"/api/contacts/1001", http.Header{"Accept": {"application/json"}}, "")
}

// works fails the test unless the person gets on at both nodes.
func (s *site) works(t *testing.T, p *stack.Person) {
	t.Helper()
	for _, n := range []*node{s.a, s.b} {
		if a := at(t, n, p); a.Status != http.StatusOK {
			t.Fatalf("%s answers %d: %.300s", n.Base, a.Status, a.Body)
		}
	}
}

// refreshes is how often the provider was asked for tokens.
func (s *site) refreshes(t *testing.T) int {
	t.Helper()
	return s.provider.Count(t)["/token"]
}

// took polls until something has happened and returns how long that took.
func took(t *testing.T, what string, ready func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	stack.Poll(t, what, ready)
	return time.Since(began).Round(10 * time.Millisecond)
}
