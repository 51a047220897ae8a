package ownfactor_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestSignInOwnFactorInABrowser leaves its screenshots where SCREENSHOTS says.
func TestSignInOwnFactorInABrowser(t *testing.T) {
	t.Parallel()
	for _, locale := range []string{"de-DE", "en-GB"} {
		out := os.Getenv("SCREENSHOTS")
		if out == "" {
			out = t.TempDir()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		cmd := exec.CommandContext(ctx, "node", filepath.Join("..", "browser", "ownfactor.mjs"), env.open, env.strict, out, locale)
		raw, err := cmd.CombinedOutput()
		cancel()
		if err != nil {
			t.Errorf("%s: %v\n%s", locale, err, raw)
			continue
		}
		t.Logf("%s\n%s", locale, raw)
	}
}
