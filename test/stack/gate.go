package stack

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/keys"
)

// binary builds crmgate once for all tests of a package.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "crmgate-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "crmgate")
	out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", path, "github.com/crmgate/crmgate/cmd/crmgate").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building crmgate: %w\n%s", err, out)
	}
	return path, nil
})

// Binary is the path of the built crmgate.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Main runs a package's tests and takes the built binary away: call it from
// TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// Gate is a running crmgate.
type Gate struct {
	*Process
	// Base is the address of its site, without a slash at the end.
	Base string
	// Dir holds its Caddyfile, and its data below it.
	Dir string
	// Data is its data directory.
	Data string
}

// StartGate runs crmgate with a Caddyfile whose site is http://addr, and waits
// until the site answers. dir holds what it keeps; "" is a new folder. Starting
// another one with the same dir after the first has ended goes on with its data.
func StartGate(t testing.TB, addr, caddyfile, dir string) *Gate {
	t.Helper()
	if dir == "" {
		dir = MemoryDir(t)
	}
	config := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(config, []byte(caddyfile), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(Binary(t), "run", "--config", config)
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	g := &Gate{Base: "http://" + addr, Dir: dir, Data: filepath.Join(dir, "caddy", "crmgate")}
	g.Process = StartProcess(t, cmd, "serving initial configuration")
	Poll(t, "the gate answers", func() bool {
		res, err := (&http.Client{Timeout: time.Second}).Get(g.Base + "/.crmgate/ready")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return g
}

// Entries reads the gate's log as it stands on the disk now.
func (g *Gate) Entries(t testing.TB) []audit.Stored {
	t.Helper()
	ring, err := keys.Open(filepath.Join(g.Data, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	var list []audit.Stored
	for e, err := range audit.Read(t.Context(), filepath.Join(g.Data, "log"), ring) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}
