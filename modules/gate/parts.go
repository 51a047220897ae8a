package gate

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/genuine"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/rules"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// The parts beside masking that a block of words switches on. Each has its files; this
// is where they are hung in.

// partWords are the words of unmarshalPart.
func partWords() []string {
	return []string{
		"consent",
		"rules",
		"reveal",
		"location", "transfer", "register",
		"retain", "overdue",
		"consent_fields",
	}
}

// unmarshalPart reads a word that switches a part on, if it is one.
func (h *Handler) unmarshalPart(word string, d *caddyfile.Dispenser) (known bool, err error) {
	switch word {
	case "consent":
		err = h.unmarshalConsent(d)
	case "rules":
		err = h.unmarshalRules(d)
	case "reveal":
		err = h.unmarshalReveal(d)
	case "location", "transfer", "register":
		err = h.unmarshalRegister(d)
	case "retain":
		err = h.unmarshalRetain(d)
	case "overdue":
		err = h.unmarshalOverdue(d)
	case "consent_fields":
		err = h.unmarshalConsentFields(d)
	default:
		return false, nil
	}
	return true, err
}

// startParts opens what the configuration switches on. Of the learners the last one
// says what is overdue: nothing that is known otherwise shows it.
func (h *Handler) startParts(s *crmgate.Services, o *opened) (err error) {
	if err = h.startConsent(s); err != nil {
		return err
	}
	o.rulesKey = s.Ring.Derive("rules answers")
	if o.rules, err = h.startRules(s); err != nil {
		return err
	}
	if o.revealer, err = newRevealer(h, s); err != nil {
		return err
	}
	if o.retain, err = newRetaining(h, s); err != nil {
		return err
	}
	h.startConsentFacts(o)
	o.prover = newProver(s.Ring)
	o.learners = o.retain.last(append(o.learners, o.revealer.learners()...))
	return nil
}

// servePart answers the pages of parts, and says whether the address is one.
func (q *request) servePart() bool {
	switch {
	case isConsent(q.c.Path):
		q.serveConsent()
	case q.c.Path == rules.Path || q.c.Path == rules.PrintPath:
		q.serveRules()
	case q.c.Path == revealPath || q.c.Path == revealWishesPath:
		q.serveReveal()
	case isOverdue(q.c.Path):
		q.serveOverdue()
	case q.c.Path == linkPath:
		q.linkPage()
	case q.c.Path == genuine.Path:
		q.prove()
	default:
		return false
	}
	return true
}

// partWays lead from the home page to the pages of parts.
func (q *request) partWays() []page.Link {
	ways := q.rulesWay()
	if w, ok := q.overdueWay(); ok {
		ways = append(ways, page.Link{Href: w.Path, Text: page.Text{DE: w.DE, EN: w.EN}})
	}
	return ways
}
