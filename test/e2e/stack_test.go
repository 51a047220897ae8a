// Package e2e drives the whole product as it is used: the built binary, a real
// CRM behind it, a real identity provider beside it, requests by hand and a
// real browser before it. test/*/install.sh brings what it needs.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for a process or an answer.
const patience = 90 * time.Second

// tests is the folder of the environments.
func tests(t *testing.T, elem ...string) string {
	t.Helper()
	abs, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(append([]string{abs}, elem...)...)
}

// installed fails the test where an environment is missing: a test that skips
// itself promises nothing.
func installed(t *testing.T) {
	t.Helper()
	for _, path := range []string{
		"/usr/bin/trytond", "/usr/bin/chromium",
		tests(t, "browser", "node_modules"), tests(t, "provider", "node_modules"),
	} {
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("%v; run: make setup", err)
		}
	}
}

// gateBinary builds crmgate once for all tests.
var gateBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "crmgate-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "crmgate")
	out, err := exec.Command("go", "build", "-o", path, "github.com/crmgate/crmgate/cmd/crmgate").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building crmgate: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := gateBinary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// tryton is a running CRM on a fresh copy of the seeded database.
type tryton struct {
	dir  string
	addr string // host:port
}

func startTryton(t *testing.T) *tryton {
	t.Helper()
	installed(t)
	dir := memoryDir(t)
	endWithTest(t, dir)
	cmd := exec.Command(tests(t, "tryton", "start.sh"), dir, "0")
	cmd.Env = append(os.Environ(), "TRYTON_VERBOSE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("starting Tryton: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command(tests(t, "tryton", "stop.sh"), dir).CombinedOutput(); err != nil {
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
	watch := exec.Command("bash", "-c", script, "watch", strconv.Itoa(os.Getpid()), tests(t, "tryton", "stop.sh"), dir)
	watch.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-watch.Process.Pid, syscall.SIGTERM)
		_ = watch.Wait()
	})
}

// memoryDir is a folder in memory where the machine has one: on the busy disk of
// a test machine a commit can take longer than Tryton waits for its locks, and
// than the gateway waits for its log.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "crmgate-e2e-") //nolint:usetesting // in memory, where the machine has it
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (c *tryton) url() string { return "http://" + c.addr + "/" }

func (c *tryton) factsFile() string { return filepath.Join(c.dir, "facts.json") }

// stack is a gate with everything around it: clients → gate → relay → CRM, and
// the identity provider.
type stack struct {
	crm      *tryton
	relay    *relay
	base     string // the gate's address, without a slash at the end
	provider string // the provider's configuration, a file
	accounts map[string]account
	data     string // the gate's data directory
	said     *transcript
}

// account is a person at the identity provider.
type account struct {
	Password string `json:"password"`
	TOTP     string `json:"totp"`
}

// startStack starts a CRM of its own, the provider and the gate before it.
func startStack(t *testing.T) *stack {
	t.Helper()
	return startBefore(t, startTryton(t))
}

// startBefore starts the provider and the gate before a CRM.
func startBefore(t *testing.T, crm *tryton) *stack {
	t.Helper()
	installed(t)
	s := &stack{crm: crm, relay: startRelay(t, crm.addr)}
	gate := freePort(t)
	s.base = "http://" + gate
	s.startGate(t, gate, s.startProvider(t))
	return s
}

// freePort finds an address that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startProvider registers the gate's addresses and starts the provider.
func (s *stack) startProvider(t *testing.T) (issuer string) {
	t.Helper()
	raw, err := os.ReadFile(tests(t, "provider", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	raw = bytes.ReplaceAll(raw, []byte("http://127.0.0.1:8480"), []byte(s.base))
	var config struct {
		Accounts map[string]account `json:"accounts"`
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		t.Fatal(err)
	}
	s.accounts = config.Accounts
	s.provider = filepath.Join(t.TempDir(), "provider.json")
	if err := os.WriteFile(s.provider, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	const ready = "provider ready: "
	said := startProcess(t, exec.Command("node", tests(t, "provider", "server.mjs"), s.provider), ready)
	_, issuer, _ = strings.Cut(said.String(), ready)
	return strings.TrimSpace(issuer)
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
			mfa acr urn:crmgate:test:mfa
			client_id crmgate
			client_secret loopback-only-Fz3rQ8wL5tNc
		}
	}
	reverse_proxy %s {
		header_up Host {http.request.hostport}
	}
}
`, gate, issuer, upstream)
}

func (s *stack) startGate(t *testing.T, gate, issuer string) {
	t.Helper()
	path, err := gateBinary()
	if err != nil {
		t.Fatal(err)
	}
	dir := memoryDir(t)
	config := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(config, []byte(gateFile(gate, issuer, s.relay.addr)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "run", "--config", config)
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	s.data = filepath.Join(dir, "caddy", "crmgate")
	s.said = startProcess(t, cmd, "serving initial configuration")
	poll(t, "the gate answers", func() bool {
		res, err := (&http.Client{Timeout: time.Second}).Get(s.base + "/.crmgate/ready")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// startProcess starts a process and waits until it says a text. The process is
// ended with the test.
func startProcess(t *testing.T, cmd *exec.Cmd, ready string) *transcript {
	t.Helper()
	out := &transcript{ready: []byte(ready), found: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(cmd.Path)
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			t.Errorf("%s did not end", name)
		}
		if t.Failed() {
			t.Logf("%s said at last:\n%s", name, out.tail())
		}
	})
	select {
	case <-out.found:
	case <-ended:
		t.Fatalf("%s ended\n%s", name, out.tail())
	case <-time.After(patience):
		t.Fatalf("%s isn't ready\n%s", name, out.tail())
	}
	return out
}

// transcript is what a process says.
type transcript struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	ready []byte
	once  sync.Once
	found chan struct{} // closed when ready was said in a whole line
}

// Write keeps what was said.
func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Write(p)
	if i := bytes.Index(o.buf.Bytes(), o.ready); i >= 0 && bytes.IndexByte(o.buf.Bytes()[i:], '\n') >= 0 {
		o.once.Do(func() { close(o.found) })
	}
	return len(p), nil
}

// String is all that was said.
func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func (o *transcript) tail() string {
	s := o.String()
	return s[max(0, len(s)-4000):]
}

func poll(t *testing.T, what string, ready func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, ctx.Err())
		}
	}
}
