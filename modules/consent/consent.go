// Package consent is the module crmgate.consent: the ledger of consents of a gate, its
// endpoints for web forms and the links of its mails. internal/consent knows what the
// ledger holds.
package consent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/internal/sealed"
	"github.com/crmgate/crmgate/modules/crmgate"
)

func init() { caddy.RegisterModule(Consent{}) }

// Consent keeps who has consented to what, by double opt-in: a form asks, a mail is sent,
// and only what its owner confirms on a page of the gateway's stands. No address of a
// client is kept.
type Consent struct {
	// Ledger names the ledger; gates of one server with the same name share it. Default:
	// the host of Base.
	Ledger string `json:"ledger,omitempty"`
	// Controller is who is responsible: name and address, as people are shown them.
	// Required.
	Controller string `json:"controller,omitempty"`
	// PrivacyNotice is the https address of the privacy notice. Required.
	PrivacyNotice string `json:"privacy_notice,omitempty"`
	// PrivacyNoticeVersion is its version, 2026-10. Required.
	PrivacyNoticeVersion string `json:"privacy_notice_version,omitempty"`
	// Base is this site's address, scheme and host, that the links in mails lead to. It
	// is never taken from a request. Required.
	Base string `json:"base,omitempty"`
	// From is the mailbox that mails are from: `Name <address>`. Required.
	From string `json:"from,omitempty"`
	// SMTP is the mail server that takes the mails. Required.
	SMTP SMTP `json:"smtp,omitzero"`
	// Origins are the sites (`https://www.example.de`) whose forms may ask. Default: only
	// the gateway's own page, and programs that send no origin.
	Origins []string `json:"origins,omitempty"`
	// Region is the country of phone numbers without a country code. Default DE.
	Region string `json:"region,omitempty"`
	// ConfirmWithin is how long a mail's link confirms. Default 3 days, at most 30.
	ConfirmWithin caddy.Duration `json:"confirm_within,omitempty"`
	// Keep is for how long a proof is kept after its consent has ended. Default 3 years.
	Keep caddy.Duration `json:"keep,omitempty"`
	// PerAddress is how many mails an address gets in a day. Default 3.
	PerAddress int `json:"per_address,omitempty"`
	// PerNetwork is how many forms a network of clients may send in an hour to a node
	// (IPv4: /24, IPv6: /56). Default 20.
	PerNetwork int `json:"per_network,omitempty"`
	// InAll is how many forms a node takes in an hour. Default 200.
	InAll int `json:"in_all,omitempty"`
	// Purposes are what people can consent to. Required.
	Purposes []Purpose `json:"purposes,omitempty"`

	logger *zap.Logger
	ledger *consent.Ledger
	sender consent.Sender
	limits *limits
}

// SMTP is a mail server.
type SMTP struct {
	// Address is its host and port: `mail.example.de:587`.
	Address string `json:"address,omitempty"`
	// User signs in there; placeholders are replaced. Default: nobody does.
	User string `json:"user,omitempty"`
	// Password is the user's; write {env.SMTP_PASSWORD}.
	Password string `json:"password,omitempty"`
	// TLS speaks TLS from the first byte on (port 465). Default: STARTTLS is demanded.
	TLS bool `json:"tls,omitempty"`
	// Clear takes no TLS. Only a server on this machine may be spoken to in clear.
	Clear bool `json:"clear,omitempty"`
	// Trust is the path of a PEM file with the certificates that vouch for the server.
	// Default: those that the machine trusts.
	Trust string `json:"trust,omitempty"`
}

// Purpose is what people can consent to.
type Purpose struct {
	// Name is the one in policies: consent:<name>.
	Name string `json:"name,omitempty"`
	// Titles name it to people, by language (de, en). Default: its name.
	Titles map[string]string `json:"titles,omitempty"`
	// Lasts is how long a consent stands. Default: until it is withdrawn.
	Lasts caddy.Duration `json:"lasts,omitempty"`
	// Texts are what people read, the newest version of each last.
	Texts []Text `json:"texts,omitempty"`
}

