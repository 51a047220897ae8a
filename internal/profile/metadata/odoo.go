package metadata

import (
	"fmt"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
)

// odooResult is what a call answers with, by whichever way it was asked.
func odooResult(n node) node {
	if n.has("jsonrpc", "result") {
		n = n.get("result")
	}
	if n.has("records") {
		n = n.get("records")
	}
	return n
}

// Odoo's fields_get of one model, which the document doesn't name: the file does.
func isFieldsGet(n node) bool {
	n = odooResult(n)
	count := 0
	for _, f := range n.each() {
		if !f.has("type", "string") {
			return false
		}
		if odooKind(f.text("type")) != "" {
			count++
		}
	}
	return n.is(doc.Object) && count > 0
}

// Odoo's ir.model.fields: the fields of many models.
func isModelFields(n node) bool { return odooResult(n).first().has("model", "name", "ttype") }

func odooKind(typ string) kind {
	switch typ {
	case "char":
		return text
	case "text", "html":
		return longText
	case "integer", "float", "monetary":
		return number
	case "boolean":
		return boolean
	case "date":
		return date
	case "datetime":
		return moment
	case "selection":
		return choice
	case "many2one", "one2many", "many2many":
		return relation
	case "binary":
		return file
	case "many2one_reference", "reference", "json", "properties", "properties_definition", "serialized":
		return other
	}
	return ""
}

func readFieldsGet(s *Schema, f File, n node) error {
	model := f.subject()
	if !strings.Contains(model, ".") && !strings.HasPrefix(model, "x_") {
		return fmt.Errorf("%s: the document doesn't say of which model its fields are; name the file by it: res.partner.json", f.Name)
	}
	e := odooModel(model)
	e.chosen = true
	for name, d := range odooResult(n).each() {
		e.odoo(field{name: name, label: d.text("string"), typ: d.text("type"), target: d.text("relation"), custom: strings.HasPrefix(name, "x_") || d.yes("manual")})
	}
	s.add(e)
	return nil
}

func readModelFields(s *Schema, _ File, n node) error {
	models := map[string]*entity{}
	var order []*entity
	for _, d := range odooResult(n).each() {
		model := d.text("model")
		if models[model] == nil {
			models[model] = odooModel(model)
			order = append(order, models[model])
		}
		name := d.text("name")
		models[model].odoo(field{name: name, label: d.text("field_description"), typ: d.text("ttype"), target: d.text("relation"), custom: d.text("state") == "manual" || strings.HasPrefix(name, "x_")})
	}
	for _, e := range order {
		s.add(e)
	}
	return nil
}

func odooModel(model string) *entity {
	e := &entity{types: []string{model}, custom: strings.HasPrefix(model, "x_"), display: "display_name"}
	if e.custom {
		e.searches = map[string][]string{"display_name": {"x_name"}}
	}
	return e
}

func (e *entity) odoo(f field) {
	if !isName(f.name) {
		return
	}
	f.kind = odooKind(f.typ)
	if f.kind == "" {
		f.kind = other
	}
	if f.kind == file {
		f.bytes = "file: true, size_context: bin_size" // its size comes where the client asks so
		if strings.Contains(f.name, "image") {
			f.kind, f.bytes = picture, "file: true, picture: true, size_context: bin_size"
		}
	}
	e.put(f)
}
