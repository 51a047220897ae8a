package html

import "golang.org/x/net/html/atom"

// isVoid lists the elements that have no content.
func isVoid(a atom.Atom) bool {
	switch a {
	case atom.Area, atom.Base, atom.Basefont, atom.Bgsound, atom.Br, atom.Col, atom.Embed, atom.Frame,
		atom.Hr, atom.Image, atom.Img, atom.Input, atom.Keygen, atom.Link, atom.Meta, atom.Param,
		atom.Source, atom.Track, atom.Wbr:
		return true
	}
	return false
}

// isUndecoded lists the elements whose text is not decoded.
func isUndecoded(a atom.Atom) bool {
	switch a {
	case atom.Script, atom.Style, atom.Iframe, atom.Xmp, atom.Noembed, atom.Noframes:
		return true
	}
	return false
}

// isRawText lists the elements that hold text alone.
func isRawText(a atom.Atom) bool {
	return a == atom.Textarea || a == atom.Title || isUndecoded(a)
}

// isWall reports whether the element keeps end tags and implied ends inside it
// from ending what is outside.
func isWall(e *entry) bool {
	return e.atom == atom.Template || e.atom == atom.Noscript || isIntegration(e)
}

// isIntegration reports whether the element is SVG's and its content HTML.
func isIntegration(e *entry) bool {
	if !e.foreign {
		return false
	}
	return e.atom == atom.Foreignobject || e.atom == atom.Desc || e.atom == atom.Title
}

// leavesForeign lists the elements whose start tag makes browsers leave the SVG
// they stand in.
func leavesForeign(a atom.Atom) bool {
	switch a {
	case atom.B, atom.Big, atom.Blockquote, atom.Body, atom.Br, atom.Center, atom.Code, atom.Dd, atom.Div,
		atom.Dl, atom.Dt, atom.Em, atom.Embed, atom.Font, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5,
		atom.H6, atom.Head, atom.Hr, atom.I, atom.Img, atom.Li, atom.Listing, atom.Menu, atom.Meta,
		atom.Nobr, atom.Ol, atom.P, atom.Pre, atom.Ruby, atom.S, atom.Small, atom.Span, atom.Strong,
		atom.Strike, atom.Sub, atom.Sup, atom.Table, atom.Tt, atom.U, atom.Ul, atom.Var:
		return true
	}
	return false
}

func isHeading(a atom.Atom) bool {
	switch a {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return true
	}
	return false
}

// isFormatting lists the elements that may overlap others.
func isFormatting(a atom.Atom) bool {
	switch a {
	case atom.A, atom.B, atom.Big, atom.Code, atom.Em, atom.Font, atom.I, atom.Nobr, atom.S, atom.Small,
		atom.Strike, atom.Strong, atom.Tt, atom.U:
		return true
	}
	return false
}

// isScope lists the elements that an end tag doesn't reach beyond.
func isScope(a atom.Atom) bool {
	switch a {
	case atom.Applet, atom.Caption, atom.Html, atom.Table, atom.Td, atom.Th, atom.Marquee, atom.Object,
		atom.Template, atom.Select:
		return true
	}
	return false
}

// tableLevel is how deep an element stands in a table: 1 for the table itself, 0
// for what is no part of tables.
func tableLevel(a atom.Atom) int {
	switch a {
	case atom.Table:
		return 1
	case atom.Tbody, atom.Thead, atom.Tfoot, atom.Caption, atom.Colgroup:
		return 2
	case atom.Tr:
		return 3
	case atom.Td, atom.Th:
		return 4
	}
	return 0
}

// stopsItem lists what keeps an item from ending the item of an outer list.
func stopsItem(a atom.Atom) bool {
	return isSpecial(a) && a != atom.Address && a != atom.Div && a != atom.P
}

// endsP lists the elements whose start tag ends a paragraph.
func endsP(a atom.Atom) bool {
	switch a {
	case atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Center, atom.Dd, atom.Details,
		atom.Dialog, atom.Dir, atom.Div, atom.Dl, atom.Dt, atom.Fieldset, atom.Figcaption, atom.Figure,
		atom.Footer, atom.Form, atom.Header, atom.Hgroup, atom.Hr, atom.Li, atom.Listing, atom.Main,
		atom.Menu, atom.Nav, atom.Ol, atom.P, atom.Pre, atom.Search, atom.Section, atom.Summary,
		atom.Table, atom.Ul, atom.Xmp:
		return true
	}
	return false
}

// isSpecial lists the elements that HTML's tree construction calls special.
func isSpecial(a atom.Atom) bool {
	switch a {
	case atom.Address, atom.Applet, atom.Article, atom.Aside, atom.Blockquote, atom.Body, atom.Button,
		atom.Caption, atom.Center, atom.Colgroup, atom.Dd, atom.Details, atom.Dir, atom.Div, atom.Dl,
		atom.Dt, atom.Fieldset, atom.Figcaption, atom.Figure, atom.Footer, atom.Form, atom.Frameset,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Head, atom.Header, atom.Hgroup,
		atom.Html, atom.Iframe, atom.Li, atom.Listing, atom.Main, atom.Marquee, atom.Menu, atom.Nav,
		atom.Noembed, atom.Noframes, atom.Noscript, atom.Object, atom.Ol, atom.P, atom.Pre, atom.Script,
		atom.Search, atom.Section, atom.Select, atom.Style, atom.Summary, atom.Table, atom.Tbody, atom.Td,
		atom.Template, atom.Textarea, atom.Tfoot, atom.Th, atom.Thead, atom.Title, atom.Tr, atom.Ul,
		atom.Xmp:
		return true
	}
	return false
}
