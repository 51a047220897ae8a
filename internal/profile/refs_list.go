package profile

import (
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// readList reads a list of names, in the request's document or in a text.
func (x *Exchange) readList(r *ref, typ string, v value) error {
	if v.node < 0 {
		return x.readListText(r, typ, v.text)
	}
	if _, marked := x.tree.Format.(doc.Marked); marked {
		return x.readElements(r, typ, v.node)
	}
	switch x.tree.Nodes[v.node].Kind {
	case doc.Null:
		return nil
	case doc.Array:
		for c := range x.tree.Children(v.node) {
			if c = r.nameIn(x.tree, c); c < 0 || x.tree.Nodes[c].Kind != doc.String {
				return refuse("malformed", "A list of field names holds something else.")
			}
			if err := x.readName(r, typ, x.tree.Text(c)); err != nil {
				return err
			}
		}
		return nil
	}
	if x.p.isEmpty(x.tree, v.node) {
		return nil
	}
	return refuse("malformed", "A list of field names is expected.")
}

// readListText reads a name, or a list of them as JSON: `["name","email"]`.
func (x *Exchange) readListText(r *ref, typ, text string) error {
	if !strings.HasPrefix(strings.TrimSpace(text), "[") {
		return x.readName(r, typ, text)
	}
	t, err := parseJSON([]byte(text))
	if err != nil {
		return refuse("malformed", "A list of field names is not strict JSON.")
	}
	for c := range t.Children(doc.Root) {
		if t.Nodes[c].Kind != doc.String {
			return refuse("malformed", "A list of field names holds something else.")
		}
		if err := x.readName(r, typ, t.Text(c)); err != nil {
			return err
		}
	}
	return nil
}
