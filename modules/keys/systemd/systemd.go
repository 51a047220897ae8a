// Package systemd has the master keys handed over by systemd as a credential.
package systemd

import (
	"fmt"
	"regexp"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/crmgate"
)

func init() { caddy.RegisterModule(Source{}) }

// Source is the Caddy module crmgate.keys.systemd. systemd decrypts the keys at the
// service's start, by a key of the machine (its TPM, where it has one), into memory
// that this service alone can read. A disk or a backup that is taken away holds no
// keys; root of the running machine can still have them.
type Source struct {
	// Name is the credential's, as LoadCredentialEncrypted= names it in the unit.
	// Required.
	Name string `json:"name"`
}

// CaddyModule returns the module's information.
func (Source) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "crmgate.keys.systemd", New: func() caddy.Module { return new(Source) }}
}

// UnmarshalCaddyfile reads the source from the global option crmgate:
//
//	keys systemd <name>
func (s *Source) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the module's name
	if !d.AllArgs(&s.Name) {
		return d.Err("keys systemd takes the credential's name, as LoadCredentialEncrypted= names it in the unit: keys systemd crmgate-master")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		return d.Errf("keys systemd takes no %q: it has a name and nothing else", d.Val())
	}
	return nil
}

// validName is what systemd takes for a credential's name, less what a shell would
// read otherwise.
var validName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$`)

// Validate judges the name: it becomes part of a path.
func (s *Source) Validate() error {
	if !validName.MatchString(s.Name) {
		return fmt.Errorf("keys systemd: %q is no name of a credential: it takes letters, digits, dots, hyphens and underscores", s.Name)
	}
	return nil
}

// Source implements crmgate.KeySource.
func (s *Source) Source(string) (keys.Source, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	// Where it isn't set, the replacer gives "".
	return keys.Credential{Dir: caddy.NewReplacer().ReplaceAll("{env.CREDENTIALS_DIRECTORY}", ""), Name: s.Name}, nil
}

var (
	_ caddy.Module          = (*Source)(nil)
	_ caddy.Validator       = (*Source)(nil)
	_ caddyfile.Unmarshaler = (*Source)(nil)
	_ crmgate.KeySource     = (*Source)(nil)
)
