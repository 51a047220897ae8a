package metadata_test

import (
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/profile/metadata"
)

const manyFields = `{"name": {"type": "char", "string": "Name"}}`

func TestDocumentsThatNobodyKnowsAreRefused(t *testing.T) {
	deep := strings.Repeat("[", 60) + strings.Repeat("]", 60)
	for _, c := range []struct{ name, file, src, want string }{
		{"no JSON", "x.json", `{"a": `, "x.json: malformed json at byte 6"},
		{"key twice", "x.json", `{"results": [], "results": []}`, "x.json: malformed json at byte"},
		{"too deep", "x.json", deep, "x.json: malformed json at byte"},
		{"something else", "x.json", `{"items": []}`, "x.json: nobody knows this document; give what one of these answers with: EspoCRM:"},
		{"objects without fields", "sobjects.json", `{"encoding": "UTF-8", "sobjects": [{"name": "Contact"}]}`, "save …/sobjects/NAME/describe of each"},
		{"properties of nobody", "properties.json", `{"results": [{"name": "a", "label": "A", "type": "string", "fieldType": "text"}]}`, "name the file by it: contacts.json"},
		{"fields of nobody", "fields.json", `{"success": true, "data": [{"key": "name", "name": "Name", "field_type": "varchar"}]}`, "name the file by the address: personFields.json"},
		{"module without a name", "fields.json", `{"data": {"type": "fields", "attributes": {"name": {"type": "name"}}}}`, "name the file by it: Contacts.json"},
		{"model without a name", "partner.json", manyFields, "name the file by it: res.partner.json"},
		{"definitions without attributes", "e.json", `{"value": [{"LogicalName": "contact", "EntitySetName": "contacts"}]}`, "the definition of contact has no attributes; ask with $expand=Attributes"},
		{"nothing of HubSpot's", "contacts-2.json", `{"results": []}`, "no kind of record stands in contacts-2.json"},
		{"nothing in it", "m.json", `{"entityDefs": {}}`, "no kind of record stands in m.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := metadata.Read([]metadata.File{{Name: c.file, Bytes: []byte(c.src)}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
	if _, err := metadata.Read(nil); err == nil || !strings.Contains(err.Error(), "there is no document") {
		t.Error(err)
	}
	_, err := metadata.Read(append(documents(t, "espocrm"), documents(t, "twenty")...))
	if err == nil || !strings.Contains(err.Error(), "objects.json is of twenty, and a document before it of another CRM") {
		t.Error(err)
	}
	s, err := metadata.Read(documents(t, "espocrm"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Draft(metadata.Options{Path: "/x"}); err == nil || !strings.Contains(err.Error(), "a path is for a service of OData") {
		t.Error(err)
	}
}

func TestFurtherPagesBelongToTheFirst(t *testing.T) {
	page := func(name, field string) metadata.File {
		return metadata.File{Name: name, Bytes: []byte(`{"success": true, "data": [{"key": "` + field + `", "name": "Telefon", "field_type": "phone", "edit_flag": true}]}`)}
	}
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	_, p := drawn(t, append(documents(t, "hubspot"), metadata.File{Name: "contacts-3.json", Bytes: []byte(`{"results": []}`)})...)
	if said(p, "contacts:patient_number") != "special" {
		t.Error("an empty page took the others with it")
	}
	_, p = drawn(t, page("personFields.json", a), page(`C:\saved\personFields-2.json`, b))
	if said(p, "person:"+a) != "phone" || said(p, "person:"+b) != "phone" {
		t.Errorf("%s, %s", said(p, "person:"+a), said(p, "person:"+b))
	}
}

// A name or a label is no place for a profile's own words.
func TestNamesAndLabelsCannotSayAnythingElse(t *testing.T) {
	src := `{"results": [
	 {"name": "a|*", "label": "A", "type": "string", "fieldType": "text"},
	 {"name": "b: public\n      \"*\"", "label": "B", "type": "string", "fieldType": "text"},
	 {"name": "c", "label": "C\n      email: public\u2028      phone: public\u0085      x: public", "type": "string", "fieldType": "text"},
	 {"name": "<<", "label": "D", "type": "string", "fieldType": "text"},
	 {"name": "yes", "label": "E", "type": "string", "fieldType": "text"}]}`
	out, p := drawn(t, metadata.File{Name: "contacts.json", Bytes: []byte(src)})
	for name, want := range map[string]string{"contacts:email": "email", "contacts:phone": "phone", "contacts:x": "not said", "contacts:a": "not said", "contacts:yes": "unclassified", "contacts:c": "email"} {
		if got := said(p, name); got != want {
			t.Errorf("%s: %s, want %s\n%s", name, got, want, out)
		}
	}
}

func TestDraftsHaveAllThatStandsBeside(t *testing.T) {
	for _, crm := range crms() {
		files := documents(t, crm)
		s, err := metadata.Read(files)
		if err != nil {
			t.Fatal(err)
		}
		_, p := drawn(t, files...)
		if d, err := s.Beside(p); err != nil || len(d) > 0 {
			t.Errorf("%s: %v %+v", crm, err, d)
		}
	}
	s, err := metadata.Read([]metadata.File{bookshopFile(t)})
	if err != nil {
		t.Fatal(err)
	}
	if d, err := s.Beside(bookshop(t)); err != nil || len(d) > 0 {
		t.Errorf("%v %+v", err, d)
	}
}

func bookshopFile(t *testing.T) metadata.File {
	t.Helper()
	src, err := os.ReadFile("testdata/bookshop.xml")
	if err != nil {
		t.Fatal(err)
	}
	return metadata.File{Name: "bookshop.xml", Bytes: src}
}

func TestWhatAnUpgradeBringsIsNamed(t *testing.T) {
	older := documents(t, "espocrm")
	src := string(older[0].Bytes)
	for old, with := range map[string]string{
		`"cSegment": {"type": "enum", "isCustom": true}`:      `"cSegment": {"type": "varchar", "isCustom": true, "isPersonalData": true}, "cNeu": {"type": "phone", "isCustom": true}`,
		`"cSchuhgroesse": {"type": "int", "isCustom": true},`: ``,
		`"title": {"type": "varchar", "notStorable": true}`:   `"title": {"type": "varchar", "isPersonalData": true}`,
		`"AuthToken": {"fields"`:                              `"CNeu": {"fields": {"name": {"type": "varchar"}}}, "Token": {"fields"`,
		`"CHobby": {"entity": true`:                           `"CNeu": {"entity": true, "isCustom": true}, "CHobby": {"entity": true`,
	} {
		if !strings.Contains(src, old) {
			t.Fatalf("the document has no %s", old)
		}
		src = strings.Replace(src, old, with, 1)
	}
	newer := metadata.File{Name: "Metadata.json", Bytes: []byte(src)}
	a, err := metadata.Read(older)
	if err != nil {
		t.Fatal(err)
	}
	b, err := metadata.Read([]metadata.File{newer})
	if err != nil {
		t.Fatal(err)
	}
	got, err := metadata.Diff(a, b)
	if err != nil {
		t.Fatal(err)
	}
	want := []profile.Difference{
		{Kind: "entity", Name: "AuthToken", Old: "1 fields"},
		{Kind: "entity", Name: "CNeu", New: "1 fields"},
		{Kind: "field", Name: "Contact.cNeu", New: "phone"},
		{Kind: "field", Name: "Contact.cNeuData", New: "phone"},
		{Kind: "field", Name: "Contact.cNeuIsInvalid", New: "phone"},
		{Kind: "field", Name: "Contact.cNeuIsOptedOut", New: "phone"},
		{Kind: "field", Name: "Contact.cSchuhgroesse", Old: "int"},
		{Kind: "field", Name: "Contact.cSegment", Old: "enum", New: "varchar, isPersonalData"},
		{Kind: "field", Name: "Contact.title", Old: "varchar", New: "varchar, isPersonalData"},
		{Kind: "entity", Name: "Token", New: "1 fields"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	_, p := drawn(t, older...)
	if got, err = b.Beside(p); err != nil {
		t.Fatal(err)
	}
	for _, d := range []profile.Difference{{Kind: "entity", Name: "neu", New: "CNeu"}, {Kind: "field", Name: "contact.cNeu", New: "phone"}, {Kind: "field", Name: "contact.title", Old: "public", New: "unclassified"}} {
		if !slices.Contains(got, d) {
			t.Errorf("%+v isn't in %+v", d, got)
		}
	}
}

func TestServicesOfODataAreCompared(t *testing.T) {
	f := bookshopFile(t)
	newer := f
	newer.Bytes = []byte(strings.Replace(string(f.Bytes), `<Property Name="shoeSize" Type="Edm.Int32"/>`, `<Property Name="shoeSize" Type="Edm.String"/><Property Name="hatSize" Type="Edm.Int32"/>`, 1))
	a, err := metadata.Read([]metadata.File{f})
	if err != nil {
		t.Fatal(err)
	}
	b, err := metadata.Read([]metadata.File{newer})
	if err != nil {
		t.Fatal(err)
	}
	got, err := metadata.Diff(a, b)
	want := []profile.Difference{{Kind: "field", Name: "Customers.hatSize", New: "Edm.Int32"}, {Kind: "field", Name: "Customers.shoeSize", Old: "Edm.Int32", New: "Edm.String"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v %+v", err, got)
	}
	if got, err = b.Beside(bookshop(t)); err != nil || len(got) != 1 || got[0].Name != "customers.hatSize" {
		t.Errorf("%v %+v", err, got)
	}
}

// FuzzRead: no document makes a draft that can't be read, or in which the profile that
// ships says less than it does. seed mixes a document's own texts.
func FuzzRead(f *testing.F) {
	for i, crm := range crms() {
		for _, d := range documents(f, crm) {
			f.Add(d.Bytes, uint8(i), uint64(0))
			f.Add(d.Bytes, uint8(i), uint64(7*i+1))
		}
	}
	f.Add([]byte(manyFields), uint8(3), uint64(0))
	names := []string{"EntityDefinitions.json", "Metadata.json", "contacts.json", "res.partner.json", "personFields.json", "Contact.json", "Contacts.json", "objects.json"}
	f.Fuzz(func(t *testing.T, src []byte, name uint8, seed uint64) {
		s, err := metadata.Read([]metadata.File{{Name: names[int(name)%len(names)], Bytes: mixed(src, seed)}})
		if err != nil {
			return
		}
		out, err := s.Draft(metadata.Options{})
		if err != nil {
			return
		}
		p, err := profile.Load(out)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if _, err := s.Beside(p); err != nil {
			t.Fatal(err)
		}
		for _, field := range []string{"Contact:emailAddress", "contacts:email", "res.partner:email", "Contact:Email", "contacts:emailaddress1", "person:emails", "Contacts:email1", "people:emails"} {
			if got := said(p, field); got == "public" {
				t.Errorf("%s is public in\n%s", field, out)
			}
		}
	})
}

var quoted = regexp.MustCompile(`"[^"\\]*"`)

// mixed puts some of a document's texts in others' places; none for the seed 0.
func mixed(src []byte, seed uint64) []byte {
	texts := append(quoted.FindAllString(string(src), -1), `"Contact"`, `"contacts"`, `"a|*"`, `"#"`, `"<<"`, `"res.partner"`, `"email"`, `"id"`, `"\u2028x: y"`)
	if seed == 0 {
		return src
	}
	r := rand.New(rand.NewPCG(seed, 1))
	return []byte(quoted.ReplaceAllStringFunc(string(src), func(s string) string {
		if r.IntN(12) > 0 {
			return s
		}
		return texts[r.IntN(len(texts))]
	}))
}
