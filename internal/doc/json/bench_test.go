package json

import (
	stdjson "encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

// contacts is a page of records as a CRM lists them, about n bytes long.
func contacts(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"total":1000,"list":[`)
	for i := 0; b.Len() < n; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%032x","type":"contact","firstName":"Erika%d","lastName":"Mustermann","title":"Leiterin Einkauf",`+
			`"email":"erika%d@example.org","phone":"+49 30 %07d","street":"Beispielstraße %d","city":"Berlin","postalCode":"10115",`+
			`"birthdate":"1971-02-%02d","iban":"DE0212030000000020%04d","description":"Ruft gern zurück.\nBitte nur nachmittags; \"dringend\" heißt heute.",`+
			`"tags":["kunde","messe"],"score":%d.5,"optOut":false,"owner":{"id":%d,"name":"Vertrieb"},"deleted":null,"created":"2026-03-01T10:00:00+01:00"}`,
			i, i, i, i, i%200, i%28+1, i%10000, i, i%7)
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	src := contacts(110 << 10)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		tree, err := Parse(src, doc.DefaultLimits())
		if err != nil {
			b.Fatal(err)
		}
		Release(tree)
	}
}

func BenchmarkEncodingJSONValid(b *testing.B) {
	src := contacts(110 << 10)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if !stdjson.Valid(src) {
			b.Fatal("invalid")
		}
	}
}
