package profile

import (
	"slices"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
)

// A client can write a person's name in the place of a field's. What fits a pattern of
// names counts as a name only where it is made of the profile's own words.
func TestOnlyNamesOfTheProfileAreNames(t *testing.T) {
	src, err := Builtin("odoo")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"email": true, "phone": true, "phone_mobile": true, "street2": true, "category_id": true,
		"phone_max_mustermann": false, "phone 0301234567": false, "street_4711": false, "Max Mustermann": false, "": false,
		"image_erika": false, "x_phone": false,
	} {
		if got := p.NamesField("res.partner", name); got != want {
			t.Errorf("%q is a name: %t, want %t", name, got, want)
		}
	}
	if p.NamesField("no.such.type", "email") {
		t.Error("a field of an unknown type is a name")
	}
}

func TestWordsOfAName(t *testing.T) {
	for name, want := range map[string][]string{
		"phone_mobile": {"phone", "mobile"}, "emailAddress2": {"email", "address", "2"}, "IBANNumber": {"ibannumber"},
		"a.b-c": {"a", "b", "c"}, "": nil, "Größe": {"größe"},
	} {
		if got := slices.Collect(words(name)); !slices.Equal(got, want) {
			t.Errorf("words of %q: %q, want %q", name, got, want)
		}
	}
}

func TestAnswersThatReportAnErrorAreNoSuccess(t *testing.T) {
	for body, want := range map[string]bool{
		`{"id":7,"errors":[]}`: false, `{"success":true,"error":null,"status":"ok"}`: false, `[1,2]`: false, `{"data":[{"id":1,"status":"success"}]}`: false,
		`{"success":false}`: true, `[{"id":"1","success":true},{"success":false,"errors":[{"m":"x"}]}]`: true,
		`{"data":[{"code":"X","status":"error"}]}`: true, `{"errors":{"email":["taken"]}}`: true, `{"error":"no"}`: true,
	} {
		tree, err := json.Parse([]byte(body), doc.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		if got := reportsError(tree); got != want {
			t.Errorf("%s reports an error: %t, want %t", body, got, want)
		}
	}
}
