package crm

import (
	_ "embed"
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The people of the demo are invented. Their phone numbers lie in ranges that
// are kept free for films and books (Bundesnetzagentur, notice 148/2021; Ofcom;
// ARCEP), their bank codes start with 9, which no German bank's does, and their
// tax ids with 0, which no issued one does.

//go:embed assets/people.txt
var people string

//go:embed assets/leads.txt
var leads string

const (
	firstContact = 1001
	firstLead    = 501
)

// seeded returns the records that every start begins with, always the same.
func seeded() (contacts, leadRecords []Record) {
	for i, line := range lines(people) {
		contacts = append(contacts, seedContact(i, strings.Split(line, "|")))
	}
	for i, line := range lines(leads) {
		leadRecords = append(leadRecords, seedLead(i, strings.Split(line, "|"), contacts))
	}
	return contacts, leadRecords
}

func lines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }

// seedContact reads salutation|first|last|company|position|country.
func seedContact(i int, cell []string) Record {
	r := contactSchema().empty()
	country := cell[5]
	r["id"] = firstContact + i
	r["salutation"], r["first_name"], r["last_name"] = cell[0], cell[1], cell[2]
	r["company"], r["position"], r["country"] = cell[3], cell[4], country
	r["email"] = mail(i, cell[1], cell[2])
	r["phone"], r["mobile"] = landline(i, country), mobile(i, country)
	r["street"], r["postal_code"], r["city"] = address(i, country)
	r["birth_date"] = time.Date(1948, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, (i*7919+4211)%20000).Format(time.DateOnly)
	r["iban"] = iban(fmt.Sprintf("9%07d", (i*104729+5003)%10_000_000), (i*15485863+982451653)%10_000_000_000)
	if country != "GB" && country != "FR" {
		r["tax_id"] = taxID(tenDigits(i))
	}
	r["newsletter"] = i%3 != 1
	r["credit_limit"] = float64((i*37)%41) * 1250.5
	r["owner"] = []string{"vera", "nina", "vera", "sven"}[i%4]
	r["notes"] = note(i, r)
	created := time.Date(2025, 2, 3, 8, 15, 0, 0, time.UTC).Add(time.Duration(i) * 137 * time.Hour)
	r["created_at"] = created.Format(time.RFC3339)
	r["updated_at"] = created.Add(time.Duration(i%9) * 31 * time.Hour).Format(time.RFC3339)
	return r
}

// seedLead reads contact index or -|name|company|status|value|source|owner|description.
func seedLead(i int, cell []string, contacts []Record) Record {
	r := leadSchema().empty()
	r["id"] = firstLead + i
	r["contact_name"], r["company"], r["status"] = cell[1], cell[2], cell[3]
	r["source"], r["owner"], r["description"] = cell[5], cell[6], cell[7]
	var value float64
	// The embedded text is ours; a test reads every number back.
	_, _ = fmt.Sscan(cell[4], &value)
	r["value"] = value
	var at int
	if first, last, ok := strings.Cut(cell[1], " "); ok {
		r["email"], r["phone"] = mail(i+1, first, last), landline(400+i, "DE")
	} else if _, err := fmt.Sscan(cell[0], &at); err == nil {
		c := contacts[at]
		r["contact_id"], r["contact_name"], r["company"] = c.id(), c.name(), c["company"]
		r["email"], r["phone"] = c["email"], c["phone"]
	}
	r["description"] = strings.NewReplacer("{phone}", r.text("phone"), "{email}", r.text("email"),
		"{name}", r.name(), "{mobile}", mobile(70+i, "DE")).Replace(cell[7])
	created := time.Date(2026, 1, 12, 9, 30, 0, 0, time.UTC).Add(time.Duration(i) * 53 * time.Hour)
	r["created_at"] = created.Format(time.RFC3339)
	r["updated_at"] = created.Add(time.Duration(i%5) * 17 * time.Hour).Format(time.RFC3339)
	return r
}

// mail makes addresses in domains that are reserved for examples.
func mail(i int, first, last string) string {
	domain := []string{"example.com", "example.de", "example.org"}[i%3]
	given := ascii(strings.TrimPrefix(first, "Dr. "))
	family := strings.ReplaceAll(ascii(last), " ", "-")
	switch i % 5 {
	case 1:
		return given[:1] + "." + family + "@" + domain
	case 2:
		return given + "_" + family + "@" + domain
	case 3:
		return family + "+" + given + "@" + domain
	}
	return given + "." + family + "@" + domain
}

// ascii spells a name as people do in their addresses.
func ascii(s string) string {
	s = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "ae", "Ö", "oe", "Ü", "ue", "ß", "ss", "ẞ", "ss", "ø", "o", "Ø", "o",
		"ł", "l", "Ł", "l", "ı", "i", "İ", "i", "æ", "ae", "’", "'").Replace(norm.NFC.String(s))
	return strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s)))
}

