package html

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

func parse(t *testing.T, src string) *doc.Tree {
	t.Helper()
	tree, err := Parse([]byte(src), doc.DefaultLimits())
	if err != nil {
		t.Fatalf("Parse(%q): %v", src, err)
	}
	return tree
}

// outline writes a tree as `div(@class=x p("text"))`.
func outline(t *doc.Tree, node int) string {
	var parts []string
	for c := range t.Children(node) {
		switch key := t.Key(c); {
		case t.Nodes[c].Kind == doc.Object:
			parts = append(parts, key+"("+outline(t, c)+")")
		case key == "#text":
			parts = append(parts, fmt.Sprintf("%q", t.Text(c)))
		default:
			parts = append(parts, fmt.Sprintf("%s=%s", key, t.Text(c)))
		}
	}
	return strings.Join(parts, " ")
}

func TestEveryValueIsANode(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{
			"attributes in all their forms", `<A Href="x" title='y' ID=z/ disabled a = "b" />`,
			`a(@href=x @title=y @id=z/ @disabled= @a=b)`,
		},
		{"attributes without a space between", `<td class="a"align=b>`, `td(@class=a @align=b)`},
		{"references in text", `Erika &amp; Max&#228;&copy;x`, `"Erika & Maxä©x"`},
		{"references in attributes", `<a href="?a=1&copy=2&copy;&notit;&lt&amp">`, `a(@href=?a=1&copy=2©&notit;<&)`},
		{"comments", `<!-- e@x.de --><?xml a?><!x></>`, `#comment= e@x.de  #comment=xml a? #comment=x`},
		{"raw text", `<script>a<b&amp;"</div>"</script><style>b{}</style>`, `script("a<b&amp;\"</div>\"") style("b{}")`},
		{"text of fields", `<textarea>&lt;b&gt;<b></textarea><title>a&amp;b</title>`, `textarea("<b><b>") title("a&b")`},
		{"noscript is markup", `<noscript><img src=x alt="y">z</noscript>`, `noscript(img(@src=x @alt=y) "z")`},
		{
			"svg", `<svg><title><b>x</b></title><style>a&amp;b</style><path d="1"/><g>t</g></svg>u`,
			`svg(title(b("x")) style("a&b") path(@d=1) g("t")) "u"`,
		},
		{"doctype and line ends", "<!DOCTYPE html>\r\n<p>a\r\nb", `"\n" p("a\nb")`},
		{"a lone angle bracket", `a < b <3 &`, `"a < b <3 &"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := parse(t, c.src)
			if got := outline(tree, doc.Root); got != c.want {
				t.Errorf("%q\n got %s\nwant %s", c.src, got, c.want)
			}
		})
	}
}

func TestImpliedEnds(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`<ul><li>a<li>b<ul><li>c</ul><li>d</ul>`, `ul(li("a") li("b" ul(li("c"))) li("d"))`},
		{`<dl><dt>a<dd>b<dt>c</dl>`, `dl(dt("a") dd("b") dt("c"))`},
		{`<p>a<p>b<div>c</div>d`, `p("a") p("b") div("c") "d"`},
		{
			`<table><thead><tr><th>a<th>b<tbody><tr><td>c<td>d<tr><td>e</table>f`,
			`table(thead(tr(th("a") th("b"))) tbody(tr(td("c") td("d")) tr(td("e")))) "f"`,
		},
		{`<table><tr><td><table><tr><td>a</table>b<td>c</table>`, `table(tr(td(table(tr(td("a"))) "b") td("c")))`},
		{`<tr><td>a<td>b<tr><td>c`, `tr(td("a") td("b")) tr(td("c"))`},
		{
			`<select><option>a<option>b<optgroup><option>c</select>d`,
			`select(option("a") option("b") optgroup(option("c"))) "d"`,
		},
		{`</div></p>a</b><br></br>`, `"a" br()`},
		{`<div><p>a</div>b`, `div(p("a")) "b"`},
		{`<td><div>a</td></tr>b`, `td(div("a")) "b"`},
		{`<div><span>a</div>b</span>`, `div(span("a")) "b"`},
		{`<div><table><tr><td></div>a</table></div>b`, `div(table(tr(td("a")))) "b"`},
		{`<a>x<div>y</a>z</div>u`, `a("x" div("y" "z")) "u"`},
		{`<form><div></form>a</div>b`, `form(div("a")) "b"`},
		{`<a>x<a>y</a>z`, `a("x") a("y") "z"`},
		{`<h1>a<h2>b</h1>c`, `h1("a") h2("b") "c"`},
		{`<html><head><title>t</title><body>a</body>b</html>c`, `html(head(title("t")) body("a" "b" "c"))`},
		{`<body class=a><body id=b>c`, `body(@class=a body(@id=b) "c")`},
		{`<div><template></div>a</template>b</div>c`, `div(template("a") "b") "c"`},
		{`<p><noscript></p>a</noscript>b`, `p(noscript("a") "b")`},
		{`<div><svg><foreignObject><p>a</div></p></foreignObject></svg>b</div>`, `div(svg(foreignobject(p("a"))) "b")`},
		{`<div><svg><g></div>a`, `div(svg(g())) "a"`},
	} {
		tree := parse(t, c.src)
		if got := outline(tree, doc.Root); got != c.want {
			t.Errorf("%q\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

func TestWhatIsReadInTwoWaysIsRefused(t *testing.T) {
	for name, src := range map[string]string{
		"NUL":                           "a\x00b",
		"not UTF-8":                     "a\xffb",
		"plaintext":                     "<plaintext>a",
		"unclosed start tag":            `<p>a<div class="x`,
		"unclosed end tag":              `<p>a</p`,
		"unclosed comment":              `<!-- a`,
		"unclosed comment mark":         `a<!`,
		"unclosed script":               `<script>a`,
		"empty unclosed script":         `<script>`,
		"unclosed textarea":             `<textarea>a</div>`,
		"unclosed noscript":             `<noscript>a`,
		"comment that ends at once":     `<!--> a -->`,
		"comment that ends at the dash": `<!---> a -->`,
		"comment with a bang end":       `<!-- a --!> b -->`,
		"noscript in two ways":          `<noscript><a title="</noscript>">b</a></noscript>`,
		"noscript in a comment":         `<noscript><!-- </noscript> --></noscript>`,
		"script in two ways":            `<script><!-- < <script> </script> a </script>`,
		"attribute given too often":     `<a href=x` + strings.Repeat(" HREF=y", 40) + `>`,
		"attribute without a name":      `<a =x>`,
		"quote in a name of a control":  `<input b"c>`,
		"quote in a name of a script":   `<script b"c>x</script>`,
		"backtick in an attribute name": "<a b`c>",
		"angle bracket in a name":       `<a <b>`,
		"quote in an unquoted value":    `<a b=c"d>`,
		"angle in an unquoted value":    `<a b=c<d>`,
		"address as a tag":              `Erika <erika@example.org>`,
		"end tag with attributes":       `<p>a</p class="erika">`,
		"CDATA":                         `<![CDATA[a]]>`,
		"CDATA in svg":                  `<svg><![CDATA[a>b]]></svg>`,
		"math":                          `<math><mi>a</mi></math>`,
		"paragraph in svg":              `<svg><p>a`,
		"paragraph end in svg":          `<svg></p>a`,
		"strange doctype":               `<!DOCTYPE erika@example.org>`,
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := Parse([]byte(src), doc.DefaultLimits())
			if err == nil {
				t.Fatalf("Parse(%q) = %s, want an error", src, outline(tree, doc.Root))
			}
			var syntax *doc.SyntaxError
			if !errors.As(err, &syntax) || !errors.Is(err, doc.ErrMalformed) || syntax.Format != "html" {
				t.Errorf("error %v is no SyntaxError of html", err)
			}
			if strings.Contains(err.Error(), "erika") {
				t.Errorf("error quotes the document: %v", err)
			}
		})
	}
}

