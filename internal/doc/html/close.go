package html

import "golang.org/x/net/html/atom"

// verdict is what a search through the open elements, innermost first, says of
// one of them.
type verdict uint8

const (
	pass    verdict = iota // look further out
	through                // this is the element: end it and all inside it
	above                  // end all inside it
	none                   // nothing ends
)

// cut looks for the element that a tag ends and ends it at the offset. It
// reports whether there was one. template, noscript and the elements of SVG
// that hold HTML keep what is inside them from ending what is outside.
func (b *builder) cut(end int, judge func(e *entry) verdict) bool {
	for i := len(b.open) - 1; i > 0; i-- {
		switch v := judge(&b.open[i]); {
		case v == through:
			b.popTo(i, end)
			return true
		case v == above:
			b.popTo(i+1, end)
			return true
		case v == none, isWall(&b.open[i]):
			return false
		}
	}
	return false
}

// closeImplied ends the elements whose end tag may be left out before the start
// tag of a.
func (b *builder) closeImplied(a atom.Atom) {
	switch a {
	case atom.Body:
		b.closeNear(func(x atom.Atom) bool { return x == atom.Head }, nil)
	case atom.Li:
		b.closeNear(func(x atom.Atom) bool { return x == atom.Li }, stopsItem)
	case atom.Dd, atom.Dt:
		b.closeNear(func(x atom.Atom) bool { return x == atom.Dd || x == atom.Dt }, stopsItem)
	case atom.Button:
		b.closeNear(func(x atom.Atom) bool { return x == atom.Button }, isScope)
	case atom.Option, atom.Optgroup:
		b.closeTop(atom.Option)
		if a == atom.Optgroup {
			b.closeTop(atom.Optgroup)
		}
	case atom.Td, atom.Th, atom.Tr, atom.Tbody, atom.Thead, atom.Tfoot, atom.Caption, atom.Colgroup:
		b.closeTable(a)
	case atom.A, atom.Nobr:
		b.closeFormatting(a, b.at)
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		b.closeP()
		if isHeading(b.top().atom) {
			b.pop(b.at)
		}
		return
	}
	if endsP(a) {
		b.closeP()
	}
}

func (b *builder) closeNear(is, stops func(atom.Atom) bool) {
	b.cut(b.at, func(e *entry) verdict {
		switch {
		case is(e.atom):
			return through
		case stops != nil && stops(e.atom):
			return none
		}
		return pass
	})
}

func (b *builder) closeP() {
	b.closeNear(func(x atom.Atom) bool { return x == atom.P },
		func(x atom.Atom) bool { return x == atom.Button || isScope(x) })
}

func (b *builder) closeTop(a atom.Atom) {
	if b.top().atom == a && !b.top().foreign {
		b.pop(b.at)
	}
}

// closeTable ends cells, rows and sections before the start tag of another.
func (b *builder) closeTable(a atom.Atom) {
	level := tableLevel(a)
	b.cut(b.at, func(e *entry) verdict {
		switch l := tableLevel(e.atom); {
		case l == 0:
			return pass
		case l < level:
			return above
		case l == level:
			return through
		}
		return pass
	})
}

// closeByTag ends the element that an end tag names, if it is open and the tag
// can reach it.
func (b *builder) closeByTag(a atom.Atom, tag string, end int) {
	switch {
	case b.top().foreign && b.closeForeign(tag, end):
		return
	case a == atom.Html || a == atom.Body || isVoid(a):
		// What follows </body> still belongs to the body.
		return
	case a == atom.Form || isFormatting(a):
		b.closeFormatting(a, end)
		return
	}
	stops := stopFor(a)
	b.cut(end, func(e *entry) verdict {
		switch {
		case e.name == tag && !e.foreign, isHeading(a) && isHeading(e.atom):
			return through
		case stops(e.atom):
			return none
		}
		return pass
	})
}

// closeForeign ends an SVG element among those that are open innermost.
func (b *builder) closeForeign(tag string, end int) bool {
	return b.cut(end, func(e *entry) verdict {
		switch {
		case !e.foreign:
			return none
		case e.name == tag:
			return through
		}
		return pass
	})
}

// closeFormatting ends an element that may overlap others (`<a><div></a>`). A
// block in between keeps it open until the block ends: what browsers move out of
// it by then stays inside here, so that a selector rather matches too much.
func (b *builder) closeFormatting(a atom.Atom, end int) {
	blocked := false
	for i := len(b.open) - 1; i > 0; i-- {
		e := &b.open[i]
		switch {
		case e.atom == a && !e.foreign && !blocked:
			b.popTo(i, end)
			return
		case e.atom == a && !e.foreign:
			e.ended = true
			return
		case isScope(e.atom) || isWall(e):
			return
		}
		blocked = blocked || isSpecial(e.atom)
	}
}

// stopFor returns the elements that the end tag of a doesn't reach beyond.
func stopFor(a atom.Atom) func(atom.Atom) bool {
	switch {
	case tableLevel(a) > 0:
		return func(x atom.Atom) bool { return x == atom.Table || x == atom.Html }
	case a == atom.P:
		return func(x atom.Atom) bool { return x == atom.Button || isScope(x) }
	case a == atom.Li:
		return func(x atom.Atom) bool { return x == atom.Ul || x == atom.Ol || isScope(x) }
	case isSpecial(a):
		return isScope
	}
	return isSpecial
}
