package xmlrpc

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/xml"
)

// format is a message's side of a doc.Tree.
type format struct {
	x     *doc.Tree
	about []about
}

var (
	_ doc.Format   = (*format)(nil)
	_ doc.Verbatim = (*format)(nil)
	_ doc.Picky    = (*format)(nil)
	_ doc.Grafter  = (*format)(nil)
	_ doc.Growing  = (*format)(nil)
)

// Name is "xmlrpc".
func (*format) Name() string { return Name }

// Text is a scalar's text: `true` and `false` for booleans, and of bytes the text
// that they are, where they are one.
func (f *format) Text(t *doc.Tree, node int) string {
	a := &f.about[node]
	if a.text < 0 {
		return ""
	}
	s := f.x.Text(int(a.text))
	switch a.kind {
	case boolean:
		if s == "1" {
			return "true"
		}
		return "false"
	case base64Bytes:
		if raw, ok := decode(s); ok && utf8.Valid(raw) {
			return string(raw)
		}
	}
	return s
}

// Verbatim returns the bytes of a text without references and CDATA sections.
func (f *format) Verbatim(t *doc.Tree, node int) ([]byte, bool) {
	a := &f.about[node]
	v, ok := f.x.Format.(doc.Verbatim)
	if t.Nodes[node].Kind != doc.String || a.text < 0 || a.kind == base64Bytes || !ok {
		return nil, false
	}
	return v.Verbatim(f.x, int(a.text))
}

// Takes reports whether XML has all characters of a text.
func (*format) Takes(text string) bool { return xml.Takes(text) }

// Key is a member's name, or the word for a part of the message.
func (f *format) Key(_ *doc.Tree, node int) string {
	a := &f.about[node]
	if a.name < 0 {
		return a.key
	}
	return f.x.Text(int(a.name))
}

// Encode writes v as a value of the type that the node had where that can hold it,
// and as a string, a number or nil where not.
func (f *format) Encode(dst []byte, t *doc.Tree, node int, v doc.Value) []byte {
	a := &f.about[node]
	switch {
	case node == doc.Root:
		dst = append(dst, "<methodResponse><params><param>"...)
		return append(appendScalar(dst, untyped, v, t.ASCII), "</param></params></methodResponse>"...)
	case a.kind == own && t.Nodes[node].Kind == doc.String:
		return xml.AppendText(dst, v.Text, t.ASCII)
	case a.kind == own:
		dst = append(dst, "<params><param>"...)
		return append(appendScalar(dst, untyped, v, t.ASCII), "</param></params>"...)
	}
	return f.close(appendScalar(dst, a.kind, v, t.ASCII), node)
}

// close ends the member that a node's span ends with.
func (f *format) close(dst []byte, node int) []byte {
	if node >= 0 && f.about[node].name >= 0 {
		dst = append(dst, "</member>"...)
	}
	return dst
}

// EncodeKey begins a member with a name.
func (f *format) EncodeKey(dst []byte, t *doc.Tree, node int, key string) []byte {
	if f.about[node].name < 0 && f.about[node].key != "" {
		n := &t.Nodes[node]
		return append(dst, t.Src[n.KeyStart:n.KeyEnd]...)
	}
	return appendName(dst, key, t.ASCII)
}

func appendName(dst []byte, key string, ascii bool) []byte {
	dst = append(dst, "<member><name>"...)
	return append(xml.AppendText(dst, key, ascii), "</name>"...)
}

// appendScalar appends a value element of a type that can hold v: was, where it can.
func appendScalar(dst []byte, was kind, v doc.Value, ascii bool) []byte {
	k, s := null, ""
	switch v.Kind {
	case doc.String:
		k, s = text, v.Text
		switch {
		case was == untyped || was == dateTime && v.Text != "" && len(v.Text) <= longestDate && strings.Trim(v.Text, dateChars) == "":
			k = was
		case was == base64Bytes:
			k, s = was, base64.StdEncoding.EncodeToString([]byte(v.Text))
		}
	case doc.Number:
		switch s = v.Text; {
		case isInteger(s) && was >= i4 && was <= double:
			k = was
		case isInteger(s):
			k = wide(s)
		case isDouble(s):
			k = double
		}
	case doc.Bool:
		if k, s = boolean, "0"; v.Text == "true" {
			s = "1"
		}
	}
	return appendElement(dst, k, s, ascii)
}

