package profile

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// nested is a profile for a CRM that reads queries as PHP does.
const nested = `
profile: nested/1
evidence: documented
withheld: W
normalize: {query: {nested: true, aliases: {whereGroup: where, q: text}}}
entities:
  person: {types: [Person], fields: {name: name, mail: email, job: public}, relations: {house: House}, display: name, search: {all: {parts: [name, mail]}}}
  house: {types: [House], fields: {street: address, kind: public}, display: street}
blocks:
  where: &where {name: attribute, operator: type, value: value, groups: [and, or], operators: [equals, like], ids: [linked], stored: [bool], search: {text: all}, members: [zone]}
routes:
  - {match: "GET /?page=list&id={id}", name: page, entity: Person, ids: ["{id}"]}
  - {match: "GET /?page=list", name: pages, entity: Person}
  - {match: "GET /", name: start, pass: true, query: [lang]}
  - match: GET /{Type}
    entity: "{Type}"
    query: [where, select, text, max, of]
    refs:
      - {role: filter, at: query.where, syntax: clauses, clauses: *where}
      - {role: select, at: "query.select[*]"}
      - {role: search, at: query.text, syntax: search, field: all}
      - {role: sort, at: query.of.field}
  - {match: "POST /{Type}/{id}/{link}", entity: "{Type}.{link}", action: read, members: [where, sorts, in.sort], refs: [{role: filter, at: "body.where", syntax: clauses, clauses: *where}, {role: sort, at: body.sorts, syntax: order, member: by}, {role: sort, at: body.in.sort}]}
`

// asked are the references of a query, or the reason of a refusal.
func askedBy(t *testing.T, p *Profile, r Request) string {
	t.Helper()
	if no := refused(t, p, r); no != "" {
		return no
	}
	return strings.Join(asks(classify(t, p, r)), "; ")
}

// query makes a request of a raw query without escapes.
func query(path, raw string) Request {
	var pairs []string
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, name, value)
	}
	return get(path, pairs...)
}

