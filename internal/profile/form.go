package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/form"
)

// forms are the words for the bodies that browsers send, and the media types that
// each takes. A CRM that reads one of them takes the other for an empty form.
func forms(kind string) []string {
	const urlencoded, multipart = "application/x-www-form-urlencoded", "multipart/form-data"
	switch kind {
	case "form":
		return []string{urlencoded, multipart}
	case "urlencoded":
		return []string{urlencoded}
	case "multipart":
		return []string{multipart}
	}
	return nil
}

// parseForm reads a form's body, whichever way it is written.
func (x *Exchange) parseForm(kind string) error {
	types := forms(kind)
	if !slices.Contains(types, x.req.MediaType) {
		return &Refusal{Reason: "type", Text: "This address takes " + strings.Join(types, " or ") + " only.", Status: 415}
	}
	var err error
	if x.req.MediaType == types[0] && kind != "multipart" {
		x.tree, err = form.Parse(x.req.Body, doc.DefaultLimits())
	} else {
		var boundary string
		if boundary, err = form.Boundary(x.req.ContentType); err == nil {
			x.tree, err = form.ParseMultipart(x.req.Body, boundary, doc.DefaultLimits())
		}
	}
	if err != nil {
		return &Refusal{Reason: "malformed", Text: "The request body is not a strict form.", Status: 400}
	}
	if err := x.checkNames(); err != nil || x.rt.form.JSON == "" {
		return err
	}
	return x.jsonInForm()
}

// jsonInForm reads the JSON that one of the form's fields holds.
func (x *Exchange) jsonInForm() error {
	t, at := x.tree, -1
	if err := x.checkFiles(); err != nil {
		return err
	}
	for c := range t.Children(doc.Root) {
		switch name := t.Key(c); {
		case name == x.rt.form.JSON && at < 0:
			at = c
		case name == x.rt.form.JSON || !contains(x.rt.form.Fields, name):
			return refuse("unknown_parameter", "A field of the form stands twice or is not in the profile for this address.")
		}
	}
	if at < 0 {
		return refuse("malformed", "The form lacks the field that holds the request.")
	}
	var err error
	x.around = &wrapping{form: t, at: at}
	if x.tree, err = parseJSON([]byte(t.Text(at))); err != nil || x.tree.Nodes[doc.Root].Kind != doc.Object {
		return &Refusal{Reason: "malformed", Text: "The form holds no strict JSON.", Status: 400}
	}
	whole := x.rt.write != nil && len(x.rt.write.at.path) == 0
	for c := range x.tree.Children(doc.Root) {
		if !whole && !contains(x.rt.form.Members, x.tree.Key(c)) {
			return refuse("unknown_parameter", "A member of the request's body is not in the profile for this address.")
		}
		if contains(x.rt.form.Empty, x.tree.Key(c)) && !x.isNothing(c) {
			return refuse("denied", "A part of the request has to be empty: the gateway doesn't serve what it asks for.")
		}
	}
	return nil
}

// isForm reports whether a document is a form: flat, and with names that may
// stand several times.
func isForm(t *doc.Tree) bool {
	switch t.Format.Name() {
	case "form", "multipart":
		return true
	}
	return false
}

// checkNames refuses a form whose names a CRM may take for others: frameworks
// fold case, blanks and dots, and cut names at brackets; of two spellings of one
// name they heed one, and nobody here knows which.
func (x *Exchange) checkNames() error {
	type spelling struct {
		base   string
		nested bool
	}
	seen := map[string]spelling{}
	for c := range x.tree.Children(doc.Root) {
		name := x.tree.Key(c)
		steps, ok := brackets(name)
		if !ok || len(steps) > maxQueryDepth || slices.ContainsFunc(steps[1:], func(s string) bool { return s != strings.TrimSpace(s) }) {
			return &Refusal{Reason: "malformed", Text: "The name of a form's field can be read in two ways.", Status: 400}
		}
		folded, is := foldName(steps[0]), spelling{steps[0], len(steps) > 1}
		if first, again := seen[folded]; again && first != is {
			return &Refusal{Reason: "repeated", Text: "A field of the form stands in two spellings.", Status: 400}
		}
		seen[folded] = is
		switch {
		case folded == "_method" && (name != folded || !x.rt.overrides()):
			// Frameworks take it for the method: what was judged is not what they do.
			return &Refusal{Reason: "method_override", Text: "The form overrides the request's method.", Status: 400}
		case folded == formCharset && !strings.EqualFold(x.tree.Text(c), "utf-8"):
			return &Refusal{Reason: "type", Text: "The form is in another charset than UTF-8.", Status: 415}
		}
	}
	return nil
}

