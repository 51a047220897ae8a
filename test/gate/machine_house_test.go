package gate_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// house is a gateway in a process of its own that machines may call, and that
// tells the CRM who is signed in. Employees sign in at the forger.
type house struct {
	*child
	crm    *standIn
	ca     *authority
	secret string
}

// authority issues client certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  []byte
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{key, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// issue makes a client certificate.
func (a *authority) issue(t *testing.T, subject pkix.Name, dns ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: subject, DNSNames: dns,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// fingerprint is the certificate's SHA-256 as openssl prints it.
func fingerprint(c tls.Certificate) string {
	sum := sha256.Sum256(c.Certificate[0])
	var parts []string
	for _, b := range sum {
		parts = append(parts, strings.ToUpper(hex.EncodeToString([]byte{b})))
	}
	return strings.Join(parts, ":")
}

// newHouse starts the gateway with more lines in its gate. level is that of
// Caddy's log; a test that expects no start gets the error's text.
func newHouse(t *testing.T, level string, gate func(h *house) []string) (*house, string) {
	t.Helper()
	s, err := newSite(env, "https")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{crm: newStandInFor(t), ca: newAuthority(t, "machines"), secret: rand.Text() + rand.Text()}
	h.child = &child{site: s, dir: t.TempDir(), logs: new(output)}
	h.file(t, "secret", h.secret)
	h.file(t, "crm", "crm-secret-of-sales")
	h.file(t, "ca.pem", string(h.ca.pem))
	h.file(t, "exports.csv", exports)
	h.file(t, "underscores", "X_User_Email")
	mtls := fmt.Sprintf("\ttls internal {\n\t\tclient_auth {\n\t\t\tmode verify_if_given\n\t\t\ttrust_pool file %s/ca.pem\n\t\t}\n\t}\n", h.dir)
	h.file(t, "Caddyfile", globals(h.dir, level)+fmt.Sprintf("%s {\n\tbind fd/3\n%s\tlog {\n\t\toutput file %s/logs/access.log\n\t}\n%s\n%s\n}\n",
		s.url, mtls, h.dir, gateBlock(h.dir, env.forger.url, gate(h)...), proxyTo(h.crm.url)))
	t.Cleanup(func() {
		if h.cmd != nil {
			h.kill()
		}
		s.ln.Close()
		s.file.Close()
	})
	if level == "DEBUG" {
		return h, h.failsToStart(t)
	}
	h.start(t)
	if err := s.ready(); err != nil {
		t.Fatalf("%v\n%s", err, h.logs)
	}
	return h, ""
}

func (h *house) file(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// failsToStart returns what the gateway says instead of starting.
func (h *house) failsToStart(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+h.dir)
	cmd.ExtraFiles = []*os.File{h.site.file}
	cmd.Stdin = strings.NewReader("")
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Run(); err == nil {
		t.Fatal("the gateway started")
	}
	return out.String()
}

// machineClaims are those of a token for the machine nightly-sync.
func machineClaims(change ...func(map[string]any)) map[string]any {
	now := time.Now()
	c := map[string]any{
		"iss": env.forger.url, "aud": "crm-api", "azp": "etl", "client_id": "etl", "sub": "service-account-etl",
		"iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(), "jti": rand.Text(),
	}
	for _, f := range change {
		f(c)
	}
	return c
}

func setClaim(name string, v any) func(map[string]any) {
	return func(c map[string]any) { c[name] = v }
}

// machineToken signs a token at the forger, with a header typ.
func machineToken(typ string, change ...func(map[string]any)) string {
	opts := new(jose.SignerOptions)
	if typ != "" {
		opts = opts.WithType(jose.ContentType(typ))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: env.forger.key, KeyID: "k"}}, opts)
	if err != nil {
		panic(err)
	}
	raw, err := json.Marshal(machineClaims(change...))
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign(raw)
	if err != nil {
		panic(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return token
}

func bearer(token string) http.Header {
	return http.Header{"X-Crmgate-Authorization": {"Bearer " + token}}
}

func basicSecret(name, secret string) http.Header {
	return http.Header{"Proxy-Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+secret))}}
}

// with adds headers to others.
func with(h http.Header, more ...http.Header) http.Header {
	h = h.Clone()
	for _, m := range more {
		maps.Copy(h, m)
	}
	return h
}

// presenting is a browser whose connections have a client certificate.
func (h *house) presenting(c tls.Certificate) *browser {
	b := newBrowser(h.site)
	b.h1 = &http.Transport{DisableCompression: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{c}, NextProtos: []string{"http/1.1"}}}
	return b
}

// employee signs somebody in at the forger, with claims of their own.
func (h *house) employee(t *testing.T, claims map[string]any) *browser {
	t.Helper()
	if claims == nil {
		claims = map[string]any{}
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(h.site)
	back := forge(t, b, toProvider(t, b), "claims:"+base64.RawURLEncoding.EncodeToString(raw))
	b.do(t, ask{path: back, page: true}).want(t, http.StatusFound)
	return b
}

// refusedMachine checks the answer to a machine that is not let in.
func refusedMachine(t *testing.T, r *reply, status int, reason string) {
	t.Helper()
	var problem struct{ Reason, Detail string }
	if err := json.Unmarshal(r.body, &problem); err != nil || r.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("got %s, want problem details", r)
	}
	if r.status != status || problem.Reason != reason {
		t.Errorf("got %s, want %d %s", r, status, reason)
	}
	if (r.status == http.StatusUnauthorized) != (r.header.Get("WWW-Authenticate") != "") {
		t.Errorf("WWW-Authenticate is %q", r.header.Get("WWW-Authenticate"))
	}
	if r.header.Get("Location") != "" || len(r.header.Values("Set-Cookie")) > 0 || r.header.Get("Audit-Id") != "" {
		t.Errorf("the answer has %v", r.header)
	}
	if strings.Contains(string(r.body), "login_url") {
		t.Error("a machine is sent to sign in")
	}
}