// Text is one version of what people read, for one channel and in one language. A text
// that was in force can't be changed: its wording is what people consented to.
type Text struct {
	// Channel is email, phone, post or messenger.
	Channel string `json:"channel,omitempty"`
	// Version is the text's, 2026-11.
	Version string `json:"version,omitempty"`
	// Language is de or en.
	Language string `json:"language,omitempty"`
	// Text is the exact wording.
	Text string `json:"text,omitempty"`
}

const (
	defaultWithin     = 72 * time.Hour
	longestWithin     = 30 * 24 * time.Hour
	defaultKeep       = 3 * 365 * 24 * time.Hour
	defaultPerAddress = 3
	defaultPerNetwork = 20
	defaultInAll      = 200
)

// CaddyModule returns the module's information.
func (Consent) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "crmgate.consent", New: func() caddy.Module { return new(Consent) }}
}

// Provision judges the configuration. It touches no network.
func (c *Consent) Provision(ctx caddy.Context) error {
	c.logger = ctx.Logger()
	c.defaults()
	if err := c.check(); err != nil {
		return err
	}
	smtp := &consent.SMTP{Address: c.SMTP.Address, TLS: c.SMTP.TLS, Clear: c.SMTP.Clear, Trust: c.SMTP.Trust}
	for _, s := range []struct {
		from string
		into *string
	}{{c.SMTP.User, &smtp.User}, {c.SMTP.Password, &smtp.Password}} {
		var err error
		if *s.into, err = caddy.NewReplacer().ReplaceOrErr(s.from, true, true); err != nil {
			return fmt.Errorf("smtp: %w", err)
		}
	}
	if err := smtp.Check(); err != nil {
		return err
	}
	c.sender, c.limits = smtp, newLimits(c.PerNetwork, c.InAll)
	return nil
}

func (c *Consent) defaults() {
	if c.ConfirmWithin == 0 {
		c.ConfirmWithin = caddy.Duration(defaultWithin)
	}
	if c.Keep == 0 {
		c.Keep = caddy.Duration(defaultKeep)
	}
	for _, n := range []struct {
		of      *int
		usually int
	}{{&c.PerAddress, defaultPerAddress}, {&c.PerNetwork, defaultPerNetwork}, {&c.InAll, defaultInAll}} {
		if *n.of == 0 {
			*n.of = n.usually
		}
	}
	if _, host, ok := strings.Cut(c.Base, "://"); ok && c.Ledger == "" {
		c.Ledger = host
	}
}

func (c *Consent) check() error {
	for _, need := range []struct{ what, is, remedy string }{
		{"controller", c.Controller, `controller "Muster GmbH, Musterweg 1, 12345 Berlin"`},
		{"privacy_notice", c.PrivacyNotice, "privacy_notice https://www.example.de/datenschutz 2026-10"},
		{"the privacy notice's version", c.PrivacyNoticeVersion, "privacy_notice https://www.example.de/datenschutz 2026-10"},
		{"base", c.Base, "base https://crm.example.de"},
		{"from", c.From, `from "Muster GmbH <news@example.de>"`},
		{"smtp", c.SMTP.Address, "smtp mail.example.de:587"},
	} {
		if strings.TrimSpace(need.is) == "" {
			return fmt.Errorf("%s is missing: %s", need.what, need.remedy)
		}
	}
	if len(c.Purposes) == 0 {
		return errors.New("there is nothing to consent to: name a purpose, purpose newsletter { … }")
	}
	if why := origin(c.Base); why != "" {
		return fmt.Errorf("base %q: %s", c.Base, why)
	}
	for _, o := range c.Origins {
		if why := origin(o); why != "" {
			return fmt.Errorf("origins %q: %s", o, why)
		}
	}
	if u, err := url.Parse(c.PrivacyNotice); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("privacy_notice %q: it is an https address", c.PrivacyNotice)
	}
	if a, err := mail.ParseAddress(c.From); err != nil || !strings.Contains(a.Address, ".") {
		return fmt.Errorf("from %q: write a mailbox: Muster GmbH <news@example.de>", c.From)
	}
	return c.checkNumbers()
}

