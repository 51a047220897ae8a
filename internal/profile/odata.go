package profile

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile/odata"
)

// odataPlan is what an address of OData asks for, and what its answer holds.
type odataPlan struct {
	q   *odata.Query
	typ string
	ids []string
	// keys are the fields of alternate keys in the path.
	keys []resolved
	// property is the field whose value is the whole answer.
	property string
	// many and one say that the answer is a list, or one record; where neither is
	// known, it tells itself.
	many, one bool
	// stored: columns can be those of a query that doesn't stand in the request.
	stored bool
	// refs: the answer names records by their addresses alone.
	refs bool
}

// odataWords are the words for a route's `odata`.
func odataWords() []string { return []string{"read", "write", "function", "search"} }

// refuseOData turns what the codec says into an answer.
func refuseOData(err error) error {
	if syntax, ok := errors.AsType[*odata.SyntaxError](err); ok {
		return &Refusal{Reason: "malformed", Text: syntax.Text, Status: 400}
	}
	return err
}

// isODataParam reports whether OData's reader judges a query parameter.
func (x *Exchange) isODataParam(name string) bool { return x.rt.odata != "" && odata.Taken(name) }

// classifyOData reads the address and its query, before the operation is.
func (x *Exchange) classifyOData() error {
	if x.rt == nil || x.rt.odata == "" {
		return nil
	}
	params := make([]odata.Param, 0, len(x.req.Query))
	for _, q := range x.req.Query {
		params = append(params, odata.Param(q))
	}
	parse := odata.ParseQuery
	if x.rt.odataTwo {
		parse = odata.ParseQueryV2
	}
	q, err := parse(params)
	if err != nil {
		return refuseOData(err)
	}
	x.od = &odataPlan{q: q}
	aliases := odata.Aliases(params)
	switch x.rt.odata {
	case "read", "write":
		r, err := odata.ParsePath(x.vars["resource"], aliases)
		if x.rt.odataTwo {
			r, err = odata.ParsePathV2(x.vars["resource"])
		}
		if err != nil {
			return refuseOData(err)
		}
		if x.rt.odata == "write" {
			return x.odataWrite(r)
		}
		return x.odataPath(r)
	case "function":
		r, err := odata.ParseTarget(x.vars["args"], x.rt.odataRecord, aliases)
		if err != nil {
			return refuseOData(err)
		}
		if len(q.Refs) > 0 {
			return refuse("unknown_parameter", "A query parameter is not in the profile for this address.")
		}
		if err := x.odataPath(r); err != nil {
			return err
		}
		if len(x.od.ids) != 1 {
			return refuse("malformed", "A function names one record by its id.")
		}
		x.vars["id"] = x.od.ids[0]
	case "search":
		x.od.typ = x.op.entity
		return x.odataSearch()
	}
	return nil
}

// odataPath follows a resource path to the type that it leads to.
func (x *Exchange) odataPath(r *odata.Resource) error {
	od := x.od
	for i, s := range r.Segments {
		if i == 0 {
			od.typ = s.Name
		} else if related, ok := x.p.relation(x.p.entityOf(od.typ), s.Name); ok {
			od.typ, od.many, od.one, od.ids = related, false, false, nil
		} else if i == len(r.Segments)-1 && s.Key == nil && !od.many {
			od.property = s.Name
			break
		} else {
			return refuse("unknown_field", "A step of the address is not in the profile %s.", x.p.Name)
		}
		od.many = i == 0 && s.Key == nil
		if s.Key != nil {
			x.odataKey(s.Key)
		}
	}
	switch r.End {
	case "$ref":
		od.refs = true
		if od.property != "" {
			return refuse("malformed", "An address ends in $ref behind a property.")
		}
	case "$value", "$count":
		return refuse("malformed", "An address that ends in $value or $count is not served: ask for the property, or $count=true in a list.")
	}
	return nil
}

// odataKey notes the record that a key names: by its id, or by values of other
// fields, which is asking about them.
func (x *Exchange) odataKey(k *odata.Key) {
	od, ent := x.od, x.p.entityOf(x.od.typ)
	od.one, od.many, od.ids = true, false, nil
	if k.ID != "" {
		od.ids = []string{k.ID}
		return
	}
	for _, f := range k.Fields {
		if ent != nil && f.Name == ent.id && len(k.Fields) == 1 {
			od.ids = []string{f.Value}
			continue
		}
		od.keys = append(od.keys, x.p.resolve(od.typ, []string{f.Name}))
	}
}

var plainID = regexp.MustCompile(`^[0-9A-Za-z]+(?:-[0-9A-Za-z]+)*$`)

