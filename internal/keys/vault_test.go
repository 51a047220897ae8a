package keys

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// transit stands in for a transit engine: it answers encrypt and decrypt as the
// manual of its HTTP API says, for one key and one token.
type transit struct {
	aead   cipher.AEAD
	token  string
	sealed bool
}

func newTransit(t *testing.T) (*transit, Vault) {
	t.Helper()
	block, err := aes.NewCipher(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	e := &transit{token: "hvs.a-token"}
	if e.aead, err = cipher.NewGCM(block); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(e)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	v := Vault{
		Address: server.URL, Key: "team/transit/keys/crmgate", Namespace: "crm",
		TokenFile: filepath.Join(dir, "token"), CA: filepath.Join(dir, "ca.pem"),
	}
	mustWrite(t, v.TokenFile, e.token+"\n")
	mustWrite(t, v.CA, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	return e, v
}

func (e *transit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, what string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"errors": []string{what}})
	}
	var asked struct {
		Plaintext  []byte `json:"plaintext"`
		Ciphertext string `json:"ciphertext"`
		Data       []byte `json:"associated_data"`
	}
	switch {
	case e.sealed:
		fail(http.StatusServiceUnavailable, "Vault is sealed")
		return
	case r.Header.Get("X-Vault-Token") != e.token || r.Header.Get("X-Vault-Namespace") != "crm":
		fail(http.StatusForbidden, "permission denied")
		return
	case json.NewDecoder(r.Body).Decode(&asked) != nil || r.Method != http.MethodPut && r.Method != http.MethodPost:
		fail(http.StatusBadRequest, "malformed")
		return
	}
	switch r.URL.Path {
	case "/v1/team/transit/encrypt/crmgate":
		nonce := make([]byte, e.aead.NonceSize())
		_, _ = rand.Read(nonce)
		said := "vault:v1:" + base64.StdEncoding.EncodeToString(e.aead.Seal(nonce, nonce, asked.Plaintext, asked.Data))
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"ciphertext": said, "key_version": 1}})
	case "/v1/team/transit/decrypt/crmgate":
		b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(asked.Ciphertext, "vault:v1:"))
		if err != nil || len(b) < e.aead.NonceSize() {
			fail(http.StatusBadRequest, "invalid ciphertext")
			return
		}
		text, err := e.aead.Open(nil, b[:e.aead.NonceSize()], b[e.aead.NonceSize():], asked.Data)
		if err != nil {
			fail(http.StatusBadRequest, "cipher: message authentication failed")
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"plaintext": text}})
	default:
		fail(http.StatusNotFound, "no handler for route")
	}
}

// Keys that a transit engine wraps are made, opened, rotated and reloaded, and stand
// nowhere in clear. What the environment says to Vault's own program isn't obeyed.
func TestKeysWrappedByVaultOpenWithItAlone(t *testing.T) {
	e, v := newTransit(t)
	t.Setenv("VAULT_TOKEN", "another")
	t.Setenv("VAULT_NAMESPACE", "another")
	t.Setenv("VAULT_ADDR", "http://127.0.0.1:1")
	src := File{Path: filepath.Join(t.TempDir(), FileName+".vault"), Wrapper: v}
	ring, err := OpenSource(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := src.Rotate(t.Context(), time.Now()); err != nil || id != 2 {
		t.Fatalf("Rotate = %d, %v", id, err)
	}
	if added, err := ring.Reload(t.Context(), src); err != nil || !added {
		t.Errorf("Reload = %v, %v", added, err)
	}
	was := mustRead(t, src.Path)
	if !bytes.HasPrefix(was, []byte("vault:v1:")) || bytes.Contains(was, []byte("crmgate-key")) {
		t.Errorf("the file is %q", was)
	}
	unreached := v
	unreached.Address = "https://127.0.0.1:1"
	untrusted := v
	untrusted.CA = ""
	t.Setenv("VAULT_SKIP_VERIFY", "1")
	another := v
	another.Key = "transit/keys/crmgate"
	for name, c := range map[string]struct {
		v      Vault
		change func()
		says   string
	}{
		"not there":     {unreached, func() {}, "doesn't answer"},
		"not trusted":   {untrusted, func() {}, "doesn't answer"},
		"no such key":   {another, func() {}, "404"},
		"another token": {v, func() { e.token = "hvs.b" }, "team/transit/decrypt/crmgate"},
		"sealed":        {v, func() { e.sealed = true }, "unseal it"},
		"changed":       {v, func() { mustWrite(t, src.Path, "vault:v1:"+base64.StdEncoding.EncodeToString(make([]byte, 60))) }, "authentication failed"},
		"plain":         {v, func() { mustWrite(t, src.Path, "crmgate-key-1 01 "+strings.Repeat("ab", 32)+"\n") }, "isn't what a transit engine"},
	} {
		t.Run(name, func(t *testing.T) {
			e.token, e.sealed = "hvs.a-token", false
			mustWrite(t, src.Path, string(was))
			c.change()
			has := mustRead(t, src.Path)
			src := File{Path: src.Path, Wrapper: c.v}
			_, err := OpenSource(t.Context(), src)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hvs.") || strings.Contains(err.Error(), "abab") {
				t.Errorf("error = %v, want one that says %q and no secret", err, c.says)
			}
			if !bytes.Equal(mustRead(t, src.Path), has) {
				t.Error("the file was changed")
			}
		})
	}
}

// The same key of the engine may wrap other things: they are no keys.
func TestWhatVaultWrappedForOthersIsNotTaken(t *testing.T) {
	_, v := newTransit(t)
	a, err := v.aead()
	if err != nil {
		t.Fatal(err)
	}
	text, err := First()
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Encrypt(text, []byte("another purpose"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Unwrap(t.Context(), b); err == nil {
		t.Error("what was wrapped for another purpose was unwrapped")
	}
}

func TestVaultThatWouldDiscloseKeysIsRefused(t *testing.T) {
	good := Vault{Address: "https://vault.example.de:8200", Key: "transit/keys/crmgate", TokenFile: "/t"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for _, a := range []string{"", "vault.example.de", "http://vault.example.de:8200", "ftp://x", "https://u:p@x", "https://x/y", "https://x?y"} {
		v := good
		if v.Address = a; v.Check() == nil {
			t.Errorf("address %q was taken", a)
		}
	}
	for _, k := range []string{"", "crmgate", "transit/crmgate", "keys/crmgate", "transit/keys/a/b", "transit/../keys/x", "transit/keys/..", "/transit/keys/x", "transit/keys/a?b"} {
		v := good
		if v.Key = k; v.Check() == nil {
			t.Errorf("key %q was taken", k)
		}
	}
	good.Address, good.TokenFile = "http://127.0.0.1:8200", ""
	if err := good.Check(); err == nil || !strings.Contains(err.Error(), "token_file") {
		t.Errorf("without a token file: %v", err)
	}
}
