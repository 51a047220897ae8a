package profile

import (
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile/graphql"
)

// Splice makes the body to be forwarded of the request's, with edits made to the
// document that was judged. Where that isn't the body, this is put together anew; of
// GraphQL only values of variables can be edited, and only those that stand in one place.
func (x *Exchange) Splice(body []byte, edits []doc.Edit) ([]byte, error) {
	if x.around != nil {
		edited, err := doc.Splice(nil, x.tree.Src, edits)
		if err != nil {
			return nil, err
		}
		return x.around.splice(edited)
	}
	if x.gql == nil {
		return doc.Splice(nil, body, edits)
	}
	moved := make([]doc.Edit, 0, len(edits))
	for _, e := range edits {
		m, ok := x.gql.inBody(e)
		if !ok {
			return nil, ErrInline
		}
		moved = append(moved, m)
	}
	return doc.Splice(nil, body, moved)
}

// inBody is an edit of the arguments as one of the request's body.
func (p *graphqlPlan) inBody(e doc.Edit) (doc.Edit, bool) {
	copies := p.op.Arguments.Copies
	for i, c := range copies {
		if int(e.Start) < c.At || int(e.End) > c.At+c.Len || c.From < 0 {
			continue
		}
		shared := func(o graphql.Copy) bool { return o.From < c.From+c.Len && c.From < o.From+o.Len }
		if slices.ContainsFunc(copies[:i], shared) || slices.ContainsFunc(copies[i+1:], shared) {
			return e, false // the other place would get this one's values
		}
		by := int32(c.From - c.At)
		return doc.Edit{Start: e.Start + by, End: e.End + by, With: e.With}, true
	}
	return e, false
}

// storedQuery builds the read of the stored values of the given fields.
func (w *Write) storedQuery(fields []string) (StoredRequest, error) {
	if len(w.IDs) != 1 || !plainID.MatchString(w.IDs[0]) || !plainType.MatchString(w.Type) {
		return StoredRequest{}, errStoredID
	}
	var names []string
	for _, name := range fields {
		text, ok := w.selection(name)
		if !ok {
			return StoredRequest{}, errStoredID
		}
		names = append(names, text)
	}
	query := "{ " + expandVars(w.w.stored.Query, map[string]string{
		"type": w.Type, "id": `"` + w.IDs[0] + `"`, "fields": strings.Join(names, " "),
	}) + " }"
	return StoredRequest{Method: "POST", Path: w.x.req.Path, MediaType: "application/json", Body: queryBody(query)}, nil
}

// selection is what asks for a field: with the parts that the write holds, or that
// the profile knows.
func (w *Write) selection(name string) (string, bool) {
	if !plainType.MatchString(name) {
		return "", false
	}
	f := w.field(name)
	if f.parts == nil {
		return name, true
	}
	var parts []string
	if n := w.x.tree.Member(w.Object, name); n >= 0 && w.x.tree.Nodes[n].Kind == doc.Object {
		for c := range w.x.tree.Children(n) {
			parts = append(parts, w.x.tree.Key(c))
		}
	} else {
		for part := range f.parts.exact {
			parts = append(parts, part)
		}
	}
	slices.Sort(parts)
	if len(parts) == 0 || slices.ContainsFunc(parts, func(p string) bool { return !plainType.MatchString(p) }) {
		return "", false
	}
	return name + " { " + strings.Join(parts, " ") + " }", true
}
