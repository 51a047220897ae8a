package gate_test

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/audit"
)

// machineLines are the gate's lines for the machines of these tests.
func machineLines(h *house, byPrint tls.Certificate) []string {
	return []string{
		"machine nightly-sync {", "issuer " + env.forger.url, "audience crm-api", "client etl", "typ at+jwt", "role support", "crm_user etl", "}",
		"machine printer {", "issuer " + env.forger.url, "audience printer-api", "client printer", "role support", "}",
		"machine report {", "mtls_san dns:report.example", "role support", "}",
		`machine by-subject {`, `mtls_subject "CN=by-subject,O=Acme"`, "role support", "}",
		"machine by-print {", "mtls_fingerprint " + fingerprint(byPrint), "role support", "}",
		"machine keeper {", "secret {file." + h.dir + "/secret}", "role master_data", "}",
		"public /static/app.css",
	}
}

func newMachineHouse(t *testing.T) (*house, tls.Certificate) {
	t.Helper()
	var byPrint tls.Certificate
	h, _ := newHouse(t, "INFO", func(h *house) []string {
		byPrint = h.ca.issue(t, pkix.Name{CommonName: "anything"})
		return machineLines(h, byPrint)
	})
	return h, byPrint
}

func TestSignInMachines(t *testing.T) {
	h, byPrint := newMachineHouse(t)
	t.Run("are let in and named", func(t *testing.T) { h.letsMachinesIn(t, byPrint) })
	t.Run("are nobody at public paths", h.isNobodyInPublic)
	t.Run("tokens", h.refusesTokens)
	t.Run("certificates", h.refusesCertificates)
	t.Run("C25-machine-as-employee", h.keepsMachinesFromPages)
	t.Run("ambiguous", h.refusesTwoCallers)
	t.Run("C27-exception-is-named", h.namesTheException)
	t.Run("C19-token-leakage", func(t *testing.T) { h.keepsTokensToItself(t) })
}

// letsMachinesIn checks that each way in leads to the CRM under the machine's
// role and name, and that no credential goes on.
func (h *house) letsMachinesIn(t *testing.T, byPrint tls.Certificate) {
	token, iban := machineToken("at+jwt"), h.iban(t)
	for name, c := range map[string]struct {
		b      *browser
		header http.Header
		who    string
	}{
		"token":              {newBrowser(h.site), bearer(token), "nightly-sync"},
		"token at the proxy": {newBrowser(h.site), http.Header{"Proxy-Authorization": {"bearer  " + token}}, "nightly-sync"},
		"another machine":    {newBrowser(h.site), bearer(machineToken("", setClaim("aud", "printer-api"), setClaim("azp", "printer"), setClaim("client_id", "printer"))), "printer"},
		"secret":             {newBrowser(h.site), basicSecret("keeper", h.secret), "keeper"},
		"SAN":                {h.presenting(h.ca.issue(t, pkix.Name{CommonName: "x"}, "Report.example")), nil, "report"},
		"subject":            {h.presenting(h.ca.issue(t, pkix.Name{CommonName: "by-subject", Organization: []string{"Acme"}})), nil, "by-subject"},
		"fingerprint":        {h.presenting(byPrint), nil, "by-print"},
	} {
		sc := h.crm.scene(t, nil)
		header := with(http.Header{"Authorization": {"Bearer the CRM's own"}, "Cookie": {"crm=1"}}, c.header)
		r := c.b.do(t, ask{path: "/api/contacts/1001", scene: sc, header: header}).want(t, http.StatusOK)
		got := sc.requests()[0].header
		if got.Get("Proxy-Authorization")+got.Get("X-Crmgate-Authorization") != "" || got.Get("Authorization") != "Bearer the CRM's own" || got.Get("Cookie") != "crm=1" {
			t.Errorf("%s: the CRM received %v", name, got)
		}
		if strings.Contains(strings.Join(r.header.Values("Set-Cookie"), "\n"), "crmgate") {
			t.Errorf("%s: a machine got a cookie of the gateway's", name)
		}
		for _, s := range loggedIn(t, h.data(), r) {
			if e := s.Entry; e.Factor != "machine "+c.who || e.Employee == "" || e.Session != "" {
				t.Errorf("%s: entry with factor %q, session %q", name, e.Factor, e.Session)
			}
		}
		var contact struct{ IBAN string }
		if err := json.Unmarshal(r.body, &contact); err != nil || (contact.IBAN == iban) != (c.who == "keeper") {
			t.Errorf("%s: the bank account is %q, %v", name, contact.IBAN, err)
		}
	}
	// The policy decides for machines as for employees.
	r := newBrowser(h.site).do(t, ask{method: "DELETE", path: "/api/contacts/1001", header: bearer(token)}).want(t, http.StatusForbidden)
	if x := loggedIn(t, h.data(), r); x[0].Entry.Decision == nil || !x[0].Entry.Decision.Refused {
		t.Errorf("entries %s, want a refusal", x)
	}
}

