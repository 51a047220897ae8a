package xml

import (
	"bytes"
	stdxml "encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/crmgate/crmgate/internal/doc"
)

func seeds(f *testing.F) {
	for _, s := range []string{
		soap, `<a/>`, `<a b="1" c='&#34;'>x<b/>y<![CDATA[z]]></a>`, "\ufeff<?xml version='1.0'?>\r\n<?p q?><!--c--><a xmlns='u' xmlns:p=\"v\"><p:b p:c=''/></a>",
		`<a>]]></a>`, `<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>`, `<ä xml:lang="de">&#x1F600;</ä>`, `<a xmlns:b="u"><b:c xmlns:b="v">1</b:c><b:c/></a>`,
		`<methodResponse><params><param><value><struct><member><name>id</name><value><int>7</int></value></member></struct></value></param></params></methodResponse>`,
	} {
		f.Add([]byte(s), "Erika \"*\" <x>]]>")
	}
}

// words are what a reader sees: the names and texts of a document in their order.
type words []string

func (w *words) text(s string) {
	if last := len(*w) - 1; last >= 0 && strings.HasPrefix((*w)[last], "#text ") {
		(*w)[last] += s
		return
	}
	*w = append(*w, "#text "+s)
}

// spaces makes white space in attributes alike: encoding/xml leaves what XML
// normalizes.
func spaces(s string) string { return strings.NewReplacer("\n", " ", "\t", " ", "\r", " ").Replace(s) }

// standard reads a document with encoding/xml.
func standard(src []byte) (words, error) {
	var w words
	dec := stdxml.NewDecoder(bytes.NewReader(src))
	depth := 0
	for {
		tok, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			return w, nil
		}
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case stdxml.StartElement:
			depth++
			w = append(w, "<"+tok.Name.Local)
			for _, a := range tok.Attr {
				key := a.Name.Local
				if a.Name.Space == "xmlns" {
					key = "xmlns:" + key
				}
				w = append(w, "@"+key+" "+spaces(a.Value))
			}
		case stdxml.EndElement:
			depth--
			w = append(w, ">")
		case stdxml.CharData:
			if depth > 0 {
				w.text(string(tok))
			}
		case stdxml.Comment:
			w = append(w, "#comment "+string(tok))
		case stdxml.ProcInst:
			if tok.Target != "xml" && len(tok.Inst) > 0 {
				w = append(w, "#pi "+string(tok.Inst))
			}
		}
	}
}

// ours reads it from the tree.
func ours(t *doc.Tree, node int, w *words) {
	for c := range t.Children(node) {
		key, flags := t.Key(c), t.Nodes[c].Flags
		local := key[strings.LastIndexByte(key, ':')+1:]
		switch {
		case flags&FlagText != 0:
			w.text(t.Text(c))
		case flags&FlagAttr != 0:
			if strings.HasPrefix(key, "@xmlns:") {
				local = key[1:]
			}
			*w = append(*w, "@"+strings.TrimPrefix(local, "@")+" "+spaces(t.Text(c)))
		case flags&(FlagComment|FlagPI) != 0:
			if t.Text(c) != "" || flags&FlagComment != 0 {
				*w = append(*w, key+" "+t.Text(c))
			}
		case t.Nodes[c].Kind == doc.String:
			*w = append(*w, "<"+local)
			if t.Text(c) != "" {
				w.text(t.Text(c))
			}
			*w = append(*w, ">")
		default:
			*w = append(*w, "<"+local)
			ours(t, c, w)
			*w = append(*w, ">")
		}
	}
}

// dense leaves out the white space between elements, which is no node.
func (w words) dense() words {
	var out words
	for i, s := range w {
		leaf := i > 0 && i+1 < len(w) && strings.HasPrefix(w[i-1], "<") && w[i+1] == ">"
		if text, ok := strings.CutPrefix(s, "#text "); ok && !leaf && strings.Trim(text, " \t\n") == "" {
			continue
		}
		out = append(out, s)
	}
	return out
}

// asNamed reports whether encoding/xml knows the characters in names: it has an
// older edition's.
func asNamed(src []byte) bool {
	return bytes.IndexFunc(src, func(r rune) bool { return r >= 0x80 }) < 0
}

