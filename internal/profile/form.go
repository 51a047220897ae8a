package profile

import "github.com/crmgate/crmgate/internal/doc"

// readForm reads a form, or the JSON that one of its fields holds.
func (x *Exchange) readForm() error {
	t, err := parseForm(x.req.Body)
	if err != nil {
		return &Refusal{Reason: "malformed", Text: "The request body is not strict form.", Status: 400}
	}
	if t.Member(doc.Root, "_method") >= 0 {
		// Frameworks take it for the method: what was judged is not what they do.
		return &Refusal{Reason: "method_override", Text: "The form overrides the request's method.", Status: 400}
	}
	if x.rt.form.JSON == "" {
		x.tree = t
		return nil
	}
	at := -1
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
	if x.tree, err = parseJSON([]byte(t.Text(at))); err != nil || x.tree.Nodes[doc.Root].Kind != doc.Object {
		return &Refusal{Reason: "malformed", Text: "The form holds no strict JSON.", Status: 400}
	}
	for c := range x.tree.Children(doc.Root) {
		if !contains(x.rt.form.Members, x.tree.Key(c)) {
			return refuse("unknown_parameter", "A member of the request's body is not in the profile for this address.")
		}
	}
	return nil
}
