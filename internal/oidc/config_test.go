package oidc

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func validConfig(t *testing.T) Config {
	t.Helper()
	return Config{Issuer: "https://login.example.de/realms/acme", ClientID: "crm", ClientSecret: "x", Preset: "keycloak", Seal: newBox(t)}
}

func TestBadConfigurationNamesTheRemedy(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*Config)
		text   string
	}{
		"no-issuer":           {func(c *Config) { c.Issuer = "" }, "name the provider's issuer URL"},
		"discovery-as-issuer": {func(c *Config) { c.Issuer += "/.well-known/openid-configuration" }, "leave out"},
		"clear-text-issuer":   {func(c *Config) { c.Issuer = "http://login.example.de" }, "use https"},
		"issuer-with-query":   {func(c *Config) { c.Issuer += "?x=1" }, "scheme, host and path"},
		"no-client":           {func(c *Config) { c.ClientID = "" }, "client_id"},
		"empty-secret":        {func(c *Config) { c.ClientSecret = "" }, "check that the variable"},
		"no-proof":            {func(c *Config) { c.Preset = "" }, "mfa amr"},
		"custom-no-proof":     {func(c *Config) { c.Preset = "custom" }, "mfa amr"},
		"max-age-only":        {func(c *Config) { c.Preset, c.Factor = "", Factor{MaxAge: time.Hour} }, "max_age alone proves none"},
		"negative-max-age":    {func(c *Config) { c.Factor = Factor{AMR: []string{"mfa"}, MaxAge: -1} }, "negative"},
		"empty-value":         {func(c *Config) { c.Factor = Factor{AMR: []string{""}} }, "a word of its own"},
		"two-words":           {func(c *Config) { c.Factor = Factor{ACR: []string{"a b"}} }, "a word of its own"},
		"unknown-preset":      {func(c *Config) { c.Preset = "keykloak" }, "keycloak"},
		"google":              {func(c *Config) { c.Preset = "google" }, "Google's ID tokens say nothing"},
		"google-by-issuer":    {func(c *Config) { c.Issuer = "https://accounts.google.com" }, "Google's ID tokens say nothing"},
		"google-with-factor": {func(c *Config) {
			c.Preset, c.Factor = "google", Factor{AMR: []string{"mfa"}}
		}, "Google's ID tokens say nothing"},
		"resistant-unknown-here": {func(c *Config) { c.Preset, c.PhishingResistant = "entra", true }, "authentication strength"},
		"resistant-unnamed": {func(c *Config) {
			c.Preset, c.PhishingResistant, c.Factor = "", true, Factor{AMR: []string{"mfa"}}
		}, "name the values"},
		"resistant-in-another-acr": {func(c *Config) {
			c.Preset, c.PhishingResistant, c.Factor, c.Resistant = "", true, Factor{ACR: []string{"gold"}}, Factor{ACR: []string{"phr"}}
		}, "has one acr"},
		"resistant-two-words": {func(c *Config) { c.Resistant = Factor{AMR: []string{"a b"}} }, "a word of its own"},
		"no-keys":             {func(c *Config) { c.Seal = nil }, "keys"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := validConfig(t)
			c.change(&cfg)
			if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), c.text) {
				t.Errorf("New = %v, want an error with %q", err, c.text)
			}
		})
	}
	if _, err := New(validConfig(t)); err != nil {
		t.Error(err)
	}
}

