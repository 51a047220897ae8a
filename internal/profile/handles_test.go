package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmgate/crmgate/internal/access"
)

const handled = `
profile: handles/1
evidence: documented
withheld: withheld
entities:
  person: {unknown: mask, fields: {name: name, email: email, city|id: public}}
  file: {fields: {title: free_text}}
routes:
  - match: GET /people
    entity: person
    action: search
    query: [q, sort]
    refs: [{role: search, at: query.q, syntax: search, field: email}, {role: sort, at: query.sort}]
    records: [{at: "$.people[*]"}]
    gives: &page [{handle: page, at: $.next, none: ["-", ""], lasts: 15m}]
    public: [next, total]
  - {match: "POST /people/more", members: [cursor, size], continues: {page: body.cursor}, gives: *page}
  - match: POST /exports
    entity: person
    action: export
    members: [columns]
    refs: [{role: select, at: body.columns, syntax: list}]
    gives: [{handle: export, at: $.job.id, lasts: 7d}, {handle: file, at: header.x-file, none: [none]}]
  - match: GET /exports/{id}
    continues: {export: "{id}"}
    gives: [{handle: file, at: $.url, address: true}]
    public: [state]
  - match: GET /files/{id}
    continues: {file: "{id}", export: query.of}
    optional: true
    query: [of]
    type: csv
    csv: {header: "1"}
    records: [{columns: header}]
  - {match: "GET /tables/{id}", continues: {export: "{id}"}, type: csv, csv: {header: "0"}, records: [{columns: body.columns}]}
  - {match: "GET /files/{id}", entity: file, ids: ["{id}"], opaque: true, type: none}
`

