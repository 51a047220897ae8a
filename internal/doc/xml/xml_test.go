package xml

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

const soap = `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner" xmlns:sf="urn:sobject" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body><queryResponse><result xsi:type="QueryResult"><done>true</done><queryLocator xsi:nil="true"/>
  <records xsi:type="sf:sObject"><sf:Id>003</sf:Id><sf:LastName>O'Dwyer &amp; S&#246;hne</sf:LastName><sf:Note><![CDATA[a <b> ]]]]><![CDATA[> c]]></sf:Note></records>
  <!-- served by node 3 --><?trace id=7?><size>1</size></result></queryResponse></soapenv:Body>
</soapenv:Envelope>
`

func mustParse(t testing.TB, src string, opts Options) *doc.Tree {
	t.Helper()
	tree, err := Parse([]byte(src), opts, doc.DefaultLimits())
	if err != nil {
		t.Fatalf("%q: %v", src, err)
	}
	return tree
}

// outline writes a tree as key=text pairs, in their order.
func outline(t *doc.Tree, node int) string {
	if t.Nodes[node].Kind == doc.String {
		return fmt.Sprintf("%s=%q", t.Key(node), t.Text(node))
	}
	var parts []string
	for c := range t.Children(node) {
		parts = append(parts, outline(t, c))
	}
	return t.Key(node) + "{" + strings.Join(parts, " ") + "}"
}

func TestDocumentIsATreeOfItsValues(t *testing.T) {
	for src, want := range map[string]string{
		`<a/>`:                       `{a=""}`,
		`<a></a>`:                    `{a=""}`,
		`<a> </a>`:                   `{a=" "}`,
		`<a>x</a >`:                  `{a="x"}`,
		`<a b="1"/>`:                 `{a{@b="1"}}`,
		"<a\tb = '1'\n>x</a>":        `{a{@b="1" #text="x"}}`,
		`<a><b>1</b> <b>2</b></a>`:   `{a{b="1" b="2"}}`,
		`<a>x<b>1</b>y<b/>z</a>`:     `{a{#text="x" b="1" #text="y" b="" #text="z"}}`,
		`<!--c--><a/><?p q?><!---->`: `{#comment="c" a="" #pi="q" #comment=""}`,
		`<?p?><a/>`:                  `{a=""}`,
		`<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;&#x1F600;</a>`: `{a="<>&\"'AB😀"}`,
		"<a>1\r\n2\r3</a>":                   `{a="1\n2\n3"}`,
		"<a b='1\r\n2\t3&#10;4'/>":           `{a{@b="1 2 3\n4"}}`,
		`<a>x<![CDATA[&amp;<b>]]>y&amp;</a>`: `{a="x&amp;<b>y&"}`,
		`<a><![CDATA[]]></a>`:                `{a=""}`,
		`<a><!--c-->x</a>`:                   `{a{#comment="c" #text="x"}}`,
		`<a>x<?p q?></a>`:                    `{a{#text="x" #pi="q"}}`,
		"\ufeff<a>ä</a>":                     `{a="ä"}`,
		`<?xml version='1.0' encoding="utf-8" standalone='no' ?><ä-1.b·>x</ä-1.b·>`: `{ä-1.b·="x"}`,
		`<p:a xmlns:p="u" p:b="1" b="2"/>`:                                          `{a{@xmlns:p="u" @b="1" @b="2"}}`,
		`<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>`:     `{a{@xmlns:i="http://www.w3.org/2001/XMLSchema-instance" @xsi:nil="true"}}`,
		`<a xml:lang="de">x</a>`:                                                    `{a{@xml:lang="de" #text="x"}}`,
	} {
		if got := outline(mustParse(t, src, Options{}), doc.Root); got != want {
			t.Errorf("%q\n got %s\nwant %s", src, got, want)
		}
	}
}

