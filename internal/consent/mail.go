package consent

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Mail is what is sent to an address: plain text, and nothing that advertises.
type Mail struct {
	From, To, Subject string
	// MessageID is without angle brackets. Every try to send the same mail has the same
	// one, so that a server that got it twice may show it once.
	MessageID string
	Date      time.Time
	Language  string
	Text      string
	// Unsubscribe is the address of RFC 8058: whoever posts there withdraws.
	Unsubscribe string
}

// The paths of the endpoints, below the base.
const (
	Path        = "/.crmgate/consent"
	AskPath     = Path + "/ask"
	StopPath    = Path + "/stop"
	TextsPath   = Path + "/texts"
	ConfirmPath = Path + "/c/"
	EndPath     = Path + "/w/"
)

// hiddenToken stands in a proof's copy of a mail where the mail has its token.
const hiddenToken = "(token)"

// messageID is a ticket's, of the host that its links lead to.
func (l *Ledger) messageID(t *ticket) string {
	_, host, _ := strings.Cut(l.Base, "://")
	host, _, _ = strings.Cut(host, ":")
	return t.ID + "@" + host
}

// mail writes the mail of a ticket, with links of that token.
func (l *Ledger) mail(t *ticket, token string, proofs []*Proof) (*Mail, error) {
	m := &Mail{
		From: l.From, To: t.Email, MessageID: l.messageID(t), Date: l.Now().Round(0), Language: t.Language,
		Unsubscribe: l.Base + EndPath + token,
	}
	if t.Do == doStop {
		m.Subject, m.Text = l.stopText(t, token)
		return m, nil
	}
	var err error
	m.Subject, m.Text, err = l.confirmText(t, token, proofs)
	return m, err
}

func (l *Ledger) confirmText(t *ticket, token string, proofs []*Proof) (subject, text string, err error) {
	var b strings.Builder
	german := t.Language == "de"
	say := func(de, en string) {
		if german {
			en = de
		}
		b.WriteString(en)
	}
	subject = "Please confirm your consent"
	if german {
		subject = "Bitte bestätigen Sie Ihre Einwilligung"
	}
	at := zoned(t.Made, t.Language)
	say("Guten Tag,\n\nam "+at+" wurde diese E-Mail-Adresse mit der folgenden Einwilligung eingetragen.\n",
		"Hello,\n\non "+at+" this e-mail address was entered with the following consent.\n")
	for _, p := range proofs {
		said, err := p.first()
		if err != nil {
			return "", "", err
		}
		fmt.Fprintf(&b, "\n%s:\n%s\n", l.title(p.Purpose, t.Language), said.Text)
	}
	until := zoned(t.Made.Add(l.Within), t.Language)
	confirm, end := l.Base+ConfirmPath+token, l.Base+EndPath+token
	say("\nWenn Sie das waren und einwilligen, bestätigen Sie es auf dieser Seite, bis "+until+":\n"+confirm+"\n"+
		"\nWenn Sie das nicht waren oder nicht einwilligen, brauchen Sie nichts zu tun: Ohne Bestätigung gilt nichts, und der Eintrag verfällt. Sie können auf derselben Seite auch ablehnen.\n"+
		"\nWiderrufen können Sie jederzeit, hier:\n"+end+"\n",
		"\nIf that was you and you consent, confirm it on this page, until "+until+":\n"+confirm+"\n"+
			"\nIf that wasn't you, or you don't consent, there is nothing you need to do: without a confirmation nothing holds, and the entry expires. You can also say no on the same page.\n"+
			"\nYou can withdraw at any time, here:\n"+end+"\n")
	b.WriteString(l.signature(t.Language))
	return subject, b.String(), nil
}

func (l *Ledger) stopText(t *ticket, token string) (subject, text string) {
	end, until := l.Base+EndPath+token, zoned(t.Made.Add(l.Within), t.Language)
	if t.Language == "de" {
		return "Ihre Einwilligungen", "Guten Tag,\n\njemand möchte sehen oder beenden, worin die Inhaberin oder der Inhaber dieser E-Mail-Adresse eingewilligt hat. " +
			"Auf dieser Seite steht es, falls es etwas gibt, und Sie können es widerrufen, bis " + until + ":\n" + end + "\n" +
			"\nWenn Sie das nicht waren, brauchen Sie nichts zu tun.\n" + l.signature("de")
	}
	return "Your consents", "Hello,\n\nsomebody wants to see or end what the owner of this e-mail address has consented to. " +
		"It stands on this page, if there is anything, and you can withdraw it there, until " + until + ":\n" + end + "\n" +
		"\nIf that wasn't you, there is nothing you need to do.\n" + l.signature("en")
}

// signature says who is responsible.
func (l *Ledger) signature(language string) string {
	s := "\n-- \n" + l.Controller + "\n"
	if l.Notice.URL == "" {
		return s
	}
	if language == "de" {
		return s + "Datenschutzhinweise (Fassung " + l.Notice.Version + "): " + l.Notice.URL + "\n"
	}
	return s + "Privacy notice (version " + l.Notice.Version + "): " + l.Notice.URL + "\n"
}

// zoned is a time as people read it, with its zone.
func zoned(t time.Time, language string) string {
	if language == "de" {
		return t.Format("02.01.2006 15:04 MST")
	}
	return t.Format("2 January 2006 15:04 MST")
}

// first reads what was declared.
func (p *Proof) first() (Said, error) {
	if len(p.Steps) == 0 {
		return Said{}, fmt.Errorf("the proof %s has no steps", p.ID)
	}
	said, err := p.Steps[0].Said()
	if err == nil && said.Declared == nil {
		err = fmt.Errorf("the first step of the proof %s declares nothing", p.ID)
	}
	return said, err
}

// Copier is a Sender that can write a mail as it sends it.
type Copier interface {
	Copy(m *Mail) (string, error)
}

// copyOf is the mail as it is sent, but for the token of its links.
func (l *Ledger) copyOf(t *ticket, proofs []*Proof) (string, error) {
	m, err := l.mail(t, hiddenToken, proofs)
	if err != nil {
		return "", err
	}
	if c, ok := l.Sender.(Copier); ok {
		return c.Copy(m)
	}
	return m.Text, nil
}

// send hands a mail to the server.
func (l *Ledger) send(ctx context.Context, t *ticket, proofs []*Proof) error {
	m, err := l.mail(t, l.token(t), proofs)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	return l.Sender.Send(ctx, m)
}

// sendTimeout bounds how long a mail server may take; a lease lasts longer.
const (
	sendTimeout = time.Minute
	lease       = 3 * time.Minute
)
