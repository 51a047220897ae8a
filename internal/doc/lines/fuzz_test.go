package lines

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

var folds = regexp.MustCompile("\r?\n[ \t]")

// readable is what a reader that knows nothing of the tree can read: the lines
// unfolded, and what base64 in them says.
func readable(src []byte) string {
	s := folds.ReplaceAllString(string(src), "")
	var all strings.Builder
	for line := range strings.Lines(s) {
		all.WriteString(line)
		_, value, _ := strings.Cut(line, ":")
		if out, err := base64.StdEncoding.DecodeString(strings.TrimSpace(strings.TrimPrefix(value, ":"))); err == nil {
			all.Write(out)
		}
		all.WriteString("\n")
	}
	return all.String()
}

// FuzzSplice holds that a replaced value stands where the old one stood and
// nothing else changes, and that a planted value can't be read back from the
// masked document.
func FuzzSplice(f *testing.F) {
	for _, s := range []string{suite, calendar, directory, card("NOTE;X=\"a,b\":a\r\n b", "N:a;b\r\n ;c;;", "PHOTO;ENCODING=b:AA==")} {
		for k := range 3 {
			f.Add([]byte(s), "Erika\r\nEND:VCARD\r\n \"*\";:", uint8(k))
		}
	}
	kinds := [...]Kind{VCard, ICal, LDIF}
	f.Fuzz(func(t *testing.T, src []byte, value string, k uint8) {
		kind := kinds[int(k)%len(kinds)]
		tree, err := Parse(src, kind, doc.Limits{Depth: 48, Nodes: 2000})
		if err != nil {
			return
		}
		checkShape(t, tree)
		if same, err := doc.Splice(nil, src, nil); err != nil || !bytes.Equal(same, src) {
			t.Fatalf("no edits: %v, %q", err, same)
		}
		for i := range tree.Nodes[:min(len(tree.Nodes), 8)] {
			if bound(tree, i) || tree.Nodes[i].Kind != doc.String {
				continue
			}
			out := replace(t, tree, i, doc.Value{Kind: doc.String, Text: value})
			if _, err := Parse([]byte(out), kind, doc.DefaultLimits()); err != nil && !strings.Contains(err.Error(), "before version 3.0") {
				t.Fatalf("%q in the place of node %d of %q: %q: %v", value, i, src, out, err)
			}
		}
		second, err := Parse(replaceAll(t, tree, "kanarie"), kind, doc.DefaultLimits())
		if err != nil {
			t.Fatalf("%q: %v", src, err)
		}
		if out := readable(replaceAll(t, second, "*")); strings.Contains(out, "kanarie") {
			t.Fatalf("a canary stays in %q of %q", out, src)
		}
	})
}

// bound reports whether a value says how others are read.
func bound(t *doc.Tree, node int) bool {
	switch t.Key(node) {
	case "@ENCODING", "@CHARSET", "@TYPE", "VERSION":
		return true
	}
	return false
}

func checkShape(t *testing.T, tree *doc.Tree) {
	t.Helper()
	for i := range tree.Nodes {
		n := tree.Nodes[i]
		at := n.Start
		for c := range tree.Children(i) {
			m := tree.Nodes[c]
			if int(m.Parent) != i || m.Start < at || m.End < m.Start || m.End > n.End || m.KeyEnd > int32(len(tree.Src)) || m.Kind == doc.String && m.KeyEnd <= m.Start {
				t.Fatalf("%q: node %d [%d,%d) in node %d [%d,%d)", tree.Src, c, m.Start, m.End, i, n.Start, n.End)
			}
			at = m.End
		}
	}
}

func replaceAll(t *testing.T, tree *doc.Tree, value string) []byte {
	t.Helper()
	var edits []doc.Edit
	for i, n := range tree.Nodes {
		if n.Kind == doc.String && !bound(tree, i) {
			edits = append(edits, doc.Edit{Start: n.Start, End: n.End, With: tree.Format.Encode(nil, tree, i, doc.Value{Kind: doc.String, Text: value})})
		}
	}
	out, err := doc.Splice(nil, tree.Src, edits)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
