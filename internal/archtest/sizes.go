package archtest

import "go/ast"

// The sizes beyond which a reader looks for two things in one place.
const (
	maxFile = 400
	maxFunc = 60
	maxMain = 15
)

// large are the files and functions that are better whole, and why. A name that
// is no longer too large is a finding, so that the list can't outlive its reasons.
func large() map[string]string {
	return map[string]string{}
}

func sizeRules() []Rule {
	return []Rule{
		{"size", "Split by noun, never into util, common or helpers", func(t *Tree, report reporter) {
			checkSizes(t, large(), report)
		}},
		{"size of main", "main starts Caddy with modules/standard; all else lives in modules/", checkMain},
	}
}

func checkSizes(t *Tree, exceptions map[string]string, report reporter) {
	used := map[string]bool{}
	over := func(name string) bool {
		_, excepted := exceptions[name]
		used[name] = true
		return !excepted
	}
	t.each(product, func(f *File) {
		if f.Lines > maxFile && over(f.Path) {
			report(f.AST.Package, "%d lines, at most %d", f.Lines, maxFile)
		}
		for _, decl := range f.AST.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			lines := t.Fset.Position(fn.Body.Rbrace).Line - t.Fset.Position(fn.Body.Lbrace).Line - 1
			if lines > maxFunc && over(f.Path+":"+fn.Name.Name) {
				report(fn.Pos(), "%s has %d lines, at most %d", fn.Name.Name, lines, maxFunc)
			}
		}
	})
	for name := range exceptions {
		if !used[name] {
			report(0, "the exception for %s is not needed any more", name)
		}
	}
}

func checkMain(t *Tree, report reporter) {
	t.each(func(f *File) bool { return !f.Test() && under(f.Path, "cmd") }, func(f *File) {
		if f.CodeLines > maxMain {
			report(f.AST.Package, "%d lines of code, at most %d", f.CodeLines, maxMain)
		}
	})
}
