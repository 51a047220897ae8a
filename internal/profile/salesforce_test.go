package profile

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
)

const restAPI = "/services/data/v62.0/"

func salesforce(t *testing.T) *Profile {
	t.Helper()
	src, err := Builtin("salesforce")
	if err != nil {
		t.Fatal(err)
	}
	return loadText(t, string(src))
}

func soqlGet(query string) Request {
	return Request{Method: "GET", Path: restAPI + "query", Query: []Param{{"q", query}}}
}

func soslGet(query string) Request {
	return Request{Method: "GET", Path: restAPI + "search", Query: []Param{{"q", query}}}
}

func TestSOQLAsksAboutWhatItsCategoriesSay(t *testing.T) {
	p := salesforce(t)
	for _, c := range []struct{ query, want string }{
		{"SELECT Id FROM Contact WHERE Email LIKE 'a%'", "filter contact.Email email"},
		{"SELECT Id FROM CONTACT WHERE eMAIL LIKE 'a%' OR contact.birthdate < 1980-01-01", "filter contact.Birthdate birthdate, filter contact.Email email"},
		{"SELECT Id FROM Account a WHERE a.PersonContact.MobilePhone != null", "filter contact.MobilePhone phone"},
		{"SELECT Id FROM Contact c, c.Account a WHERE a.Name LIKE 'x%'", "filter account.Name name"},
		{"SELECT Id FROM Contact WHERE AccountId = '001QyCCCCCfbmF0I5I' ORDER BY LastModifiedDate", "filter contact.AccountId public, sort contact.LastModifiedDate public"},
		{"SELECT Id FROM Contact ORDER BY ns__Secret__c", "sort contact.ns__Secret__c unclassified"},
		{"SELECT Id FROM Contact WHERE ns__Doctor__r.Name = 'x'", "filter Contact.ns__Doctor__r.Name unclassified"},
		{"SELECT Id FROM Contact WHERE Id IN (SELECT WhoId FROM Task WHERE Subject LIKE '%x%')", "filter activity.Subject free_text, filter activity.WhoId public, filter contact.Id public"},
		{"SELECT Id FROM Task WHERE Who.Email = 'x'", "filter record.Email email"},
		{"SELECT Id, (SELECT Id FROM Contacts WHERE Phone LIKE '1%') FROM Account", "filter contact.Phone phone"},
		{"SELECT MAX(Birthdate), COUNT(Email) FROM Contact GROUP BY LastName", "aggregate contact.Birthdate birthdate, aggregate contact.Email email, group contact.LastName name"},
		{"SELECT COUNT(Id) FROM Contact GROUP BY CALENDAR_YEAR(Birthdate)", "aggregate contact.Id public, group contact.Birthdate birthdate"},
		{"SELECT Id FROM ContactHistory WHERE NewValue = 'x'", "filter history.NewValue unclassified"},
		{"SELECT Id FROM Contact WHERE DISTANCE(MailingAddress, GEOLOCATION(48,11), 'km') < 1", "filter contact.MailingAddress address"},
	} {
		x, err := p.Classify(soqlGet(c.query))
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		if got := strings.Join(odataAsks(x), ", "); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
		}
	}
}

func TestSOSLAsksAboutTheFieldsThatItSearches(t *testing.T) {
	p := salesforce(t)
	for _, c := range []struct{ query, want string }{
		{"FIND {x} IN NAME FIELDS RETURNING Contact, Account", "search account.name fields name, search contact.name fields name"},
		{"FIND {x} IN EMAIL FIELDS RETURNING Lead", "search lead.email fields email"},
		{"FIND {x} RETURNING Lead", "search lead.all fields name+email+phone+address+free_text+unclassified"},
		{"FIND {x} IN PHONE FIELDS RETURNING Task", "search activity.phone fields unclassified"},
	} {
		x, err := p.Classify(soslGet(c.query))
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		if got := strings.Join(odataAsks(x), ", "); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
		}
	}
}

