package consent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/crmgate/crmgate/internal/audit"
)

// Proof is one declaration of one person for one purpose and channel, with all that
// happened to it. It is what a court is shown.
type Proof struct {
	ID      string `json:"id"`
	Purpose string `json:"purpose"`
	Channel string `json:"channel"`
	State   State  `json:"state"`
	// Until is when the consent ends by itself; zero is never.
	Until time.Time `json:"until,omitzero"`
	Steps []Step    `json:"steps"`
}

// Step is one thing that happened. Says is the JSON of Said, byte for byte as it was
// hashed: the entry of the log that was written before holds SHA256, and each step
// the hash of the one before it.
type Step struct {
	Says   json.RawMessage `json:"says"`
	SHA256 string          `json:"sha256"`
	// Entry is the Audit-Id of the entry.
	Entry string `json:"entry"`
}

// Said is what a step says.
type Said struct {
	Proof string `json:"proof"`
	Step  int    `json:"step"`
	// What is a State, or what happened to the mail: mailing (a server is asked to
	// take it), mailed (it has), mail_failed.
	What string `json:"what"`
	// At is when, with the zone.
	At time.Time `json:"at"`
	// Previous is the hash of the step before.
	Previous string `json:"previous,omitempty"`
	*Declared
	*Mailing
	// Source is where a later change came from.
	Source string `json:"source,omitempty"`
	// Link is the hash of the link's token by which somebody confirmed, refused or
	// withdrew.
	Link string `json:"link_sha256,omitempty"`
	// DeclaredAt is when the person said so, where it was told later.
	DeclaredAt time.Time `json:"declared_at,omitzero"`
}

// Declared is what the first step says: the whole declaration.
type Declared struct {
	Ledger               string   `json:"ledger"`
	Purpose              string   `json:"purpose"`
	PurposeTitle         string   `json:"purpose_title,omitempty"`
	Channel              string   `json:"channel"`
	Emails               []string `json:"emails,omitempty"`
	Phones               []string `json:"phones,omitempty"`
	Record               string   `json:"record,omitempty"`
	Text                 string   `json:"text,omitempty"`
	TextVersion          string   `json:"text_version,omitempty"`
	TextLanguage         string   `json:"text_language,omitempty"`
	TextSHA256           string   `json:"text_sha256,omitempty"`
	Form                 string   `json:"form,omitempty"`
	Controller           string   `json:"controller"`
	PrivacyNotice        string   `json:"privacy_notice,omitempty"`
	PrivacyNoticeVersion string   `json:"privacy_notice_version,omitempty"`
	// From is where the declaration was made: form, crm, import.
	From string `json:"from"`
}

// Mailing is what a step says of the mail.
type Mailing struct {
	MessageID string `json:"message_id"`
	Attempt   int    `json:"attempt"`
	// Copy is the mail as it was sent, but for the token of its links.
	Copy string `json:"copy,omitempty"`
	// Error is a closed word for why it wasn't taken: refused, unreachable.
	Error string `json:"error,omitempty"`
}

// Said reads what a step says.
func (s Step) Said() (Said, error) {
	var said Said
	if err := json.Unmarshal(s.Says, &said); err != nil {
		return said, fmt.Errorf("reading a step of a proof: %w", err)
	}
	return said, nil
}

// Made is when the proof began.
func (p *Proof) Made() time.Time {
	said, err := p.first()
	if err != nil {
		return time.Time{}
	}
	return said.At
}

// Whole reports whether the steps are whole and in order: nobody has changed, moved or
// taken out one but the last ones. Whether they are the log's, their entries tell.
func (p *Proof) Whole() bool {
	previous := ""
	for i, s := range p.Steps {
		said, err := s.Said()
		if err != nil || said.Proof != p.ID || said.Step != i+1 || said.Previous != previous || hashOf(s.Says) != s.SHA256 || s.Entry == "" {
			return false
		}
		if i == 0 && (said.Declared == nil || said.Purpose != p.Purpose || said.Channel != p.Channel) {
			return false
		}
		previous = s.SHA256
	}
	return len(p.Steps) > 0
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// newProof begins a proof.
func newProof(purpose, channel string) (*Proof, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("naming a proof: %w", err)
	}
	return &Proof{ID: id.String(), Purpose: purpose, Channel: channel}, nil
}

