// Package stack runs what end-to-end tests need around the gate, each in a
// process of its own: the built binary, npm's oidc-provider, and people who sign
// in as a browser would. The CRM behind is the test's own.
//
// Everything ends with the test that started it, and a process whose test is
// killed is killed too.
package stack

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// Patience bounds every wait for a process or an answer.
const Patience = 90 * time.Second

// Path is a path below the folder test/ of the module.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("the folder of the tests isn't known")
	}
	return filepath.Join(append([]string{filepath.Dir(filepath.Dir(file))}, elem...)...)
}

// Installed fails the test where one of the paths is missing: a test that skips
// itself promises nothing.
func Installed(t testing.TB, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("%v; run: make setup", err)
		}
	}
}

// MemoryDir is a folder in memory where the machine has one: on the busy disk of
// a test machine a commit can take longer than the gateway waits for its log.
func MemoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "crmgate-e2e-") //nolint:usetesting // in memory, where the machine has it
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// FreePort finds an address on loopback that nobody listens on.
func FreePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Poll asks until the answer is yes, for Patience at most.
func Poll(t testing.TB, what string, ready func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
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
