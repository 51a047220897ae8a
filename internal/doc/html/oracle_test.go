package html

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/crmgate/crmgate/internal/doc"
)

// TestTreeIsWhatBrowsersBuild holds the tree against the one that the
// specification's algorithm builds, for pages whose tags nest properly or are
// left out as HTML allows.
func TestTreeIsWhatBrowsersBuild(t *testing.T) {
	for _, body := range []string{
		`<div class="a"><p>x<p>y<ul><li>1<li>2<p>z</ul></div>t`,
		`<table class="l"><thead><tr><th>A<th>B</thead><tbody><tr><td>1<td>2<tr><td><b>3</b><td></tbody></table>`,
		`<table><caption>c<colgroup><col><col><tbody><tr><td>x</table>`,
		`<dl><dt>a<dd>b<dd>c<dt>d</dl>`,
		`<form><select><option>a<option selected>b</select><input value="v"><button>s</button></form>`,
		`<div><span>a<em>b</em></span><img src="x"><br>c</div>`,
		`<textarea>a&lt;b</textarea><script>if (a<b) { }</script><style>p{}</style>`,
		`<svg><g><path d="1"/><title>t</title></g></svg>u`,
		`<p>a<table><tbody><tr><td>b</table>c`,
		`<h1>a</h1><h2>b</h2><address><p>x</address>y`,
		`<div></span>a</i><!-- c --></div>`,
		`<ul><li><div><p>a</div>b<li>c</ul>`,
		`<a href="x">a</a><a href="y">b</a><button>c<button>d</button>`,
		`<div class="a"><!DOCTYPE html><p>x</p></div>`,
	} {
		page := "<!DOCTYPE html><html><head></head><body>" + body + "</body></html>"
		root, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		tree := parse(t, page)
		if got, want := outline(tree, doc.Root), domOutline(root); got != want {
			t.Errorf("%q\n got %s\nwant %s", body, got, want)
		}
	}
}

func domOutline(n *html.Node) string {
	var parts []string
	for _, a := range n.Attr {
		parts = append(parts, fmt.Sprintf("@%s=%s", a.Key, a.Val))
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch c.Type {
		case html.ElementNode:
			parts = append(parts, c.Data+"("+domOutline(c)+")")
		case html.TextNode:
			parts = append(parts, fmt.Sprintf("%q", c.Data))
		case html.CommentNode:
			parts = append(parts, "#comment="+c.Data)
		}
	}
	return strings.Join(parts, " ")
}
