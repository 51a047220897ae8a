package gate_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// ownNames are the headers by which the CRM of these tests is told who it is.
func ownNames() []string {
	return []string{"X-Remote-User", "X-User-Email", "X-User-Name", "X-User-Sub", "X-User-Roles", "X-Crmgate-Assertion", "Authorization"}
}

func signOnLines(h *house) []string {
	return []string{
		"identity_header X-Remote-User user", "identity_header X-User-Email email", "identity_header X-User-Name name",
		"identity_header X-User-Sub subject", "identity_header X-User-Roles roles",
		"identity_assertion {", "audience kontor", "ttl 30s", "}",
		"upstream_credential role sales {", "header Authorization Bearer {file." + h.dir + "/crm}", "}",
		"upstream_credential role marketing {", "basic crm {file." + h.dir + "/crm}", "}",
		"machine nightly-sync {", "issuer " + env.forger.url, "audience crm-api", "client etl", "typ at+jwt", "role support", "}",
	}
}

func TestSignInSignOn(t *testing.T) {
	h, _ := newHouse(t, "INFO", signOnLines)
	t.Run("the CRM is told who it is", h.tellsWho)
	t.Run("C01-spoofed-identity-header", h.takesSpoofedHeadersOut)
	t.Run("C02-alias-spelling", h.takesAliasesOut)
	t.Run("C03-connection-deletes-our-header", h.keepsItsHeaders)
	t.Run("C13-identity-parsing", h.refusesAmbiguousPeople)
	t.Run("C21-placeholder-expansion", h.leavesPlaceholdersAlone)
	t.Run("credentials by role", h.presentsCredentials)
	t.Run("assertion", h.asserts)
	t.Run("C19-credential-leakage", h.keepsSignOnToItself)
}

// routes are one request of each kind that is forwarded.
func routes() map[string]ask {
	return map[string]ask{
		"masked":         {path: "/api/contacts/1001"},
		"passed":         {path: "/static/app.css"},
		"streamed":       {path: "/api/stream/contacts"},
		"a page":         {path: "/contacts/1001", page: true},
		"a save":         {method: "PATCH", path: "/api/contacts/1001", body: `{"position":"x"}`},
		"a save in full": {method: "PUT", path: "/api/contacts/1001", body: `{"last_name":"x","iban":"x"}`},
	}
}

// received sends a request and returns what the CRM got of it, the gateway's own
// reads included.
func (h *house) received(t *testing.T, b *browser, a ask, more http.Header) []received {
	t.Helper()
	a.scene = h.crm.scene(t, nil)
	a.header = with(http.Header{}, a.header, more)
	b.do(t, a)
	return a.scene.requests()
}

func veraClaims() map[string]any {
	return map[string]any{"preferred_username": "vera", "name": "Vera Sömmer", "email": "vera@example.com", "email_verified": true}
}

func (h *house) tellsWho(t *testing.T) {
	vera := h.employee(t, veraClaims())
	for name, a := range routes() {
		all := h.received(t, vera, a, nil)
		if len(all) == 0 {
			if strings.HasPrefix(name, "a save") || name == "streamed" {
				continue // not with this role
			}
			t.Errorf("%s: the CRM got nothing", name)
		}
		for _, got := range all {
			for header, want := range map[string]string{
				"X-Remote-User": "vera", "X-User-Email": "vera@example.com", "X-User-Name": "Vera S%C3%B6mmer", "X-User-Sub": "forged-vera", "X-User-Roles": "sales",
			} {
				if v := got.header.Values(header); len(v) != 1 || v[0] != want {
					t.Errorf("%s: %s is %q, want %q", name, header, v, want)
				}
			}
			if len(got.header.Values("X-Crmgate-Assertion")) != 1 {
				t.Errorf("%s: no assertion", name)
			}
		}
	}
	all := h.received(t, newBrowser(h.site), ask{path: "/api/contacts/1001"}, bearer(machineToken("at+jwt")))
	if got := all[0].header; got.Get("X-User-Sub") != "machine:nightly-sync" || got.Get("X-Remote-User") != "" || got.Get("X-User-Roles") != "support" {
		t.Errorf("of a machine: %v", got)
	}
}

