package profile

import (
	"slices"
	"strings"
	"testing"
)

// tracker is a profile of a CRM whose XML-RPC has methods with names of their own, and
// a session's key in front of each call.
const tracker = `
profile: tracker/1
evidence: documented
withheld: WITHHELD
normalize: {ids: integer}
entities:
  ticket:
    unknown: mask
    fields: {summary: public, reporter: email, cc: email, description: free_text, id: public}
transports:
  - match: POST /rpc
    body: xmlrpc
    call: body.methodName
    args: body.params
    skip: 1
    failure: {name: .faultCode, known: {"1": [.faultCode]}}
calls:
  - {call: system.listMethods, pass: true}
  - {call: ticket.get, entity: ticket, sig: [id], ids: [id], records: [{at: "@[3]", id: id}]}
  - {call: ticket.read, entity: ticket, sig: [ids, fields], ids: [ids], refs: [{role: select, at: fields, syntax: list}], records: [{at: "@[*]"}]}
  - {call: ticket.update, entity: ticket, action: update, sig: [id, attributes, notify], ids: [id], write: {at: attributes, mode: partial, stored: {call: ticket.read}}}
  - {call: ticket.query, entity: ticket, sig: [where, sort], action: search, question: true, refs: [{role: filter, at: where, syntax: keys}, {role: sort, at: sort, syntax: list}], records: [{at: "@[*]"}]}
  - {call: ticket.cc, entity: ticket, sig: [id], ids: [id], records: [{at: "@", field: cc, id: id}]}
`

func trackerText(replaced ...string) string { return strings.NewReplacer(replaced...).Replace(tracker) }

