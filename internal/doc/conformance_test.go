package doc_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/csv"
	"github.com/crmgate/crmgate/internal/doc/form"
	"github.com/crmgate/crmgate/internal/doc/html"
	"github.com/crmgate/crmgate/internal/doc/json"
	"github.com/crmgate/crmgate/internal/doc/lines"
	"github.com/crmgate/crmgate/internal/doc/xml"
	"github.com/crmgate/crmgate/internal/doc/xmlrpc"
)

// canary is the value in every document of the suite: in each place that can
// hold a value, and as the format can write it.
const canary = "Kanarella"

// engine is a format as the suite sees it. A new one gets a line here.
type engine struct {
	name  string
	parse func(src []byte, lim doc.Limits) (*doc.Tree, error)
	docs  []string
	// broken are documents that two readers could take in two ways.
	broken []string
	// deep is a document that is nested n times, nil for formats without nesting.
	deep func(n int) string
	// exact says that every text comes back as it was put in.
	exact bool
}

func engines() []engine {
	charset := func(cs string) func([]byte, doc.Limits) (*doc.Tree, error) {
		return func(src []byte, lim doc.Limits) (*doc.Tree, error) {
			return csv.Parse(src, csv.Dialect{Charset: cs}, lim)
		}
	}
	marked := func(k lines.Kind) func([]byte, doc.Limits) (*doc.Tree, error) {
		return func(src []byte, lim doc.Limits) (*doc.Tree, error) { return lines.Parse(src, k, lim) }
	}
	return []engine{
		{
			name: "json", parse: json.Parse, exact: true, docs: []string{
				`{"a":"Kanarella","b":["x Kanarella y",1,true,null,{"c":"\u004banarella"}],"d":""}`, ` [ "Kanarella\n" , "ä Kanarella" ] `, `"Kanarella"`,
			},
			broken: []string{`{"a":1,"a":2}`, `{"a":1,}`, `{"a":1}x`, "{\"a\":\"\xff\"}", `{"a":"\ud800"}`, `{a:1}`, ``, `{"a":NaN}`},
			deep:   func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) },
		},
		{
			name: "ndjson", parse: json.ParseLines, exact: true,
			docs:   []string{"{\"a\":\"Kanarella\"}\n\n[\"Kanarella\"]\r\n\"\\u004banarella\""},
			broken: []string{"{\"a\":\n1}", "1 2", "{\"a\":1,\"a\":2}\n", "\"\xff\"\n"},
			deep:   func(n int) string { return strings.Repeat("[", n-1) + strings.Repeat("]", n-1) },
		},
		{
			name: "form", parse: form.Parse, exact: true, docs: []string{"a=Kanarella&b=x+Kanarella%20y&c=%4banarella&&d&e="},
			broken: []string{"a=%4", "a=b;c=d", "=x", "a=%ff", "a=b c", "a=%00"},
		},
		{
			name: "multipart", parse: func(src []byte, lim doc.Limits) (*doc.Tree, error) { return form.ParseMultipart(src, "b", lim) },
			docs: []string{"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nKanarella\r\n--b\r\nContent-Disposition: form-data; name=\"c\"\r\n\r\nx\r\nKanarella\r\n--b--\r\n"},
			broken: []string{
				"x--b\r\n", "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx", "--b\nContent-Disposition: form-data; name=\"a\"\n\nx\n--b--\n",
				"--b\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\nx\r\n--b--\r\n",
			},
		},
		{
			name: "csv", parse: charset(""), docs: []string{"a;b\nKanarella;\"x;\"\"Kanarella\"\"\ny\"\n", "\ufeffa,b\r\nKanarella,\r\n"},
			broken: []string{"a;b\n1;2;3\n", "a;b\n\"x\"y;2\n", "a;b\n1;\x00\n", "a;b\r1;2\n", "a;b\n\xff;2\n", "a;b\n\"1;2\n"},
		},
		{
			name: "csv in latin-1", parse: charset("iso-8859-1"), docs: []string{"a;b\nKanarella;\xfc Kanarella\n"},
			broken: []string{"a;b\n1\n", "a;b\n1;\x00\n"},
		},
		{
			name: "html", parse: html.Parse, docs: []string{
				`<!doctype html><p title="Kanarella" data-x=Kanarella>Kanarella &amp; &#75;anarella<b>Kanarella</b><!-- Kanarella --><script>let a = "Kanarella"</script>` +
					`<template>Kanarella</template><textarea>Kanarella</textarea><svg><text>Kanarella</text></svg><input value='Kanarella' VALUE=Kanarella value="Kanarella">`,
			},
			broken: []string{`<p`, `<!-- x`, "<p>\x00", "<p>\xff", `<math><mi>x</mi></math>`, `<script>x`, `<plaintext>x`},
			deep:   func(n int) string { return strings.Repeat("<b>", n) + strings.Repeat("</b>", n) },
		},
		{
			name: "xml", parse: func(src []byte, lim doc.Limits) (*doc.Tree, error) { return xml.Parse(src, xml.Options{}, lim) }, docs: []string{
				`<?xml version="1.0"?><a b="Kanarella"><!-- Kanarella --><c>Kanarella</c><d><![CDATA[Kanarella]]></d><e>&#75;anarella<f/>x Kanarella</e><?p Kanarella?></a>`,
			},
			broken: []string{`<!DOCTYPE a><a/>`, `<a>&b;</a>`, `<a b="1" b="2"/>`, `<a><b></a></b>`, `<a/>x`, `<a/><b/>`, `<p:a/>`, "<a>\xff</a>", `<a>x<!-- -->y</a>`},
			deep:   func(n int) string { return strings.Repeat("<b>", n) + strings.Repeat("</b>", n) },
		},
		{
			name: "xmlrpc", parse: func(src []byte, lim doc.Limits) (*doc.Tree, error) { return xmlrpc.Parse(src, "", lim) }, exact: true, docs: []string{
				`<?xml version="1.0"?><methodCall><methodName>execute</methodName><params><param><value>Kanarella</value></param><param><value><string>x Kanarella &amp; <![CDATA[y]]></string></value></param>` +
					`<param><value><int>7</int></value></param><param><value><base64>S2FuYXJlbGxh</base64></value></param><param><value/></param></params></methodCall>`,
				"<methodResponse>\n<params><param>\n<value><struct>\n<member><name>a</name><value><array><data><value>Kanarella</value><value><nil/></value></data></array></value></member> " +
					"<member>\n<name>b</name>\n<value><string>&#75;anarella</string></value>\n</member><member><name>c</name><value><struct/></value></member></struct></value></param></params></methodResponse>",
				`<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>4</int></value></member><member><name>faultString</name><value>Kanarella</value></member></struct></value></fault></methodResponse>`,
			},
			broken: []string{
				`<a/>`, `<methodCall/>`, `<methodCall><methodName>a b</methodName></methodCall>`, `<methodResponse/>`, `<methodResponse><params/></methodResponse>`, `<methodResponse><params><param><value>a<int>1</int></value></param></params></methodResponse>`,
				`<methodResponse><params><param><value><int>+1</int></value></param></params></methodResponse>`,
				`<methodResponse><params><param><value>a</value></param></params><!--b--></methodResponse>`,
				`<methodResponse><params><param><value>a</value></param></params></methodResponse><?a b?>`,
				`<methodResponse><params><param><value x="1">a</value></param></params></methodResponse>`,
			},
			deep: func(n int) string {
				return "<methodResponse><params><param>" + strings.Repeat("<value><array><data>", n) + strings.Repeat("</data></array></value>", n) + "</param></params></methodResponse>"
			},
		},
		{
			name: "vcard", parse: marked(lines.VCard), docs: []string{
				"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Kanarella\r\nN:Kanarella;Ka\r\n narella;;;\r\nTEL;TYPE=Kanarella:Kanarella\r\nNOTE:a\\nKanarella\\, b\r\nEND:VCARD\r\n",
			},
			broken: []string{"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:x\r\n", "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:\x00\r\nEND:VCARD\r\n", "FN:x\r\n", "BEGIN:VCARD\r\nVERSION:4.0\r\nFN\r\nEND:VCARD\r\n"},
		},
		{
			name: "ical", parse: marked(lines.ICal), docs: []string{
				"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nATTENDEE;CN=\"Kanarella\":mailto:Kanarella@x\r\nDESCRIPTION:x Kana\r\n rella\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
			},
			broken: []string{"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "BEGIN:VCALENDAR\r\nEND:VEVENT\r\n"},
		},
		{
			name: "ldif", parse: marked(lines.LDIF), docs: []string{
				"version: 1\n# Kanarella\ndn: uid=Kanarella,dc=example\ncn:: S2FuYXJlbGxh\nmail: Kana\n rella\n\ndn: uid=2\nsn: Kanarella\n",
			},
			broken: []string{"dn: x\nchangetype: modify\n", "cn: x\n", "dn: x\ncn:: !!\n", "dn: x\nno colon\n"},
		},
	}
}

