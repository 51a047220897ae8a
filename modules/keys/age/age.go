// Package age keeps the master keys in a file that is wrapped by age
// (https://age-encryption.org).
package age

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

// Source is the Caddy module crmgate.keys.age. The keys are in a file that is wrapped
// to age recipients, and are unwrapped at the start with an identity that is kept
// somewhere else: on another disk, a medium that is taken away, or as a credential of
// systemd. Whoever has the data directory or its backup without the identity has no
// keys.
type Source struct {
	// Identity is the file with the identity, as age-keygen writes it. It may not be
	// in the data directory. Required.
	Identity string `json:"identity"`
	// Path is the wrapped file. Default: `keys/master.key.age` in the data directory.
	Path string `json:"path,omitempty"`
	// Recipients are those who can unwrap the keys beside the identity: age1….
	Recipients []string `json:"recipients,omitempty"`
}

// CaddyModule returns the module's information.
func (Source) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "crmgate.keys.age", New: func() caddy.Module { return new(Source) }}
}

// UnmarshalCaddyfile reads the source from the global option crmgate:
//
//	keys age {
//	    identity  <path>          # of the identity, not in the data directory
//	    path      <path>          # of the wrapped file
//	    recipient <recipient...>  # who else can unwrap it: age1…
//	}
//
// Relative paths are taken from the Caddyfile's folder.
func (s *Source) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the module's name
	if d.NextArg() {
		return d.Errf("keys age takes a block, not %q: keys age { identity <path> }", d.Val())
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		var err error
		switch word := d.Val(); word {
		case "identity":
			err = onePath(d, &s.Identity)
		case "path":
			err = onePath(d, &s.Path)
		case "recipient":
			list := d.RemainingArgs()
			if len(list) == 0 {
				return d.Err("recipient takes who else can unwrap the keys: recipient age1…")
			}
			s.Recipients = append(s.Recipients, list...)
		default:
			err = crmgate.UnknownWord(d, word, "identity", "path", "recipient")
		}
		if err != nil {
			return err
		}
	}
	if s.Identity == "" {
		return d.Err("keys age takes an identity: identity <path>")
	}
	return nil
}

func onePath(d *caddyfile.Dispenser, to *string) error {
	word := d.Val()
	if *to != "" {
		return d.Errf("%s stands once", word)
	}
	if !d.AllArgs(to) || *to == "" {
		return d.Errf("%s takes one path", word)
	}
	if !filepath.IsAbs(*to) && !strings.HasPrefix(*to, "{") {
		*to = filepath.Join(filepath.Dir(d.File()), *to)
	}
	return nil
}

// Validate judges the recipients.
func (s *Source) Validate() error {
	if s.Identity == "" {
		return fmt.Errorf("keys age: an identity is missing: name its file")
	}
	if err := keys.CheckAgeRecipients(s.Recipients); err != nil {
		return fmt.Errorf("keys age: %w", err)
	}
	return nil
}

// Source implements crmgate.KeySource.
func (s *Source) Source(dataDir string) (keys.Source, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	r := caddy.NewReplacer()
	identity, err := r.ReplaceOrErr(s.Identity, true, true)
	if err != nil && strings.Contains(s.Identity, "{env.CREDENTIALS_DIRECTORY}") {
		return nil, fmt.Errorf("keys age: identity %s: %w", s.Identity, keys.ErrNoService)
	}
	if err != nil {
		return nil, fmt.Errorf("keys age: identity: %w", err)
	}
	path, err := r.ReplaceOrErr(s.Path, true, true)
	if err != nil {
		return nil, fmt.Errorf("keys age: path: %w", err)
	}
	if path == "" {
		path = filepath.Join(crmgate.KeyDir(dataDir), keys.FileName+".age")
	}
	for _, dir := range []string{dataDir, filepath.Dir(path)} {
		if within(identity, dir) {
			return nil, fmt.Errorf("keys age: the identity %s is beside what it unwraps, and wraps nothing then: "+
				"whoever has the one has the other. Keep it outside of %s", identity, dir)
		}
	}
	return keys.File{Path: path, Wrapper: keys.Age{Identity: identity, Recipients: s.Recipients}}, nil
}

// within reports whether a file is in a directory, links resolved as far as they are
// there.
func within(file, dir string) bool {
	for _, clean := range []func(string) string{absolute, resolved} {
		rel, err := filepath.Rel(clean(dir), clean(file))
		if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path)
}

func resolved(path string) string {
	if target, err := filepath.EvalSymlinks(absolute(path)); err == nil {
		return target
	}
	return absolute(path)
}

var (
	_ caddy.Module          = (*Source)(nil)
	_ caddy.Validator       = (*Source)(nil)
	_ caddyfile.Unmarshaler = (*Source)(nil)
	_ crmgate.KeySource     = (*Source)(nil)
)
