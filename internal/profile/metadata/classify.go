package metadata

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// rule gives a category to names that have one of its words.
type rule struct {
	category string
	words    string
}

// rules are tried in their order: what reveals most comes first.
func rules() []rule {
	return []rule{
		{"credential", "password passwort passwd secret token apikey otp"},
		{"special", "religion health diagnosis disability ethnicity ethnic union gesundheit krankheit marital salary income gehalt"},
		{"bank", "iban bic swift bank konto kontonummer creditcard"},
		{"tax_id", "ssn taxid vatid steuernummer steuerid ustid taxnumber"},
		{"identity", "passport ausweis license licence photo avatar portrait"},
		{"birthdate", "birth birthday birthdate dob geburtstag geburtsdatum"},
		{"email", "email mail emailaddress"},
		{"phone", "phone telephone tel mobile fax cell telefon mobil handy"},
		{"address", "street city zip postal postcode zipcode address house latitude longitude strasse ort plz hausnummer adresse"},
		{"name", "firstname lastname surname fullname givenname middlename forename salutation vorname nachname anrede displayname nickname"},
		{"online", "url website homepage ip twitter linkedin facebook username login"},
		{"free_text", "note notes comment comments description descr text remark remarks memo subject message body bemerkung beschreibung notiz"},
		{"public", "currency price amount quantity stock total count version etag locale language country status rating unit discount"},
	}
}

// persons are words in the names of types whose records are people.
func persons() []string {
	return strings.Fields("person people contact contacts customer customers employee employees user users lead leads patient author authors " +
		"member members student kunde kunden partner kontakt mitarbeiter")
}

// categoryOf tells from a property's name and type what its value can hold.
func categoryOf(name, typ, entity string) string {
	in := vocabulary.Words(name)
	joined := strings.Join(in, "")
	has := func(list string) bool {
		return slices.ContainsFunc(strings.Fields(list), func(w string) bool { return slices.Contains(in, w) || joined == w })
	}
	for _, r := range rules() {
		if !has(r.words) || r.category == "public" && typ == "Edm.String" && !has("currency locale language country status unit version") {
			continue
		}
		return r.category
	}
	ofPerson := slices.ContainsFunc(vocabulary.Words(entity), func(w string) bool { return slices.Contains(persons(), w) })
	switch {
	case has("name") && (ofPerson || has("first last full given middle family display nick")):
		return "name"
	case has("tax vat") && has("id number no"):
		return "tax_id"
	case typ == "Edm.Guid" || typ == "Edm.Boolean" && has("active deleted enabled archived locked draft"):
		return "public"
	case has("created modified changed updated") && (typ == "Edm.DateTimeOffset" || typ == "Edm.Date" || typ == "Edm.DateTime"):
		return "public"
	}
	return "unclassified"
}
