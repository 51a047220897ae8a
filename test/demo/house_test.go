package demo

import (
	"bufio"
	"encoding/json"
	"net"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a test waits before it gives up. Nothing is measured.
const patience = 60 * time.Second

type houseKey struct{}

// house is the demo that a script runs, and who is signed in.
type house struct {
	cmd      *exec.Cmd
	url      string
	issuer   string
	upstream string
	browsers map[string]*browser
}

func houseOf(ts *testscript.TestScript) *house {
	h, ok := ts.Value(houseKey{}).(*house)
	if !ok {
		ts.Fatalf("the script has no house")
	}
	return h
}

// startDemo runs `crmgate demo --json ARGS...` until interrupt, and returns when
// it says where it is. It sets $URL.
func startDemo(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("unsupported: ! demo")
	}
	h := houseOf(ts)
	var data string
	for i, a := range args {
		if a == "--data" {
			data = ts.MkAbs(args[i+1])
			args[i+1] = data
		}
	}
	h.cmd = exec.Command(program(ts), append([]string{"demo", "--json"}, args...)...)
	h.cmd.Dir, h.cmd.Env, h.cmd.Stderr = ts.Getenv("WORK"), []string{"HOME=" + ts.Getenv("HOME"), "PATH=" + ts.Getenv("PATH")}, os.Stderr
	out, err := h.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(h.cmd.Start())
	process := h.cmd.Process
	ts.Defer(func() { _ = process.Kill() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		ts.Fatalf("the demo says nothing: %v", err)
	}
	var told struct{ URL, Issuer string }
	ts.Check(json.Unmarshal(line, &told))
	h.url, h.issuer, h.browsers = strings.TrimSuffix(told.URL, "/"), told.Issuer, map[string]*browser{}
	config := ts.ReadFile(data + "/Caddyfile")
	h.upstream = "http://" + regexp.MustCompile(`reverse_proxy (\S+)`).FindStringSubmatch(config)[1]
	ts.Setenv("URL", h.url)
	_, _ = ts.Stdout().Write(line)
}

// program finds crmgate as scripts do.
func program(ts *testscript.TestScript) string {
	dir, _, _ := strings.Cut(ts.Getenv("PATH"), string(os.PathListSeparator))
	return dir + "/crmgate"
}

// interrupt presses Ctrl-C and sees that the process ends well and that nobody
// listens any more.
func interrupt(ts *testscript.TestScript, neg bool, _ []string) {
	h := houseOf(ts)
	if neg || h.cmd == nil {
		ts.Fatalf("there is no demo to interrupt")
	}
	ts.Check(h.cmd.Process.Signal(os.Interrupt))
	ended := make(chan error, 1)
	go func() { ended <- h.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			ts.Fatalf("the demo ended with %v, want status 0", err)
		}
	case <-time.After(patience):
		ts.Fatalf("the demo goes on after Ctrl-C")
	}
	for _, addr := range []string{h.url, h.issuer, h.upstream} {
		u, err := url.Parse(addr)
		ts.Check(err)
		if c, err := net.DialTimeout("tcp", u.Host, time.Second); err == nil {
			_ = c.Close()
			ts.Fatalf("somebody still listens at %s", addr)
		}
	}
	h.cmd = nil
}

// crash ends the process as a power cut does.
func crash(ts *testscript.TestScript, _ bool, _ []string) {
	h := houseOf(ts)
	ts.Check(h.cmd.Process.Kill())
	_ = h.cmd.Wait() // it was killed
}

// takePort listens on a free loopback port for the rest of the script, and sets
// $BUSY to its address.
func takePort(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := net.Listen("tcp", "localhost:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv("BUSY", "localhost:"+port)
}

// flip changes one bit of a file: flip FILE OFFSET.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs(args[0])
	raw, err := os.ReadFile(file)
	ts.Check(err)
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	raw[at] ^= 1
	ts.Check(os.WriteFile(file, raw, 0o600))
}