// isNobodyInPublic: what is forwarded for anybody carries nobody's CRM session,
// whoever asks for it.
func (h *house) isNobodyInPublic(t *testing.T) {
	for name, header := range map[string]http.Header{"anybody": nil, "a machine": bearer(machineToken("at+jwt"))} {
		sc := h.crm.scene(t, nil)
		header = with(http.Header{"Cookie": {"theme=dark; kontor_session=somebody"}}, header)
		newBrowser(h.site).do(t, ask{path: "/static/app.css", scene: sc, header: header}).want(t, http.StatusOK)
		if got := sc.requests()[0].header.Get("Cookie"); got != "theme=dark" {
			t.Errorf("%s: the CRM received the cookies %q", name, got)
		}
	}
}

// iban is the bank account of a contact as the CRM has it.
func (h *house) iban(t *testing.T) string {
	t.Helper()
	r, err := newBrowser(h.site).follow(h.crm.url + "/api/contacts/1001")
	var contact struct{ IBAN string }
	if err == nil {
		err = json.Unmarshal(r.body, &contact)
	}
	if err != nil || contact.IBAN == "" {
		t.Fatalf("%v: %s", err, r)
	}
	return contact.IBAN
}

func (h *house) refusesTokens(t *testing.T) {
	employee := h.employee(t, nil)
	session := ""
	for c := range strings.SplitSeq(employee.cookies(), "; ") {
		if name, value, _ := strings.Cut(c, "="); name == "__Host-crmgate" {
			session = value
		}
	}
	if session == "" {
		t.Fatal("the employee has no session cookie")
	}
	stranger := newBrowser(h.site)
	for name, header := range map[string]http.Header{
		"C25-id-token-of-another-client":    bearer(machineToken("JWT", setClaim("aud", clientID), setClaim("azp", clientID), setClaim("client_id", clientID), setClaim("nonce", "n"))),
		"C25-id-token-of-the-machine":       bearer(machineToken("JWT", setClaim("nonce", "n"))),
		"C25-logout-token":                  bearer(machineToken("logout+jwt", setClaim("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}))),
		"C25-audience-of-another-machine":   bearer(machineToken("at+jwt", setClaim("aud", "printer-api"))),
		"C25-client-of-another-machine":     bearer(machineToken("at+jwt", setClaim("azp", "printer"))),
		"C25-session-cookie-as-bearer":      bearer(session),
		"C25-bearer-with-secret":            bearer(h.secret),
		"C26-unsigned":                      bearer(unsigned(machineClaims())),
		"C26-issuer-of-nobody":              bearer(machineToken("at+jwt", setClaim("iss", "https://elsewhere.example"))),
		"secret-of-another":                 basicSecret("keeper", h.secret[1:]+"A"),
		"secret-of-nobody":                  basicSecret("nobody", h.secret),
		"secret-for-a-machine-with-a-token": basicSecret("nightly-sync", h.secret),
		"empty-secret":                      basicSecret("keeper", ""),
		"no-base64":                         {"Proxy-Authorization": {"Basic %%%"}},
		"another-scheme":                    {"Proxy-Authorization": {"Digest username=x"}},
		"no-token":                          {"X-Crmgate-Authorization": {"Bearer"}},
		"empty-header":                      {"X-Crmgate-Authorization": {""}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, page := range []bool{false, true} { // a page is never redirected either
				for _, path := range []string{"/api/contacts/1001", "/static/app.css"} {
					sc := h.crm.scene(t, nil)
					r := stranger.do(t, ask{path: path, scene: sc, header: header, page: page})
					refusedMachine(t, r, http.StatusUnauthorized, "credential_refused")
					sc.nothing(t)
				}
			}
		})
	}
	t.Run("C26-expired", func(t *testing.T) {
		r := stranger.do(t, ask{path: "/api/contacts/1001", header: bearer(machineToken("at+jwt", setClaim("iat", 1), setClaim("exp", 2)))})
		refusedMachine(t, r, http.StatusUnauthorized, "credential_expired")
	})
	t.Run("C25-access-token-as-session-cookie", func(t *testing.T) {
		r := stranger.do(t, ask{path: "/api/contacts/1001", header: http.Header{"Cookie": {"__Host-crmgate=" + machineToken("at+jwt")}}})
		r.want(t, http.StatusUnauthorized)
	})
	t.Run("C25-authorization-belongs-to-the-crm", func(t *testing.T) {
		r := stranger.do(t, ask{path: "/api/contacts/1001", header: http.Header{"Authorization": {"Bearer " + machineToken("at+jwt")}}})
		r.want(t, http.StatusUnauthorized)
	})
	t.Run("C02-alias-spelling", func(t *testing.T) {
		sc := h.crm.scene(t, nil)
		r := exchangeRaw(t, dial(t, h.site), "GET /api/contacts/1001 HTTP/1.1\r\nHost: "+h.site.host+"\r\nX_Crmgate_Authorization: Bearer "+
			machineToken("at+jwt")+"\r\n"+caseHeader+": "+sc.id+"\r\n\r\n")
		r.want(t, http.StatusUnauthorized)
		sc.nothing(t)
	})
}

// refusesCertificates: a certificate that names no machine is none, and one that
// nobody verified doesn't even connect.
func (h *house) refusesCertificates(t *testing.T) {
	cn := asn1.ObjectIdentifier{2, 5, 4, 3}
	for name, c := range map[string]tls.Certificate{
		"of nobody":                h.ca.issue(t, pkix.Name{CommonName: "nobody"}, "other.example"),
		"name of a machine as CN":  h.ca.issue(t, pkix.Name{CommonName: "report.example"}),
		"a subject with more":      h.ca.issue(t, pkix.Name{CommonName: "by-subject", Organization: []string{"Acme"}, OrganizationalUnit: []string{"x"}}),
		"a second common name":     h.ca.issue(t, pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 10}, Value: "Acme"}, {Type: cn, Value: "evil"}, {Type: cn, Value: "by-subject"}}}),
		"a subject in one name":    h.ca.issue(t, pkix.Name{CommonName: "by-subject,O=Acme"}),
		"a wildcard for a machine": h.ca.issue(t, pkix.Name{CommonName: "x"}, "*.example"),
	} {
		sc := h.crm.scene(t, nil)
		r := h.presenting(c).do(t, ask{path: "/api/contacts/1001", scene: sc})
		if r.status != http.StatusUnauthorized {
			t.Errorf("%s: %s", name, r)
		}
		sc.nothing(t)
	}
	other := newAuthority(t, "machines") // by the same name, with another key
	for name, c := range map[string]tls.Certificate{
		"of another authority": other.issue(t, pkix.Name{CommonName: "x"}, "report.example"),
	} {
		if r, err := h.presenting(c).try(ask{path: "/api/contacts/1001"}); err == nil {
			t.Errorf("%s: %s", name, r)
		}
	}
}

