// Package vault keeps the master keys in a file that is wrapped by a transit engine of
// HashiCorp Vault or OpenBao.
package vault

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/keys"
	"github.com/crmgate/crmgate/modules/crmgate"
)

func init() { caddy.RegisterModule(Source{}) }

// Source is the Caddy module crmgate.keys.vault. The keys are in a file that a transit
// engine has wrapped by a key which never leaves it; the gateway asks it to unwrap them
// at each start and reload. Whoever has the disk or its backup has no keys; who takes
// the token has them for as long as Vault honours it, and Vault logs each time.
type Source struct {
	// Address is the server's: https://…, or http:// on this machine (its agent).
	// Required.
	Address string `json:"address"`
	// Key is the path of the engine's key: MOUNT/keys/NAME. Required.
	Key string `json:"key"`
	// TokenFile holds the token, as Vault's agent writes it. Required.
	TokenFile string `json:"token_file"`
	// Namespace is that of the engine. Default: none.
	Namespace string `json:"namespace,omitempty"`
	// CA is a file with the certificates that the server's has to be signed by.
	// Default: those that this system trusts.
	CA string `json:"ca,omitempty"`
	// Path is the wrapped file. Default: `keys/master.key.vault` in the data directory.
	Path string `json:"path,omitempty"`
}

// CaddyModule returns the module's information.
func (Source) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "crmgate.keys.vault", New: func() caddy.Module { return new(Source) }}
}

// UnmarshalCaddyfile reads the source from the global option crmgate:
//
//	keys vault {
//	    address    <url>   # https://vault.example.de:8200
//	    key        <path>  # MOUNT/keys/NAME
//	    token_file <path>
//	    namespace  <name>
//	    ca         <path>
//	    path       <path>  # of the wrapped file
//	}
//
// Relative paths of files are taken from the Caddyfile's folder.
func (s *Source) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the module's name
	if d.NextArg() {
		return d.Errf("keys vault takes a block, not %q: keys vault { address … }", d.Val())
	}
	words := map[string]*string{
		"address": &s.Address, "key": &s.Key, "token_file": &s.TokenFile, "namespace": &s.Namespace, "ca": &s.CA, "path": &s.Path,
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		word := d.Val()
		to, ok := words[word]
		if !ok {
			return crmgate.UnknownWord(d, word, "address", "key", "token_file", "namespace", "ca", "path")
		}
		if *to != "" {
			return d.Errf("%s stands once", word)
		}
		if !d.AllArgs(to) || *to == "" {
			return d.Errf("%s takes one word", word)
		}
	}
	for _, file := range []*string{&s.TokenFile, &s.CA, &s.Path} {
		if *file != "" && !filepath.IsAbs(*file) && !strings.HasPrefix(*file, "{") {
			*file = filepath.Join(filepath.Dir(d.File()), *file)
		}
	}
	return nil
}

// Validate judges what needs nothing from the environment.
func (s *Source) Validate() error {
	v := keys.Vault{Address: s.Address, Key: s.Key, TokenFile: s.TokenFile}
	if strings.Contains(v.Address+v.Key, "{") {
		return nil // judged when it is known
	}
	if err := v.Check(); err != nil {
		return fmt.Errorf("keys vault: %w", err)
	}
	return nil
}

// Source implements crmgate.KeySource. It asks the server nothing.
func (s *Source) Source(dataDir string) (keys.Source, error) {
	v := keys.Vault{Address: s.Address, Key: s.Key, TokenFile: s.TokenFile, Namespace: s.Namespace, CA: s.CA}
	path := s.Path
	r := caddy.NewReplacer()
	for _, word := range []*string{&v.Address, &v.Key, &v.TokenFile, &v.Namespace, &v.CA, &path} {
		var err error
		if *word, err = r.ReplaceOrErr(*word, true, true); err != nil {
			return nil, fmt.Errorf("keys vault: %w", err)
		}
	}
	if err := v.Check(); err != nil {
		return nil, fmt.Errorf("keys vault: %w", err)
	}
	if path == "" {
		path = filepath.Join(crmgate.KeyDir(dataDir), keys.FileName+".vault")
	}
	return keys.File{Path: path, Wrapper: v}, nil
}

var (
	_ caddy.Module          = (*Source)(nil)
	_ caddy.Validator       = (*Source)(nil)
	_ caddyfile.Unmarshaler = (*Source)(nil)
	_ crmgate.KeySource     = (*Source)(nil)
)
