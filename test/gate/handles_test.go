package gate_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const (
	sfData   = "/services/data/v62.0/"
	sfQuery  = "SELECT Id, Email, toLabel(MobilePhone) LeadSource FROM Contact"
	sfMobile = "+49 171 39200001"
	sfPage   = sfData + "query/01gQy0000000001IAA-2000"
)

// sfRows is a page of a query in which a telephone number is called as a field without
// personal data is.
func sfRows(next string) http.HandlerFunc {
	if next != "" {
		next = `,"nextRecordsUrl":"` + next + `"`
	}
	return jsonAnswer(200, `{"totalSize":3,"done":false`+next+`,"records":[{"attributes":{"type":"Contact","url":"`+sfData+
		`sobjects/Contact/003Qyggggg93gO0IAI"},"Id":"003Qyggggg93gO0IAI","Email":"`+leakMail+`","LeadSource":"`+sfMobile+`"}]}`)
}

// signedInFor signs somebody in at the forger, in a role.
func signedInFor(t *testing.T, s *site, who, role string) *browser {
	t.Helper()
	b := newBrowser(s)
	signedInBy(t, b, who, "otp", role)
	return b
}

// begin makes a query whose answer says where it goes on.
func begin(t *testing.T, b *browser, next string) *reply {
	t.Helper()
	return b.do(t, ask{path: sfData + "query?q=" + url.QueryEscape(sfQuery), scene: newScene(t, sfRows(next))}).want(t, http.StatusOK)
}

// goOn asks for a further page.
func goOn(t *testing.T, b *browser, page string) (*reply, *scene) {
	t.Helper()
	sc := newScene(t, sfRows(""))
	return b.do(t, ask{path: page, scene: sc}), sc
}

// goOnRefused asks for a further page that is nobody's who asks.
func goOnRefused(t *testing.T, b *browser, page string) {
	t.Helper()
	r, sc := goOn(t, b, page)
	if !strings.Contains(string(r.want(t, http.StatusForbidden).body), "INSUFFICIENT_ACCESS") {
		t.Errorf("the CRM's client doesn't understand %s", r)
	}
	r.logged(t).refused(t, "unknown_handle")
	sc.nothing(t)
}

func TestFurtherPageIsMaskedByTheQueryThatItIsOf(t *testing.T) {
	t.Parallel()
	who := somebody()
	b := signedInFor(t, env.handles, who, "sales")
	first := begin(t, b, sfPage)
	if !strings.Contains(string(first.body), `"nextRecordsUrl":"`+sfPage+`"`) {
		t.Errorf("the address of the further page is lost: %s", first)
	}
	for _, at := range []*browser{b, b, signedInFor(t, env.handles, who, "sales")} { // again, and in another session
		r, _ := goOn(t, at, sfPage)
		for _, secret := range []string{leakMail, sfMobile} {
			if read(r.want(t, http.StatusOK)).Holds(secret) {
				t.Errorf("%q can be read in %s", secret, r)
			}
		}
		x := r.logged(t)
		if x.records("Contact")["003Qyggggg93gO0IAI"].ID == "" || x[0].Entry.Accesses[0].Question == "" || x[0].Entry.Accesses[0].Route != "further page" {
			t.Errorf("entries %s, want the record and what was asked", x)
		}
		if want := "goes on from entry " + first.header.Get("Audit-Id"); x[0].Entry.Detail != want {
			t.Errorf("detail %q, want %q", x[0].Entry.Detail, want)
		}
	}
	t.Run("a page of a page", func(t *testing.T) {
		b.do(t, ask{path: sfPage, scene: newScene(t, sfRows(sfData+"query/01gQy0000000001IAA-4000"))}).want(t, http.StatusOK)
		r, _ := goOn(t, b, sfData+"query/01gQy0000000001IAA-4000")
		if read(r.want(t, http.StatusOK)).Holds(sfMobile) {
			t.Errorf("the number can be read in %s", r)
		}
	})
	t.Run("an address with the CRM's host", func(t *testing.T) {
		const page = sfData + "query/01gQy0000000007IAA-2000"
		if r := begin(t, b, "https://acme.my.salesforce.com"+page); !strings.Contains(string(r.body), `"nextRecordsUrl":"`+env.handles.url+page+`"`) {
			t.Errorf("the address doesn't lead here: %s", r)
		}
		r, _ := goOn(t, b, page)
		if read(r.want(t, http.StatusOK)).Holds(sfMobile) {
			t.Errorf("the number can be read in %s", r)
		}
	})
	t.Run("an address with another host", func(t *testing.T) {
		const page = sfData + "query/01gQy0000000008IAA-2000"
		if r := begin(t, b, "https://files.example"+page); strings.Contains(string(r.body), "files.example") || !strings.Contains(string(r.body), "(crmgate)") {
			t.Errorf("the address leads elsewhere: %s", r)
		}
		goOnRefused(t, b, page)
	})
	t.Run("who may see all sees all", func(t *testing.T) {
		b := signedInFor(t, env.handles, somebody(), "master_data")
		begin(t, b, sfPage)
		if r, _ := goOn(t, b, sfPage); !strings.Contains(string(r.want(t, http.StatusOK).body), sfMobile) {
			t.Errorf("got %s", r)
		}
	})
}

