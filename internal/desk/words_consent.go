package desk

import (
	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
)

// consentWord says what an entry about a person's consent tells of.
func consentWord(e audit.Event) page.Text {
	switch e {
	case audit.ConsentAsked:
		return page.Text{DE: "Einwilligung angefragt", EN: "Consent asked for"}
	case audit.ConsentMailed:
		return page.Text{DE: "Mail zu einer Einwilligung", EN: "Mail about a consent"}
	case audit.ConsentGiven:
		return page.Text{DE: "Einwilligung erteilt", EN: "Consent given"}
	case audit.ConsentRefused:
		return page.Text{DE: "Einwilligung abgelehnt", EN: "Consent refused"}
	case audit.ConsentWithdrawn:
		return page.Text{DE: "Einwilligung widerrufen", EN: "Consent withdrawn"}
	case audit.ConsentExpired:
		return page.Text{DE: "Anfrage um Einwilligung verfallen", EN: "Wish for consent expired"}
	}
	return page.Text{}
}
