package gate

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/dustin/go-humanize"

	"github.com/crmgate/crmgate/modules/crmgate"
)

func init() {
	// RegisterHandlerDirective would take a matcher away before anyone sees it,
	// and leave the rest of the site ungated.
	httpcaddyfile.RegisterDirective("crm_gate", parseCaddyfile)
	// Behind encode, so that handle, route, reverse_proxy and php_fastcgi all
	// lie behind the gate: anchored before reverse_proxy it would sort behind
	// handle and be passed by.
	httpcaddyfile.RegisterDirectiveOrder("crm_gate", httpcaddyfile.After, "encode")
}

func parseCaddyfile(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	var g Handler
	if err := g.UnmarshalCaddyfile(h.Dispenser); err != nil {
		return nil, err
	}
	return h.NewRoute(nil, &g), nil
}

// UnmarshalCaddyfile reads the directive:
//
//	crm_gate {                       # takes no matcher, stands once in a site
//	    profile        <name>|<path>
//	    policy         <path>|builtin:<name>...
//	    oidc <issuer> {
//	        provider      <preset>
//	        mfa           amr|acr <value>... | max_age <duration>
//	        mfa           phishing_resistant [amr <value>...] [acr <value>...]
//	        mfa           gateway [passkey] [totp] | open_enrolment <reason>
//	        client_id     <id>
//	        client_secret <secret>
//	        scopes        <scope>...
//	        roles         <claim>
//	        crm_user      <claim>
//	    }
//	    machine <name> { … }         # see unmarshalMachine
//	    identity_header     <header> user|email|name|subject|roles
//	    identity_assertion  [<header>] { … }   # see unmarshalAssertion
//	    upstream_credential role <role> { … }  # see unmarshalUpstreamCredential
//	    session        [idle <duration>] [max <duration>] [per_employee <number>]
//	    administrators role <role>...
//	    desk           { … }         # see modules/desk
//	    consent        { … }         # see modules/consent
//	    passive        <path>|<path>/*...
//	    public         <path>|<path>/*...
//	    cors           <origin>...
//	    step_up        <path>|entity:<name>|action:<name>... [max_age <duration>]
//	                   [acr <value>...] [amr <value>...] [phishing_resistant]
//	    rules          { … }         # see unmarshalRules
//	    hold           <size>
//	    request_limit  <size>
//	    search_rate    <searches in a minute>
//	    forbid         <entity> <kind>...
//	    flag           <entity> <kind>...
//	    canary         <entity> <id>... [stop]
//	    links          { … }         # see unmarshalLinks
//	    ungated        <reason>
//	    plain_http     <reason>
//	    clear_upstream <reason>
//	    crm_hosts      <host>...
//	    accept         documented
//	    reveal         { … }         # see unmarshalReveal
//	    observe        until <date>
//	    location       <country>...
//	    transfer       <basis> …    # see unmarshalRegister
//	    register       { … }
//	    retain         <entity> <period> after <field> [else <field>]... [unless <fact>]
//	    overdue        role <role>... | confirm <role>... | observe until <date>
//	}
func (h *Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		return d.Errf("crm_gate takes no matcher and no arguments: a matcher would leave the rest of the site ungated")
	}
	opening := *d // errors about what isn't there name the line of crm_gate
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := h.unmarshalWord(d); err != nil {
			return err
		}
	}
	h.Files = h.filesNow()
	if err := h.judgeLocation(&opening); err != nil {
		return err
	}
	return h.missing(&opening)
}

// missing refuses a gate that lacks what it can't do without.
func (h *Handler) missing(d *caddyfile.Dispenser) error {
	switch o := &h.OIDC; {
	case h.Profile == "":
		return d.Err("crm_gate needs a profile: `profile tryton`, or the path of a YAML file")
	case len(h.Policies) == 0:
		return d.Err("crm_gate needs a policy: `policy policies/policy.csv`, or one that ships: `policy builtin:tryton`")
	case o.Issuer == "":
		return d.Err("crm_gate needs an identity provider: oidc https://login.example.de { … }")
	case o.Provider == "" && len(o.MFAAMR) == 0 && len(o.MFAACR) == 0 && len(o.MFAGateway) == 0:
		return d.Err("oidc needs to know what proves a second factor: `provider keycloak` (entra, okta, …), `mfa amr …` or `mfa acr …`; or `mfa gateway`, where the provider can't prove one")
	case o.ClientID == "" || o.ClientSecret == "":
		return d.Err("oidc needs client_id and client_secret: the provider issues them for this gateway")
	}
	return nil
}

