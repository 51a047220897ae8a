package metadata

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crmgate/crmgate/internal/doc"
)

// EspoCRM's GET /api/v1/Metadata: entityDefs holds the fields and the links of all
// kinds of records, scopes which of them the company made, fields of what the types
// of fields consist.
func isEspo(n node) bool { return n.has("entityDefs") && n.get("entityDefs").is(doc.Object) }

func readEspo(s *Schema, _ File, n node) error {
	for typ, defs := range n.each("entityDefs") {
		if !defs.has("fields") {
			continue
		}
		s.add(espoEntity(typ, defs, n.get("scopes", typ)))
	}
	return nil
}

func espoEntity(typ string, defs, scope node) *entity {
	e := &entity{types: []string{typ}, custom: scope.yes("isCustom"), persons: scope.text("type") == "Person", display: "name"}
	for name, f := range defs.each("fields") {
		if !f.yes("disabled") && isName(name) {
			e.espoField(name, f, defs)
		}
	}
	for name, l := range defs.each("links") {
		if to := l.text("entity"); to != "" && isName(name) && !l.yes("disabled") {
			e.put(field{name: name, typ: "link " + l.text("type"), kind: relation, target: to, custom: l.yes("isCustom")})
		}
	}
	for _, name := range defs.each("collection", "textFilterFields") {
		if e.searches == nil {
			e.searches = map[string][]string{}
		}
		if isName(name.text()) {
			e.searches["textFilter"] = append(e.searches["textFilter"], name.text())
		}
	}
	if e.custom && e.searches == nil {
		e.searches = map[string][]string{"textFilter": {"name"}}
	}
	return e
}

// put adds a field; one of the same name stays as it is.
func (e *entity) put(f field) {
	if e.field(f.name) == nil {
		e.fields = append(e.fields, f)
	}
}

// espoKinds says what EspoCRM's types tell.
func espoKind(typ string) kind {
	switch typ {
	case "varchar", "barcode", "foreign":
		return text
	case "text", "wysiwyg":
		return longText
	case "int", "float", "decimal", "currency", "currencyConverted", "autoincrement", "number", "rangeInt", "rangeFloat", "rangeCurrency":
		return number
	case "bool":
		return boolean
	case "date":
		return date
	case "datetime", "datetimeOptional":
		return moment
	case "enum", "enumInt", "enumFloat", "multiEnum", "array", "arrayInt", "checklist", "colorpicker":
		return choice
	case "email":
		return email
	case "phone":
		return phone
	case "url", "urlMultiple":
		return webAddress
	case "personName":
		return personName
	case "address":
		return address
	case "password":
		return credential
	}
	return other
}

// espoField adds the attributes by which answers hold a field.
func (e *entity) espoField(name string, f, defs node) {
	typ := f.text("type")
	base := field{name: name, typ: typ, kind: espoKind(typ), custom: f.yes("isCustom")}
	if f.yes("isPersonalData") {
		base.marked = "isPersonalData"
	}
	to := f.text("entity")
	if l := defs.get("links", name); to == "" {
		to = l.text("entity")
	}
	part := func(attribute string, k kind, spec, why string) {
		p := base
		p.name, p.kind, p.spec, p.why, p.of, p.target = attribute, k, spec, why, name, to
		e.put(p)
	}
	switch typ {
	case "link", "linkOne", "file", "image":
		if typ == "file" || typ == "image" {
			to = "Attachment"
		}
		part(name+"Id", link, "", "")
		part(name+"Name", other, "label", "")
	case "linkMultiple", "attachmentMultiple":
		if typ == "attachmentMultiple" {
			to = "Attachment"
			part(name+"Types", fixed, "public", "types of media")
		}
		part(name+"Ids", link, "", "")
		part(name+"Names", other, "label", "")
	case "linkParent":
		part(name+"Id", fixed, "{link_by: "+word(name+"Type")+"}", "a record of the type beside it")
		part(name+"Type", fixed, "public", "the type of a record")
		part(name+"Name", fixed, "[name, free_text]", "what a record of any kind is called")
	default:
		e.persons = e.persons || typ == "personName" && name == "name"
		if typ != "address" && typ != "map" && !strings.HasPrefix(typ, "range") {
			e.put(base)
		}
		espoParts(name, typ, part)
	}
}

// espoParts adds what a composite consists of.
func espoParts(name, typ string, part func(attribute string, k kind, spec, why string)) {
	const beside = "says something of the address or number beside it"
	switch typ {
	case "personName":
		part("salutation"+upper(name), choice, "", "")
		for _, p := range []string{"first", "last", "middle"} {
			part(p+upper(name), personName, "", "")
		}
	case "email", "phone":
		member := map[string]string{"email": "emailAddress|lower: email", "phone": "phoneNumber|numeric: phone"}[typ]
		part(name+"Data", fixed, "{parts: {"+member+", type|primary|optOut|invalid: public}}", "all of them, with what kind each is")
		part(name+"IsOptedOut", fixed, "public", beside)
		part(name+"IsInvalid", fixed, "public", beside)
	case "address":
		for _, p := range []string{"Street", "City", "State", "Country", "PostalCode", "Map"} {
			part(name+p, address, "", "")
		}
	case "currency":
		part(name+"Currency", fixed, "public", "the currency of an amount")
		part(name+"Converted", number, "", "")
	case "rangeInt", "rangeFloat", "rangeCurrency":
		part("from"+upper(name), number, "", "")
		part("to"+upper(name), number, "", "")
	case "datetimeOptional":
		part(name+"Date", date, "", "")
	}
}

// upper is a name with a capital at its beginning.
func upper(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}
