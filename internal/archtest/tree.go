// Package archtest holds the house rules as checks on the source itself: the
// arrows between packages, what internal/ does without, and what a Caddy module
// owes its reader. They look at syntax alone, so that they take well under a
// second; each finding names the remedy. Self-tests feed every rule a bad
// snippet: a rule that can't fail is noticed.
package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Module is the module's path.
const Module = "github.com/crmgate/crmgate"

// File is a parsed Go file.
type File struct {
	// Path is relative to the module's root, with slashes.
	Path string
	AST  *ast.File
	// Lines counts the file's lines, CodeLines those that are neither blank nor
	// comment.
	Lines, CodeLines int
}

// Dir is the folder of the file's package.
func (f *File) Dir() string { return path.Dir(f.Path) }

// Test reports whether the file is compiled for tests alone.
func (f *File) Test() bool {
	return strings.HasSuffix(f.Path, "_test.go") || under(f.Path, "test")
}

// Tree is the source of the module.
type Tree struct {
	Fset  *token.FileSet
	Files []*File
}

// Finding is a broken rule.
type Finding struct {
	Rule string
	// Where is path:line.
	Where string
	What  string
	// Remedy says what to do instead.
	Remedy string
}

// String puts the finding in one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s. %s", f.Where, f.Rule, f.What, f.Remedy)
}

// Rule is one house rule.
type Rule struct {
	Name   string
	Remedy string
	check  func(t *Tree, report reporter)
}

// reporter notes that the source at pos breaks the rule.
type reporter func(pos token.Pos, format string, args ...any)

// Rules lists the house rules.
func Rules() []Rule {
	return slices.Concat(arrowRules(), sourceRules(), testRules(), moduleRules(), sizeRules())
}

// Check runs the rules and returns what they find, in the order of the source.
func (t *Tree) Check(rules []Rule) []Finding {
	var found []Finding
	for _, rule := range rules {
		rule.check(t, func(pos token.Pos, format string, args ...any) {
			at := t.Fset.Position(pos)
			found = append(found, Finding{
				Rule: rule.Name, Where: fmt.Sprintf("%s:%d", at.Filename, at.Line),
				What: fmt.Sprintf(format, args...), Remedy: rule.Remedy,
			})
		})
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return strings.Compare(a.Where, b.Where) })
	return found
}

// Load parses the module at root. Folders of other modules, of test data and of
// installed packages are left out.
func Load(root string) (*Tree, error) {
	t := &Tree{Fset: token.NewFileSet()}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != root && foreign(name, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		src, err := os.ReadFile(name) //nolint:gosec // the source tree that this test belongs to
		if err != nil {
			return err
		}
		return t.add(filepath.ToSlash(rel), src)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the source: %w", err)
	}
	return t, nil
}

func foreign(dir, base string) bool {
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") ||
		base == "testdata" || base == "node_modules" || base == "bin" {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// Parse makes a tree of snippets: path → source.
func Parse(files map[string]string) (*Tree, error) {
	t := &Tree{Fset: token.NewFileSet()}
	for name, src := range files {
		if err := t.add(name, []byte(src)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *Tree) add(name string, src []byte) error {
	f, err := parser.ParseFile(t.Fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if ast.IsGenerated(f) {
		return nil
	}
	lines := strings.Count(strings.TrimSuffix(string(src), "\n"), "\n") + 1
	code := 0
	for line := range strings.SplitSeq(string(src), "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			code++
		}
	}
	t.Files = append(t.Files, &File{Path: name, AST: f, Lines: lines, CodeLines: code})
	return nil
}

// under reports whether a slash path is dir or lies below it.
func under(name, dir string) bool {
	return name == dir || strings.HasPrefix(name, dir+"/")
}

// each calls visit for the files that keep says yes to.
func (t *Tree) each(keep func(*File) bool, visit func(*File)) {
	for _, f := range t.Files {
		if keep(f) {
			visit(f)
		}
	}
}

// product are the files that ship: neither tests nor the demo.
func product(f *File) bool { return !f.Test() && !under(f.Path, "internal/demo") }

// plain are the files of internal/ that ship.
func plain(f *File) bool { return product(f) && under(f.Path, "internal") }

// isCall reports whether e calls pkg.name, and returns the call.
func isCall(e ast.Node, pkg string, names ...string) (*ast.CallExpr, bool) {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return nil, false
	}
	fun := call.Fun
	if index, ok := fun.(*ast.IndexExpr); ok { // an instantiated generic function
		fun = index.X
	}
	return call, isSelector(fun, pkg, names...)
}

func isSelector(e ast.Expr, pkg string, names ...string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == pkg && slices.Contains(names, sel.Sel.Name)
}