func (h *Handler) unmarshalWord(d *caddyfile.Dispenser) error {
	switch word := d.Val(); word {
	case "profile":
		return h.unmarshalProfile(d)
	case "policy":
		return h.unmarshalPolicy(d)
	case "oidc":
		return h.unmarshalOIDC(d)
	case "session":
		return h.unmarshalSession(d)
	case "machine":
		return h.unmarshalMachine(d)
	case "identity_header":
		return h.unmarshalIdentityHeader(d)
	case "identity_assertion":
		return h.unmarshalAssertion(d)
	case "upstream_credential":
		return h.unmarshalUpstreamCredential(d)
	case "administrators":
		return h.unmarshalAdministrators(d)
	case "desk":
		return h.unmarshalDesk(d)
	case "passive":
		return h.unmarshalPassive(d)
	case "public":
		return h.unmarshalPublic(d)
	case "cors":
		return h.unmarshalCORS(d)
	case "step_up":
		return h.unmarshalStepUp(d)
	case "hold":
		return size(d, &h.Hold)
	case "request_limit":
		return size(d, &h.RequestLimit)
	case "search_rate":
		return h.unmarshalSearchRate(d)
	case "forbid", "flag", "canary", "links":
		return h.unmarshalWatch(d)
	case "ungated":
		return reason(d, &h.Ungated)
	case "plain_http":
		return reason(d, &h.PlainHTTP)
	case "clear_upstream":
		return reason(d, &h.ClearUpstream)
	case "crm_hosts":
		return h.unmarshalCRMHosts(d)
	case "accept":
		return h.unmarshalAccept(d)
	case "observe":
		return h.unmarshalObserve(d)
	default:
		if known, err := h.unmarshalPart(word, d); known {
			return err
		}
		return crmgate.UnknownWord(d, word, append(partWords(), "profile", "policy", "oidc", "machine", "identity_header",
			"identity_assertion", "upstream_credential", "session", "administrators", "desk", "passive", "public", "cors",
			"step_up", "hold", "request_limit", "search_rate", "forbid", "flag", "canary", "links", "ungated", "plain_http", "clear_upstream", "crm_hosts", "accept", "observe")...)
	}
}

func (h *Handler) unmarshalCRMHosts(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) == 0 {
		return d.ArgErr()
	}
	h.CRMHosts = append(h.CRMHosts, args...)
	return nil
}

func (h *Handler) unmarshalProfile(d *caddyfile.Dispenser) error {
	if !d.AllArgs(&h.Profile) {
		return d.Errf("profile takes one name or path")
	}
	if strings.ContainsAny(h.Profile, "/\\") || filepath.Ext(h.Profile) != "" {
		h.Profile = beside(d, h.Profile)
	}
	return nil
}

func (h *Handler) unmarshalAccept(d *caddyfile.Dispenser) error {
	if !d.AllArgs(&h.Accept) {
		return d.Errf("accept takes one word: accept %s", acceptDocumented)
	}
	if h.Accept != acceptDocumented {
		return crmgate.UnknownWord(d, h.Accept, acceptDocumented)
	}
	return nil
}

func (h *Handler) unmarshalPolicy(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) == 0 {
		return d.Errf("policy takes at least one path")
	}
	for _, a := range args {
		if _, builtin := cutBuiltin(a); !builtin {
			a = beside(d, a)
		}
		h.Policies = append(h.Policies, a)
	}
	return nil
}

// beside makes a path relative to the Caddyfile, not to where caddy was
// started.
func beside(d *caddyfile.Dispenser, path string) string {
	if filepath.IsAbs(path) || strings.HasPrefix(path, "{") {
		return path
	}
	return filepath.Join(filepath.Dir(d.File()), path)
}