func (c *Consent) checkNumbers() error {
	if d := time.Duration(c.ConfirmWithin); d < time.Minute || d > longestWithin {
		return fmt.Errorf("confirm_within %s: it takes a minute to 30 days", d)
	}
	if time.Duration(c.Keep) < 24*time.Hour {
		return errors.New("keep: a proof is kept for a day at least; three years are usual (§ 195 BGB), for phone calls five (§ 7a UWG)")
	}
	if c.PerAddress < 1 || c.PerNetwork < 1 || c.InAll < 1 {
		return errors.New("limit: each takes at least 1")
	}
	for _, p := range c.Purposes {
		if len(p.Texts) == 0 {
			return fmt.Errorf("purpose %s: there is no text that people could consent to", p.Name)
		}
	}
	return consent.CheckPurposes(c.purposes())
}

// origin says what is wrong with an origin, "" for nothing.
func origin(o string) string {
	u, err := url.Parse(o)
	switch {
	case err != nil || u.Host == "" || u.Scheme+"://"+u.Host != o || strings.ToLower(o) != o:
		return "write scheme and host in small letters, and the port where it isn't the usual one: https://www.example.de"
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return "it has to be https; http only on this machine"
	}
	return ""
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// Open opens the ledger and begins to send what is due.
func (c *Consent) Open(app *crmgate.App, s *crmgate.Services) error {
	room, err := sealed.New(consent.Kind, s.Store, s.Ring)
	if err != nil {
		return err
	}
	l, err := consent.Open(context.Background(), consent.Config{
		Site: c.Ledger, Controller: c.Controller, Notice: consent.Notice{URL: c.PrivacyNotice, Version: c.PrivacyNoticeVersion},
		Base: c.Base, From: c.From, Purposes: c.purposes(), Region: c.Region,
		Within: time.Duration(c.ConfirmWithin), Keep: time.Duration(c.Keep), PerAddress: c.PerAddress,
		Room: room, Log: s.Log, Sender: c.sender,
	})
	if err != nil {
		return err
	}
	c.ledger = l
	app.Background(func(ctx context.Context) {
		l.Work(ctx, func(err error) {
			c.logger.Error("sending mails about consents, and letting wishes expire", zap.Error(err))
		})
	})
	app.Every(sweepEvery, func(context.Context) { c.limits.sweep(time.Now()) })
	return nil
}

const sweepEvery = 5 * time.Minute

func (c *Consent) purposes() []consent.Purpose {
	all := make([]consent.Purpose, len(c.Purposes))
	for i, p := range c.Purposes {
		all[i] = consent.Purpose{Name: p.Name, Title: p.Titles, Lasts: time.Duration(p.Lasts)}
		for _, t := range p.Texts {
			all[i].Texts = append(all[i].Texts, consent.Text{Channel: t.Channel, Version: t.Version, Language: t.Language, Text: t.Text})
		}
	}
	return all
}

// Opened is the ledger, nil before Open.
func (c *Consent) Opened() *consent.Ledger { return c.ledger }

// Knows reports whether there is such a purpose; a channel "" is any.
func (c *Consent) Knows(w consent.Wanted) bool {
	return slices.ContainsFunc(c.Purposes, func(p Purpose) bool { return p.Name == w.Purpose }) &&
		(w.Channel == "" || slices.Contains(consent.Channels(), w.Channel))
}

var (
	_ caddy.Module      = (*Consent)(nil)
	_ caddy.Provisioner = (*Consent)(nil)
	_ crmgate.Consent   = (*Consent)(nil)
)
