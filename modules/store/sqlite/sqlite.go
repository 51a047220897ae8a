// Package sqlite keeps sessions in one SQLite file, for a gateway on one node.
// It needs no other software and no cgo.
package sqlite

import (
	"context"
	"io"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/session"
)

func init() {
	caddy.RegisterModule(Store{})
}

// fileName is the file's name in a directory that holds nothing else by default.
const fileName = "crmgate.db"

// Store is the Caddy module crmgate.stores.sqlite. Sessions are in a single file,
// readable by the gateway's own user only; what they say is encrypted in it.
//
// Several processes on one machine may share the file. Several machines may not:
// SQLite doesn't lock over network file systems.
type Store struct {
	// The database file. Relative paths are taken from the product's data
	// directory. Default: `crmgate.db` there, which is the folder `crmgate` in
	// Caddy's own data directory unless it was configured otherwise.
	Path string `json:"path,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (Store) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "crmgate.stores.sqlite",
		New: func() caddy.Module { return new(Store) },
	}
}

// UnmarshalCaddyfile reads the store from the global option crmgate.
//
//	store sqlite [<path>]
func (s *Store) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the module's name
	if d.NextArg() {
		s.Path = d.Val()
		if s.Path == "" {
			return d.Err("the path of the SQLite file is empty: name a file, or leave the path out")
		}
	}
	if d.NextArg() {
		return d.ArgErr()
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		return d.Errf("store sqlite takes no %q: it has a path and nothing else", d.Val())
	}
	return nil
}

// OpenStore implements session.Opener. The file and missing folders above it are
// made; a file of a newer version, or of another program, is refused.
func (s *Store) OpenStore(ctx context.Context, dir string) (session.Store, io.Closer, error) {
	db, err := open(ctx, s.file(dir))
	if err != nil {
		return nil, nil, err
	}
	return db, db, nil
}

func (s *Store) file(dir string) string {
	switch {
	case s.Path == "":
		return filepath.Join(dir, fileName)
	case filepath.IsAbs(s.Path):
		return s.Path
	default:
		return filepath.Join(dir, s.Path)
	}
}

// Interface guards.
var (
	_ caddy.Module          = (*Store)(nil)
	_ caddyfile.Unmarshaler = (*Store)(nil)
	_ session.Opener        = (*Store)(nil)
	_ session.Store         = (*database)(nil)
	_ io.Closer             = (*database)(nil)
)
