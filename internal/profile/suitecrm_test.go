package profile

import (
	"net/url"
	"strings"
	"testing"
)

// TestSuiteCRMQueriesAreReadWhole: each field of a filter that stands as a tree in
// the query, each order, and nothing besides.
func TestSuiteCRMQueriesAreReadWhole(t *testing.T) {
	p := builtinProfile(t, "suitecrm")
	for _, c := range []struct {
		query []string
		want  string
	}{
		{[]string{"filter[operator]", "or", "filter[email1][eq]", "x", "filter[birthdate][lt]", "1975-01-01"}, "filter birthdate birthdate; filter email1 email"},
		{[]string{"sort", "-last_name", "page[size]", "2", "page[number]", "1"}, "sort last_name name"},
		{[]string{"filter[date_entered][gt]", "x"}, "filter date_entered public"},
		{[]string{"filter[x_c][eq]", "x"}, "filter x_c unclassified"},
		{[]string{"filter[0][eq]", "x"}, "filter 0 unclassified"},
		{[]string{"filter", "x"}, "malformed"},
		{[]string{"sort[0]", "x"}, "malformed"},
		{[]string{"page[x]", "1"}, "malformed"},
		{[]string{"include", "accounts"}, "unknown_parameter"},
		{[]string{"filter[email1]", "x"}, "filter email1 email"},
	} {
		for _, path := range []string{"/Api/V8/module/Contacts", "/Api/index.php/V8/module/Contacts", "/legacy/Api/V8/module/Contacts"} {
			if got := odooAsks(t, p, get(path, c.query...)); got != c.want {
				t.Errorf("%s %v: %s, want %s", path, c.query, got, c.want)
			}
		}
	}
}

