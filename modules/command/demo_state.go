package command

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The demo's own files in its data directory.
const (
	demoFile      = "demo.json"
	demoCaddyfile = "Caddyfile"
	demoLog       = "process.log"
)

// maxSocketPath is what the narrowest system takes as the path of a socket.
const maxSocketPath = 100

// state is what the demo keeps between two starts. The log names an employee by
// issuer and subject, so the provider stays at its address.
type state struct {
	dir string
	// Provider is the address that the provider listens on.
	Provider     string `json:"provider"`
	ClientSecret string `json:"client_secret"`
}

// openState reads the state of a data directory, or begins one. A directory that
// somebody else's files are in is not taken.
func openState(dir string) (*state, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding --data: %w", err)
	}
	s := &state{dir: abs, Provider: "127.0.0.1:0", ClientSecret: rand.Text()}
	if len(s.path(adminSocket)) > maxSocketPath {
		return nil, fmt.Errorf("--data %s: the path is too long for a socket in it; choose one of at most %d letters",
			abs, maxSocketPath-len(adminSocket)-1)
	}
	raw, err := os.ReadFile(s.path(demoFile))
	switch {
	case err == nil:
		if err := json.Unmarshal(raw, s); err != nil {
			return nil, fmt.Errorf("reading %s: %w; delete the file to begin anew", s.path(demoFile), err)
		}
		return s, nil
	case !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("reading the demo's state: %w", err)
	}
	if err := s.refuseForeign(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return nil, fmt.Errorf("making --data: %w", err)
	}
	return s, nil
}

// refuseForeign keeps the demo out of a directory with other data, a production
// gateway's above all.
func (s *state) refuseForeign() error {
	files, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("looking into --data: %w", err)
	}
	if len(files) > 0 {
		return fmt.Errorf("--data %s holds something else than a demo's data: choose an empty directory", s.dir)
	}
	return nil
}

func (s *state) path(name string) string { return filepath.Join(s.dir, name) }

// save keeps the state for the next start.
func (s *state) save() error {
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("writing the demo's state: %w", err)
	}
	if err := os.WriteFile(s.path(demoFile), raw, 0o600); err != nil {
		return fmt.Errorf("writing the demo's state: %w", err)
	}
	return nil
}

// shellWord quotes a path where a shell would take it apart.
func shellWord(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("/._-", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
