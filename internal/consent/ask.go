package consent

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/crmgate/crmgate/internal/sealed"
)

// Ask is what somebody has sent by a form: an e-mail address, and what its owner is to
// confirm.
type Ask struct {
	Email string
	// Language is that of the texts that were shown, and of the mail.
	Language string
	// Texts are those that were shown: purpose, channel and version.
	Texts []Shown
	// Form is the address of the page on which that was.
	Form string
}

// Shown names a text that somebody was shown.
type Shown struct{ Purpose, Channel, Version string }

// MostTexts is how many texts one form may ask about.
const MostTexts = 10

// ErrAsk says that what a form sent can't be taken. It tells what is wrong with the
// form, and nothing of the person.
var ErrAsk = errors.New("the form can't be taken")

// Ask takes a wish. Whether the address is known makes no difference, neither to the
// answer nor to what is done here: one document is made, whoever it is. The mail is sent
// by Work.
//
// A consent for phone, post or messenger can't be asked for in this way: a click in a
// mail proves whose the mailbox is, and no more.
func (l *Ledger) Ask(ctx context.Context, a Ask) error {
	address, texts, err := l.checkAsk(&a)
	if err != nil {
		return err
	}
	t, key, err := l.newTicket(doConfirm, address, a.Language)
	if err != nil {
		return err
	}
	for i, s := range a.Texts {
		p, err := newProof(s.Purpose, s.Channel)
		if err != nil {
			return err
		}
		said := Said{What: string(Asked), At: t.Made, Declared: l.declared(p, "form")}
		said.with(texts[i])
		said.of([]identifier{t.who()})
		said.PurposeTitle, said.Form = l.title(s.Purpose, a.Language), a.Form
		if err := l.next(ctx, p, said, []identifier{t.who()}); err != nil {
			return err
		}
		p.State = Asked
		t.Proofs = append(t.Proofs, p)
	}
	return l.queue(ctx, t, key)
}

// AskToStop has a link sent to an address by which its owner sees and ends what stands.
// It is sent to whoever's address it is.
func (l *Ledger) AskToStop(ctx context.Context, email, language string) error {
	address, ok := normalEmail(email)
	if !ok || !mailable(address) {
		return fmt.Errorf("%w: email", ErrAsk)
	}
	t, key, err := l.newTicket(doStop, address, language)
	if err != nil {
		return err
	}
	return l.queue(ctx, t, key)
}

func (l *Ledger) checkAsk(a *Ask) (address string, texts []Text, err error) {
	address, ok := normalEmail(a.Email)
	switch {
	case !ok || !mailable(address):
		return "", nil, fmt.Errorf("%w: email", ErrAsk)
	case a.Language != "de" && a.Language != "en":
		return "", nil, fmt.Errorf("%w: language", ErrAsk)
	case len(a.Texts) == 0 || len(a.Texts) > MostTexts:
		return "", nil, fmt.Errorf("%w: consent", ErrAsk)
	case len(a.Form) > 500:
		return "", nil, fmt.Errorf("%w: form", ErrAsk)
	}
	for i, s := range a.Texts {
		p, ok := l.purpose(s.Purpose)
		if !ok || s.Channel != Email || slices.Contains(a.Texts[:i], s) {
			return "", nil, fmt.Errorf("%w: consent", ErrAsk)
		}
		text, ok := p.text(s.Channel, s.Version, a.Language)
		if !ok {
			return "", nil, fmt.Errorf("%w: consent", ErrAsk)
		}
		texts = append(texts, text)
	}
	return address, texts, nil
}

// What a ticket's link does.
const (
	doConfirm = "confirm"
	doStop    = "stop"
)

// ticket is the document of one link that was, or will be, sent by mail.
type ticket struct {
	ID       string    `json:"id"`
	Do       string    `json:"do"`
	Email    string    `json:"email"`
	Language string    `json:"language"`
	Made     time.Time `json:"made"`
	// Proofs are here until they are listed with their person.
	Proofs []*Proof `json:"proofs,omitempty"`
	// Lines are what it is about.
	Lines []proofRef `json:"lines,omitempty"`
	// Listed says that the person's document knows of it.
	Listed bool `json:"listed,omitempty"`

	Attempts int       `json:"attempts,omitempty"`
	Next     time.Time `json:"next,omitzero"`
	Sent     time.Time `json:"sent,omitzero"`

	// Done is what its link was used for, and when. A link of a stop stays.
	Done   State     `json:"done,omitempty"`
	DoneAt time.Time `json:"done_at,omitzero"`
}

func (t *ticket) who() identifier { return identifier{byEmail, t.Email} }

// over reports whether its link came too late. A clock that went back makes nothing
// late.
func (t *ticket) over(now time.Time, within time.Duration) bool { return now.Sub(t.Made) > within }

func (l *Ledger) newTicket(do, address, language string) (*ticket, sealed.Key, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, sealed.Key{}, fmt.Errorf("naming a link: %w", err)
	}
	if language != "de" {
		language = "en"
	}
	t := &ticket{ID: id.String(), Do: do, Email: address, Language: language, Made: l.Now().Round(0)}
	return t, l.ticketKey(l.token(t)), nil
}

// token is the secret of a ticket's link. It stands nowhere: whoever can read the store
// can't make it without the gateway's keys, and every try to send makes the same.
func (l *Ledger) token(t *ticket) string {
	k := l.Room.Key("token", l.Site, t.ID)
	return base64.RawURLEncoding.EncodeToString(k[:])
}

// ticketKey is where the ticket of a token lies: a keyed hash of it.
func (l *Ledger) ticketKey(token string) sealed.Key { return l.Room.Key("ticket", l.Site, token) }

// isToken reports whether it has the form of one; only such are looked up.
func isToken(s string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(raw) == len(sealed.Key{})
}

func (l *Ledger) outbox() sealed.Key  { return l.Room.Key("outbox", l.Site) }
func (l *Ledger) waiting() sealed.Key { return l.Room.Key("waiting", l.Site) }

// queue saves a new ticket, to be sent.
func (l *Ledger) queue(ctx context.Context, t *ticket, key sealed.Key) error {
	d := &doc[ticket]{item: sealed.Item{Key: key, Group: l.outbox()}, says: *t}
	it, err := d.save(t.Made.Add(l.Within + grace))
	if err != nil {
		return err
	}
	if err := l.Room.Save(ctx, it); err != nil {
		return fmt.Errorf("saving a wish for consent: %w", err)
	}
	select {
	case l.due <- struct{}{}:
	default:
	}
	return nil
}
