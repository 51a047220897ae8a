package profile

import (
	"strings"
	"testing"
)

const odataTwo = `
profile: two/1
evidence: documented
withheld: WITHHELD
relations: {list: results}
entities:
  contact:
    types: [ContactCollection]
    id: ObjectID
    unknown: mask_if_string
    fields: {Name|LastName: name, Email: email, Phone: phone, JobTitle: public, BirthDate: birthdate, AccountID: {link: AccountCollection}}
    relations: {ContactNotes: ContactNotesCollection, Account: AccountCollection}
  note: {types: [ContactNotesCollection], id: ObjectID, fields: {Text: free_text, TypeCode: public}}
  account: {types: [AccountCollection], id: ObjectID, fields: {Name: public, Phone: phone}}
routes:
  - {match: "GET /odata/v1/api/{resource**}", odata: read v2, question: true, query: [sap-language], public: [code, lang]}
  - {match: "POST /odata/v1/api/{resource}", odata: write v2, write: {at: body, mode: create}}
  - {match: "PATCH /odata/v1/api/{resource}", odata: write v2, write: {at: body, mode: partial, stored: {get: "/odata/v1/api/{resource}?$select={fields}&$format=json", at: $.d}}}
`

func twoGet(resource, query string) Request {
	r := Request{Method: "GET", Path: "/odata/v1/api/" + resource}
	for part := range strings.SplitSeq(query, "&") {
		if name, value, ok := strings.Cut(part, "="); ok {
			r.Query = append(r.Query, Param{name, value})
		}
	}
	return r
}

func TestODataTwoAsksAboutWhatItsCategoriesSay(t *testing.T) {
	p := loadText(t, odataTwo)
	for _, c := range []struct{ resource, query, want string }{
		{"ContactCollection", "$filter=substringof('x',Email) and JobTitle eq 'a'&$format=json&$inlinecount=allpages", "filter contact.Email email, filter contact.JobTitle public"},
		{"ContactCollection", "$filter=BirthDate lt datetime'1985-01-01T00:00:00' or AccountID eq guid'9c9f62b3-bf21-5db4-8017-d792f7db7f0a'", "filter contact.AccountID public, filter contact.BirthDate birthdate"},
		{"ContactCollection", "$orderby=LastName desc&$expand=ContactNotes,Account&$select=Name,Account/Phone", "sort contact.LastName name"},
		{"ContactCollection", "$filter=Account/Phone eq '1' and startswith(tolower(Secret),'a')", "filter account.Phone phone, filter contact.Secret unclassified"},
		{"ContactCollection('7')/ContactNotes", "$filter=replace(Text,'a','b') eq 'x'", "filter note.Text free_text"},
		{"ContactCollection(Email='x')", "", "filter contact.Email email"},
		{"ContactCollection", "$search=x", "search contact.$search unclassified"},
	} {
		x, err := p.Classify(twoGet(c.resource, c.query))
		if err != nil {
			t.Errorf("%s?%s: %v", c.resource, c.query, err)
			continue
		}
		if got := strings.Join(odataAsks(x), ", "); got != c.want {
			t.Errorf("%s?%s\n got %s\nwant %s", c.resource, c.query, got, c.want)
		}
	}
	for _, r := range []Request{
		twoGet("ContactCollection", "$expand=ContactNotes($filter=Text eq 'x')"), twoGet("ContactCollection", "$apply=groupby((Email))"),
		twoGet("ContactCollection", "$format=atom"), twoGet("ContactCollection", "$inlinecount=x"), twoGet("ContactCollection", "$filter=Email eq @p&@p='x'"),
		twoGet("ContactCollection", "$skiptoken='Quast'"), twoGet("ContactCollection", "$count=true"), twoGet("ContactCollection/$count", ""),
		twoGet("ContactCollection", "$filter=Email eq duration'x'"), twoGet("ContactCollection('7')/$links/Account", ""),
		{Method: "POST", Path: "/odata/v1/api/ContactCollection", MediaType: "application/json", Body: []byte(`{"Name":"x","ContactNotes":[{"Text":"y"}]}`)},
		{Method: "PATCH", Path: "/odata/v1/api/ContactCollection(Email='x')", MediaType: "application/json", Body: []byte(`{"Name":"x"}`)},
	} {
		if _, err := p.Classify(r); err == nil {
			t.Errorf("%s %v is let through", r.Path, r.Query)
		}
	}
}

