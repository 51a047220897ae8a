package vault

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestLinesOfTheCaddyfileAreRead(t *testing.T) {
	s := new(Source)
	err := s.UnmarshalCaddyfile(caddyfile.NewTestDispenser("vault {\n address https://v:8200\n key transit/keys/crmgate\n token_file /t\n namespace n\n ca /c\n}"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Source{Address: "https://v:8200", Key: "transit/keys/crmgate", TokenFile: "/t", Namespace: "n", CA: "/c"}); *s != want {
		t.Errorf("read %+v", s)
	}
	if src, err := s.Source("/data"); err != nil || src.String() != "/data/keys/master.key.vault" {
		t.Errorf("the keys are in %v, %v", src, err)
	}
	for text, says := range map[string]string{
		"vault x":                    "takes a block",
		"vault {\n adress x\n}":      `nearest: "address"`,
		"vault {\n key\n}":           "one word",
		"vault {\n key a\n key b\n}": "stands once",
		"vault {\n key a b\n}":       "one word",
	} {
		if err := new(Source).UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want one that says %q", text, err, says)
		}
	}
	s.Address = "http://vault.example.de:8200"
	if _, err := s.Source("/data"); err == nil || !strings.Contains(err.Error(), "in clear") {
		t.Errorf("an address in clear: %v", err)
	}
}
