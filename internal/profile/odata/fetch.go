package odata

import (
	"errors"
	"slices"
	"strings"
)

// ParseFetch reads a query in FetchXML.
func ParseFetch(s string) (*Query, error) {
	root, err := parseXML(s)
	if err != nil {
		return nil, err
	}
	if root.name != "fetch" || len(root.children) != 1 || root.children[0].name != "entity" {
		return nil, fail("FetchXML is a fetch element with one entity in it.")
	}
	err = root.only("version", "mapping", "distinct", "count", "page", "top", "paging-cookie", "returntotalrecordcount",
		"aggregate", "no-lock", "latematerialize", "useraworderby", "utc-offset", "output-format")
	if err != nil {
		return nil, err
	}
	if m := root.attrs["mapping"]; m != "" && m != "logical" {
		return nil, fail("FetchXML is served with mapping=\"logical\" alone.")
	}
	entity := root.children[0]
	f := &fetch{plain: map[string]bool{}, q: &Query{Tables: map[string]string{}, Grouped: isTrue(root.attrs["aggregate"])}, aggregate: isTrue(root.attrs["aggregate"])}
	f.q.Type = entity.attrs["name"]
	if !isName(f.q.Type) || entity.only("name", "enableprefiltering", "prefilterparametername") != nil {
		return nil, fail("FetchXML names no entity.")
	}
	if err := f.tables(entity); err != nil {
		return nil, err
	}
	if err := f.entity(entity, f.q.Type, ""); err != nil {
		return nil, err
	}
	if err := errors.Join(f.orders(), f.clashes()); err != nil {
		return nil, err
	}
	return f.q, pagingCookie(f.q, f.q.Type, root.attrs["paging-cookie"])
}

func isTrue(s string) bool { return s == "true" || s == "1" }

// fetch reads the elements below the entity.
type fetch struct {
	q         *Query
	aggregate bool
	// named are the elements `order`, which can speak of aliases below them.
	named []placedOrder
	// plain are the fields that are asked for by their own names, all of them where
	// all is set.
	plain map[string]bool
	all   bool
}

type placedOrder struct {
	e    *element
	from string
}

// tables notes the names of all linked types first: a condition can speak of one
// that comes after it.
func (f *fetch) tables(e *element) error {
	for _, c := range e.children {
		if c.name != "link-entity" {
			continue
		}
		name := c.attrs["name"]
		alias, ok := c.attrs["alias"]
		if !ok {
			alias = name
		}
		if !isName(name) || !isAlias(alias) {
			return fail("FetchXML links a type without a plain name.")
		}
		if was, twice := f.q.Tables[alias]; twice && (ok || was != name) {
			return fail("FetchXML gives one name to two linked types.")
		}
		f.q.Tables[alias] = name
		if err := f.tables(c); err != nil {
			return err
		}
	}
	return nil
}

// entity reads what an entity, or a linked one, asks for.
func (f *fetch) entity(e *element, from, alias string) error {
	for _, c := range e.children {
		var err error
		switch c.name {
		case "attribute":
			err = f.attribute(c, from, alias)
		case "all-attributes":
			f.all = true
			err = c.only()
		case "no-attrs":
			err = c.only()
		case "order":
			f.named = append(f.named, placedOrder{c, from})
		case "filter":
			err = f.filter(c, from, 0)
		case "link-entity":
			err = f.link(c, from)
		default:
			err = fail("FetchXML has an element that the profile does not know.")
		}
		if err != nil {
			return err
		}
		if len(c.children) > 0 && c.name != "filter" && c.name != "link-entity" {
			return fail("FetchXML has an element where none belongs.")
		}
	}
	return nil
}

// link reads a linked type. It is joined by comparing two fields.
func (f *fetch) link(e *element, parent string) error {
	err := e.only("name", "from", "to", "alias", "link-type", "intersect", "visible", "enableprefiltering", "prefilterparametername")
	if err != nil {
		return err
	}
	name := e.attrs["name"]
	if !isName(e.attrs["from"]) || !isName(e.attrs["to"]) {
		return fail("FetchXML links a type without saying by which fields.")
	}
	// Without an alias Dataverse makes one up, and another type could have been given
	// the same.
	unnamed := func(c *element) bool {
		return c.name == "all-attributes" || c.name == "attribute" && c.attrs["alias"] == ""
	}
	if e.attrs["alias"] == "" && slices.ContainsFunc(e.children, unnamed) {
		return fail("FetchXML asks for fields of a linked type without an alias.")
	}
	f.q.add(Ref{Role: Filter, From: name, Path: []string{e.attrs["from"]}, ID: true})
	f.q.add(Ref{Role: Filter, From: parent, Path: []string{e.attrs["to"]}, ID: true})
	return f.entity(e, name, e.attrs["alias"])
}

// attribute reads a field that is asked for, by its own name or another.
func (f *fetch) attribute(e *element, from, table string) error {
	if err := e.only("name", "alias", "aggregate", "groupby", "dategrouping", "distinct", "usertimezone"); err != nil {
		return err
	}
	name, alias := e.attrs["name"], e.attrs["alias"]
	if !isName(name) {
		return fail("FetchXML asks for a field without a plain name.")
	}
	at := Ref{Role: Select, From: from, Path: []string{name}}
	col := Column{From: from, Path: at.Path}
	switch method := e.attrs["aggregate"]; {
	case method == "" && isTrue(e.attrs["groupby"]):
		at.Role = Group
	case method == "":
	case !f.aggregate || isTrue(e.attrs["groupby"]):
		return fail("FetchXML aggregates without saying so, or groups by an aggregate.")
	case method == "count":
		if alias == "" {
			return fail("FetchXML has an aggregate without an alias.")
		}
		return f.q.column(alias, Column{Public: true})
	case method == "countcolumn":
		at.Role, col = Aggregate, Column{Public: true}
	case slices.Contains([]string{"sum", "avg", "min", "max"}, method):
		f.q.add(Ref{Role: Aggregate, From: from, Path: at.Path})
	default:
		return fail("FetchXML aggregates by a method that the profile does not know.")
	}
	f.q.add(at)
	if alias == "" && f.aggregate {
		return fail("FetchXML has an aggregate without an alias.")
	}
	if alias == "" {
		f.plain[name] = true
		return nil
	}
	if _, taken := f.q.Tables[alias]; taken || alias == table {
		return fail("FetchXML gives one name to a field and to a linked type.")
	}
	return f.q.column(alias, col)
}

