// Package alarmwebhook is the sink that posts alarms to a web server.
package alarmwebhook

import (
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/alarm"
	"github.com/crmgate/crmgate/internal/sink"
	"github.com/crmgate/crmgate/modules/crmgate"
)

func init() { caddy.RegisterModule(Webhook{}) }

// Webhook posts alarms as JSON to a web server, such as a chat or a service that wakes
// people: the same that a mail says, in fields and as a text. What isn't answered with
// a status of 200 to 299 is posted again until it is.
type Webhook struct {
	crmgate.AlarmCommon
	// URL is where to. It takes https; http to this machine alone. Placeholders
	// like {env.ALARM_URL} are replaced. Required.
	URL string `json:"url"`
	// Secret signs each message as Standard Webhooks say: `whsec_` and base64, or at
	// least 16 bytes as they are. Write a placeholder: {env.ALARM_SECRET}. Default:
	// unsigned.
	Secret string `json:"secret,omitempty"`
	// Trust is a file of certificates (PEM) that the server's has to come from.
	// Default: those that this system trusts.
	Trust string `json:"trust,omitempty"`

	url     string
	options sink.WebhookOptions
}

// CaddyModule returns the module's information.
func (Webhook) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "crmgate.sinks.alarm_webhook", New: func() caddy.Module { return new(Webhook) }}
}

// Provision judges the configuration. It connects to nothing.
func (w *Webhook) Provision(caddy.Context) error {
	err := w.ProvisionAlarms()
	if err != nil {
		return fmt.Errorf("sink alarm_webhook: %w", err)
	}
	fill := caddy.NewReplacer()
	if w.url, err = fill.ReplaceOrErr(w.URL, true, true); err != nil {
		return fmt.Errorf("sink alarm_webhook: %w", err)
	}
	if w.options.Secret, err = fill.ReplaceOrErr(w.Secret, true, true); err != nil {
		return fmt.Errorf("sink alarm_webhook: secret: %w", err)
	}
	w.options.Secret = strings.TrimSpace(w.options.Secret) // a file ends with a line
	if w.options.Roots, err = crmgate.TrustedRoots(w.Trust); err != nil {
		return fmt.Errorf("sink alarm_webhook: %w", err)
	}
	_, _, err = w.Target()
	return err
}

// Target implements crmgate.Sink.
func (w *Webhook) Target() (sink.Target, string, error) {
	s, err := alarm.NewHook(w.url, w.options)
	if err != nil {
		return nil, "", fmt.Errorf("sink alarm_webhook: %w", err)
	}
	return w.Channel(s), sink.Place(w.url), nil
}

// UnmarshalCaddyfile reads the sink from the block log of the global option crmgate:
//
//	sink alarm_webhook <url> {
//	    desk   <address of a site>
//	    level  low|medium|high
//	    every  <duration>
//	    secret <secret>
//	    trust  <file>
//	    name   <name>
//	    from   start
//	}
func (w *Webhook) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if !d.AllArgs(&w.URL) || w.URL == "" {
		return d.Err("sink alarm_webhook takes one address: sink alarm_webhook https://chat.example.de/hooks/crm")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		switch word := d.Val(); {
		case crmgate.IsAlarmWord(word):
			if err := w.UnmarshalAlarmWord(d); err != nil {
				return err
			}
		case word == "secret":
			if w.Secret != "" || !d.AllArgs(&w.Secret) || w.Secret == "" {
				return d.Err("secret takes one secret, and stands once: secret {env.ALARM_SECRET}")
			}
		case word == "trust":
			if w.Trust != "" || !d.AllArgs(&w.Trust) || w.Trust == "" {
				return d.Err("trust takes one file of certificates, and stands once: trust /etc/crmgate/chat-ca.pem")
			}
			w.Trust = crmgate.BesideCaddyfile(d, w.Trust)
		default:
			return crmgate.UnknownWord(d, word, append(crmgate.AlarmWords(), "secret", "trust")...)
		}
	}
	return nil
}

var (
	_ caddy.Module          = (*Webhook)(nil)
	_ caddy.Provisioner     = (*Webhook)(nil)
	_ caddyfile.Unmarshaler = (*Webhook)(nil)
	_ crmgate.AlarmSink     = (*Webhook)(nil)
)
