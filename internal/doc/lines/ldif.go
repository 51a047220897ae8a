package lines

import (
	"bytes"
	"encoding/base64"
	"slices"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
)

// ldif reads entries.
func (b *builder) ldif() {
	entry := int32(doc.Root) // the one that is open
	end := b.pos             // of its last line
	shut := func() {
		if entry != doc.Root {
			b.close(entry, end)
		}
		entry = doc.Root
	}
	for first := true; b.pos < len(b.src) && b.fault == ""; {
		l := b.line()
		if l.folded && bytes.Contains(b.src[l.start:l.end], []byte("\n\t")) {
			b.fail(l.start, "a line that begins with a tab")
		}
		switch {
		case l.end == l.start:
			shut()
			continue
		case b.src[l.start] == '#':
			b.comment(entry, l)
			end = l.end
			continue
		}
		name, colon := b.attribute(l)
		switch {
		case b.fault != "":
		case entry == doc.Root && first && name == "version":
		case entry == doc.Root && name != "dn":
			b.fail(l.start, "an entry that doesn't begin with its dn")
		case entry == doc.Root:
			entry = b.open(doc.Root, "", l.start, l.start)
		case name == "changetype" || name == "control":
			b.fail(l.start, "a change record")
		}
		first = false
		b.spec(entry, name, colon, l)
		end = l.end
	}
	shut()
}

func (b *builder) comment(parent int32, l line) {
	if l.end == l.start+1 {
		return
	}
	n := doc.Node{Flags: FlagComment, Start: int32(l.start) + 1, End: int32(l.end), KeyStart: int32(l.start), KeyEnd: int32(l.end)}
	if l.folded {
		n.Flags |= FlagEscaped
	}
	b.add(parent, "#comment", n)
}

// attribute reads a line up to its colon: `name;option;option:`.
func (b *builder) attribute(l line) (name string, colon int) {
	c := &cursor{src: b.src, at: l.start, end: l.end, folded: l.folded}
	name = b.word(c.dotted())
	for c.peek() == ';' {
		c.at++
		c.dotted()
	}
	if name == "" || c.peek() != ':' {
		b.fail(l.start, "a line that is no value")
	}
	return name, c.at
}

// dotted takes a name, or one of numbers with dots between them.
func (c *cursor) dotted() []byte {
	name := c.word()
	for c.peek() == '.' {
		c.at++
		name = append(append(slices.Clone(name), '.'), c.word()...)
	}
	return name
}

// spec adds a value with the colon before it, for another value may need two.
func (b *builder) spec(parent int32, name string, colon int, l line) {
	if b.fault != "" {
		return
	}
	n := doc.Node{Flags: FlagSpec | FlagEscaped, Start: int32(colon), End: int32(l.end), KeyStart: int32(l.start), KeyEnd: int32(l.end)}
	if raw := b.src[colon:l.end]; !l.folded && (len(raw) == 1 || raw[1] != ':' && raw[1] != '<') {
		b.add(parent, name, n)
		return
	}
	text, coded, ok := specText(b.src[colon:l.end])
	switch {
	case !ok:
		b.fail(colon, "a value that is the address of a file, or no base64")
	case coded && isText(text):
		n.Flags |= FlagBase64
	case coded:
		n.Flags |= FlagBinary
	}
	b.add(parent, name, n)
}

// specText decodes `: text` and `:: base64`.
func specText(raw []byte) (text []byte, coded, ok bool) {
	raw = unfold(make([]byte, 0, len(raw)), raw)[1:]
	if len(raw) > 0 && raw[0] == '<' {
		return nil, false, false
	}
	if coded = len(raw) > 0 && raw[0] == ':'; coded {
		raw = raw[1:]
	}
	raw = bytes.TrimLeft(raw, " ")
	if !coded {
		return raw, false, true
	}
	raw = bytes.TrimRight(raw, " ")
	out := make([]byte, base64.StdEncoding.DecodedLen(len(raw)))
	n, err := base64.StdEncoding.Strict().Decode(out, raw)
	return out[:n], true, err == nil
}

// isText reports whether decoded bytes are text: UTF-8 without control
// characters but white space.
func isText(b []byte) bool {
	return utf8.Valid(b) && bytes.IndexFunc(b, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' }) < 0
}
