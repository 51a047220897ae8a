package gate

import "github.com/caddyserver/caddy/v2"

// OIDC is the identity provider of a gate.
type OIDC struct {
	// Issuer is the provider's name for itself, an https address. Required.
	Issuer string `json:"issuer,omitempty"`
	// Provider names a preset that says how this provider proves a second
	// factor: entra, keycloak, okta, google, authentik, zitadel, adfs. Either
	// it or one of MFAAMR and MFAACR is required.
	Provider string `json:"provider,omitempty"`
	// ClientID and ClientSecret are what the provider issued for this gate.
	// Use a placeholder for the secret: {env.OIDC_CLIENT_SECRET}.
	ClientID string `json:"client_id,omitempty"`
	// ClientSecret is the secret that belongs to ClientID.
	ClientSecret string `json:"client_secret,omitempty"`
	// Scopes are asked for. Default: openid profile email.
	Scopes []string `json:"scopes,omitempty"`
	// Roles is the claim that holds the roles; a dotted path is possible
	// (realm_access.roles). Default: roles.
	Roles string `json:"roles,omitempty"`
	// CRMUser is the claim that holds the employee's name in the CRM, for the
	// fact `own`. Default: preferred_username.
	CRMUser string `json:"crm_user,omitempty"`
	// MFAAMR are authentication methods that prove a second factor; `a+b`
	// means both.
	MFAAMR []string `json:"mfa_amr,omitempty"`
	// MFAACR are authentication contexts that prove a second factor.
	MFAACR []string `json:"mfa_acr,omitempty"`
	// MFAMaxAge is how long ago the employee may have signed in there.
	MFAMaxAge caddy.Duration `json:"mfa_max_age,omitempty"`
	// MFAPhishingResistant demands, beside the proof of a second factor, that it
	// can't be phished.
	MFAPhishingResistant bool `json:"mfa_phishing_resistant,omitempty"`
	// MFAPhishingResistantAMR are methods that prove that; `a+b` means both.
	// Default: the preset's.
	MFAPhishingResistantAMR []string `json:"mfa_phishing_resistant_amr,omitempty"`
	// MFAPhishingResistantACR are contexts that prove that.
	MFAPhishingResistantACR []string `json:"mfa_phishing_resistant_acr,omitempty"`
	// MFAGateway has the gateway itself ask for a second factor after the
	// provider's sign-in: passkey, totp, or both. The provider has to prove none
	// then, so Provider, MFAAMR and MFAACR aren't needed, and the last two are
	// refused.
	MFAGateway []string `json:"mfa_gateway,omitempty"`
	// MFAOpenEnrolment is the reason why employees may enrol their first factor
	// without an administrator's enrolment code: whoever has a password at the
	// provider can then, until its owner has. Default: they may not.
	MFAOpenEnrolment string `json:"mfa_open_enrolment,omitempty"`
}