func TestNamespacesAreResolved(t *testing.T) {
	opts := Options{Namespaces: map[string]string{"sf": "urn:s", "x": "urn:x"}}
	for src, want := range map[string]string{
		`<sf:a xmlns:sf="urn:s"/>`:                                `{sf:a{@xmlns:sf="urn:s"}}`,
		`<a xmlns="urn:s"><b/></a>`:                               `{sf:a{@xmlns="urn:s" sf:b=""}}`,
		`<q:a xmlns:q="urn:&#115;" q:b=""/>`:                      `{sf:a{@xmlns:q="urn:s" @sf:b=""}}`,
		`<sf:a xmlns:sf="urn:other"/>`:                            `{a{@xmlns:sf="urn:other"}}`,
		`<a xmlns="urn:s"><a xmlns="urn:x"><a/></a><a/></a>`:      `{sf:a{@xmlns="urn:s" x:a{@xmlns="urn:x" x:a=""} sf:a=""}}`,
		`<a xmlns="urn:s"><a xmlns=""/></a>`:                      `{sf:a{@xmlns="urn:s" a{@xmlns=""}}}`,
		`<p:a xmlns:p="urn:s"><p:a xmlns:p="urn:x"/><p:a/></p:a>`: `{sf:a{@xmlns:p="urn:s" x:a{@xmlns:p="urn:x"} sf:a=""}}`,
	} {
		if got := outline(mustParse(t, src, opts), doc.Root); got != want {
			t.Errorf("%q\n got %s\nwant %s", src, got, want)
		}
	}
}

func TestWhatReadersDisagreeOnIsRefused(t *testing.T) {
	for _, src := range []string{
		``, ` `, `x`, `<`, `<a`, `<a>`, `<a/`, `</a>`, `<a></b>`, `<a></ab>`, `<ab></a>`, `<a><b></a></b>`, `<a/><b/>`, `<a/>x`, `x<a/>`, `<a></a></a>`,
		`<a/>&#32;`, `<![CDATA[x]]><a/>`, `<a/><![CDATA[]]>`, `< a/>`, `<1a/>`, `<-a/>`, `<.a/>`, `<a$/>`, `<a/ >`, `</a/>`, `<a></a b="1">`, `<a><</a>`,
		`<!DOCTYPE a><a/>`, `<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>`, `<a><!DOCTYPE a></a>`, `<!ELEMENT a><a/>`, `<!doctype a><a/>`, `<a><!x></a>`,
		`<a>&e;</a>`, `<a>&nbsp;</a>`, `<a>&</a>`, `<a>&amp</a>`, `<a>& amp;</a>`, `<a>&AMP;</a>`, `<a>&#;</a>`, `<a>&#x;</a>`, `<a>&#X41;</a>`, `<a>&#65</a>`,
		`<a>&#0;</a>`, `<a>&#8;</a>`, `<a>&#xD800;</a>`, `<a>&#xFFFE;</a>`, `<a>&#x110000;</a>`, `<a>&#99999999999;</a>`, `<a>&#-1;</a>`, `<a>&#1a;</a>`,
		"<a>\x00</a>", "<a>\x0b</a>", "<a>\x1f</a>", "<a>\xff</a>", "<a>\xc0\x80</a>", "<a>\xed\xa0\x80</a>", "<a>\ufffe</a>", "<a>\uffff</a>", "<a b='\x01'/>",
		`<a>]]></a>`, `<a>x]]>y</a>`, `<a><![CDATA[x</a>`, `<a><![CDATA[x]]</a>`, `<a><![cdata[x]]></a>`, `<a><! [CDATA[x]]></a>`,
		`<a b/>`, `<a b=1/>`, `<a b="1/>`, `<a b='1"/>`, `<a b="1"c="2"/>`, `<a b="<"/>`, `<a b="&"/>`, `<a =""/>`, `<a "b"/>`, `<a b="1" b="2"/>`, `<a/b="1">`,
		`<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>`, `<a xmlns="u" xmlns="v"/>`, `<a xmlns:p="u" xmlns:p="u"/>`,
		`<p:a/>`, `<a p:b="1"/>`, `<a xmlns:p=""/>`, `<xml:a/>`, `<a xmlns:xml="u"/>`, `<a xmlns:xmlns="u"/>`, `<a xmlns:p="http://www.w3.org/2000/xmlns/"/>`,
		`<a xmlns="http://www.w3.org/XML/1998/namespace"/>`, `<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>`, `<xmlns:a/>`,
		`<a:b:c xmlns:a="u"/>`, `<:a/>`, `<a:/>`, `<a :b="1"/>`, `<a b:="1"/>`, `<p:a xmlns:p="u"><q:b xmlns:q="u"></p:b></p:a>`,
		`<!-- a -- b --><a/>`, `<!--a---><a/>`, `<!-- <a/>`, `<!-><a/>`, `<a><!--></a>`, `<a><!-- x</a>`,
		`<?p`, `<?p x`, `<??><a/>`, `<? p?><a/>`, `<?p:q x?><a/>`, `<?1?><a/>`, `<a/><?xml version="1.0"?>`, ` <?xml version="1.0"?><a/>`, `<?XML version="1.0"?><a/>`, `<a><?xml x?></a>`,
		`<?xml version="1.1"?><a/>`, `<?xml version="1.0.1"?><a/>`, `<?xml version=1.0?><a/>`, `<?xml?><a/>`, `<?xml ?><a/>`, `<?xml encoding="utf-8"?><a/>`, `<?xml version="1.0" standalone="maybe"?><a/>`,
		`<?xml version="1.0" standalone="yes" encoding="utf-8"?><a/>`, `<?xml version="1.0"encoding="utf-8"?><a/>`, `<?xml version="1.0" encoding=""?><a/>`, `<?xml version="1.0" x="y"?><a/>`,
		`<?xml version="1.0" encoding="utf-16"?><a/>`, `<?xml version="1.0" encoding="utf-7"?><a/>`, `<?xml version="1.0" encoding="ebcdic-cp-us"?><a/>`, `<?xml version="1.0" encoding="shift_jis"?><a/>`,
		`<?xml version="1.0" encoding="us-ascii"?><a>ä</a>`, "\xff\xfe<\x00a\x00/\x00>\x00", "\xef\xbb<a/>",
		`<a>erika<!-- -->@example.org</a>`, `<a>erika<?x?>@example.org</a>`, `<a>erika<?x y?>@example.org</a>`, `<a>x<![CDATA[y]]><!-- -->z</a>`,
		"<a\u00a0b=''/>", "<a>\r</a\u2028>",
	} {
		if _, err := Parse([]byte(src), Options{}, doc.DefaultLimits()); !errors.Is(err, doc.ErrMalformed) {
			t.Errorf("%q: %v, want ErrMalformed", src, err)
		}
	}
}