// wide is the type of integers that holds one.
func wide(s string) kind {
	const most = 9 // digits that surely are within 32 bits
	if len(s) > most {
		return i8
	}
	return integer
}

func appendElement(dst []byte, k kind, s string, ascii bool) []byte {
	dst = append(dst, "<value>"...)
	if k == untyped {
		return append(xml.AppendText(dst, s, ascii), "</value>"...)
	}
	tag := tags()[k]
	dst = append(append(dst, '<'), tag...)
	if k == null {
		return append(dst, "/></value>"...)
	}
	dst = xml.AppendText(append(dst, '>'), s, ascii)
	return append(append(append(dst, "</"...), tag...), "></value>"...)
}

// Graft writes a value of another document, whatever it holds. A node of -1 is none:
// the value gets no end of a member.
func (f *format) Graft(dst []byte, t *doc.Tree, node int, from *doc.Tree, value int) []byte {
	return f.close(AppendValue(dst, from, value, t.ASCII, nil), node)
}

// AppendValue appends a value element for a value of any document, without the
// members of it for which out, unless it is nil, answers true.
func AppendValue(dst []byte, t *doc.Tree, node int, ascii bool, out func(member int) bool) []byte {
	switch k := t.Nodes[node].Kind; k {
	case doc.Object:
		dst = append(dst, "<value><struct>"...)
		for c := range t.Children(node) {
			if out == nil || !out(c) {
				dst = appendName(dst, t.Key(c), ascii)
				dst = append(AppendValue(dst, t, c, ascii, out), "</member>"...)
			}
		}
		return append(dst, "</struct></value>"...)
	case doc.Array:
		dst = append(dst, "<value><array><data>"...)
		for c := range t.Children(node) {
			dst = AppendValue(dst, t, c, ascii, out)
		}
		return append(dst, "</data></array></value>"...)
	default:
		was := text
		if f, ok := t.Format.(*format); ok {
			was = f.about[node].kind
			if was == base64Bytes {
				return appendElement(dst, was, f.x.Text(int(f.about[node].text)), ascii)
			}
		}
		return appendScalar(dst, was, doc.Value{Kind: k, Text: t.Text(node)}, ascii)
	}
}

// Grow adds members at the end of a struct.
func (f *format) Grow(t *doc.Tree, object int, add []doc.Member) doc.Edit {
	var with []byte
	for _, m := range add {
		with = appendName(with, m.Key, t.ASCII)
		if m.Raw != nil {
			with = append(with, m.Raw...)
		} else {
			with = appendScalar(with, text, doc.Value{Kind: doc.String, Text: m.Text}, t.ASCII)
		}
		with = append(with, "</member>"...)
	}
	last := -1
	for c := range t.Children(object) {
		last = c
	}
	if last >= 0 {
		return doc.Edit{Start: t.Nodes[last].End, End: t.Nodes[last].End, With: with}
	}
	// An empty struct is written anew: it may have no place between its tags.
	n := &t.Nodes[object]
	with = append(append([]byte("<value><struct>"), with...), "</struct></value>"...)
	return doc.Edit{Start: n.Start, End: n.End, With: f.close(with, object)}
}

// AppendCall appends a call with values that AppendValue made.
func AppendCall(dst []byte, method string, params [][]byte) []byte {
	dst = append(dst, `<?xml version="1.0"?><methodCall><methodName>`...)
	dst = append(xml.AppendText(dst, method, true), "</methodName><params>"...)
	for _, p := range params {
		dst = append(append(append(dst, "<param>"...), p...), "</param>"...)
	}
	return append(dst, "</params></methodCall>"...)
}

// AppendText appends a value element with a text.
func AppendText(dst []byte, s string) []byte { return appendElement(dst, text, s, true) }

// AppendFault appends an answer that is a fault. text stands in it as it is: escaped
// by the caller.
func AppendFault(dst []byte, code, text string) []byte {
	dst = append(dst, `<?xml version="1.0"?><methodResponse><fault><value><struct><member><name>faultCode</name><value><int>`...)
	dst = append(append(dst, code...), `</int></value></member><member><name>faultString</name><value><string>`...)
	return append(append(dst, text...), `</string></value></member></struct></value></fault></methodResponse>`...)
}
