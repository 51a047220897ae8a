package gate

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/modules/crmgate"
)

// unmarshalMachine reads an API client:
//
//	machine <name> {
//	    role             <role>...
//	    crm_user         <name>
//
//	    issuer           <url>        # by a token (JWT)
//	    audience         <value>
//	    client           <id>...
//	    typ              <type>
//
//	    mtls_subject     <subject>    # by a TLS client certificate
//	    mtls_san         <kind:name>...
//	    mtls_fingerprint <sha256>...
//
//	    secret           <secret>     # by a secret of its own
//	}
func (h *Handler) unmarshalMachine(d *caddyfile.Dispenser) error {
	var m Machine
	if !d.AllArgs(&m.Name) {
		return d.Err("machine takes a name and a block: machine nightly-sync { … }")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := m.unmarshalWord(d); err != nil {
			return err
		}
	}
	h.Machines = append(h.Machines, m)
	return nil
}

func (m *Machine) unmarshalWord(d *caddyfile.Dispenser) error {
	var one *string
	var many *[]string
	switch word := d.Val(); word {
	case "role":
		many = &m.Roles
	case "client":
		many = &m.Clients
	case "mtls_san":
		many = &m.MTLSSANs
	case "mtls_fingerprint":
		many = &m.MTLSFingerprints
	case "mtls_subject":
		many = &m.MTLSSubjects
	case "crm_user":
		one = &m.CRMUser
	case "issuer":
		one = &m.Issuer
	case "audience":
		one = &m.Audience
	case "typ":
		one = &m.Typ
	case "secret":
		one = &m.Secret
	default:
		return crmgate.UnknownWord(d, word, "role", "crm_user", "issuer", "audience", "client", "typ",
			"mtls_subject", "mtls_san", "mtls_fingerprint", "secret")
	}
	if many != nil {
		args := d.RemainingArgs()
		if len(args) == 0 {
			return d.ArgErr()
		}
		*many = append(*many, args...)
		return nil
	}
	if *one != "" {
		return d.Errf("%s stands once in a machine", d.Val())
	}
	if !d.AllArgs(one) || *one == "" {
		return d.ArgErr()
	}
	return nil
}
