package gate

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/profile"
)

// provisioned reads the lines of a gate and checks what is told of machines and
// of signing on.
func provisioned(t *testing.T, lines string) (*Handler, error) {
	t.Helper()
	h := new(Handler)
	text := "crm_gate {\nprofile demo\npolicy builtin:demo\noidc https://login.example.de {\nprovider keycloak\nclient_id crm\nclient_secret s\n}\n" + lines + "\n}"
	if err := h.UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); err != nil {
		return nil, err
	}
	if err := h.loadProfile(); err != nil {
		t.Fatal(err)
	}
	if err := h.loadPolicy(); err != nil {
		t.Fatal(err)
	}
	if err := h.newMachines(); err != nil {
		return nil, err
	}
	return h, h.newSignOn()
}

// secretFile keeps a value and returns the placeholder for it.
func secretFile(t *testing.T, value string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
	return "{file." + name + "}"
}

const goodSecret = "0f3c9b7d2e5a48616f3c9b7d2e5a4861"

func TestSignInC20SlipsInMachinesStopTheLoad(t *testing.T) {
	const jwt = "issuer https://login.example.de\naudience api\nclient etl\n"
	for name, c := range map[string]struct{ lines, want string }{
		"no name":                     {"machine {\n}", "takes a name"},
		"a name with a space":         {"machine \"a b\" {\nrole sales\n" + jwt + "}", "name"},
		"no role":                     {"machine a {\n" + jwt + "}", "role is missing"},
		"a role that nobody knows":    {"machine a {\nrole slaes\n" + jwt + "}", `no role "slaes"`},
		"no way in":                   {"machine a {\nrole sales\n}", "in one way"},
		"two ways in":                 {"machine a {\nrole sales\n" + jwt + "mtls_san dns:x\n}", "in one way"},
		"no audience":                 {"machine a {\nrole sales\nissuer https://login.example.de\nclient etl\n}", "audience"},
		"no client":                   {"machine a {\nrole sales\nissuer https://login.example.de\naudience api\n}", "client"},
		"an issuer in clear":          {"machine a {\nrole sales\nissuer http://login.example.de\naudience api\nclient etl\n}", "https"},
		"the employees' own audience": {"machine a {\nrole sales\nissuer https://login.example.de\naudience crm\nclient etl\n}", "typ at+jwt"},
		"audience of a certificate":   {"machine a {\nrole sales\nmtls_san dns:x\naudience api\n}", "issuer"},
		"twice":                       {"machine a {\nrole sales\n" + jwt + "}\nmachine a {\nrole sales\nmtls_san dns:x\n}", "twice"},
		"a word of nobody":            {"machine a {\nrole sales\nissuers x\n}", `nearest: "issuer"`},
		"a word twice":                {"machine a {\nissuer x\nissuer y\n}", "once"},
		"a SAN of no kind":            {"machine a {\nrole sales\nmtls_san report.example\n}", "kind"},
		"no fingerprint":              {"machine a {\nrole sales\nmtls_fingerprint ab:cd\n}", "SHA-256"},
		"a literal secret":            {"machine a {\nrole sales\nsecret " + goodSecret + "\n}", "stands in the configuration"},
		"a secret of nobody":          {"machine a {\nrole sales\nsecret {env.CRMGATE_TEST_UNSET}\n}", "secret"},
		"a short secret":              {"machine a {\nrole sales\nsecret " + secretFile(t, goodSecret[:31]) + "\n}", "too easy"},
		"a secret of one letter":      {"machine a {\nrole sales\nsecret " + secretFile(t, strings.Repeat("ab", 20)) + "\n}", "too easy"},
	} {
		if _, err := provisioned(t, c.lines); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a word of %q", name, err, c.want)
		} else if strings.Contains(err.Error(), goodSecret[:20]) {
			t.Errorf("%s: the error quotes the secret: %v", name, err)
		}
	}
	h, err := provisioned(t, "machine a {\nrole sales support\ncrm_user etl\n"+jwt+"typ at+jwt\n}\nmachine b {\nrole sales\nsecret "+secretFile(t, goodSecret)+"\n}")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, secret string
		ok           bool
	}{
		{"b", goodSecret, true}, {"b", "", false}, {"b", goodSecret + "x", false}, {"a", goodSecret, false}, {"", "", false}, {"", string(h.machines.key), false},
	} {
		if m := h.machines.bySecret(c.name, c.secret); (m != nil) != c.ok {
			t.Errorf("%q with %q: %v", c.name, c.secret, m)
		}
	}
}

