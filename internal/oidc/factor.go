package oidc

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Factor says which statements of the ID token prove a second factor. One match
// is enough; MaxAge is a bound on top and proves nothing by itself.
type Factor struct {
	// AMR are authentication methods (RFC 8176). An entry may join several with
	// "+": all of them have to be there ("pwd+otp").
	AMR []string
	// ACR are authentication contexts. They are asked for in the request, and
	// matched against the token's `acr` and Entra's `acrs`.
	ACR []string
	// MaxAge is how long ago the person may have signed in at the provider; 0 is
	// no bound. With one, a token without auth_time is refused.
	MaxAge time.Duration
}

func (f Factor) empty() bool { return len(f.AMR) == 0 && len(f.ACR) == 0 }

// proven reports whether the methods and contexts of a token match.
func (f Factor) proven(amr, acr []string) bool {
	for _, want := range f.ACR {
		if slices.Contains(acr, want) {
			return true
		}
	}
	for _, want := range f.AMR {
		if hasAll(amr, strings.Split(want, "+")) {
			return true
		}
	}
	return false
}

func hasAll(have, want []string) bool {
	for _, w := range want {
		if w == "" || !slices.Contains(have, w) {
			return false
		}
	}
	return true
}

// preset is what is known of a kind of provider.
type preset struct {
	name   string
	factor Factor
	// claims asks for ACR by the claims parameter as `acrs`, because the
	// provider knows no acr_values.
	claims bool
	// methods is a claim beside `amr` that holds methods.
	methods string
	// keyed says that roles may be the keys of an object.
	keyed bool
	// remedy is what the administrator does when the proof doesn't come.
	remedy string
	// refused says why the provider can't prove a second factor at all.
	refused string
}

const googleRefused = "Google's ID tokens say nothing of a second factor (no amr, no acr): put a provider between that proves one (Keycloak, Entra ID, Okta, authentik, ZITADEL)"

// presets: what each kind of provider writes into its ID tokens.
//
//   - entra: v1.0 tokens (issuer https://sts.windows.net/<tenant>/) carry `amr`
//     with `mfa`, `ngcmfa` (Microsoft, "Access token claims reference"). v2.0 ID
//     tokens carry neither amr nor acr (github.com/MicrosoftDocs/azure-docs
//     issue 85021); there an authentication context that Conditional Access ties
//     to MFA is named as ACR ("c1") and comes back in `acrs` ("Developer guide to
//     Conditional Access authentication context"). No context is assumed: one
//     without a policy is granted to everybody.
//   - keycloak: `amr` by the Authentication Method Reference mapper, with the
//     references that the flow's steps were given (AmrProtocolMapper); `acr` by
//     levels of authentication, of which the Server Administration Guide ("Step-up
//     authentication") makes 2, or gold, the one with a second factor. An `otp`
//     alone could be a mailed code without a password and is not taken.
//   - okta: `amr` has `mfa` whenever two factors were used; acr is
//     urn:okta:loa:2fa:any, phr or phrh (Okta, "Step-up authentication using ACR
//     values"). 2fa:any:ifpossible promises nothing and is left out.
//   - authentik: `mfa` when a device was checked at sign-in
//     (authentik/providers/oauth2/id_token.py); acr is a constant.
//   - zitadel: `mfa` when two methods or a passkey were used
//     (internal/api/oidc/amr.go).
//   - adfs: the value .../multipleauthn, in `amr` or under the claim type's own
//     name, when an issuance rule passes authnmethodsreferences on (Microsoft,
//     "MFA claims from a federated IdP").
func presets() []preset {
	return []preset{
		{
			name: "adfs", factor: Factor{AMR: []string{"http://schemas.microsoft.com/claims/multipleauthn", "mfa"}},
			methods: "http://schemas.microsoft.com/claims/authnmethodsreferences",
			remedy:  "require MFA in the access control policy and pass the claim authnmethodsreferences on in an issuance rule",
		},
		{
			name: "authentik", factor: Factor{AMR: []string{"mfa"}},
			remedy: "put an authenticator validation stage with \"not configured: deny\" into the authentication flow",
		},
		{
			name: "entra", factor: Factor{AMR: []string{"mfa", "ngcmfa"}}, claims: true,
			remedy: "tie an authentication context to a Conditional Access policy that requires MFA and name it (mfa acr c1); or use the issuer https://sts.windows.net/<tenant>/",
		},
		{name: "google", refused: googleRefused},
		{
			name: "keycloak", factor: Factor{AMR: []string{"mfa", "pwd+otp", "pwd+hwk", "pwd+swk"}, ACR: []string{"2", "gold"}},
			remedy: "require a second factor in the browser flow and either give its steps references and the client the mapper Authentication Method Reference, or map the level of authentication 2 to an acr",
		},
		{
			name: "okta", factor: Factor{AMR: []string{"mfa"}, ACR: []string{"urn:okta:loa:2fa:any", "phr", "phrh"}},
			remedy: "require two factor types in the application's authentication policy",
		},
		{
			name: "zitadel", factor: Factor{AMR: []string{"mfa"}}, keyed: true,
			remedy: "turn on \"force MFA\" in the login policy",
		},
	}
}

// Presets lists the known kinds of providers, sorted.
func Presets() []string {
	var names []string
	for _, p := range presets() {
		names = append(names, p.name)
	}
	return names
}

// proofOf finds out how a second factor is proven, or says why it can't be.
func proofOf(cfg Config, issuer *url.URL) (preset, Factor, error) {
	kind := preset{name: "custom", remedy: "let the provider require a second factor and state it as the configured mfa amr or mfa acr"}
	if cfg.Preset != "" && cfg.Preset != kind.name {
		i := slices.IndexFunc(presets(), func(p preset) bool { return p.name == cfg.Preset })
		if i < 0 {
			return preset{}, Factor{}, fmt.Errorf("provider %q is not known: use one of %s, or say how a second factor is proven (mfa amr … or mfa acr …)",
				cfg.Preset, strings.Join(Presets(), ", "))
		}
		kind = presets()[i]
	}
	if kind.refused == "" && issuer.Hostname() == "accounts.google.com" {
		kind.refused = googleRefused
	}
	if kind.refused != "" {
		return preset{}, Factor{}, fmt.Errorf("provider google: %w: %s", ErrNoSecondFactor, kind.refused)
	}
	factor := cfg.Factor
	if factor.empty() {
		factor.AMR, factor.ACR = kind.factor.AMR, kind.factor.ACR
	}
	if factor.empty() {
		return preset{}, Factor{}, errors.New("nothing proves a second factor: name the kind of provider (provider keycloak|entra|okta|…), or the values that prove one (mfa amr … or mfa acr …); max_age alone proves none")
	}
	if factor.MaxAge < 0 {
		return preset{}, Factor{}, errors.New("mfa max_age is negative: give a duration such as 12h")
	}
	for _, v := range slices.Concat(factor.AMR, factor.ACR) {
		if v == "" || strings.ContainsAny(v, " \t\r\n") {
			return preset{}, Factor{}, fmt.Errorf("mfa value %q is empty or has a space in it: give each value a word of its own", v)
		}
	}
	return kind, factor, nil
}