// odataWrite reads the address of a save: a set for a new record, one record by
// its id otherwise. A save by another key, of one property or of a link isn't
// served.
func (x *Exchange) odataWrite(r *odata.Resource) error {
	if len(r.Segments) != 1 || r.End != "" {
		return refuse("malformed", "Saves are served for a set, or for one record of a set.")
	}
	if err := x.odataPath(r); err != nil {
		return err
	}
	for _, ref := range x.od.q.Refs {
		if ref.Role != odata.Select {
			return refuse("malformed", "A save has a query option that asks about records.")
		}
	}
	if x.req.Method == "POST" {
		if !x.od.many {
			return refuse("malformed", "A new record is made in a set.")
		}
		x.od.many, x.od.one = false, true
	} else if len(x.od.ids) != 1 || !plainID.MatchString(x.od.ids[0]) {
		return refuse("malformed", "A record is saved or deleted by its id.")
	}
	return x.odataBody()
}

var bound = regexp.MustCompile(`^/?[A-Za-z_][A-Za-z0-9_]*\([0-9A-Fa-f-]{36}\)$`)

// odataBody checks the values of a save: plain ones, and links to records by their
// ids. A record within a record would be saved unseen, and a link by another key
// would tell whether there is such a record.
func (x *Exchange) odataBody() error {
	if x.tree == nil {
		return nil
	}
	for c := range x.tree.Children(doc.Root) {
		if isContainer(x.tree, c) {
			return refuse("malformed", "Records within a record, and lists, are not saved.")
		}
		name, annotation, ok := strings.Cut(x.tree.Key(c), "@")
		if !ok {
			continue
		}
		if name == "" || annotation != "odata.bind" || !bound.MatchString(x.tree.Text(c)) && !x.made(x.tree.Text(c)) {
			return refuse("malformed", "A save links to another record by name@odata.bind and its id: \"/accounts(…)\".")
		}
	}
	return nil
}

// readOData adds what the codec found to the access.
func (x *Exchange) readOData() error {
	if x.od == nil {
		return nil
	}
	x.Accesses[0].IDs = append(x.Accesses[0].IDs, x.od.ids...)
	for _, res := range x.od.keys {
		x.ask(access.RefFilter, res, "")
	}
	if x.od.property != "" {
		if err := x.selectField(x.p.resolve(x.od.typ, []string{x.od.property})); err != nil {
			return err
		}
	}
	return x.readODataQuery(x.od.q)
}

// readODataQuery adds the fields of a query.
func (x *Exchange) readODataQuery(q *odata.Query) error {
	for name := range q.Columns {
		// Under the name of another field the service could read either.
		if ent := x.p.entityOf(x.typ); ent != nil && ent.exact[name] != nil {
			return refuse("malformed", "An alias has the name of a field.")
		}
	}
	for _, r := range q.Refs {
		res := x.odataField(r.From, r.Path)
		role := access.RefRole(r.Role)
		switch {
		case role == access.RefSelect:
			if err := x.selectField(res); err != nil {
				return err
			}
		case role == access.RefSearch:
			x.ask(role, res, "")
		case res.field.isLink() && role == access.RefSort, res.field.isLink() && role == access.RefFilter && !r.ID && r.From != "":
			// Records are sorted, and in FetchXML compared, by what they are called.
			x.addRef(access.Ref{Role: role, Entity: entityName(res.entity, res.typ), Field: res.name, Categories: x.p.linked(res.field, "")})
		case role == access.RefFilter && (r.ID || r.From == ""):
			x.ask(role, res, "id")
		default:
			x.ask(role, res, "")
		}
	}
	return nil
}

// odataField is a field by the way to it; it goes by its own name.
func (x *Exchange) odataField(from string, path []string) resolved {
	if from == "" {
		from = x.typ
	}
	res := x.p.resolve(from, path)
	res.prefix = ""
	return res
}

func (f *field) isLink() bool { return f.link != "" || f.linkBy != "" }

// linked is what records that a field links to are called by: those of the type
// that is given, or of the field's.
func (p *Profile) linked(f *field, typ string) []access.Category {
	if typ == "" {
		typ = f.link
	}
	return p.displayed(typ)
}

// readFetch reads a query in FetchXML for the operation's type.
func (x *Exchange) readFetch(text string) error {
	q, err := odata.ParseFetch(text)
	if err != nil {
		return refuseOData(err)
	}
	if x.od == nil || x.od.q.Columns != nil || len(x.od.q.Refs) > 0 || !x.od.many || x.p.entityOf(q.Type) != x.ent {
		return refuse("malformed", "FetchXML is served for the set that it asks for, and without other query options.")
	}
	x.od.q = q
	return x.readODataQuery(q)
}

// sortCategories are those of the fields by which the answer is sorted: a cookie
// of paging holds their values.
func (x *Exchange) sortCategories() []access.Category {
	var cats []access.Category
	for _, r := range x.Accesses[0].Refs {
		if r.Role == access.RefSort {
			cats = append(cats, r.Categories...)
		}
	}
	if x.od != nil && x.od.stored {
		cats = append(cats, access.Unclassified)
	}
	cats = unique(cats)
	if len(cats) > 1 {
		cats = slices.DeleteFunc(cats, func(c access.Category) bool { return c == access.Public })
	}
	return cats
}
