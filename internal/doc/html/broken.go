package html

import (
	"bytes"
	"slices"

	"golang.org/x/net/html/atom"
)

// span is a part of the document.
type span struct{ start, end int }

// takeOut notes what has to leave a start tag with quotes in an attribute's name: a
// page's author has put a quote too many, or a value with a quote in it stands there
// as it is. All readers agree on what such a tag says, but pieces of a value can be
// its attributes then, in their names, too, where nothing would mask them. Nothing
// stays of the tag's attributes but its class and id, which pages are drawn by.
// Tags that load something or that forms are sent by are refused: they would do
// something else without their attributes.
func (b *builder) takeOut(tag []byte) error {
	switch atom.Lookup(lowered(tag)) {
	case atom.Input, atom.Select, atom.Option, atom.Optgroup, atom.Textarea, atom.Button, atom.Form, atom.Fieldset,
		atom.Script, atom.Style, atom.Link, atom.Meta, atom.Base, atom.Iframe, atom.Frame, atom.Object, atom.Embed, atom.Template, atom.Svg:
		return refuse(b.at, "an attribute name with a quote in it, in a tag that can't do without its attributes")
	}
	for i, a := range b.attrs {
		name := lowered(b.src[a.keyStart:a.keyEnd])
		if (string(name) == "class" || string(name) == "id") && !b.givenBefore(i, name) && !bytes.ContainsAny(b.src[a.start:a.end], "&<>\"'") {
			continue
		}
		b.blank = append(b.blank, span{a.keyStart, b.after(a)})
	}
	return nil
}

// after is where an attribute ends, its closing quote included.
func (b *builder) after(a attribute) int {
	if a.flags&(FlagDouble|FlagSingle) != 0 {
		return a.end + 1
	}
	return a.end
}

// blanked is the document with blanks in the place of what has to leave it: every
// offset stays.
func (b *builder) blanked() []byte {
	src := slices.Clone(b.src)
	for _, s := range b.blank {
		for i := s.start; i < s.end; i++ {
			src[i] = ' '
		}
	}
	return src
}