func TestUnverifiedCertificateIsNoMachine(t *testing.T) {
	h, err := provisioned(t, "machine a {\nrole sales\nmtls_san dns:report.example\n}\nmachine b {\nrole sales\nmtls_san dns:report.example dns:x\n}")
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{DNSNames: []string{"report.example"}}
	other := &x509.Certificate{DNSNames: []string{"x"}}
	for name, c := range map[string]struct {
		state *tls.ConnectionState
		want  string
		err   bool
	}{
		"no TLS":                   {nil, "", false},
		"no certificate":           {&tls.ConnectionState{}, "", false},
		"presented, not verified":  {&tls.ConnectionState{PeerCertificates: []*x509.Certificate{other}}, "", false},
		"an empty chain":           {&tls.ConnectionState{PeerCertificates: []*x509.Certificate{other}, VerifiedChains: [][]*x509.Certificate{{}}}, "", false},
		"verified":                 {&tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{other}}}, "b", false},
		"that of two machines":     {&tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{leaf}}}, "", true},
		"an authority's, in chain": {&tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{}, other}}}, "", false},
	} {
		m, err := h.machines.byCertificate(c.state)
		if got := m != nil; got != (c.want != "") || got && m.Name != c.want || (err != nil) != c.err {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
}

func TestSignInC20SlipsInSignOnStopTheLoad(t *testing.T) {
	secret := secretFile(t, "s3cret-of-the-crm")
	for name, c := range map[string]struct{ lines, want string }{
		"a source of nobody":      {"identity_header X-User login", "unknown word"},
		"no source":               {"identity_header X-User", "takes a header"},
		"an underscore":           {"identity_header X_User user", "letters, digits and hyphens"},
		"a header with a space":   {"identity_header \"X User\" user", "letters, digits and hyphens"},
		"Host":                    {"identity_header host user", "meaning of its own"},
		"Cookie":                  {"identity_header Cookie user", "meaning of its own"},
		"Authorization":           {"identity_header Authorization user", "meaning of its own"},
		"a hop by hop header":     {"identity_header Proxy-User user", "meaning of its own"},
		"X-Forwarded-User":        {"identity_header X-Forwarded-User user", "meaning of its own"},
		"machines' own":           {"identity_header X-Crmgate-Authorization user", "meaning of its own"},
		"twice":                   {"identity_header X-User user\nidentity_header x-user email", "meaning already"},
		"assertion in its place":  {"identity_header X-Crmgate-Assertion user\nidentity_assertion {\naudience a\n}", "meaning already"},
		"no audience":             {"identity_assertion {\n}", "audience"},
		"too long":                {"identity_assertion {\naudience a\nttl 1h\n}", "ttl"},
		"too short":               {"identity_assertion {\naudience a\nttl 1s\n}", "ttl"},
		"two assertions":          {"identity_assertion {\naudience a\n}\nidentity_assertion {\naudience a\n}", "once"},
		"a word of nobody":        {"identity_assertion {\naudiences a\n}", `nearest: "audience"`},
		"a literal credential":    {"upstream_credential role sales {\nheader X-Key abc\n}", "stands in the configuration"},
		"a credential of nobody":  {"upstream_credential role sales {\nheader X-Key {env.CRMGATE_TEST_UNSET}\n}", "reading it"},
		"a role that isn't there": {"upstream_credential role slaes {\nheader X-Key " + secret + "\n}", "no such role"},
		"no role":                 {"upstream_credential sales {\n}", "takes a role"},
		"nothing to present":      {"upstream_credential role sales {\n}", "either"},
		"both":                    {"upstream_credential role sales {\nheader X-Key " + secret + "\nbasic u " + secret + "\n}", "either"},
		"a line end in it":        {"upstream_credential role sales {\nheader X-Key " + secretFile(t, "a\r\nX-Role: admin") + "\n}", "control character"},
		"a cookie":                {"upstream_credential role sales {\nheader Cookie " + secret + "\n}", "meaning of its own"},
		"a colon in the user":     {"upstream_credential role sales {\nbasic a:b " + secret + "\n}", "colon"},
	} {
		if _, err := provisioned(t, c.lines); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a word of %q", name, err, c.want)
		} else if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "X-Role") {
			t.Errorf("%s: the error quotes the secret: %v", name, err)
		}
	}
	if _, err := provisioned(t, "identity_header Remote-User user\nupstream_credential role sales {\nbasic u "+secret+"\n}\nupstream_credential role support {\nheader authorization Bearer "+secret+"\n}"); err != nil {
		t.Error(err)
	}
}

// Two machines must not find out by equal pseudonyms that they speak of the same
// person, and no socket outlives a token.
func TestMachinesShareNeitherPseudonymsNorSockets(t *testing.T) {
	a, b := &request{employee: &employee{machine: "a"}}, &request{employee: &employee{machine: "b"}}
	if a.scope() == b.scope() {
		t.Error("two machines have one scope")
	}
	a.c = &canon.Canonical{Upgrade: "websocket", Host: "crm.example.de"}
	a.r = &http.Request{ProtoMajor: 1, Header: http.Header{"Origin": {"http://crm.example.de"}}}
	if a.judgeUpgrade(&profile.Exchange{Upgrade: true}) == nil {
		t.Error("a machine opens a socket")
	}
	a.employee.machine = ""
	if no := a.judgeUpgrade(&profile.Exchange{Upgrade: true}); no != nil {
		t.Errorf("an employee opens none: %+v", no)
	}
}
