package file

import (
	"path/filepath"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestFileIsInTheDataDirectoryUnlessNamed(t *testing.T) {
	for text, want := range map[string]string{"file": "/data/keys/master.key", "file /k": "/k"} {
		s := new(Source)
		if err := s.UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); err != nil {
			t.Fatal(err)
		}
		if src, err := s.Source("/data"); err != nil || src.String() != filepath.FromSlash(want) {
			t.Errorf("%q: %v, %v", text, src, err)
		}
	}
	for _, text := range []string{"file a b", `file ""`, "file /k {\n a\n}"} {
		if err := new(Source).UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
