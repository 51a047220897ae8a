package profile

import "strings"

// readSearch reads a search in a field; in a composite one, the request may
// name the parts that are searched.
func (x *Exchange) readSearch(r *ref, typ string) error {
	res := x.p.resolve(typ, strings.Split(r.field, "."))
	if r.narrow == "" || res.entity == nil {
		x.ask(r.role, res, "")
		return nil
	}
	parts := res.entity.search[res.name].Parts
	for _, q := range x.req.Query {
		if q.Name != r.narrow {
			continue
		}
		for name := range strings.SplitSeq(q.Value, ",") {
			if !contains(parts, name) {
				return refuse("unknown_field", "A field in the request is not in the profile %s.", x.p.Name)
			}
			x.ask(r.role, x.p.resolve(typ, strings.Split(name, ".")), "")
		}
		return nil
	}
	from := len(x.Accesses[0].Refs)
	x.ask(r.role, res, "")
	x.narrow(narrowing{param: r.narrow, name: res.name, typ: typ, entity: res.entity}, from)
	return nil
}