// eachDocument runs f for every document of every engine.
func eachDocument(t *testing.T, f func(t *testing.T, e *engine, src []byte, tree *doc.Tree)) {
	t.Helper()
	for _, e := range engines() {
		for i, src := range e.docs {
			t.Run(fmt.Sprintf("%s/%d", e.name, i+1), func(t *testing.T) {
				t.Parallel()
				tree, err := e.parse([]byte(src), doc.DefaultLimits())
				if err != nil {
					t.Fatal(err)
				}
				f(t, &e, []byte(src), tree)
			})
		}
	}
}

// texts are the nodes that hold the canary.
func texts(tree *doc.Tree) []int {
	var nodes []int
	for i := range tree.Nodes {
		if tree.Nodes[i].Kind == doc.String && strings.Contains(tree.Text(i), canary) {
			nodes = append(nodes, i)
		}
	}
	return nodes
}

func replaced(t *testing.T, tree *doc.Tree, nodes []int, text string) []byte {
	t.Helper()
	var edits []doc.Edit
	for _, i := range nodes {
		n := tree.Nodes[i]
		edits = append(edits, doc.Edit{Start: n.Start, End: n.End, With: tree.Format.Encode(nil, tree, i, doc.Value{Kind: doc.String, Text: text})})
	}
	out, err := doc.Splice(nil, tree.Src, edits)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Nodes lie in their parents, in order, and Next leads over the whole subtree.
func TestTreeIsWellFormed(t *testing.T) {
	eachDocument(t, func(t *testing.T, _ *engine, src []byte, tree *doc.Tree) { checkTree(t, src, tree) })
}

func checkTree(t *testing.T, src []byte, tree *doc.Tree) {
	t.Helper()
	if int(tree.Nodes[doc.Root].Next) != len(tree.Nodes) {
		t.Fatalf("%q: the root ends at %d of %d", src, tree.Nodes[doc.Root].Next, len(tree.Nodes))
	}
	for i := range tree.Nodes {
		n := tree.Nodes[i]
		if n.Start < 0 || n.End < n.Start || int(n.End) > len(src) || n.KeyEnd < n.KeyStart || int(n.KeyEnd) > len(src) {
			t.Fatalf("%q: node %d is [%d,%d) with the key [%d,%d)", src, i, n.Start, n.End, n.KeyStart, n.KeyEnd)
		}
		at := n.Start
		for c := range tree.Children(i) {
			m := tree.Nodes[c]
			if int(m.Parent) != i || m.Start < at || m.End > n.End || m.Next > n.Next {
				t.Fatalf("%q: node %d [%d,%d) in node %d [%d,%d)", src, c, m.Start, m.End, i, n.Start, n.End)
			}
			at = m.End
		}
	}
}

// Reading leaves the bytes alone, and so does writing what was read without an
// edit: byte identity under a plan that shows everything.
func TestUneditedDocumentKeepsEveryByte(t *testing.T) {
	eachDocument(t, func(t *testing.T, e *engine, src []byte, tree *doc.Tree) {
		kept := bytes.Clone(src)
		for i := range tree.Nodes {
			tree.Text(i)
			tree.Key(i)
		}
		out, err := doc.Splice(nil, tree.Src, nil)
		if err != nil || !bytes.Equal(out, kept) || !bytes.Equal(src, kept) {
			t.Errorf("%s: %v, %q", e.name, err, out)
		}
	})
}

// With every text that holds a value replaced, the value is nowhere: not in the
// bytes, and not in what a second reading finds in them.
func TestReplacedValueIsGone(t *testing.T) {
	eachDocument(t, func(t *testing.T, e *engine, src []byte, tree *doc.Tree) {
		nodes := texts(tree)
		if len(nodes) == 0 {
			t.Fatal("the document holds no value")
		}
		for _, with := range []string{"", "*", "••••••", "hidden@masked.invalid"} {
			out := replaced(t, tree, nodes, with)
			if bytes.Contains(out, []byte(canary)) {
				t.Errorf("%q stays in %q", canary, out)
			}
			again, err := e.parse(out, doc.DefaultLimits())
			if err != nil {
				t.Fatalf("%q for %q: %v", out, src, err)
			}
			checkTree(t, out, again)
			if left := texts(again); len(left) > 0 {
				t.Errorf("%q is read in %q", canary, out)
			}
		}
	})
}

// One replaced value changes no other one, whatever stands in its place.
func TestReplacementStaysInItsPlace(t *testing.T) {
	nasty := []string{
		"x", `"`, `\`, "<b>&amp;</b>", "]]>", "-->", "</script>", "a;b,c\td", "\r\nEND:VCARD\r\n", "=1+1", "%41&a=b", "ä€😀", " x ", "'", "--b\r\n", "\u2028",
	}
	eachDocument(t, func(t *testing.T, e *engine, src []byte, tree *doc.Tree) {
		for _, node := range texts(tree) {
			for _, with := range nasty {
				out := replaced(t, tree, []int{node}, with)
				again, err := e.parse(out, doc.DefaultLimits())
				if err != nil {
					t.Fatalf("%q in the place of node %d of %q: %q: %v", with, node, src, out, err)
				}
				if got, want := len(texts(again)), len(texts(tree))-1; got != want {
					t.Errorf("%q in the place of node %d of %q: %d other values are left of %d", with, node, src, got, want)
				}
				if !e.exact {
					continue
				}
				if len(again.Nodes) != len(tree.Nodes) || again.Text(node) != with {
					t.Errorf("%q is read as %q in %q", with, again.Text(node), out)
				}
			}
		}
	})
}

// What was cut anywhere is refused, or is a document of its own: never a panic,
// never a tree that points outside.
func TestCutDocumentIsRefusedOrWhole(t *testing.T) {
	eachDocument(t, func(t *testing.T, e *engine, src []byte, _ *doc.Tree) {
		for n := range src {
			for _, part := range [][]byte{src[:n], src[n:], append(bytes.Clone(src[:n]), src[min(n+1, len(src)):]...)} {
				tree, err := e.parse(part, doc.DefaultLimits())
				if err == nil {
					checkTree(t, part, tree)
				} else if !errors.Is(err, doc.ErrMalformed) && !errors.Is(err, csv.ErrDialect) {
					t.Fatalf("%q: %v is no ErrMalformed", part, err)
				}
			}
		}
	})
}

func TestAmbiguousDocumentIsRefused(t *testing.T) {
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			for _, src := range e.broken {
				_, err := e.parse([]byte(src), doc.DefaultLimits())
				if !errors.Is(err, doc.ErrMalformed) {
					t.Errorf("%q: %v", src, err)
				}
				if err != nil && strings.Contains(err.Error(), canary) {
					t.Errorf("the error quotes the document: %v", err)
				}
			}
		})
	}
}

// A limit is kept to the value: exactly so many pass, one more doesn't.
func TestLimitsAreKept(t *testing.T) {
	eachDocument(t, func(t *testing.T, e *engine, src []byte, tree *doc.Tree) {
		n := len(tree.Nodes)
		if _, err := e.parse(src, doc.Limits{Depth: 48, Nodes: n}); err != nil {
			t.Errorf("%d values under a limit of %d: %v", n, n, err)
		}
		if _, err := e.parse(src, doc.Limits{Depth: 48, Nodes: n - 1}); !errors.Is(err, doc.ErrMalformed) {
			t.Errorf("%d values under a limit of %d: %v", n, n-1, err)
		}
	})
	for _, e := range engines() {
		if e.deep == nil {
			continue
		}
		lim := doc.Limits{Depth: 8, Nodes: 100}
		if _, err := e.parse([]byte(e.deep(5)), lim); err != nil {
			t.Errorf("%s: 5 deep under a limit of 8: %v", e.name, err)
		}
		if _, err := e.parse([]byte(e.deep(10)), lim); !errors.Is(err, doc.ErrMalformed) {
			t.Errorf("%s: 10 deep under a limit of 8: %v", e.name, err)
		}
	}
}

// However a stream is cut into pieces, the same units come out of it, and
// together they are its bytes.
func TestStreamsAreCutAlikeAtEveryByte(t *testing.T) {
	jsonUnits := func(at string) func(pieces [][]byte) ([]string, error) {
		return func(pieces [][]byte) (units []string, err error) {
			emit := func(u json.Unit) error { units = append(units, fmt.Sprintf("%v %s", u.Record, u.Raw)); return nil }
			s, err := json.NewSplitter(at, doc.DefaultLimits(), 1<<10)
			if err != nil {
				return nil, err
			}
			for _, p := range pieces {
				if err := s.Feed(p, emit); err != nil {
					return units, err
				}
			}
			return units, s.Close(emit)
		}
	}
	csvUnits := func(pieces [][]byte) (units []string, err error) {
		s, err := csv.NewSplitter(csv.Dialect{}, 1<<10, func(row []byte) error { units = append(units, "true "+string(row)); return nil })
		if err != nil {
			return nil, err
		}
		for _, p := range pieces {
			if err := s.Feed(p); err != nil {
				return units, err
			}
		}
		return units, s.Close()
	}
	for name, c := range map[string]struct {
		src   string
		units func([][]byte) ([]string, error)
	}{
		"json of records":  {`[{"a":"Kanarella"},{"b":[1,"ä\u004b"]},3]`, jsonUnits("$")},
		"json of a member": {`{"n":2,"data":{"items":[{"a":"Kanarella"},{"b":{}}]},"z":"x"}`, jsonUnits("$.data.items")},
		"json by lines":    {"{\"a\":\"Kanarella\"}\n\n{\"b\":1}\r\n{\"c\":2}", jsonUnits(json.Lines)},
		"csv":              {"\ufeff\"a\r\nx\";b\r\n1;\"Kanarella\n\"\"\"\n\r\n3;4", csvUnits},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, err := c.units([][]byte{[]byte(c.src)})
			if err != nil {
				t.Fatal(err)
			}
			records := func(units []string) string {
				var b strings.Builder
				for _, u := range units {
					if strings.HasPrefix(u, "true ") {
						b.WriteString(u + "\x00")
					}
				}
				return b.String()
			}
			whole := func(units []string) string {
				return strings.ReplaceAll(strings.ReplaceAll(strings.Join(units, ""), "true ", ""), "false ", "")
			}
			if whole(want) != c.src {
				t.Fatalf("the units are %q", want)
			}
			for i := range len(c.src) + 1 {
				for j := i; j <= len(c.src); j++ {
					got, err := c.units([][]byte{[]byte(c.src[:i]), []byte(c.src[i:j]), []byte(c.src[j:])})
					if err != nil || records(got) != records(want) || whole(got) != c.src {
						t.Fatalf("cut at %d and %d: %q, %v; want %q", i, j, got, err, want)
					}
				}
			}
		})
	}
}