func TestSuiteCRMSavesAreComparedWithWhatIsStored(t *testing.T) {
	p := builtinProfile(t, "suitecrm")
	save := func(id string) Request {
		return send("PATCH", "/Api/V8/module", "application/vnd.api+json", `{"data":{"type":"Contacts","id":`+id+`,"attributes":{"phone_work":"1"}}}`)
	}
	w := classify(t, p, save(`"c7"`)).Writes()[0]
	got, err := w.Stored([]string{"phone_work"})
	if err != nil || got.Path != "/Api/V8/module/Contacts/c7" || got.Method != "GET" {
		t.Errorf("%+v, %v", got, err)
	}
	if records, err := w.ReadStored(parse(t, `{"data":{"type":"Contact","id":"c7","attributes":{"phone_work":"2"}}}`)); err != nil || len(records) != 1 {
		t.Errorf("%v, %v", records, err)
	}
	for _, id := range []string{`"../Users/1"`, `".."`, `"a?b"`, `"a%2fb"`, `""`} {
		w := classify(t, p, save(id)).Writes()[0]
		if got, err := w.Stored([]string{"phone_work"}); err == nil {
			t.Errorf("id %s: the gateway would read %s", id, got.Path)
		}
	}
	for body, want := range map[string]string{
		`{"data":{"type":"Contacts","attributes":{"first_name":"A"}}}`:               "",
		`{"data":{"type":"MyModule","attributes":{"first_name":"A"}}}`:               "unknown_type",
		`{"data":{"type":"Contacts","attributes":{"first_name":"A"},"meta":{}}}`:     "unknown_parameter",
		`{"data":[{"type":"Contacts","attributes":{"first_name":"A"}}]}`:             "unknown_parameter",
		`{"data":{"type":"Contacts","attributes":{"first_name":"A"}},"included":[]}`: "unknown_parameter",
	} {
		if got := refused(t, p, send("POST", "/Api/V8/module", "application/vnd.api+json", body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// TestSuiteCRMQuickSearchIsJudgedByWhatItAsks, whichever module it names.
func TestSuiteCRMQuickSearchIsJudgedByWhatItAsks(t *testing.T) {
	p := builtinProfile(t, "suitecrm")
	ask := func(data string) string {
		r := send("POST", "/index.php", "application/x-www-form-urlencoded", "data="+url.QueryEscape(data))
		r.Query = []Param{{"module", "Home"}, {"action", "quicksearchQuery"}, {"to_pdf", "true"}}
		return odooAsks(t, p, r)
	}
	for data, want := range map[string]string{
		`{"method":"query","modules":["Contacts"],"field_list":["name"],"conditions":[{"name":"email1","op":"=","value":"x"}],"order":"birthdate"}`: "filter email1 email; sort birthdate birthdate",
		`{"method":"query","modules":["Contacts","Leads"],"conditions":[{"name":"id"}]}`:                                                            "unknown_type",
		`{"method":"query","modules":["MyModule"],"conditions":[{"name":"id"}]}`:                                                                    "unknown_type",
		`{"method":"query","modules":["Contacts"],"order":"(select user_hash from users)"}`:                                                         "malformed",
		`{"method":"query","modules":["Contacts"],"where":"1=1"}`:                                                                                   "unknown_parameter",
	} {
		if got := ask(data); got != want {
			t.Errorf("%s: %s, want %s", data, got, want)
		}
	}
}

// TestSuiteCRMPagesThatAreNotDescribedAreForThoseWhoSeeEverything.
func TestSuiteCRMPagesThatAreNotDescribedAreForThoseWhoSeeEverything(t *testing.T) {
	p := builtinProfile(t, "suitecrm")
	for _, query := range [][]string{
		{"module", "AOR_Reports", "action", "index"},
		{"module", "Home", "action", "index"},
		{"module", "Contacts", "action", "detailview", "record", "7"},
		{"module", "Contacts", "action", "DetailView", "record", "7", "to_pdf", "1"},
		{"module", "Audit", "action", "Popup"},
		{"entryPoint", "export"},
		{},
	} {
		r := get("/index.php", query...)
		if reason := refused(t, p, r); reason != "" {
			continue
		}
		if x := classify(t, p, r); !x.Whole() || len(refsOf(x, RefWhole)) == 0 || x.Accesses[0].Action != "update" {
			t.Errorf("%v passes as %s", query, x.Route)
		}
	}
	for _, r := range []Request{
		send("POST", "/service/v4_1/rest.php", "application/x-www-form-urlencoded", "method=get_entry_list"),
		send("POST", "/service/v4_1/soap.php", "text/xml", "<x/>"),
		send("POST", "/api/graphql", "application/json", `{"query":"{x}"}`),
		send("POST", "/legacy/service/v4_1/rest.php", "application/x-www-form-urlencoded", "x=y"),
		get("/legacy/index.php", "module", "Contacts"),
		get("/upload/x"),
		get("/config.php"),
	} {
		if got := refused(t, p, r); got == "" {
			t.Errorf("%s %s passes", r.Method, r.Path)
		}
	}
}

// TestSuiteCRMPageNamesTheRecordsOfItsSideBar, of whatever kind, and hides what
// stands in lists that aren't described.
func TestSuiteCRMPageNamesTheRecordsOfItsSideBar(t *testing.T) {
	p := builtinProfile(t, "suitecrm")
	x := classify(t, p, get("/index.php", "module", "Contacts", "action", "DetailView", "record", "c1"))
	page := `<html><head><title>Anna Weber</title></head><body>
<div id="recentlyViewedSidebar"><a title="Contacts" href="?action=ajaxui#ajaxUILoc=index.php%3Fmodule%3DLeads%26action%3DDetailView%26record%3Dl1"><span>Ben</span></a>
<a title="X" href="index.php?module=MyModule&amp;action=DetailView&amp;record=m1">Zoe</a></div>
<h2 class="module-title-text">Anna Weber</h2>
<div class="detail-view-field" field="phone_work"><a href="tel:1">030 1</a></div>
<div class="detail-view-field" field="x_c">own</div>
<div id="subpanel_list"><td>Carl</td></div></body></html>`
	got, err := locateHTML(t, x, page, 200)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{
		"record Contacts/c1", "record Leads/l1", "record MyModule/m1",
		"field name=Ben name of Leads/l1", "field name=Zoe unclassified of MyModule/m1", "field name=Anna Weber name of Contacts/c1",
		"field phone_work=030 1 phone of Contacts/c1", "field x_c=own unclassified of Contacts/c1", "field #text=Carl unclassified",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in\n%s", want, all)
		}
	}
}