// keepsMachinesFromPages: a machine is nobody at the gateway's own addresses.
func (h *house) keepsMachinesFromPages(t *testing.T) {
	byCert := h.presenting(h.ca.issue(t, pkix.Name{CommonName: "x"}, "report.example"))
	for _, path := range []string{"/.crmgate", "/.crmgate/", "/.crmgate/sign-out", "/.crmgate/callback?code=x&state=y", "/.crmgate/nothing"} {
		for _, page := range []bool{false, true} {
			refusedMachine(t, newBrowser(h.site).do(t, ask{path: path, page: page, header: bearer(machineToken("at+jwt"))}), http.StatusForbidden, "machine_page")
			refusedMachine(t, byCert.do(t, ask{path: path, page: page}), http.StatusForbidden, "machine_page")
		}
	}
	refusedMachine(t, newBrowser(h.site).do(t, ask{path: "/.crmgate/ready", header: bearer("x")}), http.StatusForbidden, "machine_page")
	byCert.do(t, ask{path: "/.crmgate/ready"}).want(t, http.StatusOK)
}

func (h *house) refusesTwoCallers(t *testing.T) {
	employee := h.employee(t, nil)
	cookie := http.Header{"Cookie": {employee.cookies()}}
	token := bearer(machineToken("at+jwt"))
	byCert := h.presenting(h.ca.issue(t, pkix.Name{CommonName: "x"}, "report.example"))
	for name, c := range map[string]struct {
		b      *browser
		header http.Header
	}{
		"C25-session-and-token":       {newBrowser(h.site), with(token, cookie)},
		"C25-session-and-bad-token":   {newBrowser(h.site), with(bearer("x"), cookie)},
		"C25-session-and-certificate": {byCert, cookie},
		"token-and-certificate":       {byCert, token},
		"two-headers":                 {newBrowser(h.site), with(token, http.Header{"Proxy-Authorization": token["X-Crmgate-Authorization"]})},
		"one-header-twice":            {newBrowser(h.site), http.Header{"X-Crmgate-Authorization": {"Bearer x", "Bearer " + machineToken("at+jwt")}}},
	} {
		t.Run(name, func(t *testing.T) {
			sc := h.crm.scene(t, nil)
			refusedMachine(t, c.b.do(t, ask{path: "/api/contacts/1001", scene: sc, header: c.header}), http.StatusBadRequest, "ambiguous_caller")
			sc.nothing(t)
		})
	}
}

