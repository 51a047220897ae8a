package profile

import (
	"net/url"
	"strings"
	"testing"
)

const suiteList = "list page"

// TestSuiteCRMListsAreJudgedByEveryParameter: each of them is a field to search by, or
// one of those that ask nothing; all else could do something.
func TestSuiteCRMListsAreJudgedByEveryParameter(t *testing.T) {
	p := builtinProfile(t, "suitecrm")
	for query, want := range map[string]string{
		"parentTab=All": "",
		"query=true&searchFormTab=basic_search&search_name_basic=Web":            "filter search_name name",
		"query=true&searchFormTab=advanced_search&email_advanced=%25example.org": "filter email email",
		"phone_advanced=030&first_name_advanced=":                                "filter phone phone",
		"birthdate=x": "filter birthdate birthdate",
		"range_birthdate_advanced=x&birthdate_advanced_range_choice=%3D": "filter birthdate birthdate",
		"start_range_birthdate_advanced=x":                               "filter birthdate birthdate",
		"lead_source_advanced[]=Web":                                     "filter lead_source public",
		"Contacts2_CONTACT_ORDER_BY=phone_work&lvso=ASC":                 "sort phone_work phone",
		"orderBy=PHONE_WORK&sortOrder=ASC":                               "sort phone_work phone",
		"orderBy=(select+user_hash+from+users)":                          "unknown_parameter",
		"saved_search_select=_none":                                      "",
		"saved_search_select=7":                                          "unknown_parameter",
		"searchFormTab=saved_views":                                      "unknown_parameter",
		"massupdate=true":                                                "unknown_parameter",
		"delete=true":                                                    "unknown_parameter",
		"to_pdf=1":                                                       "unknown_parameter",
		"ajax_load=1":                                                    "unknown_parameter",
		"entryPoint=export":                                              "unknown_parameter",
		"x_c_advanced=7":                                                 "unknown_parameter",
	} {
		r := get("/index.php", "module", "Contacts", "action", "index")
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		for name := range values {
			r.Query = append(r.Query, Param{name, values.Get(name)})
		}
		if got := odooAsks(t, p, r); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

// TestSuiteCRMPagingIsJudgedByTheQueryThatItRepeats, which stands in it as JSON.
func TestSuiteCRMPagingIsJudgedByTheQueryThatItRepeats(t *testing.T) {
	p := builtinProfile(t, "suitecrm")
	ask := func(query []string, form url.Values) string {
		r := send("POST", "/index.php", "application/x-www-form-urlencoded", form.Encode())
		for i := 0; i < len(query); i += 2 {
			r.Query = append(r.Query, Param{query[i], query[i+1]})
		}
		return odooAsks(t, p, r)
	}
	paging := func(more ...string) url.Values {
		f := url.Values{
			"module": {"Contacts"}, "action": {"index"}, "massupdate": {"false"}, "delete": {"false"}, "merge": {"false"}, "return_module": {""},
			"Contacts2_CONTACT_offset": {"20"}, "mass[]": {"c1", "c2"}, "selectCount[]": {"2"}, "lvso": {""}, "Contacts2_CONTACT_ORDER_BY": {""},
			"assigned_user_name": {""}, "lead_source": {""}, "unknown_c": {""},
		}
		for i := 0; i < len(more); i += 2 {
			f.Set(more[i], more[i+1])
		}
		return f
	}
	for _, c := range []struct {
		query []string
		form  url.Values
		want  string
	}{
		{nil, paging(), ""},
		{nil, paging("current_query_by_page", `{"module":"Contacts","action":"index","query":"true","email_advanced":"x","lead_source_advanced":["Web"]}`), "filter email email; filter lead_source public"},
		{nil, paging("current_query_by_page", `{"email_advanced":"","phone_basic":[""]}`), ""},
		{nil, paging("current_query_by_page", `{"Contacts2_CONTACT_ORDER_BY":"birthdate"}`), "sort birthdate birthdate"},
		{nil, paging("current_query_by_page", `{"x":"a&quot;,&quot;email_advanced&quot;:&quot;b"}`), "malformed"},
		{nil, paging("current_query_by_page", `{"lead_source_advanced":"a&quot;,&quot;email_advanced&quot;:&quot;b"}`), "malformed"},
		{nil, paging("current_query_by_page", "YTo1"), "malformed"},
		{nil, paging("current_query_by_page", `{"saved_search_select":"7"}`), "unknown_parameter"},
		{nil, paging("Contacts2_CONTACT_ORDER_BY", "email1"), "sort email1 email"},
		{nil, paging("lead_source", "Web"), "filter lead_source public"},
		{nil, paging("unknown_c", "1"), "unknown_parameter"},
		{[]string{"module", "Contacts", "action", "index"}, paging("email_advanced", "x"), "filter email email"},
	} {
		if got := ask(c.query, c.form); got != c.want {
			t.Errorf("%v %v: %q, want %q", c.query, c.form, got, c.want)
		}
	}
	// Two modules in one request, and what isn't a list: none of them is a list page.
	for _, c := range []struct {
		query []string
		form  url.Values
	}{
		{[]string{"module", "Users", "action", "index"}, paging()},
		{nil, paging("massupdate", "true", "action", "MassUpdate")},
		{nil, paging("module", "AOR_Reports")},
		{nil, paging("module", "Home")},
	} {
		r := send("POST", "/index.php", "application/x-www-form-urlencoded", c.form.Encode())
		for i := 0; i < len(c.query); i += 2 {
			r.Query = append(r.Query, Param{c.query[i], c.query[i+1]})
		}
		if x, err := p.Classify(r); err == nil && (x.Route == suiteList || !x.Whole()) {
			t.Errorf("%v %v passes as %s", c.query, c.form, x.Route)
		}
	}
}

// TestLeakSuiteCRMListsBySomethingThatIsReadOtherwise: names that PHP cuts, and the
// query that paging repeats, where nobody reads it.
func TestLeakSuiteCRMListsBySomethingThatIsReadOtherwise(t *testing.T) {
	p := builtinProfile(t, "suitecrm")
	// whole is what is for those who see everything.
	const repeated, whole = `{"email_advanced":"x"}`, "whole"
	for what, c := range map[string]struct{ name, value, get, post string }{
		"001-NUL-in-a-name":         {"email_advanced\x00_offset", "x", "malformed", whole},
		"002-NUL-in-an-action":      {"action\x00_offset", "Export", "malformed", whole},
		"003-NUL-and-nothing":       {"action\x00_offset", "", "malformed", whole},
		"004-space-before-a-name":   {" email_advanced_offset", "x", "malformed", "malformed"},
		"005-repeated-query":        {"current_query_by_page", repeated, "unknown_parameter", "filter email email"},
		"006-repeated-as-a-list":    {"current_query_by_page[]", repeated, "unknown_parameter", "unknown_parameter"},
		"007-repeated-as-an-object": {"current_query_by_page[a]", repeated, "unknown_parameter", "unknown_parameter"},
		"008-repeated-in-itself":    {"current_query_by_page", `{"current_query_by_page":"{}"}`, "unknown_parameter", "unknown_parameter"},
		"009-NUL-in-the-repeated":   {"current_query_by_page", `{"email_advanced\u0000_offset":"x"}`, "unknown_parameter", "malformed"},
		"010-direction-with-more":   {"lvso", "ASC,birthdate", "unknown_parameter", "unknown_parameter"},
		"011-order-with-more":       {"sortOrder", "DESC, (select user_hash)", "unknown_parameter", "unknown_parameter"},
		"012-two-fields-to-sort-by": {"orderBy", "lead_source,birthdate", "unknown_field", "unknown_field"},
		"013-repeated-module":       {"current_query_by_page", `{"module":"Users","action":"index"}`, "unknown_parameter", "malformed"},
		"014-repeated-action":       {"current_query_by_page", `{"action":"Export"}`, "unknown_parameter", "malformed"},
		"015-repeated-as-it-was":    {"current_query_by_page", `{"module":"Contacts","action":"index"}`, "unknown_parameter", ""},
		"016-repeated-modules":      {"current_query_by_page", `{"module":["Users"]}`, "unknown_parameter", "malformed"},
	} {
		t.Run(what, func(t *testing.T) {
			r := get("/index.php", "module", "Contacts", "action", "index")
			r.Query = append(r.Query, Param{c.name, c.value})
			if got := odooAsks(t, p, r); got != c.get {
				t.Errorf("in the address %q, want %q", got, c.get)
			}
			form := url.Values{"module": {"Contacts"}, "action": {"index"}, c.name: {c.value}}
			if got := odooAsks(t, p, send("POST", "/index.php", "application/x-www-form-urlencoded", form.Encode())); got != c.post && (c.post != whole || !strings.HasPrefix(got, whole)) {
				t.Errorf("in a form %q, want %q", got, c.post)
			}
		})
	}
}

// TestSuiteCRMListRowsAreRecords, with the field of each cell in an attribute of it.
func TestSuiteCRMListRowsAreRecords(t *testing.T) {
	p := builtinProfile(t, "suitecrm")
	x := classify(t, p, get("/index.php", "module", "Contacts", "action", "index"))
	row := `<tr class="oddListRowS1"><td><input type="checkbox" name="mass[]" value="c1"></td>
<td field="name"><b><a href="?action=ajaxui#ajaxUILoc=index.php%3Frecord%3Dc1">Ida Brandt</a></b></td>
<td field="email1"><a href="mailto:ida@example.org" data-module-name="Ida Brandt" data-email-address="ida@example.org">ida@example.org</a></td>
<td field="own_c">own</td><td>loose</td></tr>`
	page := func(rows string) string {
		return `<html><head><title>Contacts</title></head><body><a class="recent-links-detail" title="Leads" href="index.php?module=Leads&amp;record=l1"><span>Ben Frisch</span></a>
<table class="list view table-responsive"><thead><tr><th>Name</th></tr></thead><tbody>` + rows + `</tbody></table></body></html>`
	}
	got, err := locateHTML(t, x, page(row+`<tr class="otherRow"><td>Stray Person</td></tr>`), 200)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{
		"record Contacts/c1", "record Leads/l1", "field name=Ida Brandt name of Contacts/c1", "field email1=mailto:ida@example.org email of Contacts/c1",
		"field email1=ida@example.org email of Contacts/c1", "field own_c=own unclassified of Contacts/c1", "field #text=loose unclassified of Contacts/c1",
		"field #text=Stray Person unclassified", "field name=Ben Frisch name of Leads/l1",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in\n%s", want, all)
		}
	}
	// What says the kind of a record is nobody's name: it stands all over the page.
	for _, not := range []string{"=Leads", "=Contacts", "=?action"} {
		if strings.Contains(all, not) {
			t.Errorf("%q is a value in\n%s", not, all)
		}
	}
	if _, err := locateHTML(t, x, page(""), 200); err == nil {
		t.Error("a page with neither rows nor the word that there are none is released")
	}
	if _, err := locateHTML(t, x, `<body><div class="list view listViewEmpty"><p>none</p></div></body>`, 200); err != nil {
		t.Errorf("an empty list: %v", err)
	}
}
