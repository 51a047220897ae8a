package metadata

import (
	"fmt"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// SuiteCRM's GET /Api/V8/meta/fields/{Module}. The document doesn't name the module:
// the file does.
func isSuite(n node) bool {
	return n.text("data", "type") == "fields" && n.get("data", "attributes").is(doc.Object)
}

func readSuite(s *Schema, f File, n node) error {
	module := f.subject()
	if module == "" || !isName(module) || strings.EqualFold(module, "fields") {
		return fmt.Errorf("%s: the document doesn't say of which module its fields are; name the file by it: Contacts.json", f.Name)
	}
	e := &entity{types: []string{module}, chosen: true, display: "name"}
	for name, d := range n.each("data", "attributes") {
		if !isName(name) || d.text("type") == "link" {
			continue // answers have links among the relationships
		}
		fd := field{name: name, typ: d.text("type"), custom: d.text("source") == "custom_fields" || strings.HasSuffix(name, "_c"), kind: suiteKind(d.text("type"), d.text("dbType"))}
		if fd.custom && fd.kind == identifier {
			fd.kind = other // of which kind of record, nothing says
		}
		e.put(fd)
	}
	e.persons = e.field("first_name") != nil && e.field("last_name") != nil
	s.add(e)
	return nil
}

func suiteKind(typ, db string) kind {
	switch typ {
	case "varchar", "name", "fullname", "relate", "user_name":
		return text
	case "text", "html", "wysiwyg", "longtext":
		return longText
	case "email", "emailbody":
		return email
	case "phone":
		return phone
	case "url", "iframe":
		return webAddress
	case "address":
		return address
	case "int", "float", "double", "decimal", "currency", "uint", "long", "tinyint":
		return number
	case "bool":
		return boolean
	case "date":
		return date
	case "datetime", "datetimecombo", "time":
		return moment
	case "enum", "multienum", "dynamicenum", "radioenum", "parent_type":
		return choice
	case "id", "assigned_user_name":
		return identifier
	case "image":
		return picture
	case "file":
		return file
	case "password", "encrypt":
		return credential
	}
	if db == "text" {
		return longText
	}
	return other
}
