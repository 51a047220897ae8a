package profile

import (
	"slices"
	"strings"
	"testing"
)

// shapes is a profile of shapes that many interfaces of CRMs have.
const shapes = `
profile: shapes/1
evidence: documented
withheld: W
entities:
  person:
    types: [Contacts, "Lead*"]
    unknown: mask_if_string
    fields:
      name: name
      "12": bank
      "13": public
      field: public
      change: {parts: {old|new: {named: field}}}
      diff: {parts: {field: public, value: {parts: {old|new: {named: field}}}}}
      boss: {link: person}
      values: {flat: true, value: [.value, .other], public: [kind]}
  row: {id: sys, fields: {sys: {parts: {value|shown: public}}, name: name}}
  any: {types: ["*x"], fields: {name: public}}
relations: {any: {friend: person}}
routes:
  - {match: GET /pairs, entity: person, records: [{at: "$.people[*]", pairs: {at: ".custom[*]", name: .id, value: .value, public: [label]}}]}
  - {match: GET /keys, entity: person, records: [{at: "$.people.*", id: "@key"}]}
  - {match: GET /list, entity: person, query: [o, kind], refs: [{role: sort, at: query.o, syntax: order_by}], records: [{at: "$.people[*]"}]}
  - {match: GET /rows, entity: row, records: [{at: "$[*]", id: .sys.value}]}
  - {match: GET /listed, entity: person, query: [f], refs: [{role: select, at: query.f, syntax: list}], records: [{at: "$.people[*]"}]}
  - {match: GET /kind, entity: query.kind, query: [kind], records: [{at: "$.people[*]"}]}
  - {match: GET /file, entity: person, type: csv, csv: {header: "1"}, records: [{columns: header, fields: {Nr: id, Name: name, Kind: ""}}]}
  - {match: GET /anonymous, entity: person, type: csv, csv: {header: "1"}, records: [{columns: header, id: none, fields: {Nr: id, Name: name}}]}
`

func TestShapesOfAnswersAreFound(t *testing.T) {
	p := loadText(t, shapes)
	const one = " of Contacts/1"
	for _, c := range []struct {
		path, body string
		want       []string
	}{
		{"/pairs", `{"people":[{"id":1,"custom":[{"id":"12","label":"IBAN","value":"DE1","n":3},{"id":13,"label":"Kind","value":"A"}]}]}`, []string{"record Contacts/1", "field 12=DE1 bank" + one}},
		{"/pairs", `{"people":[{"id":1,"custom":[{"id":"14","value":"x"},{"id":"Zoë","value":"x"},{"id":[12],"value":"x"}]}]}`, []string{
			"record Contacts/1", "field 14=x unclassified" + one, "field Zoë=x unclassified" + one, "field id=14 unclassified" + one, "field id=Zoë unclassified" + one, "field value=x unclassified" + one,
		}},
		{"/keys", `{"people":{"7":{"name":"Zoë"},"8":{"name":"Anna"}}}`, []string{"record Contacts/7", "record Contacts/8", "field name=Anna name of Contacts/8", "field name=Zoë name of Contacts/7"}},
		{"/list", `{"people":[{"id":1,"tags":[1,[2,null]],"texts":[1,"x"],"friend":5,"boss":6}]}`, []string{"record Contacts/1", "record Contacts/5", "record Contacts/6", `field texts=[1,"x"] unclassified` + one}},
		{"/list", `{"people":[{"id":1,"field":"name","change":{"old":"A","new":"B"},"diff":{"field":"13","value":{"old":"C","new":"D"}}}]}`, []string{"record Contacts/1", "field change.new=B name" + one, "field change.old=A name" + one}},
		{"/list", `{"people":[{"id":1,"diff":{"value":{"old":"C"}}}],"field":"13"}`, []string{"record Contacts/1", "field diff.value.old=C unclassified" + one, "field field=13 unclassified"}},
		{"/list", `{"people":[{"id":1,"values":{"name":[{"value":"A","kind":"text","by":"B"},{"value":"C","other":"D"}],"13":[{"value":"E"}]}}]}`, []string{"record Contacts/1", "field name=A name" + one, "field name=B unclassified" + one, "field name=C name" + one, "field name=D name" + one}},
		{"/rows", `[{"sys":{"value":"7","shown":"7","by":"x"},"name":"A"}]`, []string{"record row/7", "field name=A name of row/7", "field sys.by=x unclassified of row/7"}},
		{"/file", "Nr,Name,Kind,Note\n1,Zoë,A,x\n", []string{"record Contacts/1", "field name=Zoë name" + one, "field =Note unclassified", "field =x unclassified" + one}},
		{"/anonymous", "Nr,Name\n1,Zoë\n", []string{"field id=1 unclassified", "field name=Zoë name"}},
	} {
		got, want := locateIn(t, p, get(c.path), c.body, 200), c.want
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s %s:\n got %q\nwant %q", c.path, c.body, got, want)
		}
	}
}

