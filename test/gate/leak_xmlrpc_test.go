package gate_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
)

// xmlCall is a call of XML-RPC. params are value elements, behind the CRM's own key.
func xmlCall(method string, params ...string) ask {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><methodCall><methodName>` + method + `</methodName><params><param><value>` + crmKey + `</value></param>`)
	for _, p := range params {
		b.WriteString("<param><value>" + p + "</value></param>")
	}
	return ask{method: http.MethodPost, path: "/xmlrpc", header: http.Header{"Content-Type": {"text/xml"}}, body: b.String() + "</params></methodCall>"}
}

// crmKey stands in each call of XML-RPC.
const crmKey = "k3y-0f-the-CRM"

func xmlStruct(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString("<member><name>" + pairs[i] + "</name><value>" + pairs[i+1] + "</value></member>")
	}
	return "<struct>" + b.String() + "</struct>"
}

func xmlArray(values ...string) string {
	return "<array><data><value>" + strings.Join(values, "</value><value>") + "</value></data></array>"
}

// leaksInXMLRPC hide values in the calls and answers of XML-RPC.
func leaksInXMLRPC() []leak {
	answer := func(body string) http.HandlerFunc {
		return typed("text/xml", http.StatusOK, `<?xml version="1.0"?><methodResponse>`+body+`</methodResponse>`)
	}
	value := func(v string) http.HandlerFunc {
		return answer("<params><param><value>" + v + "</value></param></params>")
	}
	got := func(crm http.HandlerFunc) try { return try{ask: xmlCall("person.get", "<int>7</int>"), crm: crm} }
	record := func(pairs ...string) try {
		return got(value(xmlStruct(append([]string{"id", "<int>7</int>", "name", "Erika Mustermann"}, pairs...)...)))
	}
	coded := base64.StdEncoding.EncodeToString([]byte(leakMail))
	fault := func(members ...string) http.HandlerFunc {
		return answer("<fault><value>" + xmlStruct(members...) + "</value></fault>")
	}
	bytes := func(t try) try {
		t.check = func(t *testing.T, r *reply, _ *scene) {
			t.Helper()
			if strings.Contains(string(r.body), coded) || !strings.Contains(string(r.body), "</base64>") {
				t.Errorf("got %s", r)
			}
		}
		return t
	}
	const hidden = "hidden@masked.invalid"
	find := func(params ...string) try { return try{ask: xmlCall("person.find", params...), crm: value(xmlArray())} }
	body := func(replaced ...string) try {
		a := xmlCall("person.get", "<int>7</int>")
		a.body = strings.NewReplacer(replaced...).Replace(a.body)
		return try{ask: a}
	}
	return []leak{
		{10, "filter-in-xml-rpc", asked, "as in JSON, whatever the type that a name has", []try{
			find(xmlStruct("email", leakMail)), find(xmlStruct("em<![CDATA[ail]]>", "x")), find(xmlStruct("name", "x", "&#101;mail", "<nil/>")),
			find(xmlStruct(), xmlArray("email")), find(xmlStruct(), xmlArray("<string>-email</string>")), find(xmlStruct(), xmlArray("<base64>ZW1haWw=</base64>")),
		}},
		{41, "xml-rpc-call", shut, "a method or a parameter that the profile doesn't list isn't forwarded, nor several calls in one", []try{
			{ask: xmlCall("person.drop")},
			{ask: xmlCall("person.get", "<int>7</int>", "1")},
			{ask: xmlCall("system.multicall", xmlArray(xmlStruct("methodName", "person.get")))},
			{ask: xmlCall("person.get", xmlStruct("id", "<int>7</int>"))},
			body("person.get", "person.get "), body("methodName>", "METHODNAME>"), body("<params>", "<params><!-- -->"),
			body("<params>", `<params x="1">`), body("</params>", "</params><params/>"), body("<int>7", "<int>+7"), body("<int>7", "<int>007"), body(`"1.0"?>`, `"1.0"?><!DOCTYPE a>`),
		}},
		{61, "xml-rpc-types", masked, "a value of any type is the member's that holds it", []try{
			record("email", leakMail), record("email", "<string>"+leakMail+"</string>"), record("email", "<string><![CDATA["+leakMail+"]]></string>"), record("email", strings.Replace(leakMail, "@", "&#64;", 1)),
			record("phone", "<i8>4915123456789</i8>"), record("born", "<dateTime.iso8601>"+leakBorn+"T00:00:00</dateTime.iso8601>"),
			record("e&#109;ail", leakMail), record("shoe", leakMail), record("shoe", xmlArray(leakMail, xmlStruct("x", leakPhone))),
		}},
		{63, "xml-rpc-places", masked, "in names of members, in lists, beside records: what isn't accounted for is hidden", []try{
			record("by_mail", xmlStruct(leakMail, "1")), record("email", leakMail, leakMail, "1"), record("email", leakMail, "label", "to "+leakMail), record("phone", leakPhone, "label", "<i8>4915123456789</i8>"), got(value(leakMail)), got(value(xmlArray(leakMail))),
			got(value(xmlArray(xmlStruct("id", "<int>7</int>", "email", leakMail)))),
		}},
		{63, "xml-rpc-bytes", checked, "bytes that are a text are masked as that text", []try{bytes(record("email", "<base64>"+coded+"</base64>")), bytes(got(value("<base64>" + coded + "</base64>")))}},
		{63, "xml-rpc-dropped-member", checked, "a member that is dropped goes whole", []try{{
			ask: xmlCall("person.get", "<int>7</int>"), as: "sven", crm: value(xmlStruct("iban", leakIBAN, "id", "<int>7</int>", "note", leakNote, "label", "x", "born", leakBorn)),
			check: shows(xmlStruct("id", "<int>7</int>", "label", "x")),
		}}},
		{64, "xml-rpc-fault", masked, "a fault's texts are withheld; its code stays", []try{
			got(fault("faultCode", "<int>1</int>", "faultString", leakMail)), got(fault("faultCode", leakMail, "faultString", "x")), got(fault("faultCode", "<int>9</int>", "more", xmlStruct("x", leakPhone))),
		}},
		{65, "xml-rpc-round-trip", withheld, "what readers take in two ways is refused", []try{
			record("email", "<string>"+leakMail+"<!-- --></string>"), record("email", leakMail+"<int>1</int>"), record("a", leakMail, "a", "x"), record("email", "<int>"+leakMail+"</int>"),
			record("email", "<nil>"+leakMail+"</nil>"), record("email ", leakMail), record("email", `<string x="`+leakPhone+`">`+leakMail+"</string>"), record("email", "<text>"+leakMail+"</text>"),
			got(answer("<params><param><value>1</value></param><param><value>" + leakMail + "</value></param></params>")), got(answer("<params><param><value>" + leakMail + "</value></param></params><!-- -->")),
			got(answer("<!-- " + leakMail + " --><params><param><value>1</value></param></params>")), got(typed("text/html", 200, "<p>"+leakMail)), got(answer("<fault><value>" + leakMail + "</value></fault>")),
		}},
		{101, "xml-rpc-save", checked, "placeholders in a save are taken out, edits without sight refused", []try{
			{ask: xmlCall("person.set", "<int>7</int>", xmlStruct("email", hidden, "name", "Neu")), crm: savedByXML(value), check: savedName},
			{ask: xmlCall("person.set", "<int>7</int>", xmlStruct("name", "Neu", "email", hidden+"1")), crm: savedByXML(value), check: unsavedByXML},
			{ask: xmlCall("person.set", "<int>7</int>", xmlStruct("name", "Neu", "email", leakMail)), crm: savedByXML(value), check: unsavedByXML},
		}},
	}
}

// savedByXML is a CRM that answers reads of stored values and saves.
func savedByXML(value func(string) http.HandlerFunc) http.HandlerFunc {
	read, saved := value(xmlArray(xmlStruct("id", "<int>7</int>", "email", "<string>"+leakMail+"</string>"))), value("<boolean>1</boolean>")
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if strings.Contains(string(body), "<methodName>person.read</methodName>") {
			read(w, r)
			return
		}
		saved(w, r)
	}
}

// savedName sees that of a save the name alone was forwarded, with the CRM's key.
func savedName(t *testing.T, r *reply, sc *scene) {
	t.Helper()
	r.want(t, http.StatusOK)
	all := sc.requests()
	want := strings.Replace(xmlCall("person.set", "<int>7</int>", xmlStruct("name", "Neu")).body, `<?xml version="1.0"?>`, "", 1)
	if len(all) != 2 || !strings.Contains(string(all[0].body), crmKey) || !strings.HasSuffix(string(all[1].body), want) {
		t.Errorf("the CRM got %s, want %s", all, want)
	}
}

// unsavedByXML sees that nothing but the gateway's own read was forwarded.
func unsavedByXML(t *testing.T, r *reply, sc *scene) {
	t.Helper()
	r.want(t, http.StatusForbidden)
	if all := sc.requests(); len(all) != 1 || !strings.Contains(string(all[0].body), "person.read") {
		t.Errorf("the CRM got %s", all)
	}
}
