package html

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/crmgate/crmgate/internal/doc"
)

func seeds(f *testing.F) {
	for _, s := range []string{
		people, "", "<p a=\"x\" b='y' c=z d>t", "<!--x--><?y?><!z>", "<script>var a=\"<\\/script>\"</script>",
		"<noscript><p>a</noscript>", "<svg><title><b>x</title><path d='1'/></svg>", "<style>a{}</style><textarea>\n&lt;</textarea>",
		"<table><tr><td>a<td>b<tr><td><table><td>c</table></table>", "<a>x<div>y</a>z</div>", "&amp;&copy=1&#228;&notit;\r\n",
		`<p class="a" id=b CLASS='c' class>x</p><!doctype html><input value=a value="b" value>`, "<template><td></template></p></div><li>a<li>b", "<select><option>a<option>b</select><iframe>x</iframe>",
	} {
		f.Add([]byte(s), "Erika \"*\" <x>")
	}
}

// FuzzSplice holds that every byte outside of tags and marks lies in one node,
// that a replaced value stands where the old one stood and nothing else changes,
// and that nothing of the old value stays.
func FuzzSplice(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src []byte, value string) {
		tree, err := Parse(src, doc.Limits{Depth: 48, Nodes: 2000})
		if err != nil {
			return
		}
		checkShape(t, tree)
		if same, err := doc.Splice(nil, src, nil); err != nil || !bytes.Equal(same, src) {
			t.Fatalf("no edits: %v, %q", err, same)
		}
		checked := 0
		for i, n := range tree.Nodes {
			if n.Kind == doc.String && checked < 8 {
				checked++
				if value != "" || n.Flags&FlagText == 0 {
					checkReplacement(t, tree, i, value)
				}
			}
		}
		checkCanary(t, tree)
	})
}

// checkShape holds the tree contract: nodes nest, spans lie in their parents,
// siblings don't overlap.
func checkShape(t *testing.T, tree *doc.Tree) {
	t.Helper()
	for i := range tree.Nodes {
		n := tree.Nodes[i]
		at := n.Start
		for c := range tree.Children(i) {
			m := tree.Nodes[c]
			if int(m.Parent) != i || m.Start < at || m.End < m.Start || m.End > n.End {
				t.Fatalf("%q: node %d [%d,%d) in node %d [%d,%d)", tree.Src, c, m.Start, m.End, i, n.Start, n.End)
			}
			at = m.End
		}
	}
}

// checkCanary replaces every value by a canary, takes that page for the CRM's,
// replaces every value again and looks for the canary with a tokenizer that
// knows nothing of the tree.
func checkCanary(t *testing.T, tree *doc.Tree) {
	t.Helper()
	planted := replaceAll(t, tree, "kanarie")
	second, err := Parse(planted, doc.DefaultLimits())
	if err != nil {
		t.Fatalf("%q: %v", planted, err)
	}
	out := replaceAll(t, second, "*")
	if bytes.Contains(out, []byte("kanarie")) {
		t.Fatalf("a canary stays: %q", out)
	}
	z := html.NewTokenizer(bytes.NewReader(out))
	for z.Next() != html.ErrorToken {
		if tok := z.Token(); strings.Contains(fmt.Sprint(tok.Data, tok.Attr), "kanarie") {
			t.Fatalf("a canary stays in %v", tok)
		}
	}
}

func replaceAll(t *testing.T, tree *doc.Tree, value string) []byte {
	t.Helper()
	var edits []doc.Edit
	for i, n := range tree.Nodes {
		if n.Kind == doc.String {
			with := tree.Format.Encode(nil, tree, i, doc.Value{Kind: doc.String, Text: value})
			edits = append(edits, doc.Edit{Start: n.Start, End: n.End, With: with})
		}
	}
	out, err := doc.Splice(nil, tree.Src, edits)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// FuzzText holds that texts read as x/net/html reads them.
func FuzzText(f *testing.F) {
	f.Add("a&amp;b&copy=1&copy;&notit;&lt&amp&#228&#x41;\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		tree, err := Parse([]byte(`<p a="`+s+`">`), doc.DefaultLimits())
		if err != nil || len(tree.Nodes) != 3 || tree.Nodes[2].Flags&FlagAttr == 0 {
			return
		}
		n, err := html.Parse(strings.NewReader(`<p a="` + s + `">`))
		if err != nil {
			t.Fatal(err)
		}
		p := n.FirstChild.LastChild.FirstChild
		if got, want := tree.Text(2), p.Attr[0].Val; got != want {
			t.Fatalf("%q reads %q, want %q", s, got, want)
		}
	})
}

// FuzzSelector holds that no selector panics, and that what compiles reads the
// same from its own text.
func FuzzSelector(f *testing.F) {
	for _, s := range []string{"a > .b #c[d^='e']@f, * #text", "@x", "[a=b]", "> tr td:x", "a,,b"} {
		f.Add(s)
	}
	tree, err := Parse([]byte(people), doc.DefaultLimits())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		sel, err := CompileSelector(s)
		if err != nil {
			return
		}
		for _, n := range sel.Match(tree, doc.Root) {
			if tree.Nodes[n].Kind != doc.String {
				t.Fatalf("%q selects node %d, which is no value", s, n)
			}
		}
	})
}

// FuzzPlain holds that a page is the same tree, or refused, whether or not the
// tokenizer reads all of it.
func FuzzPlain(f *testing.F) {
	seeds(f)
	for _, s := range []string{
		`<p a="1" b-2="x y"c="">`, `<p a="1" A="2">`, `<p a="1" a="1">`, `<p/a="1"/b="2"/>`, "<p a=\"x&amp;y\" b=\"\r\">", `<p a ="1" b= "2">`,
		`<p =a="1">`, `<p a="1"">`, `<br/><br /><p a="b"/>c</p >d`, `<p>a < b <3 </p></><x-y></x-y>`, `<title>a</title><p>b`, `<a`, `<a b="`, `</a`, `a<`,
		`<svg><a b="c"></a></svg><p a="b">`, `<noscript><a b="c"></noscript></a>`, `<textarea><a b="c"></textarea><a b="&lt;">x</a><b>y</b><i>z</i>`,
		strings.Repeat(`<b a="1">x</b>`, 20) + `<p A=1>` + strings.Repeat(`<b a="1">x</b>`, 20) + "<script><b></script>",
	} {
		f.Add([]byte(s), "")
	}
	lim := doc.Limits{Depth: 48, Nodes: 2000}
	f.Fuzz(func(t *testing.T, src []byte, _ string) {
		if bytes.IndexByte(src, 0) >= 0 || !utf8.Valid(src) {
			return
		}
		got, want := newBuilder(src, lim), newBuilder(src, lim)
		gotErr, wantErr := got.run(), error(nil)
		for want.at < len(src) && wantErr == nil {
			wantErr = want.oddToken()
		}
		if wantErr == nil {
			wantErr = want.finish()
		}
		if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || !slices.Equal(got.nodes, want.nodes) {
			t.Fatalf("%q\n got %v, %v\nwant %v, %v", src, gotErr, got.nodes, wantErr, want.nodes)
		}
	})
}
