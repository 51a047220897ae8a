package xmlrpc_test

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/xmlrpc"
)

// loose reads a message as Python's and Node's clients and servers do: a stack of
// values, on which the end of each element says what to make of the last text.
type loose struct {
	stack  []string
	marks  []int
	data   strings.Builder
	value  bool
	method string
	fault  bool
}

func (l *loose) read(src []byte) bool {
	dec := xml.NewDecoder(bytes.NewReader(src))
	for {
		tok, err := dec.RawToken()
		if err != nil {
			return err.Error() == "EOF"
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if tok.Name.Local == "array" || tok.Name.Local == "struct" {
				l.marks = append(l.marks, len(l.stack))
			}
			l.data.Reset()
			l.value = tok.Name.Local == "value"
		case xml.CharData:
			l.data.Write(tok)
		case xml.EndElement:
			if !l.end(tok.Name.Local) {
				return false
			}
		}
	}
}

func (l *loose) push(s string) bool {
	l.stack, l.value = append(l.stack, s), false
	return true
}

func (l *loose) end(tag string) bool {
	s := l.data.String()
	switch tag {
	case "int", "i4", "i8", "double":
		return l.push(s)
	case "boolean":
		return l.push(map[string]string{"1": "true", "0": "false"}[s])
	case "nil":
		return l.push("null")
	case "string", "name", "dateTime.iso8601":
		return l.push(strconv.Quote(s))
	case "base64":
		raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
		if err == nil && utf8.Valid(raw) {
			s = string(raw)
		}
		return l.push(strconv.Quote(s))
	case "value":
		if l.value {
			return l.push(strconv.Quote(s))
		}
	case "methodName":
		l.method = s
	case "fault":
		l.fault = true
	case "array", "struct":
		at := l.marks[len(l.marks)-1]
		l.marks = l.marks[:len(l.marks)-1]
		items := l.stack[at:]
		out := "[" + strings.Join(items, ",") + "]"
		if tag == "struct" {
			var pairs []string
			for i := 0; i+1 < len(items); i += 2 {
				pairs = append(pairs, items[i]+":"+items[i+1])
			}
			out = "{" + strings.Join(pairs, ",") + "}"
		}
		l.stack = l.stack[:at]
		return l.push(out)
	}
	return true
}

// message is what was read, as show writes it.
func (l *loose) message() string {
	switch {
	case l.method != "":
		return `{"methodName":` + strconv.Quote(l.method) + `,"params":[` + strings.Join(l.stack, ",") + "]}"
	case l.fault:
		return `{"fault":` + strings.Join(l.stack, ",") + "}"
	}
	return `{"result":` + strings.Join(l.stack, ",") + "}"
}

// FuzzAgreesWithOtherReaders holds that what is accepted reads the same in readers that
// are loose, that no text stays when all are replaced, whatever they held, and that the
// message stays one.
func FuzzAgreesWithOtherReaders(f *testing.F) {
	for _, s := range []string{
		typed("<int>7</int>"), typed("a&amp;<![CDATA[<b>]]>"), typed("<struct><member><name>a</name><value><array><data><value/><value><nil/></value></data></array></value></member></struct>"),
		typed("<base64>eA==</base64>"), typed("<dateTime.iso8601>20260401T10:00:00</dateTime.iso8601>"), typed("<double>-1.5e3</double>"), typed("<boolean>1</boolean>"), typed("<struct/>"),
		"<?xml version='1.0'?>\n<methodCall>\n<methodName>a.b</methodName>\n<params>\n<param>\n<value><i8>1</i8></value>\n</param>\n</params>\n</methodCall>\n",
		`<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>1</int></value></member></struct></value></fault></methodResponse>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		tree, err := xmlrpc.Parse(src, "utf-8", doc.Limits{Depth: 20, Nodes: 500})
		if err != nil {
			return
		}
		var l loose
		if !bytes.ContainsFunc(src, func(r rune) bool { return r >= utf8.RuneSelf || r == '\r' }) && !bytes.Contains(src, []byte("encoding")) {
			if !l.read(src) || l.message() != show(tree, doc.Root) {
				t.Fatalf("%q is read as %s, elsewhere as %s", src, show(tree, doc.Root), l.message())
			}
		}
		var edits []doc.Edit
		for i, n := range tree.Nodes {
			if k := n.Kind; (k == doc.String || k == doc.Number) && tree.Key(i) != xmlrpc.KeyMethod {
				edits = append(edits, doc.Edit{Start: n.Start, End: n.End, With: tree.Format.Encode(nil, tree, i, doc.Value{Kind: doc.String, Text: "•<&>]]>"})})
			}
		}
		out, err := doc.Splice(nil, src, edits)
		if err != nil {
			t.Fatal(err)
		}
		again, err := xmlrpc.Parse(out, "utf-8", doc.Limits{Depth: 20, Nodes: 500})
		if err != nil || len(again.Nodes) != len(tree.Nodes) {
			t.Fatalf("%q becomes %q: %v", src, out, err)
		}
		for i := range again.Nodes {
			if k := again.Nodes[i].Kind; (k == doc.String || k == doc.Number) && again.Key(i) != xmlrpc.KeyMethod && again.Text(i) != "•<&>]]>" {
				t.Fatalf("%q stays in %q", again.Text(i), out)
			}
		}
	})
}
