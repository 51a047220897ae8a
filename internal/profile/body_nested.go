package profile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
)

// readable reports whether a route's body is one that is read: JSON or a form, or
// whichever of several comes.
func readable(body string) bool {
	for kind := range strings.SplitSeq(body, "|") {
		if kind != "json" && kind != "nested" && forms(kind) == nil {
			return false
		}
	}
	return true
}

// bodyKind is the one of several kinds of body that a request's media type names.
func (x *Exchange) bodyKind(kinds string) string {
	isJSONType := x.req.MediaType == "application/json" || isJSON(x.req.MediaType)
	first := ""
	for kind := range strings.SplitSeq(kinds, "|") {
		if kind == "json" && isJSONType || kind == "nested" && x.req.MediaType == forms("urlencoded")[0] || slices.Contains(forms(kind), x.req.MediaType) {
			return kind
		}
		if first == "" {
			first = kind
		}
	}
	return first // refuses the type
}

// parseNested reads an urlencoded form as PHP does: `a[b][]=c` is {"a": {"b": ["c"]}}.
func (x *Exchange) parseNested() error {
	if err := x.parseForm("urlencoded"); err != nil {
		return err
	}
	root := &branch{}
	for c := range x.tree.Children(doc.Root) {
		steps, ok := brackets(x.tree.Key(c))
		if !ok || len(steps) > maxQueryDepth || !root.put(steps, x.tree.Text(c)) {
			return refuse("malformed", "A field of the form can be read in two ways.")
		}
	}
	raw, err := json.Marshal(root.object())
	if err != nil {
		return fmt.Errorf("reading the form: %w", err)
	}
	if x.tree, err = parseJSON(raw); err != nil {
		return refuse("malformed", "The form can't be read.")
	}
	return nil
}

// object is the branch as an object, be its keys all numbers.
func (b *branch) object() map[string]any {
	out := map[string]any{}
	for k, m := range b.members {
		out[k] = m.plain()
	}
	return out
}

// nestedBody refuses what would change a body that is read as another than it is:
// no value in it can be put back, and none that is saved is judged.
func (c *compiler) nestedBody(where string, rt *route) {
	nested := slices.Contains(strings.Split(rt.body, "|"), "nested")
	if !nested && rt.form.JSON == "" {
		return
	}
	saves := rt.write != nil || rt.action == access.Create || rt.action == access.Update
	if saves && !rt.pass && rt.deny == "" && !rt.opaque && !rt.image {
		c.fail(where, "saves aren't served in a nested form, nor in one that holds JSON; write `body: form` where its names are flat, `body: json`, or what it does instead (`action: search`)")
	}
	for i := range rt.refs {
		if s := rt.refs[i].syntax; nested && rt.refs[i].at.origin == fromBody && (s == "domain" || s == "prefix_domain" || s == "specification") {
			c.fail(where, "the syntax %s is for JSON; in a nested form filters are clauses", s)
		}
	}
}
