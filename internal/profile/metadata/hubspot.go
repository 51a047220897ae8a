package metadata

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// HubSpot's GET /crm/v3/properties/{object}: a list of properties, without the name of
// the kind of record. The file is named by it: contacts.json.
func isHubSpotProperties(n node) bool {
	return n.get("results").first().has("name", "type", "fieldType", "label")
}

// An account without sensitive properties, or without kinds of records of its own,
// answers with an empty list.
func isHubSpotNothing(n node) bool {
	return n.get("results").is(doc.Array) && n.get("results").first().t == nil
}

// HubSpot's GET /crm/v3/schemas: the kinds of records that the company made, with their
// properties; or one of them.
func isHubSpotSchemas(n node) bool {
	return n.has("objectTypeId", "properties") || n.get("results").first().has("objectTypeId", "properties")
}

// hubSpotObjects are the kinds of records that a properties file can be named by.
func hubSpotObjects() []string {
	return []string{"contacts", "companies", "deals", "tickets", "notes", "calls", "emails", "meetings", "tasks", "communications"}
}

func readNothing(*Schema, File, node) error { return nil }

func readHubSpotProperties(s *Schema, f File, n node) error {
	typ := f.subject()
	custom := strings.HasPrefix(typ, "p_") || strings.HasPrefix(typ, "2-")
	if !slices.Contains(hubSpotObjects(), typ) && !custom {
		return fmt.Errorf("%s: the document doesn't say of which kind of record its properties are; name the file by it: contacts.json (or %s, or the objectTypeId of one of your own)",
			f.Name, strings.Join(hubSpotObjects()[1:], ", "))
	}
	if n.get("paging", "next").is(doc.Object) {
		s.note("CHECK: %s has a further page; save it as %s-2.json besides", f.Name, typ)
	}
	e := &entity{types: []string{typ}, chosen: true, custom: custom}
	e.hubSpot(n.get("results"))
	s.add(e)
	return nil
}

func readHubSpotSchemas(s *Schema, _ File, n node) error {
	one := func(n node) {
		e := &entity{types: []string{n.text("objectTypeId"), n.text("fullyQualifiedName"), n.text("name"), "p_" + n.text("name")}, label: n.text("labels", "singular"), custom: true}
		if e.types[2] == "" {
			e.types = e.types[:1]
		}
		for _, p := range n.each("searchableProperties") {
			if e.searches == nil {
				e.searches = map[string][]string{}
			}
			if isName(p.text()) {
				e.searches["query"] = append(e.searches["query"], p.text())
			}
		}
		e.hubSpot(n.get("properties"))
		s.add(e)
	}
	if n.has("objectTypeId") {
		one(n)
	}
	for _, schema := range n.each("results") {
		one(schema)
	}
	return nil
}

func (e *entity) hubSpot(list node) {
	for _, p := range list.each() {
		f := field{name: p.text("name"), label: p.text("label"), typ: strings.TrimSuffix(p.text("type")+" "+p.text("fieldType"), " "), custom: !p.yes("hubspotDefined")}
		if !isName(f.name) || p.yes("archived") {
			continue
		}
		f.kind = hubSpotKind(p.text("type"), p.text("fieldType"))
		if to := p.text("referencedObjectType"); strings.EqualFold(to, "OWNER") {
			f.kind, f.spec, f.why = fixed, "public", "the employee whom it belongs to"
		}
		if sensitive := p.text("dataSensitivity"); sensitive == "sensitive" || sensitive == "highly_sensitive" {
			f.marked, f.sensitive = "dataSensitivity: "+sensitive, true
		}
		e.put(f)
	}
}

func hubSpotKind(typ, field string) kind {
	switch {
	case field == "textarea", field == "html":
		return longText
	case field == "phonenumber", typ == "phone_number":
		return phone
	case field == "file":
		return file
	}
	switch typ {
	case "string":
		return text
	case "number":
		return number
	case "bool", "booleancheckbox":
		return boolean
	case "date":
		return date
	case "datetime":
		return moment
	case "enumeration":
		if field == "booleancheckbox" {
			return boolean
		}
		return choice
	}
	return other
}
