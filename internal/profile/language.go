package profile

import (
	"errors"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/profile/soql"
)

// ownRoles reports whether a syntax is a language with roles of its own.
func ownRoles(syntax string) bool { return isLanguage(syntax) || syntax == "fetchxml" }

// isLanguage reports whether a syntax says itself which entities are asked about.
func isLanguage(syntax string) bool {
	return slices.Contains([]string{"soql", "sosl", "search_parameters", "coql", "vtql"}, syntax)
}

// language is the place of a query that says itself what it is about; nil without one.
func (op *operation) language() *ref {
	for i := range op.refs {
		if isLanguage(op.refs[i].syntax) {
			return &op.refs[i]
		}
	}
	return nil
}

// language checks a route whose query says itself what it is about.
func (c *compiler) language(where string, rt *route) {
	r := rt.language()
	switch {
	case r == nil:
	case len(rt.refs) > 1 || rt.entity != "" || len(rt.ids) > 0 || rt.write != nil:
		c.fail(where, "%s says itself what is asked: leave entity, ids, write and other refs out", r.syntax)
	case rt.typ != "json" || rt.stream != "":
		c.fail(where, "%s is served for answers of the type json that aren't streamed", r.syntax)
	case r.at.origin != fromQuery && r.at.origin != fromBody:
		c.fail(where, "%s stands in a query parameter or in the body", r.syntax)
	}
}

// noLanguage refuses such a query in a remote call.
func (c *compiler) noLanguage(where string, cl *call) {
	if cl.language() != nil {
		c.fail(where, "soql, sosl, search_parameters, coql and vtql are for routes")
	}
}

// refuseLanguage turns what a reader of a language says into an answer.
func refuseLanguage(err error) error {
	if syntax, ok := errors.AsType[*soql.SyntaxError](err); ok {
		return &Refusal{Reason: "malformed", Text: syntax.Error() + ".", Status: 400}
	}
	return err
}

// classifyLanguage reads the query of a route that has one, before the operation is.
func (x *Exchange) classifyLanguage() error {
	r := x.rt.language()
	if r == nil {
		return nil
	}
	var err error
	if r.syntax == "search_parameters" {
		x.asks, err = x.searchParameters(r)
	} else {
		vs := x.valuesAt(r.at)
		if len(vs) != 1 || vs[0].node >= 0 && x.tree.Nodes[vs[0].node].Kind != doc.String {
			return refuse("malformed", "The request has no query, or several.")
		}
		parse := map[string]func(string) (*soql.Query, error){
			"soql": soql.ParseQuery, "sosl": soql.ParseSearch, "coql": soql.ParseCOQL, "vtql": soql.ParseVTQL,
		}[r.syntax]
		x.asks, err = parse(x.textOf(vs[0]))
	}
	if err != nil {
		return refuseLanguage(err)
	}
	for _, object := range x.asks.Objects {
		if x.p.entityOf(object) == nil {
			return refuse("unknown_type", "Records of a kind that the query names are not in the profile %s.", x.p.Name)
		}
	}
	if err := x.checkColumns(r.syntax == "coql" || r.syntax == "vtql"); err != nil {
		return err
	}
	return x.checkObjectNames()
}

// checkColumns refuses a name for a column that is an id's or an owner's: the answer
// would say whose record a row is as the query wants it.
func (x *Exchange) checkColumns(flat bool) error {
	for _, l := range x.asks.Rows {
		for name := range l.Columns {
			for _, object := range x.asks.Objects {
				if e := x.p.entityOf(object); flat && strings.EqualFold(name, e.id) || e.owner != "" && strings.EqualFold(name, e.owner) {
					return refuse("malformed", "A column of the query has the name of the id, or of the owner.")
				}
			}
		}
	}
	return nil
}

// checkObjectNames refuses a name for an object that could be a field's: the CRM could
// read either.
func (x *Exchange) checkObjectNames() error {
	for _, n := range x.asks.Names {
		typ := n.From
		for _, step := range n.Path {
			typ, _ = x.p.relation(x.p.entityOf(typ), step)
		}
		e := x.p.entityOf(typ)
		if e == nil {
			continue
		}
		if _, taken := x.p.relation(e, n.Name); taken || e.exact[e.key(n.Name)] != nil {
			return refuse("malformed", "The query calls an object as a field is called.")
		}
	}
	return nil
}

