package desk

import (
	"strings"

	"github.com/crmgate/crmgate/internal/page"
)

// FieldNames lists fields of a form as their labels name them.
func FieldNames(fields []string) page.Text {
	var de, en []string
	for _, f := range fields {
		w := labelWord(f)
		de, en = append(de, w.DE), append(en, w.EN)
	}
	return page.Text{DE: strings.Join(de, ", "), EN: strings.Join(en, ", ")}
}

func labelWord(field string) page.Text {
	switch field {
	case "record":
		return page.Text{DE: "Datensatz", EN: "record"}
	case "entity":
		return page.Text{DE: "Art des Datensatzes", EN: "kind of record"}
	case "category":
		return page.Text{DE: "Art der Daten", EN: "kind of data"}
	case "shown":
		return page.Text{DE: "gezeigt", EN: "shown"}
	case "action":
		return page.Text{DE: "was getan wurde", EN: "what was done"}
	case "changed":
		return page.Text{DE: "geändertes Feld", EN: "changed field"}
	case "decision":
		return page.Text{DE: "Entscheidung", EN: "decision"}
	case "kind":
		return page.Text{DE: "Einträge", EN: "entries"}
	case "since":
		return page.Text{DE: "von", EN: "from"}
	case "until":
		return page.Text{DE: "bis", EN: "to"}
	case "node":
		return page.Text{DE: "Knoten", EN: "node"}
	case "employee":
		return page.Text{DE: "Pseudonym", EN: "pseudonym"}
	case "before":
		return page.Text{DE: "Anfang der Seite", EN: "where the page begins"}
	case "known":
		return page.Text{DE: "bekannt geworden am", EN: "became known at"}
	case "purpose":
		return page.Text{DE: "Zweck oder Anlass", EN: "purpose or occasion"}
	}
	return page.Text{DE: field, EN: field}
}
