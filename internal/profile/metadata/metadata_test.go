package metadata_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/profile/metadata"
)

func bookshop(t *testing.T) *profile.Profile {
	t.Helper()
	src, err := os.ReadFile("testdata/bookshop.xml")
	if err != nil {
		t.Fatal(err)
	}
	out, err := metadata.Profile(src, metadata.Options{Name: "bookshop/1", Path: "/odata/v4/catalog/"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

func TestDrawnProfileLoadsAndKnowsItsFields(t *testing.T) {
	p := bookshop(t)
	x, err := p.Classify(profile.Request{Method: "GET", Path: "/odata/v4/catalog/Orders", Query: []profile.Param{
		{Name: "$filter", Value: "contains(customer/emailAddress1,'x') and customer/shoeSize gt 40 and currency_code eq 'EUR'"},
		{Name: "$orderby", Value: "customer/home/street"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range x.Accesses[0].Refs {
		got = append(got, string(r.Role)+" "+string(r.Entity)+"."+r.Field+" "+string(r.Categories[0]))
	}
	want := []string{"filter customers.emailAddress1 email", "filter customers.shoeSize unclassified", "filter orders.currency_code public", "sort customers.home.street address"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestDrawnProfileMasksAnswers(t *testing.T) {
	p := bookshop(t)
	x, err := p.Classify(profile.Request{Method: "GET", Path: "/odata/v4/catalog/Customers"})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := json.Parse([]byte(`{"@odata.context":"$metadata#Customers","value":[{"ID":"9c9f62b3-bf21-5db4-8017-d792f7db7f0a","name":"Anna","dateOfBirth":"1980-01-01",
		"IBAN":"DE02","taxID":"12","shoeSize":38,"home":{"street":"Weg 1","floor":3},"tags":["x"],"createdBy":"anna@example.com","new":"y","orders":[{"ID":"d218d306-e88c-57ac-87f9-9963eafdb001","amount":5,"note":"z"}],"lines":[{"pos":7}]}]}`), doc.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	l, err := x.Locate(tree, 200)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, f := range l.Fields {
		for n := f.Node; n < int(tree.Nodes[f.Node].Next); n++ {
			found[tree.Text(n)] = string(f.Categories[0])
		}
	}
	for text, want := range map[string]string{
		"Anna": "name", "1980-01-01": "birthdate", "DE02": "bank", "12": "tax_id", "38": "unclassified", "Weg 1": "address", "3": "unclassified", "x": "unclassified",
		"anna@example.com": "unclassified", "y": "unclassified", "z": "free_text", "7": "unclassified", "5": "", "$metadata#Customers": "",
	} {
		if found[text] != want {
			t.Errorf("%s: %q, want %q", text, found[text], want)
		}
	}
	if len(l.Records) != 2 {
		t.Errorf("records %v", l.Records)
	}
}

func TestRecordsThatCannotBeNamedAreRefused(t *testing.T) {
	for _, path := range []string{"/odata/v4/catalog/Lines", "/odata/v4/catalog/$batch", "/odata/v4/other/Orders"} {
		_, err := bookshop(t).Classify(profile.Request{Method: "GET", Path: path})
		if _, ok := errors.AsType[*profile.Refusal](err); !ok {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestOtherMetadataIsRefused(t *testing.T) {
	for src, want := range map[string]string{
		"":  "reading the metadata",
		"{": "reading the metadata",
		`<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"/>`: "OData 4.0 and 4.01",
		`<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"/>`:      "no set of entities",
	} {
		if _, err := metadata.Profile([]byte(src), metadata.Options{Name: "x/1"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: %v, want %q", src, err, want)
		}
	}
}

// FuzzProfile: no metadata makes a profile that can't be read, or one in which
// something else stands than it should.
func FuzzProfile(f *testing.F) {
	src, err := os.ReadFile("testdata/bookshop.xml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(src)
	f.Fuzz(func(t *testing.T, src []byte) {
		out, err := metadata.Profile(src, metadata.Options{Name: "x/1", Path: "/o"})
		if err != nil {
			return
		}
		if _, err := profile.Load(out); err != nil && !strings.Contains(err.Error(), "belongs to entity") {
			t.Fatalf("%v\n%s", err, out)
		}
	})
}

// TestProfileOfAServiceOfVersion2 loads, follows its links and masks what they lead to.
func TestProfileOfAServiceOfVersion2(t *testing.T) {
	src, err := os.ReadFile("testdata/sales.xml")
	if err != nil {
		t.Fatal(err)
	}
	out, err := metadata.Profile(src, metadata.Options{Name: "sales/1", Path: "/odata/v1/sales"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	x, err := p.Classify(profile.Request{Method: "GET", Path: "/odata/v1/sales/ContactCollection", Query: []profile.Param{
		{Name: "$filter", Value: "substringof('x',Email) and ShoeSize gt 40 and CreatedOn gt datetime'2026-01-01T00:00:00'"}, {Name: "$expand", Value: "Notes"}, {Name: "$format", Value: "json"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range x.Accesses[0].Refs {
		got = append(got, string(r.Role)+" "+string(r.Entity)+"."+r.Field+" "+string(r.Categories[0]))
	}
	want := []string{"filter contact.Email email", "filter contact.ShoeSize unclassified", "filter contact.CreatedOn public"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	tree, err := json.Parse([]byte(`{"d":{"results":[{"ObjectID":"7","LastName":"Quast","ShoeSize":38,"Notes":{"results":[{"ObjectID":"8","Text":"called"}]}}]}}`), doc.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	l, err := x.Locate(tree, 200)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, f := range l.Fields {
		found[tree.Text(f.Node)] = string(f.Entity) + " " + string(f.Categories[0])
	}
	if found["Quast"] != "contact name" || found["called"] != "note unclassified" && found["called"] != "note free_text" || found["38"] != "contact unclassified" || len(l.Records) != 2 {
		t.Errorf("%v %v", found, l.Records)
	}
}
