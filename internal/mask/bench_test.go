package mask

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/json"
)

// page is a list of 50 records with 12 fields each, about 110 KB, and what a
// profile finds in it.
func page(t testing.TB) ([]byte, *access.Found) {
	var b strings.Builder
	b.WriteString(`{"list":[`)
	for i := range 50 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%032x","name":"Erika Mustermann%d","email":"erika%d@example.org","phone":"+49 30 %07d",`+
			`"address":"Beispielstraße %d","address2":"Berlin","birthdate":"1971-02-%02d","bank":"DE0212030000000020%04d",`+
			`"free_text":%q,"public":"Leiterin","public2":%d,"public3":true,"public4":"kunde"}`,
			i, i, i, i*7919, i, i%28+1, i, strings.Repeat("Ruft gern zurück, bitte nur nachmittags. ", 43), i)
	}
	b.WriteString(`]}`)
	src := []byte(b.String())
	tree, err := json.Parse(src, doc.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	found := locate(tree)
	list := tree.Member(doc.Root, "list")
	for r := range tree.Children(list) {
		found.Records = append(found.Records, access.FoundRecord{Record: access.Record{Entity: "contact", Type: "contact", ID: tree.Text(r + 1)}})
		for i := range found.Fields {
			if f := &found.Fields[i]; f.Node > r && f.Node < int(tree.Nodes[r].Next) {
				f.Record, f.Entity = len(found.Records)-1, "contact"
			}
		}
	}
	return src, found
}

func benchmark(b *testing.B, second bool) {
	src, found := page(b)
	p := plan(map[access.Category]access.Treatment{
		access.Email: access.Hidden, access.Phone: access.Partial, access.Address: access.Hidden, access.Bank: access.Hidden,
	})
	tree, err := json.Parse(src, doc.DefaultLimits())
	if err != nil {
		b.Fatal(err)
	}
	m := New(Config{})
	body := make([]byte, 0, 2*len(src))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		res, err := m.Apply(tree, found, p, Options{SecondPass: second})
		if err != nil || res.Masked < 250 {
			b.Fatal(res.Masked, err)
		}
		if body, err = res.Body(body[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply(b *testing.B)           { benchmark(b, false) }
func BenchmarkApplySecondPass(b *testing.B) { benchmark(b, true) }

// BenchmarkUnit masks records one by one, as a streamed response has them.
func BenchmarkUnit(b *testing.B) {
	src := []byte(`{"id":"1","name":"Erika Mustermann","email":"erika0000000@example.org","phone":"+49 30 0000000",` +
		`"address":"Beispielstraße 1","bank":"DE02120300000000200000000","free_text":"Ruft gern zurück.","public":"Leiterin"}`)
	p := plan(map[access.Category]access.Treatment{
		access.Email: access.Hidden, access.Phone: access.Partial, access.Address: access.Hidden, access.Bank: access.Hidden,
	})
	m, seen := New(Config{}), NewSeen(4096)
	body := make([]byte, 0, 2*len(src))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		copy(src[strings.Index(string(src), "erika")+5:], fmt.Sprintf("%07d", n))
		copy(src[strings.Index(string(src), "+49 30 ")+7:], fmt.Sprintf("%07d", n%10_000_000))
		tree, err := json.Parse(src, doc.DefaultLimits())
		if err != nil {
			b.Fatal(err)
		}
		res, err := m.Apply(tree, locate(tree), p, Options{SecondPass: true, Seen: seen})
		if err != nil || res.Masked < 4 {
			b.Fatal(res.Masked, err)
		}
		if body, err = res.Body(body[:0]); err != nil {
			b.Fatal(err)
		}
		json.Release(tree)
	}
}
