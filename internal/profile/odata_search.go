package profile

import (
	"errors"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile/odata"
)

// odataSearch reads the body of Dataverse's search: `entities` and `orderby` are
// lists, or JSON in texts.
func (x *Exchange) odataSearch() error {
	q := x.od.q
	entities, err := x.textDocument("entities")
	if err != nil {
		return err
	}
	if entities == nil {
		return refuse("malformed", "A search has to name the entities that it searches: else it searches all.")
	}
	var types []string
	for c := range entities.Children(doc.Root) {
		typ, err := x.odataSearched(q, entities, c)
		if err != nil {
			return err
		}
		types = append(types, typ)
	}
	orders, err := x.textDocument("orderby")
	if err != nil || orders == nil {
		return err
	}
	for c := range orders.Children(doc.Root) {
		for _, typ := range types {
			if orders.Text(c) == "@search.score desc" {
				continue
			}
			if err := odata.ParseOrder(q, typ, orders.Text(c)); err != nil {
				return refuseOData(err)
			}
		}
	}
	return nil
}

// textDocument is the list in a member, be it JSON in a text; nil without it.
func (x *Exchange) textDocument(name string) (*doc.Tree, error) {
	n := x.tree.Member(doc.Root, name)
	if n < 0 || x.tree.Nodes[n].Kind == doc.Null {
		return nil, nil
	}
	src := []byte(x.tree.Text(n))
	if x.tree.Nodes[n].Kind == doc.Array {
		src = x.tree.Raw(n)
	} else if x.tree.Nodes[n].Kind != doc.String {
		return nil, refuse("malformed", "A member of the search is no list.")
	}
	t, err := parseJSON(src)
	if err != nil || t.Nodes[doc.Root].Kind != doc.Array {
		return nil, refuse("malformed", "A member of the search is no list in a text.")
	}
	return t, nil
}

// odataSearched reads one of the entities that are searched.
func (x *Exchange) odataSearched(q *odata.Query, t *doc.Tree, node int) (string, error) {
	if t.Nodes[node].Kind == doc.String {
		return x.odataSearchedAll(q, t.Text(node))
	}
	if t.Nodes[node].Kind != doc.Object || t.Member(node, "name") < 0 {
		return "", refuse("malformed", "A search has to name the entities that it searches.")
	}
	typ := t.Text(t.Member(node, "name"))
	if x.p.entityOf(typ) == nil {
		return "", refuse("unknown_type", "Records of this kind are not in the profile %s.", x.p.Name)
	}
	searched := false
	for c := range t.Children(node) {
		role := map[string]odata.Role{"selectColumns": odata.Select, "searchColumns": odata.Search}[t.Key(c)]
		var err error
		switch {
		case t.Key(c) == "name" && t.Nodes[c].Kind == doc.String:
		case t.Key(c) == "filter" && t.Nodes[c].Kind == doc.String:
			err = odata.ParseFilter(q, typ, t.Text(c))
		case role != "" && t.Nodes[c].Kind == doc.Array:
			for n := range t.Children(c) {
				searched = searched || role == odata.Search
				err = errors.Join(err, q.Add(role, typ, t.Text(n)))
			}
		default:
			return "", refuse("malformed", "An entity of a search has a member that is not in the profile.")
		}
		if err != nil {
			return "", refuseOData(err)
		}
	}
	if !searched {
		// All columns that the service has in its index.
		return typ, q.Add(odata.Search, typ, "search")
	}
	return typ, nil
}

// odataSearchedAll reads an entity that is searched in all its columns, with a filter
// that stands beside the list.
func (x *Exchange) odataSearchedAll(q *odata.Query, typ string) (string, error) {
	if x.p.entityOf(typ) == nil {
		return "", refuse("unknown_type", "Records of this kind are not in the profile %s.", x.p.Name)
	}
	if n := x.tree.Member(doc.Root, "filter"); n >= 0 && x.tree.Nodes[n].Kind != doc.Null && x.tree.Text(n) != "" {
		if err := odata.ParseFilter(q, typ, x.tree.Text(n)); err != nil {
			return "", refuseOData(err)
		}
	}
	return typ, q.Add(odata.Search, typ, "search")
}