// takesSpoofedHeadersOut sends every header that means something, on every kind
// of route, as somebody who has none of the claims.
func (h *house) takesSpoofedHeadersOut(t *testing.T) {
	nobody := h.employee(t, map[string]any{
		"preferred_username": "", "name": "", "email": "boss@example.com", "email_verified": false, "roles": []string{"master_data"},
	})
	spoofed := http.Header{}
	for _, name := range ownNames() {
		spoofed[name] = []string{"spoofed"}
		spoofed[strings.ToUpper(name)] = []string{"spoofed"}
	}
	delete(spoofed, "AUTHORIZATION") // a second one is refused
	for name, a := range routes() {
		all := h.received(t, nobody, a, spoofed)
		if len(all) == 0 {
			t.Errorf("%s: the CRM got nothing", name)
		}
		for _, got := range all {
			for header, values := range got.header {
				for _, v := range values {
					if strings.Contains(v, "spoofed") {
						t.Errorf("%s: the CRM got %s: %s", name, header, v)
					}
				}
			}
			for _, absent := range []string{"X-Remote-User", "X-User-Email", "X-User-Name", "Authorization"} {
				if v, ok := got.header[absent]; ok {
					t.Errorf("%s: %s is %q, and there is nothing to say", name, absent, v)
				}
			}
		}
	}
	for _, b := range []*browser{newBrowser(h.site)} { // a machine, and nobody at all
		for _, got := range h.received(t, b, ask{path: "/static/app.css"}, with(spoofed, bearer(machineToken("at+jwt")))) {
			if got.header.Get("X-Remote-User")+got.header.Get("Authorization") != "" || got.header.Get("X-User-Sub") != "machine:nightly-sync" {
				t.Errorf("a machine's request reached the CRM with %v", got.header)
			}
		}
		if all := h.received(t, b, ask{path: "/static/app.css"}, spoofed); len(all) > 0 {
			t.Errorf("nobody's request reached the CRM: %v", all)
		}
	}
}

// Caddy drops headers with underscores unless it is told to let one in, as it is
// here: PHP reads X_User_Email and X-User-Email as the same.
func (h *house) takesAliasesOut(t *testing.T) {
	vera := h.employee(t, map[string]any{"preferred_username": "vera"})
	sc := h.crm.scene(t, nil)
	var lines strings.Builder
	for _, name := range []string{"X_User_Email", "x.user.email", "X-USER_EMAIL", "x_remote_user", "X_Crmgate_Assertion", "aUTHORIZATION"} {
		lines.WriteString(name + ": spoofed\r\n")
	}
	exchangeRaw(t, dial(t, h.site), "GET /api/contacts/1001 HTTP/1.1\r\nHost: "+h.site.host+"\r\nCookie: "+vera.cookies()+"\r\n"+
		lines.String()+caseHeader+": "+sc.id+"\r\n\r\n").want(t, http.StatusOK)
	for name, values := range sc.requests()[0].header {
		if strings.Contains(strings.Join(values, " "), "spoofed") {
			t.Errorf("the CRM got %s: %q", name, values)
		}
	}
}

func (h *house) keepsItsHeaders(t *testing.T) {
	vera := h.employee(t, veraClaims())
	sc := h.crm.scene(t, nil)
	exchangeRaw(t, dial(t, h.site), "GET /api/contacts/1001 HTTP/1.1\r\nHost: "+h.site.host+"\r\nCookie: "+vera.cookies()+
		"\r\nConnection: keep-alive, "+strings.Join(ownNames(), ", ")+"\r\n"+caseHeader+": "+sc.id+"\r\n\r\n").want(t, http.StatusOK)
	for _, name := range ownNames() {
		if sc.requests()[0].header.Get(name) == "" {
			t.Errorf("the client deleted %s", name)
		}
	}
}

func (h *house) refusesAmbiguousPeople(t *testing.T) {
	for name, claims := range map[string]map[string]any{
		"a line end in the user": {"preferred_username": "vera\r\nX-Remote-User: admin"},
		"a look-alike":           {"preferred_username": "аdmin"},
		"a space at the end":     {"preferred_username": "admin "},
		"two addresses":          {"email": "a@evil.example@example.com", "email_verified": true},
		"a role of two":          {"roles": []string{"sales", "sales,master_data"}},
		"a machine's subject":    {"sub": "machine:nightly-sync"},
	} {
		b := h.employee(t, claims)
		for _, path := range []string{"/api/contacts/1001", "/static/app.css"} {
			sc := h.crm.scene(t, nil)
			r := b.do(t, ask{path: path, scene: sc}).want(t, http.StatusForbidden)
			if !strings.Contains(string(r.body), `"identity_value"`) || strings.Contains(string(r.body), "X-Remote") || strings.Contains(string(r.body), "evil") {
				t.Errorf("%s: %s", name, r)
			}
			loggedIn(t, h.data(), r).refused(t, "identity_value")
			sc.nothing(t)
		}
	}
}

