package odata

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// element is an element of FetchXML.
type element struct {
	name     string
	attrs    map[string]string
	children []*element
	text     string
}

// maxElements bounds a document.
const maxElements = 2000

// parseXML reads a document of elements, attributes and text, and refuses whatever
// else XML has: two readers could take it in two ways.
func parseXML(s string) (*element, error) {
	if strings.Contains(s, "<!") || strings.Contains(s, "<?") || !utf8.ValidString(s) {
		return nil, fail("FetchXML is served without comments, declarations and sections.")
	}
	d := xml.NewDecoder(strings.NewReader(s))
	r := &xmlReader{}
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fail("FetchXML is no strict XML.")
		}
		if err := r.token(token); err != nil {
			return nil, err
		}
	}
	if r.root == nil || len(r.open) > 0 {
		return nil, fail("FetchXML is one element with all others in it.")
	}
	return r.root, nil
}

type xmlReader struct {
	root *element
	open []*element
	n    int
}

func (r *xmlReader) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return r.start(t)
	case xml.EndElement:
		if len(r.open) == 0 || t.Name.Space != "" || r.open[len(r.open)-1].name != t.Name.Local {
			return fail("FetchXML has an end tag that ends nothing.")
		}
		r.open = r.open[:len(r.open)-1]
		return nil
	case xml.CharData:
		text := string(t)
		if len(r.open) > 0 && r.open[len(r.open)-1].name == "value" {
			r.open[len(r.open)-1].text += text
		} else if strings.Trim(text, " \t\r\n") != "" {
			return fail("FetchXML has text where none belongs.")
		}
		return nil
	}
	return fail("FetchXML is served without comments, declarations and sections.")
}

func (r *xmlReader) start(t xml.StartElement) error {
	e := &element{name: t.Name.Local, attrs: map[string]string{}}
	if r.n++; r.n > maxElements || len(r.open) > maxDepth || t.Name.Space != "" || len(r.open) == 0 && r.root != nil {
		return fail("FetchXML is too large, or more than one element.")
	}
	for _, a := range t.Attr {
		if _, twice := e.attrs[a.Name.Local]; twice || a.Name.Space != "" || a.Name.Local == "xmlns" {
			return fail("FetchXML has an attribute twice, or namespaces.")
		}
		e.attrs[a.Name.Local] = a.Value
	}
	if len(r.open) == 0 {
		r.root = e
	} else {
		in := r.open[len(r.open)-1]
		in.children = append(in.children, e)
	}
	r.open = append(r.open, e)
	return nil
}

// only checks that an element has no attributes but these.
func (e *element) only(names ...string) error {
	for a := range e.attrs {
		if !slices.Contains(names, a) {
			return fail("FetchXML has an attribute that the profile does not know.")
		}
	}
	return nil
}
