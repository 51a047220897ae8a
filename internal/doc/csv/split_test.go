package csv

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

// split feeds a stream in pieces of n bytes.
func split(src []byte, d Dialect, maxRow, n int) (emitted []string, used Dialect, err error) {
	s, err := NewSplitter(d, maxRow, func(row []byte) error {
		emitted = append(emitted, string(row))
		return nil
	})
	if err != nil {
		return nil, d, err
	}
	for len(src) > 0 && err == nil {
		k := min(n, len(src))
		err, src = s.Feed(src[:k]), src[k:]
	}
	if closed := s.Close(); err == nil {
		err = closed
	}
	return emitted, s.Dialect(), err
}

func TestStreamIsSplitAtRows(t *testing.T) {
	const src = "\ufeff\"na\r\nme\";b\r\n1;\"2\n\"\"\"\n\r\n3;4"
	want := []string{"\ufeff\"na\r\nme\";b\r\n", "1;\"2\n\"\"\"\n", "\r\n", "3;4"}
	for n := 1; n <= len(src); n++ {
		got, d, err := split([]byte(src), Dialect{}, 20, n)
		if err != nil || strings.Join(got, "#") != strings.Join(want, "#") {
			t.Errorf("in pieces of %d: %q, %v", n, got, err)
		}
		if d.Comma != ';' || !d.BOM {
			t.Errorf("in pieces of %d: dialect %+v", n, d)
		}
	}
}

func TestLongRowsAreRefused(t *testing.T) {
	for _, d := range []Dialect{{}, {Comma: ','}} {
		for _, n := range []int{1, 100} {
			got, _, err := split([]byte("a,b\n"+strings.Repeat("x", 30)+",1\n"), d, 20, n)
			if !errors.Is(err, doc.ErrMalformed) || !strings.Contains(err.Error(), "20 bytes") {
				t.Errorf("%v", err)
			}
			if len(got) != 1 {
				t.Errorf("%q emitted", got)
			}
		}
	}
	if got, _, err := split([]byte(strings.Repeat("x", 30)), Dialect{}, 20, 7); err == nil {
		t.Errorf("a first row of 30 bytes: %q", got)
	}
}

func TestNothingIsEmittedBehindAFault(t *testing.T) {
	for _, src := range []string{"a,b\n1,2,3\n4,5\n", "a,b\n\"1\"2,3\n4,5\n", "a,b\n1,2\r3,4\n"} {
		got, _, err := split([]byte(src), Dialect{}, 100, 3)
		if !errors.Is(err, doc.ErrMalformed) || len(got) != 1 {
			t.Errorf("%q: %q, %v", src, got, err)
		}
	}
	s, err := NewSplitter(Dialect{Comma: ','}, 100, func([]byte) error { return errors.New("full") })
	if err != nil {
		t.Fatal(err)
	}
	if s.Feed([]byte("a\n")) == nil || s.Feed([]byte("b\n")) == nil || s.Close() == nil {
		t.Error("the callback's error is forgotten")
	}
}

// FuzzSplice holds that a replaced cell reads as the new text, that nothing else
// changes, and that a splitter divides the document into the same rows.
func FuzzSplice(f *testing.F) {
	for _, s := range []string{
		"", "a,b\r\n1,2\r\n", "\"a\nb\";\"c\"\"d\"\n\n;\n", "\ufeff\"a\"\tb\n", "a|b|c\n1|2|3", "M\xfcller;x\n", "\ufb01;x\n",
	} {
		f.Add([]byte(s), "=*;\"\r\n,ä", byte(0), byte(0), false, uint8(1))
	}
	f.Fuzz(func(t *testing.T, src []byte, value string, comma, quote byte, latin bool, n uint8) {
		d := Dialect{Comma: comma, Quote: quote}
		if latin {
			d.Charset = "latin1"
		}
		lim := doc.Limits{Depth: 2, Nodes: 2000}
		tree, err := Parse(src, d, lim)
		checkSplit(t, src, d, int(n)+1, tree)
		if err != nil {
			return
		}
		d = DialectOf(tree)
		for i, node := range tree.Nodes {
			if node.Kind == doc.String && i < 12 {
				checkReplacement(t, tree, d, i, value)
			}
		}
	})
}

func checkReplacement(t *testing.T, tree *doc.Tree, d Dialect, node int, value string) {
	t.Helper()
	n := tree.Nodes[node]
	with := tree.Format.Encode(nil, tree, node, doc.Value{Kind: doc.String, Text: value})
	out, err := doc.Splice(nil, tree.Src, []doc.Edit{{Start: n.Start, End: n.End, With: with}})
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(out, d, doc.DefaultLimits())
	if err != nil {
		t.Fatalf("%q with cell %d replaced is %q: %v", tree.Src, node, out, err)
	}
	if len(again.Nodes) != len(tree.Nodes) {
		t.Fatalf("%q with cell %d replaced is %q", tree.Src, node, out)
	}
	for i := range tree.Nodes {
		if i != node && again.Text(i) != tree.Text(i) {
			t.Fatalf("%q with cell %d replaced is %q: cell %d changed", tree.Src, node, out, i)
		}
	}
	got := again.Text(node)
	if got != "" && strings.IndexByte("=+-@\t\r\n", got[0]) >= 0 {
		t.Fatalf("%q: cell %d is a formula", out, node)
	}
	want := strings.ReplaceAll(strings.ToValidUTF8(value, "\uFFFD"), "\x00", "*")
	if d.Charset == "utf-8" && strings.TrimPrefix(got, "'") != strings.TrimPrefix(want, "'") {
		t.Fatalf("%q: cell %d reads %q, want %q", out, node, got, want)
	}
}

func checkSplit(t *testing.T, src []byte, d Dialect, n int, tree *doc.Tree) {
	t.Helper()
	emitted, used, err := split(src, d, 1<<20, n)
	if tree == nil {
		return
	}
	if err != nil {
		t.Fatalf("%q: Parse reads it, the splitter doesn't: %v", src, err)
	}
	if joined := strings.Join(emitted, ""); joined != string(src) {
		t.Fatalf("%q is split into %q", src, emitted)
	}
	if used != DialectOf(tree) {
		t.Fatalf("%q: %+v when split, %+v when parsed", src, used, DialectOf(tree))
	}
	var all [][]string
	for _, row := range emitted {
		one, err := Parse([]byte(row), used, doc.DefaultLimits())
		if err != nil {
			t.Fatalf("%q: row %q: %v", src, row, err)
		}
		all = append(all, rows(one)...)
	}
	if got, want := len(all), len(rows(tree)); got != want {
		t.Fatalf("%q: %d rows when split, %d when parsed", src, got, want)
	}
}

func BenchmarkParse(b *testing.B) {
	src := bytes.Repeat([]byte("4711;\"Muster; Erika\";erika@example.org;+49 30 1234567;Berlin\r\n"), 1000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(src, Dialect{}, doc.DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	src := bytes.Repeat([]byte("4711;\"Muster; Erika\";erika@example.org;+49 30 1234567;Berlin\r\n"), 1000)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, _, err := split(src, Dialect{}, 1000, 32<<10); err != nil {
			b.Fatal(err)
		}
	}
}
