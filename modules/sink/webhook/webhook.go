// Package webhook is the sink that posts the audit log's entries to a web server.
package webhook

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"golang.org/x/net/http/httpguts"

	"github.com/crmgate/crmgate/internal/sink"
	"github.com/crmgate/crmgate/modules/crmgate"
)

func init() { caddy.RegisterModule(Webhook{}) }

// Webhook posts the audit log's entries in batches, as OCSF events, one JSON object
// a line. A batch that isn't answered with a status of 200 to 299 is sent again until
// it is, and nothing behind it before.
type Webhook struct {
	crmgate.SinkCommon
	// URL is where to. It takes https; http to this machine alone. Placeholders
	// like {env.SIEM_URL} are replaced.
	URL string `json:"url"`
	// Headers are sent with each batch, placeholders in values replaced:
	// {"Authorization": ["Bearer {env.SIEM_TOKEN}"]}.
	Headers http.Header `json:"headers,omitempty"`
	// Secret signs each batch as Standard Webhooks say (headers webhook-id,
	// webhook-timestamp, webhook-signature): `whsec_` and base64, or at least 16
	// bytes as they are. Write a placeholder: {env.SIEM_SECRET}. Default: unsigned.
	Secret string `json:"secret,omitempty"`
	// Trust is a file of certificates (PEM) that the server's has to come from.
	// Default: those that this system trusts.
	Trust string `json:"trust,omitempty"`
	// Timeout bounds one request. Default 30s, from 1s to 1m.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	url     string
	options sink.WebhookOptions
}

const longestTimeout = time.Minute

// CaddyModule returns the module's information.
func (Webhook) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "crmgate.sinks.webhook", New: func() caddy.Module { return new(Webhook) }}
}

// Provision judges the configuration. It connects to nothing.
func (w *Webhook) Provision(caddy.Context) error {
	fill := caddy.NewReplacer()
	var err error
	if w.url, err = fill.ReplaceOrErr(w.URL, true, true); err != nil {
		return fmt.Errorf("sink webhook: %w", err)
	}
	w.options = sink.WebhookOptions{Headers: http.Header{}, Timeout: time.Duration(w.Timeout)}
	if t := w.options.Timeout; t != 0 && (t < time.Second || t > longestTimeout) {
		return fmt.Errorf("sink webhook: timeout %s: it takes 1s to 1m", t)
	}
	for name, values := range w.Headers {
		for _, v := range values {
			v, err := fill.ReplaceOrErr(v, true, true)
			if err != nil {
				return fmt.Errorf("sink webhook: header %s: %w", name, err)
			}
			if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(v) {
				return fmt.Errorf("sink webhook: header %q: no header can have that name, or its value", name)
			}
			w.options.Headers.Add(name, v)
		}
	}
	if w.options.Secret, err = fill.ReplaceOrErr(w.Secret, true, true); err != nil {
		return fmt.Errorf("sink webhook: secret: %w", err)
	}
	w.options.Secret = strings.TrimSpace(w.options.Secret) // a file ends with a line
	if w.options.Roots, err = crmgate.TrustedRoots(w.Trust); err != nil {
		return fmt.Errorf("sink webhook: %w", err)
	}
	_, _, err = w.Target()
	return err
}

// Target implements crmgate.Sink.
func (w *Webhook) Target() (sink.Target, string, error) {
	t, err := sink.NewWebhook(w.url, w.options)
	if err != nil {
		return nil, "", fmt.Errorf("sink webhook: %w", err)
	}
	return t, sink.Place(w.url), nil
}

// UnmarshalCaddyfile reads the sink from the block log of the global option crmgate:
//
//	sink webhook <url> {
//	    name    <name>
//	    from    start
//	    header  <name> <value>
//	    secret  <secret>
//	    trust   <file>
//	    timeout <duration>
//	}
func (w *Webhook) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if !d.AllArgs(&w.URL) || w.URL == "" {
		return d.Err("sink webhook takes one address: sink webhook https://siem.example.de/crmgate")
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := w.unmarshalWord(d); err != nil {
			return err
		}
	}
	return nil
}

func (w *Webhook) unmarshalWord(d *caddyfile.Dispenser) error {
	switch word := d.Val(); word {
	case "name", "from":
		return w.UnmarshalWord(d)
	case "header":
		var name, value string
		if !d.AllArgs(&name, &value) {
			return d.Err(`header takes a name and a value: header Authorization "Bearer {env.SIEM_TOKEN}"`)
		}
		if w.Headers == nil {
			w.Headers = http.Header{}
		}
		w.Headers.Add(name, value)
	case "secret":
		if w.Secret != "" || !d.AllArgs(&w.Secret) || w.Secret == "" {
			return d.Err("secret takes one secret, and stands once: secret {env.SIEM_SECRET}")
		}
	case "trust":
		if w.Trust != "" || !d.AllArgs(&w.Trust) || w.Trust == "" {
			return d.Err("trust takes one file of certificates, and stands once: trust /etc/crmgate/siem-ca.pem")
		}
		w.Trust = crmgate.BesideCaddyfile(d, w.Trust)
	case "timeout":
		var s string
		if !d.AllArgs(&s) {
			return d.Err("timeout takes one duration: timeout 30s")
		}
		t, err := caddy.ParseDuration(s)
		if err != nil || t < time.Second || t > longestTimeout {
			return d.Errf("%q is no duration from 1s to 1m: write 30s", s)
		}
		w.Timeout = caddy.Duration(t)
	default:
		return crmgate.UnknownWord(d, word, append(crmgate.SinkWords(), "header", "secret", "trust", "timeout")...)
	}
	return nil
}

var (
	_ caddy.Module          = (*Webhook)(nil)
	_ caddy.Provisioner     = (*Webhook)(nil)
	_ caddyfile.Unmarshaler = (*Webhook)(nil)
	_ crmgate.Sink          = (*Webhook)(nil)
)