// Who may see what is decided when the handle comes back.
func TestHandleComesBackToTheRolesOfNow(t *testing.T) {
	t.Parallel()
	who := somebody()
	const page = sfData + "query/01gQy0000000002IAA-2000"
	begin(t, signedInFor(t, env.handles, who, "master_data"), page)
	r, _ := goOn(t, signedInFor(t, env.handles, who, "sales"), page)
	if read(r.want(t, http.StatusOK)).Holds(sfMobile) {
		t.Errorf("what an earlier role saw can be read in %s", r)
	}
	const filtered = sfData + "query/01gQy0000000003IAA-2000"
	b := signedInFor(t, env.handles, who, "master_data")
	b.do(t, ask{path: sfData + "query?q=" + url.QueryEscape("SELECT Id FROM Contact WHERE Birthdate < 1980-01-01"), scene: newScene(t, sfRows(filtered))}).want(t, http.StatusOK)
	r, sc := goOn(t, signedInFor(t, env.handles, who, "sales"), filtered)
	r.want(t, http.StatusForbidden)
	sc.nothing(t)
}

func TestHandleThatIsNotOnesOwnIsRefused(t *testing.T) {
	t.Parallel()
	who := somebody()
	b := signedInFor(t, env.handles, who, "sales")
	const page = sfData + "query/01gQy0000000004IAA-2000"
	begin(t, b, page)
	t.Run("another employee's", func(t *testing.T) {
		goOnRefused(t, signedInFor(t, env.handles, somebody(), "sales"), page)
		goOnRefused(t, signedInFor(t, env.handles, somebody(), "master_data"), page)
	})
	t.Run("of another site", func(t *testing.T) { goOnRefused(t, b.at(env.another), page) })
	for _, guess := range []string{"2001", "1999", "02000", "2000x"} {
		t.Run("guessed "+guess, func(t *testing.T) { goOnRefused(t, b, strings.TrimSuffix(page, "2000")+guess) })
	}
	t.Run("in other letters", func(t *testing.T) { goOnRefused(t, b, strings.ToLower(page)) })
	t.Run("of a query within the query", func(t *testing.T) {
		const inner = sfData + "query/01gQy0000000005IAA-2000"
		b.do(t, ask{path: sfData + "query?q=" + url.QueryEscape("SELECT Id, (SELECT Subject FROM Tasks) FROM Contact"), scene: newScene(t, jsonAnswer(200,
			`{"records":[{"attributes":{"type":"Contact"},"Id":"003Qyggggg93gO0IAI","Tasks":{"done":false,"nextRecordsUrl":"`+inner+`","records":[]}}]}`))}).want(t, http.StatusOK)
		goOnRefused(t, b, inner)
	})
	t.Run("of an answer that was an error", func(t *testing.T) {
		const failed = sfData + "query/01gQy0000000006IAA-2000"
		b.do(t, ask{path: sfData + "query?q=" + url.QueryEscape(sfQuery), scene: newScene(t, jsonAnswer(400, `{"nextRecordsUrl":"`+failed+`"}`))}).want(t, http.StatusBadRequest)
		goOnRefused(t, b, failed)
	})
	t.Run("of another kind", func(t *testing.T) {
		b.do(t, ask{method: "POST", path: sfData + "jobs/query", body: `{"operation":"query","query":"SELECT Id FROM Contact"}`, scene: newScene(t, jsonAnswer(200, `{"id":"01gQy0000000004IAA-9"}`))}).want(t, http.StatusOK)
		goOnRefused(t, b, sfData+"query/01gQy0000000004IAA-9")
	})
}