// TestNestedQueryIsReadAsTheCRMReadsIt: what could be read in two ways, or stands
// where the profile doesn't look, is refused.
func TestNestedQueryIsReadAsTheCRMReadsIt(t *testing.T) {
	p := loadText(t, nested)
	for raw, want := range map[string]string{
		"select[]=name&select[]=mail":  "select name name; select mail email",
		"select[0]=name&select[1]=job": "select name name; select job public",
		"select=name":                  "malformed",
		"select[a]=name":               "",
		"max[]=1":                      "malformed",
		"text[]=x":                     "malformed",
		"where=x":                      "malformed",
		"of[field]=mail":               "sort mail email",
		"of[field][]=mail":             "",
		"nosuch[a]=x":                  "malformed",
		"nosuch=x":                     "unknown_parameter",
		"q=x":                          "search all name+email",
		"q=x&text=y":                   "repeated",
		"where[0][type]=bool&whereGroup[0][type]=bool":                                         "repeated",
		"where[0][type]=equals&where[0][attribute]=mail":                                       "filter mail email",
		"whereGroup[0][type]=equals&whereGroup[0][attribute]=mail":                             "filter mail email",
		"where[type]=equals&where[attribute]=mail":                                             "filter mail email",
		"where[0]=x&where[0][type]=equals":                                                     "malformed",
		"where[0][type]=x&where[0][type]=bool":                                                 "malformed",
		"where[0][type]=equals&where[0][attribute]=":                                           "malformed",
		"where[0][type]=equals":                                                                "malformed",
		"where[0][attribute]=mail":                                                             "malformed",
		"where[0][type]=sub&where[0][attribute]=mail":                                          "malformed",
		"where[0][type]=equals&where[0][attribute]=job&where[0][x]=1":                          "malformed",
		"where[0][type]=equals&where[0][attribute]=job&where[0][zone]=1":                       "filter job public",
		"where[0][type]=equals&where[0][attribute][]=mail":                                     "malformed",
		"where[0][type]=bool&where[0][value][]=onlyMy":                                         "",
		"where[0][type]=text&where[0][value]=zoe":                                              "search all name+email",
		"where[0][type]=linked&where[0][attribute]=house":                                      "filter house public",
		"where[0][type]=equals&where[0][attribute]=house":                                      "filter house address",
		"where[0][type]=like&where[0][attribute]=house.street":                                 "filter house.street address",
		"where[0][type]=linked&where[0][attribute]=nosuch":                                     "filter nosuch unclassified",
		"where[0][type]=or&where[0][value][0][type]=equals&where[0][value][0][attribute]=name": "filter name name",
		"where[0][type]=or":                                                                    "malformed",
		"where[0][type]=or&where[0][value]=x":                                                  "malformed",
		"where[0":                                                                              "malformed",
		"where[0]x[type]=equals":                                                               "malformed",
		"where" + strings.Repeat("[a]", 40) + "=x":                                             "malformed",
	} {
		if got := askedBy(t, p, query("/Person", raw)); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

// TestParametersInJSONAreJudgedLikeOthers, and never beside one of the same name.
func TestParametersInJSONAreJudgedLikeOthers(t *testing.T) {
	p := loadText(t, strings.Replace(nested, "nested: true,", "nested: true, json: all,", 1))
	for raw, want := range map[string]string{
		`all={"of":{"field":"mail"}}`:                                          "sort mail email",
		`all={"select":["name","mail"],"max":5,"where":null}`:                  "select name name; select mail email",
		`all={"whereGroup":[{"type":"equals","attribute":"mail","value":[]}]}`: "filter mail email",
		`max=1&all={"q":"x"}`:                                                  "search all name+email",
		`all={"q":"x"}&text=y`:                                                 "repeated",
		`all={"q":"x","text":"y"}`:                                             "repeated",
		`all={"where":[]}&whereGroup[0][type]=bool`:                            "repeated",
		`all={"nosuch":1}`:                                                     "unknown_parameter",
		`all={"select":"name"}`:                                                "malformed",
		`all={"text":["x"]}`:                                                   "malformed",
		`all={"where[0]":{"type":"bool"}}`:                                     "malformed",
		`all={"where":[{"a]":1}]}`:                                             "malformed",
		`all={"max":1,"max":2}`:                                                "malformed",
		`all=[]`:                                                               "malformed",
		`all=x`:                                                                "malformed",
		`all={"all":"x"}`:                                                      "unknown_parameter",
	} {
		if got := askedBy(t, p, query("/Person", raw)); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

// TestQueryPicksTheRoute, and a route that passes takes only the parameters that
// it lists.
func TestQueryPicksTheRoute(t *testing.T) {
	p := loadText(t, nested)
	for raw, want := range map[string]string{
		"page=list&id=7": "page", "id=7&page=list": "page", "page=list": "pages", "lang=de": "start",
	} {
		if x := classify(t, p, query("/", raw)); x.Route != want {
			t.Errorf("%s goes to %s, want %s", raw, x.Route, want)
		}
	}
	for raw, want := range map[string]string{"page=other": "unknown_parameter", "page=list&id=7&x=1": "unknown_parameter", "page[]=list": "unknown_parameter"} {
		if got := refused(t, p, query("/", raw)); got != want {
			t.Errorf("%s: refused %q, want %q", raw, got, want)
		}
	}
}

// TestMembersOfTheBodyAreListed: a CRM may understand others.
func TestMembersOfTheBodyAreListed(t *testing.T) {
	p := loadText(t, nested)
	for body, want := range map[string]string{
		`{"where":[{"type":"equals","attribute":"kind"}],"sorts":["street",{"by":"kind"}]}`: "filter kind public; sort street address; sort kind public",
		`{"in":{"sort":"street"}}`: "sort street address", `{"in":{"sort":"kind","by":"street"}}`: "unknown_parameter", `{"in":"street"}`: "unknown_parameter", `{"in.sort":"x"}`: "",
		`{"all":true}`: "unknown_parameter", `[]`: "malformed", `{"sorts":[{"x":"kind"}]}`: "malformed",
		`{"where":{"type":"equals","attribute":"street"}}`: "filter street address", `{"where":7}`: "malformed",
	} {
		if got := askedBy(t, p, send("POST", "/Person/7/house", "application/json", body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	if got := refused(t, p, send("POST", "/Person/7/garden", "application/json", `{}`)); got != "unknown_type" {
		t.Errorf("a relation that isn't in the profile: refused %q", got)
	}
}

// TestOtherAddressesAreJudgedAsTheOneThatTheRoutesKnow, and what stands in them is
// never taken for a variable.
func TestOtherAddressesAreJudgedAsTheOneThatTheRoutesKnow(t *testing.T) {
	p := loadText(t, strings.Replace(nested, "normalize: {", "normalize: {paths: {\"/v/{version}/{rest**}\": \"/{rest}\"}, ", 1))
	for path, want := range map[string]string{"/v/2/Person": "", "/v/2/Pet": "unknown_type", "/v/2/": "unknown_route", "/v/{rest}/Person": "", "/v/Person/{version}": "unknown_type"} {
		if got := refused(t, p, get(path, "max", "1")); got != want {
			t.Errorf("%s: refused %q, want %q", path, got, want)
		}
	}
	for _, with := range []string{`"v/{rest**}": /`, `"/v/{rest**}": x`, `"/v?a=b": /x`} {
		src := strings.Replace(nested, "normalize: {", "normalize: {paths: {"+with+"}, ", 1)
		if _, err := Load([]byte(src)); err == nil || !strings.Contains(err.Error(), "write two paths") {
			t.Errorf("%s: %v", with, err)
		}
	}
}

func TestQueryWordsAreCheckedAtLoad(t *testing.T) {
	for _, c := range []struct{ old, with, want string }{
		{"nested: true,", "json: all,", "json needs `nested: true`"},
		{"nested: true, ", "", "is read as a tree; add `nested: true`"},
		{"operators: [equals, like], ", "", "have name, operator, value and operators"},
		{"operators: [equals, like], ", "operators: [equals, like], prefixes: [\">\"], ", "are for clauses whose members are named by fields"},
		{"{role: sort, at: body.in.sort}", "{role: sort, at: body.in.sort, clauses: {groups: [or]}}", "add `syntax: clauses`"},
		{"syntax: order, member: by", "member: by", "member is for the syntax list and order"},
		{`"GET /?page=list"`, `"GET /?page"`, "a parameter is name=value"},
		{`  - {match: "GET /?page=list&id={id}", name: page, entity: Person, ids: ["{id}"]}` + "\n", `  - {match: "GET /?page={p}", entity: Person}` + "\n", "can never match: GET /?page={p} stands before it"},
		{`entity: "{Type}.{link}"`, `entity: "Type}.{link}"`, "write {variable}.{variable}"},
	} {
		if !strings.Contains(nested, c.old) {
			t.Fatalf("there is no %q", c.old)
		}
		if _, err := Load([]byte(strings.Replace(nested, c.old, c.with, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.with, err, c.want)
		}
	}
}

// FuzzNestedQuery: whatever the names of parameters are, no value is lost.
func FuzzNestedQuery(f *testing.F) {
	f.Add("a[b][]", "a[b][0]", "a")
	f.Add("a[]", "a[]", "b[1][x]")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		root := &branch{}
		put := 0
		for i, name := range []string{a, b, c} {
			steps, ok := brackets(name)
			if !ok {
				continue
			}
			if root.put(steps, fmt.Sprintf("<%d>", i)) {
				put++
			}
		}
		raw, err := json.Marshal(root.plain())
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(raw), `\u003c`); got < put {
			t.Errorf("%q %q %q: %d values of %d in %s", a, b, c, got, put, raw)
		}
	})
}

// TestParametersWithDotsInTheirNameAreRead, and a reference to a parameter that the
// route doesn't take is a mistake: what the CRM's asks would go unread.
func TestParametersWithDotsInTheirNameAreRead(t *testing.T) {
	const src = `
profile: dots/1
evidence: documented
withheld: W
normalize: {query: {nested: true, literal_names: true}}
entities: {person: {fields: {name: name, mail: email}}}
routes:
  - match: GET /people
    entity: person
    query: [person.mail, sort]
    refs:
      - {role: filter, at: "query['person.mail']", syntax: search, field: mail}
      - {role: sort, at: query.sort, syntax: keys}
    records: [{at: "$[*]"}]
  - match: POST /people
    entity: person
    action: search
    members: [order]
    refs: [{role: sort, at: body.order, syntax: order, member: field}]
    records: [{at: "$[*]"}]
`
	p := loadText(t, src)
	if got := askedBy(t, p, get("/people", "person.mail", "x", "sort[name]", "asc")); got != "filter mail email; sort name name" {
		t.Errorf("asks %q", got)
	}
	for body, want := range map[string]string{
		`{"order":{"field":"mail","dir":"asc"}}`:   "sort mail email",
		`{"order":[{"field":"mail"},"name"]}`:      "sort mail email; sort name name",
		`{"order":{"dir":"asc"}}`:                  "malformed",
		`{"order":{"field":["mail"],"dir":"asc"}}`: "malformed",
	} {
		if got := askedBy(t, p, send("POST", "/people", "application/json", body)); got != want {
			t.Errorf("%s asks %q, want %q", body, got, want)
		}
	}
	for _, c := range []struct{ old, with, want string }{
		{"query['person.mail']", "query.person.mail", "query doesn't list the parameter person"},
		{"query['person.mail']", "query[*]", "a query parameter is written query.name"},
		{"at: query.sort", "at: query.order", "query doesn't list the parameter order"},
	} {
		if _, err := Load([]byte(strings.Replace(src, c.old, c.with, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.with, err, c.want)
		}
	}
}
