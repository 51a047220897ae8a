package form

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

func parse(t *testing.T, src string) *doc.Tree {
	t.Helper()
	tree, err := Parse([]byte(src), doc.DefaultLimits())
	if err != nil {
		t.Fatalf("Parse(%q): %v", src, err)
	}
	return tree
}

func members(t *doc.Tree) string {
	var out []string
	for c := range t.Children(doc.Root) {
		out = append(out, fmt.Sprintf("%s=%s", t.Key(c), t.Text(c)))
	}
	return fmt.Sprintf("%q", out)
}

func TestMembersAreReadInOrder(t *testing.T) {
	for src, want := range map[string]string{
		"":                     `[]`,
		"a=1&b=2&a=3":          `["a=1" "b=2" "a=3"]`,
		"&a=1&&b=2&":           `["a=1" "b=2"]`,
		"a&b=&c==":             `["a=" "b=" "c=="]`,
		"a%5B%5D=x+y%20z%2B":   `["a[]=x y z+"]`,
		"n%C3%A4me=M%c3%bcll":  `["näme=Müll"]`,
		"q=ä":                  `["q=ä"]`,
		"a=b%3Bc%26d%3D%0A%25": `["a=b;c&d=\n%"]`,
	} {
		if got := members(parse(t, src)); got != want {
			t.Errorf("%q reads %s, want %s", src, got, want)
		}
	}
}

func TestWhatIsReadInTwoWaysIsRefused(t *testing.T) {
	for _, src := range []string{
		"a=%", "a=%4", "a=%zz", "a=%4&b=1", "a%=1", "a=%u00e4", "a=%00", "a%00=1", "a=\x00", "a=1;b=2", "a=1 2",
		"a=1\r\n", "a=\x7f", "a=%ff", "a=\xff", "a=%c3", "%c3=%a4", "a=%ed%a0%80", "=1", "a=1&=2",
	} {
		if tree, err := Parse([]byte(src), doc.DefaultLimits()); !errors.Is(err, doc.ErrMalformed) {
			t.Errorf("%q: %v, want ErrMalformed", src, err)
			_ = tree
		}
	}
	if _, err := Parse([]byte("a&b&c"), doc.Limits{Nodes: 3}); !errors.Is(err, doc.ErrMalformed) {
		t.Errorf("4 values where 3 are the limit: %v", err)
	}
}

// FuzzSplice holds that members read as net/url reads them, that a replaced value
// or name reads as the new one, and that nothing else changes.
func FuzzSplice(f *testing.F) {
	for _, s := range []string{"", "a=1&b=2&a=3", "a&b=&c==", "n%C3%A4me=x+y%2B", "&&a=%26"} {
		f.Add([]byte(s), "a&b=c;+ ä%\x00")
	}
	f.Fuzz(func(t *testing.T, src []byte, value string) {
		tree, err := Parse(src, doc.Limits{Depth: 1, Nodes: 200})
		if err != nil {
			return
		}
		want, err := url.ParseQuery(string(src))
		if err != nil {
			t.Fatalf("%q: net/url refuses it: %v", src, err)
		}
		got := url.Values{}
		for c := range tree.Children(doc.Root) {
			got.Add(tree.Key(c), tree.Text(c))
		}
		if got.Encode() != want.Encode() {
			t.Fatalf("%q reads %v, want %v", src, got, want)
		}
		for i := 1; i < len(tree.Nodes) && i < 8; i++ {
			checkReplacement(t, tree, i, value, func(b []byte) (*doc.Tree, error) { return Parse(b, doc.DefaultLimits()) })
		}
	})
}

func checkReplacement(t *testing.T, tree *doc.Tree, node int, value string, parse func([]byte) (*doc.Tree, error)) {
	t.Helper()
	n := tree.Nodes[node]
	with := tree.Format.Encode(nil, tree, node, doc.Value{Kind: doc.String, Text: value})
	key := tree.Format.EncodeKey(nil, tree, node, "k"+value)
	out, err := doc.Splice(nil, tree.Src, []doc.Edit{{Start: n.Start, End: n.End, With: with}, {Start: n.KeyStart, End: n.KeyEnd, With: key}})
	if err != nil {
		t.Fatal(err)
	}
	again, err := parse(out)
	if err != nil {
		t.Fatalf("%q with member %d replaced is %q: %v", tree.Src, node, out, err)
	}
	if len(again.Nodes) != len(tree.Nodes) {
		t.Fatalf("%q with member %d replaced is %q", tree.Src, node, out)
	}
	for i := 1; i < len(tree.Nodes); i++ {
		if i != node && (again.Text(i) != tree.Text(i) || again.Key(i) != tree.Key(i)) {
			t.Fatalf("%q with member %d replaced is %q: member %d changed", tree.Src, node, out, i)
		}
	}
	want := clean(value)
	if tree.Takes(value) && (again.Text(node) != value) {
		t.Fatalf("%q takes %q and makes %q of it", tree.Src, value, again.Text(node))
	}
	if f, ok := tree.Format.(*partsFormat); ok {
		want = strings.ReplaceAll(want, "--"+f.boundary, "*")
	} else if again.Key(node) != "k"+want {
		t.Fatalf("%q: key %q, want %q", out, again.Key(node), "k"+want)
	}
	if again.Text(node) != want {
		t.Fatalf("%q: %q, want %q", out, again.Text(node), want)
	}
}

func body(parts ...string) string {
	var b bytes.Buffer
	for _, p := range parts {
		b.WriteString("--XX\r\n" + p + "\r\n")
	}
	return b.String() + "--XX--\r\n"
}
