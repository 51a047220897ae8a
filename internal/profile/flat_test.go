package profile

import (
	"errors"
	"strings"
	"testing"
)

const flatProfile = `
profile: flat/1
evidence: documented
withheld: WITHHELD
entities:
  contact:
    types: [Contacts]
    unknown: mask_if_string
    display: Full_Name
    fields: {Full_Name|Last_Name: name, Email: email, Title|Age_Group: public, Account_Name: {parts: {name: public, id: {link: Accounts}}}}
    relations: {Account_Name: Accounts, Owner: users}
  account:
    types: [Accounts]
    unknown: mask_if_string
    display: Account_Name
    fields: {Account_Name: public, Phone: phone, Industry: public}
    relations: {Owner: users}
  user: {types: [users], internal: true, unknown: pass}
routes:
  - match: POST /crm/{version}/coql
    action: search
    question: true
    members: [select_query]
    refs: [{at: body.select_query, syntax: coql}]
    records: [{at: "$.data[*]"}]
    public: [info]
  - match: GET /webservice.php
    action: search
    question: true
    query: [operation, query]
    refs: [{at: query.query, syntax: vtql}]
    records: [{at: "$.result[*]"}]
`

func coqlPost(query string) Request {
	return Request{Method: "POST", Path: "/crm/v8/coql", MediaType: "application/json", Body: []byte(`{"select_query":"` + query + `"}`)}
}

func vtqlGet(query string) Request {
	return Request{Method: "GET", Path: "/webservice.php", Query: []Param{{"operation", "query"}, {"query", query}}}
}

func TestFlatQueriesAskAboutWhatTheirCategoriesSay(t *testing.T) {
	p := loadText(t, flatProfile)
	for _, c := range []struct {
		r    Request
		want string
	}{
		{coqlPost("select id from Contacts where Email like 'a%' order by Last_Name"), "filter contact.Email email, sort contact.Last_Name name"},
		{coqlPost("select id from Contacts where Account_Name.Phone = '1' and Account_Name.Owner.email = 'x'"), "filter account.Phone phone, filter user.email public"},
		{coqlPost("select id from Contacts where Secret__c = 'x'"), "filter contact.Secret__c unclassified"},
		{coqlPost("select max(Email) as m from Contacts group by Last_Name"), "aggregate contact.Email email, group contact.Last_Name name"},
		{vtqlGet("select * from Contacts where Email = 'x';"), "filter contact.Email email"},
	} {
		x, err := p.Classify(c.r)
		if err != nil {
			t.Errorf("%s: %v", c.want, err)
			continue
		}
		if got := strings.Join(odataAsks(x), ", "); got != c.want {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
	}
	// Whose record a row is, is not for the query to say.
	for _, r := range []Request{coqlPost("select Email as id from Contacts"), coqlPost("select Email as ID from Contacts"), coqlPost("select id from Deals"), coqlPost("select id from Contacts where Email = upper('x')"), vtqlGet("select id from Contacts c"), vtqlGet("select id from Deals;")} {
		if _, err := p.Classify(r); err == nil {
			t.Errorf("%+v is let through", r)
		} else if no, ok := errors.AsType[*Refusal](err); !ok || no.Reason != "malformed" && no.Reason != "unknown_type" {
			t.Error(err)
		}
	}
}

func TestLeakFlatRows(t *testing.T) {
	p := loadText(t, flatProfile)
	row := func(members string) string { return `{"data":[{` + members + `}],"info":{"count":1}}` }
	for _, c := range []struct{ name, query, answer, text, want string }{
		{"plain", "select Email, Title from Contacts", row(`"id":"7","Email":"a@example.com","Title":"Boss"`), "a@example.com", "contact email"},
		{"a-public-field", "select Email, Title from Contacts", row(`"id":"7","Email":"a@example.com","Title":"Boss"`), "Boss", ""},
		{"alias-of-a-public-field", "select Email as Title from Contacts", row(`"id":"7","Title":"a@example.com"`), "a@example.com", "contact email"},
		{"alias-of-a-lookup", "select Email as Account_Name from Contacts", row(`"id":"7","Account_Name":"a@example.com"`), "a@example.com", "contact email"},
		{"a-lookup", "select Account_Name.Phone from Contacts", row(`"id":"7","Account_Name.Phone":"030 5550101"`), "030 5550101", "account phone"},
		{"a-public-lookup", "select Account_Name.Industry from Contacts", row(`"id":"7","Account_Name.Industry":"Steel"`), "Steel", ""},
		{"an-aggregate", "select max(Email) from Contacts", row(`"max(Email)":"a@example.com"`), "a@example.com", "contact email"},
		{"an-aggregate-under-another-name", "select max(Salary) from Contacts", row(`"Age_Group":42000`), "42000", "contact unclassified"},
		{"a-number-that-nobody-asked-for", "select Title from Contacts", row(`"id":"7","Title":"x","Salary":42000`), "42000", "contact unclassified"},
		{"a-public-field-that-nobody-asked-for", "select id from Contacts", row(`"id":"7","Title":"Müßig"`), "Müßig", "contact unclassified"},
		{"a-count-that-is-none", "select count(id) as c from Contacts", row(`"c":"Müßig"`), "Müßig", "contact unclassified"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fields, _ := foundIn(t, p, coqlPost(c.query), c.answer)
			if fields[c.text] != c.want {
				t.Errorf("%s: %q, want %q: %v", c.query, fields[c.text], c.want, fields)
			}
		})
	}
	t.Run("vtql-all-fields", func(t *testing.T) {
		fields, records := foundIn(t, p, vtqlGet("select * from Contacts;"), `{"result":[{"id":"12x7","Email":"a@example.com","Title":"Boss","Mood":"x"}]}`)
		if fields["a@example.com"] != "contact email" || fields["x"] != "contact unclassified" || fields["Boss"] != "" || strings.Join(records, ",") != "contact 12x7" {
			t.Errorf("%v %v", fields, records)
		}
	})
	t.Run("vtql-a-field-that-nobody-asked-for", func(t *testing.T) {
		fields, _ := foundIn(t, p, vtqlGet("select Title from Contacts;"), `{"result":[{"id":"12x7","Title":"Boss","Salary":42000}]}`)
		if fields["42000"] != "contact unclassified" {
			t.Errorf("%v", fields)
		}
	})
	t.Run("vtql-count", func(t *testing.T) {
		fields, _ := foundIn(t, p, vtqlGet("select count(*) from Contacts;"), `{"result":[{"count":"12"}]}`)
		if len(fields) != 0 {
			t.Errorf("%v", fields)
		}
	})
}
