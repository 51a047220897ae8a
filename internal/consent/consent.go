// Package consent keeps who has consented to what: purposes, channels, the exact texts,
// by double opt-in, with the proof of each step. People are found by keyed hashes of
// their addresses and records; what is said of them is sealed in the store.
//
// Nothing is ever overwritten: a declaration is a Proof with steps, each an entry of
// the audit log beforehand, and what stands now is the newest declaration of a person
// for a purpose and a channel. A channel never covers another.
package consent

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/sealed"
)

// The channels, a closed list. E-mail goes to an e-mail address, phone and messenger to
// a phone number, post to the person.
const (
	Email     = "email"
	Phone     = "phone"
	Post      = "post"
	Messenger = "messenger"
)

// Channels lists every channel in a fixed order.
func Channels() []string { return []string{Email, Phone, Post, Messenger} }

// State is what a person has declared.
type State string

// The states. The zero value is nobody's declaration.
const (
	// Asked is a wish that its owner hasn't confirmed yet.
	Asked     State = "asked"
	Confirmed State = "confirmed"
	Refused   State = "refused"
	Withdrawn State = "withdrawn"
	// Expired was never confirmed, or is over by the purpose's lifetime.
	Expired State = "expired"
)

// negative reports whether somebody said no.
func (s State) negative() bool { return s == Refused || s == Withdrawn }

// Subject is what a record of a site says of a person. Clear values live in memory only.
type Subject struct {
	// Entity and Record name the record in the CRM; both are empty where there is none.
	Entity, Record string
	Emails, Phones []string
}

// Wanted is what somebody wants to know of, or to change.
type Wanted struct {
	Purpose string
	// Channel "" is any channel of that purpose.
	Channel string
}

// Purpose is what people consent to.
type Purpose struct {
	Name string
	// Title names it to people, by language.
	Title map[string]string
	// Lasts is how long a consent stands; 0 is until it is withdrawn.
	Lasts time.Duration
	Texts []Text
}

// Text is what people read and consent to. It stays as it is: another wording is
// another version.
type Text struct {
	Channel, Version string
	// Language is de or en.
	Language string
	Text     string
}

// SHA256 is the text's hash in hexadecimal.
func (t Text) SHA256() string {
	sum := sha256.Sum256([]byte(t.Text))
	return hex.EncodeToString(sum[:])
}

// Notice is the privacy notice that people are shown.
type Notice struct{ URL, Version string }

// Log is what the ledger needs of the audit log.
type Log interface {
	Append(ctx context.Context, e *audit.Entry) (audit.Receipt, error)
	Keyed(category, value string) string
}

// Sender sends a mail, and returns when a server has taken it. An error that is
// ErrUndeliverable won't be mended by another try.
type Sender interface {
	Send(ctx context.Context, m *Mail) error
}

// ErrUndeliverable says that a mail server refuses an address for good.
var ErrUndeliverable = errors.New("the mail server refuses the address")

// Config is what a ledger works by.
type Config struct {
	// Site names the ledger: sites of the same name share one.
	Site string
	// Controller is who is responsible, with the address, as it is shown to people.
	Controller string
	Notice     Notice
	// Base is the scheme and host that links in mails lead to. No header of a request
	// can change it.
	Base string
	// From is the mailbox that mails are from, `Name <address>`.
	From     string
	Purposes []Purpose
	// Region is the country of phone numbers without a country code, DE.
	Region string
	// Within is how long somebody may take to confirm.
	Within time.Duration
	// Keep is for how long a proof is kept after the consent has ended.
	Keep time.Duration
	// PerAddress is how many mails an address gets in a day.
	PerAddress int

	Room   *sealed.Room
	Log    Log
	Sender Sender
	// Now is the clock; nil is that of the machine.
	Now func() time.Time
}

// Ledger is who has consented to what, at one site. It is safe for concurrent use, and
// any number of nodes may work on one.
type Ledger struct {
	Config
	// due wakes the one who sends mails.
	due chan struct{}
}

// Kind is the kind of the ledger's documents in the store.
const Kind = "consent"

// Open checks the configuration, and that no text was changed that people may have
// consented to.
func Open(ctx context.Context, cfg Config) (*Ledger, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Region = cmp.Or(cfg.Region, "DE")
	if err := cfg.check(); err != nil {
		return nil, err
	}
	l := &Ledger{Config: cfg, due: make(chan struct{}, 1)}
	return l, l.keepTexts(ctx)
}

