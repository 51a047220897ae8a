package lines

import (
	"bytes"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// component is one that is open.
type component struct {
	node int32
	name string
	// version is a vCard's, and folded where a text of it is folded.
	version string
	folded  int
}

// components reads vCards or calendars.
func (b *builder) components() {
	open := []component{{folded: -1}}
	for b.pos < len(b.src) && b.fault == "" {
		l := b.line()
		if len(bytes.Trim(b.src[l.start:l.end], " \t")) == 0 {
			continue
		}
		p := b.property(l)
		top := &open[len(open)-1]
		switch {
		case b.fault != "":
		case p.name == "BEGIN":
			open = b.begin(open, l, &p)
		case p.name == "END":
			open = b.end(open, l, &p)
		case len(open) == 1:
			b.fail(l.start, "a property outside of a component")
		default:
			b.note(top, l, &p)
			b.addProperty(top.node, l, &p)
		}
	}
	if len(open) > 1 {
		b.fail(len(b.src), "a component that is not closed")
	}
}

// top is the name of a file's outermost components.
func (b *builder) top() string {
	if b.kind == ICal {
		return "VCALENDAR"
	}
	return "VCARD"
}

// delimits returns the component's name that a BEGIN or END line gives.
func (b *builder) delimits(l line, p *property) string {
	name := strings.ToUpper(strings.TrimSpace(string(unfold(nil, b.src[p.value:l.end]))))
	if len(p.params) > 0 || !isName(name) {
		b.fail(l.start, "a component without a name")
	}
	return name
}

func (b *builder) begin(open []component, l line, p *property) []component {
	name := b.delimits(l, p)
	switch {
	case b.fault != "":
		return open
	case len(open) == 1 && name != b.top():
		b.fail(l.start, "another component than "+b.top())
	case len(open) > b.lim.Depth:
		b.fail(l.start, "nested too deeply")
	}
	node := b.open(open[len(open)-1].node, name, l.start, l.next)
	return append(open, component{node: node, name: name, folded: -1})
}

func (b *builder) end(open []component, l line, p *property) []component {
	c := open[len(open)-1]
	if name := b.delimits(l, p); len(open) == 1 || name != c.name {
		b.fail(l.start, "an END that is not the open component's")
		return open
	}
	if c.name == "VCARD" && c.version != "3.0" && c.version != "4.0" {
		b.old = true
		if c.folded >= 0 {
			b.fail(c.folded, "a folded text in a vCard before version 3.0: the fold is a blank in some")
		}
	}
	b.close(c.node, l.next)
	return open[:len(open)-1]
}

// note keeps what a component's end is asked about.
func (b *builder) note(c *component, l line, p *property) {
	if p.name == "VERSION" {
		c.version = strings.TrimSpace(string(unfold(nil, b.src[p.value:l.end])))
	}
	if l.folded && c.folded < 0 && !p.binary {
		c.folded = l.start
	}
}

// property is a line's name, parameters and where its value begins.
type property struct {
	name   string
	params []param
	value  int
	binary bool
}

// param is where a parameter's value stands.
type param struct {
	name       string
	start, end int
}

// cursor reads a logical line and passes over its folds.
type cursor struct {
	src    []byte
	at     int
	end    int
	folded bool
}

// peek returns the next byte, 0 at the end.
func (c *cursor) peek() byte {
	for c.folded && c.at < c.end {
		n := fold(c.src[c.at:c.end])
		if n == 0 {
			break
		}
		c.at += n
	}
	if c.at >= c.end {
		return 0
	}
	return c.src[c.at]
}

// word takes a name.
func (c *cursor) word() []byte {
	from := c.at
	for isNameByte(c.peek()) {
		c.at++
	}
	if !c.folded {
		return c.src[from:c.at]
	}
	return unfold(nil, c.src[from:c.at])
}

// word is a name in its one spelling.
func (b *builder) word(raw []byte) string {
	if w, ok := b.words[string(raw)]; ok {
		return w
	}
	w := strings.ToUpper(string(raw))
	if b.kind == LDIF {
		w = strings.ToLower(w)
	}
	b.words[string(raw)] = w
	return w
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

func isName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 || !isNameByte(byte(r)) }) < 0
}

// property reads a line up to its value.
func (b *builder) property(l line) property {
	c := &cursor{src: b.src, at: l.start, end: l.end, folded: l.folded}
	p := property{name: b.word(c.word()), params: b.params[:0]}
	if p.name != "" && c.peek() == '.' { // behind a group
		c.at++
		p.name = b.word(c.word())
	}
	for p.name != "" && c.peek() == ';' {
		c.at++
		b.param(c, &p)
		if b.fault != "" {
			return p
		}
	}
	if p.name == "" || c.peek() != ':' {
		b.fail(l.start, "a line that is no property")
		return p
	}
	p.value, b.params = c.at+1, p.params
	b.checkParams(&p)
	return p
}

