package json

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

// split feeds src in pieces of n bytes and returns the units, each marked r, v
// or f, with frames in a row joined.
func split(at, src string, n, max int) (units []string, all string, err error) {
	s, err := NewSplitter(at, doc.DefaultLimits(), max)
	if err != nil {
		return nil, "", err
	}
	emit := func(u Unit) error {
		all += string(u.Raw)
		switch {
		case u.Record:
			units = append(units, "r "+string(u.Raw))
		case u.Value:
			units = append(units, "v "+u.Path+" "+string(u.Raw))
		case len(units) > 0 && strings.HasPrefix(units[len(units)-1], "f "):
			units[len(units)-1] += string(u.Raw)
		default:
			units = append(units, "f "+string(u.Raw))
		}
		if (u.Record || u.Value) && !bytes.Equal(u.Tree.Raw(doc.Root), u.Raw) {
			return errors.New("tree and bytes differ")
		}
		return nil
	}
	for p := []byte(src); len(p) > 0; {
		k := min(n, len(p))
		piece := bytes.Clone(p[:k])
		if err = s.Feed(piece, emit); err != nil {
			return units, all, err
		}
		clear(piece) // a splitter that kept it would show
		p = p[k:]
	}
	return units, all, s.Close(emit)
}

func TestStreamIsCutIntoRecords(t *testing.T) {
	for _, tt := range []struct{ at, src, want string }{
		{"$", ` [ {"a":"]}\""} , 1,"x" ,[[]],null ] `, `f  [ |r {"a":"]}\""}|f  , |r 1|f ,|r "x"|f  ,|r [[]]|f ,|r null|f  ] `},
		{"$", `[]`, `f []`},
		{"$", `{"error":"x","n":1,"ok":false}`, `f {"error":|v $.error "x"|f ,"n":|v $.n 1|f ,"ok":false}`},
		{"$", `12`, `v $ 12`},
		{"$.items", `{"total":2,"items":[{"a":1},{"a":2}],"next":"n"}`, `f {"total":|v $.total 2|f ,"items":[|r {"a":1}|f ,|r {"a":2}|f ],"next":|v $.next "n"|f }`},
		{"$.items", `{"it\u0065ms":[1],"x":{"items":["y"]},"z":[["q"]]}`, `f {"it\u0065ms":[|r 1|f ],"x":{"items":[|v $.x.items[] "y"|f ]},"z":[[|v $.z[][] "q"|f ]]}`},
		{"$.a.b", `{"b":[1],"a":{"b":[2],"c":null}}`, `f {"b":[|v $.b[] 1|f ],"a":{"b":[|r 2|f ],"c":null}}`},
		{"$.items", `{"items":{"a":"b"}}`, `f {"items":{"a":|v $.items.a "b"|f }}`},
		{"lines", "{\"a\":1}\n\r\n [2] \r\n3", "r {\"a\":1}|f \n\r\n |r [2]|f  \r\n|r 3"},
		{"lines", "", ""},
	} {
		for n := 1; n <= len(tt.src)+1; n++ {
			units, all, err := split(tt.at, tt.src, n, 100)
			if got := strings.Join(units, "|"); err != nil || got != tt.want || all != tt.src {
				t.Fatalf("%s %s in pieces of %d:\ngot  %s (%v)\nwant %s", tt.at, tt.src, n, got, err, tt.want)
			}
		}
	}
}

func TestBrokenStreamStopsBeforeTheBrokenRecord(t *testing.T) {
	for _, tt := range []struct{ at, src, want string }{
		{"$", `[{"a":1},{"a":1,"a":2}]`, `[{"a":1},`},
		{"$", `[{"a":1},{"a":`, `[{"a":1},`},
		{"$", `[{"a":1}`, `[{"a":1}`},
		{"$", `[1,]`, `[1,`},
		{"$", `[1}`, `[1`},
		{"$", `[1]]`, `[1]`},
		{"$", `[1] x`, `[1] `},
		{"$", `[tru,1]`, `[`},
		{"$", `[1 2]`, `[1 `},
		{"$", "[\"\xff\"]", `[`},
		{"$", "\ufeff[]", ``},
		{"$", ``, ``},
		{"$", `{"a":1,"\u0061":2}`, `{"a":1,`},
		{"$", `{"a" 1}`, `{"a" `},
		{"$", `{"a":1,}`, `{"a":1,`},
		{"$.items", `{"items":[1],"items":[2]}`, `{"items":[1],`},
		{"$", `["` + strings.Repeat("x", 100) + `"]`, `[`},
		{"$", `[` + strings.Repeat(`[`, 60) + strings.Repeat(`]`, 61), `[`},
		{"$.a", strings.Repeat(`{"":`, 60), strings.Repeat(`{"":`, 48)},
		{"lines", "{}\n{}x\n", "{}\n"},
		{"lines", "{}\n{\"a\":", "{}\n"},
		{"lines", "{}\n[\n]\n", "{}\n"},
		{"lines", `"` + strings.Repeat("x", 110) + "\"\n", ``},
	} {
		for _, n := range []int{1, 3, len(tt.src) + 1} {
			_, all, err := split(tt.at, tt.src, n, 100)
			if err == nil || all != tt.want {
				t.Errorf("%s %q in pieces of %d: emitted %q (%v), want %q", tt.at, tt.src, n, all, err, tt.want)
			}
		}
	}
}

func TestPlaceOfRecordsIsChecked(t *testing.T) {
	for _, at := range []string{"", "items", "$.", "$.a..b", "$a", "line"} {
		if _, err := NewSplitter(at, doc.DefaultLimits(), 1); err == nil {
			t.Errorf("NewSplitter(%q) has no error", at)
		}
	}
}

func TestErrorOfEmitEndsTheStream(t *testing.T) {
	s, _ := NewSplitter("$", doc.DefaultLimits(), 100)
	full := errors.New("log is full")
	n := 0
	emit := func(u Unit) error {
		if n++; u.Record {
			return full
		}
		return nil
	}
	if err := s.Feed([]byte(`[1,2,3]`), emit); !errors.Is(err, full) || n != 2 {
		t.Errorf("Feed = %v after %d units", err, n)
	}
	if err := s.Close(emit); !errors.Is(err, full) || n != 2 {
		t.Errorf("Close = %v after %d units", err, n)
	}
}

func FuzzSplitterAgreesWithParse(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), uint8(1))
	}
	f.Add([]byte(`{"items":[{"a":1},"x"],"n":[1]}`), uint8(3))
	f.Fuzz(func(t *testing.T, src []byte, n uint8) {
		tree, want := Parse(src, doc.DefaultLimits())
		Release(tree)
		for _, at := range []string{"$", "$.items"} {
			_, all, err := split(at, string(src), int(n)+1, 1<<20)
			if !strings.HasPrefix(string(src), all) {
				t.Fatalf("emitted %q of %q", all, src)
			}
			// A record may be as deep as a document, so depth alone may differ.
			if err == nil && all != string(src) || (err == nil) != (want == nil) && !strings.Contains(fmt.Sprint(want), "deeply") {
				t.Fatalf("%q: split %v, parse %v", src, err, want)
			}
		}
	})
}

func BenchmarkSplitter(b *testing.B) {
	src := contacts(110 << 10)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		s, _ := NewSplitter("$.list", doc.DefaultLimits(), 1<<20)
		emit := func(Unit) error { return nil }
		for p := src; len(p) > 0; p = p[min(len(p), 32<<10):] {
			if err := s.Feed(p[:min(len(p), 32<<10)], emit); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Close(emit); err != nil {
			b.Fatal(err)
		}
	}
}
