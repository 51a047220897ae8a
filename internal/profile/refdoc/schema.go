package refdoc

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/crmgate/crmgate/internal/access"
)

// SchemaURL is where editors find the schema.
const SchemaURL = "https://raw.githubusercontent.com/crmgate/crmgate/main/docs/profile.schema.json"

// object is a JSON object; it is written with its keys in order.
type object map[string]any

// wordLists are the keys with a closed list of words, and where in the source the
// list stands: a variable, or a function that returns it.
func wordLists() map[string]string {
	return map[string]string{"refSpec.Syntax": "syntaxes", "routeSpec.Type": "answerTypes"}
}

// closed are the words of keys whose lists other packages hold, or the comments.
func closed() map[string][]string {
	roles := []string{"select", "filter", "sort", "group", "aggregate", "search"}
	modes := []string{"partial", "full", "create", "save", "copy", "echo"}
	return map[string][]string{
		"fieldSpec.Category": words(access.Categories()), "operationSpec.Action": words(access.Actions()),
		"refSpec.Role": roles, "writeSpec.Mode": modes, "entitySpec.Unknown": {"mask", "mask_if_string", "pass"},
		"writeSpec.Syntax": {"object", "commands", "numbered"}, "fieldSpec.Decode": {"json", "base64_json"},
		"normalizeSpec.IDs": {"integer", "salesforce"}, "normalizeSpec.Names": {"folded"},
	}
}

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

// Schema returns the JSON Schema of profiles. sources are those of the language's
// types, code is the rest of the package's: the lists of words stand in it. It
// fails on a key without a comment, and on a type that it can't say.
func Schema(sources, code map[string][]byte) ([]byte, error) {
	p, err := read(sources)
	if err != nil {
		return nil, err
	}
	enums := closed()
	for key, name := range wordLists() {
		if enums[key] = list(code, name); len(enums[key]) == 0 {
			return nil, fmt.Errorf("the list %s isn't in the source", name)
		}
	}
	s := &schema{page: p, enums: enums, defs: object{
		"text":  object{"type": []string{"string", "number", "boolean"}},
		"field": object{"description": "A category, several, or the long form.", "anyOf": []any{object{"enum": enums["fieldSpec.Category"]}, object{"type": "array", "items": object{"enum": enums["fieldSpec.Category"]}}, ref("fieldSpec")}},
	}}
	if err := s.add("spec"); err != nil {
		return nil, err
	}
	if err := s.add("entitySpec"); err != nil {
		return nil, err
	}
	if err := s.add("fieldSpec"); err != nil {
		return nil, err
	}
	out, err := json.MarshalIndent(object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SchemaURL,
		"title": "A profile of crmgate", "$ref": "#/$defs/spec", "$defs": s.defs,
	}, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	return append(out, '\n'), nil
}

type schema struct {
	page  *page
	enums map[string][]string
	defs  object
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

// add describes a type and those in it.
func (s *schema) add(typ string) error {
	if s.defs[typ] != nil {
		return nil
	}
	properties := object{}
	s.defs[typ] = object{"description": s.page.summary(typ), "type": "object", "properties": properties, "additionalProperties": false}
	entries, err := s.page.entries(typ)
	if err != nil {
		return err
	}
	for _, e := range entries {
		of, err := s.value(e)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", e.owner, e.field, err)
		}
		of["description"] = strings.ReplaceAll(cell(e, entries), `\|`, "|")
		properties[e.key] = of
	}
	return nil
}

// value describes what a key holds.
func (s *schema) value(e entry) (object, error) {
	at := e.owner + "." + e.field
	if enum := s.enums[at]; enum != nil {
		return object{"enum": enum}, nil
	}
	switch at {
	case "spec.Blocks", "errorSpec.Body":
		return object{}, nil
	case "spec.Entities":
		return object{"type": "object", "additionalProperties": ref("entitySpec")}, nil
	case "entitySpec.Fields", "fieldSpec.Parts":
		return object{"type": "object", "additionalProperties": ref("field")}, nil
	case "graphqlSpec.Arguments":
		return object{"type": "object", "additionalProperties": object{"enum": append([]string{"none"}, s.enums["refSpec.Role"]...)}}, nil
	case "graphqlSpec.Around":
		words := []string{"records", "aggregates", "aggregate", "count", "groups"}
		return object{"type": "object", "additionalProperties": object{"anyOf": []any{object{"enum": words}, ref("field")}}}, nil
	case "fieldSpec.Categories":
		return object{"type": "array", "items": object{"enum": s.enums["fieldSpec.Category"]}}, nil
	}
	return s.expr(e.expr)
}

func (s *schema) expr(t ast.Expr) (object, error) {
	switch t := t.(type) {
	case *ast.StarExpr:
		return s.expr(t.X)
	case *ast.ArrayType:
		of, err := s.expr(t.Elt)
		return object{"type": "array", "items": of}, err
	case *ast.MapType:
		of, err := s.expr(t.Value)
		return object{"type": "object", "additionalProperties": of}, err
	case *ast.Ident:
		switch t.Name {
		case "string":
			return ref("text"), nil
		case "bool":
			return object{"type": "boolean"}, nil
		case "int":
			return object{"type": "integer"}, nil
		case "ordered":
			return object{"type": "object", "additionalProperties": ref("text")}, nil
		}
		if s.page.types[t.Name] != nil {
			return ref(t.Name), s.add(t.Name)
		}
	}
	return nil, fmt.Errorf("the schema can't say %T", t)
}

// list finds a list of words in the source: what a variable is set to, or what a
// function returns.
func list(code map[string][]byte, name string) []string {
	names := make([]string, 0, len(code))
	for file := range code {
		names = append(names, file)
	}
	slices.Sort(names)
	var found []string
	for _, file := range names {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, code[file], 0)
		if err != nil {
			continue
		}
		in := ""
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				in = n.Name.Name
			case *ast.AssignStmt:
				if id, ok := n.Lhs[0].(*ast.Ident); ok && id.Name == name {
					found = append(found, literal(n.Rhs[0])...)
				}
			case *ast.ReturnStmt:
				if in == name && len(n.Results) == 1 {
					found = append(found, literal(n.Results[0])...)
				}
			}
			return true
		})
	}
	return found
}

// literal are the texts of a list that is written out.
func literal(e ast.Expr) []string {
	lit, ok := e.(*ast.CompositeLit)
	if !ok {
		return nil
	}
	var out []string
	for _, el := range lit.Elts {
		if b, ok := el.(*ast.BasicLit); ok {
			if text, err := strconv.Unquote(b.Value); err == nil {
				out = append(out, text)
			}
		}
	}
	return out
}
