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

// A remote call's status says that there is an answer, and no more.
func TestAnErrorInTheAnswerToACallIsAFailure(t *testing.T) {
	odoo := Request{
		Method: "POST", Path: "/web/dataset/call_kw/res.partner/write", MediaType: "application/json",
		Body: []byte(`{"id":1,"jsonrpc":"2.0","method":"call","params":{"model":"res.partner","method":"write","args":[[7],{"email":"x"}],"kwargs":{}}}`),
	}
	tryton := Request{Method: "POST", Path: "/db/", MediaType: "application/json", Body: []byte(`{"id":1,"method":"model.party.party.write","params":[[7],{"name":"x"},{}]}`)}
	twenty := Request{Method: "POST", Path: "/graphql", MediaType: "application/json", Body: []byte(`{"query":"mutation { deletePerson(id: \"7b1c4b1e-0000-4000-8000-000000000001\") { id } }"}`)}
	for _, c := range []struct {
		profile        string
		r              Request
		answer         string
		failed, partly bool
	}{
		{"odoo", odoo, `{"id":1,"jsonrpc":"2.0","result":true}`, false, false},
		{"odoo", odoo, `{"id":1,"jsonrpc":"2.0","error":{"code":200}}`, true, false},
		{"tryton", tryton, `{"id":1,"result":null}`, false, false},
		{"tryton", tryton, `{"id":1,"error":["UserError",["a","b"]]}`, true, false},
		{"twenty", twenty, `{"data":{"deletePerson":{"id":"7"}}}`, false, false},
		{"twenty", twenty, `{"data":{"deletePerson":null},"errors":[{"message":"x"}]}`, false, true},
		{"twenty", twenty, `{"errors":[{"message":"x"}]}`, true, true},
	} {
		src, err := Builtin(c.profile)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Load(src)
		if err != nil {
			t.Fatal(err)
		}
		x, err := p.Classify(c.r)
		if err != nil {
			t.Fatalf("%s: %v", c.profile, err)
		}
		tree, err := json.Parse([]byte(c.answer), doc.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		if failed, partly := x.Failed(tree, 200); failed != c.failed || partly != c.partly {
			t.Errorf("%s: %s: failed %t, partly %t", c.profile, c.answer, failed, partly)
		}
	}
}
