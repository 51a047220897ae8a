package systemd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/keys"
)

func TestCredentialIsReadFromTheServicesDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	s := new(Source)
	if err := s.UnmarshalCaddyfile(caddyfile.NewTestDispenser("systemd crmgate-master")); err != nil {
		t.Fatal(err)
	}
	text, err := keys.First()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "crmgate-master"), text, 0o400); err != nil {
		t.Fatal(err)
	}
	src, err := s.Source(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Load(t.Context()); err != nil {
		t.Error(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	src, err = s.Source(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "LoadCredentialEncrypted=crmgate-master") {
		t.Errorf("outside of a service: %v", err)
	}
}

func TestNameThatIsAPathIsRefused(t *testing.T) {
	for _, name := range []string{"", "../../etc/passwd", "a/b", ".", "..", "-x", "a b", "a;b", strings.Repeat("a", 256)} {
		if err := (&Source{Name: name}).Validate(); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
	for _, text := range []string{"systemd", "systemd a b", "systemd a {\n b\n}"} {
		if err := new(Source).UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