// overrides reports whether the route is one for the method that the form names.
func (rt *route) overrides() bool {
	return slices.ContainsFunc(rt.when, func(c condition) bool { return c.at.text == "body._method" && c.bind == "" && !contains(c.values, "") })
}

// formCharset is the field in which browsers name a form's charset.
const formCharset = "_charset_"

// foldName is what the strangest of frameworks makes of a name.
func foldName(s string) string {
	return strings.ToLower(strings.NewReplacer(" ", "_", ".", "_").Replace(strings.TrimLeft(s, " \t\r\n\v\f")))
}

// eachNamed calls yield for every node that p reaches from the member of that name,
// in a form from all of them.
func (p path) eachNamed(t *doc.Tree, node int, name string, yield func(int)) {
	if !isForm(t) {
		p.each(t, t.Member(node, name), yield)
		return
	}
	for c := range t.Children(node) {
		if t.Key(c) == name {
			p.each(t, c, yield)
		}
	}
}

// isFile reports whether a member of the request is a file, and chosen whether
// there is one: browsers send an empty one for a field that was left alone.
func (x *Exchange) isFile(node int) (file, chosen bool) {
	part := form.PartOf(x.tree, node)
	return part.File, part.FileName != "" || len(x.tree.Raw(node)) > 0
}

// readFile reads a file in a write. It may stand in a field for files alone;
// others, the CRM would keep where nobody looks for them.
func (x *Exchange) readFile(wr *Write, node int) error {
	name := x.tree.Key(node)
	f := wr.ent.field(name)
	if f == nil || !f.file {
		return refuseFile()
	}
	if _, chosen := x.isFile(node); !chosen {
		return nil
	}
	cats := unique(append(slices.Clone(f.categories), wr.ent.selects[name]...))
	wr.Fields = append(wr.Fields, WriteField{Name: name, Categories: cats, Node: node, Leaves: []Leaf{{Node: node}}, File: true})
	x.addWriteRef(wr, name, cats, false)
	return nil
}

// checkFiles refuses files outside of writes: what an import, a filter or an id
// makes of one isn't known.
func (x *Exchange) checkFiles() error {
	if x.tree == nil || x.tree.Format.Name() != "multipart" || len(x.writes) > 0 && x.writes[0].Object == doc.Root {
		return nil // readFile has seen all of them
	}
	for c := range x.tree.Children(doc.Root) {
		if file, _ := x.isFile(c); file {
			return refuseFile()
		}
	}
	return nil
}

func refuseFile() error {
	return &Refusal{Reason: "file", Text: "The form holds a file in a field that is not for files in the profile.", Status: 415}
}

// leavesFiles reports whether a form's missing field leaves what is stored: no
// page can fill a file in, so none has to come back.
func (w *Write) leavesFiles(f *field) bool {
	return f.file && w.x.tree != nil && isForm(w.x.tree)
}

// isNothing reports whether a node of the body holds no value.
func (x *Exchange) isNothing(node int) bool {
	switch x.tree.Nodes[node].Kind {
	case doc.Array, doc.Object:
		return x.tree.First(node) < 0
	case doc.Null:
		return true
	case doc.String:
		return x.tree.Text(node) == ""
	}
	return x.p.isEmpty(x.tree, node)
}
