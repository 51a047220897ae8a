package profile

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// dialects is a profile with the ways in which CRMs use GraphQL.
func dialects(t testing.TB) *Profile {
	t.Helper()
	src, err := os.ReadFile("testdata/graphql.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// gql is a POST of a query with variables as JSON.
func gql(path, query, variables string) Request {
	quoted, err := json.Marshal(query)
	if err != nil {
		panic(err)
	}
	body := `{"query":` + string(quoted)
	if variables != "" {
		body += `,"variables":` + variables
	}
	return send("POST", path, "application/json", body+"}")
}

// gqlAsks lists what all accesses ask about or write.
func gqlAsks(x *Exchange, selects bool) string {
	var out []string
	for _, a := range x.Accesses {
		for _, r := range a.Refs {
			if selects != (r.Role == access.RefSelect) {
				continue
			}
			cats := make([]string, 0, len(r.Categories))
			for _, c := range r.Categories {
				cats = append(cats, string(c))
			}
			out = append(out, string(r.Role)+" "+string(r.Entity)+"."+r.Field+" "+strings.Join(cats, "+"))
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}

func TestGraphQLAsksAboutWhatItsCategoriesSay(t *testing.T) {
	p := dialects(t)
	for _, c := range []struct{ path, query, variables, want string }{
		{"/relay", `{ contacts(filter: {email: {like: "x"}}) { totalCount } }`, "", "filter contact.email email"},
		{"/relay", `{ contacts(filter: {or: [{not: {email: {eq: null}}}, {and: {phone: {in: ["1"]}}}]}) { totalCount } }`, "", "filter contact.email email, filter contact.phone phone"},
		{"/relay", `query($f: F) { a: contacts(filter: $f) { totalCount } }`, `{"f":{"emails":{"primary":{"like":"x"}},"accountId":{"eq":"7"}}}`, "filter contact.accountId public, filter contact.emails.primary email"},
		{"/relay", `{ contacts(filter: {emails: {like: "x"}}) { totalCount } }`, "", "filter contact.emails email"},
		{"/relay", `{ contacts(filter: {emails: {secret: {like: "x"}}}) { totalCount } }`, "", "filter contact.emails.secret email"},
		{"/relay", `{ contacts(filter: {account: {budget: {eq: 1}}}) { totalCount } }`, "", "filter account.budget special"},
		{"/relay", `{ contacts(filter: {account: {isNull: true}}) { totalCount } }`, "", "filter account.account public"},
		{"/relay", `{ contacts(filter: {boss: {boss: {name: {eq: "x"}}}}) { totalCount } }`, "", "filter contact.name name"},
		{"/relay", `{ accounts(filter: {contacts: {some: {name: {eq: "x"}}}}) { totalCount } }`, "", "filter contact.name name"},
		{"/relay", `{ contacts(filter: {secret: {deeper: {eq: 1}}}) { totalCount } }`, "", "filter contact.secret unclassified"},
		{"/relay", `{ contacts(condition: {email: "x"}) { totalCount } }`, "", "filter contact.email email"},
		{"/relay", `{ contacts(condition: {email: null, phone: [], name: {}}) { totalCount } }`, "", "filter contact.email email, filter contact.name name, filter contact.phone phone"},
		{"/relay", `{ contacts(orderBy: [{birthDate: ASC}, {account: {name: DESC}}]) { totalCount } }`, "", "sort account.name public, sort contact.birthDate birthdate"},
		{"/relay", `{ allContacts(orderBy: [BIRTH_DATE_ASC, SALARY_DESC_NULLS_LAST]) { totalCount } }`, "", "sort contact.birthDate birthdate, sort contact.salary special"},
		{"/relay", `{ allContacts(orderBy: "emails.primary desc") { totalCount } }`, "", "sort contact.emails.primary email"},
		{"/relay", `{ allContacts(orderBy: ["stage_desc", "stage:desc", ""]) { totalCount } }`, "", "sort contact.stage public, sort contact.stage_desc unclassified"},
		{"/relay", `{ contactsGroups(groupBy: [{birthDate: {granularity: DAY}}, {emails: {primary: true}}]) { keys } }`, "", "group contact.birthDate birthdate, group contact.emails.primary email"},
		{"/relay", `{ contacts(distinctOn: [phone]) { totalCount } }`, "", "group contact.phone phone"},
		{"/relay", `{ contacts(term: "x") { totalCount } }`, "", "search contact.term name+email"},
		{"/relay", `{ accounts(term: "x") { totalCount } }`, "", "search account.term unclassified"},
		{"/relay", `{ contacts { minSalary countEmails } }`, "", "aggregate contact.emails email, aggregate contact.salary special"},
		{"/relay", `{ contacts { edges { node { account { contacts(filter: {phone: {eq: "1"}}, orderBy: {salary: ASC}) { totalCount } } } } } }`, "", "filter contact.phone phone, sort contact.salary special"},
		{"/relay", `{ contacts { nodes { hidden(filter: {email: {eq: "x"}}) { id } } } }`, "", "filter contact.hidden unclassified"},
		{"/relay", `{ a: contacts { totalCount } b: accounts(filter: {note: {like: "x"}}) { totalCount } }`, "", "filter account.note free_text"},
		{"/hasura", `{ contacts(where: {_or: [{email: {_like: "x"}}, {account: {budget: {_eq: 1}}}]}, order_by: {salary: desc}, distinct_on: [phone]) { id } }`, "", "filter account.budget special, filter contact.email email, group contact.phone phone, sort contact.salary special"},
		{"/hasura", `{ contacts_aggregate { aggregate { count max { salary birthDate } } } }`, "", "aggregate contact.birthDate birthdate, aggregate contact.salary special"},
		{"/hasura", `mutation { insert_contacts_one(object: {email: "x", stage: "y"}) { id } }`, "", "write contact.email email, write contact.stage public"},
		{"/salesforce", `query($w: W) { uiapi { query { Contact(where: $w, orderBy: {Email: {order: ASC, nulls: LAST}}) { totalCount } } } }`, `{"w":{"Account":{"Name":{"like":"x"}},"Email":{"eq":"x"}}}`, "filter account.Name public, filter contact.Email email, sort contact.Email email"},
		{"/opaque", `query L($m: String!, $c: Iterable, $s: Iterable) { recordList(module: $m, criteria: $c, sort: $s, limit: 5) { records } }`, `{"m":"contacts","c":{"filters":{"email":{"operator":"=","values":["x"]}}},"s":{"orderBy":"birthDate","sortOrder":"DESC"}}`, "filter contact.email email, sort contact.birthDate birthdate"},
		{"/opaque", `mutation S($i: I!) { saveRecord(input: $i) { record } }`, `{"i":{"module":"contacts","_id":"7","attributes":{"phone":"1"}}}`, "write contact.phone phone"},
	} {
		x, err := p.Classify(gql(c.path, c.query, c.variables))
		if err != nil {
			t.Errorf("%s %s: %v", c.query, c.variables, err)
			continue
		}
		if got := gqlAsks(x, false); got != c.want {
			t.Errorf("%s %s\n got %s\nwant %s", c.query, c.variables, got, c.want)
		}
	}
}

// TestEachFieldOfTheQueryIsAnAccess, with its action, its records and what it selects
// whatever it is called.
func TestEachFieldOfTheQueryIsAnAccess(t *testing.T) {
	p := dialects(t)
	x := classify(t, p, gql("/relay", `mutation($i: ID!) {
		a: deleteContact(input: {id: $i, clientMutationId: "1"}) { contact { stage: email n: name { x } } }
		b: createAccount(input: {values: {note: "x"}}) { account { name } }
	}`, `{"i":"7"}`))
	if len(x.Accesses) != 2 || x.Accesses[0].Action != access.Delete || !slices.Equal(x.Accesses[0].IDs, []string{"7"}) ||
		x.Accesses[0].Call != "deleteContact" || x.Accesses[1].Action != access.Create || x.Accesses[1].Entity != "account" {
		t.Errorf("accesses: %+v", x.Accesses)
	}
	if got, want := gqlAsks(x, true), "select account.name public, select contact.email email, select contact.name name"; got != want {
		t.Errorf("selects %s, want %s", got, want)
	}
	x = classify(t, p, gql("/relay", `{ contacts { totalCount } status }`, ""))
	if x.Pass || len(x.Accesses) != 1 || !strings.Contains(x.Accesses[0].Question, "totalCount") {
		t.Errorf("pass %v, accesses %+v", x.Pass, x.Accesses)
	}
	if x = classify(t, p, gql("/relay", `{ status { anything } t: __typename }`, "")); !x.Pass {
		t.Error("a field without personal data is judged")
	}
}

// TestGraphQLThatIsNotUnderstoodIsRefused: the text names what, and quotes no value.
func TestGraphQLThatIsNotUnderstoodIsRefused(t *testing.T) {
	p := dialects(t)
	query := func(q string) Request { return gql("/relay", q, "") }
	body := func(s string) Request { return send("POST", "/relay", "application/json", s) }
	for _, c := range []struct {
		r            Request
		reason, says string
	}{
		{query(`{ me { id } }`), "unknown_call", "me"},
		{query(`{ secrets { id } }`), "unknown_call", "secrets"},
		{query(`mutation { contacts { id } }`), "unknown_call", "contacts"},
		{query(`{ createContact(input: {values: {}}) { id } }`), "unknown_call", "createContact"},
		{query(`{ report { id } }`), "denied", "Reports"},
		{query(`{ contacts(where: {email: {eq: "secret"}}) { id } }`), "unknown_parameter", "where"},
		{query(`{ contacts { nodes { email(mask: false) } } }`), "unknown_parameter", "mask"},
		{query(`{ contacts { edges(last: 3) { node { id } } } }`), "unknown_parameter", "last"},
		{query(`mutation { deleteContact(input: {id: 7, where: {}}) { id } }`), "unknown_parameter", "input.where"},
		{query(`{ contacts(filter: {email: {sounds: "secret"}}) { id } }`), "malformed", "sounds"},
		{query(`{ contacts { nodes { stage(filter: {email: {eq: 1}}) { v } } } }`), "malformed", "email"},
		{query(`{ contacts(filter: "secret") { id } }`), "malformed", "filter"},
		{query(`{ contacts(orderBy: "email; secret") { id } }`), "malformed", "sort"},
		{query(`{ contacts { nodes { ... on Account { x: name } ... on Contact { x: email } } } }`), "malformed", "__typename"},
		{query(`{ contacts { nodes { ... on Account { x: name } } } }`), "malformed", "__typename"},
		{query(`{ contacts { nodes { __schema { types } } } }`), "denied", "__schema"},
		{query(`{ __schema { types { name } } }`), "denied", "__schema"},
		{query(`{ __type(name: "Contact") { name } }`), "denied", "__type"},
		{query(`subscription { contacts { id } }`), "malformed", "Subscriptions"},
		{query(`mutation { createContact(input: {values: "secret"}) { id } }`), "malformed", "values"},
		{body(`[{"query":"{ status }"}]`), "malformed", "Several operations"},
		{body(`{"query":"{ status }","query":"{ contacts { id } }"}`), "malformed", ""},
		{body(`{"id":"3f2c"}`), "unknown_parameter", "id"},
		{body(`{"query":"{ status }","documentId":"3f2c"}`), "unknown_parameter", "documentId"},
		{body(`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"3f2c"}}}`), "malformed", "persisted"},
		{body(`{"query":"{ status }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"3f2c"}}}`), "malformed", "hash"},
		{body(`{"query":"{ status }","extensions":{"persistedQuery":{}}}`), "malformed", "hash"},
		{body(`{"query":"{ status }","extensions":{"cache":true}}`), "unknown_parameter", "cache"},
		{body(`{"query":"{ status }","extensions":[]}`), "malformed", "extensions"},
		{body(`{"query":"{ status }","variables":"{}"}`), "malformed", "variables"},
		{body(`{"query":["{ status }"]}`), "malformed", "query"},
		{body(`{"query":"query A { status } query B { contacts { id } }"}`), "malformed", "operationName"},
		{send("POST", "/relay", "application/graphql", `{ status }`), "type", ""},
		{send("POST", "/relay", "multipart/form-data", `{ status }`), "type", ""},
		{Request{Method: "POST", Path: "/relay", MediaType: "application/json", Query: []Param{{"query", "{contacts{id}}"}}, Body: []byte(`{"query":"{ status }"}`)}, "unknown_parameter", ""},
		{get("/relay", "query", `mutation { deleteContact(input: {id: 7}) { id } }`), "malformed", "POST"},
		{get("/relay", "query", `{ contacts { id } }`, "variables", "[]"), "malformed", "variables"},
		{get("/relay", "query", `{ contacts { id } }`, "extensions", `{"persistedQuery":{"sha256Hash":"0"}}`), "malformed", "hash"},
		{get("/relay", "extensions", `{"persistedQuery":{"sha256Hash":"0"}}`), "malformed", "persisted"},
		{get("/hasura", "query", `{ contacts { id } }`), "unknown_route", ""},
		{gql("/salesforce", `{ uiapi { aggregate { Contact { totalCount } } } }`, ""), "unknown_call", "uiapi.aggregate"},
		{gql("/salesforce", `{ uiapi(as: "secret") { query { Contact { totalCount } } } }`, ""), "unknown_call", "uiapi"},
		{gql("/opaque", `{ recordList(module: "secrets") { records } }`, ""), "unknown_type", ""},
		{gql("/opaque", `{ recordList(module: "contacts", criteria: {filters: {email: {field: "phone", operator: "="}}}) { records } }`, ""), "malformed", "field"},
	} {
		_, err := p.Classify(c.r)
		no, ok := err.(*Refusal) //nolint:errorlint // it isn't wrapped
		if !ok || no.Reason != c.reason || !strings.Contains(no.Text, c.says) || strings.Contains(no.Text, "secret\"") {
			t.Errorf("%s %v: %v, want %s with %q", c.r.Body, c.r.Query, err, c.reason, c.says)
		}
	}
}

func TestGraphQLTakesWhatClientsSend(t *testing.T) {
	p := dialects(t)
	for _, r := range []Request{
		get("/relay", "query", `query A($f: F) { contacts(filter: $f) { id } }`, "variables", `{"f":{"stage":{"eq":"x"}}}`, "operationName", "A"),
		send("POST", "/relay", "application/json", `{"query":"{ contacts { id } }","variables":null,"operationName":null,"extensions":{}}`),
		send("POST", "/relay", "application/graphql-response+json", `{"query":"{ contacts { id } }","extensions":{"clientLibrary":{"name":"x"}}}`),
		send("POST", "/relay", "application/json", `{"query":"{ status }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"HASH"}}}`),
		gql("/open", `{ __schema { types { name } } contacts { id } }`, ""),
	} {
		r.Body = []byte(strings.Replace(string(r.Body), "HASH", strings.ToUpper(hashOf("{ status }")), 1))
		if _, err := p.Classify(r); err != nil {
			t.Errorf("%s %v: %v", r.Body, r.Query, err)
		}
	}
}

// gqlFound lists what an answer's texts and numbers hold, by place: `text: entity
// category`, and its records.
func gqlFound(t testing.TB, p *Profile, r Request, answer string) (fields map[string]string, records []string) {
	t.Helper()
	x := classify(t, p, r)
	tree := parse(t, answer)
	l, err := x.Locate(tree, 200)
	if err != nil {
		t.Fatalf("%s: %v", r.Body, err)
	}
	fields = map[string]string{}
	note := func(tree *doc.Tree, node int, what string) {
		for n := node; n < int(tree.Nodes[node].Next); n++ {
			if k := tree.Nodes[n].Kind; k == doc.String || k == doc.Number {
				fields[tree.Text(n)] = what
			}
		}
	}
	for _, f := range l.Fields {
		note(tree, f.Node, string(f.Entity)+" "+string(f.Categories[0]))
	}
	for _, w := range l.Withheld {
		note(tree, w.Node, "withheld")
	}
	for _, r := range l.Records {
		records = append(records, string(r.Entity)+"/"+r.ID)
	}
	slices.Sort(records)
	return fields, slices.Compact(records)
}

func TestGraphQLAnswerIsReadByTheNamesOfFields(t *testing.T) {
	p := dialects(t)
	for _, c := range []struct {
		path, query, answer string
		want                map[string]string
		records             string
	}{
		{
			"/relay", `{ x: contacts { e: edges { n: node { id: stage stage: email name: id address { country: street street: country } } } } }`,
			`{"data":{"x":{"e":[{"n":{"id":"stage1","stage":"mail1","name":"7","address":{"country":"street1","street":"DE"}}}]}}}`,
			map[string]string{"mail1": "contact email", "street1": "contact address", "stage1": "", "DE": "", "7": ""},
			"contact/7",
		},
		{ // the same name at two places; a key with an escape
			"/relay", `{ contacts { nodes { a: stage boss { a: phone } account { a: note id } } } }`,
			`{"data":{"contacts":{"nodes":[{"a":"s1","boss":{"\u0061":"p1"},"account":{"a":"n1","id":"5"}}]}}}`,
			map[string]string{"p1": "contact phone", "n1": "account free_text", "s1": ""},
			"account/5",
		},
		{ // a name that nobody asked for, and two fields under one name
			"/relay", `{ contacts { nodes { ... on Contact { v: phone } __typename } } }`,
			`{"data":{"contacts":{"nodes":[{"__typename":"Contact","v":"p1","email":"m1","odd":"o1"}]}}}`,
			map[string]string{"p1": "contact phone", "m1": "contact email", "o1": "contact unclassified", "Contact": ""},
			"",
		},
		{ // kinds of records by __typename, whatever it is called
			"/relay", `{ contacts { nodes { t: __typename id ... on Contact { v: stage } ... on Account { v: note budget } } } }`,
			`{"data":{"contacts":{"nodes":[{"t":"Contact","id":"1","v":"s1"},{"t":"Account","id":"2","v":"n1","budget":55555},{"t":"Other","id":"3","v":"o1"},{"id":"4","v":"o2"}]}}}`,
			map[string]string{"s1": "", "n1": "account free_text", "55555": "account special", "o1": "contacts unclassified", "o2": "contacts unclassified"},
			"account/2,contact/1",
		},
		{ // a field that claims to be the type's name
			"/relay", `{ contacts { nodes { __typename: stage v: email } } }`,
			`{"data":{"contacts":{"nodes":[{"__typename":"Account","v":"m1"}]}}}`,
			map[string]string{"m1": "contact email"},
			"",
		},
		{
			"/relay", `{ contacts { nodes { ... on Account { v: name } t: __typename ... on Contact { v: email } } } }`,
			`{"data":{"contacts":{"nodes":[{"t":"Contact","v":"m1"}]}}}`,
			map[string]string{"m1": "contact email"},
			"",
		},
		{ // what lies around records
			"/relay", `{ contacts { c: totalCount minBirthDate s: minSalary countPhone pageInfo { x: endCursor hasNextPage } edges { cursor } keys odd } }`,
			`{"data":{"contacts":{"c":4444,"minBirthDate":"1971","s":5555,"countPhone":6666,"pageInfo":{"x":"eyJlbWFpbCI6Im0xIn0=","hasNextPage":true},"edges":[{"cursor":"text"}],"keys":["k"],"odd":7777}}}`,
			map[string]string{"1971": "contact birthdate", "5555": "contact special", "text": "contact unclassified", "k": "contact unclassified", "7777": "contact unclassified", "4444": "", "6666": ""},
			"",
		},
		{
			"/relay", `{ contactsGroups(groupBy: {phone: true}) { keys nodes { id } } }`,
			`{"data":{"contactsGroups":[{"keys":["0171"],"nodes":[{"id":"7"}]}]}}`,
			map[string]string{"0171": "contact phone"},
			"contact/7",
		},
		{ // relations that the profile doesn't know, and types that it doesn't
			"/relay", `{ contacts { nodes { secret { stage } owner { n: name } } } }`,
			`{"data":{"contacts":{"nodes":[{"secret":{"stage":"s1"},"owner":{"n":"o1"}}]}}}`,
			map[string]string{"s1": "contact unclassified", "o1": "owner name"},
			"",
		},
		{
			"/relay", `{ a: contacts { nodes { x: email } } b: accounts { nodes { x: name y: note } } t: __typename }`,
			`{"data":{"a":{"nodes":[{"x":"m1"}]},"b":{"nodes":[{"x":"n1","y":"t1"}]},"t":"Query"}}`,
			map[string]string{"m1": "contact email", "t1": "account free_text", "n1": "", "Query": ""},
			"",
		},
		{ // one field asked for twice
			"/relay", `{ contacts { nodes { id } } contacts { nodes { stage: email } } }`,
			`{"data":{"contacts":{"nodes":[{"id":"7","stage":"m1"}]}}}`,
			map[string]string{"m1": "contact email"},
			"contact/7",
		},
		{
			"/hasura", `{ contacts_aggregate { aggregate { count m: max { stage: salary s: stage } } nodes { id } } }`,
			`{"data":{"contacts_aggregate":{"aggregate":{"count":4444,"m":{"stage":5555,"s":"late"}},"nodes":[{"id":"7"}]}}}`,
			map[string]string{"5555": "contact special", "late": "", "4444": ""},
			"contact/7",
		},
		{
			"/salesforce", `{ u: uiapi { q: query { Contact { edges { node { i: Id n: Name { value } Stage { v: value } Account { Name { value displayValue } } } } } __typename } } }`,
			`{"data":{"u":{"q":{"Contact":{"edges":[{"node":{"i":"003","n":{"value":"Zoë"},"Stage":{"v":"x"},"Account":{"Name":{"value":"GmbH","displayValue":"GmbH"}}}}]},"__typename":"Query"}}}}`,
			map[string]string{"Zoë": "contact name", "x": "", "GmbH": "", "Query": ""},
			"",
		},
		{
			"/opaque", `{ recordList(module: "contacts") { r: records meta } }`,
			`{"data":{"recordList":{"r":[{"id":"7","attributes":{"name":"Zoë","stage":"x","odd":"o1"}}],"meta":{"note":"m1"}}}}`,
			map[string]string{"Zoë": "contact name", "o1": "contact unclassified", "x": "", "m1": "contact unclassified"},
			"contact/7",
		},
		{ // errors and extensions quote values; those of known codes don't
			"/relay", `{ contacts { nodes { id } } }`,
			`{"errors":[{"message":"m1","path":["contacts",0],"extensions":{"code":"X","was":123456789}},{"message":"m2","extensions":{"code":"FORBIDDEN"}}],"data":null,"extensions":{"sql":"s1"}}`,
			map[string]string{"m1": "withheld", "s1": "withheld", "123456789": "contact unclassified", "m2": "", "contacts": "", "X": ""},
			"",
		},
	} {
		fields, records := gqlFound(t, p, gql(c.path, c.query, ""), c.answer)
		for text, want := range c.want {
			if fields[text] != want {
				t.Errorf("%s\n%s: %q is %q, want %q", c.query, c.answer, text, fields[text], want)
			}
		}
		if got := strings.Join(records, ","); got != c.records {
			t.Errorf("%s: records %q, want %q", c.query, got, c.records)
		}
	}
}

// TestGraphQLAnswerOfAnotherShapeIsNotReleased.
func TestGraphQLAnswerOfAnotherShapeIsNotReleased(t *testing.T) {
	x := classify(t, dialects(t), gql("/relay", `{ contacts { nodes { id } } }`, ""))
	for _, answer := range []string{`[]`, `{}`, `{"data":[]}`, `{"data":"x"}`, `{"data":{"accounts":{}}}`, `{"contacts":{}}`} {
		if _, err := x.Locate(parse(t, answer), 200); err == nil {
			t.Errorf("%s is released", answer)
		}
	}
}

// TestGraphQLProfileIsReadStrictly: what is wrong is named with the remedy.
func TestGraphQLProfileIsReadStrictly(t *testing.T) {
	src, err := os.ReadFile("testdata/graphql.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, with, want string }{
		{"filter|condition: filter", "filter|condition: filtre", `unknown word "filtre"`},
		{"nodes|returning: records", "nodes|returning: record", `unknown category "record"`},
		{`"min{Field}|max{Field}": aggregate`, `"min{Type}": aggregate`, "{Field}"},
		{`"{type}": records`, `"{field}": records`, "{Type}"},
		{`{query: "{type}Groups"`, `{query: "{kind}Groups"`, "{type} in it"},
		{"{query: status, pass: true}", "{query: status}", "needs an entity"},
		{"{query: status, pass: true}", "{pass: true}", "either to the `query` or to the `mutation`"},
		{"{query: status, pass: true}", "{query: status, mutation: status, pass: true}", "either to the `query` or to the `mutation`"},
		{"action: delete, ids: [input.id]}", "ids: [input.id]}", "say what the mutation does"},
		{"action: search, question: true}", "action: search, opaque: true}", "aren't served in GraphQL"},
		{`{query: "{type}Groups", action: search}`, `{query: "{type}Groups", action: search, refs: [{role: filter, at: x, syntax: domain}]}`, "syntax search, name"},
		{"match: POST /hasura", "match: PUT /hasura", "by POST, or by GET"},
		{"match: POST /hasura", "match: POST /hasura\n    entity: contacts", "those of its fields"},
		{"match: POST /hasura", "match: POST /hasura\n    type: html", "JSON that isn't streamed"},
		{"introspection: true", "introspecting: true", `unknown key "introspecting"`},
		{", stored: {query: \"{type}_by_pk(id: {id}) { id {fields} }\", at: \"$.data.*\"}", "", "say how the stored values are read"},
	} {
		if !strings.Contains(string(src), c.old) {
			t.Fatalf("no %q", c.old)
		}
		if _, err := Load([]byte(strings.Replace(string(src), c.old, c.with, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.with, err, c.want)
		}
	}
}

func hashOf(query string) string {
	sum := sha256.Sum256([]byte(query))
	return hex.EncodeToString(sum[:])
}