func TestPresetsProveWhatTheirProvidersWrite(t *testing.T) {
	t.Parallel()
	cases := []struct {
		preset, amr, acr string
		want             bool
	}{
		{"adfs", "http://schemas.microsoft.com/claims/multipleauthn", "", true},
		{"adfs", "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", "", false},
		{"authentik", "pwd mfa", "goauthentik.io/providers/oauth2/default", true},
		{"authentik", "pwd", "goauthentik.io/providers/oauth2/default", false},
		{"entra", "pwd mfa", "", true},
		{"entra", "pwd", "", false},
		{"entra", "", "c1", false}, // no authentication context is assumed
		{"keycloak", "pwd otp", "1", true},
		{"keycloak", "otp", "1", false},
		{"keycloak", "", "2", true},
		{"keycloak", "pwd", "1", false},
		{"keycloak", "", "", false},
		{"okta", "pwd mfa otp", "", true},
		{"okta", "pwd", "urn:okta:loa:1fa:any", false},
		{"okta", "pwd", "urn:okta:loa:2fa:any:ifpossible", false},
		{"okta", "hwk", "phr", false}, // one factor that can't be phished is one factor
		{"zitadel", "pwd otp mfa", "", true},
		{"zitadel", "pwd", "", false},
	}
	for _, c := range cases {
		cfg := validConfig(t)
		cfg.Preset = c.preset
		p, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.proof.factor.proven(strings.Fields(c.amr), strings.Fields(c.acr)); got != c.want {
			t.Errorf("%s: amr %q acr %q proven = %v, want %v", c.preset, c.amr, c.acr, got, c.want)
		}
	}
	for _, p := range presets() {
		if p.refused == "" && p.resistant.empty() == (p.resistantRemedy == "") {
			t.Errorf("%s has to know what proves a phishing-resistant factor, or say what to do", p.name)
		}
		if (p.remedy == "") == (p.refused == "") {
			t.Errorf("%s has to name a remedy or why it is refused", p.name)
		}
	}
	if !slices.IsSorted(Presets()) {
		t.Error("Presets is not sorted")
	}
}

func TestPresetsProveWhatCantBePhished(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		preset, amr, acr string
		want             bool
	}{
		{"keycloak", "pwd hwk", "1", true},
		{"keycloak", "pwd otp", "2", false},
		{"keycloak", "pwd swk", "1", false}, // perhaps an app
		{"keycloak", "pwd swk pin", "1", true},
		{"okta", "pwd pop mfa", "", true},
		{"okta", "pwd okta_verify swk mfa", "", false}, // a push
		{"okta", "pwd mfa", "phr", true},
		{"okta", "pwd mfa otp", "urn:okta:loa:2fa:any", false},
		{"zitadel", "user mfa", "", true},
		{"zitadel", "pwd otp mfa", "", false},
	} {
		cfg := validConfig(t)
		cfg.Preset, cfg.PhishingResistant = c.preset, true
		p, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		id := Identity{AMR: strings.Fields(c.amr), ACR: c.acr}
		if got := p.Meets(id, Demand{PhishingResistant: true}); got != c.want {
			t.Errorf("%s: amr %q acr %q resists = %v, want %v", c.preset, c.amr, c.acr, got, c.want)
		}
	}
}

func TestEntraIsAskedForItsAuthenticationContext(t *testing.T) {
	t.Parallel()
	p := newParty(t, func(c *Config) { c.Preset, c.Factor = "entra", Factor{ACR: []string{"c1"}} })
	begun, err := p.Begin(t.Context(), BeginRequest{BaseURL: site})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(begun.Redirect, "claims=%7B%22id_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%22values%22%3A%5B%22c1%22%5D%7D%7D%7D") ||
		strings.Contains(begun.Redirect, "acr_values") {
		t.Errorf("Redirect = %s", begun.Redirect)
	}
	p.op.set(func() { p.op.token = func(c map[string]any) { delete(c, "amr"); c["acrs"] = []string{"c1"} } })
	if _, err := p.Finish(t.Context(), p.begin(t)); err != nil {
		t.Error(err)
	}
}

