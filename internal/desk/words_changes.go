package desk

import (
	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/page"
)

// outcomeOf says what became of a change.
func outcomeOf(o access.Outcome) page.Text {
	switch o {
	case access.Changed:
		return page.Text{DE: "gespeichert", EN: "saved"}
	case access.Unchanged:
		return page.Text{DE: "nicht gespeichert", EN: "not saved"}
	case access.Unsure:
		return page.Text{DE: "ungewiss, ob gespeichert", EN: "not known whether saved"}
	}
	return page.Text{DE: "ohne Antwort hier", EN: "no answer here"}
}