func TestCharsetIsTheOneThatEveryReaderTakes(t *testing.T) {
	latin := func(decl string) string { return decl + "<m\xfcller a='\xe4'>Stra\xdfe &#8226;</m\xfcller>" }
	const declared = `<?xml version="1.0" encoding="ISO-8859-1"?>`
	for _, tt := range []struct {
		name, src, charset string
		ok                 bool
	}{
		{"declared", latin(declared), "", true},
		{"in the Content-Type", latin(""), "iso-8859-1", true},
		{"both", latin(declared), "ISO-8859-1", true},
		{"none", latin(""), "", false},
		{"two that differ", latin(declared), "utf-8", false},
		{"two that differ, the other way", `<?xml version="1.0" encoding="utf-8"?><a>ä</a>`, "iso-8859-1", false},
		{"two that differ on ASCII", declared + `<a>x</a>`, "utf-8", true},
		{"a mark and another", "\ufeff" + latin(declared), "", false},
		{"a mark", "\ufeff<a>ä</a>", "utf-8", true},
		{"control characters of the upper half", "<a>\x85</a>", "iso-8859-1", false},
		{"unknown", `<a/>`, "utf-7", false},
	} {
		tree, err := Parse([]byte(tt.src), Options{Charset: tt.charset}, doc.DefaultLimits())
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil || !strings.Contains(tt.src, "\xfcller") {
			continue
		}
		if got, want := outline(tree, doc.Root), `{müller{@a="ä" #text="Straße •"}}`; got != want {
			t.Errorf("%s: %s, want %s", tt.name, got, want)
		}
		if got := string(tree.Format.Encode(nil, tree, 3, doc.Value{Kind: doc.String, Text: "ä•"})); got != "&#228;&#8226;" {
			t.Errorf("%s: encodes %q", tt.name, got)
		}
	}
}

