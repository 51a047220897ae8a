package keys

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/tink-crypto/tink-go-hcvault/v2/integration/hcvault"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Vault wraps the master keys by a key of a transit engine of HashiCorp Vault or
// OpenBao, which never leaves it.
type Vault struct {
	// Address is the server's, https://… (http:// on this machine alone).
	Address string
	// Key is the path of the key: MOUNT/keys/NAME.
	Key string
	// TokenFile holds the token. It is read each time.
	TokenFile string
	// Namespace may be empty, CA too: the system's roots are trusted then.
	Namespace, CA string
}

// vaultData is authenticated with the keys: what the same key of the engine has
// wrapped for others isn't taken for them.
const vaultData = "crmgate master keys"

const (
	vaultTimeout = 15 * time.Second
	// maxToken is the length of a token, maxCA of a file of certificates.
	maxToken = 64 << 10
	maxCA    = 1 << 20
)

var vaultKey = regexp.MustCompile(`^([A-Za-z0-9_.-]+/)+keys/[A-Za-z0-9_.-]+$`)

// Check reports what is wrong without asking the server.
func (v Vault) Check() error {
	u, err := url.Parse(v.Address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "":
		return fmt.Errorf("address %q is none of a server: write https://vault.example.de:8200", v.Address)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return fmt.Errorf("address %s: the keys would cross the network in clear; write https://", v.Address)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("address %s: it takes https://", v.Address)
	case !vaultKey.MatchString(v.Key) || strings.Contains(v.Key, ".."):
		return fmt.Errorf("key %q is no path of a key: write MOUNT/keys/NAME, as in transit/keys/crmgate", v.Key)
	case v.TokenFile == "":
		return errors.New("a token_file is missing: name the file with the token, as Vault's agent writes it")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Wrap implements Wrapper.
func (v Vault) Wrap(_ context.Context, text []byte) ([]byte, error) {
	a, err := v.aead()
	if err != nil {
		return nil, err
	}
	b, err := a.Encrypt(text, []byte(vaultData))
	return b, v.said(err)
}

// Unwrap implements Wrapper.
func (v Vault) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	if !strings.HasPrefix(string(wrapped), "vault:v") {
		return nil, errors.New("it isn't what a transit engine has written: restore it from a backup")
	}
	a, err := v.aead()
	if err != nil {
		return nil, err
	}
	text, err := a.Decrypt([]byte(strings.TrimSpace(string(wrapped))), []byte(vaultData))
	return text, v.said(err)
}

// said is an error of the server, with what to do.
func (v Vault) said(err error) error {
	var answer *api.ResponseError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &answer):
		return fmt.Errorf("%s doesn't answer: without it the gateway doesn't start: %w", v.Address, err)
	case answer.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%s refuses the token in %s: it has to be valid, and its policy has to allow update on %s and %s",
			v.Address, v.TokenFile, strings.Replace(v.Key, "/keys/", "/encrypt/", 1), strings.Replace(v.Key, "/keys/", "/decrypt/", 1))
	case answer.StatusCode == http.StatusServiceUnavailable:
		return fmt.Errorf("%s is sealed or stands by: unseal it, or name the active one", v.Address)
	}
	return fmt.Errorf("%s answers %d for %s: %s", v.Address, answer.StatusCode, v.Key, strings.Join(answer.Errors, "; "))
}

// aead asks with nothing from the environment: VAULT_SKIP_VERIFY there would switch
// off what guards the keys on their way.
func (v Vault) aead() (tink.AEAD, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	token, err := v.token()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: vaultTimeout, ForceAttemptHTTP2: true, DisableKeepAlives: true,
	}
	if v.CA != "" {
		if transport.TLSClientConfig.RootCAs, err = roots(v.CA); err != nil {
			return nil, err
		}
	}
	client, err := api.NewClient(&api.Config{
		Address: v.Address, HttpClient: &http.Client{Transport: transport}, Timeout: vaultTimeout, DisableRedirects: true,
		MaxRetries: 2, MinRetryWait: time.Second / 5, MaxRetryWait: time.Second,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing to ask %s: %w", v.Address, err)
	}
	client.SetToken(token)
	client.ClearNamespace()
	if v.Namespace != "" {
		client.SetNamespace(v.Namespace)
	}
	a, err := hcvault.NewAEAD("/"+v.Key, client.Logical())
	if err != nil {
		return nil, fmt.Errorf("preparing to ask %s: %w", v.Address, err)
	}
	return a, nil
}

func (v Vault) token() (string, error) {
	b, info, err := readSmall(v.TokenFile, maxToken)
	if err != nil {
		return "", fmt.Errorf("reading the token of %s: %w", v.Address, err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", fmt.Errorf("token file %s has mode %04o: everybody may read it; run: chmod o= %s", v.TokenFile, info.Mode().Perm(), v.TokenFile)
	}
	token := strings.TrimSpace(string(b))
	if token == "" || strings.ContainsAny(token, " \n\r\t") {
		return "", fmt.Errorf("token file %s holds no token: it takes the token alone, on one line", v.TokenFile)
	}
	return token, nil
}

func roots(file string) (*x509.CertPool, error) {
	b, _, err := readSmall(file, maxCA)
	if err != nil {
		return nil, fmt.Errorf("reading the certificates to trust: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("%s holds no certificate: it takes PEM", file)
	}
	return pool, nil
}

func readSmall(file string, limit int64) ([]byte, os.FileInfo, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, limit))
	return b, info, err
}
