package html

import (
	"bytes"
	"slices"

	"golang.org/x/net/html/atom"

	"github.com/crmgate/crmgate/internal/doc"
)

// startTag adds an element and its attributes, after closing those that it ends.
func (b *builder) startTag(raw []byte, selfClosing bool) error {
	size, err := b.tagName(raw[1:])
	if err != nil {
		return err
	}
	if err := b.scanAttrs(raw, 1+size); err != nil {
		return err
	}
	if err := b.checkAttrs(); err != nil {
		return err
	}
	if b.broken {
		if err := b.takeOut(raw[1 : 1+size]); err != nil {
			return err
		}
	}
	return b.element(raw, size, selfClosing)
}

// element adds an element whose attributes are in b.attrs. size is the length of
// its name.
func (b *builder) element(raw []byte, size int, selfClosing bool) error {
	tag := lowered(raw[1 : 1+size])
	e := entry{atom: atom.Lookup(tag)}
	if e.name = e.atom.String(); e.atom == 0 {
		e.name = string(tag)
	}
	if err := b.place(&e, raw); err != nil {
		return err
	}
	e.node = int32(len(b.nodes))
	err := b.add(doc.Node{
		Kind: doc.Object, Start: int32(b.at), End: int32(b.at + len(raw)),
		KeyStart: int32(b.at + 1), KeyEnd: int32(b.at + 1 + size),
	})
	if err != nil {
		return err
	}
	if len(b.open) > b.lim.Depth {
		return refuse(b.at, "nested too deep")
	}
	b.open = append(b.open, e)
	if err := b.addAttrs(); err != nil {
		return err
	}
	if e.foreign && selfClosing || !e.foreign && (isVoid(e.atom) || b.repeated(e.atom)) {
		b.pop(b.at + len(raw))
	}
	return nil
}

// place decides whether the element is HTML's or SVG's, closes what it ends,
// and tells the tokenizer how browsers read what follows.
func (b *builder) place(e *entry, raw []byte) error {
	if inForeign := b.top().foreign && !isIntegration(b.top()); inForeign {
		if leavesForeign(e.atom) {
			return refuse(b.at, "an HTML element directly in SVG: browsers move it out")
		}
		e.foreign = true
		b.z.NextIsNotRawText()
		return nil
	}
	switch e.atom {
	case atom.Plaintext:
		return refuse(b.at, "plaintext: it has no end")
	case atom.Math:
		return refuse(b.at, "MathML: browsers read its content by rules of its own")
	case atom.Svg:
		e.foreign = true
		return nil
	case atom.Noscript:
		b.z.NextIsNotRawText()
		if e.mustEnd = b.noscriptEnd(b.at + len(raw)); e.mustEnd < 0 {
			return refuse(b.at, "<noscript> that is not closed")
		}
	}
	b.closeImplied(e.atom)
	return nil
}

// noscriptEnd finds the end tag of a noscript element as a browser that runs
// scripts does: the first one, whatever stands before it. -1: there is none.
func (b *builder) noscriptEnd(from int) int {
	const mark = "</noscript"
	if b.noscript >= from {
		return b.noscript
	}
	for at := from; ; at += len(mark) {
		i := indexFold(b.src[at:], mark)
		if i < 0 {
			return -1
		}
		at += i
		if next := at + len(mark); next < len(b.src) && (isSpace(b.src[next]) || b.src[next] == '/' || b.src[next] == '>') {
			b.noscript = at
			return at
		}
	}
}

// repeated reports whether the element just opened is a second html, head or
// body: browsers only merge its attributes into the first.
func (b *builder) repeated(a atom.Atom) bool {
	if a != atom.Html && a != atom.Body && a != atom.Head {
		return false
	}
	return slices.ContainsFunc(b.open[:len(b.open)-1], func(e entry) bool { return e.atom == a || e.atom == atom.Body })
}

func (b *builder) endTag(raw []byte) error {
	size, err := b.tagName(raw[2:])
	if err != nil {
		return err
	}
	if len(bytes.Trim(raw[2+size:len(raw)-1], " \t\n\f\r")) > 0 {
		return refuse(b.at, "an end tag with attributes")
	}
	return b.endElement(raw, size)
}

// endElement ends what an end tag ends. size is the length of its name.
func (b *builder) endElement(raw []byte, size int) error {
	tag := lowered(raw[2 : 2+size])
	a := atom.Lookup(tag)
	if a == atom.Noscript && !b.noscriptEnds() {
		return refuse(b.at, "a noscript element that ends in two ways")
	}
	if b.top().foreign && (a == atom.P || a == atom.Br) {
		return refuse(b.at, "an HTML end tag in SVG: browsers leave the SVG there")
	}
	word := a.String()
	if a == 0 {
		word = string(tag)
	}
	b.closeByTag(a, word, b.at+len(raw))
	return nil
}

// noscriptEnds reports whether the end tag stands where both kinds of browser
// see the innermost noscript element end.
func (b *builder) noscriptEnds() bool {
	for _, v := range slices.Backward(b.open) {
		if v.mustEnd > 0 {
			return v.mustEnd == b.at
		}
	}
	return true
}

// tagName measures a tag's name and refuses characters that only broken markup
// has in it: an unescaped `<erika@example.org>` is a tag to a tokenizer.
func (b *builder) tagName(s []byte) (int, error) {
	for i, c := range s {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i > 0 && ('0' <= c && c <= '9' || c == '-' || c == ':' || c == '_'):
		case i > 0 && (isSpace(c) || c == '/' || c == '>'):
			return i, nil
		default:
			return 0, refuse(b.at+i, "a tag name with a character that none has")
		}
	}
	return 0, refuse(b.at, "a tag that is not closed")
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'
}
