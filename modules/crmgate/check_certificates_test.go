package crmgate_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"testing"
	"time"
)

// newCA is a certificate of an authority, as trust_pool inline takes it.
func newCA(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// Caddy's CVE-2026-27586 was one of these: a server that was thought to verify.
func TestSignInC20ClientCertificatesThatNobodyVerifiesAreRefused(t *testing.T) {
	pool := "trust_pool inline {\n trust_der " + newCA(t) + "\n}\n"
	site := func(tls string) string {
		return "crm.example.de {\n " + tls + "\n fake_gate {\n certificates yes\n }\n}"
	}
	auth := func(words string) string { return "tls internal {\n client_auth {\n" + words + "}\n}" }
	for name, c := range map[string]struct{ text, want string }{
		"no client_auth":       {site(""), "verifies none"},
		"mode request":         {site(auth("mode request\n" + pool)), "verifies none"},
		"mode require":         {site(auth("mode require\n" + pool)), "verifies none"},
		"no trust_pool":        {site(auth("mode require_and_verify\n")), "no trust_pool"},
		"no trust_pool, given": {site(auth("mode verify_if_given\n")), "no trust_pool"},
		"another site's":       {"{\n servers {\n strict_sni_host insecure_off\n }\n}\n" + site(auth(pool)), "strict_sni_host"},
	} {
		t.Run(name, func(t *testing.T) { wantStop(t, checkCaddyfile(t, c.text), c.want) })
	}
	for name, text := range map[string]string{
		"by default":                  site(auth(pool)),
		"verify_if_given":             site(auth("mode verify_if_given\n" + pool)),
		"nobody signs in so":          "crm.example.de {\n fake_gate\n}",
		"nobody signs in so, request": "crm.example.de {\n " + auth("mode request\n") + "\n fake_gate\n}",
	} {
		t.Run(name, func(t *testing.T) { wantNothing(t, checkCaddyfile(t, text)) })
	}
}
