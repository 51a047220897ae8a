package gate

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/canon"
	"github.com/crmgate/crmgate/internal/factor"
	"github.com/crmgate/crmgate/internal/factor/storetest"
	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/internal/oidc"
	"github.com/crmgate/crmgate/internal/session"
)

func gateWith(t *testing.T, lines string) (*Handler, error) {
	t.Helper()
	h := new(Handler)
	err := h.UnmarshalCaddyfile(caddyfile.NewTestDispenser("crm_gate {\n profile demo\n policy builtin:demo\n oidc https://accounts.google.com {\n client_id x\n client_secret y\n " + lines + "\n }\n}"))
	if err != nil {
		return nil, err
	}
	h.defaults()
	if err := h.loadProfile(); err != nil {
		return nil, err
	}
	h.sealer = &lateSealer{}
	return h, h.newProvider()
}

func TestConfigurationOfTheOwnFactor(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]string{
		"mfa gateway":                                         "",
		"provider google\nmfa gateway":                        "",
		"mfa gateway totp":                                    "",
		"mfa gateway passkey\nmfa phishing_resistant":         "",
		"mfa phishing_resistant\nmfa gateway":                 "",
		"mfa gateway\nmfa open_enrolment ten people":          "",
		"mfa gateway\nmfa max_age 8h":                         "",
		"provider google":                                     "say nothing of a second factor",
		"mfa amr mfa":                                         "say nothing of a second factor",
		"mfa gateway sms":                                     `unknown word "sms"`,
		"mfa gatway":                                          "gateway",
		"mfa gateway totp\nmfa phishing_resistant":            "passkeys alone",
		"mfa gateway\nmfa phishing_resistant":                 "write mfa gateway passkey",
		"mfa gateway\nmfa amr mfa":                            "exclude each other",
		"mfa gateway\nmfa open_enrolment":                     "open_enrolment <reason>",
		"mfa amr mfa\nmfa open_enrolment x":                   "goes with mfa gateway",
		"mfa gateway\nmfa phishing_resistant acr phr":         "passkey",
		"mfa gateway passkey\nmfa phishing_resistant acr phr": "leave the values out",
	} {
		_, err := gateWith(t, lines)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", lines, err, want)
		}
	}
}

// C27: what an employee has enrolled is changed right after a proof alone.
func TestSignInOwnFactorIsManagedRightAfterAProof(t *testing.T) {
	t.Parallel()
	h, err := gateWith(t, "mfa gateway")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ago  time.Duration
		want bool
	}{
		"C27-at-once": {0, true}, "C27-within-minutes": {9 * time.Minute, true},
		"C27-later": {12 * time.Minute, false}, "C27-in-the-future": {-time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := session.Identity{AMR: []string{"gateway:otp"}, AuthTime: time.Now().Add(-c.ago)}
			q := &request{h: h, employee: &employee{session: session.Session{Identity: id}}}
			if got := q.mayManage(); got != c.want {
				t.Errorf("%t, want %t", got, c.want)
			}
			if got := h.provider.Meets(oidc.Identity(id), again()); got != c.want {
				t.Errorf("%t, want %t", got, c.want)
			}
		})
	}
}

// C25: gates parted by a matcher share an address, and the browser its binding.
func TestSignInHalfOfAnotherGateIsNone(t *testing.T) {
	t.Parallel()
	ring, err := keys.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	factors, err := factor.New(factor.Config{TOTP: true, Store: new(storetest.Memory), Sealer: ring})
	if err != nil {
		t.Fatal(err)
	}
	binding := strings.Repeat("b", 43)
	at := func(lines string) (*request, *httptest.ResponseRecorder) {
		h, err := gateWith(t, lines)
		if err != nil {
			t.Fatal(err)
		}
		h.logger = zap.NewNop()
		w := httptest.NewRecorder()
		return &request{
			h: h, w: w, https: true, c: &canon.Canonical{Method: http.MethodPost, Path: factorPath, Host: "crm.example.de"},
			o: &opened{factors: factors},
		}, w
	}
	post := func(q *request, half string) {
		q.r = httptest.NewRequest(http.MethodPost, "https://crm.example.de"+factorPath, strings.NewReader(url.Values{"half": {half}, "do": {"nothing"}}.Encode()))
		q.r.Header = http.Header{
			"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"},
			"Cookie": {q.cookies.Binding() + "=" + binding},
		}
		q.serveFactor()
	}
	made, _ := at("mfa gateway\nroles groups")
	half := factor.Half{ID: "1", Begun: time.Now(), Person: factor.Person{Issuer: "https://accounts.google.com", Subject: "1"}}
	half.Bind(binding)
	sealed, err := factors.SealHalf(half, made.halfSite())
	if err != nil {
		t.Fatal(err)
	}
	for lines, want := range map[string]int{
		"mfa gateway\nroles groups":                 http.StatusBadRequest, // it is taken, and what it is to do isn't known
		"mfa gateway totp\nroles groups":            http.StatusBadRequest,
		"mfa gateway":                               http.StatusForbidden,
		"mfa gateway\nroles groups\ncrm_user email": http.StatusForbidden,
	} {
		q, w := at(lines)
		if post(q, sealed); w.Code != want {
			t.Errorf("%q: %d %s, want %d", lines, w.Code, w.Body, want)
		}
	}
}
