package gate_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// childVar marks a process that is a gateway of its own; it holds the directory
// with its Caddyfile.
const childVar = "CRMGATE_TEST_CHILD"

// child is a gateway in a process of its own, which a test can kill, and whose
// disk it can take away.
type child struct {
	site *site
	dir  string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	logs *output
}

// output gathers what a process writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// newChild starts a gateway with the demo's profile in front of a CRM. level is
// that of Caddy's log, with further lines of the global options behind it.
func newChild(t *testing.T, crm, level string) *child {
	t.Helper()
	return newChildIn(t, t.TempDir(), crm, level)
}

// newChildIn is newChild in a folder that may hold data already.
func newChildIn(t *testing.T, dir, crm, level string) *child {
	t.Helper()
	s, err := newSite(env, "http")
	if err != nil {
		t.Fatal(err)
	}
	idp, err := startProvider(nil, s)
	if err != nil {
		t.Fatal(err)
	}
	c := &child{site: s, dir: dir, logs: new(output)}
	if err := os.WriteFile(filepath.Join(c.dir, "exports.csv"), []byte(exports), 0o600); err != nil {
		t.Fatal(err)
	}
	access := fmt.Sprintf("\tlog {\n\t\toutput file %s/logs/access.log\n\t}\n", c.dir)
	text := globals(c.dir, level) + fmt.Sprintf("%s {\n\tbind fd/3\n%s%s\n%s\n}\n", s.url, access, gateBlock(c.dir, idp.url, "desk {\n\t\t\tofficers role auditor\n\t\t}"), proxyTo(crm))
	if err := os.WriteFile(filepath.Join(c.dir, "Caddyfile"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.kill()
		idp.close()
		s.ln.Close()
		s.file.Close()
	})
	c.start(t)
	return c
}

func (c *child) data() string { return filepath.Join(c.dir, "data") }

// start runs the gateway and waits until it is open.
func (c *child) start(t *testing.T) {
	t.Helper()
	c.cmd = exec.Command(os.Args[0])
	c.cmd.Env = append(os.Environ(), childVar+"="+c.dir)
	c.cmd.ExtraFiles = []*os.File{c.site.file}
	c.cmd.Stderr = c.logs
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.answer(t)
}

// tell sends the child a word and waits until it has obeyed.
func (c *child) tell(t *testing.T, word string) {
	t.Helper()
	if _, err := io.WriteString(c.in, word+"\n"); err != nil {
		t.Fatal(err)
	}
	c.answer(t)
}

func (c *child) answer(t *testing.T) {
	t.Helper()
	if line, err := c.out.ReadString('\n'); err != nil || line != "ok\n" {
		t.Fatalf("the gateway says %q, %v:\n%s", line, err, c.logs)
	}
}

// kill ends the process the way a power cut does.
func (c *child) kill() {
	if c.cmd.ProcessState == nil {
		_ = c.cmd.Process.Kill() // it may have ended
		_ = c.cmd.Wait()         // killed
	}
}

// stop ends it in order.
func (c *child) stop(t *testing.T) {
	t.Helper()
	if err := c.in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("the gateway ended with %v:\n%s", err, c.logs)
	}
}

// runChild is the child's main: it obeys words from its standard input.
func runChild() int {
	// Writing beyond the limit is to fail, not to end the process.
	signal.Ignore(syscall.SIGXFSZ)
	dir := os.Getenv(childVar)
	text, err := os.ReadFile(filepath.Join(dir, "Caddyfile"))
	if err == nil {
		var underscores []string
		if names, err := os.ReadFile(filepath.Join(dir, "underscores")); err == nil {
			underscores = strings.Fields(string(names))
		}
		err = load(string(text), filepath.Join(dir, "data"), underscores...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Stdout.WriteString("ok\n")
	words := bufio.NewScanner(os.Stdin)
	for words.Scan() {
		if err := obey(words.Text()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		os.Stdout.WriteString("ok\n")
	}
	if err := caddy.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// obey takes the disk away or gives it back. `limit N` lets no file be written
// beyond its N-th byte: 0 is a disk that fails, more is one that is full.
func obey(word string) error {
	limit := &syscall.Rlimit{}
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	if n, ok := strings.CutPrefix(word, "limit "); ok {
		if _, err := fmt.Sscan(n, &limit.Cur); err != nil {
			return err
		}
	}
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, limit)
}
