package html

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/crmgate/crmgate/internal/doc"
)

// TestFirstOfRepeatedAttributesCounts: as in HTML's standard, the first of two
// attributes with one name is the element's. Selectors go by it alone, as browsers do.
func TestFirstOfRepeatedAttributesCounts(t *testing.T) {
	const page = `<div class="one" CLASS="two" id='x' class=three><input name=a value=1 name="b" value="2" VALUE='3'></div>`
	tree := parse(t, page)
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	div := root.FirstChild.LastChild.FirstChild
	for _, a := range div.Attr {
		if at := Attr(tree, 1, a.Key); at < 0 || tree.Text(at) != a.Val {
			t.Errorf("@%s is not %q", a.Key, a.Val)
		}
	}
	for selector, want := range map[string]int{".one input@value": 3, ".two input@value": 0, ".three input@value": 0, "[name=a]@value": 3, "[name=b]@value": 0} {
		s, err := CompileSelector(selector)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(s.Match(tree, doc.Root)); got != want {
			t.Errorf("%s selects %d values, want %d", selector, got, want)
		}
	}
	if got := len(AppendAttrs(nil, tree, 1, "class")); got != 3 {
		t.Errorf("%d attributes class, want 3", got)
	}
}

// TestEveryRepeatedAttributeIsSelected: a value that is masked in an attribute is
// masked in those of the same name, too.
func TestEveryRepeatedAttributeIsSelected(t *testing.T) {
	tree := parse(t, `<p><a title="Erika" TITLE='Erika' title=Erika>x</a>`)
	s, err := CompileSelector("a@title")
	if err != nil {
		t.Fatal(err)
	}
	var edits []doc.Edit
	for _, n := range s.Match(tree, doc.Root) {
		edits = append(edits, doc.Edit{Start: tree.Nodes[n].Start, End: tree.Nodes[n].End, With: tree.Format.Encode(nil, tree, n, doc.Value{Kind: doc.String, Text: "*"})})
	}
	out, err := doc.Splice(nil, tree.Src, edits)
	if err != nil || strings.Contains(string(out), "Erika") {
		t.Errorf("%q, %v", out, err)
	}
}

func TestControlsAreWhatABrowserSends(t *testing.T) {
	const page = `<form><input name=a value="x &amp; y"><input name=b><input value=noname><input type=submit name=c value=d>
<input type=CHECKBOX name=d><input type=checkbox name=e checked><input type=radio name=f value=1><input type=radio name=f value=2 checked>
<input name=g value=h disabled><input type=file name=h><textarea name=i>
  Zeile
</textarea><select name=j><option value=1>A<option value="2" selected>B</select><select name=k><option>  first
 one <option value=2>B</select><select name=l multiple><option>A</select><button name=m value=n>o</button>
<select name=n multiple><option selected>A<option selected>B</select><fieldset disabled><input name=o value=p></fieldset>
<select name=q><option value="" disabled>-<option value=r>R</select><table><tr><input type=hidden name=s value=t><td></table></form><input name=z>`
	tree := parse(t, page)
	form, err := CompileSelector("form")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Controls(tree, form.Elements(tree, doc.Root)[0])
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range got {
		b.WriteString(c.Name + "=" + c.Value + "|")
	}
	if want := "a=x & y|b=|e=on|f=2|i=  Zeile\n|j=2|k=first one|n=A|n=B|q=r|s=t|"; b.String() != want {
		t.Errorf("got  %q\nwant %q", b.String(), want)
	}
	for _, page := range []string{`<form><form><input name=a></form></form>`, `<form><input name=a form=other></form>`} {
		tree := parse(t, page)
		if _, err := Controls(tree, form.Elements(tree, doc.Root)[0]); err == nil {
			t.Errorf("%s isn't refused", page)
		}
	}
}