// TestEveryEntityOfAQueryIsAsked: a role that may search one kind of record may not
// search another by way of it.
func TestEveryEntityOfAQueryIsAsked(t *testing.T) {
	p := salesforce(t)
	for query, want := range map[string][]access.Entity{
		"SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact) AND OwnerId IN (SELECT Id FROM User)": {"account", "contact"},
		"FIND {x} RETURNING Contact, Lead, Task, Event":                                                           {"contact", "lead", "activity"},
	} {
		r := soqlGet(query)
		if strings.HasPrefix(query, "FIND") {
			r = soslGet(query)
		}
		x, err := p.Classify(r)
		if err != nil {
			t.Fatal(err)
		}
		var got []access.Entity
		for _, a := range x.Accesses {
			got = append(got, a.Entity)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v", query, got)
		}
	}
}

func TestLeakSOQLNamesThatTheQueryMadeUp(t *testing.T) {
	p := salesforce(t)
	const group = `{"records":[{"attributes":{"type":"AggregateResult"},`
	for _, c := range []struct{ name, query, answer, text, want string }{
		{"alias", "SELECT MAX(Birthdate) b FROM Contact", group + `"b":"1979-01-08"}]}`, "1979-01-08", "contact birthdate"},
		{"alias-in-another-case", "SELECT MAX(Birthdate) B FROM Contact", group + `"b":"1979-01-08"}]}`, "1979-01-08", "contact birthdate"},
		{"alias-of-a-public-field", "SELECT MAX(Birthdate) Title FROM Contact", group + `"Title":"1979-01-08"}]}`, "1979-01-08", "contact birthdate"},
		{"alias-of-the-id", "SELECT MAX(LastName) Id FROM Contact", group + `"Id":"Müßig"}]}`, "Müßig", "contact name"},
		{"alias-of-a-link", "SELECT MAX(LastName) AccountId FROM Contact", group + `"AccountId":"Müßig"}]}`, "Müßig", "contact name"},
		{"alias-of-a-relationship", "SELECT MAX(LastName) Account FROM Contact", group + `"Account":"Müßig"}]}`, "Müßig", "contact name"},
		{"no-alias", "SELECT COUNT(Id), MIN(Email) FROM Contact", group + `"expr0":1,"expr1":"a@example.com"}]}`, "a@example.com", "contact email"},
		{"a-count-that-is-none", "SELECT COUNT(Id) c FROM Contact", group + `"c":"Müßig"}]}`, "Müßig", "contact unclassified"},
		{"not-asked-for", "SELECT COUNT(Id) c FROM Contact", group + `"c":1,"d":"Müßig"}]}`, "Müßig", "aggregate unclassified"},
		{"a-number-not-asked-for", "SELECT COUNT(Id) c FROM Contact", group + `"c":1,"d":42}]}`, "42", "aggregate unclassified"},
		{"a-year", "SELECT CALENDAR_YEAR(Birthdate) y FROM Contact GROUP BY CALENDAR_YEAR(Birthdate)", group + `"y":1979}]}`, "1979", "contact birthdate"},
		{"a-relationship", "SELECT PersonContact.Email FROM Account GROUP BY PersonContact.Email", group + `"Email":"a@example.com"}]}`, "a@example.com", "contact email"},
		{"groups-that-were-not-asked-for", "SELECT Id FROM Contact", group + `"Title":"Müßig"}]}`, "Müßig", "aggregate unclassified"},
		{"in-a-record", "SELECT Id, FORMAT(Birthdate) b FROM Contact", `{"records":[{"attributes":{"type":"Contact"},"b":"8.1.1979"}]}`, "8.1.1979", "contact birthdate"},
		{"a-distance", "SELECT DISTANCE(MailingAddress, GEOLOCATION(48,11), 'km') d FROM Contact", `{"records":[{"attributes":{"type":"Contact"},"d":3.5}]}`, "3.5", "contact address"},
		{"in-a-query-within", "SELECT Id, (SELECT FORMAT(Birthdate) Title FROM Contacts) FROM Account", `{"records":[{"attributes":{"type":"Account"},"Title":"x","Contacts":{"records":[{"attributes":{"type":"Contact"},"Title":"8.1.1979"}]}}]}`, "8.1.1979", "contact birthdate"},
		{"a-next-page", "SELECT Id, (SELECT Id FROM Contacts) FROM Account", `{"records":[{"attributes":{"type":"Account"},"Contacts":{"records":[],"note":"Müßig"}}]}`, "Müßig", "contact unclassified"},
		{"another-kind-than-asked-for", "SELECT Title FROM Contact", `{"records":[{"attributes":{"type":"Medical__c"},"Title":"Müßig"}]}`, "Müßig", "Contact unclassified"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fields, _ := foundIn(t, p, soqlGet(c.query), c.answer)
			if fields[c.text] != c.want {
				t.Errorf("%s: %q, want %q: %v", c.query, fields[c.text], c.want, fields)
			}
		})
	}
	t.Run("only-where-it-belongs", func(t *testing.T) {
		// The alias is of the query within: outside of it the name is a field's own.
		fields, _ := foundIn(t, p, soqlGet("SELECT Secret__c, (SELECT toLabel(Title) Secret__x FROM Contacts) FROM Account"),
			`{"records":[{"attributes":{"type":"Account"},"Secret__x":"hidden","Contacts":{"records":[{"attributes":{"type":"Contact"},"Secret__x":"Boss","Account":{"attributes":{"type":"Account"},"Secret__x":"deep"}}]}}]}`)
		if fields["hidden"] != "account unclassified" || fields["deep"] != "account unclassified" || fields["Boss"] != "" {
			t.Errorf("%v", fields)
		}
	})
	t.Run("by-the-kind-that-a-search-returns", func(t *testing.T) {
		fields, _ := foundIn(t, p, soslGet("FIND {x} IN NAME FIELDS RETURNING Contact(toLabel(Title) x), Lead(FORMAT(Birthdate) x)"),
			`{"searchRecords":[{"attributes":{"type":"Contact"},"x":"Boss"},{"attributes":{"type":"Lead"},"x":"8.1.1979"},{"attributes":{"type":"Account"},"x":"Müßig"}]}`)
		if fields["8.1.1979"] != "lead birthdate" || fields["Müßig"] != "account unclassified" || fields["Boss"] != "" {
			t.Errorf("%v", fields)
		}
	})
}

