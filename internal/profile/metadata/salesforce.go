package metadata

import "strings"

// Salesforce's GET …/sobjects/{name}/describe.
func isDescribe(n node) bool {
	return n.has("name", "fields", "custom") && n.get("fields").first().has("name", "type")
}

// Salesforce's answer to a query of FieldDefinition, in which a company says which
// fields hold personal data.
func isFieldDefinitions(n node) bool {
	first := n.get("records").first()
	return n.has("totalSize", "records") && (first.t == nil || first.text("attributes", "type") == "FieldDefinition")
}

func readDescribe(s *Schema, _ File, n node) error {
	e := &entity{types: []string{n.text("name")}, label: n.text("label"), custom: n.yes("custom"), chosen: true, id: "Id"}
	if key := n.text("keyPrefix"); isName(key) {
		e.prefix = key
	}
	for _, d := range n.each("fields") {
		f := field{name: d.text("name"), label: d.text("label"), typ: d.text("type"), custom: d.yes("custom")}
		if !isName(f.name) {
			continue
		}
		f.kind = salesforceKind(d)
		f.of = d.text("compoundFieldName")
		if f.typ == "encryptedstring" {
			f.marked, f.sensitive = "encrypted", true
		}
		if d.yes("nameField") {
			e.display = f.name
			e.persons = e.persons || f.of != "" || d.yes("compoundFieldName")
		}
		if f.typ == "reference" {
			f = salesforceReference(e, d, f)
		}
		e.put(f)
	}
	e.persons = e.persons || e.field("LastName") != nil
	for _, c := range n.each("childRelationships") {
		if name := c.text("relationshipName"); isName(name) {
			e.put(field{name: name, typ: "childRelationship", kind: relation, target: c.text("childSObject"), custom: strings.HasSuffix(name, "__r")})
		}
	}
	s.add(e)
	return nil
}

// salesforceReference is a field with another record's id; the record itself stands
// under the name of the relationship.
func salesforceReference(e *entity, d node, f field) field {
	f.kind = link
	var to []string
	for _, t := range d.each("referenceTo") {
		to = append(to, t.text())
	}
	if name := d.text("relationshipName"); isName(name) && len(to) == 1 {
		e.put(field{name: name, typ: "relationship", kind: relation, target: to[0], custom: f.custom})
	}
	if len(to) > 0 {
		f.target = to[0] // of several, what the id begins with says which
	}
	return f
}

func salesforceKind(d node) kind {
	switch d.text("type") {
	case "string", "combobox", "encryptedstring":
		if d.get("extraTypeInfo").t != nil && strings.HasPrefix(d.text("extraTypeInfo"), "personname") {
			return personName
		}
		return text
	case "textarea":
		return longText
	case "email":
		return email
	case "phone":
		return phone
	case "url":
		return webAddress
	case "address", "location":
		return address
	case "int", "double", "currency", "percent", "long":
		return number
	case "boolean":
		return boolean
	case "date":
		return date
	case "datetime":
		return moment
	case "time":
		return other
	case "picklist", "multipicklist":
		return choice
	case "id":
		return identifier
	case "base64":
		return file
	}
	return other
}

// readFieldDefinitions keeps the marks: ComplianceGroup (PII, HIPAA, GDPR, …).
func readFieldDefinitions(s *Schema, _ File, n node) error {
	for _, r := range n.each("records") {
		typ, name, group := r.text("EntityDefinition", "QualifiedApiName"), r.text("QualifiedApiName"), r.text("ComplianceGroup")
		if typ != "" && name != "" && group != "" {
			s.marks[typ+"."+name] = plainText("ComplianceGroup: " + group)
		}
	}
	return nil
}
