package json

import (
	"bytes"
	stdjson "encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
)

// seeds are documents of the shapes that CRMs send.
var seeds = []string{
	`{"id":7,"name":"Erika M\u00fcller","active":true,"note":null,"list":[1,-2.5e3,"x"]}`,
	`[{"a":{"b":[[]]}},{}]`, `{"em\u0061il":"a","email":"b"}`, `"\ud83d\ude00 \/ \b\f\n\r\t\" \\"`,
	`"\ud800"`, "\"\xff\"", ` 1e400 `, `[1,]`, "\ufeff{}", `{"ä":"ö€😀"}`,
}

func FuzzParseAgreesWithEncodingJSON(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		before := bytes.Clone(src)
		tree, err := Parse(src, doc.Limits{Depth: 1000, Nodes: 100_000})
		if !bytes.Equal(before, src) {
			t.Fatal("Parse changed the source")
		}
		if err != nil {
			if stdjson.Valid(src) && !stricter(src, err) {
				t.Fatalf("refused %q: %v", src, err)
			}
			return
		}
		defer Release(tree)
		if !stdjson.Valid(src) || !utf8.Valid(src) || hasTwice(src) {
			t.Fatalf("accepted %q", src)
		}
		sameValue(t, tree)
		checkSpans(t, tree)
		out, err := doc.Splice(nil, src, nil)
		if err != nil || !bytes.Equal(out, src) {
			t.Fatalf("splice without edits: %q, %v", out, err)
		}
	})
}

// stricter reports whether one of the rules beyond encoding/json's refuses src.
func stricter(src []byte, err error) bool {
	return !utf8.Valid(src) || hasTwice(src) || strings.Contains(err.Error(), "surrogate") ||
		strings.Contains(err.Error(), "deeply") || strings.Contains(err.Error(), "too many")
}

// hasTwice finds equal decoded names in one object with encoding/json alone.
func hasTwice(src []byte) bool {
	dec := stdjson.NewDecoder(bytes.NewReader(src))
	var stack []map[string]bool // nil for an array
	key := false
	for {
		tok, err := dec.Token()
		if err == io.EOF || err != nil {
			return false
		}
		top := len(stack) - 1
		if s, ok := tok.(string); ok && key {
			if stack[top][s] {
				return true
			}
			stack[top][s] = true
			key = false
			continue
		}
		switch tok {
		case stdjson.Delim('{'):
			stack = append(stack, map[string]bool{})
		case stdjson.Delim('['):
			stack = append(stack, nil)
		case stdjson.Delim('}'), stdjson.Delim(']'):
			stack = stack[:top]
		}
		key = len(stack) > 0 && stack[len(stack)-1] != nil
	}
}

// sameValue compares each scalar's text and each name with encoding/json's.
func sameValue(t *testing.T, tree *doc.Tree) {
	t.Helper()
	for i, n := range tree.Nodes {
		if n.KeyStart < n.KeyEnd {
			var want string
			if err := stdjson.Unmarshal(tree.Src[n.KeyStart:n.KeyEnd], &want); err != nil || tree.Key(i) != want {
				t.Fatalf("Key of %q = %q, want %q (%v)", tree.Src[n.KeyStart:n.KeyEnd], tree.Key(i), want, err)
			}
		}
		switch n.Kind {
		case doc.String:
			var want string
			if err := stdjson.Unmarshal(tree.Raw(i), &want); err != nil || tree.Text(i) != want {
				t.Fatalf("Text of %q = %q, want %q (%v)", tree.Raw(i), tree.Text(i), want, err)
			}
		case doc.Number, doc.Bool:
			if tree.Text(i) != string(tree.Raw(i)) {
				t.Fatalf("Text of %q = %q", tree.Raw(i), tree.Text(i))
			}
		case doc.Invalid:
			t.Fatalf("node %d is invalid", i)
		}
	}
}

// checkSpans holds the tree against its own contract.
func checkSpans(t *testing.T, tree *doc.Tree) {
	t.Helper()
	for i, n := range tree.Nodes {
		if !stdjson.Valid(tree.Raw(i)) {
			t.Fatalf("node %d spans %q", i, tree.Raw(i))
		}
		if int(n.Next) <= i || int(n.Next) > len(tree.Nodes) {
			t.Fatalf("node %d: Next %d", i, n.Next)
		}
		if i == 0 {
			if n.Parent != -1 || int(n.Next) != len(tree.Nodes) {
				t.Fatal("root without end")
			}
			continue
		}
		p := tree.Nodes[n.Parent]
		if n.Start < p.Start || n.End > p.End || n.Next > p.Next || int(n.Parent) >= i {
			t.Fatalf("node %d lies outside its parent", i)
		}
		if (p.Kind == doc.Object) != (n.KeyStart < n.KeyEnd) || n.KeyEnd > n.Start {
			t.Fatalf("node %d: key at %d..%d", i, n.KeyStart, n.KeyEnd)
		}
	}
}

func FuzzEncodedValuesComeBack(f *testing.F) {
	f.Add(`a"b\c</script>`+"\u2028\x00\n", true)
	f.Add("ä€😀\x7f\xff", false)
	f.Fuzz(func(t *testing.T, s string, ascii bool) {
		tree := &doc.Tree{ASCII: ascii}
		out := Format{}.Encode(nil, tree, 0, doc.Value{Kind: doc.String, Text: s})
		back, err := Parse(out, doc.DefaultLimits())
		if err != nil {
			t.Fatalf("Encode(%q) = %q: %v", s, out, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && back.Text(doc.Root) != want {
			t.Fatalf("Encode(%q) reads as %q", s, back.Text(doc.Root))
		}
		if bytes.ContainsRune(out, '<') || ascii && !back.ASCII {
			t.Fatalf("Encode(%q) = %q", s, out)
		}
		number := Format{}.Encode(nil, tree, 0, doc.Value{Kind: doc.Number, Text: s})
		if !stdjson.Valid(number) {
			t.Fatalf("Encode of number %q = %q", s, number)
		}
	})
}
