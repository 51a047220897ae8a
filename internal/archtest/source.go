package archtest

import (
	"go/ast"
	"go/token"
	"strings"
)

// goroutines are the packages of internal/ that may start one, and why.
func goroutines() map[string]string {
	return map[string]string{
		"internal/audit":   "group commit and the index that follows the log; both end with Close",
		"internal/sink":    "a delivery that hangs in the kernel is waited for beside the runner, which has to be able to end",
		"internal/session": "tokens are renewed side by side; Renew waits for all of them",
	}
}

func sourceRules() []Rule {
	return []Rule{
		{
			"init", "Build the value in a constructor; only modules/ register themselves",
			checkInit,
		},
		{
			"package variable", "Only sentinels, embedded files, sync.Pool, compiled expressions, unexported arrays and " +
				"`var _ I = …` stand at package level: make it a const, a function or a field",
			checkVars,
		},
		{
			"goroutine", "Background work has one owner: the app's Start and Stop. If a package of internal/ must own " +
				"one, name it with its reason in archtest's list",
			checkGo,
		},
		{
			"context in a field", "Take the context as the first argument of each call",
			checkContext,
		},
		{
			"package comment", "Say above the package clause of one file what the package is for",
			checkPackageComment,
		},
	}
}

func checkInit(t *Tree, report reporter) {
	t.each(plain, func(f *File) {
		for _, decl := range f.AST.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				report(fn.Pos(), "init runs at import")
			}
		}
	})
}

func checkVars(t *Tree, report reporter) {
	t.each(plain, func(f *File) {
		for _, decl := range f.AST.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.VAR {
				continue
			}
			for _, s := range gen.Specs {
				spec, _ := s.(*ast.ValueSpec)
				for i, name := range spec.Names {
					if !allowedVar(gen, spec, i) {
						report(name.Pos(), "%s is shared state", name.Name)
					}
				}
			}
		}
	})
}

func allowedVar(gen *ast.GenDecl, spec *ast.ValueSpec, i int) bool {
	if spec.Names[i].Name == "_" || embeds(gen.Doc) || embeds(spec.Doc) {
		return true
	}
	if isSelector(spec.Type, "sync", "Pool") {
		return true
	}
	if i >= len(spec.Values) {
		return false
	}
	value := spec.Values[i]
	for _, compiled := range []struct {
		pkg   string
		names []string
	}{
		{"errors", []string{"New"}},
		{"fmt", []string{"Errorf"}},
		{"regexp", []string{"MustCompile"}},
		{"template", []string{"Must"}},
		{"strings", []string{"NewReplacer"}},
		{"sync", []string{"OnceValue", "OnceValues"}},
	} {
		if _, ok := isCall(value, compiled.pkg, compiled.names...); ok {
			return true
		}
	}
	return allowedLiteral(spec.Names[i], value)
}

// allowedLiteral: a pool, a sentinel of a type of its own, or a table that Go has
// no constant for. An array is a value, so nobody can be handed a way to change it.
func allowedLiteral(name *ast.Ident, value ast.Expr) bool {
	if unary, ok := value.(*ast.UnaryExpr); ok && unary.Op == token.AND {
		return strings.HasPrefix(strings.ToLower(name.Name), "err")
	}
	lit, ok := value.(*ast.CompositeLit)
	if !ok {
		return false
	}
	array, ok := lit.Type.(*ast.ArrayType)
	return isSelector(lit.Type, "sync", "Pool") || ok && array.Len != nil && !name.IsExported()
}

func embeds(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if strings.HasPrefix(c.Text, "//go:embed ") {
			return true
		}
	}
	return false
}

func checkGo(t *Tree, report reporter) {
	allowed := goroutines()
	t.each(plain, func(f *File) {
		if _, ok := allowed[f.Dir()]; ok {
			return
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if stmt, ok := n.(*ast.GoStmt); ok {
				report(stmt.Pos(), "%s starts a goroutine", f.Dir())
			}
			return true
		})
	})
}

// checkContext spares the app: Caddy hands an app its context in Provision
// alone, and Start needs it to reach the other apps.
func checkContext(t *Tree, report reporter) {
	t.each(product, func(f *File) {
		if f.Path == "modules/crmgate/app.go" {
			return
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			st, ok := n.(*ast.StructType)
			if !ok {
				return true
			}
			for _, field := range st.Fields.List {
				if isSelector(field.Type, "context", "Context") || isSelector(field.Type, "caddy", "Context") {
					report(field.Pos(), "a struct keeps a context")
				}
			}
			return true
		})
	})
}

func checkPackageComment(t *Tree, report reporter) {
	first := map[string]*File{}
	documented := map[string]bool{}
	for _, f := range t.Files {
		dir := f.Dir()
		if first[dir] == nil || first[dir].Test() && !f.Test() {
			first[dir] = f
		}
		documented[dir] = documented[dir] || f.AST.Doc != nil
	}
	for dir, f := range first {
		if !documented[dir] {
			report(f.AST.Package, "package %s has no comment", dir)
		}
	}
}