func TestLeakODataTwoAnswers(t *testing.T) {
	p := loadText(t, odataTwo)
	const about = `"__metadata":{"uri":"https://crm.example/odata/v1/api/ContactCollection('00163E7')","type":"c4codata.Contact","etag":"W/\"datetimeoffset'2026-01-01T00%3A00%3A00Z'\""}`
	for _, c := range []struct{ name, resource, query, answer, text, want string }{
		{"a-list", "ContactCollection", "", `{"d":{"results":[{` + about + `,"ObjectID":"00163E7","Name":"Müßig"}]}}`, "Müßig", "contact name"},
		{"a-bare-list", "ContactCollection", "", `{"d":[{"ObjectID":"00163E7","Email":"a@example.com"}]}`, "a@example.com", "contact email"},
		{"one", "ContactCollection('00163E7')", "", `{"d":{` + about + `,"ObjectID":"00163E7","BirthDate":"/Date(284083200000)/"}}`, "/Date(284083200000)/", "contact birthdate"},
		{"a-property", "ContactCollection('00163E7')/Email", "", `{"d":{"Email":"a@example.com"}}`, "a@example.com", "contact email"},
		{"related-ones", "ContactCollection", "$expand=ContactNotes", `{"d":{"results":[{"ObjectID":"00163E7","ContactNotes":{"results":[{"ObjectID":"8","Text":"called"}]}}]}}`, "called", "note free_text"},
		{"an-address-with-another-key", "ContactCollection", "", `{"d":{"results":[{"__metadata":{"uri":"https://x/ContactCollection('a@example.com')"},"ObjectID":"00163E7"}]}}`, "https://x/ContactCollection('a@example.com')", "contact unclassified"},
		{"an-address-with-another-number", "ContactCollection", "", `{"d":{"results":[{"__metadata":{"uri":"https://x/ContactCollection(0305550101)"},"ObjectID":"00163E7"}]}}`, "https://x/ContactCollection(0305550101)", "contact unclassified"},
		{"an-address-without-its-record", "ContactCollection", "", `{"d":{"results":[{"__metadata":{"uri":"https://x/ContactCollection(guid'9c9f62b3-bf21-5db4-8017-d792f7db7f0a')"}}]}}`, "https://x/ContactCollection(guid'9c9f62b3-bf21-5db4-8017-d792f7db7f0a')", "contact unclassified"},
		{"a-mark-that-holds-more", "ContactCollection", "", `{"d":{"results":[{"__metadata":{"etag":"Zoë Quast"},"ObjectID":"00163E7"}]}}`, "Zoë Quast", "contact unclassified"},
		{"a-relation-that-is-put-off", "ContactCollection", "", `{"d":{"results":[{"ObjectID":"00163E7","Other":{"__deferred":{"uri":"https://x/ContactCollection('Quast')/Other"}}}]}}`, "https://x/ContactCollection('Quast')/Other", "contact unclassified"},
		{"a-next-page-that-is-sorted", "ContactCollection", "$orderby=LastName", `{"d":{"results":[{"ObjectID":"00163E7"}],"__next":"https://x/?$skiptoken=Quast"}}`, "https://x/?$skiptoken=Quast", "contact name"},
		{"a-count-that-is-none", "ContactCollection", "$inlinecount=allpages", `{"d":{"results":[],"__count":"Quast"}}`, "Quast", "contact unclassified"},
		{"beside-the-list", "ContactCollection", "", `{"d":{"results":[],"note":"Quast"}}`, "Quast", "contact unclassified"},
		{"beside-the-frame", "ContactCollection", "", `{"d":{"results":[]},"note":"Quast"}`, "Quast", "contact unclassified"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fields, _ := foundIn(t, p, twoGet(c.resource, c.query), c.answer)
			if fields[c.text] != c.want {
				t.Errorf("%q, want %q: %v", fields[c.text], c.want, fields)
			}
		})
	}
	t.Run("what-is-no-value-stays", func(t *testing.T) {
		fields, records := foundIn(t, p, twoGet("ContactCollection", "$inlinecount=allpages"), `{"d":{"results":[{`+about+`,"ObjectID":"00163E7","JobTitle":"Boss","ContactNotes":{"__deferred":{"uri":"https://crm.example/odata/v1/api/ContactCollection('00163E7')/ContactNotes"}}}],"__count":"12","__next":"https://x/?$skiptoken=12"}}`)
		if len(fields) != 0 || strings.Join(records, ",") != "contact 00163E7" {
			t.Errorf("%v %v", fields, records)
		}
	})
	t.Run("another-shape", func(t *testing.T) {
		for _, answer := range []string{`{"value":[]}`, `{"d":{"ObjectID":"7","Name":"x"}}`, `[]`, `{"d":"x"}`} {
			x, err := p.Classify(twoGet("ContactCollection", ""))
			if err != nil {
				t.Fatal(err)
			}
			tree, err := parseJSON([]byte(answer))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := x.Locate(tree, 200); err == nil {
				t.Errorf("%s is taken", answer)
			}
		}
	})
}
