package clients

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// The key that programs sign in to Odoo with, and the number that sales doesn't see.
const (
	odooKey   = "k3y-0f-the-CRM"
	odooPhone = "+49 30 23125 208"
)

// odooXML is a stand-in for Odoo's XML-RPC. It writes as Python's xmlrpc does.
func odooXML(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	const record = "<value><struct>\n<member>\n<name>id</name>\n<value><int>1075</int></value>\n</member>\n<member>\n<name>name</name>\n<value><string>\u0141ukasz &lt;Wr\u00f3blewski&gt;</string></value>\n</member>\n" +
		"<member>\n<name>email</name>\n<value><string>lukasz.wroblewski@example.com</string></value>\n</member>\n<member>\n<name>phone</name>\n<value><string>" + odooPhone + "</string></value>\n</member>\n" +
		"<member>\n<name>comment</name>\n<value><boolean>0</boolean></value>\n</member>\n</struct></value>\n"
	result := func(value string) string {
		return "<params>\n<param>\n" + value + "</param>\n</params>\n"
	}
	array := func(values string) string { return "<value><array><data>\n" + values + "</data></array></value>\n" }
	text, answer := string(body), ""
	is := func(method string) bool {
		return strings.Contains(text, "<string>"+method+"</string>") || strings.Contains(text, "<methodName>"+method+"</methodName>")
	}
	switch {
	case is("authenticate"):
		answer = result("<value><int>7</int></value>\n")
	case is("version"):
		answer = result("<value><struct>\n<member>\n<name>server_version</name>\n<value><string>18.0</string></value>\n</member>\n</struct></value>\n")
	case strings.Contains(text, "<int>404</int>"):
		answer = "<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n<value><int>2</int></value>\n</member>\n<member>\n<name>faultString</name>\n" +
			"<value><string>\u0141ukasz, " + odooPhone + ", is gone.</string></value>\n</member>\n</struct></value>\n</fault>\n"
	case is("search_read"), is("read"):
		answer = result(array(record))
	case is("search"):
		answer = result(array("<value><int>1075</int></value>\n<value><int>1076</int></value>\n"))
	case is("fields_get"):
		answer = result("<value><struct>\n<member>\n<name>phone</name>\n<value><struct>\n<member>\n<name>type</name>\n<value><string>char</string></value>\n</member>\n</struct></value>\n</member>\n</struct></value>\n")
	case is("create"):
		answer = result(array("<value><int>1090</int></value>\n"))
	default:
		answer = result("<value><boolean>1</boolean></value>\n")
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	_, _ = io.WriteString(w, "<?xml version='1.0'?>\n<methodResponse>\n"+answer+"</methodResponse>\n") // the client may be gone
}

func odoo(t *testing.T) *crm {
	const media = "application/json; charset=utf-8"
	found := body(media, `[{"id": 1075, "name": "\u0141ukasz Wr\u00f3blewski", "email": "lukasz.wroblewski@example.com", "phone": "`+odooPhone+`"}]`)
	return startCRM(t, answers(map[string]http.HandlerFunc{
		"POST /json/2/res.partner/search_read": found,
		"POST /json/2/res.partner/read":        found,
		"POST /json/2/res.partner/write":       body(media, "true"),
		"POST /web/session/get_session_info":   body(media, `{"jsonrpc": "2.0", "id": 1, "result": {"uid": 7, "db": "kontor", "web.base.url": "https:\/\/odoo.internal.example.de", "server_version": "19.0"}}`),
		"POST /xmlrpc/2/common":                odooXML,
		"POST /xmlrpc/2/object":                odooXML,
	}))
}

// TestClientOdooAwait sees that XML-RPC and JSON-2 are masked, and that what is refused
// comes as the client's own fault.
func TestClientOdooAwait(t *testing.T) {
	up := odoo(t)
	gate := startGate(t, "odoo", "builtin:odoo", up.URL, "crm_hosts odoo.internal.example.de")
	all := run(t, "odoo.mjs", gate.Base, "master_data")
	all.show(t, odooPhone)
	holds(t, "a new record", all.value(t, "create"), "1090")
	up.forget()

	got := run(t, "odoo.mjs", gate.Base, "sales")
	got.hide(t, odooPhone, "odoo.internal.example.de")
	up.unmasked(t)
	t.Run("XML-RPC", func(t *testing.T) { odooByXML(t, up, got) })
	t.Run("JSON-2", func(t *testing.T) {
		holds(t, "a list", got.value(t, "json-2 search_read"), "Łukasz Wróblewski", "+49 ••••••08")
		got.refused(t, "json-2 filter", "Error", `The request asks about "phone" (phone)`)
		got.value(t, "json-2 write")
		saved := up.only(t, http.MethodPost, "/json/2/res.partner/write")
		holds(t, "what was saved", saved.body, "Wróbel")
		lacks(t, "what was saved", saved.body, "phone")
		if s := got.value(t, "session"); !strings.Contains(s, `"web.base.url":"`+gate.Base+`"`) {
			t.Errorf("the session's address is not the gate's: %s", s)
		}
	})
	logged(t, gate, "1075")
	for _, e := range gate.Entries(t) {
		lacks(t, "an entry", fmt.Sprintf("%+v", e.Entry), odooKey)
	}
	lacks(t, "the process log", gate.String(), odooKey)
}

func odooByXML(t *testing.T, up *crm, got outcomes) {
	t.Helper()
	for step, parts := range map[string][]string{
		"connect": {"7"},
		"list":    {"Łukasz <Wróblewski>", "lukasz.wroblewski@example.com", `"phone":"+49 ••••••08"`, `"id":1075`, `"comment":false`},
		"search":  {"[1075,1076]"}, "read": {"+49 ••••••08"}, "execute": {"+49 ••••••08"},
		"fields": {`"type":"char"`}, "version": {`"server_version":"18.0"`}, "save": {"true"},
	} {
		holds(t, step, got.value(t, step), parts...)
	}
	for step, message := range map[string]string{
		"filter":     `XML-RPC fault: The request asks about "phone" (phone)`,
		"edited":     "phone",
		"create":     "XML-RPC fault: Your roles don't allow create of contact.",
		"action":     "XML-RPC fault: This call is not in the profile odoo/16-19.",
		"fault":      "XML-RPC fault: Der Text wurde zurückgehalten",
		"many":       "XML-RPC fault: Several calls in one request (system.multicall) are not served; send them one by one.",
		"databases":  "XML-RPC fault: The gateway serves of XML-RPC authenticate and version",
		"signed out": "XML-RPC fault: ",
	} {
		got.refused(t, step, "Error", message)
	}
	var saved []string
	for _, r := range up.requests(http.MethodPost, "/xmlrpc/2/object") {
		lacks(t, "what the CRM got", r.body, "030", "action_reset_password", "multicall", "phone</name>")
		if strings.Contains(r.body, "<string>write</string>") {
			saved = append(saved, r.body)
		}
	}
	if len(saved) != 1 {
		t.Fatalf("%d saves reached the CRM", len(saved))
	}
	holds(t, "what was saved", saved[0], "Łukasz", "Wróbel", "lukasz.wroblewski@example.com", odooKey)
	if came := up.requests(http.MethodPost, "/xmlrpc/2/db"); len(came) > 0 {
		t.Errorf("the CRM got %v", came)
	}
}