func TestXMLRPCOfAnyCRMIsDescribed(t *testing.T) {
	p := loadText(t, trackerText())
	rpc := func(method string, params ...string) Request {
		return xmlCall(t, "/rpc", method, append([]string{`"` + xmlKey + `"`}, params...)...)
	}
	x := classify(t, p, rpc("ticket.query", `{"reporter":"a@x.de"}`, `["description"]`))
	if got := asks(x); !slices.Equal(got, []string{"filter reporter email", "sort description free_text"}) || x.Call != "ticket.query" {
		t.Errorf("%v of %s", got, x.Call)
	}
	if got := x.Accesses[0].Question; got != `[{"reporter":"a@x.de"},["description"]]` {
		t.Errorf("the question is %s", got)
	}
	same(t, "query", locateXMLRPC(t, x, `[{"id":7,"reporter":"a@x.de","summary":"s","own":"o"}]`),
		"record ticket/7", "field reporter=a@x.de email of ticket/7", "field own=o unclassified of ticket/7")
	x = classify(t, p, rpc("ticket.get", "7"))
	same(t, "a list of a record's parts", locateXMLRPC(t, x, `[7,"2026-01-01","x",{"reporter":"a@x.de","summary":"s"}]`),
		"record ticket/7", "field reporter=a@x.de email of ticket/7", "field =2026-01-01 unclassified", "field =x unclassified")
	same(t, "one value", locateXMLRPC(t, classify(t, p, rpc("ticket.cc", "7")), `"a@x.de"`), "record ticket/7", "field cc=a@x.de email of ticket/7")

	x = classify(t, p, rpc("ticket.update", "7", `{"cc":"x","summary":"y"}`, "true"))
	got, err := x.Writes()[0].Stored([]string{"cc"})
	if want := rpc("ticket.read", `[7]`, `["id","cc"]`); err != nil || string(got.Body) != string(want.Body) || got.Path != "/rpc" {
		t.Errorf("the gateway reads %s, %v", got.Body, err)
	}
	for _, c := range []struct {
		r    Request
		want string
	}{
		{rpc("ticket.delete", "7"), "unknown_call"},
		{rpc("ticket.get", "7", "8"), "malformed"},
		{rpc("ticket.get", `"7"`), "malformed"},
		{rpc("ticket.get", `["x"]`), "malformed"},
		{xmlCall(t, "/rpc", "ticket.get"), "malformed"},
		{xmlCall(t, "/rpc", "ticket.get", `["a"]`, "7"), "malformed"},
		{rpc("system.listMethods"), ""},
		{rpc("system.multicall", "[]"), "unknown_call"},
		{send("POST", "/rpc", "text/plain", "x"), "type"},
		{send("GET", "/rpc", "", ""), "unknown_route"},
	} {
		if got := refused(t, p, c.r); got != c.want {
			t.Errorf("%s: refused %q, want %q", c.r.Body, got, c.want)
		}
	}
	a, ok := p.ShapesAt("POST", "/rpc").Refuse(0, `no <b>"ä"</b>`, "null")
	if want := typedFault("403", "no &lt;b&gt;&#34;ä&#34;&lt;/b&gt;"); !ok || a.Status != 200 || string(a.Body) != want || a.Headers["Content-Type"] != "text/xml; charset=utf-8" {
		t.Errorf("%d %s, want %s", a.Status, a.Body, want)
	}
	if a, ok = p.ShapesAt("POST", "/rpc").SignedOut("gone", "null"); !ok || a.Status != 200 || string(a.Body) != typedFault("401", "gone") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func typedFault(code, text string) string {
	return `<?xml version="1.0"?><methodResponse><fault><value><struct><member><name>faultCode</name><value><int>` + code + `</int></value></member>` +
		`<member><name>faultString</name><value><string>` + text + `</string></value></member></struct></value></fault></methodResponse>`
}

// TestXMLRPCIsCheckedAtLoad: each mistake is named, with its remedy.
func TestXMLRPCIsCheckedAtLoad(t *testing.T) {
	if _, err := Load([]byte(trackerText())); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, with, want string }{
		{"body: xmlrpc", "body: xml", `body "xml" is not served; write json or xmlrpc`},
		{"    skip: 1\n", "    result: $.result\n", "XML-RPC says itself where"},
		{"    skip: 1\n", "    members: [methodName]\n", "XML-RPC says itself where"},
		{"args: body.params", "args: body.arguments", "args is the list of all parameters"},
		{"args: body.params", "args: \"body.params[1]\"", "args is the list of all parameters"},
		{"    args: body.params\n", "    args: body.params\n    named: \"body.params[2]\"\n", "named arguments are one parameter"},
		{"call: body.methodName", "method: \"body.params[2]\"", "type and method are parameters before the arguments"},
		{"call: body.methodName", "method: body.methodName", "type and method are parameters before the arguments"},
		{"    skip: 1\n", "    skip: 1\n    when: {query.a: b}\n", "when names places of a body"},
		{"    skip: 1\n", "    skip: 1\n    when: {body.methodName: \"{a\"}\n", "neither values nor one {variable}"},
		{"    body: xmlrpc\n", "    body: json\n    members: [a]\n    result: $.a\n", "skip is for calls of XML-RPC"},
	} {
		text := trackerText(c.old, c.with)
		if text == trackerText() {
			t.Errorf("%q isn't in the profile", c.old)
		}
		if _, err := Load([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want it to say %q", c.with, err, c.want)
		}
	}
}

// TestCallsOfOneAddressAreToldApart by what the body holds, in JSON, too. What fits none
// goes on to the routes.
func TestCallsOfOneAddressAreToldApart(t *testing.T) {
	const transport = `
  - match: POST /rpc
    body: json
    members: [service, call, args]
    when: {body.service: KIND}
    call: body.call
    args: body.args
    result: $.result
    failure: {at: $.error}
`
	text := trackerText("transports:\n", "transports:"+strings.Replace(transport, "KIND", "a|b", 1)+strings.Replace(strings.Replace(transport, "KIND", "c", 1), "body.call", "body.args[0]", 1))
	text = text[:strings.Index(text, "  - match: POST /rpc\n    body: xmlrpc")] + text[strings.Index(text, "calls:"):]
	p := loadText(t, text)
	for body, want := range map[string]string{
		`{"service":"a","call":"ticket.get","args":[7]}`:  "",
		`{"service":"b","call":"ticket.cc","args":[7]}`:   "",
		`{"service":"c","call":"x","args":["x"]}`:         "unknown_call",
		`{"service":"d","call":"ticket.get","args":[7]}`:  "unknown_call",
		`{"service":["a"],"call":"ticket.get","args":[]}`: "unknown_call",
		`[{"service":"a","call":"ticket.get","args":[]}]`: "unknown_call",
		`{"service":"a"`: "malformed",
	} {
		if got := refused(t, p, send("POST", "/rpc", "application/json", body)); got != want {
			t.Errorf("%s: refused %q, want %q", body, got, want)
		}
	}
}
