package vocabulary_test

import (
	"slices"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

func TestNamesAreDividedIntoWords(t *testing.T) {
	for name, want := range map[string][]string{
		"emailAddress1": {"email", "address"}, "tax_ID": {"tax", "id"}, "Straße": {"strasse"}, "IBANNumber": {"iban", "number"}, "E-Mail privat": {"e", "mail", "privat"}, "42": nil,
	} {
		if got := vocabulary.Words(name); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestNamesTellCategories(t *testing.T) {
	v := vocabulary.New()
	for name, want := range map[string]access.Category{
		"firstName": access.Name, "FIRST_NAME": access.Name, "vorname": access.Name, "contactPhoneNumbers": access.Phone, "Kundentelefon": access.Phone, "geburtsdatum": access.Birthdate,
		"dateOfBirth": access.Birthdate, "PLZ": access.Address, "Privatanschrift": access.Address, "steuer_id": access.TaxID, "vatNumber": access.TaxID, "iban": access.Bank, "Gehalt": access.Bank,
		"passport_no": access.Identity, "religion": access.Special, "api_key": access.Credential, "Notizen": access.FreeText, "emailAddress": access.Email, "E-Mail": access.Email, "ipAddress": access.Online,
		"color": "", "status": "", "type": "", "portal": "",
	} {
		if got := v.Category(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestSingularsAreThoseOfBothLanguages(t *testing.T) {
	for many, one := range map[string]string{
		"contacts": "contact", "companies": "company", "addresses": "address", "people": "person", "kunden": "kunde", "firmen": "firma", "status": "status", "address": "address", "boxes": "box",
	} {
		if got := vocabulary.Singular(many); got != one {
			t.Errorf("%s: %s, want %s", many, got, one)
		}
	}
}
