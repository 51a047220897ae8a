package stack

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The client that test/provider/config.json registers, and what stands in acr
// after a sign-in with two factors, and with a key.
const (
	ClientID     = "crmgate"
	ClientSecret = "loopback-only-Fz3rQ8wL5tNc"
	ACR          = "urn:crmgate:test:mfa"
	ACRKey       = "urn:crmgate:test:key"
)

// Account is a person at the identity provider.
type Account struct {
	Password string `json:"password"`
	TOTP     string `json:"totp"`
	Key      string `json:"key"`
}

// Provider is a running npm oidc-provider.
type Provider struct {
	*Process
	// Issuer is its address.
	Issuer string
	// File is its configuration.
	File string
	// Accounts are by login.
	Accounts map[string]Account
}

// ProviderConfig says what differs from test/provider/config.json; the words are
// explained in server.mjs and behaviour.mjs.
type ProviderConfig struct {
	// Set replaces words of the configuration.
	Set map[string]any
	// Client replaces metadata of the client.
	Client map[string]any
}

// StandardAccounts are those of test/provider/config.json, by login, to be
// changed for ProviderConfig.Set.
func StandardAccounts(t testing.TB) map[string]map[string]any {
	t.Helper()
	raw, err := os.ReadFile(Path(t, "provider", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Accounts map[string]map[string]any `json:"accounts"`
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		t.Fatal(err)
	}
	return config.Accounts
}

// StartProvider starts the provider for gates at the given addresses (see
// Gate.Base).
func StartProvider(t testing.TB, c ProviderConfig, bases ...string) *Provider {
	t.Helper()
	Installed(t, Path(t, "provider", "node_modules"))
	raw, err := os.ReadFile(Path(t, "provider", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	raw = bytes.ReplaceAll(raw, []byte("http://127.0.0.1:8480"), []byte(bases[0]))
	var config map[string]any
	if err := json.Unmarshal(raw, &config); err != nil {
		t.Fatal(err)
	}
	config["admin"] = true
	client := config["clients"].([]any)[0].(map[string]any)
	for _, base := range bases[1:] {
		client["redirect_uris"] = append(client["redirect_uris"].([]any), base+"/.crmgate/callback")
		client["post_logout_redirect_uris"] = append(client["post_logout_redirect_uris"].([]any), base+"/.crmgate/signed-out")
	}
	maps.Copy(client, c.Client)
	maps.Copy(config, c.Set)
	if raw, err = json.Marshal(config); err != nil {
		t.Fatal(err)
	}
	p := &Provider{File: filepath.Join(t.TempDir(), "provider.json")}
	var accounts struct {
		Accounts map[string]Account `json:"accounts"`
	}
	if err := json.Unmarshal(raw, &accounts); err != nil {
		t.Fatal(err)
	}
	p.Accounts = accounts.Accounts
	if err := os.WriteFile(p.File, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	const ready = "provider ready: "
	p.Process = StartProcess(t, exec.Command("node", Path(t, "provider", "server.mjs"), p.File), ready)
	_, said, _ := strings.Cut(p.String(), ready)
	p.Issuer, _, _ = strings.Cut(said, "\n")
	return p
}

// Behave changes how the provider behaves from now on: see behaviour.mjs.
func (p *Provider) Behave(t testing.TB, change map[string]any) {
	t.Helper()
	p.admin(t, http.MethodPost, "behaviour", change, nil)
}

// ChangeAccount merges a change into an account.
func (p *Provider) ChangeAccount(t testing.TB, login string, change map[string]any) {
	t.Helper()
	p.admin(t, http.MethodPost, "account?login="+url.QueryEscape(login), change, nil)
}

// Forget takes all grants of a login back.
func (p *Provider) Forget(t testing.TB, login string) {
	t.Helper()
	p.admin(t, http.MethodPost, "forget?login="+url.QueryEscape(login), nil, nil)
}

// RotateKeys makes a new signing key; keep publishes the old ones beside it.
func (p *Provider) RotateKeys(t testing.TB, keep bool) {
	t.Helper()
	path := "rotate-keys"
	if keep {
		path += "?keep=1"
	}
	p.admin(t, http.MethodPost, path, nil, nil)
}

// Count is how often each path was asked for.
func (p *Provider) Count(t testing.TB) map[string]int {
	t.Helper()
	var counts map[string]int
	p.admin(t, http.MethodGet, "count", nil, &counts)
	return counts
}

// Issued are all tokens that the provider has given out.
func (p *Provider) Issued(t testing.TB) []string {
	t.Helper()
	var tokens []string
	p.admin(t, http.MethodGet, "issued", nil, &tokens)
	return tokens
}

func (p *Provider) admin(t testing.TB, method, path string, send map[string]any, into any) {
	t.Helper()
	raw, err := json.Marshal(send)
	if err != nil {
		t.Fatal(err)
	}
	if send == nil {
		raw = nil
	}
	req, err := http.NewRequestWithContext(t.Context(), method, p.Issuer+"/admin/"+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Timeout: Patience}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s", method, path, res.Status)
	}
	if into == nil {
		return
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
