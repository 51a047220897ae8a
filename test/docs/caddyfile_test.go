package docs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/policy"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/modules/crmgate"
	_ "github.com/crmgate/crmgate/modules/standard"
	"github.com/crmgate/crmgate/policies"
)

// A Caddyfile that is shown is one that starts: it adapts, provisions and passes
// the check that no way leads around the gate. Its policy files are the shipped
// ones, its secrets made up.
func TestCaddyfilesOfTheManualStart(t *testing.T) {
	shown := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.info != "caddyfile" {
				continue
			}
			shown++
			t.Run(p.path+":"+strconv.Itoa(b.line), func(t *testing.T) { startable(t, b.text) })
		}
	}
	if shown == 0 {
		t.Error("no page shows a Caddyfile")
	}
}

func startable(t *testing.T, text string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_DATA_HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("OIDC_CLIENT_SECRET", "made up")
	t.Setenv("CRMGATE_DSN", "postgres://crmgate@db.example.de/crmgate?sslmode=verify-full")
	t.Setenv("CRM_SALES", "made up")
	t.Setenv("SIEM_TOKEN", "made up")
	t.Setenv("SMTP_PASSWORD", "made up")
	t.Setenv("SIEM_SECRET", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	t.Setenv("BACKUP_SECRET", "0f3c9b7d2e5a48616f3c9b7d2e5a4861")
	raw, err := adapted(filepath.Join(dir, "Caddyfile"), text)
	if err != nil {
		t.Fatal(err)
	}
	if err := lay(dir, raw); err != nil {
		t.Fatal(err)
	}
	config := new(caddy.Config)
	if err := json.Unmarshal(raw, config); err != nil {
		t.Fatal(err)
	}
	ctx, err := caddy.ProvisionContext(config)
	if err != nil {
		t.Fatalf("provisioning: %v", err)
	}
	mod, err := ctx.App("crmgate")
	if err != nil {
		t.Fatal(err)
	}
	app, ok := mod.(*crmgate.App)
	if !ok {
		t.Fatalf("the app crmgate is %T", mod)
	}
	for _, f := range app.Check() {
		if f.Stops {
			t.Error(f)
		}
	}
}

func adapted(file, text string) ([]byte, error) {
	raw, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": file})
	return raw, err
}

// lay writes the policies and profiles that the gates of a configuration name to
// where they name them.
func lay(dir string, raw []byte) error {
	var config any
	if err := json.Unmarshal(raw, &config); err != nil {
		return err
	}
	var walk func(v any) error
	walk = func(v any) error {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				if err := walk(e); err != nil {
					return err
				}
			}
		case map[string]any:
			if v["handler"] == "crm_gate" {
				return layGate(dir, v)
			}
			for _, e := range v {
				if err := walk(e); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return walk(config)
}

func layGate(dir string, gate map[string]any) error {
	name, _ := gate["profile"].(string)
	shipped := name
	if strings.HasPrefix(name, dir) {
		shipped = "demo"
		src, err := profile.Builtin(shipped)
		if err != nil {
			return err
		}
		if err := write(name, src); err != nil {
			return err
		}
	}
	paths, _ := gate["policies"].([]any)
	for i, p := range paths {
		path, _ := p.(string)
		if !strings.HasPrefix(path, dir) {
			continue
		}
		src := []byte("# a second file\np, trainee, *, name, read, clear, , allow\n")
		if i == 0 {
			var err error
			if src, err = policies.Files.ReadFile(shipped + ".csv"); err != nil {
				return err
			}
		}
		if err := write(path, src); err != nil {
			return err
		}
	}
	return nil
}

func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// The manual names every word that a Caddyfile may hold, and every reason that
// somebody can meet. The parser itself lists its words.
func TestReferenceIsComplete(t *testing.T) {
	list := pages(t)
	for _, path := range []string{"docs/administrator.md", "docs/administrator.de.md"} {
		p := at(t, list, path)
		for _, word := range vocabulary(t) {
			if !strings.Contains(p.text, "`"+word) {
				t.Errorf("%s doesn't explain `%s`", path, word)
			}
		}
	}
}

func vocabulary(t *testing.T) []string {
	t.Helper()
	var words []string
	for _, place := range []string{
		"localhost {\n crm_gate {\n ?\n }\n}", "localhost {\n crm_gate {\n oidc https://a.example {\n ?\n }\n }\n}",
		"localhost {\n crm_gate {\n oidc https://a.example {\n mfa ? ?\n }\n }\n}",
		"localhost {\n crm_gate {\n session ? 1h\n }\n}", "localhost {\n crm_gate {\n machine m {\n ?\n }\n }\n}",
		"localhost {\n crm_gate {\n identity_header X-A ?\n }\n}", "localhost {\n crm_gate {\n identity_assertion {\n ?\n }\n }\n}",
		"localhost {\n crm_gate {\n upstream_credential role r {\n ?\n }\n }\n}", "{\n crmgate {\n ?\n }\n}", "{\n crmgate {\n log {\n ?\n }\n }\n}",
	} {
		_, err := adapted("Caddyfile", strings.ReplaceAll(place, "?", "zzz"))
		if err == nil {
			t.Fatalf("an unknown word is taken in %q", place)
		}
		_, list, _ := strings.Cut(err.Error(), "there are: ")
		list, _, ok := strings.Cut(list, ")")
		if !ok {
			t.Fatalf("%q: the error lists no words: %v", place, err)
		}
		words = append(words, strings.Split(list, ", ")...)
	}
	words = append(words, oidc.Presets()...)
	for _, r := range oidc.Refusals() {
		words = append(words, r.Code)
	}
	for _, r := range canon.Reasons() {
		words = append(words, string(r))
	}
	return append(
		words, policy.ReasonNoRole, policy.ReasonNoPolicy, policy.ReasonDenied, policy.ReasonAsksMasked,
		policy.ReasonWritesMasked, policy.ReasonCredential,
	)
}
