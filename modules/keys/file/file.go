// Package file keeps the master keys in a plain file: what the gateway does without
// a word of configuration.
package file

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

// Source is the Caddy module crmgate.keys.file. The keys are in a file that the
// gateway's user alone may read. That guards them from other users; whoever has the
// disk, or a backup with the file in it, has the keys.
type Source struct {
	// Path is the file. Default: `keys/master.key` in the data directory.
	Path string `json:"path,omitempty"`
}

// CaddyModule returns the module's information.
func (Source) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "crmgate.keys.file", New: func() caddy.Module { return new(Source) }}
}

// UnmarshalCaddyfile reads the source from the global option crmgate:
//
//	keys file [<path>]
//
// A relative path is taken from the Caddyfile's folder.
func (s *Source) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the module's name
	if d.NextArg() {
		if s.Path = d.Val(); s.Path == "" {
			return d.Err("the path of the key file is empty: name a file, or leave the path out")
		}
		if !filepath.IsAbs(s.Path) && !strings.HasPrefix(s.Path, "{") {
			s.Path = filepath.Join(filepath.Dir(d.File()), s.Path)
		}
	}
	if d.NextArg() {
		return d.Err("keys file takes one path, or none")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		return d.Errf("keys file takes no %q: it has a path and nothing else", d.Val())
	}
	return nil
}

// Source implements crmgate.KeySource.
func (s *Source) Source(dataDir string) (keys.Source, error) {
	if s.Path == "" {
		return keys.InDir(crmgate.KeyDir(dataDir)), nil
	}
	path, err := caddy.NewReplacer().ReplaceOrErr(s.Path, true, true)
	if err != nil {
		return nil, fmt.Errorf("keys file: %w", err)
	}
	return keys.File{Path: path}, nil
}

var (
	_ caddy.Module          = (*Source)(nil)
	_ caddyfile.Unmarshaler = (*Source)(nil)
	_ crmgate.KeySource     = (*Source)(nil)
)
