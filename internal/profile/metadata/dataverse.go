package metadata

import (
	"fmt"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// Dataverse's GET …/EntityDefinitions with $expand=Attributes, or one of them.
func isDataverse(n node) bool {
	return n.has("LogicalName", "Attributes") || n.get("value").first().has("LogicalName", "EntitySetName")
}

func readDataverse(s *Schema, f File, n node) error {
	if n.get("@odata.nextLink").t != nil {
		s.note("CHECK: %s has a further page; save it besides", f.Name)
	}
	if n.has("Attributes") {
		return s.dataverse(f, n)
	}
	for _, d := range n.each("value") {
		if err := s.dataverse(f, d); err != nil {
			return err
		}
	}
	return nil
}

func (s *Schema) dataverse(f File, n node) error {
	if !n.get("Attributes").is(doc.Array) {
		return fmt.Errorf("%s: the definition of %s has no attributes; ask with $expand=Attributes", f.Name, plainText(n.text("LogicalName")))
	}
	e := &entity{
		types: []string{n.text("EntitySetName"), n.text("LogicalName")}, label: label(n.get("DisplayName")), custom: n.yes("IsCustomEntity"), chosen: n.has("@odata.context"),
		id: n.text("PrimaryIdAttribute"), display: n.text("PrimaryNameAttribute"),
	}
	if e.types[0] == "" {
		e.types = e.types[1:]
	}
	for _, a := range n.each("Attributes") {
		name := a.text("LogicalName")
		if !isName(name) || a.text("AttributeOf") != "" {
			continue // a label of another one stands in the answer as its annotation
		}
		e.dataverseField(name, a)
	}
	for _, r := range n.each("ManyToOneRelationships") {
		if name := r.text("ReferencingEntityNavigationPropertyName"); isName(name) {
			e.put(field{name: name, typ: "many to one", kind: relation, target: r.text("ReferencedEntity"), custom: r.yes("IsCustomRelationship")})
		}
	}
	for _, r := range n.each("OneToManyRelationships") {
		if name := r.text("ReferencedEntityNavigationPropertyName"); isName(name) {
			e.put(field{name: name, typ: "one to many", kind: relation, target: r.text("ReferencingEntity"), custom: r.yes("IsCustomRelationship")})
		}
	}
	s.add(e)
	return nil
}

// label is a localised label: that of the user who asked.
func label(n node) string {
	if l := n.text("UserLocalizedLabel", "Label"); l != "" {
		return l
	}
	return n.get("LocalizedLabels").first().text("Label")
}

func (e *entity) dataverseField(name string, a node) {
	f := field{name: name, label: label(a.get("DisplayName")), typ: a.text("AttributeType"), custom: a.yes("IsCustomAttribute")}
	form := a.text("FormatName", "Value")
	if form == "" {
		form = a.text("Format")
	}
	if form != "" {
		f.typ += " " + form
	}
	switch a.text("AttributeType") {
	case "String":
		f.kind = map[string]kind{"Email": email, "Phone": phone, "Url": webAddress, "TextArea": longText, "RichText": longText, "Json": other}[form]
		if f.kind == "" {
			f.kind = text
		}
	case "Memo":
		f.kind = longText
	case "Integer", "BigInt", "Decimal", "Double", "Money":
		f.kind = number
	case "Boolean":
		f.kind = boolean
	case "DateTime":
		f.kind = moment
		if form == "DateOnly" {
			f.kind = date
		}
	case "Picklist", "State", "Status":
		f.kind = choice
	case "Lookup", "Customer", "Owner":
		f.name, f.kind = "_"+name+"_value", fixed
		f.spec, f.why = `{link_by: "*@Microsoft.Dynamics.CRM.lookuplogicalname"}`, "the id of a record of the type beside it"
		if t := a.get("Targets").first().text(); t != "" {
			f.target = t
		}
	case "Uniqueidentifier":
		f.kind = identifier
	case "Virtual":
		f.kind = other
		switch a.text("AttributeTypeName", "Value") {
		case "ImageType":
			f.kind, f.bytes = picture, "file: true"
		case "FileType":
			f.kind = file
		case "MultiSelectPicklistType":
			f.kind = choice
		default:
			return // what is computed of others
		}
	default:
		f.kind = other
	}
	f.typ = strings.TrimSpace(f.typ)
	e.put(f)
}
