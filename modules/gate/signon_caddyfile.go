package gate

import (
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/signon"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// unmarshalIdentityHeader reads
//
//	identity_header <header> user|email|name|subject|roles
func (h *Handler) unmarshalIdentityHeader(d *caddyfile.Dispenser) error {
	var x IdentityHeader
	var source string
	if !d.AllArgs(&x.Header, &source) {
		return d.Err("identity_header takes a header and what it says: identity_header X-Remote-User user")
	}
	if x.Source = signon.Source(source); !x.Source.Valid() {
		var there []string
		for _, s := range signon.Sources() {
			there = append(there, string(s))
		}
		return crmgate.UnknownWord(d, source, there...)
	}
	h.IdentityHeaders = append(h.IdentityHeaders, x)
	return nil
}

// unmarshalAssertion reads
//
//	identity_assertion [<header>] {
//	    audience <value>
//	    ttl      <duration>
//	}
func (h *Handler) unmarshalAssertion(d *caddyfile.Dispenser) error {
	if h.Assertion != nil {
		return d.Err("identity_assertion stands once")
	}
	h.Assertion = new(Assertion)
	if d.NextArg() {
		h.Assertion.Header = d.Val()
	}
	if d.NextArg() {
		return d.ArgErr()
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		switch word := d.Val(); word {
		case "audience":
			if !d.AllArgs(&h.Assertion.Audience) {
				return d.ArgErr()
			}
		case "ttl":
			var s string
			if !d.AllArgs(&s) {
				return d.ArgErr()
			}
			if err := duration(d, s, &h.Assertion.TTL); err != nil {
				return err
			}
		default:
			return crmgate.UnknownWord(d, word, "audience", "ttl")
		}
	}
	if h.Assertion.Audience == "" {
		return d.Err("identity_assertion needs an audience: identity_assertion { audience crm }")
	}
	return nil
}

// unmarshalUpstreamCredential reads
//
//	upstream_credential role <role> {
//	    header <name> <value> | basic <user> <password>
//	}
func (h *Handler) unmarshalUpstreamCredential(d *caddyfile.Dispenser) error {
	var c UpstreamCredential
	args := d.RemainingArgs()
	if len(args) != 2 || args[0] != "role" {
		return d.Err("upstream_credential takes a role and a block: upstream_credential role sales { … }")
	}
	c.Role = args[1]
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		word := d.Val()
		into := [2]*string{&c.Header, &c.Value}
		switch word {
		case "header":
		case "basic":
			into = [2]*string{&c.User, &c.Password}
		default:
			return crmgate.UnknownWord(d, word, "header", "basic")
		}
		if *into[0] != "" {
			return d.Errf("%s stands once in upstream_credential", word)
		}
		args := d.RemainingArgs()
		if len(args) < 2 {
			return d.ArgErr()
		}
		*into[0], *into[1] = args[0], strings.Join(args[1:], " ")
	}
	h.UpstreamCredentials = append(h.UpstreamCredentials, c)
	return nil
}
