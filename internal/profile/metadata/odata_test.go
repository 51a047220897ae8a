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
	s, err := metadata.Read([]metadata.File{{Name: "bookshop.xml", Bytes: src}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Draft(metadata.Options{Name: "bookshop/1", Path: "/odata/v4/catalog/"})
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
		"Anna": "name", "1980-01-01": "birthdate", "DE02": "bank", "12": "tax_id", "38": "unclassified", "Weg 1": "address", "3": "address", "x": "unclassified",
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
		"":                         "at byte 0",
		"<":                        "reading the metadata: line 1",
		"<a>\n<":                   "reading the metadata: line 2",
		strings.Repeat("<a>", 100): "more than 40 deep",
		`<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"/>`: "OData 4.0 and 4.01",
		`<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"/>`:      "no set of entities",
	} {
		s, err := metadata.Read([]metadata.File{{Name: "m.xml", Bytes: []byte(src)}})
		if err == nil {
			_, err = s.Draft(metadata.Options{})
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "m.xml: ") {
			t.Errorf("%.20s: %v, want %q", src, err, want)
		}
	}
}

// A service can say itself what is personal (SAP's vocabulary), what a property is
// called, and which properties hold keys of other records.
func TestAnnotationsAndForeignKeysAreHeeded(t *testing.T) {
	f := bookshopFile(t)
	src := string(f.Bytes)
	for old, with := range map[string]string{
		`<Property Name="shoeSize" Type="Edm.Int32"/>`:                          `<Property Name="shoeSize" Type="Edm.Int32"/><Property Name="code1" Type="Edm.String"><Annotation Term="Common.Label" String="Geburtsname"/></Property><Property Name="code2" Type="Edm.String"/><Property Name="code3" Type="Edm.String"/><Property Name="isActive" Type="Edm.Boolean"/>`,
		`<NavigationProperty Name="customer" Type="CatalogService.Customers"/>`: `<Property Name="customer_ID" Type="Edm.Guid"/><NavigationProperty Name="customer" Type="CatalogService.Customers"><ReferentialConstraint Property="customer_ID" ReferencedProperty="ID"/></NavigationProperty>`,
		`<ComplexType Name="Place">`: `<Annotations Target="CatalogService.Customers/code2"><Annotation Term="com.sap.vocabularies.PersonalData.v1.IsPotentiallySensitive" Bool="true"/></Annotations>
			<Annotations Target="Self.Customers/isActive"><Annotation Term="PersonalData.IsPotentiallyPersonal"/></Annotations>
			<Annotations Target="Self.Customers/code3"><Annotation Term="PersonalData.IsPotentiallySensitive" Bool="false"/></Annotations><ComplexType Name="Place">`,
	} {
		if !strings.Contains(src, old) {
			t.Fatalf("the document has no %s", old)
		}
		src = strings.Replace(src, old, with, 1)
	}
	f.Bytes = []byte(src)
	out, p := drawn(t, f)
	for name, want := range map[string]string{"Customers:code1": "identity", "Customers:code2": "special", "Customers:code3": "unclassified", "Customers:isActive": "unclassified", "Orders:customer_ID": "related"} {
		if got := said(p, name); got != want {
			t.Errorf("%s: %s, want %s\n%s", name, got, want, out)
		}
	}
}

// FuzzOData: no metadata makes a profile that can't be read, or one in which
// something else stands than it should.
func FuzzOData(f *testing.F) {
	src, err := os.ReadFile("testdata/bookshop.xml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(src)
	f.Fuzz(func(t *testing.T, src []byte) {
		s, err := metadata.Read([]metadata.File{{Name: "m.xml", Bytes: src}})
		if err != nil {
			return
		}
		out, err := s.Draft(metadata.Options{Name: "x/1"})
		if err != nil {
			return
		}
		if _, err := profile.Load(out); err != nil && !strings.Contains(err.Error(), "belongs to entity") {
			t.Fatalf("%v\n%s", err, out)
		}
	})
}
