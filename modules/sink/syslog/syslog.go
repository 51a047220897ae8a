// Package syslog is the sink that sends a summary of each entry of the audit log to
// syslog.
package syslog

import (
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/sink"
	"github.com/crmgate/crmgate/internal/syslog"
	"github.com/crmgate/crmgate/modules/crmgate"
)

func init() { caddy.RegisterModule(Syslog{}) }

// Syslog sends a line of RFC 5424 for each entry: its kind, id, request and leaf
// hash, and how many records it names; never which. Syslog has no acknowledgement:
// what was under way when a connection broke may be lost.
type Syslog struct {
	crmgate.SinkCommon
	// Address is tls://HOST:6514, tcp://HOST:601 or unix:///dev/log. UDP is
	// refused: it loses messages, and says nothing.
	Address string `json:"address"`
	// Trust is a file of certificates (PEM) that the receiver's has to come from,
	// for tls. Default: those that this system trusts.
	Trust string `json:"trust,omitempty"`

	network, address string
	tls              *tls.Config
}

// CaddyModule returns the module's information.
func (Syslog) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "crmgate.sinks.syslog", New: func() caddy.Module { return new(Syslog) }}
}

// Provision judges the configuration. It connects to nothing.
func (s *Syslog) Provision(caddy.Context) error {
	text, err := caddy.NewReplacer().ReplaceOrErr(s.Address, true, true)
	if err != nil {
		return fmt.Errorf("sink syslog: %w", err)
	}
	network, address, secure, err := syslog.ParseAddress(text)
	if err != nil {
		return fmt.Errorf("sink syslog: %w", err)
	}
	if network == "udp" {
		return errors.New("sink syslog: UDP loses messages without a word: use tls:// or tcp://")
	}
	if s.Trust != "" && !secure {
		return errors.New("sink syslog: trust is for tls://")
	}
	s.network, s.address = network, address
	if !secure {
		return nil
	}
	s.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	if s.tls.RootCAs, err = crmgate.TrustedRoots(s.Trust); err != nil {
		return fmt.Errorf("sink syslog: %w", err)
	}
	return nil
}

// Target implements crmgate.Sink.
func (s *Syslog) Target() (sink.Target, string, error) {
	return sink.NewSyslog(syslog.New(s.network, s.address, s.tls)), s.address, nil
}

// UnmarshalCaddyfile reads the sink from the block log of the global option crmgate:
//
//	sink syslog <address> {
//	    name  <name>
//	    from  start
//	    trust <file>
//	}
func (s *Syslog) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if !d.AllArgs(&s.Address) || s.Address == "" {
		return d.Err("sink syslog takes one address: sink syslog tls://siem.example.de:6514")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		switch word := d.Val(); word {
		case "name", "from":
			if err := s.UnmarshalWord(d); err != nil {
				return err
			}
		case "trust":
			if s.Trust != "" || !d.AllArgs(&s.Trust) || s.Trust == "" {
				return d.Err("trust takes one file of certificates, and stands once: trust /etc/crmgate/siem-ca.pem")
			}
			s.Trust = crmgate.BesideCaddyfile(d, s.Trust)
		default:
			return crmgate.UnknownWord(d, word, append(crmgate.SinkWords(), "trust")...)
		}
	}
	return nil
}

var (
	_ caddy.Module          = (*Syslog)(nil)
	_ caddy.Provisioner     = (*Syslog)(nil)
	_ caddyfile.Unmarshaler = (*Syslog)(nil)
	_ crmgate.Sink          = (*Syslog)(nil)
)
