package profile

import (
	"errors"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/form"
)

// wrapping is what stands around the document that is judged, where that is not the
// request's body: a form that holds it as JSON, or whose names are read as a tree.
type wrapping struct {
	form *doc.Tree
	at   int           // the field with the JSON; -1 where the names are a tree
	from []nestedField // the fields, for a tree
}

// nestedField is a field of a form and its place in the tree.
type nestedField struct {
	node int
	keys []string // as the form has them, "" numbered
	path []string // in the tree: lists count from 0
	auto bool     // a key was left for the CRM to number
}

// errUnfit says that a form can't hold a document as it has to be.
var errUnfit = errors.New("the values can't stand in the request's form")

// splice makes the form of the edited document.
func (w *wrapping) splice(edited []byte) ([]byte, error) {
	if w.at >= 0 {
		if !w.form.Takes(string(edited)) {
			return nil, errUnfit
		}
		n := w.form.Nodes[w.at]
		with := w.form.Format.Encode(nil, w.form, w.at, doc.Value{Kind: doc.String, Text: string(edited)})
		return doc.Splice(nil, w.form.Src, []doc.Edit{{Start: n.Start, End: n.End, With: with}})
	}
	t, err := parseJSON(edited)
	if err != nil {
		return nil, err
	}
	want := scalars(t)
	if slices.ContainsFunc(want, func(s scalar) bool { return s.unfit }) {
		return nil, errUnfit
	}
	out, rest := w.kept(want), slices.Clone(want)
	for i := range w.from {
		rest = slices.DeleteFunc(rest, func(s scalar) bool { return slices.Equal(s.path, w.from[i].path) })
	}
	for _, s := range rest {
		name, ok := w.nameOf(s.path)
		if !ok {
			return nil, errUnfit
		}
		out = append(out, string(w.form.Format.EncodeKey(nil, w.form, doc.Root, name))+"="+escaped(w.form, s.text))
	}
	body := []byte(strings.Join(out, "&"))
	// Whatever was put together wrong here would be saved.
	again, err := form.Parse(body, doc.DefaultLimits())
	if err != nil {
		return nil, errUnfit
	}
	read, _, err := nestedTree(again)
	if err != nil || !slices.EqualFunc(byPath(want), byPath(scalars(read)), scalar.equal) {
		return nil, errUnfit
	}
	return body, nil
}

// kept are the form's fields that are still there, with their values.
func (w *wrapping) kept(want []scalar) []string {
	var out []string
	for _, f := range w.from {
		i := slices.IndexFunc(want, func(s scalar) bool { return slices.Equal(s.path, f.path) })
		if i < 0 {
			continue
		}
		n := w.form.Nodes[f.node]
		text := string(w.form.Src[n.KeyStart:n.End])
		if want[i].text != w.form.Text(f.node) {
			text = string(w.form.Src[n.KeyStart:n.KeyEnd]) + "=" + escaped(w.form, want[i].text)
		}
		out = append(out, text)
	}
	return out
}

func escaped(t *doc.Tree, text string) string {
	return strings.TrimPrefix(string(t.Format.Encode(nil, t, doc.Root, doc.Value{Kind: doc.String, Text: text})), "=")
}

// nameOf is the name of a further field: it goes on from the longest way that other
// fields have in common with it. false where that leads into a list, whose numbers
// are the CRM's.
func (w *wrapping) nameOf(path []string) (string, bool) {
	keys, common := slices.Clone(path), 0
	for _, f := range w.from {
		n := 0
		for n < len(path)-1 && n < len(f.path)-1 && path[n] == f.path[n] {
			n++
		}
		if n > common {
			if f.auto {
				return "", false
			}
			common = n
			copy(keys, f.keys[:n])
		}
	}
	if common < len(path) && isCounter(path[common]) && common > 0 && w.has(path[:common]) {
		return "", false
	}
	for i, k := range keys {
		if k == "" || strings.ContainsAny(k, "[]") || i == 0 && strings.ContainsAny(k, ". ") {
			return "", false
		}
	}
	name := strings.Join(keys, "][")
	if len(keys) > 1 {
		name = keys[0] + name[len(keys[0])+1:] + "]"
	}
	return name, true
}

// has reports whether a field stands below that place.
func (w *wrapping) has(path []string) bool {
	return slices.ContainsFunc(w.from, func(f nestedField) bool {
		return len(f.path) > len(path) && slices.Equal(f.path[:len(path)], path)
	})
}

// scalar is a value of a document and the way to it.
type scalar struct {
	path  []string
	text  string
	unfit bool // no form says it
}

func (s scalar) equal(o scalar) bool { return s.text == o.text && slices.Equal(s.path, o.path) }

func byPath(all []scalar) []scalar {
	return slices.SortedFunc(slices.Values(all), func(a, b scalar) int { return slices.Compare(a.path, b.path) })
}

// scalars lists the values of a document.
func scalars(t *doc.Tree) []scalar {
	var out []scalar
	var walk func(node int, path []string)
	walk = func(node int, path []string) {
		if !isContainer(t, node) {
			kind := t.Nodes[node].Kind
			s := scalar{path: slices.Clone(path), unfit: kind == doc.Bool}
			if kind != doc.Null {
				s.text = t.Text(node)
			}
			out = append(out, s)
			return
		}
		i := 0
		for c := range t.Children(node) {
			key := t.Key(c)
			if t.Nodes[node].Kind == doc.Array {
				key = counter(i)
				i++
			}
			walk(c, append(path, key))
		}
	}
	walk(doc.Root, nil)
	return out
}
