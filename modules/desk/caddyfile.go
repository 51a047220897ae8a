package desk

import (
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/modules/crmgate"
)

// UnmarshalCaddyfile reads the block in crm_gate:
//
//	desk {
//	    auditors role <role>...
//	    officers role <role>...
//	    consent  role <role>...
//	    purpose  lasts <duration>
//	    own_accesses
//	}
func (d *Desk) UnmarshalCaddyfile(f *caddyfile.Dispenser) error {
	f.Next()
	if f.NextArg() {
		return f.Errf("desk takes a block, not %q: desk { auditors role … }", f.Val())
	}
	opening := *f
	for nesting := f.Nesting(); f.NextBlock(nesting); {
		var err error
		switch word := f.Val(); word {
		case "auditors":
			err = roles(f, word, &d.Auditors)
		case "officers":
			err = roles(f, word, &d.Officers)
		case "consent":
			err = roles(f, word, &d.Consent)
		case "purpose":
			err = d.unmarshalPurpose(f)
		case "own_accesses":
			if f.NextArg() {
				return f.ArgErr()
			}
			d.OwnAccesses = true
		default:
			err = crmgate.UnknownWord(f, word, "auditors", "officers", "consent", "purpose", "own_accesses")
		}
		if err != nil {
			return err
		}
	}
	if len(d.Auditors)+len(d.Officers) == 0 {
		return opening.Err("desk needs somebody who may come: `auditors role …` or `officers role …`")
	}
	return nil
}

func roles(f *caddyfile.Dispenser, word string, into *[]string) error {
	args := f.RemainingArgs()
	if len(args) < 2 || args[0] != "role" {
		return f.Errf("%s takes `role` and one or more roles: %s role %s", word, word, map[string]string{
			"auditors": "auditor", "officers": "data_protection", "consent": "works_council",
		}[word])
	}
	*into = append(*into, args[1:]...)
	return nil
}

func (d *Desk) unmarshalPurpose(f *caddyfile.Dispenser) error {
	args := f.RemainingArgs()
	if len(args) != 2 || args[0] != "lasts" {
		return f.Err("purpose takes `lasts` and a duration: purpose lasts 8h")
	}
	v, err := caddy.ParseDuration(args[1])
	if err != nil || v < time.Minute || v > longestPurpose {
		return f.Errf("%q is no duration of a minute to 31 days: write 8h or 2d", args[1])
	}
	d.PurposeLasts = caddy.Duration(v)
	return nil
}

var _ caddyfile.Unmarshaler = (*Desk)(nil)
