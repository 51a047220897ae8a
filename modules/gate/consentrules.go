package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/consent"
	"github.com/crmgate/crmgate/internal/consentfacts"
	"github.com/crmgate/crmgate/internal/retain"
	"github.com/crmgate/crmgate/modules/crmgate"
)

// ConsentFields says what the CRM's own consent fields (its opt-out flags) do in the
// ledger of consents when a save changes them. An entry they are in any case; and a
// record that says it has opted out has no consent, whatever the ledger says.
type ConsentFields struct {
	// OptOut is `withdraws` (default): who opts out in the CRM has withdrawn in the
	// ledger, too; or `noted`: it is an entry and nothing more.
	OptOut string `json:"opt_out,omitempty"`
	// OptIn is `noted` (default), or `grants`: who opts in in the CRM has consented. A
	// field is no double opt-in, and proves nothing by itself: write it where the proof
	// lies elsewhere (on paper).
	OptIn string `json:"opt_in,omitempty"`
}

// unmarshalConsentFields reads `consent_fields [opt_out withdraws|noted] [opt_in noted|grants]`.
func (h *Handler) unmarshalConsentFields(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	if len(args) == 0 || len(args)%2 != 0 {
		return d.Errf("consent_fields takes `opt_out withdraws|noted` and `opt_in noted|grants`")
	}
	f := &ConsentFields{}
	for i := 0; i < len(args); i += 2 {
		switch args[i] {
		case "opt_out":
			f.OptOut = args[i+1]
		case "opt_in":
			f.OptIn = args[i+1]
		default:
			return crmgate.UnknownWord(d, args[i], "opt_out", "opt_in")
		}
	}
	h.ConsentFields = f
	if err := f.check(); err != nil {
		return d.Err(err.Error())
	}
	return nil
}

func (f *ConsentFields) check() error {
	switch {
	case f == nil:
	case !slices.Contains([]string{"", "withdraws", "noted"}, f.OptOut):
		return fmt.Errorf("consent_fields: opt_out %q is unknown; write withdraws or noted", f.OptOut)
	case !slices.Contains([]string{"", "noted", "grants"}, f.OptIn):
		return fmt.Errorf("consent_fields: opt_in %q is unknown; write noted or grants", f.OptIn)
	}
	return nil
}

// does is what a field's word does in the ledger.
func (f *ConsentFields) does(state access.FactState) (to consent.State, does bool) {
	switch state {
	case access.FactFalse:
		return consent.Withdrawn, f == nil || f.OptOut != "noted"
	case access.FactTrue:
		return consent.Confirmed, f != nil && f.OptIn == "grants"
	case access.FactUnknown:
	}
	return "", false
}

// checkConsentFacts refuses what would never allow anything: a policy that names consents
// where the site keeps none, or a purpose or channel that there isn't.
func (h *Handler) checkConsentFacts() error {
	names, _ := h.consentNames()
	if err := h.ConsentFields.check(); err != nil {
		return err
	}
	if h.consent == nil {
		switch {
		case len(names) > 0:
			return fmt.Errorf("the policy, or a rule of `retain`, names %s, and this site keeps no ledger of consents: nobody would ever have consented. "+
				"Add a block `consent { … }` to crm_gate, or take the condition out", strings.Join(names, ", "))
		case h.ConsentFields != nil:
			return errors.New("consent_fields says what the CRM's fields do in the ledger of consents, and this site keeps none: add a block `consent { … }` to crm_gate, or take the line out")
		}
		return nil
	}
	for _, name := range names {
		w, ok := consentfacts.Parse(name)
		if !ok {
			return fmt.Errorf("the policy, or a rule of `retain`, names %s: a fact about consents is consent:<purpose> or consent:<purpose>:<channel>, with the channel %s",
				name, strings.Join(consent.Channels(), ", "))
		}
		if !h.consent.Knows(w) {
			return fmt.Errorf("the policy, or a rule of `retain`, names %s, and the ledger of consents has no purpose %s, so that nobody would ever have consented: "+
				"add the purpose to the block `consent`, or mend the condition", name, w.Purpose)
		}
	}
	return nil
}

// consentNames are the facts about consents that the policy names, and rules of retention;
// always says that the latter do: they are about every answer.
func (h *Handler) consentNames() (names []string, always bool) {
	names = h.policy.Facts()
	for _, line := range h.Retain {
		if r, err := retain.ParseRule(strings.Fields(line)); err == nil && r.Unless != "" {
			names, always = append(names, r.Unless), always || len(consentfacts.Names([]string{r.Unless})) > 0
		}
	}
	return consentfacts.Names(names), always
}

// startConsentFacts lets the site's ledger decide, where it keeps one.
func (h *Handler) startConsentFacts(o *opened) {
	if h.consent == nil {
		return
	}
	if l := h.consent.Opened(); l != nil {
		h.openConsents(o, l, l.Site)
	}
}

// openConsents lets a ledger decide what this gate shows, and whom it lets be written to.
func (h *Handler) openConsents(o *opened, ledger consentLedger, site string) {
	c := &consents{h: h, ledger: ledger, site: site, log: o.log, told: map[string]time.Time{}}
	names, always := h.consentNames()
	c.known = consentfacts.New(consentfacts.Config{Ledger: ledger, Site: site, Facts: names, Always: always, Contradicted: c.contradicted})
	o.consents = c
	o.learners = append(o.learners, c)
}
