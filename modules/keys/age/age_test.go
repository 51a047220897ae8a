package age

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/keys"
)

func identity(t *testing.T, file string) string {
	t.Helper()
	i, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(i.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return i.Recipient().String()
}

func TestLinesOfTheCaddyfileAreRead(t *testing.T) {
	s := new(Source)
	if err := s.UnmarshalCaddyfile(caddyfile.NewTestDispenser("age {\n identity /i\n path /k\n recipient age1a age1b\n recipient age1c\n}")); err != nil {
		t.Fatal(err)
	}
	if s.Identity != "/i" || s.Path != "/k" || len(s.Recipients) != 3 {
		t.Errorf("read %+v", s)
	}
	for text, says := range map[string]string{
		"age":                                  "takes an identity",
		"age x":                                "takes a block",
		"age {\n identity\n}":                  "one path",
		"age {\n identity /i\n identity /i\n}": "stands once",
		"age {\n identity /i\n recipient\n}":   "age1…",
		"age {\n identty /i\n}":                `nearest: "identity"`,
	} {
		if err := new(Source).UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want one that says %q", text, err, says)
		}
	}
}

// An identity in the data directory would be backed up with what it unwraps.
func TestIdentityBesideTheKeysIsRefused(t *testing.T) {
	data, elsewhere := t.TempDir(), t.TempDir()
	identity(t, filepath.Join(elsewhere, "i"))
	link := filepath.Join(elsewhere, "link")
	if err := os.Symlink(filepath.Join(data, "keys", "i"), link); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(data, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	identity(t, filepath.Join(data, "keys", "i"))
	for file, ok := range map[string]bool{
		filepath.Join(elsewhere, "i"): true, filepath.Join(data, "i"): false, filepath.Join(data, "keys", "i"): false,
		link: false, filepath.Join(data, "..", filepath.Base(data), "i"): false,
	} {
		src, err := (&Source{Identity: file}).Source(data)
		if (err == nil) != ok {
			t.Errorf("%s: %v", file, err)
		}
		if ok && src.String() != filepath.Join(data, "keys", "master.key.age") {
			t.Errorf("the keys are in %s", src)
		}
	}
	if _, err := (&Source{Identity: filepath.Join(elsewhere, "i"), Path: filepath.Join(elsewhere, "k")}).Source(data); err == nil {
		t.Error("the identity stands beside the wrapped keys")
	}
	if err := (&Source{Identity: "/i", Recipients: []string{"age1x"}}).Validate(); err == nil {
		t.Error("a recipient that is none was taken")
	}
	if _, err := (&Source{Identity: "{env.CREDENTIALS_DIRECTORY}/i"}).Source(data); !errors.Is(err, keys.ErrNoService) {
		t.Errorf("an identity that a service is handed, outside of one: %v", err)
	}
	if _, err := (&Source{Identity: "{env.CRMGATE_TEST_NOT_SET}/i"}).Source(data); err == nil {
		t.Error("an identity without its directory was taken")
	}
}
