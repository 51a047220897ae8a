package desk

import (
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
)

// consentFactWord says what an entry about consents and the CRM's own fields tells of.
func consentFactWord(e audit.Event) (page.Text, bool) {
	switch e {
	case audit.ConsentField:
		return page.Text{DE: "Einwilligungsfeld des CRM geändert", EN: "Consent field of the CRM changed"}, true
	case audit.ConsentContradicted:
		return page.Text{DE: "CRM und Einwilligungen widersprechen sich", EN: "CRM and consents contradict each other"}, true
	}
	return page.Text{}, false
}