// FuzzAgreesWithEncodingXML holds that what is accepted reads the same in
// encoding/xml.
func FuzzAgreesWithEncodingXML(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src []byte, _ string) {
		tree, err := Parse(src, Options{}, doc.Limits{Depth: 48, Nodes: 2000})
		if err != nil {
			return
		}
		if f, ok := tree.Format.(*format); !ok || !isUTF8(f.cs) {
			return
		}
		want, err := standard(src)
		if err != nil {
			if asNamed(src) {
				t.Fatalf("%q is refused by encoding/xml: %v", src, err)
			}
			return
		}
		var got words
		ours(tree, doc.Root, &got)
		if g, w := strings.Join(got.dense(), "\n"), strings.Join(want.dense(), "\n"); g != w {
			t.Fatalf("%q\n got %q\nwant %q", src, got.dense(), want.dense())
		}
	})
}

// FuzzSplice holds that a replaced value stands where the old one stood, that
// nothing else changes, and that a planted value can't be read back from the
// masked document.
func FuzzSplice(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src []byte, value string) {
		tree, err := Parse(src, Options{}, doc.Limits{Depth: 48, Nodes: 2000})
		if err != nil {
			return
		}
		checkShape(t, tree)
		if same, err := doc.Splice(nil, src, nil); err != nil || !bytes.Equal(same, src) {
			t.Fatalf("no edits: %v, %q", err, same)
		}
		for i := range tree.Nodes[:min(len(tree.Nodes), 8)] {
			checkReplacement(t, tree, i, value)
		}
		checkCanary(t, tree)
	})
}

// checkShape holds the tree contract: nodes nest, spans lie in their parents,
// siblings don't overlap.
func checkShape(t *testing.T, tree *doc.Tree) {
	t.Helper()
	for i := range tree.Nodes {
		n := tree.Nodes[i]
		at := n.Start
		for c := range tree.Children(i) {
			m := tree.Nodes[c]
			if int(m.Parent) != i || m.Start < at || m.End < m.Start || m.End > n.End || m.KeyEnd <= m.Start {
				t.Fatalf("%q: node %d [%d,%d) in node %d [%d,%d)", tree.Src, c, m.Start, m.End, i, n.Start, n.End)
			}
			at = m.End
		}
	}
}

func checkReplacement(t *testing.T, tree *doc.Tree, node int, value string) {
	t.Helper()
	n := tree.Nodes[node]
	with := tree.Format.Encode(nil, tree, node, doc.Value{Kind: doc.String, Text: value})
	out, err := doc.Splice(nil, tree.Src, []doc.Edit{{Start: n.Start, End: n.End, With: with}})
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(out, Options{}, doc.DefaultLimits())
	if err != nil {
		t.Fatalf("%q in the place of node %d of %q: %q: %v", value, node, tree.Src, out, err)
	}
	if n.Kind != doc.String || len(again.Nodes) != len(tree.Nodes) {
		return // a text of white space is no node
	}
	for i := range tree.Nodes {
		if tree.Nodes[i].Kind == doc.String && i != node && tree.Text(i) != again.Text(i) {
			t.Fatalf("%q in the place of node %d of %q changes node %d: %q", value, node, tree.Src, i, out)
		}
	}
}

// checkCanary replaces every value by a canary, takes that document for the
// CRM's, replaces every value again and looks for the canary with encoding/xml.
func checkCanary(t *testing.T, tree *doc.Tree) {
	t.Helper()
	planted := replaceAll(t, tree, "kanarie")
	second, err := Parse(planted, Options{}, doc.DefaultLimits())
	if err != nil {
		// A namespace of that name may bind what must not be bound, or make two
		// attributes one.
		return
	}
	out := replaceAll(t, second, "*")
	if bytes.Contains(out, []byte("kanarie")) {
		t.Fatalf("a canary stays: %q", out)
	}
	read, err := standard(out)
	if err != nil && asNamed(out) {
		t.Fatalf("%q: %v", out, err)
	}
	if strings.Contains(strings.Join(read, " "), "kanarie") {
		t.Fatalf("a canary stays in %q", read)
	}
}

// replaceAll replaces all values but namespaces, which bind the names.
func replaceAll(t *testing.T, tree *doc.Tree, value string) []byte {
	t.Helper()
	var edits []doc.Edit
	for i, n := range tree.Nodes {
		if n.Kind == doc.String && !strings.HasPrefix(tree.Key(i), "@xml") {
			with := tree.Format.Encode(nil, tree, i, doc.Value{Kind: doc.String, Text: value})
			edits = append(edits, doc.Edit{Start: n.Start, End: n.End, With: with})
		}
	}
	out, err := doc.Splice(nil, tree.Src, edits)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