func TestLimitsHold(t *testing.T) {
	if _, err := Parse([]byte(strings.Repeat("<div>", 49)), doc.DefaultLimits()); err == nil {
		t.Error("49 levels are accepted")
	}
	if _, err := Parse([]byte(strings.Repeat("<div>", 48)), doc.DefaultLimits()); err != nil {
		t.Errorf("48 levels: %v", err)
	}
	if _, err := Parse([]byte("<a b=c d=e>f"), doc.Limits{Depth: 9, Nodes: 4}); err == nil {
		t.Error("5 values are accepted where 4 are the limit")
	}
}

func TestReplacedValueCantLeaveItsPlace(t *testing.T) {
	const evil = `a"'<b>&amp;-->--!></script></SCRIPT ></textarea><!-- </style><script>` + "\x00\xff\r\nä"
	for _, src := range []string{
		`<p>x</p>`, `<p a="x">t</p>`, `<p a='x'>t</p>`, `<p a=x>t</p>`, `<p a=x/>`, `<p a>t</p>`, `<p a/>`, `<p a= b=c>`,
		`<!--x--><p>t`, `<?x><p>t`, `<script>x</script>t`, `<style>x</style>t`, `<iframe>x</iframe>t`,
		`<textarea>x</textarea>t`, `<title>x</title>t`, `<svg><style>x</style></svg>t`, `<noscript>x</noscript>`,
	} {
		tree := parse(t, src)
		for node, n := range tree.Nodes {
			if n.Kind == doc.String {
				checkReplacement(t, tree, node, evil)
				checkReplacement(t, tree, node, "Erika ** <3")
			}
		}
	}
}

