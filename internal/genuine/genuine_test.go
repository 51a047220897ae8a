package genuine

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

const origin = "https://crm.example.de"

func TestProofFitsOneQuestionAddressConnectionAndKey(t *testing.T) {
	key, other := Key([32]byte{1}), Key([32]byte{2})
	q := Nonce()
	p, ok := Sign(key, q, origin, "c")
	if !ok {
		t.Fatal("a question isn't answered")
	}
	if bound, err := p.Check(public(t, key), q, origin, "c"); err != nil || !bound {
		t.Errorf("%v, %v", bound, err)
	}
	plain, _ := Sign(key, q, origin, Channel(nil))
	if bound, err := plain.Check(public(t, key), q, origin, "c"); err != nil || bound {
		t.Errorf("a proof without a connection: %v, %v", bound, err)
	}
	moved := p
	moved.Origin = "https://evil.example"
	for name, err := range map[string]error{
		"another key":        second(p.Check(public(t, other), q, origin, "c")),
		"another question":   second(p.Check(public(t, key), Nonce(), origin, "c")),
		"another address":    second(p.Check(public(t, key), q, "https://evil.example", "c")),
		"moved":              second(moved.Check(public(t, key), q, "https://evil.example", "c")),
		"another connection": second(p.Check(public(t, key), q, origin, "d")),
		"no signature":       second(Proof{Origin: origin, Channel: "c"}.Check(public(t, key), q, origin, "c")),
	} {
		if !errors.Is(err, ErrProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ bool, err error) error { return err }

func public(t *testing.T, key []byte) []byte {
	t.Helper()
	pub, err := ParseKey(" " + Text(key[32:]) + "\n")
	if err != nil {
		t.Fatal(err)
	}
	return pub
}

func TestOnlyANonceIsSigned(t *testing.T) {
	for _, nonce := range []string{"", "x", "crmgate challenge 1\n", base64.RawURLEncoding.EncodeToString(make([]byte, 31)), Nonce().Nonce + "=", Nonce().Nonce[:42] + "\n"} {
		if _, ok := Sign(Key([32]byte{}), Question{nonce}, origin, "-"); ok {
			t.Errorf("%q is signed", nonce)
		}
	}
	for _, text := range []string{"", "crmgate-gateway-1.", "crmgate-gateway-1.AA", Nonce().Nonce} {
		if _, err := ParseKey(text); err == nil {
			t.Errorf("%q is a key", text)
		}
	}
}

func TestBothEndsNameAConnectionAlikeAndNoOther(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(Channel(r.TLS)))
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	seen := map[string]bool{}
	for range 2 {
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		resp, err := c.Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 64)
		n, _ := resp.Body.Read(b)
		resp.Body.Close()
		name := Channel(resp.TLS)
		if name != string(b[:n]) || name == "-" || seen[name] {
			t.Errorf("%q and %q", name, b[:n])
		}
		seen[name] = true
	}
}

func TestOriginIsAsTheGatewayNamesIt(t *testing.T) {
	for in, want := range map[string]string{
		"HTTPS://CRM.example.de:443/x": origin, "http://a:80": "http://a", "http://a:8080": "http://a:8080", "https://[::1]:443": "https://[::1]",
	} {
		u, err := url.Parse(in)
		if err != nil || Origin(u) != want {
			t.Errorf("%s: %s, %v", in, Origin(u), err)
		}
	}
}
