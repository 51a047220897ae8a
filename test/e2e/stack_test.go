// Package e2e drives the whole product as it is used: the built binary, a real
// CRM behind it, a real identity provider beside it, requests by hand and a
// real browser before it. test/*/install.sh brings what it needs.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/crmgate/crmgate/test/stack"
)

// installed fails the test where the CRM's or the browser's environment is missing.
func installed(t *testing.T) {
	t.Helper()
	stack.Installed(t, "/usr/bin/trytond", "/usr/bin/chromium", stack.Path(t, "browser", "node_modules"))
}

func TestMain(m *testing.M) { stack.Main(m) }

// tryton is a running CRM on a fresh copy of the seeded database.
type tryton struct {
	dir  string
	addr string // host:port
}

func startTryton(t *testing.T) *tryton {
	t.Helper()
	installed(t)
	dir := stack.MemoryDir(t)
	endWithTest(t, dir)
	cmd := exec.Command(stack.Path(t, "tryton", "start.sh"), dir, "0")
	cmd.Env = append(os.Environ(), "TRYTON_VERBOSE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("starting Tryton: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command(stack.Path(t, "tryton", "stop.sh"), dir).CombinedOutput(); err != nil {
			t.Errorf("stopping Tryton: %v\n%s", err, out)
		}
	})
	_, rest, ok := strings.Cut(string(out), "http://")
	addr, _, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 {
		t.Fatalf("start.sh said %q", out)
	}
	return &tryton{dir: dir, addr: addr}
}

// endWithTest stops the CRM in a folder, and takes the folder away, even when
// the test's process is killed: nothing may stay that runs or fills the memory.
func endWithTest(t *testing.T, dir string) {
	t.Helper()
	const script = `tail --pid="$1" -f /dev/null; "$2" "$3"; rm -rf "$3"`
	watch := exec.Command("bash", "-c", script, "watch", strconv.Itoa(os.Getpid()), stack.Path(t, "tryton", "stop.sh"), dir)
	watch.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-watch.Process.Pid, syscall.SIGTERM)
		_ = watch.Wait()
	})
}

func (c *tryton) url() string { return "http://" + c.addr + "/" }

func (c *tryton) factsFile() string { return filepath.Join(c.dir, "facts.json") }

// site is a gate with everything around it: clients → gate → relay → CRM, and
// the identity provider.
type site struct {
	*stack.Gate
	crm      *tryton
	relay    *relay
	provider *stack.Provider
}

// startSite starts a CRM of its own, the provider and the gate before it.
func startSite(t *testing.T) *site {
	t.Helper()
	return startBefore(t, startTryton(t))
}

// startBefore starts the provider and the gate before a CRM.
func startBefore(t *testing.T, crm *tryton) *site {
	t.Helper()
	installed(t)
	addr := stack.FreePort(t)
	s := &site{crm: crm, relay: startRelay(t, crm.addr)}
	// Another host than the gate's: cookies don't know ports, and a sign-out takes
	// all of its host out of the browser, here the provider's own among them.
	s.provider = stack.StartProvider(t, stack.ProviderConfig{Set: map[string]any{"listen": "localhost:0"}}, "http://"+addr)
	s.Gate = stack.StartGate(t, addr, gateFile(addr, s.provider.Issuer, s.relay.addr), "")
	return s
}

// gateFile is the site as docs/crm/tryton.md shows it, on loopback.
func gateFile(gate, issuer, upstream string) string {
	return fmt.Sprintf(`{
	admin off
	debug
	crmgate {
		log {
			segment_mib 1
		}
	}
}
http://%s {
	log
	crm_gate {
		profile tryton
		policy builtin:tryton
		oidc %s {
			mfa acr %s
			client_id %s
			client_secret %s
		}
	}
	reverse_proxy %s {
		header_up Host {http.request.hostport}
	}
}
`, gate, issuer, stack.ACR, stack.ClientID, stack.ClientSecret, upstream)
}