// sfJob makes a job and returns its id.
func sfJob(t *testing.T, b *browser, id, query string) {
	t.Helper()
	header := http.Header{"Content-Type": {"application/json"}}
	b.do(t, ask{method: "POST", path: sfData + "jobs/query", header: header, body: `{"operation":"query","query":"` + query + `","columnDelimiter":"SEMICOLON"}`, scene: newScene(t, jsonAnswer(200, `{"id":"`+id+`","state":"UploadComplete"}`))}).want(t, http.StatusOK)
}

func TestResultsOfAJobAreMaskedByItsQuery(t *testing.T) {
	t.Parallel()
	b := signedInFor(t, env.handles, somebody(), "sales")
	const job, other = "750Qy00000C0ffeIAB", "750Qy00000C0ffeIAC"
	results := sfData + "jobs/query/" + job + "/results"
	const rows = "\"Id\";\"Email\";\"Account.Name\";\"LeadSource\"\n\"003Qyggggg93gO0IAI\";\"" + leakMail + "\";\"Acme GmbH\";\"" + sfMobile + "\"\n"
	answer := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv; charset=UTF-8")
		w.Header().Set("Sforce-Locator", "NTAwMDA")
		w.Header().Set("Sforce-Numberofrecords", "1")
		_, _ = w.Write([]byte(rows))
	}
	sc := newScene(t, answer)
	b.do(t, ask{path: results, scene: sc}).want(t, http.StatusForbidden).logged(t).refused(t, "unknown_handle")
	sc.nothing(t)
	sfJob(t, b, job, "SELECT Id, Email, Account.Name, toLabel(MobilePhone) LeadSource FROM Contact")
	r := b.do(t, ask{path: results + "?maxRecords=1", scene: sc}).want(t, http.StatusOK)
	if text := string(r.body); read(r).Holds(leakMail) || read(r).Holds(sfMobile) || !strings.Contains(text, "Acme GmbH") || !strings.Contains(text, "003Qyggggg93gO0IAI") {
		t.Errorf("got %s", r)
	}
	if got := r.header.Get("Sforce-Locator"); got != "NTAwMDA" || r.header.Get("Sforce-Numberofrecords") != "" {
		t.Errorf("headers %v", r.header)
	}
	if x := r.logged(t); x.records("Contact")["003Qyggggg93gO0IAI"].ID == "" || x[0].Entry.Accesses[0].Action != "export" {
		t.Errorf("entries %s", x)
	}
	if r := b.do(t, ask{path: results + "?locator=NTAwMDA", scene: sc}).want(t, http.StatusOK); read(r).Holds(sfMobile) {
		t.Errorf("got %s", r)
	}
	b.do(t, ask{path: results + "?locator=MTAwMDA", scene: sc}).want(t, http.StatusForbidden).logged(t).refused(t, "unknown_handle")
	t.Run("a page of another job", func(t *testing.T) {
		sfJob(t, b, other, "SELECT Id FROM Lead")
		b.do(t, ask{path: sfData + "jobs/query/" + other + "/results?locator=NTAwMDA", scene: sc}).want(t, http.StatusForbidden).logged(t).refused(t, "unknown_handle")
	})
	t.Run("an action that isn't allowed", func(t *testing.T) {
		sc := newScene(t, nil)
		reader := signedInFor(t, env.handles, somebody(), "reader")
		reader.do(t, ask{method: "POST", path: sfData + "jobs/query", body: `{"operation":"query","query":"SELECT Id FROM Contact"}`, scene: sc}).want(t, http.StatusForbidden)
		sc.nothing(t)
	})
	t.Run("ended by its owner alone", func(t *testing.T) {
		state := ask{method: "PATCH", path: sfData + "jobs/query/" + job, body: `{"state":"Aborted"}`, scene: newScene(t, jsonAnswer(200, `{"id":"`+job+`","state":"Aborted"}`))}
		signedInFor(t, env.handles, somebody(), "sales").do(t, state).want(t, http.StatusForbidden)
		b.do(t, state).want(t, http.StatusOK)
	})
}

