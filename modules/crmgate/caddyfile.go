package crmgate

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

func init() { httpcaddyfile.RegisterGlobalOption("crmgate", parseGlobal) }

// storeNamespace holds the session stores.
const storeNamespace = "crmgate.stores"

// The largest segment of the audit log in MiB: a file's size fits 31 bits.
const maxSegmentMiB = 2047

func parseGlobal(d *caddyfile.Dispenser, earlier any) (any, error) {
	d.Next()
	if earlier != nil {
		return nil, d.Err("crmgate stands once in the global options: put all into one block")
	}
	a := new(App)
	if err := a.UnmarshalCaddyfile(d.NewFromNextSegment()); err != nil {
		return nil, err
	}
	return httpcaddyfile.App{Name: "crmgate", Value: caddyconfig.JSON(a, nil)}, nil
}

// UnmarshalCaddyfile reads the global option, which the gates of all sites share:
//
//	{
//	    crmgate {
//	        data_dir <path>                # keys, sessions and the audit log
//	        store    <module> [<options>]  # sqlite [<path>]
//	        keys     <module> [<options>]  # file [<path>], systemd <name>, age { … }, vault { … }
//	        register { … }                 # what the register of processing says, see UnmarshalRegister
//	        upgrade {                      # where `crmgate upgrade` finds newer versions
//	            source <https url>
//	            key    <release key>...    # one of them has to have signed
//	        }
//	        log {
//	            node        <name>         # this writer's name in receipts
//	            segment_mib <number>       # size of the log's files
//	            local                      # in the data directory, not in the store
//	            retain      [<kind>] <number> months  # how long entries are kept
//	            witness     <url> <key>    # who countersigns checkpoints
//	            witnesses   at_least <number>  # for a checkpoint to be kept as witnessed
//	            anchor      syslog|rfc3161 <address> {  # where checkpoints are made known
//	                every   <duration>
//	                ca      <file>
//	            }
//	            sink        <module> [<options>]      # where entries are passed on to
//	        }
//	    }
//	}
//
// Each line is optional. A relative path is taken from the Caddyfile's folder.
func (a *App) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		return d.Errf("crmgate takes a block, not %q: crmgate { … }", d.Val())
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		var err error
		switch word := d.Val(); word {
		case "data_dir":
			err = a.unmarshalDataDir(d)
		case "store":
			err = a.unmarshalStore(d)
		case "keys":
			err = a.unmarshalKeys(d)
		case "log":
			err = a.Log.unmarshal(d)
		case "register":
			a.Details, err = UnmarshalRegister(d, a.Details)
		case "upgrade":
			err = a.unmarshalUpgrade(d)
		default:
			err = UnknownWord(d, word, "data_dir", "store", "keys", "log", "register", "upgrade")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *App) unmarshalDataDir(d *caddyfile.Dispenser) error {
	if a.DataDir != "" {
		return d.Err("data_dir stands once")
	}
	if !d.AllArgs(&a.DataDir) || a.DataDir == "" {
		return d.Err("data_dir takes one path")
	}
	if !filepath.IsAbs(a.DataDir) && !strings.HasPrefix(a.DataDir, "{") {
		a.DataDir = filepath.Join(filepath.Dir(d.File()), a.DataDir)
	}
	return nil
}

func (a *App) unmarshalStore(d *caddyfile.Dispenser) error {
	return unmarshalGuest(d, &a.StoreRaw, storeNamespace, "module")
}

func (a *App) unmarshalKeys(d *caddyfile.Dispenser) error {
	return unmarshalGuest(d, &a.KeysRaw, keyNamespace, "source")
}

// unmarshalGuest reads a line that names a module of a namespace.
func unmarshalGuest(d *caddyfile.Dispenser, to *json.RawMessage, namespace, key string) error {
	word := d.Val()
	if *to != nil {
		return d.Errf("%s stands once", word)
	}
	if !d.NextArg() {
		return d.Errf("%s takes the name of a module: %s", word, strings.Join(guests(namespace), ", "))
	}
	name := d.Val()
	if !slices.Contains(guests(namespace), name) {
		return UnknownWord(d, name, guests(namespace)...)
	}
	module, err := caddyfile.UnmarshalModule(d, namespace+"."+name)
	if err != nil {
		return err
	}
	*to = caddyconfig.JSONModuleObject(module, key, name, nil)
	return nil
}

func (l *LogConfig) unmarshal(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.Errf("log takes a block, not %q: log { … }", d.Val())
	}
	retain := retaining{}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		switch word := d.Val(); word {
		case "retain":
			if err := retain.unmarshal(d); err != nil {
				return err
			}
		case "sink":
			if err := l.unmarshalSink(d); err != nil {
				return err
			}
		default:
			if err := l.unmarshalWord(d, word); err != nil {
				return err
			}
		}
	}
	l.Retain = retain.config()
	return nil
}

func (l *LogConfig) unmarshalWord(d *caddyfile.Dispenser, word string) error {
	switch word {
	case "node":
		if !d.AllArgs(&l.Node) || l.Node == "" {
			return d.Err("node takes one name")
		}
	case "segment_mib":
		return l.unmarshalSegment(d)
	case "local":
		if d.NextArg() {
			return d.Err("local stands alone")
		}
		l.Local = true
	default:
		return l.unmarshalAttesting(d, word)
	}
	return nil
}

func (l *LogConfig) unmarshalSegment(d *caddyfile.Dispenser) error {
	var s string
	if !d.AllArgs(&s) {
		return d.Err("segment_mib takes one number")
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxSegmentMiB {
		return d.Errf("%q is no number of MiB from 1 to %d: write 64", s, maxSegmentMiB)
	}
	l.SegmentMiB = n
	return nil
}

// guests are the names of a namespace's modules that this program has.
func guests(namespace string) []string {
	var names []string
	for _, m := range caddy.GetModules(namespace) {
		names = append(names, m.ID.Name())
	}
	return names
}

// UnknownWord refuses a word of the Caddyfile and names the nearest one that there
// is: a misspelt line must not be a silent one.
func UnknownWord(d *caddyfile.Dispenser, word string, valid ...string) error {
	near := ""
	for _, v := range valid {
		if near == "" || distance(word, v) < distance(word, near) {
			near = v
		}
	}
	return d.Errf("unknown word %q; nearest: %q (there are: %s)", word, near, strings.Join(valid, ", "))
}

// distance is the number of letters to change, insert or leave out.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

var _ caddyfile.Unmarshaler = (*App)(nil)