func TestLimitsHold(t *testing.T) {
	deep := strings.Repeat("<a>", 48) + strings.Repeat("</a>", 48)
	for src, ok := range map[string]bool{
		deep: true, "<a>" + deep + "</a>": false,
		"<a>" + strings.Repeat("<b/>", 98) + "</a>":  true,
		"<a>" + strings.Repeat("<b/>", 99) + "</a>":  false,
		"<a" + strings.Repeat(" b='1'", 200) + "/>":  false,
		"<a>" + strings.Repeat("x<b/>", 60) + "</a>": false,
	} {
		if _, err := Parse([]byte(src), Options{}, doc.Limits{Depth: 48, Nodes: 100}); (err == nil) != ok {
			t.Errorf("%.40q…: %v", src, err)
		}
	}
	var many strings.Builder
	many.WriteString("<a")
	for i := range 10_000 {
		fmt.Fprintf(&many, " a%d=''", i)
	}
	mustParse(t, many.String()+"/>", Options{})
	if _, err := Parse([]byte(many.String()+" a17=''/>"), Options{}, doc.DefaultLimits()); err == nil {
		t.Error("a repeated attribute among many was taken")
	}
}

// Each prefix is looked for among the declarations in force: that they are few
// keeps reading linear.
func TestNamespacesInForceAreFew(t *testing.T) {
	declared := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " xmlns:p%d='u'", i)
		}
		return b.String()
	}
	mustParse(t, "<a><b"+declared(200)+"/><b"+declared(200)+"/></a>", Options{})
	for _, src := range []string{
		"<a" + declared(1000) + "/>",
		"<a" + declared(200) + "><b" + declared(200) + "/></a>",
	} {
		if _, err := Parse([]byte(src), Options{}, doc.DefaultLimits()); err == nil {
			t.Errorf("%.40q… was taken", src)
		}
	}
}

func TestErrorsQuoteNothing(t *testing.T) {
	for _, src := range []string{`<secret>`, `<a>&secret;</a>`, `<a secret="1" secret="2"/>`, `<a>secret<!-- -->secret</a>`, `<secret:a/>`, `<?xml version="secret"?><a/>`, `<?xml version="1.0" encoding="secret"?><a/>`} {
		_, err := Parse([]byte(src), Options{}, doc.DefaultLimits())
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", src, err)
		}
	}
}

// Every broken prefix of a document is refused, and none panics.
func TestCutDocumentIsRefused(t *testing.T) {
	whole := strings.TrimRight(soap, "\n")
	for i := range len(whole) {
		if _, err := Parse([]byte(whole[:i]), Options{}, doc.DefaultLimits()); err == nil {
			t.Errorf("the first %d bytes were taken", i)
		}
	}
}

func TestBytesBesideAReplacedValueStay(t *testing.T) {
	tree := mustParse(t, soap, Options{})
	if out, err := doc.Splice(nil, tree.Src, nil); err != nil || string(out) != soap {
		t.Fatalf("no edits: %v, %s", err, out)
	}
	for i, n := range tree.Nodes {
		if n.Kind != doc.String {
			continue
		}
		with := tree.Format.Encode(nil, tree, i, doc.Value{Kind: doc.String, Text: "•"})
		out, err := doc.Splice(nil, tree.Src, []doc.Edit{{Start: n.Start, End: n.End, With: with}})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(out, tree.Src[:n.Start]) || !bytes.HasSuffix(out, tree.Src[n.End:]) {
			t.Errorf("%s: other bytes changed", tree.Key(i))
		}
		again := mustParse(t, string(out), Options{})
		if got, want := again.Text(i), "•"; got != want && !tree.ASCII {
			t.Errorf("%s reads %q", tree.Key(i), got)
		}
	}
}

