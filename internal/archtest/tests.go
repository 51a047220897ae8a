package archtest

import (
	"go/ast"
	"slices"
)

func testRules() []Rule {
	return []Rule{
		{
			"sleep in a test", "Poll with a deadline, or run in a testing/synctest bubble, where sleeping is exact",
			checkSleep,
		},
		{
			"skipped test", "Let the test run's own files install what it needs; a test that skips promises nothing",
			checkSkip,
		},
	}
}

func isTest(f *File) bool { return f.Test() }

func checkSleep(t *Tree, report reporter) {
	t.each(isTest, func(f *File) {
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if _, ok := isCall(n, "synctest", "Test"); ok {
				return false
			}
			if call, ok := isCall(n, "time", "Sleep"); ok {
				report(call.Pos(), "the test waits for the clock")
			}
			return true
		})
	})
}

func checkSkip(t *Tree, report reporter) {
	t.each(isTest, func(f *File) {
		ast.Inspect(f.AST, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			on, ok := sel.X.(*ast.Ident)
			if ok && slices.Contains([]string{"t", "b", "f", "tb"}, on.Name) &&
				slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
				report(call.Pos(), "the test is skipped")
			}
			return true
		})
	})
}
