package lines

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
)

// format is a document's side of a doc.Tree.
type format struct {
	kind  Kind
	names []string
	keys  []int32
	crlf  bool
	flat  bool // texts aren't folded
}

var (
	_ doc.Format   = (*format)(nil)
	_ doc.Verbatim = (*format)(nil)
	_ doc.Marked   = (*format)(nil)
)

// Name is "vcard", "ical" or "ldif".
func (f *format) Name() string { return string(f.kind) }

// Key is a component's, property's or attribute's name; "@name" for a parameter,
// "#text" or "#comment".
func (f *format) Key(_ *doc.Tree, node int) string { return f.names[f.keys[node]] }

// EncodeKey leaves the name as it is: it is the format's, never a value.
func (*format) EncodeKey(dst []byte, t *doc.Tree, node int, _ string) []byte {
	n := &t.Nodes[node]
	return append(dst, t.Src[n.KeyStart:n.KeyEnd]...)
}

// Verbatim returns the bytes of a value without folds and escapes.
func (*format) Verbatim(t *doc.Tree, node int) ([]byte, bool) {
	n := &t.Nodes[node]
	if n.Kind != doc.String || n.Flags&FlagEscaped != 0 {
		return nil, false
	}
	return t.Raw(node), true
}

// Text decodes a value. Bytes in base64 stay base64.
func (f *format) Text(t *doc.Tree, node int) string {
	n, raw := &t.Nodes[node], t.Raw(node)
	switch {
	case n.Flags&FlagEscaped == 0:
		return t.Slice(n.Start, n.End)
	case n.Flags&FlagSpec != 0:
		text, _, _ := specText(raw)
		if n.Flags&FlagBinary != 0 {
			return base64.StdEncoding.EncodeToString(text)
		}
		return string(text)
	case n.Flags&FlagComment != 0:
		return string(unfold(nil, raw))
	case n.Flags&FlagBinary != 0:
		return strings.ReplaceAll(string(unfold(nil, raw)), " ", "")
	case n.Flags&FlagParam != 0:
		return decodeParam(unfold(make([]byte, 0, len(raw)), raw))
	}
	return unescape(unfold(make([]byte, 0, len(raw)), raw))
}

// Markup reports whether a node says how a document is read: its version, or a
// parameter that says what kind of value stands behind it.
func (f *format) Markup(t *doc.Tree, node int) bool {
	n := &t.Nodes[node]
	if n.Kind != doc.String {
		return false
	}
	switch f.names[f.keys[node]] {
	case "VERSION":
		return strings.Trim(f.Text(t, node), " .0123456789") == ""
	case "version":
		return n.Parent == doc.Root
	case "CALSCALE", "METHOD":
		switch f.Text(t, node) {
		case "GREGORIAN", "PUBLISH", "REQUEST", "REPLY", "ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER":
			return true
		}
		return false
	case "@TYPE", "@VALUE", "@ENCODING", "@CHARSET", "@PREF", "@LANGUAGE", "@TZID", "@ROLE", "@PARTSTAT", "@RSVP", "@CUTYPE",
		"@RANGE", "@RELATED", "@RELTYPE", "@FBTYPE", "@ALTID", "@PID", "@CALSCALE", "@MEDIATYPE", "@FMTTYPE", "@INDEX", "@LEVEL":
		return n.Flags&FlagParam != 0 && plain(f.Text(t, node))
	}
	return false
}

// plain reports whether a text can be one of the words that the formats have.
func plain(s string) bool {
	const most = 64
	return len(s) <= most && strings.IndexFunc(s, func(r rune) bool {
		return r >= 0x80 || !isNameByte(byte(r)) && !strings.ContainsRune("./,+", r)
	}) < 0
}

// Binary reports whether a text is bytes in base64.
func (*format) Binary(t *doc.Tree, node int) bool { return t.Nodes[node].Flags&FlagBinary != 0 }

// unescape decodes the escapes of a value.
func unescape(b []byte) string {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		switch b[i] {
		case 'n', 'N':
			out = append(out, '\n')
		case '\\', ',', ';', ':':
			out = append(out, b[i])
		default:
			out = append(out, '\\', b[i])
		}
	}
	return string(out)
}

// decodeParam takes the quotes off, and decodes RFC 6868's escapes.
func decodeParam(b []byte) string {
	s := strings.ReplaceAll(string(b), `"`, "")
	return strings.NewReplacer("^^", "^", "^n", "\n", "^'", `"`).Replace(s)
}

// Encode writes v so that its line stays one: folded, without control characters.
// Of an Object nothing is left.
func (f *format) Encode(dst []byte, t *doc.Tree, node int, v doc.Value) []byte {
	n, text := &t.Nodes[node], v.Text
	if v.Kind == doc.Null {
		text = ""
	}
	text = clean(text, n.Flags&(FlagSpec|FlagBinary) != 0 || n.Flags&(FlagParam|FlagComment) == 0)
	switch {
	case n.Kind != doc.String:
		return dst
	case n.Flags&FlagSpec != 0:
		text = encodeSpec(text, n.Flags&FlagBinary != 0)
	case n.Flags&FlagParam != 0:
		text = encodeParam(text)
	case n.Flags&FlagComment != 0:
	default:
		text = strings.NewReplacer(`\`, `\\`, "\n", `\n`, ",", `\,`, ";", `\;`).Replace(text)
	}
	return f.fold(dst, t, int(n.Start), text)
}

// clean takes out what no line can hold. Line ends stay where the caller escapes
// them.
func clean(text string, breaks bool) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && breaks:
			return r
		case r == '\r' && breaks:
			return -1
		case r < ' ' && r != '\t', r == 0x7f:
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// encodeSpec writes a value of LDIF: as it is where every reader takes it so.
func encodeSpec(text string, binary bool) string {
	if text == "" {
		return ":"
	}
	if bare := strings.ReplaceAll(text, "\n", ""); binary {
		if _, err := base64.StdEncoding.DecodeString(bare); err == nil {
			return ":: " + bare
		}
	}
	if strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f }) >= 0 ||
		strings.ContainsAny(text[:1], " :<") || strings.HasSuffix(text, " ") {
		return ":: " + base64.StdEncoding.EncodeToString([]byte(text))
	}
	return ": " + text
}

func encodeParam(text string) string {
	text = strings.NewReplacer("^", "^^", `"`, "^'").Replace(text)
	if isName(text) {
		return text
	}
	return `"` + text + `"`
}

// fold appends text that begins at an offset of the document, in lines of 75
// bytes, where a fold means nothing. A character isn't divided.
func (f *format) fold(dst []byte, t *doc.Tree, at int, text string) []byte {
	const width = 75
	column := 0
	for at > 0 && t.Src[at-1] != '\n' && column < width {
		at--
		column++
	}
	if column+len(text) <= width || f.flat {
		return append(dst, text...)
	}
	for _, r := range text {
		n := utf8.RuneLen(r)
		if column+n > width {
			if f.crlf {
				dst = append(dst, '\r')
			}
			dst = append(dst, '\n', ' ')
			column = 1
		}
		dst = utf8.AppendRune(dst, r)
		column += n
	}
	return dst
}