func (h *house) leavesPlaceholdersAlone(t *testing.T) {
	const placeholder = "{file." + "/etc/hostname}{env.PATH}{http.vars.client_ip}"
	b := h.employee(t, map[string]any{"preferred_username": placeholder, "name": placeholder, "sub": placeholder})
	got := h.received(t, b, ask{path: "/api/contacts/1001"}, nil)[0].header
	for _, name := range []string{"X-Remote-User", "X-User-Name", "X-User-Sub"} {
		if got.Get(name) != placeholder {
			t.Errorf("%s is %q", name, got.Get(name))
		}
	}
}

func (h *house) presentsCredentials(t *testing.T) {
	for roles, want := range map[string]string{
		"sales":           "Bearer crm-secret-of-sales",
		"marketing sales": "Bearer crm-secret-of-sales", // of the first line whose role they have
		"marketing":       "Basic Y3JtOmNybS1zZWNyZXQtb2Ytc2FsZXM=",
		"support":         "",
	} {
		b := h.employee(t, map[string]any{"roles": strings.Fields(roles)})
		for _, client := range []http.Header{{}, {"Authorization": {"Bearer the client's"}}} {
			got := h.received(t, b, ask{path: "/static/app.css"}, client)[0].header
			if v := strings.Join(got.Values("Authorization"), "\n"); v != want {
				t.Errorf("%s: Authorization is %q, want %q", roles, v, want)
			}
		}
	}
}

func (h *house) asserts(t *testing.T) {
	r := newBrowser(h.site).do(t, ask{path: "/.crmgate/jwks.json"}).want(t, http.StatusOK)
	if cache := r.header.Get("Cache-Control"); cache != "public, max-age=300" || strings.Contains(string(r.body), `"d"`) {
		t.Errorf("Cache-Control %q, keys %s", cache, r)
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(r.body, &keys); err != nil {
		t.Fatal(err)
	}
	vera := h.employee(t, veraClaims())
	ids := map[any]bool{}
	for range 2 {
		token := h.received(t, vera, ask{path: "/api/contacts/1001"}, http.Header{"X-Crmgate-Assertion": {"forged"}})[0].header.Get("X-Crmgate-Assertion")
		jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := jws.Verify(keys)
		if err != nil {
			t.Fatal(err)
		}
		claims := map[string]any{}
		if err := json.Unmarshal(raw, &claims); err != nil {
			t.Fatal(err)
		}
		ids[claims["jti"]] = true
		iat, _ := claims["iat"].(float64)
		if exp, _ := claims["exp"].(float64); exp-iat != 30 || time.Since(time.Unix(int64(iat), 0)).Abs() > time.Minute {
			t.Errorf("it holds from %v to %v", iat, exp)
		}
		for _, name := range []string{"jti", "iat", "exp"} {
			delete(claims, name)
		}
		want := map[string]any{
			"iss": h.site.url, "aud": "kontor", "sub": "forged-vera", "preferred_username": "vera", "name": "Vera Sömmer",
			"email": "vera@example.com", "email_verified": true,
		}
		roles, _ := json.Marshal(claims["roles"])
		delete(claims, "roles")
		if !maps.Equal(claims, want) || string(roles) != `["sales"]` {
			t.Errorf("claims %v and roles %s, want %v", claims, roles, want)
		}
	}
	if len(ids) != 2 {
		t.Error("two assertions have one id")
	}
}

func (h *house) keepsSignOnToItself(t *testing.T) {
	vera := h.employee(t, veraClaims())
	token := h.received(t, vera, ask{path: "/api/contacts/1001"}, nil)[0].header.Get("X-Crmgate-Assertion")
	all := h.logs.String()
	for _, name := range []string{"process.log", "access.log"} {
		raw, err := os.ReadFile(filepath.Join(h.dir, "logs", name))
		if err != nil && name == "process.log" {
			t.Fatal(err)
		}
		all += string(raw)
	}
	for _, secret := range []string{"crm-secret-of-sales", token, "vera@example.com", "S%C3%B6mmer"} {
		if strings.Contains(all, secret) {
			t.Errorf("a log holds %q", secret)
		}
	}
}

// At debug level Caddy would write the headers down that tell who it is.
func TestSignInC19SignOnIsNotStartedPastADebugLog(t *testing.T) {
	_, says := newHouse(t, "DEBUG", signOnLines)
	if !strings.Contains(says, "exclude http.handlers.reverse_proxy") {
		t.Errorf("it says %s", says)
	}
}
