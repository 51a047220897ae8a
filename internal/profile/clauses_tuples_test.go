package profile

import (
	"strings"
	"testing"
)

const tuples = `
profile: tuples/1
evidence: documented
withheld: W
entities:
  person:
    types: [Lead]
    unknown: mask_if_string
    fields:
      name: name
      mail: email
      state|flag_at: public
      "*_on": public
      main.mail: email
      kind:label: public
  firm: {types: [Firm], fields: {street: address}}
routes:
  - match: POST /list
    entity: person
    action: search
    body: json|form
    members: [filters, fields, order, keys, deep]
    refs:
      - {role: filter, at: body.filters, syntax: clauses, map: &tables {"` + "`tab{type}`.`{field}`" + `": "{field}", "t.{field}": "{field}", "*": "*"}, clauses: {tuples: [[name, operator, value], [type, name, operator, value], [name, operator]], groups: [and, OR]}}
      - {role: select, at: body.fields, syntax: list, map: *tables}
      - {role: sort, at: body.order, syntax: order_by, map: *tables}
      - {role: sort, at: body.keys, syntax: keys, except: [page]}
      - {role: filter, at: body.deep, syntax: clauses, clauses: {name: attribute.name, operator: parameter.*, groups: [and, filter], operators: [eq, any]}}
    records: [{at: "$.rows[*]", columns: $.keys}]
`