// namesTheException: whoever reads the log finds each machine in it.
func (h *house) namesTheException(t *testing.T) {
	line := "exempt from the second factor: machine nightly-sync (role support, token of " + env.forger.url + ")"
	if !slices.ContainsFunc(entries(t, h.data()), func(s audit.Stored) bool {
		return s.Entry.Event == audit.PolicyChange && strings.Contains(s.Entry.Detail, line)
	}) {
		t.Errorf("no entry says %q", line)
	}
	raw, err := os.ReadFile(filepath.Join(h.dir, "logs", "process.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nightly-sync", "printer", "report", "by-subject", "by-print", "keeper"} {
		if !strings.Contains(string(raw), `"machine":"`+name+`"`) {
			t.Errorf("the process log doesn't name %s", name)
		}
	}
}

// keepsTokensToItself: neither credential nor secret stands in a log.
func (h *house) keepsTokensToItself(t *testing.T) {
	token := machineToken("at+jwt")
	bad := machineToken("at+jwt", setClaim("aud", "nobody"))
	for _, x := range []http.Header{bearer(token), bearer(bad), basicSecret("keeper", h.secret), basicSecret("keeper", "x"+h.secret)} {
		newBrowser(h.site).do(t, ask{path: "/api/contacts/1001", header: x})
	}
	h.logs.mu.Lock()
	all := h.logs.buf.String()
	h.logs.mu.Unlock()
	err := filepath.WalkDir(filepath.Join(h.dir, "logs"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			raw, no := os.ReadFile(path)
			all, err = all+string(raw), no
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{h.secret, strings.Split(token, ".")[2], strings.Split(bad, ".")[1], strings.Split(bad, ".")[2]} {
		if strings.Contains(all, secret) {
			t.Error("a log holds a credential")
		}
	}
}
