package profile

import (
	"net/url"
	"strings"
	"testing"
)

// suiteExport is an export as a list's page sends it.
func suiteExport(query, form url.Values) Request {
	r := send("POST", "/index.php", "application/x-www-form-urlencoded", form.Encode())
	for name := range query {
		r.Query = append(r.Query, Param{name, query.Get(name)})
	}
	r.Query = append(r.Query, Param{"entryPoint", "export"})
	return r
}

// TestSuiteCRMExportsAreJudgedByTheSearchThatTheyRepeat: of rows that somebody has
// ticked, and of all that a search finds.
func TestSuiteCRMExportsAreJudgedByTheSearchThatTheyRepeat(t *testing.T) {
	p := builtinProfile(t, "suitecrm")
	contacts := url.Values{"module": {"Contacts"}}
	for _, c := range []struct {
		query, form url.Values
		want        string
	}{
		{nil, url.Values{"module": {"Contacts"}, "uid": {"c1,c2"}, "action": {"index"}}, ""},
		{nil, url.Values{"module": {"Contacts"}, "all": {"true"}, "current_post": {""}}, ""},
		{contacts, url.Values{"current_post": {""}}, ""},
		{contacts, url.Values{"current_post": {`{"module":"Contacts","action":"index","query":"true","email_advanced":"x","lead_source_advanced":["Web"]}`}}, "filter email email; filter lead_source public"},
		{nil, url.Values{"module": {"Contacts"}, "current_post": {`{"phone_basic":"030"}`}}, "filter phone phone"},
		{contacts, url.Values{"current_post": {`{"lead_source_advanced":"a&quot;,&quot;email_advanced&quot;:&quot;b"}`}}, "malformed"},
		{contacts, url.Values{"current_post": {`{"x_c_advanced":"7"}`}}, "unknown_parameter"},
		{contacts, url.Values{"current_post": {`{"saved_search_select":"7"}`}}, "unknown_parameter"},
		{contacts, url.Values{"current_post": {"YTo1"}}, "malformed"},
		// What the form says goes before the query: two modules are none.
		{contacts, url.Values{"module": {"Users"}, "uid": {"1"}}, "unknown_parameter"},
		{nil, url.Values{"module": {"Contacts"}, "uid": {"c1"}, "email_advanced": {"x"}}, "unknown_parameter"},
	} {
		r := suiteExport(c.query, c.form)
		if got := odooAsks(t, p, r); got != c.want {
			t.Errorf("%v %v: %q, want %q", c.query, c.form, got, c.want)
		}
		if c.want == "malformed" || c.want == "unknown_parameter" {
			continue
		}
		if x := classify(t, p, r); x.Accesses[0].Action != "export" || !x.Accepts("text/comma-separated-values") {
			t.Errorf("%v %v is %s", c.query, c.form, x.Accesses[0].Action)
		}
	}
	// What has another form, or is of a module whose columns aren't known, is for roles
	// that see everything.
	for _, form := range []url.Values{
		{"module": {"Users"}, "uid": {"1"}},
		{"module": {"ProspectLists"}, "uid": {"1"}, "members": {"1"}},
		{"module": {"Contacts"}, "uid": {"1"}, "members": {"1"}},
		{"module": {"Contacts"}, "sample": {"true"}},
		{"module": {"Contacts"}, "uid": {"1"}, "action": {"MassUpdate"}},
		{"uid": {"1"}},
	} {
		r := suiteExport(nil, form)
		if reason := refused(t, p, r); reason != "" {
			continue
		}
		if x := classify(t, p, r); !x.Whole() || x.Accesses[0].Action != "update" {
			t.Errorf("%v passes as %s", form, x.Route)
		}
	}
}

// TestSuiteCRMExportRowsAreRecords, whose columns have labels in English or German, or
// a field's name; a heading that nobody knows, or that stands twice, hides its column.
func TestSuiteCRMExportRowsAreRecords(t *testing.T) {
	p := builtinProfile(t, "suitecrm")
	x := classify(t, p, suiteExport(nil, url.Values{"module": {"Contacts"}, "uid": {"c1"}}))
	for _, head := range []string{
		"\xef\xbb\xbf" + `"First Name","Last Name","ID","Email Address","Office Phone","Status","IBAN","Assigned to","Status","Assigned User"`,
		`"Vorname","Nachname","ID","E-Mail-Adresse","Telefon Büro","Status","Konto","Assigned to","Status","Assigned User ID"`,
		`"first_name"	"last_name"	"ID"	"email_address"	"phone_work"	"Status"	"iban_c"	"assigned_user_name"	"Status"	"assigned_user_id"`,
	} {
		row := `"Ida","Brandt","c1","ida@example.org","'+49 30 1","stray","DE02","kim","ill","u1"`
		if strings.Contains(head, "\t") {
			row = strings.ReplaceAll(row, ",", "\t")
		}
		got, rows, err := locateCSV(t, x, head+"\r\n"+row+"\r\n")
		if err != nil || rows != 0 {
			t.Fatalf("%s: %d, %v", head, rows, err)
		}
		all := strings.Join(got, "\n")
		for _, want := range []string{
			"record Contacts/c1", "field first_name=Ida name of Contacts/c1", "field last_name=Brandt name of Contacts/c1",
			"field email_address=ida@example.org email of Contacts/c1", "field phone_work='+49 30 1 phone of Contacts/c1",
			"=DE02 unclassified of Contacts/c1", "=stray unclassified of Contacts/c1", "=ill unclassified of Contacts/c1",
		} {
			if !strings.Contains(all, want) {
				t.Errorf("%s: %q is missing in\n%s", head, want, all)
			}
		}
		if strings.Contains(all, "=kim") && !strings.Contains(all, "=kim public") {
			t.Errorf("%s: the employee's name is hidden in\n%s", head, all)
		}
	}
	// Without a column for ids the rows are counted.
	if _, rows, err := locateCSV(t, x, "\"First Name\",\"Birthdate\"\r\n\"Ida\",\"1990-01-01\"\r\n"); err != nil || rows != 1 {
		t.Errorf("%d rows, %v", rows, err)
	}
	// A first row of values is no heading.
	if _, _, err := locateCSV(t, x, "\"Ida\",\"1990-01-01\"\r\n"); err == nil {
		t.Error("a file without headings is released")
	}
}
