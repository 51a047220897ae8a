package signon

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/net/http/httpguts"
)

func vera() Person {
	return Person{Subject: "u-1", User: "vera", Email: "vera@example.de", Name: "Vera Beispiel", Roles: []string{"sales", "support"}}
}

func TestValueSaysWhoItIs(t *testing.T) {
	for s, want := range map[Source]string{
		User: "vera", Email: "vera@example.de", Name: "Vera Beispiel", Subject: "u-1", Roles: "sales,support",
	} {
		if got, err := vera().Value(s); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", s, got, err, want)
		}
		if got, err := (Person{}).Value(s); got != "" || err != nil {
			t.Errorf("%s of nobody: %q, %v", s, got, err)
		}
	}
	if got, _ := (Person{Name: "Jürgen 100%\r\nX: y"}).Value(Name); got != "J%C3%BCrgen 100%25%0D%0AX: y" {
		t.Errorf("a name: %q", got)
	}
	if got, _ := (Person{User: "{env.SECRET}"}).Value(User); got != "{env.SECRET}" {
		t.Errorf("C21: a placeholder: %q", got)
	}
	m := Person{Subject: MachinePrefix + "etl", Machine: true}
	if got, err := m.Value(Subject); got != "machine:etl" || err != nil {
		t.Errorf("a machine: %q, %v", got, err)
	}
}

func TestAmbiguousValueIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		p Person
		s Source
	}{
		"a line end":            {Person{User: "vera\r\nX-Role: admin"}, User},
		"a null byte":           {Person{User: "vera\x00"}, User},
		"a tab":                 {Person{User: "vera\tx"}, User},
		"not ASCII":             {Person{User: "vära"}, User},
		"a look-alike":          {Person{User: "vеra"}, User},
		"broken UTF-8":          {Person{User: "v\xff"}, User},
		"a space at the end":    {Person{User: "admin "}, User},
		"too long":              {Person{User: strings.Repeat("x", maxValue+1)}, User},
		"two at signs":          {Person{Email: "a@evil.example@acme.example"}, Email},
		"two addresses":         {Person{Email: "a@acme.example,b"}, Email},
		"a role of two":         {Person{Roles: []string{"sales,admin"}}, Roles},
		"an empty role":         {Person{Roles: []string{""}}, Roles},
		"a machine's subject":   {Person{Subject: "machine:etl"}, Subject},
		"a source of no list":   {vera(), "groups"},
		"a subject with a line": {Person{Subject: "a\nb"}, Subject},
	} {
		if got, err := c.p.Value(c.s); got != "" || !errors.Is(err, ErrValue) {
			t.Errorf("%s: %q, %v", name, got, err)
		} else if v := c.p.User + c.p.Email; v != "" && strings.Contains(err.Error(), v) {
			t.Errorf("%s: the error quotes the value: %v", name, err)
		}
	}
}

func FuzzValueIsOneHeader(f *testing.F) {
	for _, v := range []string{"vera", "Jürgen", "a\r\nb", "\xff", "{env.X}", " x", "a,b"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		p := Person{Subject: v, User: v, Email: v, Name: v, Roles: []string{v}}
		for _, s := range Sources() {
			got, err := p.Value(s)
			if err != nil {
				continue
			}
			if !httpguts.ValidHeaderFieldValue(got) || strings.ContainsAny(got, "\r\n\t") {
				t.Errorf("%s of %q is no header value: %q", s, v, got)
			}
			if s != Name && got != v {
				t.Errorf("%s of %q says %q", s, v, got)
			}
			if back, err := url.PathUnescape(got); s == Name && len(got) < maxValue/2 && (err != nil || back != strings.ToValidUTF8(strings.TrimSpace(v), "�") && !strings.Contains(back, "�")) {
				t.Errorf("the name %q can't be read back from %q", v, got)
			}
		}
	})
}

func secret(b byte) (s [32]byte) {
	for i := range s {
		s[i] = b
	}
	return s
}

func TestAssertionIsSignedByAPublishedKey(t *testing.T) {
	s, err := NewSigner([][32]byte{secret(1)})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	about := About{Issuer: "https://crm.example.de", Audience: "crm", Now: now, TTL: time.Minute}
	first, err := s.Sign(vera(), about)
	if err != nil {
		t.Fatal(err)
	}
	second, _ := s.Sign(vera(), about)
	claims := check(t, s, first)
	if claims["jti"] == check(t, s, second)["jti"] {
		t.Error("two assertions have one id")
	}
	delete(claims, "jti")
	want := map[string]any{
		"iss": "https://crm.example.de", "aud": "crm", "sub": "u-1", "iat": 1.8e9, "exp": 1.8e9 + 60, "name": "Vera Beispiel",
		"preferred_username": "vera", "email": "vera@example.de", "email_verified": true, "roles": []any{"sales", "support"},
	}
	if !reflect.DeepEqual(claims, want) {
		t.Errorf("claims %v, want %v", claims, want)
	}
	if _, err := s.Sign(Person{Subject: "machine:etl"}, about); !errors.Is(err, ErrValue) {
		t.Errorf("an employee with a machine's subject: %v", err)
	}
	if strings.Contains(string(s.JWKS()), `"d"`) {
		t.Error("the private key is published")
	}
}

// check verifies an assertion as a CRM does: by what is published.
func check(t *testing.T, s *Signer, token string) map[string]any {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(s.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	found := set.Key(jws.Signatures[0].Header.KeyID)
	if len(found) != 1 {
		t.Fatalf("%d keys have its id", len(found))
	}
	raw, err := jws.Verify(&found[0])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestRotationKeepsTheOldKeyPublished(t *testing.T) {
	before, err := NewSigner([][32]byte{secret(1)})
	if err != nil {
		t.Fatal(err)
	}
	token, err := before.Sign(vera(), About{Now: time.Now(), TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	after, err := NewSigner([][32]byte{secret(2), secret(1)})
	if err != nil {
		t.Fatal(err)
	}
	check(t, after, token)
	fresh, _ := after.Sign(vera(), About{Now: time.Now(), TTL: time.Minute})
	if header(t, fresh) == header(t, token) {
		t.Error("the new key doesn't sign")
	}
}

func header(t *testing.T, token string) string {
	t.Helper()
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	return jws.Signatures[0].Header.KeyID
}

// A secret that is no scalar of the curve (all ones is above its order) still
// gives a key, and always the same.
func TestEverySecretGivesAKey(t *testing.T) {
	for _, b := range []byte{0, 0xff} {
		one, err := NewSigner([][32]byte{secret(b)})
		if err != nil {
			t.Fatal(err)
		}
		other, _ := NewSigner([][32]byte{secret(b)})
		if string(one.JWKS()) != string(other.JWKS()) {
			t.Errorf("%x: two keys of one secret", b)
		}
	}
}

func BenchmarkAssertion(b *testing.B) {
	s, err := NewSigner([][32]byte{secret(1)})
	if err != nil {
		b.Fatal(err)
	}
	about := About{Issuer: "https://crm.example.de", Audience: "crm", Now: time.Now(), TTL: time.Minute}
	h := http.Header{}
	for b.Loop() {
		token, err := s.Sign(vera(), about)
		if err != nil {
			b.Fatal(err)
		}
		h.Set("X-Crmgate-Assertion", token)
	}
}
