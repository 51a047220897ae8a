package gate

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/internal/consentfacts"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile"
)

// consents lets the ledger of consents decide: what a role sees of a record, and whom it
// may write to or call.
type consents struct {
	h      *Handler
	known  *consentfacts.Known // nil: the policy names no such fact
	ledger consentLedger
	site   string
	log    entries

	mu sync.Mutex
	// told are the contradictions that are in the log already, by record and fact.
	told map[string]time.Time
}

// learn adds the facts `consent:…` to the records of an answer. A ledger that doesn't
// answer says nothing: what is only shown with consent stays masked.
func (c *consents) learn(q *request, t *doc.Tree, found *profile.Located) error {
	q.changing.consents.failed = found.Failed
	if err := c.known.Learn(q.r.Context(), t, &found.Found, q.decision.Plan); err != nil {
		c.silent(q, err)
	}
	return nil
}

func (c *consents) silent(q *request, err error) {
	q.h.logger.Warn("the ledger of consents doesn't answer: nobody counts as having consented", zap.String("request", q.id), zap.Error(err))
}

// maxContacts is how many records a request may make the CRM write to, where each has to
// be looked up.
const maxContacts = 100

// judged asks the policy, and once more of those whom the request makes the CRM write to.
func (q *request) judged() (access.Decision, error) {
	d, err := q.h.policy.Decide(q.employee.roles(), q.x.Accesses)
	if err != nil {
		return d, err
	}
	return q.addressed(d)
}

// addressed judges anew what was refused because nothing was known of those whom the
// request makes the CRM write to or call: each of them by what is known of it.
func (q *request) addressed(d access.Decision) (access.Decision, error) {
	c := q.o.consents
	if !d.Refused || c == nil || c.known == nil || len(consentfacts.Names(d.Facts)) == 0 {
		return d, nil
	}
	contacts := q.x.Contacts()
	if len(contacts) == 0 || len(contacts) > maxContacts {
		return d, nil
	}
	persons := make([]consentfacts.Person, len(contacts))
	for i := range contacts {
		persons[i] = q.addressee(&contacts[i])
	}
	facts, err := c.known.Facts(q.r.Context(), persons)
	if err != nil {
		c.silent(q, err)
	}
	accesses, known := each(q.x.Accesses, contacts, facts)
	now, err := q.h.policy.DecideEach(q.employee.roles(), accesses, known)
	if err == nil && now.Refused && now.Text == d.Text {
		now.Reason = reasonNoConsent
	}
	return now, err
}

// each makes an access of its own of everyone who is addressed, with their facts.
func each(accesses []access.Access, contacts []profile.Contact, facts []access.Facts) ([]access.Access, []access.Facts) {
	var all []access.Access
	var known []access.Facts
	for i := range accesses {
		some := false
		for j := range contacts {
			if contacts[j].Access == i {
				some, all, known = true, append(all, accesses[i]), append(known, facts[j])
			}
		}
		if !some {
			all, known = append(all, accesses[i]), append(known, nil)
		}
	}
	return all, known
}

// addressee is who is addressed. A record is read as it is stored: what it shows, and what
// it says of its consents itself, may be known by its id alone.
func (q *request) addressee(c *profile.Contact) consentfacts.Person {
	p := consentfacts.Person{Subject: consentfacts.Subject{Entity: string(c.Entity), Record: c.ID}, Type: c.Type}
	if c.Email != "" {
		p.Emails = []string{c.Email}
	}
	if c.Phone != "" {
		p.Phones = []string{c.Phone}
	}
	w := c.Record()
	if w == nil {
		return p
	}
	stored, ok := q.storedFor(w, w.AddressFields(), "the gateway's own read, for the consents of somebody who is to be contacted")
	if !ok {
		return consentfacts.Person{} // nobody knows whose the record is
	}
	for _, node := range stored.Records {
		p.Emails, p.Phones = w.Addresses(stored.Tree, node)
		p.Said = w.StoredSaid(stored.Tree, node)
	}
	return p
}

const reasonNoConsent = "no_consent"

var textNoConsent = text{
	"Dafür fehlt die Einwilligung: Mindestens eine der Personen, die angeschrieben oder angerufen würden, hat für diesen Zweck und auf diesem Weg nicht eingewilligt oder hat widerrufen.",
	"There is no consent for this: at least one of those who would be written to or called hasn't consented for this purpose and channel, or has withdrawn.",
}

// contactKeys are the keyed hashes of the addresses that a request makes the CRM write to:
// who looks for a person in the log finds who wrote to them.
func (q *request) contactKeys() []string {
	var keys []string
	for _, c := range q.x.Contacts() {
		if c.Email != "" {
			keys = append(keys, q.o.log.Keyed(string(access.Email), c.Email))
		}
		if c.Phone != "" {
			keys = append(keys, q.o.log.Keyed(string(access.Phone), c.Phone))
		}
	}
	return keys
}

// factText is a fact in words.
func factText(name string) text {
	w, ok := consentfacts.Parse(name)
	if !ok {
		return text{name, name}
	}
	by := map[string]text{
		consent.Email: {" per E-Mail", " by e-mail"}, consent.Phone: {" per Telefon", " by phone"},
		consent.Post: {" per Post", " by post"}, consent.Messenger: {" per Messenger", " by messenger"},
	}[w.Channel]
	return text{"Einwilligung „" + w.Purpose + "“" + by.de, "consent to “" + w.Purpose + "”" + by.en}
}
