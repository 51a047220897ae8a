package xmlrpc_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/xmlrpc"
)

// answer is an answer with one value, written as it is given.
func answer(value string) string {
	return `<?xml version="1.0"?><methodResponse><params><param>` + value + `</param></params></methodResponse>`
}

func typed(s string) string { return answer("<value>" + s + "</value>") }

func parse(t testing.TB, src string) *doc.Tree {
	t.Helper()
	tree, err := xmlrpc.Parse([]byte(src), "", doc.DefaultLimits())
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return tree
}

// show writes a tree as JSON is written.
func show(t *doc.Tree, node int) string {
	var parts []string
	switch t.Nodes[node].Kind {
	case doc.Object:
		for c := range t.Children(node) {
			parts = append(parts, strconv.Quote(t.Key(c))+":"+show(t, c))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case doc.Array:
		for c := range t.Children(node) {
			parts = append(parts, show(t, c))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case doc.String:
		return strconv.Quote(t.Text(node))
	case doc.Null:
		return "null"
	default:
		return t.Text(node)
	}
}

func TestEachTypeIsReadAsItsValue(t *testing.T) {
	for in, want := range map[string]string{
		"<i4>-7</i4>": "-7", "<int>7</int>": "7", "<i8>9007199254740993</i8>": "9007199254740993", "<int>0</int>": "0",
		"<double>-1.50</double>": "-1.50", "<double>1e-07</double>": "1e-07", "<double>3</double>": "3",
		"<boolean>1</boolean>": "true", "<boolean>0</boolean>": "false", "<nil/>": "null", "<nil></nil>": "null",
		"": `""`, " a ": `" a "`, "&lt;&#x41;<![CDATA[<b>&]]>": `"<A<b>&"`, "<string/>": `""`, "<string>ä\r\nb</string>": `"ä\nb"`,
		"<dateTime.iso8601>20260401T10:00:00</dateTime.iso8601>": `"20260401T10:00:00"`,
		"<base64>w6Qg\n eA==</base64>":                           `"ä x"`, "<base64>/w==</base64>": `"/w=="`, "<base64/>": `""`,
		"\n<array>\n<data>\n<value>a</value>\n<value><int>1</int></value></data>\n</array>": `["a",1]`,
		"<array><data/></array>": "[]", "<array><data>\n</data></array>": "[]", "<struct/>": "{}", "<struct>\n</struct>": "{}",
		"<struct><member><name>a&amp;b</name><value><struct><member><name></name><value/></member></struct></value></member><member ><name>c</name ><value >d</value ></member ></struct>": `{"a&b":{"":""},"c":"d"}`,
	} {
		if got := show(parse(t, typed(in)), doc.Root); got != `{"result":`+want+`}` {
			t.Errorf("%s is read as %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{
		`<methodCall><methodName>a.b</methodName></methodCall>`:                                                                                              `{"methodName":"a.b","params":[]}`,
		"<methodCall>\n<methodName>a</methodName>\n<params>\n</params>\n</methodCall>\n":                                                                     `{"methodName":"a","params":[]}`,
		`<methodCall><methodName>a</methodName><params><param><value>1</value></param></params></methodCall>`:                                                `{"methodName":"a","params":["1"]}`,
		`<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>1</int></value></member></struct></value></fault></methodResponse>`: `{"fault":{"faultCode":1}}`,
	} {
		if got := show(parse(t, in), doc.Root); got != want {
			t.Errorf("%s is read as %s, want %s", in, got, want)
		}
	}
}

// TestWhatReadersTakeDifferentlyIsRefused, and the error quotes nothing of it.
func TestWhatReadersTakeDifferentlyIsRefused(t *testing.T) {
	call := func(s string) string { return "<methodCall>" + s + "</methodCall>" }
	for name, src := range map[string]string{
		"001-plus":                     typed("<int>+7</int>"),
		"002-leading-zero":             typed("<int>007</int>"),
		"003-space-in-a-number":        typed("<int> 7</int>"),
		"004-more-than-64-bits":        typed("<i8>12345678901234567890</i8>"),
		"005-hexadecimal":              typed("<int>0x7</int>"),
		"006-not-a-number":             typed("<double>nan</double>"),
		"007-fraction-of-an-integer":   typed("<int>1.0</int>"),
		"008-true":                     typed("<boolean>true</boolean>"),
		"009-nil-with-a-value":         typed("<nil>Kanarella</nil>"),
		"010-date-with-a-text":         typed("<dateTime.iso8601>Kanarella</dateTime.iso8601>"),
		"011-no-base64":                typed("<base64>Kanarella!</base64>"),
		"012-type-of-an-extension":     `<methodResponse xmlns:ex="http://ws.apache.org/xmlrpc/namespaces/extensions"><params><param><value><ex:nil/></value></param></params></methodResponse>`,
		"013-unknown-type":             typed("<float>1</float>"),
		"014-capitals":                 typed("<INT>1</INT>"),
		"015-attribute":                answer(`<value type="int">1</value>`),
		"016-text-beside-a-type":       typed("a<int>1</int>"),
		"017-two-types":                typed("<int>1</int><int>2</int>"),
		"018-elements-in-a-string":     typed("<string>a<b>c</b></string>"),
		"019-comment-in-a-string":      typed("<string>a<!--b--></string>"),
		"020-comment":                  `<methodResponse><!--Kanarella--><params><param><value/></param></params></methodResponse>`,
		"021-comment-in-front":         `<!--Kanarella-->` + answer("<value/>"),
		"022-instruction":              `<?a Kanarella?>` + answer("<value/>"),
		"023-document-type":            `<!DOCTYPE a [<!ENTITY e "x">]>` + typed("&e;"),
		"024-two-results":              answer("<value/></param><param><value/>"),
		"025-no-result":                `<methodResponse><params></params></methodResponse>`,
		"026-result-and-fault":         `<methodResponse><params><param><value/></param></params><fault><value><struct><member><name>a</name><value/></member></struct></value></fault></methodResponse>`,
		"027-fault-that-is-a-text":     `<methodResponse><fault><value>a</value></fault></methodResponse>`,
		"028-name-twice":               typed("<struct><member><name>a</name><value/></member><member><name>&#97;</name><value/></member></struct>"),
		"029-name-behind-its-value":    typed("<struct><member><value/><name>a</name></member></struct>"),
		"030-two-values-of-a-name":     typed("<struct><member><name>a</name><value/><value/></member></struct>"),
		"031-name-with-space":          typed("<struct><member><name>a </name><value/></member></struct>"),
		"032-name-with-elements":       typed("<struct><member><name><b/></name><value/></member></struct>"),
		"033-member-without-name":      typed("<struct><member><value/></member></struct>"),
		"034-text-in-a-struct":         typed("<struct>a</struct>"),
		"035-something-in-a-struct":    typed("<struct><value/></struct>"),
		"036-array-without-data":       typed("<array/>"),
		"037-two-data":                 typed("<array><data/><data/></array>"),
		"038-text-in-an-array":         typed("<array><data>a</data></array>"),
		"039-no-value-in-an-array":     typed("<array><data><int>1</int></data></array>"),
		"040-no-method":                call("<params/>"),
		"041-two-methods":              call("<methodName>a</methodName><methodName>b</methodName>"),
		"042-method-behind-parameters": call("<params/><methodName>a</methodName>"),
		"043-name-of-no-method":        call("<methodName>a b</methodName>"),
		"044-method-with-references":   call("<methodName>&#97;</methodName>"),
		"045-space-around-a-method":    call("<methodName> a</methodName>"),
		"046-two-values-of-a-param":    call("<methodName>a</methodName><params><param><value/><value/></param></params>"),
		"047-parameters-twice":         call("<methodName>a</methodName><params/><params/>"),
		"048-no-parameter":             call("<methodName>a</methodName><params><value/></params>"),
		"049-text-for-parameters":      call("<methodName>a</methodName><params>a</params>"),
		"050-another-message":          `<methodcall><methodName>a</methodName></methodcall>`,
		"051-two-charsets":             "<?xml version='1.0' encoding='utf-16'?>" + typed("a"),
		"052-namespace":                `<methodResponse xmlns="urn:a"><params><param><value/></param></params></methodResponse>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := xmlrpc.Parse([]byte(src), "", doc.DefaultLimits())
			if !errors.Is(err, doc.ErrMalformed) {
				t.Fatalf("%s: %v", src, err)
			}
			if strings.Contains(err.Error(), "Kanarella") {
				t.Errorf("the error quotes the document: %v", err)
			}
		})
	}
}

// TestBytesAreUTF8OrEscaped: what is put into a document in another charset is ASCII.
func TestBytesAreUTF8OrEscaped(t *testing.T) {
	latin := "<?xml version='1.0' encoding='iso-8859-1'?><methodResponse><params><param><value>M\xfcller</value></param></params></methodResponse>"
	tree := parse(t, latin)
	if got := tree.Text(1); got != "Müller" {
		t.Errorf("read %q", got)
	}
	if _, err := xmlrpc.Parse([]byte(latin), "utf-8", doc.DefaultLimits()); !errors.Is(err, doc.ErrMalformed) {
		t.Errorf("under a Content-Type that says otherwise: %v", err)
	}
	if got := string(tree.Format.Encode(nil, tree, 1, doc.Value{Kind: doc.String, Text: "ü•"})); got != "<value>&#252;&#8226;</value>" {
		t.Errorf("written %q", got)
	}
}

// TestValueIsReplacedByOneOfItsType where that can hold it, and by one of another
// where not.
func TestValueIsReplacedByOneOfItsType(t *testing.T) {
	for _, c := range []struct {
		was  string
		with doc.Value
		want string
	}{
		{"<int>7</int>", doc.Value{Kind: doc.String, Text: "•<"}, "<value><string>&#8226;&lt;</string></value>"},
		{"<int>7</int>", doc.Value{Kind: doc.Number, Text: "1980"}, "<value><int>1980</int></value>"},
		{"<i8>7</i8>", doc.Value{Kind: doc.Number, Text: "5"}, "<value><i8>5</i8></value>"},
		{"<int>7</int>", doc.Value{Kind: doc.Number, Text: "5.5"}, "<value><double>5.5</double></value>"},
		{"<string>a</string>", doc.Value{Kind: doc.Number, Text: "12345678901"}, "<value><i8>12345678901</i8></value>"},
		{"<int>7</int>", doc.Value{Kind: doc.Number, Text: "nothing"}, "<value><nil/></value>"},
		{"a", doc.Value{Kind: doc.String, Text: "]]>"}, "<value>]]&gt;</value>"},
		{"<string>a</string>", doc.Value{Kind: doc.Null}, "<value><nil/></value>"},
		{"<boolean>1</boolean>", doc.Value{Kind: doc.Bool, Text: "false"}, "<value><boolean>0</boolean></value>"},
		{"<boolean>1</boolean>", doc.Value{Kind: doc.Bool, Text: "true"}, "<value><boolean>1</boolean></value>"},
		{"<dateTime.iso8601>20260401T10:00:00</dateTime.iso8601>", doc.Value{Kind: doc.String, Text: "2026-04"}, "<value><dateTime.iso8601>2026-04</dateTime.iso8601></value>"},
		{"<dateTime.iso8601>20260401T10:00:00</dateTime.iso8601>", doc.Value{Kind: doc.String, Text: "April"}, "<value><string>April</string></value>"},
		{"<base64>eA==</base64>", doc.Value{Kind: doc.String, Text: "y"}, "<value><base64>eQ==</base64></value>"},
		{"<struct><member><name>a</name><value>b</value></member></struct>", doc.Value{Kind: doc.String, Text: "x"}, "<value><string>x</string></value>"},
	} {
		tree := parse(t, typed(c.was))
		if got := string(tree.Format.Encode(nil, tree, 1, c.with)); got != c.want {
			t.Errorf("%s by %v: %s, want %s", c.was, c.with, got, c.want)
		}
	}
}

// TestMembersAreTakenOutAndAdded: what is left is a struct, with every other byte as
// it came.
func TestMembersAreTakenOutAndAdded(t *testing.T) {
	member := func(name string) string {
		return "<member><name>" + name + "</name><value>" + name + "!</value></member>"
	}
	src := typed("<struct>\n" + member("a") + "\n" + member("b") + "\n" + member("c") + "</struct>")
	for _, c := range []struct {
		out  []int
		want string
	}{
		{nil, `{"a":"a!","b":"b!","c":"c!"}`},
		{[]int{2}, `{"b":"b!","c":"c!"}`},
		{[]int{3}, `{"a":"a!","c":"c!"}`},
		{[]int{4}, `{"a":"a!","b":"b!"}`},
		{[]int{2, 3}, `{"c":"c!"}`},
		{[]int{3, 4}, `{"a":"a!"}`},
		{[]int{2, 4}, `{"b":"b!"}`},
		{[]int{2, 3, 4}, `{}`},
	} {
		tree := parse(t, src)
		edits := doc.RemoveMembers(tree, 1, c.out)
		if len(c.out) < 3 {
			edits = append(edits, doc.AppendMembers(tree, 1, []doc.Member{{Key: "d<", Text: "ä"}, {Key: "e", Raw: []byte("<value><int>1</int></value>")}})...)
			c.want = strings.TrimSuffix(c.want, "}") + `,"d<":"ä","e":1}`
		}
		out, err := doc.Splice(nil, tree.Src, edits)
		if err != nil {
			t.Fatalf("without %v: %v", c.out, err)
		}
		if got := show(parse(t, string(out)), 1); got != c.want {
			t.Errorf("without %v: %s, want %s", c.out, got, c.want)
		}
	}
	for _, empty := range []string{"<struct/>", "<struct></struct>", "<struct>\n</struct>"} {
		tree := parse(t, typed("<struct><member><name>in</name><value>"+empty+"</value></member></struct>"))
		out, err := doc.Splice(nil, tree.Src, doc.AppendMembers(tree, 2, []doc.Member{{Key: "a", Text: "b"}}))
		if err != nil {
			t.Fatal(err)
		}
		if got := show(parse(t, string(out)), 1); got != `{"in":{"a":"b"}}` {
			t.Errorf("%s becomes %s", empty, got)
		}
	}
}

// TestValueOfAnotherDocumentIsTheSame, with its type, wherever it is put.
func TestValueOfAnotherDocumentIsTheSame(t *testing.T) {
	const all = "<struct><member><name>ü&lt;</name><value><array><data><value><i8>7</i8></value><value><double>1.5</double></value><value><boolean>1</boolean></value><value><nil/></value>" +
		"<value>ä &amp; b</value><value><string> </string></value><value><dateTime.iso8601>20260401T10:00:00</dateTime.iso8601></value><value><base64>/w==</base64></value>" +
		"<value><base64>eA==</base64></value><value><array><data></data></array></value><value><struct></struct></value></data></array></value></member></struct>"
	from := parse(t, typed(all))
	if got := string(xmlrpc.AppendValue(nil, from, 1, false, nil)); got != "<value>"+all+"</value>" {
		t.Errorf("written as\n%s\nwant\n<value>%s</value>", got, all)
	}
	to := parse(t, typed("<struct><member><name>a</name><value>x</value></member><member><name>b</name><value>y</value></member></struct>"))
	graft, ok := to.Format.(doc.Grafter)
	if !ok {
		t.Fatal("values can't be put in")
	}
	with := graft.Graft(nil, to, 2, from, 1)
	out, err := doc.Splice(nil, to.Src, []doc.Edit{{Start: to.Nodes[2].Start, End: to.Nodes[2].End, With: with}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := show(parse(t, string(out)), 1), fmt.Sprintf(`{"a":%s,"b":"y"}`, show(from, 1)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, c := range out {
		if c >= 0x80 {
			t.Fatalf("the document was ASCII, and is %s", out)
		}
	}
}
