package metadata_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/profile/metadata"
)

// crms are the folders of testdata with documents in the form of each CRM.
func crms() []string {
	return []string{"dynamics", "espocrm", "hubspot", "odoo", "pipedrive", "salesforce", "suitecrm", "twenty"}
}

func documents(t testing.TB, crm string) []metadata.File {
	t.Helper()
	names, err := filepath.Glob("testdata/" + crm + "/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no documents of %s: %v", crm, err)
	}
	var files []metadata.File
	for _, n := range names {
		src, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		if !metadata.Is(src) {
			t.Errorf("%s isn't recognised", n)
		}
		files = append(files, metadata.File{Name: filepath.ToSlash(n), Bytes: src})
	}
	return files
}

func drawn(t testing.TB, files ...metadata.File) (string, *profile.Profile) {
	t.Helper()
	s, err := metadata.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Draft(metadata.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out), p
}

// What is drawn of each CRM's documents, to be read. UPDATE=1 writes it anew.
func TestDraftsAreThoseInTheFolders(t *testing.T) {
	for _, crm := range crms() {
		t.Run(crm, func(t *testing.T) {
			out, _ := drawn(t, documents(t, crm)...)
			golden := "testdata/" + crm + "/draft.yaml"
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(golden, []byte(out), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if out != string(want) {
				t.Errorf("%s differs; look at the change, and run UPDATE=1 go test ./internal/profile/metadata\n%s", golden, out)
			}
		})
	}
}

func said(p *profile.Profile, name string) string {
	typ, field, _ := strings.Cut(name, ":")
	s, ok := p.Says(typ, field)
	var list []string
	for _, c := range s.Categories {
		list = append(list, string(c))
	}
	slices.Sort(list)
	switch {
	case !ok:
		return "not said"
	case s.Related:
		return "related"
	}
	return strings.Join(list, " ")
}

// A company's own fields get categories by their types, names, labels and marks, and
// those that nothing tells stay hidden, numbers and booleans too.
func TestOwnFieldsAreClassified(t *testing.T) {
	for crm, want := range map[string]map[string]string{
		"espocrm": {
			"Contact:cHandy": "phone", "Contact:cPrivateEmail": "email", "Contact:cBlutgruppe": "special", "Contact:cGewerkschaft": "special", "Contact:cGehalt": "bank",
			"Contact:cGeburtstag": "birthdate", "Contact:cSchuhgroesse": "unclassified", "Contact:cLieferadresseCity": "address", "Contact:cVorlieben": "unclassified", "Contact:cWerberId": "related",
			"Contact:cWerberName": "name", "Contact:cVereinName": "unclassified", "Account:industry": "unclassified", "CTrainer:lastName": "name", "CHobby:ort": "address", "Contact:cHobbies": "related",
			"Contact:title": "public", "Contact:emailAddress": "email", "CTrainer:emailAddress": "email", "CHobby:trainerName": "name", "Contact:cAlt": "not said",
		},
		"odoo": {
			"res.partner:x_studio_char_field_7Bq": "identity", "res.partner:x_studio_geburtsname": "identity", "res.partner:x_studio_integer_field_2": "unclassified", "res.partner:x_vip": "unclassified",
			"res.partner:x_berater_id": "related", "res.partner:x_fahrzeug_id": "unclassified", "crm.lead:x_whatsapp": "phone", "x_kurs:x_teilnehmer_ids": "related", "res.partner:emergency_contact": "name", "res.partner:email": "email",
		},
		"hubspot": {
			"contacts:patient_number": "special", "contacts:social_security_number": "identity", "contacts:shoe_size": "unclassified", "contacts:notfallkontakt": "phone", "contacts:old_field": "not said",
			"p8812345_pets:vet_email": "email", "2-1234567:weight": "unclassified", "contacts:firstname": "name", "contacts:second_owner": "public", "2-1234567:hs_createdate": "public",
		},
		"salesforce": {
			"Contact:ssn__c": "identity", "Contact:Code__c": "special", "Contact:Glaube__c": "special", "Contact:Shoe_Size__c": "unclassified", "Contact:Languages__c": "unclassified", "Contact:Pets__r": "related",
			"Pet__c:Owner__c": "related", "Pet__c:Vet_Phone__c": "phone", "Contact:Project__c": "unclassified", "Contact:Email": "email",
		},
		"dynamics": {
			"contacts:new_feld17": "identity", "contacts:new_konfession": "special", "contact:new_schuhgroesse": "unclassified", "contacts:new_PetId": "related", "new_pets:new_vetphone": "phone", "new_pet:_ownerid_value": "related",
		},
		"pipedrive": {
			"person:9dc80c50d78a15643bfc4ca79d76156a73a1ca0e": "birthdate", "persons:0b1c5a8d4b7f4b5c8a9d1e2f3a4b5c6d7e8f9a0b": "bank", "person:1111222233334444555566667777888899990000": "unclassified",
			"lead:ddddeeeeffff0000111122223333444455556666": "address",
		},
		"suitecrm": {
			"Contacts:blutgruppe_c": "special", "Contacts:notfall_c": "phone", "Contacts:schuhgroesse_c": "unclassified", "ACME_Vereine:kontonummer_c": "bank", "ACME_Vereine:vorstand_c": "unclassified", "Contacts:foto_c": "identity",
		},
		"twenty": {"people:religion": "special", "people:notfall": "phone public", "person:schuhgroesse": "unclassified", "people:pet": "related", "pets:story": "free_text", "people:retired": "not said"},
	} {
		_, p := drawn(t, documents(t, crm)...)
		for name, want := range want {
			if got := said(p, name); got != want {
				t.Errorf("%s %s: %s, want %s", crm, name, got, want)
			}
		}
	}
}

// Of what a company made, nothing is public but what plainly says something of a
// record: an employee, a type, a moment, a unit.
func TestLittleIsPublicInDrafts(t *testing.T) {
	for _, crm := range crms() {
		out, _ := drawn(t, documents(t, crm)...)
		for line := range strings.Lines(out) {
			if !strings.Contains(line, ": public #") {
				continue
			}
			told := []string{"CHECK", "an employee", "the type of a record", "the currency of", "beside it", "types of media", "whom it belongs to"}
			if !slices.ContainsFunc(told, func(s string) bool { return strings.Contains(line, s) }) {
				t.Errorf("%s: %s", crm, line)
			}
		}
	}
}

// Every field that the profile that ships describes keeps what it says, but for those
// that the CRM marks as personal data.
func TestDraftsLeaveTheProfileThatShipsAlone(t *testing.T) {
	for _, crm := range crms() {
		src, err := profile.Builtin(crm)
		if err != nil {
			t.Fatal(err)
		}
		base, err := profile.Load(src)
		if err != nil {
			t.Fatal(err)
		}
		_, p := drawn(t, documents(t, crm)...)
		for _, d := range profile.Diff(base, p) {
			if d.Old != "" && d.Name != "account.industry" {
				t.Errorf("%s: %+v", crm, d)
			}
		}
	}
}

// A new kind of record is served at the addresses of the profile that ships, and its
// fields can't be asked about but as the draft says.
func TestAddedRecordsAreServed(t *testing.T) {
	for crm, c := range map[string]struct {
		path   string
		query  []profile.Param
		entity access.Entity
		want   string
	}{
		"espocrm":    {"/api/v1/CHobby", []profile.Param{{Name: "select", Value: "ort"}}, "hobby", "select ort address"},
		"hubspot":    {"/crm/v3/objects/2-1234567", []profile.Param{{Name: "properties", Value: "vet_email"}}, "pet", "select vet_email email"},
		"salesforce": {"/services/data/v62.0/query", []profile.Param{{Name: "q", Value: "SELECT Id FROM Pet__c WHERE Vet_Phone__c = '1'"}}, "pet", "filter Vet_Phone__c phone"},
		"dynamics":   {"/api/data/v9.2/new_pets", []profile.Param{{Name: "$filter", Value: "new_vetphone eq '1'"}}, "pet", "filter new_vetphone phone"},
		"suitecrm":   {"/Api/V8/module/ACME_Vereine", []profile.Param{{Name: "sort", Value: "kontonummer_c"}}, "acme_vereine", "sort kontonummer_c bank"},
		"twenty":     {"/rest/pets", []profile.Param{{Name: "order_by", Value: "story[AscNullsFirst]"}}, "pet", "sort story free_text"},
	} {
		_, p := drawn(t, documents(t, crm)...)
		x, err := p.Classify(profile.Request{Method: "GET", Path: c.path, Query: c.query})
		if err != nil {
			t.Errorf("%s: %v", crm, err)
			continue
		}
		var got []string
		for _, r := range x.Accesses[0].Refs {
			got = append(got, string(r.Role)+" "+r.Field+" "+string(r.Categories[0]))
		}
		if x.Accesses[0].Entity != c.entity || !slices.Contains(got, c.want) {
			t.Errorf("%s: %s %q", crm, x.Accesses[0].Entity, got)
		}
	}
}

// What an answer holds in a company's own fields is found, also in a list behind a link
// that the company made, and its records are named.
func TestAnswersWithOwnFieldsAreMasked(t *testing.T) {
	_, p := drawn(t, documents(t, "espocrm")...)
	for path, c := range map[string]struct {
		answer string
		want   map[string]string // texts of the answer → category, "" for public
		named  []string
	}{
		"/api/v1/Contact/5f1": {
			`{"id":"5f1","name":"Anna","title":"Chefin","cBlutgruppe":"AB","cSchuhgroesse":38,"cGehalt":5000,"cGehaltCurrency":"EUR","cGewerkschaft":true,"cHandyData":[{"phoneNumber":"0151","type":"Mobile","primary":true}],
			 "cWerberId":"5f2","cWerberName":"Berta","cHobbiesIds":["7a"],"cHobbiesNames":{"7a":"Segeln"},"cVereinId":"9","cVorlieben":["Tee"],"cLieferadresseCity":"Ulm","cSpaeter":"x"}`,
			map[string]string{
				"Anna": "name", "Chefin": "", "AB": "special", "38": "unclassified", "5000": "bank", "EUR": "", "true": "", "0151": "phone", "Mobile": "", "5f2": "", "Berta": "name", "7a": "", "Segeln": "free_text",
				"9": "unclassified", "Tee": "unclassified", "Ulm": "address", "x": "unclassified",
			},
			[]string{"contact 5f1", "contact 5f2", "hobby 7a"},
		},
		"/api/v1/Contact/5f1/cHobbies": {
			`{"total":1,"list":[{"id":"7a","name":"Segeln","ort":"Kiel","trainerId":"8b","trainerName":"Cem","anzahl":3,"neu":4}]}`,
			map[string]string{"Segeln": "free_text", "Kiel": "address", "8b": "", "Cem": "name", "3": "", "4": "unclassified"},
			[]string{"hobby 7a", "trainer 8b"},
		},
	} {
		x, err := p.Classify(profile.Request{Method: "GET", Path: path})
		if err != nil {
			t.Fatal(err)
		}
		tree, err := json.Parse([]byte(c.answer), doc.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		l, err := x.Locate(tree, 200)
		if err != nil {
			t.Fatal(err)
		}
		found, special := map[string]string{}, 0
		for _, f := range l.Fields {
			for n := f.Node; n < int(tree.Nodes[f.Node].Next); n++ {
				if f.Categories[0] != access.Public {
					found[tree.Text(n)] = string(f.Categories[0])
				}
				if tree.Nodes[n].Kind == doc.Bool && f.Categories[0] == access.Special {
					special++
				}
			}
		}
		for text, want := range c.want {
			if text != "true" && found[text] != want {
				t.Errorf("%s: %s is %q, want %q", path, text, found[text], want)
			}
		}
		if special == 0 && strings.Contains(c.answer, "Gewerkschaft") {
			t.Error("who is in a union is shown")
		}
		var named []string
		for _, r := range l.Records {
			named = append(named, string(r.Entity)+" "+r.ID)
		}
		for _, want := range c.named {
			if !slices.Contains(named, want) {
				t.Errorf("%s: %s isn't named: %q", path, want, named)
			}
		}
	}
}
