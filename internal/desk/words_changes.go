package desk

import (
	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/page"
)

// becameWord says what became of a change.
func becameWord(a access.Action, o access.Outcome) page.Text {
	what := page.Text{DE: "Änderung", EN: "Change"}
	done, not, unsure := page.Text{DE: "gespeichert", EN: "saved"}, page.Text{DE: "nicht gespeichert", EN: "not saved"},
		page.Text{DE: "versucht, ungewiss ob gespeichert", EN: "tried, not known whether saved"}
	switch a {
	case access.Create:
		what = page.Text{DE: "Neuer Datensatz", EN: "New record"}
	case access.Delete:
		what = page.Text{DE: "Löschung", EN: "Deletion"}
		done, not = page.Text{DE: "ausgeführt", EN: "carried out"}, page.Text{DE: "nicht ausgeführt", EN: "not carried out"}
		unsure = page.Text{DE: "versucht, ungewiss ob ausgeführt", EN: "tried, not known whether carried out"}
	}
	became := page.Text{DE: "versucht, ohne Antwort hier", EN: "tried, no answer here"}
	switch o {
	case access.Changed:
		became = done
	case access.Unchanged:
		became = not
	case access.Unsure:
		became = unsure
	}
	return page.Text{DE: what.DE + " " + became.DE, EN: what.EN + " " + became.EN}
}
