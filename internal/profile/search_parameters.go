package profile

import (
	"errors"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile/soql"
)

// searched is what a parameterised search says of an object.
type searched struct {
	name           string
	fields         []string
	where, orderBy string
}

// searchParameters reads Salesforce's parameterised search, in the body or in the
// query. Without objects it would search all.
func (x *Exchange) searchParameters(r *ref) (*soql.Query, error) {
	group, objects, err := x.searchQuery()
	if r.at.origin == fromBody {
		group, objects, err = x.searchBody()
	}
	if err != nil {
		return nil, err
	}
	if len(objects) == 0 {
		return nil, refuse("malformed", "A search has to name the objects that it searches: else it searches all.")
	}
	if group == "" {
		group = "ALL"
	}
	q := soql.Searching()
	for _, o := range objects {
		if !q.Returning(o.name, group) {
			return nil, refuse("malformed", "A search names an object twice, or searches fields of a group that is not known.")
		}
		var errs []error
		if len(o.fields) > 0 {
			errs = append(errs, soql.ParseFields(q, o.name, strings.Join(o.fields, ",")))
		}
		if o.where != "" {
			errs = append(errs, soql.ParseFilter(q, o.name, o.where))
		}
		if o.orderBy != "" {
			errs = append(errs, soql.ParseOrder(q, o.name, o.orderBy))
		}
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// searchQuery reads `q=x&in=NAME&sobject=Contact&Contact.fields=Id,Name`.
func (x *Exchange) searchQuery() (group string, objects []searched, err error) {
	var fields []string
	for _, p := range x.req.Query {
		switch p.Name {
		case "in":
			group = p.Value
		case "fields":
			fields = strings.Split(p.Value, ",")
		case "sobject":
			for name := range strings.SplitSeq(p.Value, ",") {
				objects = append(objects, searched{name: name})
			}
		}
	}
	for i := range objects {
		o := &objects[i]
		o.fields = slices.Clone(fields)
		for _, p := range x.req.Query {
			switch p.Name {
			case o.name + ".fields":
				o.fields = append(o.fields, strings.Split(p.Value, ",")...)
			case o.name + ".where":
				o.where = p.Value
			case o.name + ".orderBy":
				o.orderBy = p.Value
			}
		}
	}
	return group, objects, nil
}

// isSearchParam reports whether a query parameter says something of an object that a
// parameterised search names.
func (x *Exchange) isSearchParam(name string) bool {
	object, what, ok := strings.Cut(name, ".")
	if r := x.rt.language(); !ok || r == nil || r.syntax != "search_parameters" || r.at.origin != fromQuery {
		return false
	}
	return slices.Contains([]string{"fields", "where", "orderBy", "limit"}, what) &&
		slices.ContainsFunc(x.req.Query, func(p Param) bool {
			return p.Name == "sobject" && slices.Contains(strings.Split(p.Value, ","), object)
		})
}

// searchBody reads `{"q": "x", "in": "NAME", "sobjects": [{"name": "Contact"}]}`.
func (x *Exchange) searchBody() (group string, objects []searched, err error) {
	t := x.tree
	if t.Nodes[doc.Root].Kind != doc.Object {
		return "", nil, refuse("malformed", "The request body is not a JSON object.")
	}
	fields, err := texts(t, t.Member(doc.Root, "fields"))
	if err != nil {
		return "", nil, err
	}
	if n := t.Member(doc.Root, "in"); n >= 0 {
		group = t.Text(n)
	}
	list := t.Member(doc.Root, "sobjects")
	if list < 0 || t.Nodes[list].Kind != doc.Array {
		return group, nil, nil
	}
	for node := range t.Children(list) {
		o, err := searchedObject(t, node)
		if err != nil {
			return "", nil, err
		}
		o.fields = append(o.fields, fields...)
		objects = append(objects, o)
	}
	return group, objects, nil
}

func searchedObject(t *doc.Tree, node int) (o searched, err error) {
	bad := refuse("malformed", "An object of a search has a member that is not in the profile.")
	if t.Nodes[node].Kind != doc.Object {
		return o, bad
	}
	for c := range t.Children(node) {
		text := ""
		if t.Nodes[c].Kind == doc.String {
			text = t.Text(c)
		}
		switch t.Key(c) {
		case "name":
			o.name = text
		case "where":
			o.where = text
		case "orderBy":
			o.orderBy = text
		case "fields":
			if o.fields, err = texts(t, c); err != nil {
				return o, err
			}
			continue
		case "limit":
			continue
		default:
			return o, bad
		}
		if text == "" {
			return o, bad
		}
	}
	return o, nil
}

// texts are those of a list; nil where it is missing.
func texts(t *doc.Tree, node int) ([]string, error) {
	if node < 0 || t.Nodes[node].Kind == doc.Null {
		return nil, nil
	}
	var out []string
	for c := range t.Children(node) {
		if t.Nodes[node].Kind != doc.Array || t.Nodes[c].Kind != doc.String {
			return nil, refuse("malformed", "A list of field names holds something else.")
		}
		out = append(out, t.Text(c))
	}
	return out, nil
}
