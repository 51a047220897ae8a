package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/html"
)

// StoredRequest is the gateway's own read before a save.
type StoredRequest struct {
	Method, Path, Query, MediaType string
	Body                           []byte
}

// CanStore reports whether the profile says how the stored values are read.
func (w *Write) CanStore() bool {
	s := w.w.stored
	return (s.Query != "" || s.Call != "" || s.Get != "") && len(w.IDs) > 0
}

// Stored builds the read of the stored values of the given fields.
func (w *Write) Stored(fields []string) (StoredRequest, error) {
	x, s := w.x, w.w.stored
	if s.Query != "" {
		return w.storedQuery(fields)
	}
	if s.Get != "" {
		path, query, _ := strings.Cut(s.Get, "?")
		escaped := map[string]string{"fields": url.QueryEscape(strings.Join(fields, ","))}
		vars, err := w.storedVars()
		if err != nil {
			return StoredRequest{}, err
		}
		for name, v := range vars {
			escaped[name] = url.QueryEscape(v)
		}
		return StoredRequest{Method: "GET", Path: expandVars(path, vars), Query: expandVars(query, escaped)}, nil
	}
	ids := make([]json.Number, 0, len(w.IDs))
	for _, id := range w.IDs {
		ids = append(ids, json.Number(id))
	}
	if x.tr.isXML() {
		return w.storedXMLRPC(fields)
	}
	context, err := x.storedContext()
	if err != nil {
		return StoredRequest{}, fmt.Errorf("reading stored values: %w", err)
	}
	if x.tr.method != nil {
		return w.storedCall(ids, fields, context)
	}
	body, err := json.Marshal(map[string]any{
		"id":     0,
		"method": strings.ReplaceAll(s.Call, "{type}", w.Type),
		"params": []any{ids, append([]string{w.ent.id}, fields...), context},
	})
	if err != nil {
		return StoredRequest{}, fmt.Errorf("reading stored values: %w", err)
	}
	return StoredRequest{Method: x.req.Method, Path: x.req.Path, MediaType: x.req.MediaType, Body: body}, nil
}

// storedVars are the variables of the request's path, and the record's type and id
// where they stand elsewhere. What could lead to another address is refused.
func (w *Write) storedVars() (map[string]string, error) {
	vars := map[string]string{"type": w.Type}
	if len(w.IDs) == 1 {
		vars["id"] = w.IDs[0]
	}
	for name, v := range vars {
		if v == "" || strings.Trim(v, ".") == "" || strings.ContainsAny(v, "/\\?#%;") {
			return nil, fmt.Errorf("reading stored values: the record's %s can't stand in an address", name)
		}
	}
	maps.Copy(vars, w.x.vars)
	return vars, nil
}

// storedCall is the employee's own call with another name and other arguments.
func (w *Write) storedCall(ids []json.Number, fields []string, context json.RawMessage) (StoredRequest, error) {
	x, name := w.x, w.w.stored.Call
	vars := map[string]string{"type": w.Type, "method": name}
	c := x.p.callNamed(name, vars)
	if c == nil || len(c.sig) < 2 {
		return StoredRequest{}, fmt.Errorf("reading stored values: the profile doesn't let %s of %s pass", name, w.Type)
	}
	args := []any{ids, append([]string{w.ent.id}, fields...)}
	named := map[string]any{}
	if x.tr.context {
		named["context"] = context
	}
	if !x.tr.positional {
		named[c.sig[0]], named[c.sig[1]] = args[0], args[1]
	}
	var root any
	if err := json.Unmarshal(x.tree.Src, &root); err != nil {
		return StoredRequest{}, fmt.Errorf("reading stored values: %w", err)
	}
	put := func(p path, v any) { root = putAt(root, p, v) }
	if x.tr.named != nil {
		put(*x.tr.named, named)
	}
	if x.tr.positional {
		put(x.tr.args, args)
	}
	vars = maps.Clone(x.vars)
	for at, word := range map[*source]string{x.tr.typ: w.Type, x.tr.method: name} {
		switch {
		case at == nil:
		case at.text == "":
			put(at.at, word)
		default:
			vars[strings.Trim(at.text, "{}")] = word
		}
	}
	path := x.req.Path
	if !maps.Equal(vars, x.vars) {
		path = x.tr.pattern.path(vars)
	}
	body, err := json.Marshal(root)
	if err != nil {
		return StoredRequest{}, fmt.Errorf("reading stored values: %w", err)
	}
	return StoredRequest{Method: x.req.Method, Path: path, MediaType: x.req.MediaType, Body: body}, nil
}