// TestWhoseRecordARowIsIsNotForTheQueryToSay: a policy may show an owner what it hides
// from others.
func TestWhoseRecordARowIsIsNotForTheQueryToSay(t *testing.T) {
	src, err := Builtin("salesforce")
	if err != nil {
		t.Fatal(err)
	}
	p := salesforce(t)
	if p.entityOf("Contact").owner == "" {
		p = loadText(t, strings.Replace(string(src), "\n  contact:\n", "\n  contact:\n    owner: OwnerId\n", 1))
	}
	for query, taken := range map[string]bool{
		"SELECT MAX(Title) t FROM Contact":                     true,
		"SELECT MAX(Title) OwnerId FROM Contact":               false,
		"SELECT toLabel(Title) ownerid FROM Contact":           false,
		"SELECT Id, (SELECT Id FROM Contacts) FROM Account":    true,
		"SELECT OwnerId FROM Contact":                          true,
		"SELECT COUNT(Id) OWNERID FROM Contact GROUP BY Title": false,
	} {
		_, err := p.Classify(soqlGet(query))
		if no, ok := errors.AsType[*Refusal](err); taken != (err == nil) || err != nil && (!ok || no.Reason != "malformed") {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func TestRecordsSayThemselvesWhatTheyAre(t *testing.T) {
	p := salesforce(t)
	_, records := foundIn(t, p, soqlGet("SELECT Who.Name, Owner.Name, AccountId FROM Task"), `{"records":[{"attributes":{"type":"Task","url":"/services/data/v62.0/sobjects/Task/00TQyCCCCCfbmF0M5I"},
		"Who":{"attributes":{"type":"Lead","url":"/services/data/v62.0/sobjects/Lead/00QQyCCCCCfbmF0M5I"},"Name":"x"},"WhatId":"006QyCCCCCfbmF0I5I",
		"Owner":{"attributes":{"type":"User","url":"/services/data/v62.0/sobjects/User/005QyCCCCCfbmF0I5I"},"Name":"y"},"AccountId":"001QyCCCCCfbmF0","ns__Other__r":{"attributes":{"type":"Contact","url":"/x/003QyCCCCCfbmF0I5I"}}}]}`)
	want := []string{"activity 00TQyCCCCCfbmF0M5I", "lead 00QQyCCCCCfbmF0M5I", "opportunity 006QyCCCCCfbmF0I5I", "account 001QyCCCCCfbmF0I5I", "contact 003QyCCCCCfbmF0I5I"}
	if !slices.Equal(records, want) {
		t.Errorf("records %v", records)
	}
}

func TestSalesforceIDsHaveOneForm(t *testing.T) {
	for in, want := range map[string]string{
		"003QyCCCCCfbmF0":    "003QyCCCCCfbmF0I5I",
		"003QyCCCCCfbmF0I5I": "003QyCCCCCfbmF0I5I",
		"003qycccccfbmf0i5i": "003QyCCCCCfbmF0I5I",
		"003QYCCCCCFBMF0I5I": "003QyCCCCCfbmF0I5I",
		"000000000000000555": "000000000000000555",
	} {
		if got := salesforceID(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	p := salesforce(t)
	for path, want := range map[string]string{
		"sobjects/contact/003QyCCCCCfbmF0": "003QyCCCCCfbmF0I5I", "composite/sobjects/Contact": "003QyCCCCCfbmF0I5I 003Qyggggg93gO0IAI", "ui-api/records/003qycccccfbmf0i5i": "003QyCCCCCfbmF0I5I",
	} {
		r := Request{Method: "GET", Path: restAPI + path}
		if strings.HasPrefix(path, "composite") {
			r.Query = []Param{{"ids", "003QyCCCCCfbmF0I5I,003Qyggggg93gO0"}, {"fields", "Id"}}
		}
		x, err := p.Classify(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(x.Accesses[0].IDs, " "); got != want || x.Accesses[0].Entity != "contact" {
			t.Errorf("%s: %s of %s", path, got, x.Accesses[0].Entity)
		}
	}
	for path, want := range map[string]string{"sobjects/Contact/Email/x": "record by a field", "sobjects/Account/001QyCCCCCfbmF0I5I/Contacts": "related records"} {
		if x := classify(t, p, Request{Method: "GET", Path: restAPI + path}); x.Route != want {
			t.Errorf("%s: %s", path, x.Route)
		}
	}
	for _, path := range []string{"sobjects/Contact/zoe@example.com", "sobjects/Contact/003Qy", "ui-api/records/a00QyCCCCCfbmF0I5I", "sobjects/ns__Thing__c/003QyCCCCCfbmF0I5I"} {
		if _, err := p.Classify(Request{Method: "GET", Path: restAPI + path}); err == nil {
			t.Errorf("%s is let through", path)
		}
	}
}

func TestFoldedNamesAreOneField(t *testing.T) {
	p := salesforce(t)
	x := classify(t, p, send("PATCH", restAPI+"sobjects/Contact/003QyCCCCCfbmF0", "application/json", `{"EMAIL":"x","ns__secret__c":"y"}`))
	w := x.Writes()[0]
	stored, err := parseJSON([]byte(`{"Id":"003QyCCCCCfbmF0I5I","Email":"stored","ns__Secret__c":"z"}`))
	if err != nil {
		t.Fatal(err)
	}
	records, err := w.ReadStored(stored)
	if err != nil || len(records) != 1 {
		t.Fatalf("%v, %v", records, err)
	}
	for _, f := range w.Fields {
		node, _, cats := w.StoredField(stored, records["003QyCCCCCfbmF0I5I"], f.Name)
		if node < 0 || len(cats) != 1 || cats[0] == access.Public {
			t.Errorf("%s: stored at %d, %v", f.Name, node, cats)
		}
	}
	for _, body := range []string{`{"Title":"x","TITLE":"y"}`, `{"X__c":1,"x__C":2}`} {
		if _, err := p.Classify(send("PATCH", restAPI+"sobjects/Contact/003QyCCCCCfbmF0", "application/json", body)); err == nil {
			t.Errorf("%s is let through", body)
		}
	}
}

func TestSalesforceRequestsThatCannotBeJudgedAreRefused(t *testing.T) {
	p := salesforce(t)
	post := func(path, body string) Request {
		return Request{Method: "POST", Path: restAPI + path, MediaType: "application/json", Body: []byte(body)}
	}
	get := func(path string, query ...Param) Request {
		return Request{Method: "GET", Path: restAPI + path, Query: query}
	}
	for name, r := range map[string]Request{
		"an-id-that-is-none":   post("composite/sobjects/Contact", `{"ids":["zoe@example.com"],"fields":["Id"]}`),
		"no-query":             get("query"),
		"two-queries":          get("query", Param{"q", "SELECT Id FROM Contact"}, Param{"q", "SELECT Email FROM Contact"}),
		"another-parameter":    get("query", Param{"q", "SELECT Id FROM Contact"}, Param{"explain", "SELECT Id FROM Contact"}),
		"unknown-object":       soqlGet("SELECT Id FROM Secret__c"),
		"unknown-in-a-join":    soqlGet("SELECT Id FROM Contact WHERE Id IN (SELECT A__c FROM Secret__c)"),
		"unknown-in-a-search":  soslGet("FIND {x} RETURNING Contact, Secret__c"),
		"name-of-a-field":      soqlGet("SELECT Email.Id FROM Contact Email"),
		"name-of-a-relation":   soqlGet("SELECT Account.Id FROM Contact Account"),
		"name-of-a-nested-one": soqlGet("SELECT Id, (SELECT Account.Id FROM Contacts Account) FROM Account"),
		"search-in-all":        post("parameterizedSearch", `{"q":"x"}`),
		"search-in-none":       post("parameterizedSearch", `{"q":"x","sobjects":[]}`),
		"search-twice":         post("parameterizedSearch", `{"q":"x","sobjects":[{"name":"Contact"},{"name":"contact"}]}`),
		"search-more":          post("parameterizedSearch", `{"q":"x","sobjects":[{"name":"Contact","other":"x"}]}`),
		"search-a-list":        post("parameterizedSearch", `{"q":"x","sobjects":[{"name":"Contact","where":["x"]}]}`),
		"search-a-clause":      post("parameterizedSearch", `{"q":"x","sobjects":[{"name":"Contact","where":"Id = 'x' ORDER BY Email"}]}`),
		"search-a-group":       post("parameterizedSearch", `{"q":"x","in":"WHATEVER","sobjects":[{"name":"Contact"}]}`),
		"search-an-object":     post("parameterizedSearch", `{"q":"x","sobjects":[{"name":"Contact"}],"dataCategories":[]}`),
		"search-no-object":     get("parameterizedSearch", Param{"q", "x"}),
		"search-another":       get("parameterizedSearch", Param{"q", "x"}, Param{"sobject", "Contact"}, Param{"contact.where", "Email = 'x'"}),
		"search-a-parameter":   get("parameterizedSearch", Param{"q", "x"}, Param{"sobject", "Contact"}, Param{"Contact.other", "x"}),
		"composite":            post("composite", `{}`),
		"tree":                 post("composite/tree/Contact", `{}`),
		"many-saves":           post("composite/sobjects", `{}`),
		"relation-in-a-save":   post("sobjects/Contact", `{"LastName":"x","Account":{"Number__c":"1"}}`),
		"job":                  post("jobs/query", `{}`),
		"report":               get("analytics/dashboards/01ZQyCCCCCfbmF0I5I"),
		"blob":                 get("sobjects/ContentVersion/068QyCCCCCfbmF0I5I/VersionData"),
		"method-override":      get("sobjects/Contact/003QyCCCCCfbmF0", Param{"_HttpMethod", "PATCH"}),
		"apex":                 {Method: "GET", Path: "/services/apexrest/x"},
		"tooling":              get("tooling/query", Param{"q", "SELECT Id FROM Contact"}),
	} {
		_, err := p.Classify(r)
		if _, ok := errors.AsType[*Refusal](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAQuestionInThePathIsKept(t *testing.T) {
	p := salesforce(t)
	const path = restAPI + "sobjects/Contact/Private_Email__c/zoe@example.com"
	for _, r := range []Request{{Method: "GET", Path: path}, send("PATCH", path, "application/json", `{"Title":"x"}`)} {
		if q := classify(t, p, r).Accesses[0].Question; !strings.Contains(q, "/Private_Email__c/zoe@example.com") {
			t.Errorf("%s: %q", r.Method, q)
		}
	}
}

func TestLanguagesAreCheckedAtLoad(t *testing.T) {
	const head = "profile: x/1\nevidence: documented\nwithheld: no\nentities: {contact: {fields: {}}}\n"
	for rest, want := range map[string]string{
		`routes: [{match: GET /q, entity: contact, refs: [{at: query.q, syntax: soql}]}]`:                                                  "leave entity, ids, write and other refs out",
		`routes: [{match: GET /q, refs: [{at: query.q, syntax: soql}, {at: query.q, syntax: sosl}]}]`:                                      "leave entity, ids, write and other refs out",
		`routes: [{match: GET /q, type: csv, refs: [{at: query.q, syntax: sosl}]}]`:                                                        "answers of the type json",
		`routes: [{match: "GET /{q}", refs: [{at: "{q}", syntax: soql}]}]`:                                                                 "in a query parameter or in the body",
		`routes: [{match: GET /q, entity: contact, refs: [{at: query.q}]}]`:                                                                `unknown role ""`,
		"described: [{id: .id}]\nroutes: [{match: GET /q, pass: true}]":                                                                    "says where a record's type stands",
		"normalize: {ids: other}\nroutes: [{match: GET /q, pass: true}]":                                                                   "ids: \"other\" is not served",
		"normalize: {names: other}\nroutes: [{match: GET /q, pass: true}]":                                                                 "names: \"other\" is not served",
		"normalize: {prefixes: {a: other}}\nroutes: [{match: GET /q, pass: true}]":                                                         `leads to type "other"`,
		"transports: [{match: POST /, body: json, method: body.m, type: body.t}]\ncalls: [{call: q, refs: [{at: query.q, syntax: soql}]}]": "are for routes",
	} {
		if _, err := Load([]byte(head + rest + "\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", rest, err, want)
		}
	}
	folded := "profile: x/1\nevidence: documented\nwithheld: no\nnormalize: {names: folded}\nentities: {contact: {fields: {Email: email, EMAIL: name}}}\nroutes: [{match: GET /q, pass: true}]\n"
	if _, err := Load([]byte(folded)); err == nil || !strings.Contains(err.Error(), "listed before already") {
		t.Errorf("%v", err)
	}
}

// TestLeakListsAndReportsThatTheCRMKeeps: what they ask is for those who see everything,
// but for those that the profile knows.
func TestLeakListsAndReportsThatTheCRMKeeps(t *testing.T) {
	p := salesforce(t)
	post := func(path string) Request {
		return Request{Method: "POST", Path: restAPI + path, MediaType: "application/json", Body: []byte(`{}`)}
	}
	get := func(path string) Request { return Request{Method: "GET", Path: restAPI + path} }
	for name, c := range map[string]struct {
		r    Request
		asks bool
	}{
		"everybody":        {post("ui-api/list-records/Contact/AllContacts"), false},
		"somebody":         {post("ui-api/list-records/Contact/Rich_People"), true},
		"in-another-case":  {post("ui-api/list-records/Contact/allcontacts"), true},
		"by-its-id":        {get("ui-api/list-records/00BQyCCCCCfbmF0I5I"), true},
		"with-its-records": {get("ui-api/list-ui/Contact/Rich_People"), true},
		"report":           {get("analytics/reports/00OQyCCCCCfbmF0I5I"), true},
		"report-by-filter": {post("analytics/reports/00OQyCCCCCfbmF0I5I"), true},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := p.Classify(c.r)
			if err != nil {
				t.Fatal(err)
			}
			asks := map[access.Entity]bool{}
			for _, r := range x.Accesses[0].Refs {
				asks[r.Entity] = r.Role == access.RefFilter && len(r.Categories) == len(wholeCategories())
			}
			if asks["contact"] != c.asks || asks["individual"] != c.asks || asks["internal"] {
				t.Errorf("%v", asks)
			}
		})
	}
	t.Run("cells-of-a-report-without-a-column", func(t *testing.T) {
		fields, records := foundIn(t, p, get("analytics/reports/00OQyCCCCCfbmF0I5I"),
			`{"factMap":{"T!T":{"rows":[{"dataCells":[{"label":"Boss","value":"003Quastquast12"},{"label":"x","value":42}]}]}},"reportMetadata":{"detailColumns":["TITLE"]}}`)
		if fields["Boss"] != "" || fields["42"] == "" || fields["x"] == "" || len(records) != 0 {
			t.Errorf("%v %v", fields, records)
		}
	})
}