// TestClausesAsListsAskAboutTheirField: in whichever of their forms; a list that could
// be read as another clause is refused.
func TestClausesAsListsAskAboutTheirField(t *testing.T) {
	p := loadText(t, tuples)
	for body, want := range map[string]string{
		`{"filters":[["mail","=","x"]]}`:                                                     "filter mail email",
		`{"filters":["mail","like","x"]}`:                                                    "filter mail email",
		`{"filters":[["Lead","mail","not like","x"],["state","in",["a","b"]]]}`:              "filter mail email; filter state public",
		`{"filters":[["Firm","street","=","x"]]}`:                                            "filter firm.street address",
		`{"filters":[["Other","street","=","x"]]}`:                                           "filter Other.street unclassified",
		`{"filters":["OR",[["mail","=","x"],["name","is null"]]]}`:                           "filter mail email; filter name name",
		`{"filters":[["mail","=","x"],"or",["name","=","y"]]}`:                               "filter mail email; filter name name",
		`{"filters":["mail","=","x","or",["name","=","y"]]}`:                                 "malformed",
		`{"filters":{"mail":["like","x"],"state":"y"}}`:                                      "filter mail email; filter state public",
		`{"filters":[["mail","=",["x",["y"]]]]}`:                                             "malformed",
		`{"filters":[["mail","=",{"field":"name"}]]}`:                                        "malformed",
		`{"filters":[["mail","="," x","name",true]]}`:                                        "malformed",
		`{"filters":[["state","= name or","x"]]}`:                                            "malformed",
		`{"filters":[["state",["="],"x"]]}`:                                                  "malformed",
		`{"filters":[[["state"],"=","x"]]}`:                                                  "malformed",
		`{"filters":[["lower(mail)","=","x"]]}`:                                              "unknown_field",
		`{"filters":[["mail x_on","=","x"]]}`:                                                "unknown_field",
		`{"filters":["x"]}`:                                                                  "malformed",
		`{"filters":[]}`:                                                                     "",
		"{\"filters\":[[\"`tabFirm`.`street`\",\"=\",\"x\"]]}":                               "filter firm.street address",
		"{\"fields\":[\"`tabLead`.`mail`\",\"t.name\",\"main.mail\",\"kind:label\"]}":        "select mail email; select name name; select main.mail email; select kind:label public",
		"{\"fields\":[\"`tabLead`.`mail` as state\"]}":                                       "unknown_field",
		`{"fields":["mail as flag_at"]}`:                                                     "unknown_field",
		`{"fields":["mail:label"]}`:                                                          "unknown_field",
		"{\"order\":\"`tabLead`.`mail` desc, t.name\"}":                                      "sort mail email; sort name name",
		"{\"order\":\"`tabA B`.`mail` asc nulls last\"}":                                     "sort A B.mail unclassified",
		`{"order":"mail sideways"}`:                                                          "unknown_field",
		`{"order":"-mail,"}`:                                                                 "malformed",
		`{"keys":{"mail":"asc","page":1}}`:                                                   "sort mail email",
		`{"deep":{"and":[{"filter":{"attribute":{"name":"mail"},"parameter":{"eq":"x"}}}]}}`: "filter mail email",
		`{"deep":{"attribute":{"name":"mail"},"parameter":{"any":["x"]}}}`:                   "filter mail email",
		`{"deep":{"attribute":{"name":"mail"},"parameter":{"eq":"x","any":[]}}}`:             "malformed",
		`{"deep":{"attribute":{"name":"mail"},"parameter":{"eq":{"x":1}}}}`:                  "malformed",
		`{"deep":{"attribute":{"name":"mail"},"parameter":"x"}}`:                             "malformed",
		`{"deep":{"and":[],"filter":[]}}`:                                                    "malformed",
		`{"deep":{"and":"x"}}`:                                                               "malformed",
	} {
		want = strings.NewReplacer("firm.street", "street", "Other.street", "street", "A B.mail", "mail").Replace(want)
		if got := askedBy(t, p, send("POST", "/list", "application/json", body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	for body, want := range map[string]string{
		`filters=[["mail","=","x"]]&fields=["name"]`: "filter mail email; select name name",
		`keys={"mail":"asc"}&order=t.mail+desc`:      "sort mail email; sort mail email",
		`keys={"mail"`:                               "malformed",
		`filters=[["mail","=","x"]`:                  "malformed",
	} {
		if got := askedBy(t, p, send("POST", "/list", urlencoded, strings.ReplaceAll(formText(body), ":", "%3A"))); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestFormsOfClausesAndNamesAreCheckedAtLoad(t *testing.T) {
	for _, c := range []struct{ old, with, want string }{
		{"[name, operator]]", "[name, operator, value]]", "two of the tuples have 3 elements"},
		{"[name, operator]]", "[operator]]", "tuples are lists of type, name"},
		{"[name, operator]]", "[nam, operator]]", "tuples are lists of type, name"},
		{`"t.{field}": "{field}"`, `"t.{field}": "x"`, "a form of names has one {field}"},
		{`"t.{field}": "{field}"`, `"{type}{field}": "{field}"`, "a form of names has one {field}"},
		{`"t.{field}": "{field}"`, `"t.{name}": "{name}"`, "a form of names has one {field}"},
		{"operator: parameter.*, groups", "operator: parameter.*, value: x, groups", "leave value out"},
		{"columns: $.keys", "columns: keys", "neither `header` nor a place"},
	} {
		if !strings.Contains(tuples, c.old) {
			t.Fatalf("there is no %q", c.old)
		}
		if _, err := Load([]byte(strings.Replace(tuples, c.old, c.with, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.with, err, c.want)
		}
	}
}

// TestColumnsThatTheAnswerNamesAreItsRowsFields, and what nobody names is hidden.
func TestColumnsThatTheAnswerNamesAreItsRowsFields(t *testing.T) {
	p := loadText(t, tuples)
	x := classify(t, p, send("POST", "/list", "application/json", `{"fields":["mail"]}`))
	got := strings.Join(locateJSON(t, x, `{"keys":["id","mail","Zoe","state"],"rows":[["7","z@x.de","y","new","more"],{"mail":"a@x.de"},["8"]]}`, 200), "\n")
	for _, want := range []string{"record Lead/7", "field mail=z@x.de email of Lead/7", "Zoe=y unclassified", "=more unclassified", "field =Zoe unclassified", `{"mail":"a@x.de"} unclassified`, "record Lead/8"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "=new") || strings.Contains(got, "=mail unclassified") {
		t.Errorf("what isn't personal is hidden:\n%s", got)
	}
	if got := locateJSON(t, x, `{"rows":[["7","z@x.de"]]}`, 200); !strings.Contains(strings.Join(got, "\n"), "=z@x.de unclassified") {
		t.Errorf("rows whose columns nobody names: %q", got)
	}
}
