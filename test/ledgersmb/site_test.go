// Package ledgersmb drives the built gate before a running LedgerSMB: its own pages and
// forms, as two roles. install.sh brings the software, start.sh runs it.
package ledgersmb

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/crmgate/crmgate/test/stack"
)

func TestMain(m *testing.M) { stack.Main(m) }

// contact is one of the facts that seed.py leaves.
type contact struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Person      string `json:"person"`
	Street      string `json:"street"`
	Code        string `json:"code"`
	City        string `json:"city"`
	Mail        string `json:"mail"`
	Phone       string `json:"phone"`
	Mobile      string `json:"mobile"`
	IBAN        string `json:"iban"`
	Note        string `json:"note"`
	Remark      string `json:"remark"`
	Description string `json:"description"`
	Location    string `json:"location"`
	Credit      string `json:"credit"`
	TaxID       string `json:"tax_id"`
	Born        string `json:"born"`
	Ident       string `json:"ident"`
}

// site is clients → gate → LedgerSMB, and the identity provider.
type site struct {
	*stack.Gate
	provider *stack.Provider
	facts    string // the file
	company  string
	users    map[string]string
	contacts []contact
	database []string // psql's arguments
}

func start(t *testing.T) *site {
	t.Helper()
	stack.Installed(t, "/usr/share/ledgersmb/bin/ledgersmb-server.psgi")
	dir := stack.MemoryDir(t)
	script := func(name string) string { return stack.Path(t, "ledgersmb", name) }
	endWithTest(t, script("stop.sh"), dir)
	out, err := exec.Command(script("start.sh"), dir, "0").CombinedOutput()
	if err != nil {
		t.Fatalf("starting LedgerSMB: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command(script("stop.sh"), dir).CombinedOutput(); err != nil {
			t.Errorf("stopping LedgerSMB: %v\n%s", err, out)
		}
	})
	var crm, data, port string
	if _, err := fmt.Sscanf(string(out), "ledgersmb ready: http://%s database %s port %s", &crm, &data, &port); err != nil {
		t.Fatalf("start.sh said %q", out)
	}
	s := &site{database: []string{"-h", data, "-p", port, "-U", "postgres", "-d", "kontor", "-At", "-c"}}
	s.facts = filepath.Join(dir, "facts.json")
	raw, err := os.ReadFile(s.facts)
	if err != nil {
		t.Fatal(err)
	}
	var facts struct {
		Company  string            `json:"company"`
		Users    map[string]string `json:"users"`
		Contacts []contact         `json:"contacts"`
	}
	if err := json.Unmarshal(raw, &facts); err != nil {
		t.Fatal(err)
	}
	s.company, s.users, s.contacts = facts.Company, facts.Users, facts.Contacts
	addr := stack.FreePort(t)
	s.provider = stack.StartProvider(t, stack.ProviderConfig{Set: map[string]any{"listen": "localhost:0"}}, "http://"+addr)
	s.Gate = stack.StartGate(t, addr, gateFile(addr, s.provider.Issuer, strings.TrimSuffix(crm, "/")), "")
	return s
}

// gateFile is the site as docs/crm/ledgersmb.md shows it, on loopback.
func gateFile(gate, issuer, upstream string) string {
	return fmt.Sprintf(`{
	admin off
	crmgate {
		log {
			segment_mib 1
		}
	}
}
http://%s {
	crm_gate {
		profile ledgersmb
		policy builtin:ledgersmb
		oidc %s {
			mfa acr %s
			client_id %s
			client_secret %s
		}
	}
	reverse_proxy %s
}
`, gate, issuer, stack.ACR, stack.ClientID, stack.ClientSecret, upstream)
}

// endWithTest stops the CRM even when the test's process is killed.
func endWithTest(t *testing.T, stop, dir string) {
	t.Helper()
	const script = `tail --pid="$1" -f /dev/null; "$2" "$3"; rm -rf "$3"`
	watch := exec.Command("bash", "-c", script, "watch", strconv.Itoa(os.Getpid()), stop, dir)
	watch.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-watch.Process.Pid, syscall.SIGTERM)
		_ = watch.Wait()
	})
}

// stored is what a question to the database gives.
func (s *site) stored(t *testing.T, query string) string {
	t.Helper()
	cmd := exec.Command("psql", append(slices.Clone(s.database), query)...)
	if os.Geteuid() == 0 { // the socket lies in a folder of PostgreSQL's own
		cmd = exec.Command("setpriv", append([]string{"--reuid=postgres", "--regid=postgres", "--init-groups", "psql"}, cmd.Args[1:]...)...)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", query, err, out)
	}
	return strings.TrimSpace(string(out))
}

// employee is somebody who is signed in at the gate and in LedgerSMB.
type employee struct {
	*stack.Person
	basic string
	// seen is all that they got.
	seen []byte
}

// signIn signs in at the provider as login, and in LedgerSMB as user.
func (s *site) signIn(t *testing.T, login, user string) *employee {
	t.Helper()
	e := &employee{
		Person: stack.NewPerson(t, s.Base, s.provider, login),
		basic:  "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+s.users[user])),
	}
	if at := e.Visit(t, "/login.pl"); at.Status != http.StatusOK || !strings.Contains(at.Body, "LedgerSMB 1.6") {
		t.Fatalf("the sign-in page is %d\n%.500s", at.Status, at.Body)
	}
	if a := e.get(t, "/login.pl?action=authenticate&company="+s.company); a.Status != http.StatusOK || a.Body != "Success" {
		t.Fatalf("signing in to LedgerSMB: %d %.200s", a.Status, a.Body)
	}
	return e
}

// get asks as a script of LedgerSMB's pages does.
func (e *employee) get(t *testing.T, path string) *stack.Answer {
	t.Helper()
	a := e.Send(t, http.MethodGet, e.Base+path, http.Header{"Accept": {"*/*"}, "Authorization": {e.basic}, "X-Requested-With": {"XMLHttpRequest"}}, "")
	e.keep(a)
	return a
}

// post sends a form of a page with its button.
func (e *employee) post(t *testing.T, action string, form url.Values) *stack.Answer {
	t.Helper()
	form.Set("action", action)
	header := http.Header{
		"Accept": {"*/*"}, "Authorization": {e.basic}, "X-Requested-With": {"XMLHttpRequest"},
		"Content-Type": {"application/x-www-form-urlencoded"},
	}
	a := e.Send(t, http.MethodPost, e.Base+"/contact.pl", header, form.Encode())
	e.keep(a)
	return a
}

func (e *employee) keep(a *stack.Answer) {
	for k, v := range a.Header {
		e.seen = fmt.Appendf(e.seen, "%s: %s\n", k, v)
	}
	e.seen = append(e.seen, a.Body...)
}