// landline returns a number of a range for fiction, in one of the ways in which
// people write it.
func landline(i int, country string) string {
	n := (i*617 + 17) % 1000
	switch country {
	case "GB":
		return fmt.Sprintf("+44 20 7946 0%03d", n)
	case "FR":
		return fmt.Sprintf("+33 1 99 00 %02d %02d", n/100, n%100)
	}
	place := [][2]string{{"30", "23125"}, {"69", "90009"}, {"40", "66969"}, {"221", "4710"}, {"89", "99998"}}[i%5]
	form := []string{"+49 %s %s %03d", "0%s %s-%03d", "+49 (0)%s %s%03d", "0049 %s %s%03d"}[i%4]
	return fmt.Sprintf(form, place[0], place[1], n)
}

func mobile(i int, country string) string {
	n := (i*61 + 7) % 100
	switch country {
	case "GB":
		return fmt.Sprintf("+44 7700 900%03d", (i*431+9)%1000)
	case "FR":
		return fmt.Sprintf("+33 6 39 98 %02d %02d", (i*17)%100, n)
	}
	return fmt.Sprintf([]string{"+49 171 39200%02d", "0171 39200%02d", "+49 171 392 00 %02d"}[i%3], n)
}

// tenDigits is the part before the check digit: it starts with 0, and exactly
// one digit stands twice, as the rules for tax ids want.
func tenDigits(i int) string {
	rest := []byte("123456789")
	for k := len(rest) - 1; k > 0; k-- {
		j := (i*31 + k*17 + i*k) % (k + 1)
		rest[k], rest[j] = rest[j], rest[k]
	}
	rest[8] = rest[i%7]
	return "0" + string(rest)
}

func address(i int, country string) (street, code, city string) {
	number := i*13%87 + 1
	switch country {
	case "AT":
		return fmt.Sprintf("Beispielgasse %d/Top %d", number, i%9+1), "1090", "Wien"
	case "CH":
		return fmt.Sprintf("Musterstrasse %d", number), "8005", "Zürich"
	case "PL":
		return fmt.Sprintf("ul. Przykładowa %d", number), "90-001", "Łódź"
	case "GB":
		return fmt.Sprintf("%d Example Mews", number), "EC1A 1BB", "London"
	case "FR":
		return fmt.Sprintf("%d, rue de l’Exemple", number), "67000", "Strasbourg"
	}
	streets := []string{"Beispielstraße", "Musterweg", "Am Probenhof", "Straße der Muster", "Demoplatz", "Änderungsgässchen"}
	places := [][2]string{
		{"10115", "Berlin"},
		{"60311", "Frankfurt am Main"},
		{"20095", "Hamburg"},
		{"50667", "Köln"},
		{"80331", "München"},
		{"01067", "Dresden"},
		{"79098", "Freiburg im Breisgau"},
		{"24103", "Kiel"},
	}
	p := places[i%len(places)]
	return fmt.Sprintf("%s %d%s", streets[i%len(streets)], number, []string{"", "", "a"}[i%3]), p[0], p[1]
}

// note is free text of the kind that people type: numbers, accounts and health
// stand where no field expects them.
func note(i int, r Record) string {
	other := iban(fmt.Sprintf("9%07d", (i*7001+77)%10_000_000), (i*48611+31337)%10_000_000_000)
	notes := []string{
		"Ruft am liebsten selbst an, sonst mobil unter {mobile}. Nicht vor 10 Uhr.",
		"Neue IBAN ab Mai: {iban} – altes Konto {old} nicht mehr verwenden!",
		"Nach Bandscheibenvorfall bis auf Weiteres nur vormittags erreichbar, Vertretung: {mobile}.",
		"",
		"Diabetikerin, beim Messeessen bitte berücksichtigen. Geburtstag {birth} vormerken.",
		"Zahlt zuverlässig.\nRechnungen an {email} und in Kopie an buchhaltung@example.com.\n\"Kein Skonto\", sagt {name}.",
		"Will keine Werbung <per Post>, E-Mail & Telefon ok. Steuer-ID liegt vor ({tax}).",
		"In Elternzeit ab Herbst 🍼; danach wieder unter {phone}.",
		"",
		"Schwerbehinderung (GdB 60), barrierefreier Zugang nötig. Ehepartner: Tel. {mobile}.",
	}
	return strings.NewReplacer("{mobile}", r.text("mobile"), "{phone}", r.text("phone"), "{iban}", other, "{old}", r.text("iban"),
		"{birth}", r.text("birth_date"), "{email}", r.text("email"), "{name}", r.name(), "{tax}", r.text("tax_id")).
		Replace(notes[i%len(notes)])
}
