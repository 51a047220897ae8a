package html

import (
	"errors"
	"strings"

	"golang.org/x/net/html/atom"

	"github.com/crmgate/crmgate/internal/doc"
)

// Control is a field of a form, as a browser sends it.
type Control struct{ Name, Value string }

// Controls returns what a browser would send of a form that nobody has touched: the
// values of its fields in the order of the page, without those that are disabled,
// boxes that aren't checked, buttons and files. Names and values are decoded.
//
// A field that says that it belongs to another form is refused, as it is in a form
// that stands in another one.
func Controls(t *doc.Tree, form int) ([]Control, error) {
	c := controls{t: t}
	end := int(t.Nodes[form].Next)
	for n := form + 1; n < end; n++ {
		if t.Nodes[n].Kind != doc.Object {
			continue
		}
		kind := atom.Lookup([]byte(t.Key(n)))
		if kind == atom.Form || Attr(t, n, "form") >= 0 {
			return nil, errors.New("a form with a field that may be another's")
		}
		if kind == atom.Fieldset && Attr(t, n, "disabled") >= 0 || kind == atom.Template || kind == atom.Datalist {
			n = int(t.Nodes[n].Next) - 1
			continue
		}
		c.element(n, kind)
	}
	return c.found, nil
}

type controls struct {
	t     *doc.Tree
	found []Control
}

func (c *controls) element(n int, kind atom.Atom) {
	name, _ := c.attr(n, "name")
	if name == "" || Attr(c.t, n, "disabled") >= 0 {
		return
	}
	switch kind {
	case atom.Input:
		c.input(n, name)
	case atom.Textarea:
		// One line end behind the tag is the markup's, not the value's.
		c.add(name, strings.TrimPrefix(c.text(n), "\n"))
	case atom.Select:
		c.choice(n, name)
	}
}

func (c *controls) input(n int, name string) {
	typ, _ := c.attr(n, "type")
	value, given := c.attr(n, "value")
	switch strings.ToLower(typ) {
	case "submit", "button", "reset", "image", "file":
		return
	case "checkbox", "radio":
		if Attr(c.t, n, "checked") < 0 {
			return
		}
		if !given {
			value = "on"
		}
	}
	c.add(name, value)
}

// choice adds the options of a select that are chosen: without any, the first one
// where only one can be.
func (c *controls) choice(n int, name string) {
	first, chosen := -1, []int{}
	for o := n + 1; o < int(c.t.Nodes[n].Next); o++ {
		if c.t.Nodes[o].Kind != doc.Object || c.t.Key(o) != "option" || Attr(c.t, o, "disabled") >= 0 {
			continue
		}
		if first < 0 {
			first = o
		}
		if Attr(c.t, o, "selected") >= 0 {
			chosen = append(chosen, o)
		}
	}
	if Attr(c.t, n, "multiple") < 0 {
		if len(chosen) == 0 && first >= 0 {
			chosen = []int{first}
		}
		chosen = chosen[max(0, len(chosen)-1):]
	}
	for _, o := range chosen {
		value, given := c.attr(o, "value")
		if !given {
			value = strings.Join(strings.Fields(c.text(o)), " ")
		}
		c.add(name, value)
	}
}

func (c *controls) add(name, value string) { c.found = append(c.found, Control{name, value}) }

func (c *controls) attr(n int, name string) (value string, given bool) {
	if at := Attr(c.t, n, name); at >= 0 {
		return c.t.Text(at), true
	}
	return "", false
}

// text is what stands in an element, without tags.
func (c *controls) text(n int) string {
	var b strings.Builder
	for i := n + 1; i < int(c.t.Nodes[n].Next); i++ {
		if c.t.Nodes[i].Flags&FlagText != 0 {
			b.WriteString(c.t.Text(i))
		}
	}
	return b.String()
}
