package desk

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/crmgate/crmgate/test/stack"
)

// TestDeskInABrowser leaves its screenshots where SCREENSHOTS says.
func TestDeskInABrowser(t *testing.T) {
	script := stack.Path(t, "browser", "desk.mjs")
	stack.Installed(t, stack.Path(t, "browser", "node_modules", "axe-core"), stack.Path(t, "browser", "node_modules", "playwright-core"))
	out := os.Getenv("SCREENSHOTS")
	if out == "" {
		out = t.TempDir()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*stack.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script, start(t), out)
	raw, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, raw)
		return
	}
	t.Logf("%s", raw)
}
