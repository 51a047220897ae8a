package metadata

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// Pipedrive's GET /api/v2/personFields and the like, and those of version 1. The
// document doesn't say whose fields they are: the file is named by it.
func isPipedrive(n node) bool {
	first := n.get("data").first()
	return n.has("success") && (first.has("key", "field_type") || first.has("field_code", "field_type"))
}

// ownField is what Pipedrive calls a field that a company made.
var ownField = regexp.MustCompile(`^[0-9a-f]{40}$`)

// pipedriveTypes are the kinds of records by how a file of their fields is named.
func pipedriveType(subject string) string {
	for _, t := range []string{"person", "organization", "deal", "lead", "activity", "product", "note", "project"} {
		if s := strings.ToLower(subject); s == t+"fields" || s == t || s == t+"s" || s == t+"_fields" || t == "activity" && s == "activities" {
			return t
		}
	}
	return ""
}

func readPipedrive(s *Schema, f File, n node) error {
	typ := pipedriveType(f.subject())
	if typ == "" {
		return fmt.Errorf("%s: the document doesn't say of which kind of record its fields are; name the file by the address: personFields.json, organizationFields.json, dealFields.json", f.Name)
	}
	if n.get("additional_data", "next_cursor").is(doc.String) || n.yes("additional_data", "pagination", "more_items_in_collection") {
		s.note("CHECK: %s has a further page; save it as %s-2.json besides", f.Name, f.subject())
	}
	e := &entity{types: []string{typ}, chosen: true, persons: typ == "person"}
	for _, d := range n.each("data") {
		name, lbl := d.text("field_code"), d.text("field_name")
		if name == "" {
			name, lbl = d.text("key"), d.text("name")
		}
		if !isName(name) {
			continue
		}
		e.pipedrive(field{name: name, label: lbl, typ: d.text("field_type"), custom: d.yes("is_custom_field") || ownField.MatchString(name)})
	}
	s.add(e)
	return nil
}

// pipedrive adds a field, and what version 1 holds of it under names of their own.
func (e *entity) pipedrive(f field) {
	beside := func(spec, why string, names ...string) {
		for _, n := range names {
			e.put(field{name: f.name + "_" + n, label: f.label, typ: f.typ, kind: fixed, spec: spec, why: why, custom: f.custom, of: f.name})
		}
	}
	const ofAddress = "a part of the address"
	switch f.typ {
	case "varchar", "varchar_auto":
		f.kind = text
	case "text":
		f.kind = longText
	case "double", "int":
		f.kind = number
	case "monetary":
		f.kind = number
		beside("public", "the currency of an amount", "currency")
	case "enum", "set", "status", "stage", "visible_to":
		f.kind = choice
	case "phone":
		f.kind = phone
	case "date", "daterange":
		f.kind = date
		if f.typ == "daterange" {
			e.put(field{name: f.name + "_until", label: f.label, typ: f.typ, kind: date, custom: f.custom, of: f.name})
		}
	case "time", "timerange":
		f.kind = moment
	case "address":
		f.kind = address
		beside("address", ofAddress, "subpremise", "street_number", "route", "sublocality", "locality", "admin_area_level_1", "admin_area_level_2", "postal_code", "formatted_address", "lat", "long")
	case "user":
		f.kind, f.spec, f.why = fixed, "public", "an employee"
	case "org", "people", "lead", "deal", "project":
		f.kind, f.target = link, map[string]string{"org": "organization", "people": "person"}[f.typ]
		if f.target == "" {
			f.target = f.typ
		}
	case "picture":
		f.kind = picture
	default:
		f.kind = other
	}
	e.put(f)
}
