package html

import (
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

const people = `<!DOCTYPE html><div id=main class="list wide"><h1>People</h1>
<table><tr data-id="1" class="row odd"><td class="name">Erika <b>Muster</b> <!-- born 1970 --></td>
<td class="mail"><a href="mailto:erika@example.org" title="Mail &amp; more">erika@example.org</a></td><td>&nbsp;</td></tr>
<tr data-id="2" class="row"><td class="name"><table><tr><td class="name">Max</td></tr></table></td>
<td CLASS="mail x"><a href="https://example.org/?x">web</a><script>var m="max@example.org"</script></td></tr></table>
<p id="text">end</p></div>`

func selector(t *testing.T, s string) Selector {
	t.Helper()
	sel, err := CompileSelector(s)
	if err != nil {
		t.Fatalf("CompileSelector(%q): %v", s, err)
	}
	return sel
}

func texts(t *doc.Tree, nodes []int) []string {
	out := []string{}
	for _, n := range nodes {
		out = append(out, t.Text(n))
	}
	return out
}

func TestSelectorsSelect(t *testing.T) {
	tree := parse(t, people)
	for _, c := range []struct {
		selector string
		want     []string
	}{
		{"h1", []string{"People"}},
		{"H1#text", []string{"People"}},
		{"#main > h1", []string{"People"}},
		{"div.wide.list h1", []string{"People"}},
		{".narrow h1", []string{}},
		{"table > tr", []string{"Erika ", "Muster", " born 1970 ", "erika@example.org", "Max", "web", `var m="max@example.org"`}},
		{"tr[data-id='2'] td.name", []string{"Max"}},
		{"tr@data-id", []string{"1", "2"}},
		{"tr@data-id, [data-id]@DATA-ID", []string{"1", "2"}},
		{"a[href^='mailto:']@href", []string{"mailto:erika@example.org"}},
		{`a[ href $= "?x" ]`, []string{"web"}},
		{"a[title='Mail & more']@title", []string{"Mail & more"}},
		{".row .mail > a", []string{"erika@example.org", "web"}},
		{".row > a", []string{}},
		{"tr .mail.x > *", []string{"web", `var m="max@example.org"`}},
		{"[id=text]", []string{"end"}},
		{"tr.odd > td:nth-child(2)", []string{"erika@example.org"}},
		{"tr:nth-child(2) td.name:nth-child(1)", []string{"Max"}},
		{"h1:nth-child(2)", []string{}},
		{"p:nth-child(3)", []string{"end"}},
		{"td:nth-child(9)", []string{}},
		{"h1, p", []string{"People", "end"}},
		{"p, h1@id, h1", []string{"People", "end"}},
		{"> div > h1", []string{"People"}},
		{"> h1", []string{}},
		{"nothing", []string{}},
		{"td.name td.name", []string{"Max"}},
	} {
		got := texts(tree, selector(t, c.selector).Match(tree, doc.Root))
		if !slices.Equal(got, c.want) {
			t.Errorf("%s selects %q, want %q", c.selector, got, c.want)
		}
	}
}

func TestSelectorsReadFromTheRecord(t *testing.T) {
	tree := parse(t, people)
	rows := selector(t, "tr[data-id]@data-id").Elements(tree, doc.Root)
	if len(rows) != 2 {
		t.Fatalf("%d records, want 2", len(rows))
	}
	for _, c := range []struct {
		selector string
		row      int
		want     []string
	}{
		{"@data-id", 0, []string{"1"}},
		{"@data-id", 1, []string{"2"}},
		{"@missing", 1, []string{}},
		{".name", 1, []string{"Max"}},
		{"#text", 0, []string{"Erika ", "Muster", " born 1970 ", "erika@example.org"}},
		{"> .mail > a", 1, []string{"web"}},
		{"table tr td", 0, []string{}},
		{"> a", 0, []string{}},
	} {
		got := texts(tree, selector(t, c.selector).Match(tree, rows[c.row]))
		if !slices.Equal(got, c.want) {
			t.Errorf("%s from row %d selects %q, want %q", c.selector, c.row, got, c.want)
		}
	}
}

func TestSetTellsRulesApart(t *testing.T) {
	tree := parse(t, people)
	set := NewSet(selector(t, "td"), selector(t, ".mail a@href"), selector(t, "tr"))
	got := make([][]string, 3)
	set.Walk(tree, doc.Root, func(rule, node int) { got[rule] = append(got[rule], tree.Text(node)) })
	if len(got[0]) != 7 || len(got[1]) != 2 || len(got[2]) != 7 {
		t.Errorf("rules select %q", got)
	}
	var elements [3]int
	set.Elements(tree, doc.Root, func(rule, _ int) { elements[rule]++ })
	if elements != [3]int{6, 2, 3} {
		t.Errorf("rules match %v elements, want [6 2 3]", elements)
	}
}

func TestSelectorErrorsNamePositionAndRemedy(t *testing.T) {
	for _, c := range []struct{ selector, want string }{
		{"", "position 1: expected a tag"},
		{"a,", "position 3: expected a tag"},
		{"a,,b", "position 3: expected a tag"},
		{"a >", "position 4: expected a tag"},
		{"a > > b", "position 5: expected a tag"},
		{"a:hover", "position 2: pseudo classes are not known"},
		{"a:nth-child(0)", "expected a number from 1 to 999"},
		{"a:nth-child(2n)", "expected a number from 1 to 999"},
		{"a:nth-child(1000)", "expected a number from 1 to 999"},
		{"a:nth-child(", "expected a number from 1 to 999"},
		{"a..b", "position 3: expected a class"},
		{"a#", "position 3: expected an id"},
		{"#a#b", "position 4: an element has one id"},
		{"a[", "position 3: expected an attribute's name"},
		{"a[b", "position 4: expected ]"},
		{"a[b~=c]", "position 4: expected ]"},
		{"a[b^c]", "position 5: expected = after ^"},
		{"a[b=c d]", "put a value with other characters"},
		{"a[b=c.d]", "put a value with other characters"},
		{"a[b='c]", "closing quote is missing"},
		{`a[b='c\'']`, "other kind of quotes"},
		{"a[b^='']", "write [b]"},
		{"a @href", "without a space"},
		{"> @href", "without a space"},
		{"a > #text", "without a space"},
		{"a@href b", "nothing but a comma"},
		{"a@", "position 3: expected an attribute's name"},
		{"a+b", "position 2: expected a space"},
		{"a*", "position 2: expected a space"},
	} {
		_, err := CompileSelector(c.selector)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("CompileSelector(%q): %v, want %q in it", c.selector, err, c.want)
		}
	}
}
