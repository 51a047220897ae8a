package witness

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

const (
	killDir = "CRMGATE_WITNESS_DIR"
	killKey = "CRMGATE_WITNESS_LOG"
)

// TestMain lets this program be the witness that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		beKilled(dir)
	}
	os.Exit(m.Run())
}

func beKilled(dir string) {
	w, err := Open(dir, []string{os.Getenv(killKey)})
	if err != nil {
		panic(err)
	}
	listening := make(chan string)
	go func() {
		s := &http.Server{Handler: w.Handler(nil), ReadHeaderTimeout: time.Minute}
		l, err := listenLocal()
		if err != nil {
			panic(err)
		}
		listening <- l.Addr().String()
		panic(s.Serve(l))
	}()
	_, _ = fmt.Fprintln(os.Stdout, <-listening)
	select {}
}

// A witness that is killed at any moment holds no less than it has given a cosignature
// for, and goes on from there.
func killedWitnessRemembers(t *testing.T) {
	dir := t.TempDir()
	if _, err := Make(dir, "w1"); err != nil {
		t.Fatal(err)
	}
	w, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParseKey(w.Key())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l := newTestLog(t, "crmgate/n1/00")
	for i := range 2000 {
		l.grow(t, fmt.Sprint(i))
	}
	var signed int64 // by cosignatures that came back
	for round := range 12 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killDir+"="+dir, killKey+"="+l.vkey)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() {
			t.Fatal("the witness didn't start")
		}
		c := &Client{URL: "http://" + lines.Text(), Key: key, HTTP: &http.Client{Transport: &http.Transport{}}}
		at := begins(t, c, l)
		if at < signed {
			t.Fatalf("round %d: the witness is at %d entries, and has countersigned %d", round, at, signed)
		}
		var killer sync.WaitGroup
		enough := make(chan struct{})
		killer.Go(func() {
			<-enough
			_ = cmd.Process.Kill()
		})
		for n := 0; ; n++ {
			if n == 5+round {
				close(enough) // from now on it dies at any moment
			}
			if _, err := c.Add(t.Context(), uint64(at), l.proof(t, at, at+1), l.checkpoint(t, at+1)); err != nil {
				if n < 5+round {
					t.Fatalf("round %d: %v", round, err)
				}
				break
			}
			at++
			signed = at
		}
		killer.Wait()
		_ = cmd.Wait()
	}
}

// begins asks a witness where it is, as a log does that doesn't know.
func begins(t *testing.T, c *Client, l *testLog) int64 {
	t.Helper()
	msg, err := c.Latest(t.Context(), l.origin)
	if err != nil {
		t.Fatal(err)
	}
	if msg == nil {
		return 0
	}
	h, err := parseHead(string(msg))
	if err != nil {
		t.Fatal(err)
	}
	if h.root != l.root(t, int64(h.size)) {
		t.Fatalf("the witness has another root for %d entries", h.size)
	}
	return int64(h.size)
}
