package consent

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/modules/crmgate"
)

// UnmarshalCaddyfile reads the block in crm_gate:
//
//	consent {
//	    controller     <name and address>
//	    privacy_notice <address> <version>
//	    base           <scheme and host>
//	    from           <mailbox>
//	    smtp           <host:port> {
//	        user       <name> <password>
//	        tls | clear
//	        trust      <path>
//	    }
//	    origins        <origin>...
//	    purpose        <name> {
//	        title      de|en <words>
//	        lasts      <duration>
//	        text       email|phone|post|messenger <version> de|en <wording>
//	    }
//	    ledger         <name>
//	    region         <country>
//	    confirm_within <duration>
//	    keep           <duration>
//	    limit          [address <number>] [network <number>] [all <number>]
//	}
func (c *Consent) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		return d.Errf("consent takes a block, not %q: consent { purpose newsletter { … } }", d.Val())
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := c.unmarshalWord(d); err != nil {
			return err
		}
	}
	return nil
}

func (c *Consent) unmarshalWord(d *caddyfile.Dispenser) error {
	one := map[string]*string{
		"controller": &c.Controller, "base": &c.Base, "from": &c.From, "ledger": &c.Ledger, "region": &c.Region,
	}
	word := d.Val()
	if into, ok := one[word]; ok {
		if *into != "" {
			return d.Errf("%s stands there twice", word)
		}
		if !d.AllArgs(into) {
			return d.Errf("%s takes one argument: put it in quotes where it has spaces", word)
		}
		return nil
	}
	switch word {
	case "privacy_notice":
		if !d.AllArgs(&c.PrivacyNotice, &c.PrivacyNoticeVersion) {
			return d.Err("privacy_notice takes an address and its version: privacy_notice https://www.example.de/datenschutz 2026-10")
		}
	case "smtp":
		return c.unmarshalSMTP(d)
	case "origins":
		args := d.RemainingArgs()
		if len(args) == 0 {
			return d.Err("origins takes the sites whose forms may ask: origins https://www.example.de")
		}
		c.Origins = append(c.Origins, args...)
	case "purpose":
		return c.unmarshalPurpose(d)
	case "confirm_within":
		return duration(d, word, &c.ConfirmWithin)
	case "keep":
		return duration(d, word, &c.Keep)
	case "limit":
		return c.unmarshalLimit(d)
	default:
		return crmgate.UnknownWord(d, word, "controller", "privacy_notice", "base", "from", "smtp", "origins", "purpose",
			"ledger", "region", "confirm_within", "keep", "limit")
	}
	return nil
}

func duration(d *caddyfile.Dispenser, word string, into *caddy.Duration) error {
	var s string
	if !d.AllArgs(&s) {
		return d.Errf("%s takes a duration: %s 72h", word, word)
	}
	v, err := caddy.ParseDuration(s)
	if err != nil || v <= 0 {
		return d.Errf("%s: %q is no duration: write 72h or 365d", word, s)
	}
	*into = caddy.Duration(v)
	return nil
}

func (c *Consent) unmarshalSMTP(d *caddyfile.Dispenser) error {
	if c.SMTP.Address != "" {
		return d.Err("smtp stands there twice")
	}
	if !d.AllArgs(&c.SMTP.Address) {
		return d.Err("smtp takes the host and port of the mail server: smtp mail.example.de:587")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		switch word := d.Val(); word {
		case "user":
			if !d.AllArgs(&c.SMTP.User, &c.SMTP.Password) {
				return d.Err("user takes a name and a password: user crmgate {env.SMTP_PASSWORD}")
			}
		case "tls", "clear":
			if d.NextArg() {
				return d.ArgErr()
			}
			c.SMTP.TLS, c.SMTP.Clear = c.SMTP.TLS || word == "tls", c.SMTP.Clear || word == "clear"
		case "trust":
			if !d.AllArgs(&c.SMTP.Trust) {
				return d.Err("trust takes the path of a PEM file")
			}
			if !filepath.IsAbs(c.SMTP.Trust) {
				c.SMTP.Trust = filepath.Join(filepath.Dir(d.File()), c.SMTP.Trust)
			}
		default:
			return crmgate.UnknownWord(d, word, "user", "tls", "clear", "trust")
		}
	}
	return nil
}

func (c *Consent) unmarshalPurpose(d *caddyfile.Dispenser) error {
	p := Purpose{Titles: map[string]string{}}
	if !d.AllArgs(&p.Name) {
		return d.Err("purpose takes a name: purpose newsletter { … }")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		switch word := d.Val(); word {
		case "title":
			args := d.RemainingArgs()
			if len(args) < 2 || args[0] != "de" && args[0] != "en" {
				return d.Err("title takes a language and words: title de Rundbrief")
			}
			p.Titles[args[0]] = strings.Join(args[1:], " ")
		case "lasts":
			if err := duration(d, word, &p.Lasts); err != nil {
				return err
			}
		case "text":
			var t Text
			if !d.AllArgs(&t.Channel, &t.Version, &t.Language, &t.Text) {
				return d.Err(`text takes a channel, a version, a language and the wording: text email 2026-11 de "Ja, …"`)
			}
			p.Texts = append(p.Texts, t)
		default:
			return crmgate.UnknownWord(d, word, "title", "lasts", "text")
		}
	}
	c.Purposes = append(c.Purposes, p)
	return nil
}

func (c *Consent) unmarshalLimit(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) == 0 || len(args)%2 != 0 {
		return d.Err("limit takes numbers: limit address 3 network 20 all 200")
	}
	for i := 0; i < len(args); i += 2 {
		into, ok := map[string]*int{"address": &c.PerAddress, "network": &c.PerNetwork, "all": &c.InAll}[args[i]]
		if !ok {
			return crmgate.UnknownWord(d, args[i], "address", "network", "all")
		}
		n, err := strconv.Atoi(args[i+1])
		if err != nil || n < 1 || n > 1_000_000 {
			return d.Errf("limit %s: %q is no number of mails or forms", args[i], args[i+1])
		}
		*into = n
	}
	return nil
}

var _ caddyfile.Unmarshaler = (*Consent)(nil)
