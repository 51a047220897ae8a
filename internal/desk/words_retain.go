package desk

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/audit"
	"github.com/crmgate/crmgate/internal/page"
	"github.com/crmgate/crmgate/internal/retain"
)

// retainEventWord says what an entry about the age of records tells of.
func retainEventWord(e audit.Event) (page.Text, bool) {
	switch e {
	case audit.Overdue:
		return page.Text{DE: "Aufbewahrungsfrist von Datensätzen", EN: "Retention of records"}, true
	case audit.Erasure:
		return page.Text{DE: "Löschung eines Datensatzes", EN: "Deletion of a record"}, true
	}
	return page.Text{}, false
}

// didWord says what was said or done about a record of the work list.
func didWord(w retain.Word) page.Text {
	switch w {
	case retain.DidAsk:
		return page.Text{DE: "Löschung beantragt", EN: "Deletion asked for"}
	case retain.DidConfirm:
		return page.Text{DE: "Löschung bestätigt", EN: "Deletion confirmed"}
	case retain.DidRefuse:
		return page.Text{DE: "Löschung abgelehnt", EN: "Deletion refused"}
	case retain.DidHold:
		return page.Text{DE: "Sperre gesetzt", EN: "Hold set"}
	case retain.DidRelease:
		return page.Text{DE: "Sperre aufgehoben", EN: "Hold released"}
	case retain.DidRead:
		return page.Text{DE: "Vor dem Löschen noch einmal gelesen", EN: "Read once more before the deletion"}
	case retain.DidDelete:
		return page.Text{DE: "Dem CRM zum Löschen aufgetragen", EN: "Sent to the CRM to be deleted"}
	case retain.DidClaim:
		return page.Text{DE: "Im CRM gelöscht", EN: "Deleted in the CRM"}
	case retain.DidCheck:
		return page.Text{DE: "Nachgesehen, ob der Datensatz fort ist", EN: "Looked whether the record is gone"}
	case retain.DidBack:
		return page.Text{DE: "Noch da: zurück auf die Liste", EN: "Still there: back on the list"}
	}
	return page.Text{DE: string(w), EN: string(w)}
}

// ruleWord is a rule in words: `3y after closed_at else created_at unless consent:x`.
func ruleWord(rule string) page.Text {
	words := strings.Fields(rule)
	if len(words) < 3 {
		return page.Text{DE: rule, EN: rule}
	}
	p, err := retain.ParsePeriod(words[0])
	if err != nil {
		return page.Text{DE: rule, EN: rule}
	}
	de, en := periodWord(p)
	for i := 1; i+1 < len(words); i += 2 {
		switch v := words[i+1]; words[i] {
		case "after":
			de, en = de+" nach "+v, en+" after "+v
		case "else":
			de, en = de+" (wenn leer: "+v+")", en+" (if empty: "+v+")"
		case "unless":
			de, en = de+", außer bei "+v, en+", unless "+v
		}
	}
	return page.Text{DE: de, EN: en}
}

func periodWord(p retain.Period) (de, en string) {
	var deParts, enParts []string
	for _, u := range []struct {
		n                            int
		deOne, deMany, enOne, enMany string
	}{
		{p.Years, "Jahr", "Jahre", "year", "years"},
		{p.Months, "Monat", "Monate", "month", "months"},
		{p.Days, "Tag", "Tage", "day", "days"},
	} {
		switch {
		case u.n == 1:
			deParts, enParts = append(deParts, "1 "+u.deOne), append(enParts, "1 "+u.enOne)
		case u.n > 1:
			deParts, enParts = append(deParts, strconv.Itoa(u.n)+" "+u.deMany), append(enParts, strconv.Itoa(u.n)+" "+u.enMany)
		}
	}
	return strings.Join(deParts, ", "), strings.Join(enParts, ", ")
}

// remainsWord says what a CRM keeps of what it deleted.
func remainsWord(remains string) page.Text {
	switch remains {
	case "marked":
		return page.Text{
			DE: "Das CRM hat den Datensatz nur als gelöscht gekennzeichnet. Endgültig entfernt ihn erst die Bereinigung in der Verwaltung des CRMs; prüfen Sie, dass sie läuft.",
			EN: "The CRM has only marked the record as deleted. It is removed for good by the clean-up in the CRM's administration: see that it runs.",
		}
	case "archived":
		return page.Text{
			DE: "Das CRM hat den Datensatz nur archiviert: Er lässt sich dort wiederherstellen. Endgültig gelöscht wird er im CRM selbst.",
			EN: "The CRM has only archived the record: it can be restored there. It is deleted for good in the CRM itself.",
		}
	}
	return page.Text{}
}

// statusWord is what the CRM answered.
func statusWord(status int) string {
	if status == 0 {
		return ""
	}
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// dated is a calendar day, whatever the server's zone.
func dated(t time.Time) page.Text {
	return page.Text{DE: t.UTC().Format("02.01.2006"), EN: t.UTC().Format("2 Jan 2006")}
}

// erasureWord is a period of the register: a rule that the gateway keeps in words, what was
// stated as it stands.
func erasureWord(text string) page.Text {
	rule, ok := strings.CutPrefix(text, "retain ")
	if words := strings.Fields(rule); ok && len(words) > 2 && words[1] == "after" {
		t := ruleWord(rule)
		return page.Text{DE: t.DE + " (das Gateway achtet darauf)", EN: t.EN + " (kept by the gateway)"}
	}
	return page.Text{DE: text, EN: text}
}
