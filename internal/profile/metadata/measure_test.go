package metadata

import (
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/profile/vocabulary"
)

// personal are fields with personal values of the exchanges beside the profiles that
// ship, under the names and the types that the CRMs' metadata give them: `name type`,
// after the kind of record, with the category of their marks.
func personal() map[string]map[string]string {
	return map[string]map[string]string{
		"espocrm": {
			"name": "firstName varchar,lastName varchar,middleName varchar,name personName", "email": "emailAddress email", "phone": "phoneNumber phone",
			"address": "addressStreet text,addressCity varchar,addressPostalCode varchar", "free_text": "description text", "birthdate": "cBirthDate date", "bank": "cIban varchar", "tax_id": "cSteuerId varchar",
		},
		"odoo": {
			"name": "name char,display_name char,complete_name char,acc_holder_name char", "email": "email char,email_from char", "phone": "phone char,phone_sanitized char", "address": "street char,city char,zip char", "bank": "acc_number char", "free_text": "body html",
		},
		"hubspot": {
			"name": "firstname string,lastname string", "email": "email string", "phone": "phone phone_number,mobilephone phone_number", "address": "address string,city string,zip string", "birthdate": "date_of_birth date",
			"bank": "iban string", "free_text": "hs_note_body html",
		},
		"salesforce": {
			"name": "Name string,FirstName string,LastName string", "email": "Email email", "phone": "Phone phone,MobilePhone phone", "address": "MailingStreet textarea,MailingCity string,MailingPostalCode string,MailingAddress address",
			"birthdate": "Birthdate date", "free_text": "Description textarea,Subject combobox", "bank": "IBAN__c string",
		},
		"dynamics": {
			"name": "fullname String", "email": "emailaddress1 Email,torecipients String", "phone": "telephone1 Phone,mobilephone Phone", "address": "address1_city String,address1_composite Memo", "birthdate": "birthdate DateTime", "free_text": "description Memo,subject String",
		},
		"pipedrive": {
			"name": "name varchar,first_name varchar,last_name varchar", "email": "emails varchar,primary_email varchar", "phone": "phones phone", "address": "postal_address address", "birthdate": "birthday date", "free_text": "notes text,content text",
			"bank": "9f2c1b7ad0e54d1b8a7c6e5f4d3c2b1a09f8e7d6 varchar IBAN", "tax_id": "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d varchar Steuer-ID",
		},
		"suitecrm": {
			"name": "first_name varchar,last_name varchar,full_name fullname,name name", "email": "email1 varchar,email2 varchar,email_addresses_non_primary email", "phone": "phone_mobile phone,phone_work phone",
			"address": "primary_address_street varchar,primary_address_city varchar,primary_address_postalcode varchar,primary_address_state varchar", "birthdate": "birthdate date", "free_text": "description text", "bank": "iban_c varchar", "tax_id": "steuer_id_c varchar",
		},
		"twenty": {"address": "city TEXT", "birthdate": "birthDate DATE", "bank": "iban TEXT"},
	}
}

func kindOf(crm, typ string) kind {
	switch crm {
	case "espocrm":
		return espoKind(typ)
	case "odoo":
		return odooKind(typ)
	case "hubspot":
		if typ == "html" {
			return longText
		}
		return hubSpotKind(typ, "")
	case "suitecrm":
		return suiteKind(typ, "varchar")
	}
	return map[string]kind{
		"string": text, "combobox": text, "textarea": longText, "email": email, "phone": phone, "address": address, "date": date, "String": text, "Email": email, "Phone": phone, "Memo": longText, "DateTime": date,
		"varchar": text, "text": longText, "TEXT": text, "DATE": date,
	}[typ]
}

// Of the fields with personal values nearly all get the category of their marks, and
// none is public.
func TestPersonalFieldsOfTheExchangesAreTold(t *testing.T) {
	j := judge{vocabulary.New()}
	all, right, hidden := 0, 0, 0
	for crm, by := range personal() {
		for want, list := range by {
			for f := range strings.SplitSeq(list, ",") {
				name, rest, _ := strings.Cut(f, " ")
				typ, label, _ := strings.Cut(rest, " ")
				v := j.of(&entity{types: []string{"contact"}, persons: true}, &field{name: name, label: label, kind: kindOf(crm, typ), custom: label != ""})
				spec := v.spec()
				all++
				switch {
				case slices.Contains(v.categories, access.Category(want)):
					right++
				case spec == string(access.Unclassified):
					hidden++
					t.Logf("%s %s: hidden, not %s", crm, name, want)
				default:
					t.Logf("%s %s: %s, not %s", crm, name, spec, want)
				}
				if strings.Contains(spec, "public") {
					t.Errorf("%s %s is public", crm, name)
				}
			}
		}
	}
	t.Logf("%d of %d fields have the category of their marks, %d are hidden without one", right, all, hidden)
	const least, of = 95, 100
	if right*of < all*least {
		t.Errorf("%d of %d fields have the category of their marks", right, all)
	}
}