// filter reads conditions and groups of them.
func (f *fetch) filter(e *element, from string, depth int) error {
	if depth > maxDepth || e.only("type") != nil {
		return fail("FetchXML has a filter that the profile does not know.")
	}
	if t := e.attrs["type"]; t != "" && t != "and" && t != "or" {
		return fail("FetchXML joins conditions by a word that the profile does not know.")
	}
	for _, c := range e.children {
		var err error
		switch c.name {
		case "condition":
			err = f.condition(c, from)
		case "filter":
			err = f.filter(c, from, depth+1)
		case "link-entity":
			if err = f.nestedLink(c); err == nil {
				err = f.link(c, from)
			}
		default:
			err = fail("FetchXML has an element that the profile does not know.")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// clashes refuses an alias that could be the name of a field in the answer, too.
func (f *fetch) clashes() error {
	if f.all && len(f.q.Columns) > 0 {
		return fail("FetchXML asks for all attributes, and gives an alias to one.")
	}
	for alias := range f.q.Columns {
		if f.plain[alias] {
			return fail("FetchXML gives a field the name of another one that it asks for.")
		}
	}
	return nil
}

// nestedLink notes the names of a type that is linked within a filter.
func (f *fetch) nestedLink(e *element) error { return f.tables(&element{children: []*element{e}}) }

// condition reads the comparison of a field with values or with another field.
func (f *fetch) condition(e *element, from string) error {
	if err := e.only("attribute", "operator", "value", "valueof", "entityname", "uiname", "uitype", "uihidden"); err != nil {
		return err
	}
	var err error
	if from, err = f.tableOf(e, from); err != nil {
		return err
	}
	values := []string{}
	if v, ok := e.attrs["value"]; ok {
		values = append(values, v)
	}
	for _, c := range e.children {
		if c.name != "value" || c.only("uiname", "uitype") != nil || len(c.children) > 0 {
			return fail("FetchXML has an element that the profile does not know.")
		}
		values = append(values, c.text)
	}
	name := e.attrs["attribute"]
	if !isName(name) || !isName(strings.ReplaceAll(e.attrs["operator"], "-", "_")) {
		return fail("FetchXML has a condition without a field or an operator.")
	}
	f.q.add(Ref{Role: Filter, From: from, Path: []string{name}, ID: onlyIDs(e.attrs["operator"], values)})
	if other, ok := e.attrs["valueof"]; ok {
		return f.valueOf(other, from)
	}
	return nil
}

// onlyIDs reports whether a condition compares with ids, or with nothing at all.
func onlyIDs(operator string, values []string) bool {
	for _, v := range values {
		v = strings.TrimSuffix(strings.TrimPrefix(strings.Trim(v, " \t\r\n"), "{"), "}")
		if !guidForm.MatchString(v) {
			return false
		}
	}
	return slices.Contains([]string{
		"eq", "ne", "neq", "in", "not-in", "null", "not-null", "eq-userid", "ne-userid",
		"eq-userteams", "eq-useroruserteams", "eq-useroruserhierarchy", "eq-businessid", "ne-businessid", "under", "eq-or-under", "not-under", "above", "eq-or-above",
	}, operator)
}

// valueOf reads the field that another one is compared with: `field`, `table.field`.
func (f *fetch) valueOf(s, from string) error {
	if table, name, ok := strings.Cut(s, "."); ok {
		typ, known := f.q.Tables[table]
		if !known {
			return fail("FetchXML speaks of a linked type that it does not link.")
		}
		s, from = name, typ
	}
	if !isName(s) {
		return fail("FetchXML compares with something that is no field.")
	}
	f.q.add(Ref{Role: Filter, From: from, Path: []string{s}})
	return nil
}

// tableOf is the type of which an element speaks by its entityname.
func (f *fetch) tableOf(e *element, from string) (string, error) {
	table, ok := e.attrs["entityname"]
	if !ok {
		return from, nil
	}
	typ, known := f.q.Tables[table]
	if !known {
		return "", fail("FetchXML speaks of a linked type that it does not link.")
	}
	return typ, nil
}

// orders reads what the answer is sorted by, when all aliases are known.
func (f *fetch) orders() error {
	for _, o := range f.named {
		if err := o.e.only("attribute", "alias", "descending", "entityname"); err != nil {
			return err
		}
		from, err := f.tableOf(o.e, o.from)
		if err != nil {
			return err
		}
		if alias, ok := o.e.attrs["alias"]; ok {
			c, known := f.q.Columns[alias]
			if !known {
				return fail("FetchXML sorts by an alias that it does not give.")
			}
			if !c.Public {
				f.q.add(Ref{Role: Sort, From: c.From, Path: c.Path})
			}
			if o.e.attrs["attribute"] == "" {
				continue
			}
		}
		if !isName(o.e.attrs["attribute"]) {
			return fail("FetchXML sorts by something that is no field.")
		}
		f.q.add(Ref{Role: Sort, From: from, Path: []string{o.e.attrs["attribute"]}})
	}
	return nil
}
