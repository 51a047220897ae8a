package oidc

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

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
	// resistant proves, beside factor, that the second factor can't be phished;
	// where nothing does, resistantRemedy says what to do instead.
	resistant       Factor
	resistantRemedy string
	// refused says why the provider can't prove a second factor at all.
	refused string
}

const googleRefused = "Google's ID tokens say nothing of a second factor (no amr, no acr): let the gateway ask for one itself (mfa gateway), or put a provider between that proves one (Keycloak, Entra ID, Okta, authentik, ZITADEL)"

// presets: what each kind of provider writes into its ID tokens. Where sources
// are files, they are those of the vendor's public repository.
//
//   - entra: v1.0 tokens (issuer https://sts.windows.net/<tenant>/) carry `amr`
//     with `mfa`, and `ngcmfa` as its equal (Microsoft identity platform, "Access
//     token claims reference", "amr claim"). v2.0 ID tokens carry neither amr nor
//     acr (github.com/MicrosoftDocs/azure-docs issues 62154, 85021); there an
//     authentication context that Conditional Access ties to MFA is named as ACR
//     ("c1") and comes back in `acrs` ("Developer guide to Conditional Access
//     authentication context"). No context is assumed: one without a policy is
//     granted to everybody. The documented amr values name no phishing-resistant
//     method: `rsa` is the Authenticator app too. A context whose policy grants
//     with the authentication strength "Phishing-resistant MFA" proves it
//     ("Overview of Conditional Access authentication strengths").
//   - keycloak: `amr` by the Authentication Method Reference mapper, with the
//     references that the administrator gave the flow's steps (keycloak pull
//     request 24299); none has one by default. `acr` by levels of authentication,
//     of which the Server Administration Guide ("Creating a browser login flow
//     with step-up mechanism") makes 2, or gold, the one with a second factor.
//     An `otp` alone could be a mailed code without a password and is not taken.
//     phr and phrh as acr exist by the administrator's own mapping only (keycloak
//     issue 51216), and an ID token has one acr: so a key is proven by its step's
//     reference, hwk; swk could be an app and needs a verification beside it.
//   - okta: `amr` has `mfa` whenever two factors were used, and for an OpenID
//     Connect application it is there by default ("Configure AMR claims mapping");
//     acr is what was asked for and reached. 2fa:any:ifpossible promises nothing,
//     and phr speaks of one possession factor that can't be phished, not of two
//     factors ("Step-up authentication using ACR values"): it proves a
//     phishing-resistant factor beside `mfa`. In amr, `phr` is FastPass and `pop`
//     WebAuthn; `swk` is a push too, and is not taken.
//   - authentik: `mfa` when a device was checked after the password; a passkey
//     alone is `user`, and doesn't say whether it asked for a PIN or finger
//     (authentik/providers/oauth2/id_token.py and constants.py,
//     authentik/stages/authenticator_validate/stage.py); acr is a constant.
//   - zitadel: `mfa` when two methods or a passkey were used, `user` for passkeys
//     and U2F keys alone (internal/api/oidc/amr.go).
//   - adfs: the value .../multipleauthn, in `amr` or under the claim type's own
//     name, when an issuance rule passes authnmethodsreferences on (Microsoft,
//     "Using Additional Authentication Methods in AD FS").
//   - google: none ("OpenID Connect", table of an ID token's fields).
func presets() []preset {
	return []preset{
		{
			name: "adfs", factor: Factor{AMR: []string{"http://schemas.microsoft.com/claims/multipleauthn", "mfa"}},
			methods:         "http://schemas.microsoft.com/claims/authnmethodsreferences",
			remedy:          "require MFA in the access control policy and pass the claim authnmethodsreferences on in an issuance rule",
			resistantRemedy: "let an issuance rule write a value of your own for certificates and Windows Hello only, and name it: mfa phishing_resistant amr <value>",
		},
		{
			name: "authentik", factor: Factor{AMR: []string{"mfa"}},
			remedy:          "put an authenticator validation stage with \"not configured: deny\" into the authentication flow",
			resistantRemedy: "set user verification to required in the WebAuthn stages, and then write mfa amr user and mfa phishing_resistant amr user",
		},
		{
			name: "entra", factor: Factor{AMR: []string{"mfa", "ngcmfa"}}, claims: true,
			remedy:          "tie an authentication context to a Conditional Access policy that requires MFA and name it (mfa acr c1); or use the issuer https://sts.windows.net/<tenant>/",
			resistantRemedy: "tie an authentication context to a Conditional Access policy with the authentication strength \"Phishing-resistant MFA\" and name it twice: mfa acr c2 and mfa phishing_resistant acr c2",
		},
		{name: "google", refused: googleRefused},
		{
			name: "keycloak", factor: Factor{AMR: []string{"mfa", "pwd+otp", "pwd+hwk", "pwd+swk"}, ACR: []string{"2", "gold"}},
			remedy:    "require a second factor in the browser flow and either give its steps references and the client the mapper Authentication Method Reference, or map the level of authentication 2 to an acr",
			resistant: Factor{AMR: []string{"hwk", "swk+pin", "swk+fpt", "swk+face"}},
		},
		{
			name: "okta", factor: Factor{AMR: []string{"mfa"}, ACR: []string{"urn:okta:loa:2fa:any"}},
			remedy:    "require two factor types in the application's authentication policy",
			resistant: Factor{AMR: []string{"phr", "pop"}, ACR: []string{"phr"}},
		},
		{
			name: "zitadel", factor: Factor{AMR: []string{"mfa"}}, keyed: true,
			remedy:    "turn on \"force MFA\" in the login policy",
			resistant: Factor{AMR: []string{"user"}},
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

// proof is what an ID token is held to.
type proof struct {
	factor Factor
	// resistant proves a factor that can't be phished; empty where nothing does.
	resistant Factor
	// always demands resistant at every sign-in.
	always bool
}

// proofOf finds out how a second factor is proven, or says why it can't be.
func proofOf(cfg Config, issuer *url.URL) (preset, proof, error) {
	kind, err := presetOf(cfg, issuer)
	if err != nil {
		return preset{}, proof{}, err
	}
	if len(cfg.Elsewhere) > 0 {
		p, err := provenElsewhere(cfg)
		return kind, p, err
	}
	p := proof{factor: cfg.Factor, resistant: cfg.Resistant, always: cfg.PhishingResistant}
	if p.factor.empty() {
		p.factor.AMR, p.factor.ACR = kind.factor.AMR, kind.factor.ACR
	}
	if p.resistant.empty() {
		p.resistant = kind.resistant
	}
	if p.factor.empty() {
		return preset{}, proof{}, errors.New("nothing proves a second factor: name the kind of provider (provider keycloak|entra|okta|…), or the values that prove one (mfa amr … or mfa acr …); max_age alone proves none")
	}
	if p.factor.MaxAge < 0 {
		return preset{}, proof{}, errors.New("mfa max_age is negative: give a duration such as 12h")
	}
	if err := checkValues("mfa", slices.Concat(p.factor.AMR, p.factor.ACR, p.resistant.AMR, p.resistant.ACR)); err != nil {
		return preset{}, proof{}, err
	}
	if p.always {
		if err := p.checkResistant(kind); err != nil {
			return preset{}, proof{}, err
		}
	}
	return kind, p, nil
}

func presetOf(cfg Config, issuer *url.URL) (preset, error) {
	kind := preset{
		name:            "custom",
		remedy:          "let the provider require a second factor and state it as the configured mfa amr or mfa acr",
		resistantRemedy: "name the values by which your provider states it: mfa phishing_resistant amr hwk, or mfa phishing_resistant acr phr phrh",
	}
	if cfg.Preset != "" && cfg.Preset != kind.name {
		i := slices.IndexFunc(presets(), func(p preset) bool { return p.name == cfg.Preset })
		if i < 0 {
			return preset{}, fmt.Errorf("provider %q is not known: use one of %s, or say how a second factor is proven (mfa amr … or mfa acr …)",
				cfg.Preset, strings.Join(Presets(), ", "))
		}
		kind = presets()[i]
	}
	if kind.refused == "" && issuer.Hostname() == "accounts.google.com" {
		kind.refused = googleRefused
	}
	if kind.refused != "" && len(cfg.Elsewhere) == 0 {
		return preset{}, fmt.Errorf("provider google: %w: %s", ErrNoSecondFactor, kind.refused)
	}
	return kind, nil
}

// checkResistant refuses a demand that no ID token could meet.
func (p proof) checkResistant(kind preset) error {
	if p.resistant.empty() {
		return fmt.Errorf("mfa phishing_resistant: with provider %s nothing is known to prove it: %s", kind.name, kind.resistantRemedy)
	}
	if !p.together(kind, p.resistant) {
		return errors.New("mfa phishing_resistant: an ID token has one acr, and none of the values stands in both lists: name those of mfa phishing_resistant acr in mfa acr, too")
	}
	return nil
}

// together reports whether one ID token can prove a second factor and more. It
// has one acr (but for Entra's acrs): where both proofs take acr alone, one value
// has to prove both.
func (p proof) together(kind preset, more Factor) bool {
	both := func(v string) bool { return slices.Contains(p.factor.ACR, v) }
	return kind.claims || len(p.factor.AMR) > 0 || len(more.AMR) > 0 || slices.ContainsFunc(more.ACR, both)
}

// checkValues refuses values that no request could carry.
func checkValues(word string, values []string) error {
	for _, v := range values {
		if v == "" || strings.ContainsAny(v, " \t\r\n\"\\") {
			return fmt.Errorf("%s value %q is empty or has a space or quote in it: give each value a word of its own", word, v)
		}
	}
	return nil
}
