package profile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
	t, from, err := nestedTree(x.tree)
	if err != nil {
		return err
	}
	x.around = &wrapping{form: x.tree, at: -1, from: from}
	x.tree = t
	return nil
}

// nestedTree reads a form's names as a tree, and notes where in it each field stands.
func nestedTree(t *doc.Tree) (*doc.Tree, []nestedField, error) {
	root, from := &branch{}, []nestedField(nil)
	for c := range t.Children(doc.Root) {
		steps, ok := brackets(t.Key(c))
		if !ok || len(steps) > maxQueryDepth || !root.put(steps, t.Text(c)) {
			return nil, nil, refuse("malformed", "A field of the form can be read in two ways.")
		}
		from = append(from, nestedField{node: c, keys: steps, auto: slices.Contains(steps, "")})
	}
	raw, err := json.Marshal(root.object())
	if err != nil {
		return nil, nil, fmt.Errorf("reading the form: %w", err)
	}
	tree, err := parseJSON(raw)
	if err != nil {
		return nil, nil, refuse("malformed", "The form can't be read.")
	}
	again := &branch{} // numbers keys as root did
	for i := range from {
		from[i].keys = again.numbered(from[i].keys)
	}
	for i := range from {
		from[i].path = root.pathOf(from[i].keys)
	}
	return tree, from, nil
}

// numbered puts a field in its place once more, and returns the keys to it.
func (b *branch) numbered(steps []string) []string {
	keys := slices.Clone(steps)
	for i := range keys {
		if keys[i] == "" {
			keys[i] = counter(b.next)
		}
		b = b.at(keys[i])
	}
	return keys
}

// pathOf is where the value with these keys stands in the document: those of a list
// count from 0.
func (b *branch) pathOf(keys []string) []string {
	path := make([]string, 0, len(keys))
	for i, k := range keys {
		if numbers, ok := b.list(); i > 0 && ok {
			n, _ := strconv.Atoi(k)
			path = append(path, counter(slices.Index(numbers, n)))
		} else {
			path = append(path, k)
		}
		b = b.members[k]
	}
	return path
}

func counter(n int) string { return strconv.Itoa(n) }

// object is the branch as an object, be its keys all numbers.
func (b *branch) object() map[string]any {
	out := map[string]any{}
	for k, m := range b.members {
		out[k] = m.plain()
	}
	return out
}

// nestedBody sees that what is put back in a save stands where it stood: a form that
// is read as a tree, or that holds JSON, is put together anew.
func (c *compiler) nestedBody(where string, rt *route) {
	nested := slices.Contains(strings.Split(rt.body, "|"), "nested")
	if rt.form.JSON != "" && rt.write != nil && (rt.write.at.origin != fromBody || rt.write.storedForm != nil) {
		c.fail(where, "what a form saves as JSON begins with `body`, and is compared with JSON; take `stored: {get: …, at: $}`")
	}
	for i := range rt.refs {
		if s := rt.refs[i].syntax; nested && rt.refs[i].at.origin == fromBody && (s == "domain" || s == "prefix_domain" || s == "specification") {
			c.fail(where, "the syntax %s is for JSON; in a nested form filters are clauses", s)
		}
	}
}