func (c *Config) check() error {
	if c.Site == "" || c.Room == nil || c.Log == nil {
		return errors.New("a ledger of consents needs a name, a store and a log")
	}
	return CheckPurposes(c.Purposes)
}

// CheckPurposes judges purposes and their texts.
func CheckPurposes(all []Purpose) error {
	for i, p := range all {
		if err := p.check(); err != nil {
			return err
		}
		if slices.ContainsFunc(all[:i], func(q Purpose) bool { return q.Name == p.Name }) {
			return fmt.Errorf("the purpose %s stands there twice", p.Name)
		}
	}
	return nil
}

func (p *Purpose) check() error {
	if !isWord(p.Name) {
		return fmt.Errorf("purpose %q: a purpose is called by 1 to 60 small letters, digits, hyphens and underscores", p.Name)
	}
	for i, t := range p.Texts {
		switch {
		case !slices.Contains(Channels(), t.Channel):
			return fmt.Errorf("purpose %s: %q is no channel: there are %s", p.Name, t.Channel, strings.Join(Channels(), ", "))
		case t.Language != "de" && t.Language != "en":
			return fmt.Errorf("purpose %s: a text is in de or en, not %q", p.Name, t.Language)
		case t.Version == "" || len(t.Version) > 40 || strings.ContainsAny(t.Version, " :\t\r\n"):
			return fmt.Errorf("purpose %s: %q is no version of a text: write 2026-11", p.Name, t.Version)
		case strings.TrimSpace(t.Text) == "" || len(t.Text) > maxText:
			return fmt.Errorf("purpose %s: a text has 1 to %d bytes", p.Name, maxText)
		case slices.ContainsFunc(p.Texts[:i], func(u Text) bool { return u.names(t) }):
			return fmt.Errorf("purpose %s: the text %s of %s in %s stands there twice", p.Name, t.Version, t.Channel, t.Language)
		}
	}
	return nil
}

const maxText = 8 << 10

// names reports whether both are the same version of the same text.
func (t Text) names(u Text) bool {
	return t.Channel == u.Channel && t.Version == u.Version && t.Language == u.Language
}

func isWord(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 60
}

// purpose returns a purpose by its name.
func (l *Ledger) purpose(name string) (*Purpose, bool) {
	i := slices.IndexFunc(l.Purposes, func(p Purpose) bool { return p.Name == name })
	if i < 0 {
		return nil, false
	}
	return &l.Purposes[i], true
}

// text returns a text of a purpose.
func (p *Purpose) text(channel, version, language string) (Text, bool) {
	i := slices.IndexFunc(p.Texts, func(t Text) bool {
		return t.Channel == channel && t.Version == version && t.Language == language
	})
	if i < 0 {
		return Text{}, false
	}
	return p.Texts[i], true
}

// title names a purpose to people.
func (l *Ledger) title(name, language string) string {
	if p, ok := l.purpose(name); ok {
		if t := p.Title[language]; t != "" {
			return t
		}
	}
	return name
}

// Knows reports whether the configuration has the purpose, and a text of it for the
// channel; a channel "" is any. Consents of other channels can come by import alone.
func (l *Ledger) Knows(w Wanted) bool {
	_, ok := l.purpose(w.Purpose)
	return ok && (w.Channel == "" || slices.Contains(Channels(), w.Channel))
}

// keepTexts holds the texts to what they were. What people have consented to can't be
// another text afterwards.
func (l *Ledger) keepTexts(ctx context.Context) error {
	for _, p := range l.Purposes {
		for _, t := range p.Texts {
			key := l.Room.Key("text", l.Site, p.Name, t.Channel, t.Version, t.Language)
			had, err := l.Room.Load(ctx, key)
			if err != nil {
				return fmt.Errorf("reading the texts of consents: %w", err)
			}
			it, ok := had[key]
			if ok && string(it.Plain) == t.Text {
				continue
			}
			if ok {
				return fmt.Errorf("purpose %s: the text %s of %s in %s isn't what it was, and people may have consented to that: put it back, and give the new wording a version of its own",
					p.Name, t.Version, t.Channel, t.Language)
			}
			err = l.Room.Save(ctx, sealed.Item{Key: key, Plain: []byte(t.Text)})
			if errors.Is(err, sealed.ErrChanged) {
				return l.keepTexts(ctx) // another node was quicker
			}
			if err != nil {
				return fmt.Errorf("keeping the texts of consents: %w", err)
			}
		}
	}
	return nil
}
