package desk

import (
	"strconv"
	"strings"
	"time"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/page"
)

func categoryWord(c access.Category) page.Text {
	switch c {
	case access.Name:
		return page.Text{DE: "Namen", EN: "names"}
	case access.Email:
		return page.Text{DE: "E-Mail-Adressen", EN: "e-mail addresses"}
	case access.Phone:
		return page.Text{DE: "Telefonnummern", EN: "phone numbers"}
	case access.Address:
		return page.Text{DE: "Anschriften", EN: "addresses"}
	case access.Birthdate:
		return page.Text{DE: "Geburtsdaten", EN: "dates of birth"}
	case access.Bank:
		return page.Text{DE: "Bankdaten", EN: "bank details"}
	case access.TaxID:
		return page.Text{DE: "Steuernummern", EN: "tax numbers"}
	case access.Identity:
		return page.Text{DE: "Ausweisnummern", EN: "identity documents"}
	case access.Special:
		return page.Text{DE: "besondere Kategorien", EN: "special categories"}
	case access.Credential:
		return page.Text{DE: "Zugangsdaten", EN: "credentials"}
	case access.FreeText:
		return page.Text{DE: "freie Texte", EN: "free texts"}
	case access.Online:
		return page.Text{DE: "Online-Kennungen", EN: "online identifiers"}
	case access.Unclassified:
		return page.Text{DE: "dem Profil unbekannt", EN: "unknown to the profile"}
	}
	return page.Text{DE: string(c), EN: string(c)}
}

func treatmentWord(t access.Treatment) page.Text {
	switch t {
	case access.Clear:
		return page.Text{DE: "im Klartext", EN: "in clear"}
	case access.Partial:
		return page.Text{DE: "zum Teil", EN: "in part"}
	case access.Generalise:
		return page.Text{DE: "vergröbert", EN: "made coarser"}
	case access.Pseudonym:
		return page.Text{DE: "als Pseudonym", EN: "as a pseudonym"}
	case access.Hidden:
		return page.Text{DE: "verdeckt", EN: "hidden"}
	}
	return page.Text{DE: "weggelassen", EN: "left out"}
}

func actionWord(a access.Action) page.Text {
	switch a {
	case access.Read:
		return page.Text{DE: "Gelesen", EN: "Read"}
	case access.Search:
		return page.Text{DE: "Gesucht", EN: "Searched"}
	case access.Create:
		return page.Text{DE: "Angelegt", EN: "Created"}
	case access.Update:
		return page.Text{DE: "Geändert", EN: "Changed"}
	case access.Delete:
		return page.Text{DE: "Gelöscht", EN: "Deleted"}
	case access.Export:
		return page.Text{DE: "Exportiert", EN: "Exported"}
	case access.Contact:
		return page.Text{DE: "Kontaktiert", EN: "Contacted"}
	case access.Reveal:
		return page.Text{DE: "Aufgedeckt", EN: "Revealed"}
	}
	return page.Text{DE: string(a), EN: string(a)}
}

func purposeWord(p string) page.Text {
	switch p {
	case "breach":
		return page.Text{DE: "Verdacht auf eine Datenpanne", EN: "Suspected data breach"}
	case "request":
		return page.Text{DE: "Antrag einer betroffenen Person", EN: "Request of a data subject"}
	case "complaint":
		return page.Text{DE: "Beschwerde", EN: "Complaint"}
	case "check":
		return page.Text{DE: "Vereinbarte Stichprobe", EN: "Random check as agreed"}
	case "authority":
		return page.Text{DE: "Behörde oder Gericht", EN: "Authority or court"}
	}
	return page.Text{DE: "Anderer Zweck", EN: "Other purpose"}
}

// day, clock and moment are a time in the server's zone.
func day(t time.Time) page.Text {
	t = t.Local()
	return page.Text{DE: t.Format("02.01.2006"), EN: t.Format("2 Jan 2006")}
}

func shortDay(t time.Time) page.Text {
	return page.Text{DE: t.Format("02.01."), EN: t.Format("2 Jan")}
}

func clock(t time.Time) string { return t.Local().Format("15:04:05") }

func moment(t time.Time) page.Text {
	t = t.Local()
	return page.Text{DE: t.Format("02.01.2006, 15:04:05 Uhr (MST)"), EN: t.Format("2 Jan 2006, 15:04:05 (MST)")}
}

// grouped writes a number with the language's separators.
func grouped(n int64, lang string) string {
	s := strconv.FormatInt(n, 10)
	sep := ","
	if lang == "de" {
		sep = "."
	}
	var b strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 && s[i-1] != '-' {
			b.WriteString(sep)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// size writes a number of bytes.
func size(n int64, lang string) string {
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB"}
	f, u := float64(n), 0
	for f >= 1024 && u < len(units)-1 {
		f, u = f/1024, u+1
	}
	s := strconv.FormatFloat(f, 'f', 1, 64)
	if u == 0 || strings.HasSuffix(s, ".0") {
		s, _, _ = strings.Cut(s, ".")
	}
	if lang == "de" {
		s = strings.ReplaceAll(s, ".", ",")
	}
	return s + " " + units[u]
}
