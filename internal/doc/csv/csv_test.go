package csv

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

func rows(t *doc.Tree) [][]string {
	out := [][]string{}
	for r := range t.Children(doc.Root) {
		row := []string{}
		for c := range t.Children(r) {
			row = append(row, t.Text(c))
		}
		out = append(out, row)
	}
	return out
}

func parse(t *testing.T, src string, d Dialect) *doc.Tree {
	t.Helper()
	tree, err := Parse([]byte(src), d, doc.DefaultLimits())
	if err != nil {
		t.Fatalf("Parse(%q, %+v): %v", src, d, err)
	}
	return tree
}

func TestCellsAreRead(t *testing.T) {
	for _, c := range []struct {
		name, src string
		d         Dialect
		want      string
	}{
		{"empty", "", Dialect{}, `[]`},
		{"plain", "a,b\r\n1,2\r\n", Dialect{}, `[["a" "b"] ["1" "2"]]`},
		{"no last line end", "a;b\n1;2", Dialect{}, `[["a" "b"] ["1" "2"]]`},
		{"empty last cell", "a\tb\n1\t", Dialect{}, `[["a" "b"] ["1" ""]]`},
		{"quotes", "\"a\nb\",\"c\"\"d,\"\r\n\"\",e\r\n", Dialect{}, `[["a\nb" "c\"d,"] ["" "e"]]`},
		{"blank lines", "\r\na|b\n\n1|2\n\r\n", Dialect{}, `[["a" "b"] ["1" "2"]]`},
		{"one column", "name\nErika;x\n\"\"\n", Dialect{}, `[["name"] ["Erika;x"] [""]]`},
		{"commas in quotes don't count", "\"a,b,c\";d\n1;2\n", Dialect{}, `[["a,b,c" "d"] ["1" "2"]]`},
		{"most cells win", "a,b;c;d\n1;2;3\n", Dialect{}, `[["a,b" "c" "d"] ["1" "2" "3"]]`},
		{"declared comma", "a,b;c\n1;2\n", Dialect{Comma: ';'}, `[["a,b" "c"] ["1" "2"]]`},
		{"declared quote", "'a;b';c\n'1''';\"2\n", Dialect{Quote: '\''}, `[["a;b" "c"] ["1'" "\"2"]]`},
		{"mark", "\ufeff\"a\";b\n1;2\n", Dialect{}, `[["a" "b"] ["1" "2"]]`},
		{"latin1", "M\xfcller;\xdf\n", Dialect{Charset: "latin1"}, `[["Müller" "ß"]]`},
		{"cp1252", "\x80;\xe4\n", Dialect{Charset: "cp1252"}, `[["€" "ä"]]`},
		{"cp1250", "\xe8;\x9a\n", Dialect{Charset: "cp1250"}, `[["č" "š"]]`},
		{"iso-8859-15", "\xa4;x\n", Dialect{Charset: "iso-8859-15"}, `[["€" "x"]]`},
		{"utf-8", "ä;€\n", Dialect{}, `[["ä" "€"]]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fmt.Sprintf("%q", rows(parse(t, c.src, c.d))); got != c.want {
				t.Errorf("%q reads %s, want %s", c.src, got, c.want)
			}
		})
	}
}

func TestWhatIsReadInTwoWaysIsRefused(t *testing.T) {
	for _, c := range []struct {
		name, src string
		d         Dialect
	}{
		{"quote inside a cell", "a,b\"c\n", Dialect{Comma: ','}},
		{"quote behind a space", "a, \"b\"\n", Dialect{Comma: ','}},
		{"text behind a quote", "\"a\"b,c\n", Dialect{Comma: ','}},
		{"unclosed quote", "a,\"b\n", Dialect{Comma: ','}},
		{"lone return", "a,b\r1,2\r", Dialect{Comma: ','}},
		{"return at the end", "a,b\r", Dialect{Comma: ','}},
		{"long row", "a,b\n1,2,3\n", Dialect{}},
		{"short row", "a,b\n1\n", Dialect{}},
		{"NUL", "a,b\n\"1\x00\",2\n", Dialect{}},
		{"not UTF-8", "a,b\n\xfc,2\n", Dialect{}},
		{"not ASCII", "a,b\nä,2\n", Dialect{Charset: "us-ascii"}},
		{"no character of cp1252", "a,b\n\x81,2\n", Dialect{Charset: "cp1252"}},
		{"cp1252 called latin1", "a,b\n\x80,2\n", Dialect{Charset: "latin1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.src), c.d, doc.DefaultLimits())
			if !errors.Is(err, doc.ErrMalformed) {
				t.Errorf("Parse(%q): %v, want ErrMalformed", c.src, err)
			}
		})
	}
	if _, err := Parse([]byte("a,b,c"), Dialect{}, doc.Limits{Nodes: 4}); !errors.Is(err, doc.ErrMalformed) {
		t.Errorf("5 values where 4 are the limit: %v", err)
	}
}

func TestDialectsThatCantWorkAreRefused(t *testing.T) {
	for _, c := range []struct {
		src string
		d   Dialect
	}{
		{"a", Dialect{Comma: 'x'}},
		{"a", Dialect{Comma: '\n'}},
		{"a", Dialect{Comma: 0xe4}},
		{"a", Dialect{Comma: '"'}},
		{"a", Dialect{Quote: ' '}},
		{"a", Dialect{Charset: "utf-16"}},
		{"a", Dialect{Charset: "utf-7"}},
		{"a", Dialect{Charset: "shift_jis"}},
		{"a", Dialect{Charset: "iso-2022-jp"}},
		{"a", Dialect{Charset: "x-user-defined-nonsense"}},
		{"a,b;c\n", Dialect{}},
	} {
		if _, err := Parse([]byte(c.src), c.d, doc.DefaultLimits()); !errors.Is(err, ErrDialect) {
			t.Errorf("Parse(%q, %+v): %v, want ErrDialect", c.src, c.d, err)
		}
		if c.d != (Dialect{}) {
			if _, err := NewSplitter(c.d, 10, nil); !errors.Is(err, ErrDialect) {
				t.Errorf("NewSplitter(%+v): %v, want ErrDialect", c.d, err)
			}
		}
	}
}

func TestReplacementsFitTheDocument(t *testing.T) {
	for _, c := range []struct {
		name, src, value string
		kind             doc.Kind
		d                Dialect
		want             string
	}{
		{"plain", "x;y\n", "**", doc.String, Dialect{}, "**;y\n"},
		{"comma", "x;y\n", "a;b", doc.String, Dialect{}, "\"a;b\";y\n"},
		{"other comma", "x;y\n", "a,b", doc.String, Dialect{}, "\"a,b\";y\n"},
		{"quote", "x;y\n", "a\"b", doc.String, Dialect{}, "\"a\"\"b\";y\n"},
		{"line", "x;y\n", "a\nb", doc.String, Dialect{}, "\"a\nb\";y\n"},
		{"was quoted", "\"x\";y\n", "a", doc.String, Dialect{}, "\"a\";y\n"},
		{"formula", "x;y\n", "=1+1", doc.String, Dialect{}, "'=1+1;y\n"},
		{"formula in quotes", "\"x\";y\n", "@a", doc.String, Dialect{}, "\"'@a\";y\n"},
		{"phone", "x;y\n", "+49 **", doc.String, Dialect{}, "'+49 **;y\n"},
		{"tab", "x;y\n", "\t=1", doc.String, Dialect{}, "\"'\t=1\";y\n"},
		{"number", "x;y\n", "-12.5", doc.Number, Dialect{}, "-12.5;y\n"},
		{"formula called a number", "x;y\n", "-1+cmd", doc.Number, Dialect{}, "'-1+cmd;y\n"},
		{"charset", "\xe4;y\n", "öc€č", doc.String, Dialect{Charset: "latin1"}, "\xf6c**;y\n"},
		{"ascii", "x;y\n", "ö", doc.String, Dialect{Charset: "ascii"}, "*;y\n"},
		{"NUL", "x;y\n", "a\x00b", doc.String, Dialect{}, "a*b;y\n"},
		{"null", "x;y\n", "a", doc.Null, Dialect{}, ";y\n"},
		{"empty and alone", "x\ny\n", "", doc.String, Dialect{}, "\"\"\ny\n"},
		{"other quote", "x;y\n", "a';b", doc.String, Dialect{Quote: '\''}, "'a'';b';y\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := parse(t, c.src, c.d)
			n := tree.Nodes[2]
			with := tree.Format.Encode(nil, tree, 2, doc.Value{Kind: c.kind, Text: c.value})
			out, err := doc.Splice(nil, tree.Src, []doc.Edit{{Start: n.Start, End: n.End, With: with}})
			if err != nil || string(out) != c.want {
				t.Errorf("%q, %v, want %q", out, err, c.want)
			}
		})
	}
}

// The files were written by csv.writer of Python 3 with its defaults but for
// delimiter and quotechar.
func TestPythonWritersOutputIsRead(t *testing.T) {
	want := [][]string{
		{"name", "e-mail", "note"},
		{"Muster, Erika", "erika@example.org", "line\r\nbreak \"quoted\""},
		{"", "a;b|c\td", " lead 'x' "},
		{"O'Neill", "", "ä"},
	}
	for file, d := range map[string]Dialect{
		"python-comma.csv":          {},
		"python-semicolon.csv":      {},
		"python-tab-apostrophe.csv": {Quote: '\''},
		"python-bar-apostrophe.csv": {Quote: '\''},
		"python-space-tilde.csv":    {Comma: ' ', Quote: '~'},
		"python-colon.csv":          {Comma: ':'},
	} {
		src, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		if got := rows(parse(t, string(src), d)); !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s: %q", file, got)
		}
	}
}

func TestGoWritersOutputIsRead(t *testing.T) {
	want := [][]string{{"a", "b"}, {"c,\"d", "e\nf"}, {"", " g"}}
	var b strings.Builder
	w := csv.NewWriter(&b)
	if err := w.WriteAll(want); err != nil {
		t.Fatal(err)
	}
	if got := rows(parse(t, b.String(), Dialect{})); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%q", got)
	}
}
