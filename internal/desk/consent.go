package desk

import (
	"html/template"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"net/url"
	"strings"

	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/internal/page"
)

// consentFuncs are the words of the pages about consents.
func consentFuncs() template.FuncMap {
	return template.FuncMap{
		"stateword":   consentState,
		"stepword":    consentStep,
		"channelword": consentChannel,
		"fromword":    consentFrom,
		"proofpath":   proofPath,
		"readmail":    readMail,
	}
}

// The pages about consents, for officers.
const (
	ConsentPath      = Path + "/consent"
	ConsentProofPath = ConsentPath + "/proof"
)

// ConsentView is the body of the page on which an officer looks for a person's consents.
type ConsentView struct {
	Email, Phone, Record string
	// Found are what the ledgers hold; nil where nothing was asked.
	Found []LedgerFound
}

// LedgerFound is what one ledger holds of a person.
type LedgerFound struct {
	Ledger string
	*consent.Found
}

// Subject is who is looked for. False where nothing is named, or a record wrongly.
func (v ConsentView) Subject() (s consent.Subject, ok bool) {
	if v.Email != "" {
		s.Emails = []string{v.Email}
	}
	if v.Phone != "" {
		s.Phones = []string{v.Phone}
	}
	if v.Record != "" {
		if s.Entity, s.Record, ok = strings.Cut(v.Record, "/"); !ok || s.Entity == "" || s.Record == "" || !Plain(v.Record, maxValue) {
			return s, false
		}
	}
	return s, v.Email+v.Phone+v.Record != ""
}

// Nothing reports whether no ledger holds anything.
func (v ConsentView) Nothing() bool {
	for _, f := range v.Found {
		if len(f.Lines)+len(f.Proofs) > 0 {
			return false
		}
	}
	return true
}

// ConsentProofView is the body of a proof.
type ConsentProofView struct {
	Ledger string
	Proof  *consent.Proof
	// Declared is what the person declared, of the first step.
	Declared *consent.Declared
	Steps    []ConsentStep
	// Whole says that no step was changed, moved or taken out; Matches that the log holds
	// each step's hash.
	Whole, Matches bool
	// Mail is the last mail that was to be sent for it; Taken says that a server took one.
	Mail  *consent.Mailing
	Taken bool
	Print bool
}

// ConsentStep is a step of a proof, with what the log says of it.
type ConsentStep struct {
	consent.Said
	SHA256, Entry string
	Log           StepLog
	// Path leads to the entry.
	Path string
}

// StepLog says what the log says of a step: that it is so, that it isn't, or that the
// entry can't be read any more.
type StepLog string

// What the log says.
const (
	LogSame    StepLog = "same"
	LogOther   StepLog = "other"
	LogMissing StepLog = "missing"
)

// NewConsentProofView reads a proof for its page. Whoever makes it asks the log for each step.
func NewConsentProofView(ledger string, p *consent.Proof) (v ConsentProofView, err error) {
	v = ConsentProofView{Ledger: ledger, Proof: p, Whole: p.Whole(), Declared: new(consent.Declared)}
	for _, s := range p.Steps {
		said, err := s.Said()
		if err != nil {
			return v, err
		}
		if said.Declared != nil {
			v.Declared = said.Declared
		}
		if said.Mailing != nil && said.Copy != "" {
			v.Mail = said.Mailing
		}
		v.Taken = v.Taken || said.What == "mailed"
		v.Steps = append(v.Steps, ConsentStep{Said: said, SHA256: s.SHA256, Entry: s.Entry, Log: LogMissing})
	}
	return v, nil
}

// As is the address of the same proof in another form.
func (v ConsentProofView) As(form string) string {
	return ConsentProofPath + "?" + url.Values{"ledger": {v.Ledger}, "id": {v.Proof.ID}, "as": {form}}.Encode()
}

// readMail makes a mail readable: its head as it is, but for coded words, and its text
// decoded. What can't be read is shown as it is.
func readMail(raw string) string {
	head, _, ok := strings.Cut(raw, "\r\n\r\n")
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil || !ok || m.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
		return raw
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		return raw
	}
	lines := strings.Split(head, "\r\n")
	for i, l := range lines {
		if word, err := new(mime.WordDecoder).DecodeHeader(l); err == nil {
			lines[i] = word
		}
	}
	return strings.Join(lines, "\n") + "\n\n" + strings.ReplaceAll(string(text), "\r\n", "\n")
}

func proofPath(ledger, id string) string {
	return ConsentProofPath + "?" + url.Values{"ledger": {ledger}, "id": {id}}.Encode()
}

// consentState says what a consent's state is.
func consentState(s consent.State) page.Text {
	switch s {
	case consent.Asked:
		return page.Text{DE: "angefragt, nicht bestätigt", EN: "asked for, not confirmed"}
	case consent.Confirmed:
		return page.Text{DE: "eingewilligt", EN: "consented"}
	case consent.Refused:
		return page.Text{DE: "abgelehnt", EN: "refused"}
	case consent.Withdrawn:
		return page.Text{DE: "widerrufen", EN: "withdrawn"}
	case consent.Expired:
		return page.Text{DE: "abgelaufen", EN: "expired"}
	}
	return page.Text{DE: string(s), EN: string(s)}
}

// consentStep says what a step of a proof tells of.
func consentStep(what string) page.Text {
	switch what {
	case "asked":
		return page.Text{DE: "Eingetragen", EN: "Entered"}
	case "mailing":
		return page.Text{DE: "Übergabe der Mail an den Mailserver begonnen", EN: "Began to hand the mail to the mail server"}
	case "mailed":
		return page.Text{DE: "Mail angenommen", EN: "Mail taken"}
	case "mail_failed":
		return page.Text{DE: "Mail nicht angenommen", EN: "Mail not taken"}
	case "confirmed":
		return page.Text{DE: "Eingewilligt", EN: "Consented"}
	case "refused":
		return page.Text{DE: "Abgelehnt", EN: "Refused"}
	case "withdrawn":
		return page.Text{DE: "Widerrufen", EN: "Withdrawn"}
	case "expired":
		return page.Text{DE: "Nicht rechtzeitig bestätigt", EN: "Not confirmed in time"}
	}
	return consentState(consent.State(what))
}

// consentChannel names a channel.
func consentChannel(c string) page.Text {
	switch c {
	case consent.Email:
		return page.Text{DE: "E-Mail", EN: "e-mail"}
	case consent.Phone:
		return page.Text{DE: "Telefon", EN: "phone"}
	case consent.Post:
		return page.Text{DE: "Post", EN: "post"}
	case consent.Messenger:
		return page.Text{DE: "Messenger", EN: "messenger"}
	case byRecord:
		return page.Text{DE: "Datensatz", EN: "record"}
	}
	return page.Text{DE: c, EN: c}
}

const byRecord = "record"

// consentFrom says where a declaration was made.
func consentFrom(from string) page.Text {
	switch from {
	case "form":
		return page.Text{DE: "Formular im Web", EN: "web form"}
	case "crm":
		return page.Text{DE: "CRM", EN: "CRM"}
	case "import":
		return page.Text{DE: "übernommene Liste", EN: "imported list"}
	case "link":
		return page.Text{DE: "Link in der Mail", EN: "link in the mail"}
	}
	return page.Text{DE: from, EN: from}
}
