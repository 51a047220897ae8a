package profile

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

const (
	aContact = "9c9f62b3-bf21-5db4-8017-d792f7db7f0a"
	dataAPI  = "/api/data/v9.2/"
)

func dynamics(t *testing.T) *Profile {
	t.Helper()
	src, err := Builtin("dynamics")
	if err != nil {
		t.Fatal(err)
	}
	return loadText(t, string(src))
}

// odataGet is a GET of a resource with a query, written plainly.
func odataGet(resource, query string) Request {
	r := Request{Method: "GET", Path: dataAPI + resource}
	for part := range strings.SplitSeq(query, "&") {
		if name, value, ok := strings.Cut(part, "="); ok {
			if plain, err := url.QueryUnescape(value); err == nil && strings.Contains(value, "%25") {
				value = plain
			}
			r.Query = append(r.Query, Param{name, value})
		}
	}
	return r
}

// odataAsks lists what an exchange asks about, but for what it selects: role
// entity.field and its categories.
func odataAsks(x *Exchange) []string {
	var out []string
	for _, r := range x.Accesses[0].Refs {
		if r.Role == access.RefSelect {
			continue
		}
		cats := make([]string, 0, len(r.Categories))
		for _, c := range r.Categories {
			cats = append(cats, string(c))
		}
		out = append(out, string(r.Role)+" "+string(r.Entity)+"."+r.Field+" "+strings.Join(cats, "+"))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestODataAsksAboutWhatItsCategoriesSay(t *testing.T) {
	p := dynamics(t)
	fetch := func(s string) string {
		return "fetchXml=<fetch><entity name=\"opportunity\">" + s + "</entity></fetch>"
	}
	for _, c := range []struct{ resource, query, want string }{
		{"contacts", "$filter=contains(emailaddress1,'x')", "filter contact.emailaddress1 email"},
		{"contacts", "$filter=new_secret eq 'x'", "filter contact.new_secret unclassified"},
		{"contacts", "$filter=EmailAddress1 eq 'x'", "filter contact.EmailAddress1 unclassified"},
		{"accounts", "$filter=contact_customer_accounts/any(o:o/birthdate lt 1985-01-01)", "filter account.contact_customer_accounts public, filter contact.birthdate birthdate"},
		{"accounts", "$filter=new_people/any(o:o/birthdate lt 1985-01-01)", "filter account.new_people unclassified, filter accounts.new_people.birthdate unclassified"},
		{"accounts", "$expand=primarycontactid($filter=lastname eq 'x';$orderby=emailaddress1)", "filter contact.lastname name, sort contact.emailaddress1 email"},
		{"contacts", "$orderby=primarycontactid/lastname", "sort contacts.primarycontactid.lastname unclassified"},
		{"contacts", "$filter=_parentcustomerid_value eq " + aContact, "filter contact._parentcustomerid_value public"},
		{"contacts", "$orderby=_parentcustomerid_value", "sort contact._parentcustomerid_value name"},
		{"contacts", "$search=x", "search contact.$search unclassified"},
		{"contacts", "$apply=groupby((emailaddress1),aggregate(birthdate with max as b))&$orderby=b", "aggregate contact.birthdate birthdate, group contact.emailaddress1 email, sort contact.birthdate birthdate"},
		{"contacts(emailaddress1='x')", "", "filter contact.emailaddress1 email"},
		{"contacts(new_secret='x')/birthdate", "", "filter contact.new_secret unclassified"},
		{"opportunities", fetch(`<filter><condition attribute="parentcontactid" operator="eq" value="` + aContact + `"/></filter>`), "filter opportunity.parentcontactid public"},
		{"opportunities", fetch(`<filter><condition attribute="parentcontactid" operator="like" value="K"/></filter>`), "filter contact.parentcontactid name"},
		{"opportunities", fetch(`<filter><condition attribute="_parentcontactid_value" operator="like" value="K"/></filter>`), "filter opportunity._parentcontactid_value name"},
		{"opportunities", fetch(`<link-entity name="contact" from="emailaddress1" to="emailaddress" link-type="inner"/>`), "filter contact.emailaddress1 email, filter opportunity.emailaddress free_text"},
		{"opportunities", fetch(`<link-entity name="new_thing" from="a" to="opportunityid"><filter><condition attribute="b" operator="eq" value="1"/></filter></link-entity>`), "filter new_thing.a unclassified, filter new_thing.b unclassified, filter opportunity.opportunityid public"},
		{"opportunities", fetch(`<order attribute="parentcontactid"/>`), "sort contact.parentcontactid name"},
	} {
		x, err := p.Classify(odataGet(c.resource, c.query))
		if err != nil {
			t.Errorf("%s?%s: %v", c.resource, c.query, err)
			continue
		}
		if got := strings.Join(odataAsks(x), ", "); got != c.want {
			t.Errorf("%s?%s\n got %s\nwant %s", c.resource, c.query, got, c.want)
		}
	}
}

// foundIn lists what an answer's fields hold: the text and its categories.
func foundIn(t *testing.T, p *Profile, r Request, answer string) (fields map[string]string, records []string) {
	t.Helper()
	x, err := p.Classify(r)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := parseJSON([]byte(answer))
	if err != nil {
		t.Fatal(err)
	}
	l, err := x.Locate(tree, 200)
	if err != nil {
		t.Fatal(err)
	}
	fields = map[string]string{}
	for _, f := range l.Fields {
		for n := f.Node; n < int(tree.Nodes[f.Node].Next); n++ {
			if k := tree.Nodes[n].Kind; k == doc.String || k == doc.Number {
				fields[tree.Text(n)] = string(f.Entity) + " " + string(f.Categories[0])
			}
		}
	}
	for _, r := range l.Records {
		records = append(records, string(r.Entity)+" "+r.ID)
	}
	return fields, records
}

func TestLeakODataNamesThatTheQueryMadeUp(t *testing.T) {
	p := dynamics(t)
	t.Run("alias-of-an-aggregate", func(t *testing.T) {
		fields, _ := foundIn(t, p, odataGet("contacts", "$apply=aggregate(birthdate with max as b,$count as n)"), `{"value":[{"b":"1979-01-08","b@OData.Community.Display.V1.FormattedValue":"8.1.1979","n":3,"other":"x"}]}`)
		if fields["1979-01-08"] != "contact birthdate" || fields["8.1.1979"] != "contact birthdate" || fields["other"] == "x" || fields["x"] != "contact unclassified" || fields["3"] != "" {
			t.Errorf("%v", fields)
		}
	})
	t.Run("alias-in-a-nested-group", func(t *testing.T) {
		fields, _ := foundIn(t, p, odataGet("opportunities", "$apply=groupby((parentcontactid/lastname),aggregate(statecode with max as lastname))"), `{"value":[{"parentcontactid":{"lastname":"Keller"},"lastname":0}]}`)
		if fields["Keller"] != "contact name" || fields["0"] != "" {
			t.Errorf("%v", fields)
		}
	})
	t.Run("table-that-looks-like-another", func(t *testing.T) {
		_, err := p.Classify(odataGet("contacts", `fetchXml=<fetch><entity name="contact"><link-entity name="systemuser" from="systemuserid" to="ownerid" alias="k"/><link-entity name="contact" from="contactid" to="contactid" alias="k_x002e_q"><attribute name="fullname"/></link-entity></entity></fetch>`))
		if _, ok := errors.AsType[*Refusal](err); !ok {
			t.Errorf("let through: %v", err)
		}
	})
	t.Run("column-of-a-table", func(t *testing.T) {
		fields, records := foundIn(t, p, odataGet("opportunities", `fetchXml=<fetch><entity name="opportunity"><link-entity name="contact" from="contactid" to="parentcontactid" alias="k"><attribute name="fullname"/><attribute name="contactid"/><attribute name="new_x"/></link-entity></entity></fetch>`),
			`{"value":[{"k.fullname":"Anna Keller","k_x002e_fullname":"Bruno Stein","k.contactid":"`+aContact+`","k.new_x":"secret","z.fullname":"Carla"}]}`)
		if fields["Anna Keller"] != "contact name" || fields["Bruno Stein"] != "contact name" || fields["secret"] != "contact unclassified" || fields["Carla"] != "opportunity unclassified" {
			t.Errorf("%v", fields)
		}
		if !slices.Equal(records, []string{"contact " + aContact}) {
			t.Errorf("records %v", records)
		}
	})
}

func TestLeakODataAnnotations(t *testing.T) {
	p := dynamics(t)
	fields, records := foundIn(t, p, odataGet("contacts", "$orderby=lastname"), `{"@odata.context":"https://x/api/data/v9.2/$metadata#contacts","@odata.nextLink":"https://x/next","@odata.deltaLink":"https://x/delta",
		"@vendor.note":"Anna","value":[{"contactid":"`+aContact+`","@odata.etag":"W/1","lastname@vendor.other":"Bruno","birthdate@OData.Community.Display.V1.FormattedValue":"8.1.1979",
		"_new_value":"19aa76c7-9743-5306-97fb-a4fb288c41bd","_new_value@OData.Community.Display.V1.FormattedValue":"Carla","_new_value@Microsoft.Dynamics.CRM.lookuplogicalname":"new_thing"}]}`)
	for text, want := range map[string]string{
		"https://x/next": "contact name", "https://x/delta": "contact unclassified", "Anna": "contact unclassified", "Bruno": "contact unclassified",
		"8.1.1979": "contact birthdate", "Carla": "contact unclassified", "W/1": "", "https://x/api/data/v9.2/$metadata#contacts": "",
	} {
		if fields[text] != want {
			t.Errorf("%s: %q, want %q", text, fields[text], want)
		}
	}
	if !slices.Equal(records, []string{"contact " + aContact, "new_thing 19aa76c7-9743-5306-97fb-a4fb288c41bd"}) {
		t.Errorf("records %v", records)
	}
}

func TestODataAnswersOfAnotherShapeAreNotReleased(t *testing.T) {
	p := dynamics(t)
	for _, c := range []struct{ resource, answer string }{
		{"contacts", `{"fullname":"Anna"}`},
		{"contacts", `{"value":"Anna"}`},
		{"contacts", `[{"fullname":"Anna"}]`},
		{"contacts(" + aContact + ")/emailaddress1", `{"emailaddress1":"a@example.com"}`},
	} {
		x, err := p.Classify(odataGet(c.resource, ""))
		if err != nil {
			t.Fatal(err)
		}
		tree, err := parseJSON([]byte(c.answer))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.Locate(tree, 200); !errors.Is(err, ErrShape) {
			t.Errorf("%s %s: %v", c.resource, c.answer, err)
		}
	}
}

func TestODataRoutesAreCheckedAtLoad(t *testing.T) {
	const head = "profile: x/1\nevidence: documented\nwithheld: no\nentities: {contact: {types: [contacts], fields: {}}}\nroutes:\n"
	for route, want := range map[string]string{
		`{match: "GET /o/{resource**}", odata: reed}`:                                                     `odata: "reed" is not served`,
		`{match: "GET /o/{path**}", odata: read}`:                                                         "no variable {resource}",
		`{match: "GET /o/{resource**}", odata: read, entity: contacts}`:                                   "leave entity and records out",
		`{match: "GET /o/f({args})", odata: function}`:                                                    `odata: "function" is not served`,
		`{match: "POST /o/{resource}", odata: write, members: []}`:                                        "says where the values stand",
		`{match: "GET /o/{resource**}", odata: read, type: csv}`:                                          "answers of the type json",
		`{match: "GET /o/{id}", entity: contacts, refs: [{role: select, at: query.f, syntax: fetchxml}]}`: "add `odata: read`",
	} {
		if _, err := Load([]byte(head + "  - " + route + "\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", route, err, want)
		}
	}
	if _, err := Load([]byte(head + "  - {match: \"GET /o/{resource**}\", odata: read}\nannotations: {x: valu}\n")); err == nil || !strings.Contains(err.Error(), `unknown word "valu"`) {
		t.Errorf("%v", err)
	}
}

func TestODataSavesThatCannotBeJudgedAreRefused(t *testing.T) {
	p := dynamics(t)
	save := func(method, resource, body string) error {
		_, err := p.Classify(Request{Method: method, Path: dataAPI + resource, MediaType: "application/json", Body: []byte(body)})
		return err
	}
	for _, c := range []struct{ method, resource, body string }{
		{"POST", "contacts", `{"jobtitle":"x","parentcustomerid_contact@odata.bind":"/contacts(emailaddress1='a@example.com')"}`},
		{"POST", "contacts", `{"jobtitle":"x","parentcustomerid_contact@odata.bind":"https://other.example/contacts(` + aContact + `)"}`},
		{"POST", "contacts", `{"jobtitle":"x","@odata.id":"contacts(` + aContact + `)"}`},
		{"POST", "contacts", `{"jobtitle":"x","Contact_Tasks":[{"statecode":1}]}`},
		{"POST", "contacts(" + aContact + ")", `{"jobtitle":"x"}`},
		{"PATCH", "contacts", `{"jobtitle":"x"}`},
		{"PATCH", "contacts(emailaddress1='a@example.com')", `{"jobtitle":"x"}`},
		{"DELETE", "contacts(emailaddress1='a@example.com')", ""},
		{"DELETE", "contacts", ""},
	} {
		if err := save(c.method, c.resource, c.body); err == nil {
			t.Errorf("%s %s %s is let through", c.method, c.resource, c.body)
		} else if _, ok := errors.AsType[*Refusal](err); !ok {
			t.Errorf("%s %s: %v", c.method, c.resource, err)
		}
	}
	for _, c := range []struct{ method, resource, body string }{
		{"POST", "contacts", `{"jobtitle":"x","parentcustomerid_contact@odata.bind":"/contacts(` + aContact + `)"}`},
		{"PATCH", "contacts(" + aContact + ")", `{"jobtitle":"x"}`},
	} {
		if err := save(c.method, c.resource, c.body); err != nil {
			t.Errorf("%s %s %s: %v", c.method, c.resource, c.body, err)
		}
	}
	_, err := p.Classify(Request{Method: "DELETE", Path: dataAPI + "contacts(" + aContact + ")"})
	if err != nil {
		t.Errorf("DELETE: %v", err)
	}
}

func TestODataStoredValuesAreReadByTheSameAddress(t *testing.T) {
	x := classify(t, dynamics(t), send("PATCH", dataAPI+"contacts("+aContact+")", "application/json", `{"emailaddress1":"x","lastname":"y"}`))
	w := x.Writes()[0]
	got, err := w.Stored([]string{"emailaddress1", "lastname"})
	if err != nil || got.Path != dataAPI+"contacts("+aContact+")" || got.Query != "$select=emailaddress1%2Clastname" || !slices.Equal(w.IDs, []string{aContact}) {
		t.Errorf("%+v, %v, %v", got, w.IDs, err)
	}
}

// TestLeakStoredQueries: what a query asks that the CRM keeps doesn't stand in the
// request, nor do the names of its columns.
func TestLeakStoredQueries(t *testing.T) {
	p := dynamics(t)
	const view = "a4f87a8e-e678-54c1-9d9c-79d90f392264"
	answer := `{"value":[{"contactid":"` + aContact + `","fullname":"Müßig","a_1.annualincome":42,"a_1_x002e_birthdate":1979,"creditlimit":7}],"@odata.nextLink":"https://x/?cookie=Quast"}`
	for _, param := range []string{"savedQuery", "userQuery"} {
		t.Run("a-question-about-everything-by-"+param, func(t *testing.T) {
			x, err := p.Classify(odataGet("contacts", param+"="+view))
			if err != nil {
				t.Fatal(err)
			}
			asked := map[access.Entity]int{}
			for _, r := range x.Accesses[0].Refs {
				if r.Role == access.RefFilter {
					asked[r.Entity] = len(r.Categories)
				}
			}
			if asked["contact"] != len(wholeCategories()) || asked["account"] != len(wholeCategories()) || asked["internal"] != 0 {
				t.Errorf("%v", asked)
			}
		})
	}
	src, err := Builtin("dynamics")
	if err != nil {
		t.Fatal(err)
	}
	known := loadText(t, strings.Replace(string(src), "at: query.savedQuery, syntax: stored}", "at: query.savedQuery, syntax: stored, except: ["+view+"]}", 1))
	t.Run("columns-of-one-that-is-known", func(t *testing.T) {
		x, err := known.Classify(odataGet("contacts", "savedQuery="+view))
		if err != nil || len(x.Accesses[0].Refs) != 0 {
			t.Fatalf("%v %v", x, err)
		}
		fields, _ := foundIn(t, known, odataGet("contacts", "savedQuery="+view), answer)
		if fields["Müßig"] != "contact name" || fields["42"] == "" || fields["1979"] == "" || fields["https://x/?cookie=Quast"] == "" {
			t.Errorf("%v", fields)
		}
	})
}

// TestLeakKeysOfAnUnlistedObject: switches that the profile doesn't list pass where they
// have names; a map of people to switches has people for names.
func TestLeakKeysOfAnUnlistedObject(t *testing.T) {
	x := classify(t, loadText(t, flatProfile), coqlPost("select Switches from Contacts"))
	for object, want := range map[string]string{
		`{"beta":true}`:                      "",
		`{"beta":true,"mode":"Quast"}`:       "field Switches=Quast unclassified of Contacts/1",
		`{"zoe@example.com":true}`:           `field Switches={"zoe@example.com":true} unclassified of Contacts/1`,
		`{"Zoë Quast":true}`:                 `field Switches={"Zoë Quast":true} unclassified of Contacts/1`,
		`{"4930555":true}`:                   `field Switches={"4930555":true} unclassified of Contacts/1`,
		`{"inner":{"zoe@example.com":true}}`: `field Switches={"zoe@example.com":true} unclassified of Contacts/1`,
	} {
		got := locateJSON(t, x, `{"data":[{"id":"1","Switches":`+object+`}]}`, 200)
		same(t, object, slices.DeleteFunc(got, func(s string) bool { return !strings.HasPrefix(s, "field ") }), slices.DeleteFunc([]string{want}, func(s string) bool { return s == "" })...)
	}
}

// TestWhatAClientSendsForTheNextPageIsNoLink: but where it is sorted it holds values.
func TestWhatAClientSendsForTheNextPageIsNoLink(t *testing.T) {
	src, err := Builtin("dynamics")
	if err != nil {
		t.Fatal(err)
	}
	p := loadText(t, string(src))
	const cookie = `<cookie pagenumber="2" pagingcookie="%3ccookie%20page%3d%221%22%3e" istracking="False" />`
	answer := `{"value":[],"@Microsoft.Dynamics.CRM.fetchxmlpagingcookie":` + strconv.Quote(cookie) + `}`
	x, err := p.Classify(Request{Method: "GET", Path: "/api/data/v9.2/contacts"})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := parseJSON([]byte(answer))
	if err != nil {
		t.Fatal(err)
	}
	if links := x.Links(tree); len(links) > 0 {
		t.Errorf("links: %v", links)
	}
	sorted := Request{Method: "GET", Path: "/api/data/v9.2/contacts", Query: []Param{{"$orderby", "lastname"}}}
	if fields, _ := foundIn(t, p, sorted, answer); fields[cookie] != "contact name" {
		t.Errorf("found: %v", fields)
	}
}
