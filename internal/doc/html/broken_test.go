package html

import (
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

// TestTagsWithAQuoteTooManyLoseTheirAttributes: pieces of a value can be anything in
// such a tag, names of attributes, too. Class and id stay, and so does every offset.
func TestTagsWithAQuoteTooManyLoseTheirAttributes(t *testing.T) {
	for page, want := range map[string]string{
		`<p>a</p><div class='fill' 'title="' . f('L', 'H') . '" border="0" align="x"'><b>c</b></div>`: `<p>a</p><div class='fill'><b>c</b></div>`,
		`<td id=x title="Erika "Eri" Muster" class="y">c</td>`:                                        `<td id=x class="y">c</td>`,
		`<td title="Erika "Eri Doe" Muster">c</td>`:                                                   `<td>c</td>`,
		`<a href="a.php?n=Erika "Eri="Doe" Muster">c</a>`:                                             `<a>c</a>`,
		`<a class="x &quot; Erika" b"c>d</a>`:                                                         `<a>d</a>`,
		`<img alt="Erika "Eri"/>`:                                                                     `<img/>`,
	} {
		tree := parse(t, page)
		if len(tree.Src) != len(page) {
			t.Errorf("%s: %d bytes became %d", page, len(page), len(tree.Src))
		}
		if got := strings.NewReplacer(" >", ">", " />", "/>").Replace(strings.Join(strings.Fields(string(tree.Src)), " ")); got != want {
			t.Errorf("%s\nbecame %s\n, want %s", page, got, want)
		}
		if again := parse(t, string(tree.Src)); string(again.Src) != string(tree.Src) || len(again.Nodes) != len(tree.Nodes) {
			t.Errorf("%s is another document the second time", page)
		}
	}
}

func TestPagesThatAreWellStayAsTheyAre(t *testing.T) {
	src := []byte(`<td title="Erika &quot;Eri&quot; Muster" data-x='a"b'>c</td>`)
	tree, err := Parse(src, doc.DefaultLimits())
	if err != nil || &tree.Src[0] != &src[0] {
		t.Errorf("the page was copied, or %v", err)
	}
}
