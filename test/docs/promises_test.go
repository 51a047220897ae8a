package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9_]*)`")

// promises is how many the README makes: the invariants of the design.
const promises = 11

// Each promise of the README names the tests that break when it does.
func TestEveryPromiseNamesATest(t *testing.T) {
	readme := at(t, pages(t), "README.md")
	found := 0
	for _, l := range readme.lines {
		cells := strings.Split(strings.Trim(l.text, "| "), "|")
		number, err := strconv.Atoi(strings.TrimSpace(cells[0]))
		if err != nil || !strings.HasPrefix(l.text, "|") {
			continue
		}
		found++
		if number != found {
			t.Errorf("README.md:%d: promise %d comes where %d belongs", l.number, number, found)
		}
		if !testName.MatchString(l.text) {
			t.Errorf("README.md:%d: promise %d names no test", l.number, number)
		}
	}
	if found != promises {
		t.Errorf("the README makes %d promises, want %d", found, promises)
	}
}

// A renamed test would leave a promise without one.
func TestEveryNamedTestExists(t *testing.T) {
	known := testsOf(t)
	for _, p := range pages(t) {
		if strings.HasPrefix(p.path, "docs/decisions/") {
			continue // a decision is true of its day
		}
		for _, l := range p.lines {
			for _, m := range testName.FindAllStringSubmatch(l.text, -1) {
				if !known[m[1]] && m[1] != "TestTornTailIsDropped" { // CONTRIBUTING's example of a name
					t.Errorf("%s:%d: there is no test %s", p.path, l.number, m[1])
				}
			}
		}
	}
}

// testsOf names every test and fuzz target of the source.
func testsOf(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "node_modules" {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil {
				known[fn.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}
