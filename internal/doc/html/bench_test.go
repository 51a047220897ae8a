package html

import (
	"bytes"
	"fmt"
	"testing"

	"golang.org/x/net/html"

	"github.com/crmgate/crmgate/internal/doc"
)

// listPage is a list view of about 60 KB: 150 rows with six cells each.
func listPage() []byte {
	var b bytes.Buffer
	b.WriteString(`<!DOCTYPE html><html><head><title>Contacts</title><script>var rows = 150;</script></head><body><table class="list">`)
	for i := range 150 {
		fmt.Fprintf(&b, `<tr class="row" data-id="%d"><td><input type="checkbox" name="sel" value="%d"></td>`, i, i)
		fmt.Fprintf(&b, `<td class="name"><a href="/contacts/%d" title="Erika &amp; Max %d">Muster %d, Erika</a></td>`, i, i, i)
		fmt.Fprintf(&b, `<td class="mail"><a href="mailto:erika%d@example.org">erika%d@example.org</a></td>`, i, i)
		b.WriteString(`<td class="phone">+49 30 1234567</td><td class="city">Berlin</td><td class="actions"><span class="icon"></span></td></tr>` + "\n")
	}
	b.WriteString(`</table></body></html>`)
	return b.Bytes()
}

func BenchmarkParse(b *testing.B) {
	page := listPage()
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(page, doc.DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBareTokenizer(b *testing.B) {
	page := listPage()
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		z := html.NewTokenizer(bytes.NewReader(page))
		for z.Next() != html.ErrorToken {
		}
	}
}

func BenchmarkSet(b *testing.B) {
	page := listPage()
	tree, err := Parse(page, doc.DefaultLimits())
	if err != nil {
		b.Fatal(err)
	}
	var rules []Selector
	for _, s := range []string{
		"tr.row@data-id", ".name > a", ".name a@title", ".mail a", ".mail a[href^='mailto:']@href", ".phone", ".city",
		"form input[name=email]@value", "#subpanel td", ".breadcrumb",
	} {
		sel, err := CompileSelector(s)
		if err != nil {
			b.Fatal(err)
		}
		rules = append(rules, sel)
	}
	set := NewSet(rules...)
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		set.Walk(tree, doc.Root, func(_, _ int) { n++ })
		if n != 150*7 {
			b.Fatalf("%d nodes", n)
		}
	}
}