// checkReplacement replaces one value, reads the page again and holds that the
// new value stands in the old one's place and that nothing else has changed.
func checkReplacement(t *testing.T, tree *doc.Tree, node int, value string) {
	t.Helper()
	n := tree.Nodes[node]
	with := tree.Format.Encode(nil, tree, node, doc.Value{Kind: doc.String, Text: value})
	out, err := doc.Splice(nil, tree.Src, []doc.Edit{{Start: n.Start, End: n.End, With: with}})
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(out, doc.DefaultLimits())
	if err != nil {
		t.Fatalf("%q with node %d replaced is %q: %v", tree.Src, node, out, err)
	}
	if len(again.Nodes) != len(tree.Nodes) {
		t.Fatalf("%q with node %d replaced is %q: %d nodes, want %d", tree.Src, node, out, len(again.Nodes), len(tree.Nodes))
	}
	for i := range tree.Nodes {
		if again.Key(i) != tree.Key(i) || again.Nodes[i].Parent != tree.Nodes[i].Parent {
			t.Fatalf("%q with node %d replaced is %q: node %d changed", tree.Src, node, out, i)
		}
		if i != node && again.Text(i) != tree.Text(i) {
			t.Fatalf("%q with node %d replaced is %q: text of node %d changed", tree.Src, node, out, i)
		}
	}
	got := again.Text(node)
	if n.Flags&(FlagRaw|FlagComment) != 0 {
		if got != string(with) {
			t.Fatalf("%q: node %d reads %q, want %q", out, node, got, with)
		}
		return
	}
	want := strings.ReplaceAll(strings.ToValidUTF8(value, "\uFFFD"), "\x00", "\uFFFD")
	if got != want {
		t.Fatalf("%q: node %d reads %q, want %q", out, node, got, want)
	}
}

func TestCommentsEndAtTheirEndAlone(t *testing.T) {
	for content, want := range map[string]bool{
		"": true, " a - b ": true, "a--b": true, "<!-- a": true,
		">a": false, "->a": false, "a-->b": false, "a--!>b": false,
	} {
		if got := plainComment([]byte(content)); got != want {
			t.Errorf("plainComment(%q) = %v", content, got)
		}
	}
	tree := parse(t, "<!--x-->")
	with := tree.Format.Encode(nil, tree, 1, doc.Value{Kind: doc.String, Text: "--a--->-"})
	if bytes.Contains(with, []byte("--")) || bytes.ContainsAny(with, ">") {
		t.Errorf("%q in a comment", with)
	}
}

func TestAsciiDocumentsStayASCII(t *testing.T) {
	tree := parse(t, `<p a="x">t</p><script>u</script><!--v-->`)
	tree.ASCII = true
	for node, n := range tree.Nodes {
		if n.Kind != doc.String {
			continue
		}
		for _, c := range tree.Format.Encode(nil, tree, node, doc.Value{Kind: doc.String, Text: "ä€𝄞"}) {
			if c >= 0x80 {
				t.Errorf("%s: byte %#x in an ASCII document", tree.Key(node), c)
			}
		}
	}
}