func (h *Handler) unmarshalOIDC(d *caddyfile.Dispenser) error {
	if !d.AllArgs(&h.OIDC.Issuer) {
		return d.Errf("oidc takes the issuer's address: oidc https://login.example.de { … }")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		var into *string
		switch word := d.Val(); word {
		case "provider":
			into = &h.OIDC.Provider
		case "client_id":
			into = &h.OIDC.ClientID
		case "client_secret":
			into = &h.OIDC.ClientSecret
		case "roles":
			into = &h.OIDC.Roles
		case "crm_user":
			into = &h.OIDC.CRMUser
		case "scopes":
			if h.OIDC.Scopes = d.RemainingArgs(); len(h.OIDC.Scopes) == 0 {
				return d.ArgErr()
			}
			continue
		case "mfa":
			if err := h.unmarshalMFA(d); err != nil {
				return err
			}
			continue
		default:
			return crmgate.UnknownWord(d, word, "provider", "mfa", "client_id", "client_secret", "scopes", "roles", "crm_user")
		}
		if !d.AllArgs(into) {
			return d.ArgErr()
		}
	}
	return nil
}

func (h *Handler) unmarshalMFA(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) > 0 && args[0] == "phishing_resistant" {
		return h.OIDC.unmarshalResistant(d, args[1:])
	}
	if len(args) > 0 && args[0] == "gateway" {
		return h.OIDC.unmarshalGatewayFactor(d, args[1:])
	}
	if len(args) < 2 {
		return d.Errf("mfa takes `amr <method>...`, `acr <context>...`, `max_age <duration>`, `phishing_resistant`, `gateway` or `open_enrolment <reason>`")
	}
	switch args[0] {
	case "amr":
		h.OIDC.MFAAMR = append(h.OIDC.MFAAMR, args[1:]...)
	case "acr":
		h.OIDC.MFAACR = append(h.OIDC.MFAACR, args[1:]...)
	case "max_age":
		return duration(d, args[1], &h.OIDC.MFAMaxAge)
	case "open_enrolment":
		h.OIDC.MFAOpenEnrolment = strings.Join(args[1:], " ")
	default:
		return crmgate.UnknownWord(d, args[0], "amr", "acr", "max_age", "phishing_resistant", "gateway", "open_enrolment")
	}
	return nil
}

func (h *Handler) unmarshalSession(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) == 0 || len(args)%2 != 0 {
		return d.Errf("session takes `idle <duration>`, `max <duration>` and `per_employee <number>`")
	}
	for i := 0; i < len(args); i += 2 {
		var err error
		switch args[i] {
		case "idle":
			err = duration(d, args[i+1], &h.SessionIdle)
		case "max":
			err = duration(d, args[i+1], &h.SessionMax)
		case "per_employee":
			if h.SessionsPerEmployee, err = strconv.Atoi(args[i+1]); err != nil || h.SessionsPerEmployee < 1 {
				err = d.Errf("%q is no number of sessions: write 5", args[i+1])
			}
		default:
			err = crmgate.UnknownWord(d, args[i], "idle", "max", "per_employee")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func duration(d *caddyfile.Dispenser, s string, into *caddy.Duration) error {
	v, err := caddy.ParseDuration(s)
	if err != nil || v <= 0 {
		return d.Errf("%q is no duration: write 30m or 10h", s)
	}
	*into = caddy.Duration(v)
	return nil
}

func size(d *caddyfile.Dispenser, into *int64) error {
	var s string
	if !d.AllArgs(&s) {
		return d.ArgErr()
	}
	v, err := humanize.ParseBytes(s)
	if err != nil || v == 0 || v > 1<<30 {
		return d.Errf("%q is no size up to 1GiB: write 8MiB", s)
	}
	*into, err = strconv.ParseInt(strconv.FormatUint(v, 10), 10, 64)
	return err
}

func reason(d *caddyfile.Dispenser, into *string) error {
	word := d.Val()
	args := d.RemainingArgs()
	if len(args) == 0 {
		return d.Errf("%s needs a reason: an auditor will ask for it", word)
	}
	*into = strings.Join(args, " ")
	return nil
}

var _ caddyfile.Unmarshaler = (*Handler)(nil)