func TestAddressesInAnswersLeadBackHere(t *testing.T) {
	t.Parallel()
	b := signedInFor(t, env.links, somebody(), "sales")
	const contacts = "/crm/v3/objects/contacts?limit=2&properties=firstname"
	for address, want := range map[string]string{
		"https://api.hubapi.com/crm/v3/objects/contacts?limit=2&after=7": env.links.url + "/crm/v3/objects/contacts?limit=2&after=7",
		"//api.hubapi.com/crm/v3/objects/contacts?after=7":               env.links.url + "/crm/v3/objects/contacts?after=7",
		"HTTPS://api.hubapi.com/crm/v3/objects/contacts":                 env.links.url + "/crm/v3/objects/contacts",
		env.links.url + "/crm/v3/objects/contacts":                       env.links.url + "/crm/v3/objects/contacts",
		"/crm/v3/objects/contacts?after=7":                               "/crm/v3/objects/contacts?after=7",
		"https://api.hubapi.com/nowhere/contacts?after=7":                "",
		"https://api.hubapi.com/.crmgate/signout":                        "",
		"/nowhere": "",
		"https://files.example/55210987.csv?signature=x":          "",
		`https:\\files.example\crm\v3\objects\contacts`:           "",
		"https://somebody@api.hubapi.com/crm/v3/objects/contacts": "",
		"javascript:alert(1)":                                     "",
		"mailto:x@firma.example":                                  "",
	} {
		escaped := strings.ReplaceAll(address, `\`, `\\`)
		r := b.do(t, ask{path: contacts, scene: newScene(t, jsonAnswer(200, `{"results":[],"paging":{"next":{"after":"7","link":"`+escaped+`"}}}`))}).want(t, http.StatusOK)
		_, link, _ := strings.Cut(string(r.body), `"link":"`)
		link, _, _ = strings.Cut(link, `"`)
		if want == "" && !strings.Contains(link, "(crmgate)") || want != "" && link != want {
			t.Errorf("of %s came %q, want %q", address, link, want)
		}
	}
	t.Run("but for values that are masked", func(t *testing.T) {
		r := b.do(t, ask{path: "/crm/v3/objects/contacts?properties=email", scene: newScene(t, jsonAnswer(200,
			`{"results":[{"id":"1","properties":{"email":"`+leakMail+`"}}],"paging":{"next":{"link":"https://api.hubapi.com/crm/v3/objects/contacts?after=`+leakMail+`"}}}`))}).want(t, http.StatusOK)
		if read(r).Holds(leakMail) || !strings.Contains(string(r.body), "(crmgate)") {
			t.Errorf("got %s", r)
		}
	})
	t.Run("a file on another host", func(t *testing.T) {
		export := ask{
			method: "POST", path: "/crm/v3/exports/export/async", body: `{"exportType":"VIEW","format":"CSV","objectType":"CONTACT","objectProperties":["firstname"]}`,
			scene: newScene(t, jsonAnswer(200, `{"id":"55210987","links":{"status":"https://api.hubapi.com/crm/v3/exports/export/async/tasks/55210987/status"}}`)),
		}
		r := b.do(t, export).want(t, http.StatusOK)
		if !strings.Contains(string(r.body), `"`+env.links.url+`/crm/v3/exports/export/async/tasks/55210987/status"`) {
			t.Errorf("got %s", r)
		}
		state := ask{path: "/crm/v3/exports/export/async/tasks/55210987/status", scene: newScene(t, jsonAnswer(200, `{"status":"COMPLETE","result":"https://files.example/55210987.csv"}`))}
		if r := b.do(t, state).want(t, http.StatusOK); strings.Contains(string(r.body), "files.example") || !strings.Contains(string(r.body), "COMPLETE") {
			t.Errorf("got %s", r)
		}
		signedInFor(t, env.links, somebody(), "sales").do(t, state).want(t, http.StatusForbidden).logged(t).refused(t, "unknown_handle")
	})
}

func TestAddressesInASignInsAnswerLeadBackHere(t *testing.T) {
	t.Parallel()
	for _, s := range []*site{env.leaky, env.watched} {
		sc := newScene(t, jsonAnswer(200, `{"access_token":"t0ken","instance_url":"https://acme.crm.example","id":"https://login.crm.example/id/00D/005","scope":"api"}`))
		token := ask{method: "POST", path: "/oauth/token", body: "grant_type=password", header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, scene: sc}
		r := s.as(t, "vera").do(t, token).want(t, http.StatusOK)
		if want := `{"access_token":"t0ken","instance_url":"` + s.url + `","id":"` + s.url + `/id/00D/005","scope":"api"}`; string(r.body) != want {
			t.Errorf("got %s, want %s", r, want)
		}
		sc.answer(jsonAnswer(400, `{"error":"invalid_grant"}`))
		if r := s.as(t, "vera").do(t, token).want(t, http.StatusBadRequest); !strings.Contains(string(r.body), "invalid_grant") {
			t.Errorf("got %s", r)
		}
		sc.answer(typed("text/html", 200, `<a href="https://acme.crm.example">`))
		if r := s.as(t, "vera").do(t, token).want(t, http.StatusBadGateway); strings.Contains(string(r.body), "acme.crm.example") {
			t.Errorf("got %s", r)
		}
	}
}

func TestNextLinkOfODataLeadsBackHere(t *testing.T) {
	t.Parallel()
	b := env.odata.signedInAt(t, "vera", "/api/data/v9.2/$metadata")
	for query, kept := range map[string]bool{"$select=fullname": true, "$select=fullname&$orderby=fullname": true, "$select=fullname&$orderby=emailaddress1": false} {
		next := "/api/data/v9.2/contacts?$select=fullname&$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%25253ccookie%252520page%25253d%2525221%252522%25253e%25253ccontactid%252520last%25253d%252522Y%252522%252520/%25253e%25253c/cookie%25253e%22%20istracking=%22False%22%20/%3E"
		sc := newScene(t, jsonAnswer(200, `{"value":[],"@odata.nextLink":"https://org.crm4.dynamics.com`+next+`"}`))
		r := b.do(t, ask{path: "/api/data/v9.2/contacts?" + query, scene: sc})
		if r.status == http.StatusForbidden {
			sc.nothing(t) // a cursor of what may not be asked about
			continue
		}
		body := string(r.want(t, http.StatusOK).body)
		if strings.Contains(body, "dynamics.com") || kept && !strings.Contains(body, `"`+env.odata.url+next+`"`) {
			t.Errorf("%s: got %s", query, r)
		}
		if kept {
			sc.answer(jsonAnswer(200, `{"value":[]}`))
			b.do(t, ask{path: next, scene: sc}).want(t, http.StatusOK)
		}
	}
}

// The file of an export is known again; any other at the same address is for those who
// see everything.
func TestExportedFileIsMaskedAndOthersAreRefused(t *testing.T) {
	t.Parallel()
	who := somebody()
	b, other, all := signedInFor(t, env.files, who, "sales"), signedInFor(t, env.files, somebody(), "sales"), signedInFor(t, env.files, somebody(), "master_data")
	csv := typed("text/csv;charset=UTF-8", 200, "id,name,emailAddress,cShoe\n6a1f,Erika Mustermann,"+leakMail+",Größe 44\n")
	export := func(format, id string) {
		t.Helper()
		b.do(t, ask{
			method: "POST", path: "/api/v1/Export", body: `{"entityType":"Contact","format":"` + format + `","fieldList":["id","name","emailAddress"]}`,
			scene: newScene(t, jsonAnswer(200, `{"id":"`+id+`"}`)),
		}).want(t, http.StatusOK)
	}
	export("csv", "e1")
	export("xlsx", "e2")
	file := func(id string) ask { return ask{path: "/?entryPoint=download&id=" + id, scene: newScene(t, csv)} }
	r := b.do(t, file("e1")).want(t, http.StatusOK)
	if read(r).Holds(leakMail) || strings.Contains(string(r.body), "44") || !strings.Contains(string(r.body), "Erika Mustermann") {
		t.Errorf("got %s", r)
	}
	if x := r.logged(t); x.records("Contact")["6a1f"].ID == "" || x[0].Entry.Accesses[0].Action != "export" {
		t.Errorf("entries %s", x)
	}
	for name, try := range map[string]struct {
		b  *browser
		id string
	}{"another's": {other, "e1"}, "a workbook": {b, "e2"}, "no export": {b, "a1"}} {
		a := file(try.id)
		if r := try.b.do(t, a); r.status != http.StatusForbidden {
			t.Errorf("%s: got %s", name, r)
		}
		a.scene.nothing(t)
	}
	if r := all.do(t, file("e1")).want(t, http.StatusOK); !strings.Contains(string(r.body), leakMail) {
		t.Errorf("who may see all got %s", r)
	}
}

// A site that observes keeps what was asked as well: what goes on from it isn't said to
// be refused later, and what goes on from elsewhere is.
func TestObservedHandleIsKnownAgain(t *testing.T) {
	t.Parallel()
	b := signedInFor(t, env.lenient, somebody(), "sales")
	begin(t, b, sfPage)
	for page, want := range map[string]string{sfPage: "", sfPage + "x": "unknown_handle"} {
		r, _ := goOn(t, b, page)
		if !strings.Contains(string(r.want(t, http.StatusOK).body), sfMobile) {
			t.Errorf("an observed answer was changed: %s", r)
		}
		if e := r.logged(t)[0].Entry; e.Decision.Reason != want || want == "" && e.Accesses[0].Question == "" {
			t.Errorf("%s: decision %+v on %+v, want the reason %q", page, e.Decision, e.Accesses, want)
		}
	}
	sfJob(t, b, "750Qy00000C0ffeIAB", "SELECT Id FROM Contact")
	results := sfData + "jobs/query/750Qy00000C0ffeIAB/results"
	b.do(t, ask{path: results, scene: newScene(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Sforce-Locator", "NTAwMDA")
		typed("text/csv", 200, "Id\n003Qyggggg93gO0IAI\n")(w, r)
	})}).want(t, http.StatusOK)
	r := b.do(t, ask{path: results + "?locator=NTAwMDA", scene: newScene(t, typed("text/csv", 200, "Id\n"))}).want(t, http.StatusOK)
	if e := r.logged(t)[0].Entry; e.Decision.Reason != "" {
		t.Errorf("decision %+v", e.Decision)
	}
}
