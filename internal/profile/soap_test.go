package profile

import (
	"slices"
	"strings"
	"testing"
)

func soapProfile(t testing.TB) *Profile {
	t.Helper()
	p, err := Load([]byte(fixture(t, "soap.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// envelope is a SOAP request with the operation in its body.
func envelope(operation string, header ...string) Request {
	return send("POST", "/soap", "text/xml", `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">`+
		strings.Join(header, "")+`<s:Body>`+operation+`</s:Body></s:Envelope>`)
}

const entries = `<get_entries><session>s3cret</session><module_name i:type="x:string">Contacts</module_name><ids><item i:type="x:string">1</item><item>2</item></ids><query/>` +
	`<select_fields><item>email</item><item>shoe</item></select_fields></get_entries>`

func TestSOAPRequestIsReadByItsOperation(t *testing.T) {
	p := soapProfile(t)
	x := classify(t, p, envelope(entries))
	a := x.Accesses[0]
	if x.Route != "get_entries" || x.Call != "get_entries" || a.Type != "Contacts" || a.Entity != "contact" || a.Action != "read" || !slices.Equal(a.IDs, []string{"1", "2"}) {
		t.Errorf("read as %+v", a)
	}
	same(t, "references", asks(x), "select email email", "select shoe unclassified")
	x = classify(t, p, envelope(`<p:find xmlns:p="urn:x"><session>s3cret</session><field><![CDATA[email]]></field><value>%a%</value><order>name,status</order><id>7</id><id>8</id></p:find>`))
	same(t, "references", asks(x), "filter email email", "sort name name", "sort status public")
	if a := x.Accesses[0]; a.Action != "search" || !slices.Equal(a.IDs, []string{"7", "8"}) {
		t.Errorf("read as %+v", a)
	}
	if q := x.Accesses[0].Question; strings.Contains(q, "s3cret") || !strings.Contains(q, "field=<![CDATA[email]]>") {
		t.Errorf("the question is %q", q)
	}
	with := envelope(entries, `<s:Header><SessionHeader><id>x</id></SessionHeader></s:Header>`)
	for _, actions := range [][]string{nil, {""}, {`""`}, {`"get_entries"`}, {"http://x/soap.php/get_entries", ""}, {"urn:x#get_entries"}, {"urn:get_entriesRequest"}} {
		with.SOAPActions = actions
		classify(t, p, with)
	}
	if got := refused(t, p, envelope(`<set_entry><session/></set_entry>`)); got != "denied" {
		t.Errorf("a save: %q", got)
	}
}

func TestSOAPRequestThatCouldBeAnotherIsRefused(t *testing.T) {
	p := soapProfile(t)
	fields := `<select_fields/>`
	call := func(in string) string { return `<get_entries>` + in + `</get_entries>` }
	head := `<session>s</session><module_name>Contacts</module_name>`
	for name, tt := range map[string]struct {
		request Request
		want    string
	}{
		"an unknown operation":         {envelope(`<drop_all/>`), "unknown_call"},
		"another case":                 {envelope(`<Get_Entries/>`), "unknown_call"},
		"two operations":               {envelope(entries + `<set_entry/>`), "malformed"},
		"no operation":                 {envelope(``), "malformed"},
		"text in the body":             {envelope(`x` + entries), "malformed"},
		"text in the operation":        {envelope(call(`x` + head)), "malformed"},
		"an operation that is a text":  {envelope(call(`x`)), "malformed"},
		"two bodies":                   {send("POST", "/soap", "text/xml", `<Envelope><Body><find/></Body><Body><drop_all/></Body></Envelope>`), "malformed"},
		"a header behind the body":     {send("POST", "/soap", "text/xml", `<Envelope><Body><find/></Body><Header/></Envelope>`), "malformed"},
		"another root":                 {send("POST", "/soap", "text/xml", `<find/>`), "malformed"},
		"a document type":              {send("POST", "/soap", "text/xml", `<!DOCTYPE Envelope><Envelope><Body><find/></Body></Envelope>`), "malformed"},
		"another charset":              {send("POST", "/soap", "text/xml", `<?xml version="1.0" encoding="iso-8859-1"?><Envelope><Body><find>`+"\xe4"+`</find></Body></Envelope>`), "malformed"},
		"another type":                 {send("POST", "/soap", "application/json", `{}`), "type"},
		"a header that isn't listed":   {envelope(entries, `<s:Header><Action>set_entry</Action></s:Header>`), "unknown_parameter"},
		"an element that isn't listed": {envelope(call(head + `<ids/><query/>` + fields + `<deleted>1</deleted>`)), "unknown_parameter"},
		"another order":                {envelope(call(`<module_name>Contacts</module_name><session>s</session>`)), "unknown_parameter"},
		"an element left out":          {envelope(call(head + `<query/>`)), "unknown_parameter"},
		"an element twice":             {envelope(call(`<session>s</session><module_name>Accounts</module_name><module_name>Contacts</module_name>`)), "unknown_parameter"},
		"a question in SQL":            {envelope(call(head + `<ids/><query>1=1</query>`)), "unknown_parameter"},
		"SQL without letters":          {envelope(call(head + `<ids/><query>%</query>`)), "unknown_parameter"},
		"SQL deeper":                   {envelope(call(head + `<ids/><query><x>1=1</x></query>`)), "unknown_parameter"},
		"a reference":                  {envelope(call(`<session href="#x"/>`)), "malformed"},
		"an unknown module":            {envelope(call(`<session/><module_name>Users</module_name>`)), "unknown_type"},
		"elements in a module's name":  {envelope(call(`<session/><module_name><a>Contacts</a><b/></module_name>`)), "unknown_type"},
		"elements in an id":            {envelope(call(head + `<ids><item>1<x>2</x></item></ids>`)), "malformed"},
		"elements in a field":          {envelope(`<find><session/><field>status<x>email</x></field></find>`), "malformed"},
		"elements in a field's name":   {envelope(call(head + `<ids/><query/><select_fields><item>a<b>c</b></item></select_fields>`)), "malformed"},
	} {
		if got := refused(t, p, tt.request); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	for _, action := range []string{"set_entry", `"urn:x#set_entry"`, "get_entries2", "x_get_entries"} {
		r := envelope(entries)
		r.SOAPActions = []string{"", action}
		if got := refused(t, p, r); got != "malformed" {
			t.Errorf("the action %s: %q", action, got)
		}
	}
	recorded := send("POST", "/soap", "text/xml", fixture(t, "20-soap-partner-query.request.xml"))
	if got := refused(t, p, recorded); got != "unknown_call" {
		t.Errorf("a query of another CRM: %q", got)
	}
}

func TestSOAPWordsAreCheckedAtLoad(t *testing.T) {
	src := fixture(t, "soap.yaml")
	for name, tt := range map[string]struct{ route, want string }{
		"no operation":         {`{match: "POST /x", body: soap, type: xml, entity: Contacts, action: read}`, "needs its operation"},
		"soap of JSON":         {`{match: "POST /x", entity: Contacts, action: read, soap: {operation: a}}`, "add `body: soap`"},
		"a save":               {`{match: "POST /x", body: soap, entity: Contacts, soap: {operation: a}}`, "saves in SOAP are not served"},
		"an unlisted element":  {`{match: "POST /x", body: soap, entity: Contacts, action: read, soap: {operation: a, elements: [query], empty: [qery]}}`, `nearest: "query"`},
		"a syntax":             {`{match: "POST /x", body: soap, entity: Contacts, action: read, soap: {operation: a, elements: [q]}, refs: [{role: filter, at: body.q, syntax: domain}]}`, "not served in SOAP"},
		"an operation twice":   {`{match: "POST /soap", body: soap, entity: Contacts, action: read, soap: {operation: find}}`, "can never match"},
		"JSON behind it":       {`{match: "POST /soap", entity: Contacts, action: read}`, "can never match"},
		"an unknown module":    {`{match: "POST /x", body: soap, entity: Users, action: read, soap: {operation: a}}`, "no entity has the type"},
		"an unknown soap word": {`{match: "POST /x", body: soap, entity: Contacts, action: read, soap: {opration: a}}`, `nearest: "operation"`},
	} {
		_, err := Load([]byte(src + "  - " + tt.route + "\n"))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
