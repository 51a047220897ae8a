package profile

import (
	"strings"
	"testing"
)

// parted is a profile whose values aren't one value of one record.
const parted = `
profile: parted/1
evidence: documented
withheld: W
entities:
  person:
    types: [Person]
    unknown: mask_if_string
    fields:
      name: {parts: {first|last: name, title: public}}
      mails: {parts: {value: email, label|main: public}}
      links: {category: online, parts: {kind: public}}
      hash: {category: email, keys: true, parts: {"*": public}}
      properties: {flat: true}
      history: {flat: true, value: [".value", ".old[*].value"], public: [source]}
      boss: {link: Person}
      teams: {link: Team}
      about: {link_by: kind}
      ids: {category: email, keys: true, link_by: kinds}
      field|kind|kinds: public
      was|became: {named: field}
      change: {parts: {diff: {of: {type: kind, id: about}}}}
      phone: phone
      iban: bank
  team: {types: [Team], internal: true, unknown: pass}
  place: {types: [Place], fields: {name: public, street: address}}
routes:
  - {match: "GET /people", entity: Person, query: [f, s], refs: [{role: filter, at: query.f}, {role: select, at: query.s, syntax: csv}], records: [{at: "$"}]}
  - {match: "PATCH /people/{id}", entity: Person, ids: ["{id}"], write: {at: body, mode: partial, stored: {get: "/people/{id}", at: $}}}
`

