package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// when checks the fields of a form that tell a route from others of its address.
func (c *compiler) when(where string, rt *route) {
	if len(rt.when) == 0 {
		return
	}
	if forms(rt.body) == nil || rt.form.JSON != "" {
		c.fail(where, "when names fields of a form: add `body: form`")
	}
	for name, want := range rt.when {
		if strings.HasPrefix(want, "{") != strings.HasSuffix(want, "}") {
			c.fail(where, "when: %s: %q is neither a value nor a {variable}", name, want)
		}
	}
}

// coversWhen reports whether each form that fits b fits a, too.
func coversWhen(a, b map[string]string) bool {
	for name, want := range a {
		is, ok := b[name]
		if !ok || is != want && (!strings.HasPrefix(want, "{") || is == "") {
			return false
		}
	}
	return true
}

// formRead is a form that was read to tell routes of one address from each other.
type formRead struct {
	tree *doc.Tree
	kind string
}

// fitsWhen reports whether the form has the fields that the route wants, and binds
// its variables. Nobody knows which of two fields of one name a CRM heeds: such a form
// is refused.
func (x *Exchange) fitsWhen(read *formRead) (bool, error) {
	if len(x.rt.when) == 0 {
		return true, nil
	}
	if read.tree == nil || read.kind != x.rt.body {
		if err := x.parseBody(x.rt.body); err != nil {
			return false, err
		}
		*read = formRead{x.tree, x.rt.body}
	}
	x.tree = read.tree
	values := map[string]string{}
	for c := range x.tree.Children(doc.Root) {
		name := x.tree.Key(c)
		if _, ok := x.rt.when[name]; !ok {
			continue
		}
		if _, again := values[name]; again {
			return false, &Refusal{Reason: "repeated", Text: "A field of the form that says what it is for stands twice.", Status: 400}
		}
		if file, _ := x.isFile(c); file {
			return false, refuseFile()
		}
		values[name] = x.tree.Text(c)
	}
	for name, want := range x.rt.when {
		is := values[name]
		switch {
		case !strings.HasPrefix(want, "{"):
			if is != want {
				return false, nil
			}
		case is == "":
			return false, nil
		default:
			x.vars[strings.Trim(want, "{}")] = is
		}
	}
	return true, nil
}