// declared is what the first step of a proof says, but for the person and the text.
func (l *Ledger) declared(p *Proof, from string) *Declared {
	return &Declared{
		Ledger: l.Site, Purpose: p.Purpose, PurposeTitle: l.title(p.Purpose, "de"), Channel: p.Channel, Controller: l.Controller,
		PrivacyNotice: l.Notice.URL, PrivacyNoticeVersion: l.Notice.Version, From: from,
	}
}

func (d *Declared) with(t Text) {
	d.Text, d.TextVersion, d.TextLanguage, d.TextSHA256 = t.Text, t.Version, t.Language, t.SHA256()
}

func (d *Declared) of(ids []identifier) {
	for _, id := range ids {
		switch id.kind {
		case byEmail:
			d.Emails = append(d.Emails, id.value)
		case byPhone:
			d.Phones = append(d.Phones, id.value)
		case byRecord:
			d.Record = id.value
		}
	}
}

// next makes a proof's next step, and its entry. Nothing of it may be kept, and nothing
// done, where it returns an error.
func (l *Ledger) next(ctx context.Context, p *Proof, said Said, ids []identifier) error {
	said.Proof, said.Step = p.ID, len(p.Steps)+1
	if said.At.IsZero() {
		said.At = l.Now()
	}
	said.At = said.At.Round(0) // without the monotonic clock
	if n := len(p.Steps); n > 0 {
		said.Previous = p.Steps[n-1].SHA256
	}
	says, err := json.Marshal(said)
	if err != nil {
		return fmt.Errorf("writing a step of a proof: %w", err)
	}
	s := Step{Says: says, SHA256: hashOf(says)}
	if s.Entry, err = l.enter(ctx, p, &said, s.SHA256, ids); err != nil {
		return err
	}
	p.Steps = append(p.Steps, s)
	return nil
}

// enter makes the entry of a step durable. It holds no address but its keyed hash.
func (l *Ledger) enter(ctx context.Context, p *Proof, said *Said, sha string, ids []identifier) (string, error) {
	e := &audit.Entry{
		Kind: audit.Control, Event: eventOf(said.What), Gate: l.Site,
		Detail: fmt.Sprintf("%s: %s by %s, proof %s, step %d, sha256=%s", said.What, p.Purpose, p.Channel, p.ID, said.Step, sha),
	}
	if said.Source != "" {
		e.Detail += fmt.Sprintf(", from %q", said.Source)
	}
	if m := said.Mailing; m != nil {
		e.Detail += fmt.Sprintf(", mail %s, attempt %d", m.MessageID, m.Attempt)
		e.Error = m.Error
	}
	for _, id := range ids {
		if id.kind != byRecord {
			e.Keyed = append(e.Keyed, l.Log.Keyed(id.kind, id.value))
		}
	}
	rec, err := l.Log.Append(ctx, e)
	if err != nil {
		return "", fmt.Errorf("writing the audit log: %w", err)
	}
	return rec.String(), nil
}

func eventOf(what string) audit.Event {
	switch State(what) {
	case Asked:
		return audit.ConsentAsked
	case Confirmed:
		return audit.ConsentGiven
	case Refused:
		return audit.ConsentRefused
	case Withdrawn:
		return audit.ConsentWithdrawn
	case Expired:
		return audit.ConsentExpired
	}
	return audit.ConsentMailed
}

// ends is when a proof's document may be forgotten; zero is not by itself.
func (l *Ledger) ends(p *Proof, at time.Time) time.Time {
	switch p.State {
	case Asked:
		return at.Add(l.Within + grace)
	case Confirmed:
		if p.Until.IsZero() {
			return time.Time{}
		}
		return p.Until.Add(l.Keep)
	case Expired:
		return at.Add(grace)
	}
	return at.Add(l.Keep)
}

// grace is for how long a wish that nobody confirmed is kept to answer for its mail,
// and to tell who follows its link that it is too late.
const grace = 30 * 24 * time.Hour