func loadText(t *testing.T, src string) *Profile {
	t.Helper()
	p, err := Load([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPartsOfAValueAreFound: composites, lists of them, flat objects, ids and rows
// of a history, each with what it doesn't list hidden.
func TestPartsOfAValueAreFound(t *testing.T) {
	p := loadText(t, parted)
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"composite", `{"name":{"first":"Zoë","title":"Dr."}}`, []string{"field name.first=Zoë name"}},
		{"composite with another part", `{"name":{"nick":"Z","n":1}}`, []string{"field name.nick=Z name"}},
		{"composite that is a text", `{"name":"Zoë"}`, []string{"field name=Zoë name"}},
		{"composite in a part", `{"name":{"first":{"x":"Zoë"}}}`, []string{`field name.first={"x":"Zoë"} name`}},
		{"list of composites", `{"mails":[{"value":"a@b","label":"x","main":true},{"value":"c@d"}]}`, []string{"field mails.value=a@b email", "field mails.value=c@d email"}},
		{"own category for the rest", `{"links":{"kind":"x","url":"u"}}`, []string{"field links.url=u online"}},
		{"keys", `{"hash":{"a@b":"x"}}`, []string{`field hash={"a@b":"x"} email keys`, "field hash=x public"}},
		{"flat", `{"properties":{"phone":"1","job":"boss","n":3}}`, []string{"field phone=1 phone", "field job=boss unclassified"}},
		{"flat in flat", `{"properties":{"name":{"last":"C"}}}`, []string{"field name.last=C name"}},
		{"flat that is a text", `{"properties":"Zoë"}`, []string{"field properties=Zoë unclassified"}},
		{
			"flat with values", `{"history":{"phone":{"value":"1","source":"s","by":"Zoë","n":7,"old":[{"value":"2","at":"x"}]}}}`,
			[]string{"field phone=1 phone", "field phone=2 phone", "field phone=Zoë unclassified", "field phone=x unclassified"},
		},
		{"link", `{"boss":"p7","teams":["t1"]}`, []string{"record Person/p7"}},
		{"link that is no id", `{"boss":{"name":"Zoë"}}`, []string{`field boss={"name":"Zoë"} unclassified`}},
		{"link by", `{"about":"l1","kind":"Place"}`, []string{"record Place/l1"}},
		{"link by an unknown type", `{"about":"l1","kind":"Pet"}`, []string{"record Pet/l1"}},
		{"link by nothing", `{"about":"l1"}`, []string{"field about=l1 unclassified"}},
		{"links by key", `{"ids":{"a@b":"p7","c@d":"x"},"kinds":{"a@b":"Person"}}`, []string{"record Person/p7", `field ids={"a@b":"p7","c@d":"x"} email keys`, "field ids=p7 public", "field ids=x unclassified"}},
		{"named", `{"field":"phone","was":"1","became":null}`, []string{"field was=1 phone"}},
		{"named a public field", `{"field":"kind","was":"x"}`, nil},
		{"named nothing", `{"was":"1"}`, []string{"field was=1 unclassified"}},
		{"named another history", `{"field":"became","was":"1"}`, []string{"field was=1 unclassified"}},
		{"fields of another record", `{"about":"l1","kind":"Place","change":{"diff":{"street":"x","name":"y"}}}`, []string{"record Place/l1", "record Place/l1", "field street=x address of Place/l1"}},
		{"fields of nobody", `{"change":{"diff":{"name":"y"}}}`, []string{`field change.diff={"name":"y"} unclassified`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := classify(t, p, get("/people"))
			tree := parse(t, c.body)
			l, err := x.Locate(tree, 200)
			if err != nil {
				t.Fatal(err)
			}
			same(t, c.name, located(tree, l), c.want...)
		})
	}
}

// TestPartsAreNamedBehindADot in requests.
func TestPartsAreNamedBehindADot(t *testing.T) {
	p := loadText(t, parted)
	for name, want := range map[string]string{
		"name": "name", "name.first": "name", "name.title": "public", "name.nick": "name", "mails": "email", "mails.label": "public",
		"links.url": "online", "boss": "public", "properties": "unclassified", "name.first.x": "name", "nosuch.first": "unclassified",
	} {
		same(t, name, asks(classify(t, p, get("/people", "f", name))), "filter "+name+" "+want)
	}
}

// TestPartsOfASaveAreComparedEachAsWhatItIs: a label beside a masked address comes
// back as it is.
func TestPartsOfASaveAreComparedEachAsWhatItIs(t *testing.T) {
	x := classify(t, loadText(t, parted), send("PATCH", "/people/7", "application/json", `{"mails":[{"value":"••••••","label":"work"}]}`))
	f := x.Writes()[0].Fields[0]
	if names(f.Categories) != "email" || len(f.Leaves) != 2 {
		t.Fatalf("%+v", f)
	}
	for _, l := range f.Leaves {
		if want := map[string]string{"label": "public", "value": "email"}[x.Body().Key(l.Node)]; names(l.Categories) != want {
			t.Errorf("%s is %v, want %s", x.Body().Key(l.Node), l.Categories, want)
		}
	}
}

// TestStoredValuesAreAskedForByName where the CRM wants to be told.
func TestStoredValuesAreAskedForByName(t *testing.T) {
	p := loadText(t, strings.Replace(parted, `get: "/people/{id}"`, `get: "/people/{id}?fields={fields}&as={id}"`, 1))
	w := classify(t, p, send("PATCH", "/people/a&b", "application/json", `{"phone":"1"}`)).Writes()[0]
	got, err := w.Stored([]string{"phone", "x&y"})
	if err != nil || got.Path != "/people/a&b" || got.Query != "fields=phone%2Cx%26y&as=a%26b" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPartsAreCheckedAtLoad(t *testing.T) {
	for _, c := range []struct{ old, with, want string }{
		{"{link: Person}", "{link: Persn}", `link: no entity has the type "Persn"`},
		{"{flat: true}", "{flat: true, named: field}", "a value is one of link"},
		{"{flat: true}", "{flat: true, decode: json}", "don't go with"},
		{"{flat: true}", "{value: [.x], category: name}", "value and public are for flat objects"},
		{"{type: kind, id: about}", "{type: kind}", "of names two members"},
		{"{first|last: name", "{first|last: nam", `unknown category "nam"`},
		{"label|main: public}", "label|main|value: public}", `the name "value" is listed before already`},
		{"{flat: true}", "{flatt: true}", `unknown key "flatt"; nearest: "flat"`},
	} {
		if !strings.Contains(parted, c.old) {
			t.Fatalf("there is no %q", c.old)
		}
		if _, err := Load([]byte(strings.Replace(parted, c.old, c.with, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.with, err, c.want)
		}
	}
}
