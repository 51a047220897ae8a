// Package file is the sink that writes the audit log's entries to a file.
package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/dustin/go-humanize"

	"github.com/crmgate/crmgate/internal/sink"
	"github.com/crmgate/crmgate/modules/crmgate"
)

func init() { caddy.RegisterModule(File{}) }

// File writes each entry of the audit log as an OCSF event, one JSON object a line.
// A crash leaves no half line, and repeats some: metadata.uid tells. The file may be
// moved away at any time (logrotate without a signal): it is begun anew.
type File struct {
	crmgate.SinkCommon
	// Path is the file. A relative one is taken from the Caddyfile's folder, in
	// JSON from where the gateway was started. Its folder has to be there.
	Path string `json:"path"`
	// Mode are the file's permissions, as in chmod. Default 0600.
	Mode string `json:"mode,omitempty"`
	// RollBytes is how large the file gets before it is moved to PATH.TIME.
	// Default 100 MiB, at least 1 MiB; -1 is any size: something else rotates it.
	RollBytes int64 `json:"roll_bytes,omitempty"`
	// RollKeep is how many of those stay. Default 10.
	RollKeep int `json:"roll_keep,omitempty"`

	mode os.FileMode
}

const (
	defaultRoll = 100 << 20
	leastRoll   = 1 << 20
	defaultKeep = 10
	mostKeep    = 10_000
)

// CaddyModule returns the module's information.
func (File) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "crmgate.sinks.file", New: func() caddy.Module { return new(File) }}
}

// Provision judges the configuration. It touches no file.
func (f *File) Provision(caddy.Context) error {
	var err error
	if f.Path, err = caddy.NewReplacer().ReplaceOrErr(f.Path, true, true); err != nil {
		return fmt.Errorf("sink file: %w", err)
	}
	if f.Path == "" || strings.HasSuffix(f.Path, "/") {
		return errors.New("sink file takes the path of a file: sink file /var/log/crmgate/audit.jsonl")
	}
	mode := uint64(0o600)
	if f.Mode != "" {
		if mode, err = strconv.ParseUint(f.Mode, 8, 32); err != nil || mode > 0o777 || mode&0o600 != 0o600 {
			return fmt.Errorf("sink file: mode %s: write permissions with which the gateway itself can read and write, as 0640", f.Mode)
		}
	}
	f.mode = os.FileMode(mode)
	if f.RollBytes == 0 {
		f.RollBytes = defaultRoll
	}
	if f.RollBytes != -1 && f.RollBytes < leastRoll {
		return fmt.Errorf("sink file: roll_size %d: it takes at least 1MiB", f.RollBytes)
	}
	if f.RollKeep == 0 {
		f.RollKeep = defaultKeep
	}
	if f.RollKeep < 1 || f.RollKeep > mostKeep {
		return fmt.Errorf("sink file: roll_keep %d: it takes 1 to %d", f.RollKeep, mostKeep)
	}
	return nil
}

// Target implements crmgate.Sink.
func (f *File) Target() (sink.Target, string, error) {
	path, err := filepath.Abs(f.Path)
	if err != nil {
		return nil, "", fmt.Errorf("finding the file: %w", err)
	}
	return &sink.File{Path: path, Mode: f.mode, RollBytes: max(f.RollBytes, 0), Keep: f.RollKeep}, path, nil
}

// UnmarshalCaddyfile reads the sink from the block log of the global option crmgate:
//
//	sink file <path> {
//	    name          <name>
//	    from          start
//	    mode          <permissions>
//	    roll_size     <size>
//	    roll_keep     <number>
//	    roll_disabled
//	}
func (f *File) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if !d.AllArgs(&f.Path) || f.Path == "" {
		return d.Err("sink file takes one path: sink file /var/log/crmgate/audit.jsonl")
	}
	f.Path = crmgate.BesideCaddyfile(d, f.Path)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		var err error
		switch word := d.Val(); word {
		case "name", "from":
			err = f.UnmarshalWord(d)
		case "mode":
			if !d.AllArgs(&f.Mode) {
				err = d.Err("mode takes permissions: mode 0640")
			}
		case "roll_size":
			err = f.unmarshalSize(d)
		case "roll_keep":
			err = f.unmarshalKeep(d)
		case "roll_disabled":
			if d.NextArg() {
				return d.ArgErr()
			}
			f.RollBytes = -1
		default:
			err = crmgate.UnknownWord(d, word, append(crmgate.SinkWords(), "mode", "roll_size", "roll_keep", "roll_disabled")...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *File) unmarshalSize(d *caddyfile.Dispenser) error {
	var s string
	if !d.AllArgs(&s) {
		return d.Err("roll_size takes one size: roll_size 100MiB")
	}
	n, err := humanize.ParseBytes(s)
	if err != nil || n < leastRoll || n > 1<<40 {
		return d.Errf("%q is no size from 1MiB to 1TiB: write 100MiB", s)
	}
	f.RollBytes = int64(n)
	return nil
}

func (f *File) unmarshalKeep(d *caddyfile.Dispenser) error {
	var s string
	if !d.AllArgs(&s) {
		return d.Err("roll_keep takes one number: roll_keep 10")
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > mostKeep {
		return d.Errf("%q is no number of files from 1 to %d: write 10", s, mostKeep)
	}
	f.RollKeep = n
	return nil
}

var (
	_ caddy.Module          = (*File)(nil)
	_ caddy.Provisioner     = (*File)(nil)
	_ caddyfile.Unmarshaler = (*File)(nil)
	_ crmgate.Sink          = (*File)(nil)
)