// param reads `name=value,value`, or vCard 2.1's value without a name.
func (b *builder) param(c *cursor, p *property) {
	c.peek()
	from := c.at
	name := b.word(c.word())
	if name == "" {
		b.fail(from, "a parameter without a name")
		return
	}
	if c.peek() != '=' {
		p.params = append(p.params, param{name: "TYPE", start: from, end: c.at})
		return
	}
	c.at++
	c.peek()
	q := param{name: name, start: c.at}
	const bare, opens, quoted, shut = 0, 1, 2, 3
	for state := opens; ; c.at++ {
		switch ch := c.peek(); {
		case ch == 0, ch == '"' && state == bare, state == shut && ch != ',' && ch != ';' && ch != ':':
			b.fail(from, "a parameter that doesn't end, or a quote inside of one")
			return
		case state == quoted && ch == '"':
			state = shut
		case state == quoted:
		case ch == '"':
			state = quoted
		case ch == ';' || ch == ':':
			q.end = c.at
			p.params = append(p.params, q)
			return
		case ch == ',':
			state = opens
		default:
			state = bare
		}
	}
}

// checkParams refuses what would change how the value is read, and notes base64.
func (b *builder) checkParams(p *property) {
	for _, q := range p.params {
		if q.name != "ENCODING" && q.name != "TYPE" && q.name != "CHARSET" {
			continue
		}
		value := bytes.Trim(b.src[q.start:q.end], `"`)
		if bytes.IndexByte(value, '\n') >= 0 {
			value = unfold(nil, value)
		}
		is := func(words ...string) bool {
			return slices.ContainsFunc(words, func(w string) bool { return len(w) == len(value) && strings.EqualFold(w, string(value)) })
		}
		switch {
		case q.name == "ENCODING" && is("b", "base64"), q.name == "TYPE" && is("base64"):
			p.binary = true
		case q.name == "ENCODING" && !is("8bit", "7bit"), q.name == "TYPE" && is("quoted-printable"):
			b.fail(q.start, "quoted-printable, or another encoding than base64")
		case q.name == "CHARSET" && !is("utf-8", "us-ascii"):
			b.fail(q.start, "another charset than UTF-8")
		}
	}
}

// addProperty adds a property's nodes. A key spans the line, so that the node
// isn't taken for a member that could be cut out with a separator.
func (b *builder) addProperty(parent int32, l line, p *property) {
	parts := b.parts(l, p)
	if len(p.params) == 0 && len(parts) < 2 {
		n := doc.Node{Start: int32(p.value), End: int32(l.end)}
		if len(parts) == 1 {
			n = parts[0]
			n.Flags &^= FlagText
		}
		n.KeyStart, n.KeyEnd = int32(l.start), int32(l.next)
		b.add(parent, p.name, n)
		return
	}
	node := b.open(parent, p.name, l.start, l.next)
	for _, q := range p.params {
		n := doc.Node{Flags: FlagParam | FlagEscaped, Start: int32(q.start), End: int32(q.end), KeyStart: int32(l.start), KeyEnd: int32(l.next)}
		b.add(node, b.marks(q.name), n)
	}
	for _, n := range parts {
		b.add(node, "#text", n)
	}
	b.close(node, l.next)
}

// marks is a parameter's key.
func (b *builder) marks(name string) string {
	key, ok := b.words["@"+name] // no name begins so
	if !ok {
		key = "@" + name
		b.words[key] = key
	}
	return key
}

// parts divides a value: a structured one at its semicolons. Empty parts have no
// node, and neither has the scheme of a person's address.
func (b *builder) parts(l line, p *property) []doc.Node {
	at, end := p.value, l.end
	b.texts = b.texts[:0]
	if p.binary {
		b.part(at, end, FlagBinary|FlagEscaped)
		return b.texts
	}
	for _, scheme := range [...]string{"mailto:", "tel:"} {
		if len(b.src[at:end]) > len(scheme) && b.src[at+len(scheme)-1] == ':' && strings.EqualFold(string(b.src[at:at+len(scheme)]), scheme) {
			at += len(scheme)
		}
	}
	flags := uint8(0)
	if l.folded || bytes.IndexByte(b.src[at:end], '\\') >= 0 {
		flags = FlagEscaped
	}
	if b.kind == VCard && (p.name == "N" || p.name == "ADR" || p.name == "ORG") {
		b.structured(cursor{src: b.src, at: at, end: end, folded: l.folded}, flags)
	} else {
		b.part(at, end, flags)
	}
	return b.texts
}

// structured divides a value at its semicolons.
func (b *builder) structured(c cursor, flags uint8) {
	from := c.at
	for ; ; c.at++ {
		switch c.peek() {
		case 0:
			b.part(from, c.end, flags)
			return
		case '\\':
			c.at++
			c.peek()
		case ';':
			b.part(from, c.at, flags)
			from = c.at + 1
		}
	}
}

func (b *builder) part(start, end int, flags uint8) {
	if start < end {
		n := doc.Node{Flags: FlagText | flags, Start: int32(start), End: int32(end)}
		n.KeyStart, n.KeyEnd = n.Start, n.End
		b.texts = append(b.texts, n)
	}
}
