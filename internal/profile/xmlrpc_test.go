package profile

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/doc/xmlrpc"
)

// xmlKey is the key that stands in each call of XML-RPC.
const xmlKey = "k3y-0f-the-CRM"

// xmlValue is a value of JSON as XML-RPC writes it.
func xmlValue(t testing.TB, source string) []byte {
	t.Helper()
	tree, err := json.Parse([]byte(source), doc.DefaultLimits())
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return xmlrpc.AppendValue(nil, tree, doc.Root, false, nil)
}

// xmlCall is a call with parameters that are JSON.
func xmlCall(t testing.TB, path, method string, params ...string) Request {
	t.Helper()
	var list [][]byte
	for _, p := range params {
		list = append(list, xmlValue(t, p))
	}
	return send("POST", path, "text/xml", string(xmlrpc.AppendCall(nil, method, list)))
}

// xr is kw in XML-RPC.
func xr(t testing.TB, model, method, args, kwargs string) Request {
	t.Helper()
	return xmlCall(t, "/xmlrpc/2/object", "execute_kw", `"kontor"`, "7", `"`+xmlKey+`"`, `"`+model+`"`, `"`+method+`"`, args, kwargs)
}

// inXML are the same call in XML-RPC, in the forms that there are; none for requests
// that aren't calls of the web client with a model.
func inXML(t testing.TB, r Request) []Request {
	t.Helper()
	if r.Path == "" || !strings.HasPrefix(r.Path, "/web/dataset/call_kw/") {
		return nil
	}
	tree := parse(t, string(r.Body))
	at := func(name string) int { return tree.Member(tree.Member(doc.Root, "params"), name) }
	model, method, args, kwargs := tree.Text(at("model")), tree.Text(at("method")), at("args"), at("kwargs")
	if args < 0 || kwargs < 0 || model == "" {
		return nil
	}
	all := []Request{xr(t, model, method, string(tree.Raw(args)), string(tree.Raw(kwargs)))}
	if tree.Nodes[kwargs].Kind == doc.Object && tree.First(kwargs) < 0 && tree.Nodes[args].Kind == doc.Array {
		params := []string{`"kontor"`, `"7"`, `"` + xmlKey + `"`, `"` + model + `"`, `"` + method + `"`}
		for c := range tree.Children(args) {
			params = append(params, string(tree.Raw(c)))
		}
		all = append(all, xmlCall(t, "/xmlrpc/2/object", "execute", params...), xmlCall(t, "/xmlrpc/2/object", "execute_kw", append(params[:5:5], string(tree.Raw(args)))...))
	}
	return all
}

// alikeInXML is what is read of a request, which is the same in XML-RPC.
func alikeInXML(t *testing.T, r Request, read func(Request) string) string {
	t.Helper()
	want := read(r)
	for _, other := range inXML(t, r) {
		if got := read(other); got != want {
			t.Errorf("%s: %s, want %s", other.Body, got, want)
		}
	}
	return want
}

