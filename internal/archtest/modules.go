package archtest

import (
	"go/ast"
	"iter"
	"maps"
	"reflect"
	"strconv"
	"strings"
)

func moduleRules() []Rule {
	return []Rule{
		{
			"interface guard", "Add `var _ caddy.… = (*T)(nil)`: a method with a slip in its signature is never called, " +
				"and nothing says so",
			checkGuards,
		},
		{
			"undocumented field", "Say above the field what it does, its default and what is refused: it is the manual",
			checkFieldDocs,
		},
	}
}

// guard names the interface that a method of a Caddy module belongs to.
func guard(method string, params int) string {
	switch method {
	case "CaddyModule":
		return "Module"
	case "Provision":
		return "Provisioner"
	case "Validate":
		return "Validator"
	case "Cleanup":
		return "CleanerUpper"
	case "Start", "Stop":
		if params == 0 {
			return "App"
		}
	case "UnmarshalCaddyfile":
		return "Unmarshaler"
	case "Routes":
		return "AdminRouter"
	case "Authenticate":
		return "Authenticator"
	case "ServeHTTP":
		if params == 3 {
			return "MiddlewareHandler"
		}
		return "Handler"
	}
	return ""
}

// module is a type with a method CaddyModule, as one package declares it.
type module struct {
	methods map[string]*ast.FuncDecl
	guards  map[string]bool
}

// packages groups the files of modules/ that ship by their folder.
func (t *Tree) packages() map[string][]*File {
	out := map[string][]*File{}
	t.each(func(f *File) bool { return product(f) && under(f.Path, "modules") }, func(f *File) {
		out[f.Dir()] = append(out[f.Dir()], f)
	})
	return out
}

func checkGuards(t *Tree, report reporter) {
	for _, files := range t.packages() {
		for name, m := range modulesOf(files) {
			for method, decl := range m.methods {
				want := guard(method, decl.Type.Params.NumFields())
				if want != "" && !m.guards[want] {
					report(decl.Pos(), "%s has %s but no guard for %s", name, method, want)
				}
			}
		}
	}
}

func modulesOf(files []*File) map[string]*module {
	types := map[string]*module{}
	of := func(name string) *module {
		if types[name] == nil {
			types[name] = &module{methods: map[string]*ast.FuncDecl{}, guards: map[string]bool{}}
		}
		return types[name]
	}
	for _, f := range files {
		for _, decl := range f.AST.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok && d.Recv != nil && len(d.Recv.List) == 1 {
				of(typeName(d.Recv.List[0].Type)).methods[d.Name.Name] = d
			}
		}
		for iface, typ := range guards(f.AST) {
			of(typ).guards[iface] = true
		}
	}
	maps.DeleteFunc(types, func(_ string, m *module) bool { return m.methods["CaddyModule"] == nil })
	return types
}

// guards iterates over the interface guards of a file: interface, type.
func guards(f *ast.File) iter.Seq2[string, string] {
	return func(yield func(iface, typ string) bool) {
		for _, decl := range f.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range gen.Specs {
				if iface, typ := guarded(s); typ != "" && !yield(iface, typ) {
					return
				}
			}
		}
	}
}

// guarded reads `var _ pkg.I = (*T)(nil)`, `= T{}`, `= &T{}` and `= new(T)`.
func guarded(s ast.Spec) (iface, typ string) {
	spec, ok := s.(*ast.ValueSpec)
	if !ok || len(spec.Names) != 1 || spec.Names[0].Name != "_" || len(spec.Values) != 1 {
		return "", ""
	}
	sel, ok := spec.Type.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	switch v := spec.Values[0].(type) {
	case *ast.CallExpr:
		if fun, ok := v.Fun.(*ast.Ident); ok && fun.Name == "new" && len(v.Args) == 1 {
			return sel.Sel.Name, typeName(v.Args[0])
		}
		return sel.Sel.Name, typeName(v.Fun)
	case *ast.CompositeLit:
		return sel.Sel.Name, typeName(v.Type)
	case *ast.UnaryExpr:
		if lit, ok := v.X.(*ast.CompositeLit); ok {
			return sel.Sel.Name, typeName(lit.Type)
		}
	}
	return "", ""
}

// typeName is the name behind pointers, brackets, slices and maps; "" for a type
// of another package.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.ParenExpr:
		return typeName(e.X)
	case *ast.ArrayType:
		return typeName(e.Elt)
	case *ast.MapType:
		return typeName(e.Value)
	}
	return ""
}

// checkFieldDocs looks at every Caddy module and at the structs of its package
// that its JSON holds.
func checkFieldDocs(t *Tree, report reporter) {
	for _, files := range t.packages() {
		structs := structsOf(files)
		seen := map[string]bool{}
		var visit func(name string)
		visit = func(name string) {
			st := structs[name]
			if st == nil || seen[name] {
				return
			}
			seen[name] = true
			for _, field := range st.Fields.List {
				if key := jsonKey(field); key != "" {
					if field.Doc == nil {
						report(field.Pos(), "%s.%s (json %q) is not documented", name, fieldName(field), key)
					}
					visit(typeName(field.Type))
				}
			}
		}
		for name := range modulesOf(files) {
			visit(name)
		}
	}
}

func structsOf(files []*File) map[string]*ast.StructType {
	out := map[string]*ast.StructType{}
	for _, f := range files {
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if st, ok := spec.Type.(*ast.StructType); ok {
					out[spec.Name.Name] = st
				}
			}
			return true
		})
	}
	return out
}

// jsonKey is the key by which a field stands in JSON, "" if it doesn't.
func jsonKey(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	tag, err := strconv.Unquote(field.Tag.Value)
	if err != nil {
		return ""
	}
	key, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
	if key == "-" {
		return ""
	}
	return key
}

func fieldName(field *ast.Field) string {
	if len(field.Names) > 0 {
		return field.Names[0].Name
	}
	return typeName(field.Type)
}
