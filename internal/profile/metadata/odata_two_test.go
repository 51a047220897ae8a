package metadata_test

import (
	"os"
	"slices"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/profile"
	"github.com/crmgate/crmgate/internal/profile/metadata"
)

// TestProfileOfAServiceOfVersion2 loads, follows its links and masks what they lead to.
func TestProfileOfAServiceOfVersion2(t *testing.T) {
	src, err := os.ReadFile("testdata/sales.xml")
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := metadata.Read([]metadata.File{{Name: "sales.xml", Bytes: src}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := drawn.Draft(metadata.Options{Name: "sales/1", Path: "/odata/v1/sales"})
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
