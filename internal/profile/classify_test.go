package profile

import (
	"errors"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

// TestCallIsItsExactMembers: with another set of members the CRM speaks another
// protocol.
func TestCallIsItsExactMembers(t *testing.T) {
	p := mini(t)
	for body, want := range map[string]string{
		`{"id":7,"method":"model.crm.person.read","params":[[1],["name"],{}]}`:               "",
		`{"params":[[1],["name"],{}],"id":7,"method":"model.crm.person.read"}`:               "",
		`{"id":7,"\u006dethod":"model.crm.person.read","params":[[1],["name"],{}]}`:          "",
		`{"method":"model.crm.person.read","params":[[1],["name"],{}]}`:                      "malformed",
		`{"id":7,"method":"model.crm.person.read","params":[[1],["name"],{}],"x":1}`:         "malformed",
		`{"id":7,"method":"a","method":"model.crm.person.read","params":[[1],["name"],{}]}`:  "malformed",
		`{"id":7,"Method":"model.crm.person.read","params":[[1],["name"],{}]}`:               "malformed",
		`{"id":7,"method":["model.crm.person.read"],"params":[[1],["name"],{}]}`:             "malformed",
		`{"id":7,"method":"model.crm.person.read","params":{"a":1}}`:                         "malformed",
		`{"id":7,"method":"model.crm.person.read","params":[[1],["name"]]}`:                  "malformed",
		`{"id":7,"method":"model.crm.person.read","params":[[1],["name"],{},null]}`:          "malformed",
		`{"id":7,"method":"model.crm.person.read","params":[[1],["name"],[],{}]}`:            "malformed",
		`[{"id":7,"method":"model.crm.person.read","params":[[1],["name"],{}]}]`:             "malformed",
		`{"id":7,"method":"model.crm.person.read","params":[[1],["name"],{}]} {}`:            "malformed",
		"\ufeff" + `{"id":7,"method":"model.crm.person.read","params":[[1],["name"],{}]}`:    "malformed",
		`{"id":NaN,"method":"model.crm.person.read","params":[[1],["name"],{}]}`:             "malformed",
		`{"id":7,"method":"model.crm.person.read ","params":[[1],["name"],{}]}`:              "unknown_call",
		`{"id":7,"method":"Model.crm.person.read","params":[[1],["name"],{}]}`:               "unknown_call",
		`{"id":7,"method":"model.crm.person.read\u200b","params":[[1],["name"],{}]}`:         "unknown_call",
		`{"id":7,"method":"model.crm.person .read","params":[[1],["name"],{}]}`:              "unknown_type",
		`{"id":7,"method":"model.crm.ｐerson.read","params":[[1],["name"],{}]}`:               "unknown_type",
		`{"id":7,"method":"model..read","params":[[1],["name"],{}]}`:                         "unknown_type",
		`{"id":7,"method":"model.crm.person.change_with_x.read","params":[[1],["name"],{}]}`: "unknown_type",
		`{"id":7,"method":"model.crm.person.browse","params":[[1],{}]}`:                      "unknown_call",
		`{"id":7,"method":"model.crm.person.only_account","params":[{}]}`:                    "unknown_call",
		`{"id":7,"method":"model.crm.account.x.only_account","params":[{}]}`:                 "",
		`{"id":7,"method":"model.crm.person.destroy","params":[[1],{}]}`:                     "denied",
		`{"id":7,"method":"common.login","params":["x",{"a":1},"de"]}`:                       "",
		`{"id":7,"method":"common.login","params":{"0":"x"}}`:                                "malformed",
	} {
		if got := refused(t, p, send("POST", "/db/", "application/json", body)); got != want {
			t.Errorf("%s: refused %q, want %q", body, got, want)
		}
	}
	call := string(rpc("model.crm.person.read", `[1],["name"]`).Body)
	for _, media := range []string{"", "text/json", "text/xml", "application/json-rpc", "text/x-json"} {
		if got := refused(t, p, send("POST", "/db/", media, call)); got != "type" {
			t.Errorf("type %q: refused %q", media, got)
		}
	}
	withQuery := rpc("model.crm.person.read", `[1],["name"]`)
	withQuery.Query = []Param{{"method", "x"}}
	if got := refused(t, p, withQuery); got != "unknown_parameter" {
		t.Errorf("a call with a query: refused %q", got)
	}
}

func TestCallBindsTypeAndVariable(t *testing.T) {
	p := mini(t)
	x := classify(t, p, rpc("model.crm.person.change_with_phone", `{"id":3}`))
	a := x.Accesses[0]
	if x.Call != "crm.person.change_with_phone" || a.Type != "crm.person" || a.Entity != "person" || a.Action != access.Read ||
		strings.Join(a.IDs, ",") != "3" || x.vars["field"] != "phone" {
		t.Errorf("%+v binds %v", a, x.vars)
	}
}

// TestIDsAreWholeNumbers: any other spelling could be an id to the CRM that the
// entry doesn't name.
func TestIDsAreWholeNumbers(t *testing.T) {
	p := mini(t)
	for ids, want := range map[string]string{
		`[1,2]`: "1,2", `[[1],[2]]`: "1,2", `7`: "7", `[]`: "", `[null]`: "", `[-1,3]`: "3",
		`["1"]`: "malformed", `[1.0]`: "malformed", `[1e0]`: "malformed", `[true]`: "malformed", `[-0]`: "malformed",
		`[{"id":1}]`: "malformed", `{"1":2}`: "malformed", `["1_0"]`: "malformed", `[99999999999999999999]`: "malformed",
	} {
		r := rpc("model.crm.person.read", ids+`,["name"]`)
		if want == "malformed" {
			if got := refused(t, p, r); got != want {
				t.Errorf("%s: refused %q, want malformed", ids, got)
			}
			continue
		}
		if got := strings.Join(classify(t, p, r).Accesses[0].IDs, ","); got != want {
			t.Errorf("%s: ids %q, want %q", ids, got, want)
		}
	}
	if got := refused(t, p, get("/people/7x")); got != "malformed" {
		t.Errorf("an id in the path: refused %q", got)
	}
}

func TestSelectedFieldsAreListed(t *testing.T) {
	p := mini(t)
	same(t, "read", asks(classify(t, p, rpc("model.crm.person.read", `[1],["name","boss.phone","nosuch","phone","phone"]`))),
		"select name name", "select boss.phone phone", "select nosuch unclassified", "select phone phone", "select phone phone")
	same(t, "export", asks(classify(t, p, rpc("model.crm.person.export_data", `[1],["kind.translated","boss/phone","boss/kind.translated","boss.phone","kind.other"]`))),
		"select kind public", "select boss.phone phone", "select boss.kind public", "select boss.phone unclassified", "select kind.other unclassified")
	for _, fields := range []string{`{"name":1}`, `"name"`, `[1]`, `[["name"]]`, `[null]`} {
		if got := refused(t, p, rpc("model.crm.person.read", `[1],`+fields)); got != "malformed" {
			t.Errorf("fields %s: refused %q", fields, got)
		}
	}
}

// TestFileIsAskedForWhole unless the context makes the CRM answer with its size.
func TestFileIsAskedForWhole(t *testing.T) {
	p := mini(t)
	for context, want := range map[string]bool{
		`{}`: true, `{"crm.person.picture":"size"}`: false, `{"crm.person.picture":"bytes"}`: true,
		`{"crm.account.picture":"size"}`: true, `{"crm.person.picture":["size"]}`: true,
	} {
		body := `{"id":7,"method":"model.crm.person.read","params":[[1],["picture"],` + context + `]}`
		x := classify(t, p, send("POST", "/db/", "application/json", body))
		if got := len(refsOf(x, RefWhole)) > 0; got != want {
			t.Errorf("context %s: asked for whole: %v", context, got)
		}
	}
	x := classify(t, p, send("POST", "/db/", "application/json",
		`{"id":7,"method":"model.crm.person.read","params":[[1],["boss.picture"],{"crm.person.picture":"size"}]}`))
	if len(refsOf(x, RefWhole)) > 0 {
		t.Error("a nested file's size is asked for whole")
	}
}

// TestOpaqueAnswerAsksForAllItCanHold: of every entity with persons' data.
func TestOpaqueAnswerAsksForAllItCanHold(t *testing.T) {
	p := mini(t)
	x := classify(t, p, rpc("report.crm.letter.execute", `[1],{"model":"ref.place"}`))
	var entities []string
	for _, r := range x.Accesses[0].Refs {
		if r.Role != RefWhole || len(r.Categories) != len(access.Categories())-2 {
			t.Errorf("reference %+v", r)
		}
		entities = append(entities, string(r.Entity))
	}
	same(t, "entities", entities, "account", "person")
	x = classify(t, p, get("/picture"))
	if !x.Image || len(refsOf(x, RefWhole)) == 0 {
		t.Error("a picture isn't asked for whole")
	}
}

func TestQueryParametersAreFieldsOrListed(t *testing.T) {
	p := mini(t)
	x := classify(t, p, get("/people", "sort", "-phone", "fields", "name, phone,", "state", "x", "phone", "1", "q", "", "page", "2"))
	same(t, "refs", asks(x), "sort phone phone", "select name name", "select phone phone", "filter state public", "filter phone phone")
	if x.Accesses[0].Question != "sort=-phone&fields=name, phone,&state=x&phone=1&q=&page=2" {
		t.Errorf("question %q", x.Accesses[0].Question)
	}
	if got := refused(t, p, get("/people", "Phone", "1")); got != "unknown_parameter" {
		t.Errorf("another case: refused %q", got)
	}
	if got := refused(t, p, get("/people/7", "x", "1")); got != "unknown_parameter" {
		t.Errorf("not listed: refused %q", got)
	}
	if x := classify(t, p, get("/static/a.js", "v", "1")); !x.Pass {
		t.Error("a static file doesn't pass")
	}
}

func TestMappedNamesAreTheOnlyOnes(t *testing.T) {
	p := mini(t)
	x := classify(t, p, send("POST", "/mapped", "application/json", `{"by":"mail","group":{"phone":1,"boss":2}}`))
	same(t, "refs", asks(x), "filter email email", "group phone phone", "group boss name")
	if got := refused(t, p, send("POST", "/mapped", "application/json", `{"by":"email"}`)); got != "unknown_field" {
		t.Errorf("refused %q", got)
	}
	if got := refused(t, p, send("POST", "/mapped", "application/json", `{"group":["phone"]}`)); got != "malformed" {
		t.Errorf("refused %q", got)
	}
}

func TestBodiesAreOfTheirTypeOrRefused(t *testing.T) {
	p := mini(t)
	for _, c := range []struct {
		r    Request
		want string
	}{
		{send("GET", "/people", "", "x"), "body"},
		{send("PUT", "/people/7", "text/plain", "{}"), "type"},
		{send("PUT", "/people/7", "application/json", "{"), "malformed"},
		{send("PUT", "/people/7", "application/json", `{"a":1,"a":2}`), "malformed"},
		{send("POST", "/form/7", "application/json", "{}"), "type"},
		{send("POST", "/form/7", "application/x-www-form-urlencoded", "a=1&_method=DELETE"), "method_override"},
		{send("POST", "/keys", "text/plain", "x"), "denied"},
		{send("DELETE", "/people/7", "", ""), "unknown_route"},
	} {
		if got := refused(t, p, c.r); got != c.want {
			t.Errorf("%s %s %s: refused %q, want %q", c.r.Method, c.r.Path, c.r.Body, got, c.want)
		}
	}
}

// TestRefusalKnowsItsRequest: an answer needs the call's id, route and status.
func TestRefusalKnowsItsRequest(t *testing.T) {
	p := mini(t)
	_, err := p.Classify(rpc("model.crm.person.destroy", "[1]"))
	var no *Refusal
	if !errors.As(err, &no) || no.ID != "7" || no.Status != 403 || no.Route != "POST /{db}/" || no.Call != "crm.person.destroy" {
		t.Errorf("%+v", no)
	}
	_, err = p.Classify(send("POST", "/keys", "", ""))
	if !errors.As(err, &no) || no.ID != "null" || no.Status != 501 || no.Text != "No keys." {
		t.Errorf("%+v", no)
	}
	for id, want := range map[string]string{`"x"`: "null", `{}`: "null", `-1.5`: "-1.5"} {
		_, err := p.Classify(send("POST", "/db/", "application/json", `{"id":`+id+`,"method":"nosuch","params":[]}`))
		if !errors.As(err, &no) || no.ID != want {
			t.Errorf("id %s: %q, want %q", id, no.ID, want)
		}
	}
	if strings.Contains(no.Error(), "nosuch") {
		t.Error("the error quotes the request")
	}
}

func TestQuestionIsClipped(t *testing.T) {
	x := search(t, `[["name","=","`+strings.Repeat("ä", 5000)+`"]]`)
	if q := x.Accesses[0].Question; len(q) > 4100 || !strings.HasSuffix(q, "…") {
		t.Errorf("question of %d bytes", len(q))
	}
}

// TestDialectHasOneReading: a header that is "00" is none for Python, and the
// first row then one of values.
func TestDialectHasOneReading(t *testing.T) {
	p := mini(t)
	for _, c := range []struct {
		query []string
		want  string
	}{
		{[]string{"f", "name"}, ""},
		{[]string{"f", "name", "h", "0", "dl", ";", "qc", "'", "enc", "cp1252"}, ""},
		{[]string{"f", "name", "h", "00"}, "malformed"},
		{[]string{"f", "name", "h", "+0"}, "malformed"},
		{[]string{"f", "name", "h", " 0"}, "malformed"},
		{[]string{"f", "name", "h", "٠"}, "malformed"},
		{[]string{"f", "name", "dl", "é"}, "malformed"},
		{[]string{"f", "name", "dl", ";;"}, "malformed"},
		{[]string{"f", "name", "qc", "''"}, "malformed"},
		{[]string{"f", "name", "d", "[47,8]"}, ""},
		{[]string{"f", "name", "d", `[47,["phone","=","1"]]`}, "malformed"},
		{[]string{"f", "name", "d", `[["phone","=","1"],47]`}, "malformed"},
		{[]string{"f", "name", "d", "[4.7]"}, "malformed"},
		{[]string{"f", "name", "d", "[true]"}, "malformed"},
		{[]string{"f", "name", "d", "{"}, "malformed"},
		{[]string{"f", "name", "o", "name,DOWN"}, "malformed"},
	} {
		if got := refused(t, p, get("/data/crm.person", c.query...)); got != c.want {
			t.Errorf("%v: refused %q, want %q", c.query, got, c.want)
		}
	}
	x := classify(t, p, get("/data/crm.person", "f", "name", "dl", ";", "qc", "'", "enc", "cp1252"))
	if d := x.Dialect(); d.Comma != ';' || d.Quote != '\'' || d.Charset != "cp1252" {
		t.Errorf("dialect %+v", d)
	}
	x = classify(t, p, get("/data/crm.person", "f", "name", "f", "boss/phone", "d", `[["phone","=","1"]]`, "o", "phone,DESC NULLS LAST", "o", "name"))
	if d := x.Dialect(); d.Comma != ',' || d.Quote != '"' || d.Charset != "utf-8" {
		t.Errorf("dialect %+v", d)
	}
	same(t, "refs", asks(x), "select name name", "select boss.phone phone", "filter phone phone", "sort phone phone", "sort name name")
}
