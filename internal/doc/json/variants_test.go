package json

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

func TestEveryLineIsADocument(t *testing.T) {
	for src, want := range map[string]int{
		"": 0, "\n": 0, "{}": 1, "{}\n": 1, "{}\r\n[1]\r\n": 2, "\n {\"a\":1} \n\n\"x\"\n": 2, "1\n2\n3": 3,
		"{}{}": -1, "{} {}\n": -1, "{\n}": -1, "[1,\n2]": -1, "\"a\nb\"": -1, "{}\n{": -1, "{}\nx": -1, "\ufeff{}": -1, "{}\n\xff": -1, "{\"a\":1,\"a\":2}\n": -1, "1,\n2": -1, "{}\v{}": -1,
	} {
		tree, err := ParseLines([]byte(src), doc.DefaultLimits())
		if want < 0 {
			if !errors.Is(err, doc.ErrMalformed) {
				t.Errorf("%q: %v, want ErrMalformed", src, err)
			}
			continue
		}
		n := 0
		if err == nil {
			for range tree.Children(doc.Root) {
				n++
			}
		}
		if err != nil || n != want {
			t.Errorf("%q: %d lines, %v, want %d", src, n, err, want)
		}
	}
	deep := strings.Repeat("[", 3) + strings.Repeat("]", 3)
	if _, err := ParseLines([]byte(deep), doc.Limits{Depth: 3, Nodes: 10}); err == nil {
		t.Error("three levels within the lines are taken where three are allowed in all")
	}
}

// FuzzLinesAreTheSplittersRecords holds the two readers of lines against each
// other: what one takes the other does, and they see the same values.
func FuzzLinesAreTheSplittersRecords(f *testing.F) {
	for _, s := range []string{"{}\n[1,\"x\"]\r\n\n 1 ", "{}{}", "{\n}", "\ufeff1", "1\x00\n", " \t\n\"a\\nb\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		lim := doc.Limits{Depth: 48, Nodes: 1000}
		var records [][]byte
		sp, err := NewSplitter(Lines, lim, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		take := func(u Unit) error {
			if u.Record {
				records = append(records, bytes.Clone(u.Raw))
			}
			return nil
		}
		streamed := sp.Feed(src, take)
		if streamed == nil {
			streamed = sp.Close(take)
		}
		lim.Depth++ // the array of the lines
		lim.Nodes++
		tree, err := ParseLines(src, lim)
		if (err == nil) != (streamed == nil) && len(src) < 500 {
			t.Fatalf("%q: %v, and streamed %v", src, err, streamed)
		}
		if err != nil || streamed != nil {
			return
		}
		i := 0
		for c := range tree.Children(doc.Root) {
			if i >= len(records) || !bytes.Equal(records[i], tree.Raw(c)) || !stdjson.Valid(tree.Raw(c)) {
				t.Fatalf("%q: line %d differs", src, i)
			}
			i++
		}
		if i != len(records) {
			t.Fatalf("%q: %d lines, streamed %d", src, i, len(records))
		}
	})
}

func TestWrapperIsKept(t *testing.T) {
	angular, jsonp := Wrapper{Prefix: ")]}',\n"}, Wrapper{Callback: "cb.f_1"}
	for _, tt := range []struct {
		w                   Wrapper
		src                 string
		before, doc, behind string
	}{
		{angular, ")]}',\n{}", ")]}',\n", "{}", ""},
		{angular, "{}", "", "{}", ""},
		{angular, ")]}'\n{}", "", ")]}'\n{}", ""},
		{jsonp, "cb.f_1({})", "cb.f_1(", "{}", ")"},
		{jsonp, "/**/ cb.f_1 ({\"a\":\")\"}) ;\n", "/**/ cb.f_1 (", `{"a":")"}`, ") ;\n"},
		{jsonp, "cb.f_1();", "cb.f_1(", "", ");"},
		{jsonp, "{}", "", "{}", ""},
		{jsonp, "cb.f_12({})", "", "cb.f_12({})", ""},
		{jsonp, "x;cb.f_1({})", "", "x;cb.f_1({})", ""},
		{jsonp, "/*x*/cb.f_1({})", "", "/*x*/cb.f_1({})", ""},
		{jsonp, "cb.f_1({});x", "", "cb.f_1({});x", ""},
		{jsonp, "cb.f_1({}", "", "cb.f_1({}", ""},
		{jsonp, "cb.f_1", "", "cb.f_1", ""},
		{Wrapper{}, "cb({})", "", "cb({})", ""},
	} {
		before, document, behind := tt.w.Cut([]byte(tt.src))
		if string(before) != tt.before || string(document) != tt.doc || string(behind) != tt.behind {
			t.Errorf("%q: %q %q %q", tt.src, before, document, behind)
		}
	}
}

func TestCallbackIsANameAndNothingElse(t *testing.T) {
	for name, ok := range map[string]bool{
		"cb": true, "jQuery1910_17": true, "angular.callbacks._0": true, "$": true, "": false, "a b": false, "a(": false, "a.": false, ".a": false, "a..b": false, "1a": false, "a[0]": false, "a\n": false,
		"alert(1)//": false, "ä": false, strings.Repeat("a", 129): false,
	} {
		if ValidCallback(name) != ok {
			t.Errorf("%q: %v, want %v", name, !ok, ok)
		}
	}
}

func BenchmarkParseLines(b *testing.B) {
	var src bytes.Buffer
	for src.Len() < 110<<10 {
		src.WriteString(`{"id":7,"firstName":"Erika","lastName":"Mustermann","email":"erika@example.org","phone":"+49 30 1234567","description":"Ruft gern zurück."}` + "\n")
	}
	b.SetBytes(int64(src.Len()))
	b.ReportAllocs()
	for b.Loop() {
		tree, err := ParseLines(src.Bytes(), doc.DefaultLimits())
		if err != nil {
			b.Fatal(err)
		}
		Release(tree)
	}
}
