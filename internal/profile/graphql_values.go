package profile

import (
	"regexp"
	"slices"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile/graphql"
)

// inNotations reports whether nothing but notations of one value is asked for.
func (x *Exchange) inNotations(fields []*graphql.Field) bool {
	return len(x.rt.graphql.values) > 0 && !slices.ContainsFunc(fields, func(f *graphql.Field) bool {
		return f.Name != typeName && (len(f.Fields) > 0 || !contains(x.rt.graphql.values, f.Name))
	})
}

// notations finds a value that stands in an object in several notations, and reports
// whether it does: each of them is the field's value.
func (f *finder) notations(name string, node, object, rec int, ent *entity) bool {
	if f.x.gql == nil || len(f.x.rt.graphql.values) == 0 || f.t.Nodes[node].Kind != doc.Object {
		return false
	}
	found := false
	for c := range f.t.Children(node) {
		key := f.t.Key(c)
		if isContainer(f.t, c) || !contains(f.x.rt.graphql.values, key) && !f.isTypeName(key, c) {
			return false
		}
		found = true
	}
	for c := range f.t.Children(node) {
		if key := f.t.Key(c); !f.isTypeName(key, c) {
			f.memberAs(name, c, object, rec, ent)
		}
	}
	return found
}

// isPosition reports whether a text is a place in a list, and can hold nothing else: a
// short number behind a version, as it is or in base64.
func isPosition(text string) bool {
	if raw, coding := decodeBase64([]byte(text)); coding != nil {
		text = string(raw)
	}
	return position.MatchString(text)
}

var position = regexp.MustCompile(`^v[0-9]:[0-9]{1,6}$`)