func TestZitadelRolesAreKeys(t *testing.T) {
	t.Parallel()
	const name = "urn:zitadel:iam:org:project:roles"
	p := newParty(t, func(c *Config) { c.Preset, c.RolesClaim = "zitadel", name })
	p.op.set(func() {
		p.op.token = func(c map[string]any) {
			c[name] = map[string]any{"support": map[string]any{"1": "acme"}, "sales": map[string]any{"1": "acme"}}
		}
	})
	fin, err := p.Finish(t.Context(), p.begin(t))
	if err != nil || !slices.Equal(fin.Identity.Roles, []string{"sales", "support"}) {
		t.Errorf("roles = %v, %v", fin.Identity.Roles, err)
	}
}

func TestADFSMethodsUnderTheClaimTypesName(t *testing.T) {
	t.Parallel()
	p := newParty(t, func(c *Config) { c.Preset, c.Factor = "adfs", Factor{} })
	p.op.set(func() {
		p.op.token = func(c map[string]any) {
			delete(c, "amr")
			c["http://schemas.microsoft.com/claims/authnmethodsreferences"] = []string{"http://schemas.microsoft.com/claims/multipleauthn"}
		}
	})
	if _, err := p.Finish(t.Context(), p.begin(t)); err != nil {
		t.Error(err)
	}
}

func TestClaimPaths(t *testing.T) {
	t.Parallel()
	c := claims{
		"roles":                 "one",
		"realm_access":          map[string]any{"roles": []any{"b", "a", "a"}},
		"resource_access":       map[string]any{"crm.acme": map[string]any{"roles": []any{"x"}}},
		"https://acme.de/roles": []any{"ns"},
		"a.b":                   map[string]any{"c": "inner"},
		"a":                     map[string]any{"b.c": "outer", "b": map[string]any{"d": "deep"}},
	}
	for path, want := range map[string]any{
		"roles": "one", "https://acme.de/roles": []any{"ns"}, "realm_access.roles": []any{"b", "a", "a"},
		"resource_access.crm.acme.roles": []any{"x"}, "a.b.c": "inner", "a.b.d": "deep",
		"roles.x": nil, "missing": nil, ".": nil, "realm_access.": nil,
	} {
		if got, _ := c.at(path); !reflect.DeepEqual(got, want) {
			t.Errorf("at(%q) = %v, want %v", path, got, want)
		}
	}
	p := &Provider{cfg: Config{RolesClaim: "realm_access.roles"}}
	if roles, _, err := p.roles([]claims{c}); err != nil || !slices.Equal(roles, []string{"a", "b"}) {
		t.Errorf("roles = %v, %v", roles, err)
	}
	for _, odd := range []any{7, true, map[string]any{}, []any{"a", 7}, []any{nil}, []any{""}} {
		if _, err := words(odd); err == nil {
			t.Errorf("words(%v) is no error", odd)
		}
	}
}

func TestEveryRefusalSpeaksGermanAndEnglish(t *testing.T) {
	t.Parallel()
	codes := map[string]bool{}
	for _, r := range Refusals() {
		if r.Code == "" || codes[r.Code] {
			t.Errorf("code %q is empty or there twice", r.Code)
		}
		codes[r.Code] = true
		if len(r.German) < 60 || len(r.English) < 60 || r.German == r.English || strings.ContainsAny(r.German+r.English, "<>&") {
			t.Errorf("%s lacks sentences that can stand on a page", r.Code)
		}
		if !errors.Is(r, r) || !strings.Contains(r.Error(), r.Code) {
			t.Errorf("%s is no sentinel", r.Code)
		}
	}
}

func TestSiteAddressIsSchemeAndHostOnly(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "crm.example.de", "https://", "https://a/b", "https://a/", "https://u@a", "https://a?x", "ftp://a", "https://a#", "javascript:alert(1)"} {
		if err := checkBaseURL(base); !errors.Is(err, ErrMisconfigured) {
			t.Errorf("checkBaseURL(%q) = %v", base, err)
		}
	}
	for _, base := range []string{"https://crm.example.de", "http://127.0.0.1:8080", "https://[::1]:8443"} {
		if err := checkBaseURL(base); err != nil {
			t.Error(err)
		}
	}
}
