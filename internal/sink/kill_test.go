package sink

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

const (
	childDir  = "CRMGATE_TEST_SINK_DIR"
	childHook = "CRMGATE_TEST_SINK_HOOK"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, passForever(dir, os.Getenv(childHook)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// passForever is the process that is killed: it appends, and passes on to a file and
// to a web server.
func passForever(dir, hook string) error {
	ring, err := keys.Open(dir + "/master")
	if err != nil {
		return err
	}
	ctx := context.Background()
	l, err := audit.Open(ctx, dir+"/log", ring, audit.Options{Node: "n1", SegmentSize: 64 << 10, Timeout: time.Minute})
	if err != nil {
		return err
	}
	web, err := NewWebhook(hook, WebhookOptions{})
	if err != nil {
		return err
	}
	for name, target := range map[string]Target{
		"file": &File{Path: dir + "/audit.jsonl", Mode: 0o600, RollBytes: 100 << 10, Keep: 1000}, "web": web,
	} {
		r := &Runner{Name: name, To: name, Log: l, Target: target, Status: new(Status), FromStart: true, Tell: func(News) {}, times: quick()}
		go r.Run(ctx, func() {})
	}
	for i := 0; ; i++ {
		if _, err := l.Append(ctx, &audit.Entry{Kind: audit.Intent, Request: fmt.Sprintf("%d.%d", os.Getpid(), i), Keyed: []string{canary}}); err != nil {
			return err
		}
	}
}

// A process that is killed at any moment skips nothing for a sink; what comes again
// comes with the same id.
func TestKilledProcessSkipsNothing(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	var got []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		if body, err := io.ReadAll(q.Body); err == nil {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, body...)
		}
	}))
	defer server.Close()
	seed := uint64(os.Getpid())
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range 12 {
		killAfter(t, dir, server.URL, 20+rnd.IntN(150))
	}
	// What is left comes, too.
	l := openLog(t, dir)
	web, err := NewWebhook(server.URL, WebhookOptions{})
	if err != nil {
		t.Fatal(err)
	}
	file := &File{Path: dir + "/audit.jsonl", Mode: 0o600}
	a := start(t, l, file, func(r *Runner) { r.Name, r.To = "file", "file" })
	b := start(t, l, web, func(r *Runner) { r.Name, r.To = "web", "web" })
	a.caughtUp(t)
	b.caughtUp(t)
	rolled, err := filepath.Glob(dir + "/audit.jsonl.*")
	if err != nil {
		t.Fatal(err)
	}
	inFile := ids(t, mustRead(t, append(rolled, file.Path)...))
	mu.Lock()
	inWeb := ids(t, got)
	mu.Unlock()
	whole(t, inFile, size(l))
	whole(t, inWeb, size(l))
	t.Logf("seed %d: %d entries, %d lines in %d files, %d at the server", seed, size(l), len(inFile), len(rolled)+1, len(inWeb))
}

// killAfter kills a process that has passed on some more entries.
func killAfter(t *testing.T, dir, hook string, more int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childHook+"="+hook)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := func() int {
		all, _ := filepath.Glob(dir + "/audit.jsonl*")
		n := 0
		for _, f := range all {
			text, _ := os.ReadFile(f)
			n += strings.Count(string(text), "\n")
		}
		return n
	}
	before := lines()
	until(t, "the process passes entries on", func() bool { return lines() >= before+more })
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Errorf("the process ended by itself: %v", err)
	}
}
