package consent

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crmgate/crmgate/modules/crmgate"
)

// Says implements crmgate.Consent. Of the mail server its address alone: what signs in
// there is a secret.
func (c *Consent) Says() crmgate.ConsentSays {
	all := map[string]string{
		"ledger": c.Ledger, "controller": c.Controller, "privacy_notice": c.PrivacyNotice + " " + c.PrivacyNoticeVersion,
		"base": c.Base, "from": c.From, "origins": strings.Join(c.Origins, " "), "region": c.Region,
		"confirm_within": time.Duration(c.ConfirmWithin).String(), "keep": time.Duration(c.Keep).String(),
		"limit": "address " + strconv.Itoa(c.PerAddress) + " network " + strconv.Itoa(c.PerNetwork) + " all " + strconv.Itoa(c.InAll),
	}
	for i := range c.Purposes {
		p := &c.Purposes[i]
		said := strings.Join(p.channels(), ", ")
		if p.Lasts > 0 {
			said += "; lasts " + time.Duration(p.Lasts).String()
		}
		all["purpose "+p.Name] = said
	}
	return crmgate.ConsentSays{Mail: c.SMTP.Address, Words: all}
}

// channels are those of which a purpose has a text.
func (p *Purpose) channels() []string {
	var all []string
	for _, t := range p.Texts {
		if !slices.Contains(all, t.Channel) {
			all = append(all, t.Channel)
		}
	}
	slices.Sort(all)
	return all
}
