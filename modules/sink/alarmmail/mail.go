// Package alarmmail is the sink that tells of alarms by mail.
package alarmmail

import (
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/alarm"
	"github.com/crmgate/crmgate/internal/sink"
	"github.com/crmgate/crmgate/modules/crmgate"
)

func init() { caddy.RegisterModule(Mail{}) }

// Mail tells of alarms by mail, in German and English: what happened, when, on which
// site, under which employee's pseudonym and which entry, with a link to the desk. No
// record and no text of the CRM's is in it. What can't be sent is tried again until it
// can.
type Mail struct {
	crmgate.AlarmCommon
	// Server is smtp://HOST:587 (with STARTTLS, which has to succeed) or
	// smtps://HOST:465. Without TLS, and then without a sign-in, it takes this machine
	// alone (smtp://localhost:25). Placeholders are replaced. Required.
	Server string `json:"server"`
	// Username and Password sign in at the server. Default: nobody signs in.
	Username string `json:"username,omitempty"`
	// Password is a secret: write a placeholder, {env.SMTP_PASSWORD}.
	Password string `json:"password,omitempty"`
	// Sender is the address that mails come from. Required.
	Sender string `json:"sender"`
	// To are the addresses that they go to. Required.
	To []string `json:"to"`
	// Trust is a file of certificates (PEM) that the server's has to come from.
	// Default: those that this system trusts.
	Trust string `json:"trust,omitempty"`

	options alarm.MailOptions
}

// CaddyModule returns the module's information.
func (Mail) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "crmgate.sinks.alarm_mail", New: func() caddy.Module { return new(Mail) }}
}

// Provision judges the configuration. It connects to nothing.
func (m *Mail) Provision(caddy.Context) error {
	if err := m.ProvisionAlarms(); err != nil {
		return fmt.Errorf("sink alarm_mail: %w", err)
	}
	m.options = alarm.MailOptions{Sender: m.Sender, To: m.To}
	fill := caddy.NewReplacer()
	for _, f := range []struct {
		word, from string
		into       *string
	}{{"server", m.Server, &m.options.Server}, {"username", m.Username, &m.options.Username}, {"password", m.Password, &m.options.Password}} {
		var err error
		if *f.into, err = fill.ReplaceOrErr(f.from, true, true); err != nil {
			return fmt.Errorf("sink alarm_mail: %s: %w", f.word, err)
		}
	}
	var err error
	if m.options.Roots, err = crmgate.TrustedRoots(m.Trust); err != nil {
		return fmt.Errorf("sink alarm_mail: %w", err)
	}
	_, _, err = m.Target()
	return err
}

// Target implements crmgate.Sink.
func (m *Mail) Target() (sink.Target, string, error) {
	s, err := alarm.NewMail(m.options)
	if err != nil {
		return nil, "", fmt.Errorf("sink alarm_mail: %w", err)
	}
	return m.Channel(s), s.Place(), nil
}

// Says implements crmgate.AlarmSink: who gets the mails is a recipient.
func (m *Mail) Says() string {
	return m.AlarmCommon.Says() + ", sender " + m.Sender + ", to " + strings.Join(m.To, " ")
}

// UnmarshalCaddyfile reads the sink from the block log of the global option crmgate:
//
//	sink alarm_mail <server> {
//	    sender   <address>
//	    to       <address>...
//	    desk     <address of a site>
//	    level    low|medium|high
//	    every    <duration>
//	    username <name>
//	    password <password>
//	    trust    <file>
//	    name     <name>
//	    from     start
//	}
func (m *Mail) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if !d.AllArgs(&m.Server) || m.Server == "" {
		return d.Err("sink alarm_mail takes one server: sink alarm_mail smtp://mail.example.de:587")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := m.unmarshalWord(d); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mail) unmarshalWord(d *caddyfile.Dispenser) error {
	var into *string
	switch word := d.Val(); {
	case crmgate.IsAlarmWord(word):
		return m.UnmarshalAlarmWord(d)
	case word == "to":
		args := d.RemainingArgs()
		if len(args) == 0 {
			return d.Err("to takes one address or more: to security@example.de")
		}
		m.To = append(m.To, args...)
		return nil
	case word == "sender":
		into = &m.Sender
	case word == "username":
		into = &m.Username
	case word == "password":
		into = &m.Password
	case word == "trust":
		into = &m.Trust
	default:
		return crmgate.UnknownWord(d, word, append(crmgate.AlarmWords(), "to", "sender", "username", "password", "trust")...)
	}
	word := d.Val()
	if *into != "" || !d.AllArgs(into) || *into == "" {
		return d.Errf("%s takes one value, and stands once", word)
	}
	if word == "trust" {
		m.Trust = crmgate.BesideCaddyfile(d, m.Trust)
	}
	return nil
}

var (
	_ caddy.Module          = (*Mail)(nil)
	_ caddy.Provisioner     = (*Mail)(nil)
	_ caddyfile.Unmarshaler = (*Mail)(nil)
	_ crmgate.AlarmSink     = (*Mail)(nil)
)
