package json

import (
	"errors"
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
		`"\ud800"`, `"\udc00"`, `"\ud800\ud800"`, `"\ud800x"`, `"\ud800\n"`, "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
		"\ufeff1", "1\ufeff", "\ufefe", "[\u00a01]", "1\x00", "\v1", "\f1", `1 2`, `{}{}`, `[]]`, `1//x`, `/**/1`, `{"a":1}x`,
		`{"a":1,"a":2}`, `{"email":1,"em\u0061il":2}`, `{"\u0061":1,"a":2}`, `{"\ud83d\ude00":1,"😀":2}`, `{"x":{"a":1,"b":2,"a":3}}`,
	} {
		_, err := Parse([]byte(src), doc.DefaultLimits())
		if !errors.Is(err, doc.ErrMalformed) {
			t.Errorf("Parse(%q) = %v, want ErrMalformed", src, err)
		}
	}
}
