package gate

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// TestChangedPolicyIsAnotherConfiguration: Caddy doesn't load one that is the same, so a
// reload after a policy was tightened would change nothing, and say that all went well.
func TestChangedPolicyIsAnotherConfiguration(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"profile.yaml", "a.csv", "b.csv"} {
		write(t, dir, name, "one")
	}
	read := func() string {
		t.Helper()
		var h Handler
		if err := h.UnmarshalCaddyfile(caddyfile.NewTestDispenser(fmt.Sprintf(`crm_gate {
			profile %[1]s/profile.yaml
			policy %[1]s/a.csv %[1]s/b.csv
			oidc https://login.example.de {
				client_id crm
				client_secret x
				mfa amr otp
			}
		}`, dir))); err != nil {
			t.Fatal(err)
		}
		return h.Files
	}
	first := read()
	if first == "" || read() != first {
		t.Errorf("unchanged files give %q and %q", first, read())
	}
	for _, name := range []string{"profile.yaml", "a.csv", "b.csv"} {
		write(t, dir, name, "two")
		if read() == first {
			t.Errorf("a changed %s is the same configuration", name)
		}
		write(t, dir, name, "one")
	}
	// What one file loses and the next one gets is a change, too, and so is a file
	// that is gone.
	write(t, dir, "a.csv", "on")
	write(t, dir, "b.csv", "eone")
	if read() == first {
		t.Error("bytes that went from one file to the next are the same configuration")
	}
	write(t, dir, "a.csv", "one")
	if err := os.Remove(filepath.Join(dir, "b.csv")); err != nil {
		t.Fatal(err)
	}
	if read() == first {
		t.Error("a file that is gone is the same configuration")
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