// answeredAlike holds that the same is found where the answer to the same call is
// XML-RPC.
func answeredAlike(t *testing.T, x *Exchange, result string, want []string) {
	t.Helper()
	want = slices.Clone(want)
	for _, r := range inXML(t, x.req) {
		other := classify(t, x.p, r)
		for i := range want {
			want[i] = strings.ReplaceAll(want[i], ", ", ",") // as it was typed
		}
		got := locateXMLRPC(t, other, result)
		sortedCategories(got)
		if !slices.Equal(got, sortedCategories(want)) {
			t.Errorf("%s in XML-RPC:\n%s\nwant\n%s", result, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// locateXMLRPC is what is found in an answer whose result is JSON.
func locateXMLRPC(t testing.TB, x *Exchange, result string) []string {
	t.Helper()
	answer := "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n" + string(xmlValue(t, result)) + "\n</param>\n</params>\n</methodResponse>\n"
	tree, err := x.Parse([]byte(answer), "")
	if err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	l, err := x.Locate(tree, 200)
	if err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	return located(tree, l)
}

// TestXMLRPCKeepsTheKeyOutOfTheLog, and says what was asked.
func TestXMLRPCKeepsTheKeyOutOfTheLog(t *testing.T) {
	p := builtinProfile(t, "odoo")
	for _, r := range inXML(t, kw("res.partner", "search_count", `[[["email","ilike","a<b"]]]`, `{}`)) {
		x := classify(t, p, r)
		a := x.Accesses[0]
		if got := a.Question; strings.TrimSuffix(got, " {}") != `[[["email","ilike","a\u003cb"]]]` {
			t.Errorf("the question is %s", got)
		}
		if a.Call != "res.partner.search_count" || a.Route != "POST /xmlrpc/2/object" || string(a.Entity) != "contact" {
			t.Errorf("%+v", a)
		}
	}
	x := classify(t, p, xmlCall(t, "/xmlrpc/2/common", "authenticate", `"kontor"`, `"api@example.com"`, `"`+xmlKey+`"`, `{}`))
	if !x.Pass || x.Call != "/xmlrpc/2/common/authenticate" || len(x.Accesses) > 0 {
		t.Errorf("%+v", x)
	}
}

// TestXMLRPCOfOdooHasOneMeaning: what stands where nobody reads it, or could be read
// as something else, is refused.
func TestXMLRPCOfOdooHasOneMeaning(t *testing.T) {
	p := builtinProfile(t, "odoo")
	object := func(method string, params ...string) Request {
		return xmlCall(t, "/xmlrpc/2/object", method, params...)
	}
	key := []string{`"kontor"`, "7", `"` + xmlKey + `"`}
	with := func(params ...string) []string { return slices.Concat(key, params) }
	raw := func(body string) Request { return send("POST", "/xmlrpc/2/object", "text/xml", body) }
	good := string(object("execute_kw", with(`"res.partner"`, `"read"`, `[[7]]`)...).Body)
	for _, c := range []struct {
		what string
		r    Request
		want string
	}{
		{"001-good", raw(good), ""},
		{"002-another-parameter", object("execute_kw", with(`"res.partner"`, `"read"`, `[[7]]`, `{}`, `1`)...), "malformed"},
		{"003-no-arguments", object("execute_kw", with(`"res.partner"`, `"read"`)...), "malformed"},
		{"004-arguments-that-are-no-list", object("execute_kw", with(`"res.partner"`, `"read"`, `7`)...), "malformed"},
		{"005-model-that-is-a-number", object("execute_kw", with(`7`, `"read"`, `[[7]]`)...), "malformed"},
		{"006-method-that-is-a-list", object("execute_kw", with(`"res.partner"`, `["read"]`, `[[7]]`)...), "malformed"},
		{"007-key-that-is-a-list", object("execute_kw", `"kontor"`, "7", `["`+xmlKey+`"]`, `"res.partner"`, `"read"`, `[[7]]`), "malformed"},
		{"008-user-that-is-an-object", object("execute", `"kontor"`, `{"a":1}`, `"`+xmlKey+`"`, `"res.partner"`, `"read"`, `[7]`), "malformed"},
		{"009-nothing-before-the-arguments", object("execute", `"res.partner"`, `"read"`, `[7]`), "malformed"},
		{"010-private-method", object("execute_kw", with(`"res.partner"`, `"_search"`, `[[]]`)...), "unknown_call"},
		{"011-method-of-an-address", object("execute_kw", with(`"res.partner"`, `"/xmlrpc/2/common/authenticate"`, `[]`)...), "unknown_call"},
		{"012-import", object("execute_kw", with(`"res.partner"`, `"load"`, `[["email"],[["x"]]]`)...), "unknown_call"},
		{"013-model-that-isn't-known", object("execute", with(`"hr.employee"`, `"read"`, `[7]`)...), "unknown_type"},
		{"014-workflow", object("exec_workflow", with(`"res.partner"`, `"read"`, `[[7]]`)...), "denied"},
		{"015-capitals", object("EXECUTE_KW", with(`"res.partner"`, `"read"`, `[[7]]`)...), "denied"},
		{"016-many", object("system.multicall", `[{"methodName":"execute_kw","params":[]}]`), "unknown_call"},
		{"017-methods", object("system.listMethods"), "denied"},
		{"018-databases", xmlCall(t, "/xmlrpc/2/db", "list"), "denied"},
		{"019-first-version", xmlCall(t, "/xmlrpc/object", "execute", with(`"res.partner"`, `"read"`, `[7]`)...), "denied"},
		{"020-level-of-the-log", xmlCall(t, "/xmlrpc/2/common", "set_loglevel", `"debug"`), "unknown_call"},
		{"021-JSON", send("POST", "/xmlrpc/2/object", "application/json", `{}`), "type"},
		{"022-query", Request{Method: "POST", Path: "/xmlrpc/2/object", MediaType: "text/xml", Query: []Param{{"db", "x"}}, Body: []byte(good)}, "unknown_parameter"},
		{"023-answer", raw(`<methodResponse><params><param><value/></param></params></methodResponse>`), "malformed"},
		{"024-comment", raw(strings.Replace(good, "<params>", "<params><!-- -->", 1)), "malformed"},
		{"025-latin-1", raw(strings.Replace(strings.Replace(good, `"1.0"`, `"1.0" encoding="iso-8859-1"`, 1), "kontor", "k\xf6ntor", 1)), "malformed"},
		{"026-declared-latin-1-and-ASCII", raw(strings.Replace(good, `"1.0"`, `"1.0" encoding="iso-8859-1"`, 1)), ""},
		{"027-attribute", raw(strings.Replace(good, "<params>", `<params id="1">`, 1)), "malformed"},
		{"028-method-as-bytes", raw(strings.Replace(good, "<string>read</string>", "<base64>cmVhZA==</base64>", 1)), ""},
		{"029-field-twice", raw(strings.Replace(good, "</params>", "<param><value><struct><member><name>fields</name><value><array><data/></array></value></member><member><name>fields</name><value/></member></struct></value></param></params>", 1)), "malformed"},
		{"031-context-that-is-empty", object("execute_kw", with(`"res.partner"`, `"read"`, `[[7]]`, `{"context":""}`)...), ""},
		{"032-context-that-is-a-text", object("execute_kw", with(`"res.partner"`, `"read"`, `[[7]]`, `{"context":"a"}`)...), "malformed"},
		{"030-not-by-GET", Request{Method: "GET", Path: "/xmlrpc/2/object"}, "denied"},
	} {
		t.Run(c.what, func(t *testing.T) {
			if got := refused(t, p, c.r); got != c.want {
				t.Errorf("%s: refused %q, want %q", c.r.Body, got, c.want)
			}
		})
	}
}

// TestXMLRPCBytesAreReadAsTheTextThatTheyAre: a server in a language without types
// for both reads them so.
func TestXMLRPCBytesAreReadAsTheTextThatTheyAre(t *testing.T) {
	p := builtinProfile(t, "odoo")
	r := xr(t, "res.partner", "search_count", `[[["email","=","x"]]]`, `{}`)
	r.Body = bytes.Replace(r.Body, []byte("<string>email</string>"), []byte("<base64>ZW1haWw=</base64>"), 1)
	if got := odooAsked(t, p, r); got != "filter email email" {
		t.Error(got)
	}
}

// TestXMLRPCFaultsAreWithheld, but for their code.
func TestXMLRPCFaultsAreWithheld(t *testing.T) {
	p := builtinProfile(t, "odoo")
	x := classify(t, p, xr(t, "res.partner", "read", "[[1]]", "{}"))
	fault := func(members string) string {
		return "<methodResponse><fault><value><struct>" + members + "</struct></value></fault></methodResponse>"
	}
	const code, text = "<member><name>faultCode</name><value><int>2</int></value></member>", "<member><name>faultString</name><value><string>Anna</string></value></member>"
	for source, want := range map[string][]string{
		fault(code + text): {"withheld Anna"},
		fault(text + code + "<member><name>more</name><value>Zoe</value></member>"): {"withheld Anna", "withheld Zoe"},
		fault(strings.Replace(code, "2", "77", 1) + text):                           {"field =77 unclassified as number", "withheld Anna"},
		fault(strings.Replace(code, "<int>2</int>", "Anna", 1)):                     {"withheld Anna"},
	} {
		tree, err := x.Parse([]byte(source), "")
		if err != nil {
			t.Fatal(err)
		}
		l, err := x.Locate(tree, 200)
		if err != nil {
			t.Fatal(err)
		}
		same(t, source, located(tree, l), want...)
	}
	tree, err := x.Parse(xr(t, "res.partner", "read", "[[1]]", "{}").Body, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Locate(tree, 200); err == nil {
		t.Error("a call in the place of an answer is released")
	}
	for media, want := range map[string]bool{"text/xml": true, "application/xml": true, "application/json": false, "text/html": false, "image/svg+xml": false, "application/xhtml+xml": false} {
		if got := x.Accepts(media); got != want {
			t.Errorf("%s: %v", media, got)
		}
	}
}

// TestXMLRPCStoredValuesAreReadByTheEmployeesOwnCall with another name, and other
// arguments.
func TestXMLRPCStoredValuesAreReadByTheEmployeesOwnCall(t *testing.T) {
	p := builtinProfile(t, "odoo")
	const vals = `{"bank_ids":[[1,3,{"acc_number":"ä"}]]}`
	params := []string{`"kontor"`, "7", `"` + xmlKey + `"`, `"res.partner"`, `"write"`}
	want := []string{params[0], params[1], params[2], `"res.partner.bank"`, `"read"`, `[[3],["id","acc_number"]]`}
	for _, c := range []struct {
		r    Request
		want Request
	}{
		{
			xmlCall(t, "/xmlrpc/2/object", "execute_kw", append(params, `[[1],`+vals+`]`, `{"context":{"lang":"de_DE","_datetime":1}}`)...),
			xmlCall(t, "/xmlrpc/2/object", "execute_kw", append(want, `{"context":{"lang":"de_DE"}}`)...),
		},
		{xmlCall(t, "/xmlrpc/2/object", "execute_kw", append(params, `[[1],`+vals+`]`)...), xmlCall(t, "/xmlrpc/2/object", "execute_kw", append(want, `{"context":{}}`)...)},
		{xmlCall(t, "/xmlrpc/2/object", "execute_kw", append(params, `[]`, `{"ids":[1],"vals":`+vals+`}`)...), xmlCall(t, "/xmlrpc/2/object", "execute_kw", append(want, `{"context":{}}`)...)},
		{xmlCall(t, "/xmlrpc/2/object", "execute", append(params, `[1]`, vals)...), xmlCall(t, "/xmlrpc/2/object", "execute", append(want[:5:5], `[3]`, `["id","acc_number"]`)...)},
	} {
		w := classify(t, p, c.r).Writes()[0]
		got, err := w.Stored([]string{"acc_number"})
		if err != nil || got.Method != "POST" || got.Path != "/xmlrpc/2/object" || got.MediaType != "text/xml" || w.StoredMedia() != "text/xml" {
			t.Errorf("%+v, %v", got, err)
		}
		if string(got.Body) != string(c.want.Body) {
			t.Errorf("the gateway reads\n%s\nwant\n%s", got.Body, c.want.Body)
		}
		if reason := refused(t, p, Request{Method: got.Method, Path: got.Path, MediaType: got.MediaType, Body: got.Body}); reason != "" {
			t.Errorf("the gateway's own read is refused: %s", reason)
		}
		answer := "<methodResponse><params><param>" + string(xmlValue(t, `[{"id":3,"acc_number":"DE1"}]`)) + "</param></params></methodResponse>"
		tree, err := w.ParseStored([]byte(answer))
		if err != nil {
			t.Fatal(err)
		}
		if records, err := w.ReadStored(tree); err != nil || len(records) != 1 {
			t.Errorf("%v, %v", records, err)
		}
	}
}

// FuzzXMLRPC: whatever a call and an answer hold, they are judged or refused, no text of
// the answer passes that the profile doesn't account for, and the key is in no entry.
func FuzzXMLRPC(f *testing.F) {
	p := builtinProfile(f, "odoo")
	answer := func(result string) []byte {
		return []byte("<methodResponse><params><param>" + string(xmlValue(f, result)) + "</param></params></methodResponse>")
	}
	f.Add(xr(f, "res.partner", "search_read", `[[["email","=","x"]],["phone"]]`, `{"order":"name"}`).Body, answer(`[{"id":1,"email":"a@x.de","x_y":[1,{"z":"q"}]}]`))
	f.Add(xr(f, "res.partner", "write", `[[1],{"bank_ids":[[1,3,{"acc_number":"x"}]]}]`, `{"context":{"lang":"de"}}`).Body, answer(`"x"`))
	f.Add(xmlCall(f, "", "execute", `"a"`, "1", `"`+xmlKey+`"`, `"crm.lead"`, `"read"`, `[1]`).Body, []byte(fixture(f, "10-xmlrpc.response.xml")))
	f.Fuzz(func(t *testing.T, body, answer []byte) {
		x, err := p.Classify(send("POST", "/xmlrpc/2/object", "text/xml", string(body)))
		if err != nil {
			if _, ok := errors.AsType[*Refusal](err); !ok {
				t.Fatal(err)
			}
			return
		}
		for _, w := range x.Writes() {
			if w.CanStore() {
				_, _ = w.Stored([]string{"phone"})
			}
		}
		// The third parameter is the key.
		if key := x.tree.Text(x.tree.Element(x.tree.Member(doc.Root, xmlrpc.KeyParams), 2)); key == xmlKey && !x.Pass && strings.Contains(x.Accesses[0].Question, xmlKey) && strings.Count(string(body), xmlKey) == 1 {
			t.Fatalf("the key is in the question %s", x.Accesses[0].Question)
		}
		tree, err := x.Parse(answer, "")
		if err != nil || x.Pass {
			return
		}
		if l, err := x.Locate(tree, 200); err == nil {
			everyTextIsSettled(t, tree, l, x)
		}
	})
}

// everyTextIsSettled holds that each text of an answer without a word of the profile is
// found or withheld, itself or as a part of what is.
func everyTextIsSettled(t *testing.T, tree *doc.Tree, l *Located, x *Exchange) {
	t.Helper()
	settled := map[int]bool{}
	for _, fd := range l.Fields {
		settled[fd.Node] = true
	}
	for _, w := range l.Withheld {
		settled[w.Node] = true
	}
	ids := map[string]bool{}
	for _, r := range l.Records {
		ids[r.ID] = true
	}
	for n := range tree.Nodes {
		if tree.Nodes[n].Kind != doc.String || tree.Text(n) == "" || ids[tree.Text(n)] {
			continue
		}
		passes := false
		for a := n; a > doc.Root; a = int(tree.Nodes[a].Parent) {
			f := x.ent.lookup(tree.Key(a), false)
			passes = passes || settled[a] || tree.Key(a) != "" && (f.public() || f.isLink()) || tree.Key(a) == "id"
		}
		if !passes {
			t.Fatalf("%q passes at %s in %s", tree.Text(n), tree.Key(n), tree.Src)
		}
	}
}