func withHandles(t testing.TB) *Profile {
	t.Helper()
	p, err := Load([]byte(handled))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRequestThatContinuesAsksWhatTheFirstAsked(t *testing.T) {
	p := withHandles(t)
	first := get("/people", "q", "zoe", "sort", "city")
	x := classify(t, p, send("POST", "/people/more", "application/json", `{"cursor":"c1","size":5}`))
	if got := x.Handles(); !slices.Equal(got, []Handle{{"page", "c1"}}) || x.Accesses != nil {
		t.Fatalf("handles %v, accesses %v", got, x.Accesses)
	}
	y, err := x.Resume(first)
	if err != nil {
		t.Fatal(err)
	}
	want := classify(t, p, first).Accesses
	want[0].Route = "POST /people/more"
	if y.Handles() != nil || fmt.Sprint(y.Accesses) != fmt.Sprint(want) {
		t.Errorf("accesses %+v, want %+v", y.Accesses, want)
	}
	l, err := y.Locate(parse(t, `{"people":[{"id":"7","name":"Zoe"}],"next":"c2"}`), 200)
	if err != nil || len(l.Records) != 1 || len(l.Fields) != 1 || !slices.Equal(l.Given, []Given{{Handle: Handle{"page", "c2"}, Lasts: 15 * time.Minute}}) {
		t.Errorf("found %+v, %v", l, err)
	}
}

// What an answer is read by, a route that continues says itself, for what the first
// request asked.
func TestRouteThatContinuesSaysHowItsAnswerIsRead(t *testing.T) {
	p := withHandles(t)
	first := send("POST", "/exports", "application/json", `{"columns":["email"]}`)
	y, err := classify(t, p, get("/exports/j1")).Resume(first)
	if err != nil {
		t.Fatal(err)
	}
	answer := parse(t, `{"state":"done","by":"Zoe","url":"https://files.example/files/f1"}`)
	if links := y.Links(answer); !y.HasLinks() || len(links) != 1 || answer.Text(links[0].Node) != "https://files.example/files/f1" {
		t.Errorf("an address that is a handle is no link: %v", links)
	}
	l, err := y.Locate(answer, 200)
	if err != nil || len(l.Fields) != 1 || len(l.Given) != 1 || !l.Given[0].Address || l.Given[0].Value != "https://files.example/files/f1" {
		t.Errorf("found %+v, %v", l, err)
	}
	y, err = classify(t, p, get("/files/f1")).Resume(first)
	if err != nil || y.Type != "csv" || y.Accesses[0].Action != "export" || y.Accesses[0].Route != "GET /files/{id}" {
		t.Errorf("the file is %+v, %v", y, err)
	}
}

// The columns of a file are those that the first request named, in its order.
func TestColumnsAreThoseOfTheFirstRequest(t *testing.T) {
	p := withHandles(t)
	for columns, masked := range map[string]int{`["email","city"]`: 0, `["city","email"]`: 1} {
		y, err := classify(t, p, get("/tables/j1")).Resume(send("POST", "/exports", "application/json", `{"columns":`+columns+`}`))
		if err != nil {
			t.Fatal(err)
		}
		tree, err := y.Parse([]byte("a,b\n"), "")
		if err != nil {
			t.Fatal(err)
		}
		l, err := y.Locate(tree, 200)
		if err != nil || len(l.Fields) != 1 || tree.Text(l.Fields[0].Node) != []string{"a", "b"}[masked] {
			t.Errorf("of %s these are found: %+v, %v", columns, l.Fields, err)
		}
	}
}

func TestHandlesStandInHeaders(t *testing.T) {
	x := classify(t, withHandles(t), send("POST", "/exports", "application/json", `{"columns":["email"]}`))
	for value, want := range map[string]string{"f1": "f1", "none": "", "": "", "a\nb": ""} {
		given, none := x.HeaderHandles(func(name string) []string {
			if name != "X-File" || value == "" {
				return nil
			}
			return strings.Split(value, "\n")
		})
		if given["X-File"].Value != want || (none["X-File"] != "") != (value == "none") {
			t.Errorf("of %q came %v and %v", value, given, none)
		}
	}
}

func TestUnknownHandleIsForTheRoutesBehindWhereTheProfileSaysSo(t *testing.T) {
	p := withHandles(t)
	x, err := classify(t, p, get("/files/f1")).Otherwise()
	if err != nil || x == nil || !x.Whole() || x.Accesses[0].Entity != "file" {
		t.Errorf("otherwise it is %+v, %v", x, err)
	}
	if x, err = classify(t, p, get("/exports/j1")).Otherwise(); x != nil || err != nil {
		t.Errorf("otherwise it is %+v, %v", x, err)
	}
	var no *Refusal
	if _, err = classify(t, p, get("/files/f1", "of", "j1")).Otherwise(); !errors.As(err, &no) {
		t.Errorf("otherwise it is %v", err)
	}
}

func TestRequestWithoutAPlainHandleIsRefused(t *testing.T) {
	p := withHandles(t)
	for _, body := range []string{`{}`, `{"cursor":""}`, `{"cursor":null}`, `{"cursor":["c1"]}`, `{"cursor":{"a":"c1"}}`, `{"cursor":"c1","q":"zoe"}`, `{"cursor":"c1","cursor":"c2"}`} {
		var no *Refusal
		if x, err := p.Classify(send("POST", "/people/more", "application/json", body)); !errors.As(err, &no) {
			t.Errorf("%s is %+v, %v", body, x, err)
		}
	}
	if x := classify(t, p, get("/files/f1", "of", "j1")); len(x.Handles()) != 2 {
		t.Errorf("handles %v", x.Handles())
	}
}

// What was kept under another version of the profile doesn't come back as something
// that this one didn't mean.
func TestResumeOfWhatGivesNoHandlesIsRefused(t *testing.T) {
	p := withHandles(t)
	x := classify(t, p, get("/exports/j1"))
	for _, first := range []Request{get("/exports/j1"), get("/files/f1"), get("/gone"), send("POST", "/exports", "application/json", `{"more":1}`)} {
		var no *Refusal
		if y, err := x.Resume(first); !errors.As(err, &no) {
			t.Errorf("from %s it goes on as %+v, %v", first.Path, y, err)
		}
	}
	if y, err := classify(t, p, get("/people")).Resume(get("/people")); err == nil {
		t.Errorf("what continues nothing goes on as %+v", y)
	}
}

func TestHandlesAreTextsAtTheirPlaces(t *testing.T) {
	p := withHandles(t)
	x := classify(t, p, get("/people"))
	for answer, want := range map[string]string{
		`{"people":[],"next":"c2"}`: "c2", `{"people":[],"next":7}`: "7", `{"people":[],"next":null}`: "", `{"people":[],"next":false}`: "",
		`{"people":[],"next":"-"}`: "", `{"people":[],"next":""}`: "", `{"people":[]}`: "",
	} {
		l, err := x.Locate(parse(t, answer), 200)
		if err != nil || len(l.Given) != min(len(want), 1) || want != "" && l.Given[0].Value != want {
			t.Errorf("%s gives %+v, %v", answer, l.Given, err)
		}
	}
	if _, err := x.Locate(parse(t, `{"people":[],"next":{"cursor":"c2"}}`), 200); !errors.Is(err, ErrShape) {
		t.Errorf("an object in a handle's place: %v", err)
	}
	if l, err := x.Locate(parse(t, `{"people":[],"next":"c2"}`), 404); err != nil || len(l.Given) > 0 {
		t.Errorf("an error gives %+v, %v", l.Given, err)
	}
}

func TestMistakesAboutHandlesAreNamed(t *testing.T) {
	for _, c := range []struct{ old, text, want string }{
		{"handle: page, at: $.next", "handle: paging, at: $.next", "no route continues the handle \"paging\""},
		{"continues: {page: body.cursor}", "continues: {pages: body.cursor}", "no route gives the handle \"pages\""},
		{"continues: {page: body.cursor}", "entity: person, continues: {page: body.cursor}", "leave all but match"},
		{"continues: {page: body.cursor}", "pass: true, continues: {page: body.cursor}", "leave all but match"},
		{"continues: {page: body.cursor}", "continues: {page: $.cursor}", "a handle stands in a variable"},
		{"continues: {page: body.cursor}", "continues: {page: body}", "a handle stands in a variable"},
		{"lasts: 15m", "lasts: 31d", "from one minute to 30 days"},
		{"lasts: 15m", "lasts: 1s", "from one minute to 30 days"},
		{"lasts: 15m", "lasts: 1x5d", "from one minute to 30 days"},
		{"handle: page, at: $.next", "handle: page, at: $", "a handle stands in an answer"},
		{"handle: page, at: $.next", "handle: page, at: body.next", "a handle stands in an answer"},
		{"handle: page, at: $.next", "at: $.next", "call the handle something"},
		{"at: header.x-file", "at: header.set-cookie", "no header of the CRM's own"},
		{"at: header.x-file", "at: header.content-type", "no header of the CRM's own"},
		{"    optional: true\n", "", "can never match"},
		{"    gives: &page", "    optional: true\n    gives: &page", "optional is for a route that continues"},
		{"opaque: true, type: none", "pass: true, gives: [{handle: file, at: header.x}]", "not beside pass"},
		{"csv: {header: \"1\"}", "csv: {header: query.of}", "stands in no query parameter"},
	} {
		src := strings.Replace(handled, c.old, c.text, 1)
		if _, err := Load([]byte(src)); err == nil || !strings.Contains(err.Error(), c.want) || src == handled {
			t.Errorf("with %q in the place of %q: %v, want %q", c.text, c.old, err, c.want)
		}
	}
}

// A query can call a value as the id is called.
func TestColumnThatIsCalledAsTheIDIsAnotherValue(t *testing.T) {
	src, err := Builtin("salesforce")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	const root = "/services/data/v62.0/jobs/query"
	for query, csv := range map[string]string{
		"SELECT Name, FORMAT(Birthdate) Id FROM Contact":    "Name,Id\nx,17.03.1971\n",
		"SELECT Id, toLabel(Phone) LeadSource FROM Contact": "Id,LeadSource\n003QyCCCCCfbmF0I5I,+49 89 99998 417\n",
		"SELECT Id, Nick__c FROM Contact":                   "Id,Nick__c\n003QyCCCCCfbmF0I5I,Juppi\n",
		"SELECT Id FROM Contact":                            "Id\nJürgen\n",
		"SELECT Id, Account.Owner.Email FROM Contact":       "Id,Account.Phone\n003QyCCCCCfbmF0I5I,+49 89 99998 417\n",
	} {
		x := classify(t, p, get(root+"/750Qy00000C0ffeIAB/results"))
		y, err := x.Resume(send("POST", root, "application/json", `{"operation":"query","query":"`+query+`"}`))
		if err != nil {
			t.Fatal(query, err)
		}
		tree, err := y.Parse([]byte(csv), "")
		if err != nil {
			t.Fatal(err)
		}
		l, err := y.LocateRows(tree)
		if err != nil {
			t.Fatal(query, err)
		}
		last := len(tree.Nodes) - 1
		if !slices.ContainsFunc(l.Fields, func(f access.FoundField) bool { return f.Node == last && !slices.Contains(f.Categories, access.Public) }) {
			t.Errorf("%s: the last value isn't masked: %+v", query, l.Fields)
		}
	}
}
