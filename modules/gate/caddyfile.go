package gate

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/dustin/go-humanize"
)

func init() {
	httpcaddyfile.RegisterHandlerDirective("crm_gate", parseCaddyfile)
	// Behind encode, so that handle, route, reverse_proxy and php_fastcgi all
	// lie behind the gate: anchored before reverse_proxy it would sort behind
	// handle and be passed by.
	httpcaddyfile.RegisterDirectiveOrder("crm_gate", httpcaddyfile.After, "encode")
}

func parseCaddyfile(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	var g Handler
	return &g, g.UnmarshalCaddyfile(h.Dispenser)
}

// UnmarshalCaddyfile reads the directive:
//
//	crm_gate {                       # takes no matcher, stands once in a site
//	    profile        <name>|<path>
//	    policy         <path>|builtin:<name>...
//	    oidc <issuer> {
//	        provider      <preset>
//	        mfa           amr|acr <value>... | max_age <duration>
//	        client_id     <id>
//	        client_secret <secret>
//	        scopes        <scope>...
//	        roles         <claim>
//	        crm_user      <claim>
//	    }
//	    session        [idle <duration>] [max <duration>]
//	    hold           <size>
//	    request_limit  <size>
//	    ungated        <reason>
//	    plain_http     <reason>
//	    clear_upstream <reason>
//	}
func (h *Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		return d.Errf("crm_gate takes no matcher and no arguments: a matcher would leave the rest of the site ungated")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := h.unmarshalWord(d); err != nil {
			return err
		}
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
	case "hold":
		return size(d, &h.Hold)
	case "request_limit":
		return size(d, &h.RequestLimit)
	case "ungated":
		return reason(d, &h.Ungated)
	case "plain_http":
		return reason(d, &h.PlainHTTP)
	case "clear_upstream":
		return reason(d, &h.ClearUpstream)
	default:
		return unknown(d, word, "profile", "policy", "oidc", "session", "hold", "request_limit", "ungated", "plain_http", "clear_upstream")
	}
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
			return unknown(d, word, "provider", "mfa", "client_id", "client_secret", "scopes", "roles", "crm_user")
		}
		if !d.AllArgs(into) {
			return d.ArgErr()
		}
	}
	return nil
}

func (h *Handler) unmarshalMFA(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) < 2 {
		return d.Errf("mfa takes `amr <method>...`, `acr <context>...` or `max_age <duration>`")
	}
	switch args[0] {
	case "amr":
		h.OIDC.MFAAMR = append(h.OIDC.MFAAMR, args[1:]...)
	case "acr":
		h.OIDC.MFAACR = append(h.OIDC.MFAACR, args[1:]...)
	case "max_age":
		return duration(d, args[1], &h.OIDC.MFAMaxAge)
	default:
		return unknown(d, args[0], "amr", "acr", "max_age")
	}
	return nil
}

func (h *Handler) unmarshalSession(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) == 0 || len(args)%2 != 0 {
		return d.Errf("session takes `idle <duration>` and `max <duration>`")
	}
	for i := 0; i < len(args); i += 2 {
		var err error
		switch args[i] {
		case "idle":
			err = duration(d, args[i+1], &h.SessionIdle)
		case "max":
			err = duration(d, args[i+1], &h.SessionMax)
		default:
			err = unknown(d, args[i], "idle", "max")
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

// unknown names the nearest word: a misspelt line must not be a silent one.
func unknown(d *caddyfile.Dispenser, word string, valid ...string) error {
	return d.Errf("unknown word %q; nearest: %q (there are: %s)", word, nearest(word, valid), strings.Join(valid, ", "))
}

func nearest(word string, list []string) string {
	best, at := "", 1<<30
	for _, l := range list {
		if d := distance(word, l); d < at {
			best, at = l, d
		}
	}
	return best
}

// distance is the number of letters of one word that the other lacks: enough
// to find the word that was meant.
func distance(a, b string) int {
	n := 0
	for _, c := range a {
		if !strings.ContainsRune(b, c) {
			n++
		}
	}
	for _, c := range b {
		if !strings.ContainsRune(a, c) {
			n++
		}
	}
	return n
}

var _ caddyfile.Unmarshaler = (*Handler)(nil)