// putAt sets what stands at a path of members.
func putAt(in any, p path, v any) any {
	if len(p) == 0 {
		return v
	}
	object, _ := in.(map[string]any)
	if object == nil {
		object = map[string]any{}
	}
	key := p[0].keys[0]
	object[key] = putAt(object[key], p[1:], v)
	return object
}

// storedContext is the call's context without its private members: a point in
// time would make the CRM answer with values that aren't the stored ones.
func (x *Exchange) storedContext() (json.RawMessage, error) {
	if x.ctx < 0 {
		return json.RawMessage("{}"), nil
	}
	var private []int
	for c := range x.tree.Children(x.ctx) {
		if strings.HasPrefix(x.tree.Key(c), "_") {
			private = append(private, c)
		}
	}
	at := x.tree.Nodes[x.ctx]
	edits := doc.RemoveMembers(x.tree, x.ctx, private)
	for i := range edits {
		edits[i].Start -= at.Start
		edits[i].End -= at.Start
	}
	return doc.Splice(nil, x.tree.Raw(x.ctx), edits)
}

// expandVars fills variables in, all at once: a value that looks like a variable
// isn't one.
func expandVars(s string, vars map[string]string) string {
	pairs := make([]string, 0, 2*len(vars))
	for name, v := range vars {
		pairs = append(pairs, "{"+name+"}", v)
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// StoredMedia is the media type of the answer to the gateway's own read.
func (w *Write) StoredMedia() string {
	if w.x.op.write.storedForm != nil {
		return "text/html"
	}
	if w.x.tr.isXML() {
		return "text/xml"
	}
	return "application/json"
}

// ParseStored reads the answer to the gateway's own read: a document of JSON or XML-RPC, or a page
// of which one form holds the record. Of that, the document has a member for each
// field that a browser would send.
func (w *Write) ParseStored(answer []byte) (*doc.Tree, error) {
	form := w.x.op.write.storedForm
	if form == nil && w.x.tr.isXML() {
		return w.x.Parse(answer, "")
	}
	if form == nil {
		return parseJSON(answer)
	}
	page, err := html.Parse(answer, doc.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("reading stored values: %w", err)
	}
	defer html.Release(page)
	forms := form.Elements(page, doc.Root)
	if len(forms) != 1 {
		return nil, fmt.Errorf("reading stored values: the page has %d forms that fit %s", len(forms), form)
	}
	fields, err := html.Controls(page, forms[0])
	if err != nil {
		return nil, fmt.Errorf("reading stored values: %w", err)
	}
	record, err := w.formRecord(fields)
	if err != nil {
		return nil, err
	}
	if id, ok := record[w.ent.id].(string); !ok || id == "" {
		return nil, fmt.Errorf("reading stored values: the form has no field %s that says which record it holds", w.ent.id)
	}
	out, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("reading stored values: %w", err)
	}
	return parseJSON(out)
}

// formRecord is what a browser would send of a form, in the shape in which the
// request's own is read: flat, or with names that are a tree.
func (w *Write) formRecord(fields []html.Control) (map[string]any, error) {
	if w.x.around != nil && w.x.around.at < 0 {
		root := &branch{}
		for _, f := range fields {
			if steps, ok := brackets(f.Name); !ok || len(steps) > maxQueryDepth || !root.put(steps, f.Value) {
				return nil, errors.New("reading stored values: a field of the form can be read in two ways")
			}
		}
		return root.object(), nil
	}
	record := map[string]any{}
	for _, f := range fields {
		switch before := record[f.Name].(type) {
		case nil:
			record[f.Name] = f.Value
		case string:
			record[f.Name] = []string{before, f.Value}
		case []string:
			record[f.Name] = append(before, f.Value)
		}
	}
	return record, nil
}

// ReadStored finds the stored values in the answer to the gateway's own read:
// record id → the record's object.
func (w *Write) ReadStored(t *doc.Tree) (map[string]int, error) {
	p := w.w.storedAt
	if w.x.tr != nil {
		p = append(append(path{}, w.x.tr.result...), step{kind: stepElements})
	}
	if w.w.storedForm != nil && w.x.around != nil {
		p = w.w.at.path // in the form, the values stand where they do in the request
	}
	out := map[string]int{}
	p.each(t, doc.Root, func(n int) {
		id := t.Member(n, w.ent.id)
		if id >= 0 {
			out[t.Text(id)] = n
		} else if len(w.IDs) == 1 {
			out[w.IDs[0]] = n
		}
	})
	for _, id := range w.IDs {
		if _, ok := out[id]; !ok {
			return nil, fmt.Errorf("reading stored values: the CRM did not return record %s/%s", w.Type, id)
		}
	}
	return out, nil
}

// StoredField returns a field's value in a stored record, its leaves and what
// they hold; -1 where the record hasn't got it.
func (w *Write) StoredField(t *doc.Tree, record int, name string) (node int, leaves []Leaf, cats []access.Category) {
	node = w.x.p.member(t, record, name)
	if node < 0 {
		return -1, nil, nil
	}
	f := w.fieldAt(t, node, name)
	return node, w.x.p.leaves(t, node, f), w.x.pickCategories(t, record, node, f)
}

// IsEmpty reports whether a node is what the CRM writes for no value where others write
// null.
func (w *Write) IsEmpty(t *doc.Tree, node int) bool { return w.x.p.isEmpty(t, node) }

// fieldAt is what the profile knows of a field with the value at a node.
func (w *Write) fieldAt(t *doc.Tree, node int, name string) *field {
	if f := w.ent.field(name); f != nil {
		return f
	}
	return w.x.p.unknown(t, node, w.ent)
}

// Beside lists the fields that choose the categories of the given ones: they
// have to be read with them.
func (w *Write) Beside(names []string) []string {
	var beside []string
	for _, name := range names {
		if f := w.field(name); f.by != "" {
			beside = append(beside, f.by)
		}
	}
	return beside
}

// Sent are the categories that the value of a field gets by this write, in the
// given stored record.
func (w *Write) Sent(f *WriteField, t *doc.Tree, record int) []access.Category {
	body := w.x.tree
	fd := w.fieldAt(body, f.Node, f.Name)
	chosen := w.ent.selects[w.ent.key(f.Name)]
	if len(chosen) > 0 {
		stored := w.x.p.member(t, record, f.Name)
		if stored >= 0 && t.Nodes[stored].Kind == body.Nodes[f.Node].Kind && t.Text(stored) == body.Text(f.Node) {
			chosen = nil // chosen as before
		}
	}
	cats := fd.categories
	if fd.by != "" {
		if body.Member(w.Object, fd.by) >= 0 {
			cats = w.x.byOf(fd, body, w.Object)
		} else {
			cats = w.x.byOf(fd, t, record)
		}
	}
	return unique(append(slices.Clone(cats), chosen...))
}

// FieldNames lists the entity's literal field names that can hold one of the
// categories for which keep answers true: what a full write must not empty.
func (w *Write) FieldNames(keep func(access.Category) bool) []string {
	var names []string
	for name, f := range w.ent.exact {
		if f.name != "" {
			name = f.name
		}
		if !w.leavesFiles(f) && slices.ContainsFunc(f.categories, keep) {
			names = append(names, name)
		}
	}
	return names
}

var (
	// ErrInline says that what has to be changed in a request stands in the text of a
	// query, or in several places of it.
	ErrInline = errors.New("the values stand in the query's text, or in several places")

	errStoredID = errors.New("reading stored values: the record's id, or a field's name, can't stand in a query")
)

// queryBody is a request of GraphQL.
func queryBody(query string) []byte {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return nil
	}
	return body
}
