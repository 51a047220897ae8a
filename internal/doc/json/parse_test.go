package json

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

func TestStrictJSONIsAccepted(t *testing.T) {
	for _, src := range []string{
		`null`, ` true `, "\t\r\n[]\n", `{}`, `""`, `0`, `-0`, `-0.0e+00`, `1E400`, `[1,2,{"a":[]}]`,
		`{"a":1,"b":{"a":1}}`, `"\ud83d\ude00\u0000\/"`, `"ä€😀` + "\x7f" + `"`, `{"":0," ":1}`,
		`"` + strings.Repeat("ä", 100) + `"`,
	} {
		tree, err := Parse([]byte(src), doc.DefaultLimits())
		if err != nil {
			t.Errorf("Parse(%q) = %v, want a tree", src, err)
			continue
		}
		Release(tree)
	}
}

func TestWhatReadersDisagreeOnIsRefused(t *testing.T) {
	for _, src := range []string{
		``, ` `, `nul`, `nulll`, `True`, `01`, `-`, `-a`, `1.`, `.5`, `+1`, `1e`, `1e+`, `1.e1`, `0x1`, `1_0`, `NaN`, `Infinity`, `--1`, `00`,
		`[`, `]`, `[1,]`, `[,1]`, `[1 2]`, `[1}`, `{"a":1]`, `{`, `}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{'a':1}`, `{1:1}`,
		`"`, `"a`, `"\`, `"\u`, `"\u12`, `"\u12g4"`, `"\x41"`, `"\'"`, "\"a\nb\"", "\"\x00\"", "\"\x1f\"", `'a'`,
		`"\ud800"`, `"\udc00"`, `"\ud800\ud800"`, `"\udc00\udc00"`, `"\ud800\u0041"`, `"\ud800x"`, `"\ud800\n"`, "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
		"\ufeff1", "1\ufeff", "\ufefe", "[\u00a01]", "1\x00", "\v1", "\f1", `1 2`, `{}{}`, `[]]`, `1//x`, `/**/1`, `{"a":1}x`,
		`{"a":1,"a":2}`, `{"email":1,"em\u0061il":2}`, `{"\u0061":1,"a":2}`, `{"\ud83d\ude00":1,"😀":2}`, `{"x":{"a":1,"b":2,"a":3}}`,
	} {
		_, err := Parse([]byte(src), doc.DefaultLimits())
		if !errors.Is(err, doc.ErrMalformed) {
			t.Errorf("Parse(%q) = %v, want ErrMalformed", src, err)
		}
	}
}

func TestNamesAreComparedInObjectsOfAnySize(t *testing.T) {
	for _, n := range []int{2, 63, 64, 65, 1000, 100_000} {
		var b strings.Builder
		b.WriteString(`{"\u006b0":0`)
		for i := 1; i < n; i++ {
			fmt.Fprintf(&b, `,"k%d":{"k0":1}`, i)
		}
		for _, tt := range []struct {
			more string
			ok   bool
		}{{`,"k":1}`, true}, {`,"k0":1}`, false}, {fmt.Sprintf(`,"\u006b%d":1}`, n-1), n == 0}} {
			tree, err := Parse([]byte(b.String()+tt.more), doc.DefaultLimits())
			if (err == nil) != tt.ok {
				t.Errorf("%d names and %s: %v", n, tt.more, err)
			}
			Release(tree)
		}
	}
	if _, err := Parse([]byte(`{"a":1,"b":2,"c":3,"aa":4,"a":5}`), doc.DefaultLimits()); err == nil {
		t.Error("a few names: no error")
	}
}

func TestLimitsHold(t *testing.T) {
	for _, tt := range []struct {
		lim doc.Limits
		ok  bool
	}{
		{doc.Limits{Depth: 2, Nodes: 4}, true},
		{doc.Limits{Depth: 1, Nodes: 4}, false},
		{doc.Limits{Depth: 2, Nodes: 3}, false},
		{doc.Limits{}, false},
	} {
		if _, err := Parse([]byte(`[{"a":1,"b":2}]`), tt.lim); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.lim, err)
		}
	}
}

func TestErrorsQuoteNothing(t *testing.T) {
	for _, src := range []string{`{"secret":secret}`, `{"secret":1,"secret":2}`, `["secret\x"]`, `"secret`} {
		if _, err := Parse([]byte(src), doc.DefaultLimits()); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("Parse(%q) = %v", src, err)
		}
	}
}

func TestReleasedTreeHoldsNothing(t *testing.T) {
	tree, err := Parse([]byte(`[1]`), doc.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	Release(tree)
	Release(tree)
	Release(nil)
	if tree.Nodes != nil {
		t.Error("a released tree still has nodes")
	}
}
