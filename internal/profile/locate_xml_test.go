package profile

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

func xmlProfile(t testing.TB) *Profile {
	t.Helper()
	src, err := os.ReadFile("testdata/xml/profile.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func fixture(t testing.TB, name string) string {
	t.Helper()
	src, err := os.ReadFile("testdata/xml/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

func locateMarked(t testing.TB, path, body string, status int) ([]string, error) {
	t.Helper()
	x := classify(t, xmlProfile(t), get(path))
	x.User = "vera"
	tree, err := x.Parse([]byte(body), "")
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	l, err := x.Locate(tree, status)
	if err != nil {
		return nil, err
	}
	return located(tree, l), nil
}

func TestRecordsOfXMLAreFound(t *testing.T) {
	const contact1 = " of contact/1"
	for _, tt := range []struct {
		name, path, body string
		want             []string
	}{
		{"members", "/contacts.xml", `<people><total>2</total><person><id>1</id><name>E</name><status>open</status></person><person><id>2</id><email>e@x</email></person></people>`, []string{
			"record contact/1", "record contact/2", "field name=E name" + contact1, "field email=e@x email of contact/2",
		}},
		{"what isn't listed", "/contacts.xml", `<people><person><id>1</id><shoe>42</shoe><deep><a>x</a><b c="y"/></deep>loose<!--c--><?p q?></person></people>`, []string{
			"record contact/1", "field shoe=42 unclassified" + contact1, "field deep=x unclassified" + contact1, "field deep=y unclassified" + contact1,
			"field #text=loose unclassified" + contact1, "field #comment=c unclassified" + contact1, "field #pi=q unclassified" + contact1,
		}},
		{"a prefix of the sender's", "/contacts.xml", `<a:people xmlns:a="u" xmlns="v"><a:person><b:id xmlns:b="w">1</b:id><email>e@x</email></a:person></a:people>`, []string{
			"record contact/1", "field email=e@x email" + contact1,
		}},
		{"CDATA", "/contacts.xml", `<people><person><id><![CDATA[1]]></id><email>e<![CDATA[@]]>x</email></person></people>`, []string{
			"record contact/1", "field email=e@x email" + contact1,
		}},
		{"a way below another element", "/contacts.xml", `<people><person><id>1</id><address><city>B</city><zip>1</zip></address></person></people>`, []string{
			"record contact/1", "field address.city=B address" + contact1, "field address.zip=1 unclassified" + contact1,
		}},
		{"attributes of a field's element", "/contacts.xml", `<people><person><id>1</id><email label="work" hint="e@y">e@x</email></person></people>`, []string{
			"record contact/1", "field email=e@x email" + contact1, "field email@hint=e@y unclassified" + contact1,
		}},
		{"a field that is no text", "/contacts.xml", `<people><person><id>1</id><note>call <b>Erika</b> <i x="y"/></note></person></people>`, []string{
			"record contact/1", "field note=call  free_text" + contact1, "field note=Erika free_text" + contact1, "field note=y free_text" + contact1,
		}},
		{"a sibling picks the category", "/contacts.xml", `<people><person><id>1</id><phone>1</phone><kind>mobile</kind></person></people>`, []string{
			"record contact/1", "field phone=1 phone" + contact1, "field kind=mobile unclassified" + contact1,
		}},
		{"two siblings pick none", "/contacts.xml", `<people><person><id>1</id><phone>1</phone><kind>x</kind><kind>mobile</kind></person></people>`, []string{
			"record contact/1", "field phone=1 online+phone" + contact1, "field kind=x unclassified" + contact1, "field kind=mobile unclassified" + contact1,
		}},
		{"two ids that differ", "/contacts.xml", `<people><person><id>1</id><id>Erika</id></person></people>`, []string{
			"field id=1 unclassified", "field id=Erika unclassified",
		}},
		{"a related record", "/contacts.xml", `<people><person><id>1</id><manager><id>2</id><name>F</name></manager><manager>Max</manager></person></people>`, []string{
			"record contact/1", "record contact/2", "field name=F name of contact/2", "field contact=Max name",
		}},
		{"a text in a record's place", "/contacts.xml", `<people><person>Erika</person></people>`, []string{"field contact=Erika unclassified"}},
		{"a document in a text", "/contacts.xml", `<people><person><id>1</id><xml>{"email":"e@x"}</xml></person></people>`, []string{
			"record contact/1", "nested field email=e@x email",
		}},
		{"beside the records", "/contacts.xml", `<people who="Erika"><hint>Erika</hint><!--Erika--></people>`, []string{
			"field @who=Erika unclassified", "field hint=Erika unclassified", "field #comment=Erika unclassified",
		}},
		{"mapped names", "/list.xml", `<people><list><x><nr>1</nr><Mail>e@x</Mail><adr><city>B</city><zip>1</zip></adr><kind>K</kind><email>e@y</email></x></list></people>`, []string{
			"record contact/1", "field email=e@x email" + contact1, "field address.city=B address" + contact1,
			"field zip=1 unclassified" + contact1, "field email=e@y unclassified" + contact1,
		}},
		{"attributes as members", "/attributes", `<people><person nr="1" email="e@x" x="y"/></people>`, []string{
			"record contact/1", "field @nr=1 unclassified" + contact1, "field @email=e@x email" + contact1, "field @x=y unclassified" + contact1,
		}},
		{"bare values", "/mails", `<mails><mail x="y">e@x</mail></mails>`, []string{"field email=e@x email", "field email@x=y unclassified"}},
	} {
		got, err := locateMarked(t, tt.path, tt.body, 200)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		same(t, tt.name, got, tt.want...)
	}
}

func TestPairsAreFields(t *testing.T) {
	const contact1 = " of contact/1"
	for name, tt := range map[string]struct {
		path, body string
		want       []string
	}{
		"XML-RPC": {"/odoo", fixture(t, "10-xmlrpc.response.xml"), []string{
			"record contact/1143", "field name=Siobhán O'Dwyer name of contact/1143", "field email=siobhan.odwyer@example.com email of contact/1143",
		}},
		"a pair with two names": {"/odoo", rpcPair(`<name>id</name><value>1</value>`, `<name>status</name><name>email</name><value>e@x</value>`), []string{
			"record contact/1", "field name=status unclassified" + contact1, "field name=email unclassified" + contact1, "field value=e@x unclassified" + contact1,
		}},
		"a pair with two values": {"/odoo", rpcPair(`<name>id</name><value>1</value>`, `<name>status</name><value>open</value><value>e@x</value>`), []string{
			"record contact/1", "field name=status unclassified" + contact1, "field value=open unclassified" + contact1, "field value=e@x unclassified" + contact1,
		}},
		"a value as a name": {"/odoo", rpcPair(`<name>id</name><value>1</value>`, `<name>e@x</name><value>true</value>`), []string{
			"record contact/1", "field e@x=true unclassified" + contact1, "field name=e@x unclassified" + contact1,
		}},
		"a name that is empty": {"/odoo", rpcPair(`<name>id</name><value>1</value>`, `<name/><value>true</value>`), []string{
			"record contact/1", "field value=true unclassified" + contact1,
		}},
		"a list as a value": {"/odoo", rpcPair(`<name>id</name><value>1</value>`, `<name>email</name><value><array><data><value>a@x</value><value>b@x</value></data></array></value>`), []string{
			"record contact/1", "field email=a@x email" + contact1, "field email=b@x email" + contact1,
		}},
		"JSON": {"/json", `{"list":[{"x":"y","values":{"id":{"name":"id","value":"1"},"n":{"name":"email","value":"e@x"},"m":{"name":"shoe","value":"42","more":"z"},"o":"w"}}]}`, []string{
			"record contact/1", "field x=y unclassified" + contact1, "field email=e@x email" + contact1,
			"field shoe=42 unclassified" + contact1, "field more=z unclassified" + contact1, "field o=w unclassified" + contact1,
		}},
	} {
		got, err := locateMarked(t, tt.path, tt.body, 200)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		same(t, name, got, tt.want...)
	}
}

func rpcPair(members ...string) string {
	return `<methodResponse><params><param><value><array><data><value><struct><member>` +
		strings.Join(members, "</member><member>") + `</member></struct></value></data></array></value></param></params></methodResponse>`
}

func TestRecordedSOAPAnswersAreFound(t *testing.T) {
	got, err := locateMarked(t, "/suitecrm", fixture(t, "suitecrm-get-entry-list.xml"), 200)
	if err != nil {
		t.Fatal(err)
	}
	first, second := " of contact/2bcd7858-04f1-5e2b-bc72-815fe1a06389", " of contact/c4bf8db5-4f09-5a08-94c1-be0c51cc5978"
	same(t, "SuiteCRM", got,
		"record contact/2bcd7858-04f1-5e2b-bc72-815fe1a06389", "record contact/c4bf8db5-4f09-5a08-94c1-be0c51cc5978",
		"field last_name=Marchand name"+first, "field email1=elodie.marchand@example.com email"+first, "field value=14 rue des Capucins unclassified"+first,
		"field last_name=O'Dwyer name"+second, "field email1=siobhan.odwyer@example.com email"+second)
	got, err = locateMarked(t, "/salesforce", fixture(t, "20-soap-partner-query.response.xml"), 200)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "Salesforce", got, "record sfcontact/003QyjjjjkDMFW0IAP",
		"field sf:LastName=O'Dwyer name of sfcontact/003QyjjjjkDMFW0IAP", "field sf:Email=siobhan.odwyer@example.com email of sfcontact/003QyjjjjkDMFW0IAP")
}

func TestFaultIsAnErrorWhateverItsStatus(t *testing.T) {
	const fault = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring xml:lang="en">Duplicate entry e@x</faultstring>` +
		`<detail><x y="e@x"/></detail></s:Fault></s:Body></s:Envelope>`
	const fault12 = `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code><e:Reason><e:Text>e@x</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>`
	const rpc = `<methodResponse><fault><value><struct><member><name>faultString</name><value>e@x</value></member></struct></value></fault></methodResponse>`
	for _, tt := range []struct {
		path, body string
		want       []string
	}{
		{"/suitecrm", fault, []string{"withheld Duplicate entry e@x", "withheld e@x"}},
		{"/salesforce", fault, []string{"withheld Duplicate entry e@x", "withheld e@x"}},
		{"/suitecrm", strings.Replace(fault, "s:Server", "e@x", 1), []string{"withheld e@x", "withheld Duplicate entry e@x", "withheld e@x"}},
		{"/suitecrm", fault12, []string{"withheld e@x"}},
		{"/odoo", rpc, []string{"withheld faultString", "withheld e@x"}},
	} {
		for _, status := range []int{200, 500} {
			got, err := locateMarked(t, tt.path, tt.body, status)
			if err != nil {
				t.Errorf("%s %d: %v", tt.path, status, err)
				continue
			}
			same(t, tt.path, got, tt.want...)
		}
	}
}

func TestXMLOfAnotherShapeIsRefused(t *testing.T) {
	for _, tt := range []struct{ path, body string }{
		{"/contacts.xml", `<html><person/></html>`},
		{"/contacts.xml", `<x><people><person/></people></x>`},
		{"/suitecrm", `<Envelope><Body><x><return/></x></Body></Envelope>`},
		{"/contacts.xml", `<people><person><by_mail><x/></by_mail></person></people>`},
	} {
		if got, err := locateMarked(t, tt.path, tt.body, 200); !errors.Is(err, ErrShape) {
			t.Errorf("%s: %v, %v, want ErrShape", tt.body, got, err)
		}
	}
	if _, err := locateMarked(t, "/contacts.xml", `<people/>`, 200); err != nil {
		t.Errorf("a list without records: %v", err)
	}
}

func TestXMLWordsAreCheckedAtLoad(t *testing.T) {
	src := fixture(t, "profile.yaml")
	for name, tt := range map[string]struct{ route, want string }{
		"namespaces of JSON":    {`{match: "GET /x", entity: contact, xml: {namespaces: {a: b}}}`, "add `type: xml`"},
		"a prefix of a path":    {`{match: "GET /x", type: xml, entity: contact, xml: {namespaces: {"a.b": c}}}`, "a word and the namespace"},
		"columns":               {`{match: "GET /x", type: xml, entity: contact, records: [{at: $, tuple: [a]}]}`, "columns and tuple are for json, csv and xlsx"},
		"select":                {`{match: "GET /x", type: xml, entity: contact, records: [{select: a}]}`, "select is for answers of the type html"},
		"half a pair":           {`{match: "GET /x", type: xml, entity: contact, records: [{at: $, pairs: {at: .x}}]}`, "pairs need `at`"},
		"pairs from everywhere": {`{match: "GET /x", type: xml, entity: contact, records: [{at: $, pairs: {at: .**, name: .n, value: .v}}]}`, "pairs need `at`"},
		"pairs of CSV":          {`{match: "GET /x", type: csv, entity: contact, records: [{at: $, pairs: {at: .x, name: .n, value: .v}}]}`, "pairs are for json and xml"},
		"a stream":              {`{match: "GET /x", type: xml, entity: contact, stream: $}`, "stream is served for json, as"},
		"a body":                {`{match: "POST /x", type: xml, body: xml, entity: contact}`, `body "xml" is not served`},
		"an unknown word":       {`{match: "GET /x", type: xml, entity: contact, xml: {namespace: {}}}`, `nearest: "namespaces"`},
	} {
		_, err := Load([]byte(src + "  - " + tt.route + "\n"))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// FuzzLocateXML holds that of no document a text passes that the profile doesn't
// account for: it is found, withheld, public, markup or a record's id.
func FuzzLocateXML(f *testing.F) {
	for _, name := range []string{"10-xmlrpc.response.xml", "20-soap-partner-query.response.xml", "suitecrm-get-entry-list.xml"} {
		f.Add([]byte(fixture(f, name)))
	}
	f.Add([]byte(`<people a="b"><total>2</total><person x="y"><id>1</id>t<!--c--><address><city>B</city></address><manager><id/><name z="1">F</name></manager></person></people>`))
	p := xmlProfile(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, path := range []string{"/contacts.xml", "/list.xml", "/suitecrm", "/salesforce", "/odoo", "/attributes", "/mails"} {
			for _, status := range []int{200, 500} {
				x := classify(t, p, get(path))
				tree, err := x.Parse(src, "")
				if err != nil {
					return
				}
				l, err := x.Locate(tree, status)
				if err != nil {
					continue
				}
				checkAccounted(t, x, tree, l)
			}
		}
	})
}

// third is the name of the third element from the top around a node.
func third(t *doc.Tree, node int) string {
	var way []string
	for n := node; n > doc.Root; n = int(t.Nodes[n].Parent) {
		way = append(way, localName(t.Key(n)))
	}
	if len(way) < 3 {
		return ""
	}
	return way[len(way)-3]
}

// checkAccounted reads the tree on its own, not by what Locate does.
func checkAccounted(t *testing.T, x *Exchange, tree *doc.Tree, l *Located) {
	t.Helper()
	settled := map[int]bool{}
	for _, fd := range l.Fields {
		settled[fd.Node] = true
	}
	for _, w := range l.Withheld {
		settled[w.Node] = true
	}
	for _, n := range l.Nested {
		settled[n.Node] = true
	}
	ids := map[string]bool{}
	for _, r := range l.Records {
		ids[r.ID] = true
	}
	// The words of the profile: public fields, ids and their places.
	allowed := map[string]bool{"total": true, "status": true, "kind": true, "module_name": true, "result_count": true, "next_offset": true, "done": true, "size": true, "sf:type": true, "sf:Name": true}
	marked, _ := tree.Format.(doc.Marked)
	for n := range tree.Nodes {
		if tree.Nodes[n].Kind != doc.String || settled[n] || marked.Markup(tree, n) || blankText(tree.Text(n)) || ids[strings.TrimSpace(tree.Text(n))] {
			continue
		}
		passes, word := false, isWord(strings.TrimSpace(tree.Text(n)))
		for a := n; a > doc.Root; a = int(tree.Nodes[a].Parent) {
			key := tree.Key(a)
			passes = passes || allowed[key] || key == "@label" ||
				word && key == "name" && (x.Route == "GET /suitecrm" || x.Route == "GET /odoo") ||
				strings.HasPrefix(third(tree, n), "Fault") && (localName(key) == "faultcode" || localName(key) == "Value")
		}
		if !passes {
			t.Fatalf("%q passes at %s in %s", tree.Text(n), tree.Key(n), tree.Src)
		}
	}
}
