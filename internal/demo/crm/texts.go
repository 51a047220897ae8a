package crm

import (
	"fmt"
	"strings"
	"time"
)

// texts are the words of the pages, by key.
type texts map[string]string

func textsFor(lang string) texts {
	if lang == "de" {
		return texts{
			"contacts": "Kontakte", "leads": "Leads", "search": "Suchen", "search_hint": "Name, Firma, Ort, Telefon …",
			"total": "Treffer", "none": "Nichts gefunden.", "new": "Neu", "new_contact": "Neuer Kontakt", "new_lead": "Neuer Lead",
			"export": "CSV-Export", "edit": "Bearbeiten", "save": "Speichern", "cancel": "Abbrechen", "back": "Zur Liste",
			"related_leads": "Leads zu diesem Kontakt", "related_contact": "Verknüpfter Kontakt", "notes": "Notizen",
			"signed_in": "angemeldet als", "saved": "%s wurde gespeichert.", "yes": "ja", "no": "nein", "pages": "Seiten",
			"card": "Visitenkarte", "details": "Einzelheiten", "skip": "Zum Inhalt",
		}
	}
	return texts{
		"contacts": "Contacts", "leads": "Leads", "search": "Search", "search_hint": "Name, company, city, phone …",
		"total": "found", "none": "Nothing found.", "new": "New", "new_contact": "New contact", "new_lead": "New lead",
		"export": "CSV export", "edit": "Edit", "save": "Save", "cancel": "Cancel", "back": "Back to the list",
		"related_leads": "Leads of this contact", "related_contact": "Linked contact", "notes": "Notes",
		"signed_in": "signed in as", "saved": "%s has been saved.", "yes": "yes", "no": "no", "pages": "Pages",
		"card": "Card", "details": "Details", "skip": "Skip to content",
	}
}

// grouped writes an IBAN in groups of four, as on paper.
func grouped(iban string) string {
	var b strings.Builder
	for i, c := range iban {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// money writes an amount of euros in the way of the language.
func money(v any, lang string) string {
	n, _ := v.(float64)
	whole, cents, _ := strings.Cut(fmt.Sprintf("%.2f", n), ".")
	var b strings.Builder
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	text := b.String() + "." + cents
	if lang == "de" {
		return strings.NewReplacer(",", ".", ".", ",").Replace(text) + " €"
	}
	return "€" + text
}

// day writes an ISO date in the way of the language.
func day(v any, lang string) string {
	return layout(v, time.DateOnly, lang, "02.01.2006", "2 Jan 2006")
}

func moment(v any, lang string) string {
	return layout(v, time.RFC3339, lang, "02.01.2006 15:04", "2 Jan 2006 15:04")
}

func layout(v any, from, lang, de, en string) string {
	t, err := time.Parse(from, shown(v))
	switch {
	case err != nil:
		return shown(v)
	case lang == "de":
		return t.Format(de)
	}
	return t.Format(en)
}