// readLanguage adds what a query names to the access, and one access for each
// further entity with persons' data that it is about.
func (x *Exchange) readLanguage() error {
	if x.asks == nil {
		return nil
	}
	for _, object := range x.asks.Objects[1:] {
		e := x.p.entityOf(object)
		if e.internal || slices.ContainsFunc(x.Accesses, func(a access.Access) bool { return a.Entity == e.name }) {
			continue
		}
		x.Accesses = append(x.Accesses, access.Access{Route: x.Route, Action: x.op.action, Entity: e.name, Type: object})
	}
	for _, r := range x.asks.Refs {
		res := x.languageField(r.Field)
		if r.Role == soql.Select {
			if err := x.selectField(res); err != nil {
				return err
			}
			continue
		}
		x.ask(access.RefRole(r.Role), res, "")
	}
	return nil
}

// languageField is a field that a query names; it goes by its own name.
func (x *Exchange) languageField(f soql.Field) resolved {
	res := x.p.resolve(f.From, f.Path)
	res.prefix = ""
	return res
}

// atLevel notes which rows of a query the record at a place is one of.
func (f *finder) atLevel(node int) {
	if f.x.asks == nil {
		return
	}
	typ, _, _ := f.described(node)
	f.level = f.x.asks.Level(typ)
}

// namedColumn finds what stands under a name that the query made up. It reports whether
// the name is one.
func (f *finder) namedColumn(level *soql.Level, name string, node, rec int, ent *entity) bool {
	c, ok := level.Columns[strings.ToLower(name)]
	switch {
	case !ok && (level.Fields == nil || level.Fields[strings.ToLower(name)] || ent.isID(name) && f.isID(node)):
		return false
	case !ok: // nobody asked for it under this name
		f.field(node, rec, ent, name, unclassified(), "")
	case f.t.Nodes[node].Kind == doc.Null:
	case len(c.Fields) == 0:
		if !f.isCount(node) {
			f.field(node, rec, f.x.ent, name, unclassified(), "")
		}
	case len(c.Fields) > 1:
		f.oneOf(c.Fields, node, name)
	default:
		f.columnField(f.x.languageField(c.Fields[0]), node, rec, name)
	}
	return true
}

// columnField finds the value of one field under a name that the query made up.
func (f *finder) columnField(res resolved, node, rec int, name string) {
	switch {
	case res.related != "":
		f.other(node, res.related)
	case res.entity != nil && res.entity.isID(res.name) && f.isID(node):
		f.record(res.entity, res.typ, f.t.Text(node))
	case res.field.isLink():
		f.link(node, rec, res.entity, name, f.linkType(name, -1, res.field))
	default:
		f.fieldValue(node, -1, -1, res.entity, res.name, res.field)
	}
}

// oneOf finds a value that can be any of several fields'.
func (f *finder) oneOf(fields []soql.Field, node int, name string) {
	var cats []access.Category
	first := f.x.languageField(fields[0])
	for _, field := range fields {
		res := f.x.languageField(field)
		if res.entity != first.entity {
			cats = append(cats, access.Unclassified)
		}
		cats = append(cats, res.field.categories...)
	}
	if cats = unique(cats); len(cats) > 1 {
		cats = slices.DeleteFunc(cats, func(c access.Category) bool { return c == access.Public })
	}
	if !slices.Equal(cats, []access.Category{access.Public}) {
		f.field(node, -1, first.entity, name, cats, "")
	}
}

// isCount reports whether a value is a number, be it written as people do.
func (f *finder) isCount(node int) bool {
	const most = 12
	text := f.t.Text(node)
	return f.t.Nodes[node].Kind == doc.Number || f.t.Nodes[node].Kind == doc.String && len(text) <= most && strings.Trim(text, "0123456789.,") == ""
}