func TestEncodedValueNeverBreaksTheDocument(t *testing.T) {
	src := `<r xmlns:p="u"><p:a b="1" c='2'>x</p:a><e/><t>x</t><!--c--><?p q?><m>x<n/></m></r>`
	tree := mustParse(t, src, Options{})
	for _, text := range []string{
		"", " ", "]]>", "<b>&amp;", `"'`, "-->", "--", "-", "a-", "?>", "?", "??>", "\x00\x08\x1f", "\ufffe\uffff", "\xff\xed\xa0\x80", "\r\n\t", "ä•😀", "<![CDATA[", "&#0;",
	} {
		for i := range tree.Nodes {
			for _, kind := range []doc.Kind{doc.String, doc.Null, doc.Number} {
				n := tree.Nodes[i]
				with := tree.Format.Encode(nil, tree, i, doc.Value{Kind: kind, Text: text})
				out, err := doc.Splice(nil, tree.Src, []doc.Edit{{Start: n.Start, End: n.End, With: with}})
				if err != nil {
					t.Fatal(err)
				}
				again, err := Parse(out, Options{}, doc.DefaultLimits())
				if err != nil {
					t.Errorf("%q in %s: %v\n%s", text, tree.Key(i), err, out)
				} else if n.Kind == doc.String && kind == doc.String && strings.Trim(text, "]>&;<bamp\"' ä•😀-?#0") == "" && n.Flags&(FlagComment|FlagPI) == 0 && len(again.Nodes) == len(tree.Nodes) &&
					again.Text(i) != text && tree.Key(i) != "@xmlns:p" {
					t.Errorf("%q in %s reads %q", text, tree.Key(i), again.Text(i))
				}
			}
		}
	}
}

func TestDroppedElementLeavesNothing(t *testing.T) {
	src := `<r><p:a xmlns:p="u" b="erika"><c>erika</c></p:a><d>1</d></r>`
	tree := mustParse(t, src, Options{})
	n := tree.Nodes[2]
	out, err := doc.Splice(nil, tree.Src, []doc.Edit{{Start: n.Start, End: n.End, With: tree.Format.Encode(nil, tree, 2, doc.Value{Kind: doc.Null})}})
	if err != nil || string(out) != `<r><d>1</d></r>` {
		t.Errorf("%s, %v", out, err)
	}
	if got := string(tree.Format.Encode(nil, tree, 2, doc.Value{Kind: doc.String, Text: "•"})); got != `<p:a xmlns:p="u">&#8226;</p:a>` {
		t.Errorf("with a text: %s", got)
	}
	if got := string(tree.Format.Encode(nil, tree, doc.Root, doc.Value{Kind: doc.Null})); got != `<r/>` {
		t.Errorf("the whole document: %s", got)
	}
}

func TestMarkupIsToldFromValues(t *testing.T) {
	src := `<s:a xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:e="http://schemas.xmlsoap.org/soap/encoding/" xmlns:f="u"` +
		` i:type="s:b" i:nil="true" xml:lang="de" e:arrayType="f:c[2]" s:mustUnderstand="1" f:type="x" type="x" i:schemaLocation="mailto:erika@example.org"/>`
	tree := mustParse(t, src, Options{})
	marked, _ := tree.Format.(doc.Marked)
	for i, n := range tree.Nodes {
		if n.Kind != doc.String {
			continue
		}
		want := true
		switch tree.Key(i) {
		case "@type", "@xsi:schemaLocation":
			want = false
		}
		if marked.Markup(tree, i) != want {
			t.Errorf("%s: markup is %v", tree.Key(i), !want)
		}
	}
}

func TestLeafIsTheTextOfAnElement(t *testing.T) {
	for src, want := range map[string]string{
		`<a>x</a>`: "x", `<a b="1">x</a>`: "x", `<a><b>x</b></a>`: "x", `<a><b c="1"><d>x</d></b></a>`: "x", `<a>x<!--c--></a>`: "x",
		`<a b="1"/>`: "-", `<a><b>x</b><c/></a>`: "-", `<a>x<b>y</b></a>`: "-", `<a><b c="1"/></a>`: "-",
	} {
		tree := mustParse(t, src, Options{})
		leaf, got := doc.Leaf(tree, tree.First(doc.Root)), "-"
		if tree.Nodes[leaf].Kind == doc.String {
			got = tree.Text(leaf)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}
