package ownfactor_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Both leave their screenshots where SCREENSHOTS says.
func TestSignInOwnFactorInABrowser(t *testing.T) {
	t.Parallel()
	inABrowser(t, "ownfactor.mjs", env.open, env.strict)
}

func TestSignInSessionsInABrowser(t *testing.T) {
	t.Parallel()
	inABrowser(t, "sessions.mjs", env.strict)
}

// inABrowser runs a script in both languages.
func inABrowser(t *testing.T, script string, sites ...string) {
	t.Helper()
	for _, locale := range []string{"de-DE", "en-GB"} {
		out := os.Getenv("SCREENSHOTS")
		if out == "" {
			out = t.TempDir()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		cmd := exec.CommandContext(ctx, "node", slices.Concat([]string{filepath.Join("..", "browser", script)}, sites, []string{out, locale})...)
		raw, err := cmd.CombinedOutput()
		cancel()
		if err != nil {
			t.Errorf("%s: %v\n%s", locale, err, raw)
			continue
		}
		t.Logf("%s\n%s", locale, raw)
	}
}