// TestAnEntityGoesByItsNameInTheProfileAlone: what a request or an answer calls a
// type has to be the CRM's word.
func TestAnEntityGoesByItsNameInTheProfileAlone(t *testing.T) {
	p := loadText(t, shapes)
	for kind, want := range map[string]string{"Contacts": "", "Leads": "", "person": "unknown_type", "": "unknown_type"} {
		if got := refused(t, p, get("/kind", "kind", kind)); got != want {
			t.Errorf("%s: refused %q, want %q", kind, got, want)
		}
	}
	src := strings.Replace(shapes, `types: [Contacts, "Lead*"]`, `types: ["Lead*"]`, 1)
	if _, err := Load([]byte(src)); err == nil || !strings.Contains(err.Error(), `no entity has the type "person"`) {
		t.Errorf("an entity that has no word of the CRM's: %v", err)
	}
}

// TestLongNumbersOutsideOfRecordsAreHidden: a list that nobody described can hold
// telephone numbers. What counts or pages passes.
func TestLongNumbersOutsideOfRecordsAreHidden(t *testing.T) {
	p := loadText(t, shapes)
	got := locateIn(t, p, get("/listed"), `{"people":[{"id":1,"n":493023125147}],"total":123456,"page":2,"callers":[493023125147,10115,1011],"at":{"lat":52.5200066,"lon":1.4e1,"sum":1200.5,"start":1726000000.1234,"took":0.0345112},"rows":[{"c":{"zip":[99999]}}],"caller":1234567,"totalSize":1234567,"ids":[{"count":12345}],"ok":true}`, 200)
	slices.Sort(got)
	want := []string{
		"field =10115 unclassified as number", "field =493023125147 unclassified as number", "field =99999 unclassified as number",
		"field caller=1234567 unclassified as number", "field count=12345 unclassified as number", "field lat=52.5200066 unclassified as number", "field lon=1.4e1 unclassified as number", "record Contacts/1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestLeakWholeNumbersWithAPointOutsideOfRecords: a double of a language that writes it so
// is a telephone number as well. Sums and moments with a fraction aren't.
func TestLeakWholeNumbersWithAPointOutsideOfRecords(t *testing.T) {
	p := loadText(t, shapes)
	got := locateIn(t, p, get("/listed"), `{"people":[{"id":1}],"caller":493023125147.0,"callers":[493023125147.00],"sum":1250000.00,"sums":[1200.00],"start":1726000000.1234,"total":123456789.0,"share":12.5}`, 200)
	slices.Sort(got)
	if want := []string{"field =493023125147.00 unclassified as number", "field caller=493023125147.0 unclassified as number", "record Contacts/1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOrdersInTextsNameTheirFields(t *testing.T) {
	p := loadText(t, shapes)
	for order, want := range map[string]string{
		"name":           "sort name name",
		"-name,+12":      "sort name name; sort 12 bank",
		"name:desc,12":   "sort name name; sort 12 bank",
		"name|ASC":       "sort name name",
		"name desc":      "sort name name",
		"name:sideways":  "sort name name",
		"name desc asc":  "malformed",
		"--name":         "malformed",
		"name:desc:desc": "sort name name",
	} {
		if got := askedBy(t, p, get("/list", "o", order)); got != want {
			t.Errorf("%s: %q, want %q", order, got, want)
		}
	}
}

func TestListsInTextsNameTheirFields(t *testing.T) {
	p := loadText(t, shapes)
	for list, want := range map[string]string{
		`["name","12"]`: "select name name; select 12 bank", "name": "select name name", `[]`: "", `["name as n"]`: "unknown_field", `["name as city"]`: "unknown_field",
		`["max(name)"]`: "unknown_field", `["city:name"]`: "unknown_field", `["*"]`: "select * unclassified",
		`["name"`: "malformed", `[["name"]]`: "malformed", `[1]`: "malformed",
	} {
		if got := askedBy(t, p, get("/listed", "f", list)); got != want {
			t.Errorf("%s: %q, want %q", list, got, want)
		}
	}
}

func TestRecordsOfAnUnknownTypeAreRefusedAtLoad(t *testing.T) {
	src := strings.Replace(shapes, `{at: "$.people.*", id: "@key"}`, `{at: "$.people.*", entity: Contcts}`, 1)
	if _, err := Load([]byte(src)); err == nil || !strings.Contains(err.Error(), `no entity has the type "Contcts"; there are: Contacts`) {
		t.Errorf("Load = %v", err)
	}
}
