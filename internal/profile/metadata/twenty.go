package metadata

import "github.com/crmgate/crmgate/internal/doc"

// Twenty's GET /rest/metadata/objects.
func isTwenty(n node) bool {
	return n.get("data", "objects").first().has("nameSingular", "namePlural", "fields")
}

func readTwenty(s *Schema, f File, n node) error {
	if n.yes("pageInfo", "hasNextPage") {
		s.note("CHECK: %s has a further page; save it besides", f.Name)
	}
	for _, o := range n.each("data", "objects") {
		if o.get("isActive").is(doc.Bool) && !o.yes("isActive") {
			continue
		}
		e := &entity{types: []string{o.text("namePlural"), o.text("nameSingular")}, label: o.text("labelSingular"), custom: o.yes("isCustom"), display: "name"}
		for _, d := range o.each("fields") {
			if name := d.text("name"); isName(name) && (!d.get("isActive").is(doc.Bool) || d.yes("isActive")) {
				e.twenty(field{name: name, label: d.text("label"), typ: d.text("type"), custom: d.yes("isCustom")}, d)
			}
		}
		s.add(e)
	}
	return nil
}

// twenty adds a field with what Twenty's composites consist of.
func (e *entity) twenty(f field, d node) {
	set := func(spec, why string) { f.kind, f.spec, f.why = fixed, spec, why }
	switch f.typ {
	case "TEXT":
		f.kind = text
	case "RICH_TEXT", "RICH_TEXT_V2", "RICH_TEXT_DEPRECATED":
		f.kind = longText
	case "NUMBER", "NUMERIC", "RATING", "POSITION":
		f.kind = number
	case "BOOLEAN":
		f.kind = boolean
	case "DATE":
		f.kind = date
	case "DATE_TIME":
		f.kind = moment
	case "SELECT", "MULTI_SELECT":
		f.kind = choice
	case "UUID":
		f.kind = identifier
	case "FULL_NAME":
		e.persons = e.persons || f.name == "name"
		set("{parts: {firstName|lastName: name}}", "by its type")
	case "EMAILS":
		set("{parts: {primaryEmail|additionalEmails: email}}", "by its type")
	case "PHONES":
		set("{parts: {primaryPhoneNumber: phone, primaryPhoneCountryCode|primaryPhoneCallingCode: public, additionalPhones: {parts: {number: phone, countryCode|callingCode: public}}}}", "by its type")
	case "LINKS":
		set("{category: online, parts: {primaryLinkLabel|primaryLinkUrl|secondaryLinks: online}}", "by its type")
	case "ADDRESS":
		set("{category: address, parts: {addressCountry: public}}", "by its type")
	case "CURRENCY":
		f.kind = number
	case "ACTOR":
		set("{parts: {source|name|workspaceMemberId: public}}", "an employee")
	case "RELATION":
		f.kind, f.target = relation, d.text("relation", "targetObjectMetadata", "nameSingular")
		if k := d.text("relation", "type"); k == "MANY_TO_ONE" || k == "" {
			e.put(field{name: f.name + "Id", label: f.label, typ: f.typ, kind: link, target: f.target, custom: f.custom, of: f.name})
		}
	default:
		f.kind = other
	}
	e.put(f)
}
