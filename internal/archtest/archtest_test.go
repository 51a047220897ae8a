package archtest

import (
	"go/token"
	"slices"
	"strings"
	"testing"
)

func TestHouseRulesHold(t *testing.T) {
	tree, err := Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Files) < 10 {
		t.Fatalf("only %d files found: the rules looked at nothing", len(tree.Files))
	}
	for _, f := range tree.Check(Rules()) {
		t.Error(f)
	}
}

// snippet is a tree that breaks one rule, and the same mended.
type snippet struct {
	rule, path, bad, good string
}

func snippets() []snippet {
	const ours = `"github.com/crmgate/crmgate/`
	imports := func(rule, path, bad, good string) snippet {
		pkg := func(p string) string { return "// Package x is.\npackage x\nimport _ " + p + "\n" }
		return snippet{rule, path, pkg(bad), pkg(good)}
	}
	code := func(rule, path, bad, good string) snippet {
		return snippet{rule, path, "// Package x is.\npackage x\n" + bad + "\n", "// Package x is.\npackage x\n" + good + "\n"}
	}
	return []snippet{
		imports("home of caddy", "internal/canon/x.go", `"github.com/caddyserver/caddy/v2"`, `"net/http"`),
		imports("home of log and metrics", "internal/audit/x.go", `"go.uber.org/zap"`, `"errors"`),
		imports("home of log and metrics", "internal/audit/x.go", `"log"`, `"logger"`),
		imports("home of casbin", "modules/gate/x.go", `"github.com/casbin/casbin/v2"`, ours+`internal/policy"`),
		imports("home of oidc and jose", "internal/session/x.go", `"github.com/go-jose/go-jose/v4"`, ours+`internal/oidc"`),
		imports("home of wrapping of keys", "modules/keys/age/x.go", `"filippo.io/age"`, ours+`internal/keys"`),
		imports("home of passkeys and one-time codes", "modules/gate/x.go", `"github.com/go-webauthn/webauthn/webauthn"`, ours+`internal/factor"`),
		imports("home of gjson", "internal/policy/x.go", `"github.com/tidwall/gjson"`, `"encoding/json"`),
		imports("home of workbooks", "internal/profile/x.go", `"github.com/xuri/excelize/v2"`, ours+`internal/doc/xlsx"`),
		imports("home of graphql", "internal/profile/x.go", `"github.com/vektah/gqlparser/v2/parser"`, ours+`internal/profile/graphql"`),
		imports("home of sql drivers", "internal/audit/x.go", `"modernc.org/sqlite"`, `"database/sql"`),
		imports("arrow", "internal/canon/x.go", ours+`modules/gate"`, ours+`internal/access"`),
		imports("arrow", "modules/gate/x.go", ours+`modules/desk"`, ours+`modules/crmgate"`),
		imports("arrow", "modules/gate/x.go", ours+`cmd/crmgate"`, ours+`internal/mask"`),
		imports("arrow", "cmd/crmgate/x.go", ours+`internal/canon"`, ours+`modules/standard"`),
		imports("arrow", "internal/mask/json/x.go", ours+`internal/policy"`, ours+`internal/doc"`),
		imports("arrow", "internal/audit/x.go", ours+`internal/doc"`, ours+`internal/access"`),
		imports("arrow", "internal/profile/x.go", ours+`internal/demo"`, ours+`internal/doc"`),
		imports("arrow", "modules/gate/x.go", ours+`internal/demo"`, ours+`internal/audit"`),
		imports("leaf", "internal/access/x.go", `"golang.org/x/text/width"`, `"slices"`),
		imports("leaf", "internal/doc/x.go", `"golang.org/x/text/width"`, ours+`internal/access"`),
		imports("leaf", "internal/doc/html/x.go", `"github.com/x/y"`, `"golang.org/x/net/html"`),
		imports("leaf", "internal/doc/html/x.go", `"github.com/andybalholm/brotli"`, ours+`internal/doc"`),
		imports("leaf", "internal/doc/coding/x.go", `"github.com/x/zstd"`, `"github.com/andybalholm/brotli"`),
		imports("leaf", "internal/doc/xlsx/x.go", `"github.com/x/y"`, `"github.com/xuri/excelize/v2"`),
		imports("leaf", "policies/x.go", `"os"`, `"embed"`),
		code("init", "internal/mask/x.go", "func init() {}", "func start() {}"),
		code("package variable", "internal/mask/x.go", "var cache = map[string]int{}", `var ErrX = errors.New("x")`),
		code("package variable", "internal/mask/x.go", "var n int", "var pool sync.Pool\nvar _ I = (*T)(nil)"),
		code("package variable", "internal/mask/x.go", `var Names = [...]string{"a"}`, `var names = [...]string{"a"}`),
		code("package variable", "internal/mask/x.go", "var s = []string{}", "var r = regexp.MustCompile(``)"),
		code("package variable", "internal/mask/x.go", "var def = &T{}", "//go:embed x\nvar files embed.FS"),
		code("goroutine", "internal/mask/x.go", "func f() { go f() }", "func f() { f() }"),
		code("context in a field", "modules/gate/x.go", "type T struct { ctx context.Context }", "type T struct { n int }"),
		code("context in a field", "modules/gate/x.go", "type T struct { caddy.Context }", "func f(ctx caddy.Context) {}"),
		{"package comment", "internal/mask/x.go", "package mask\n", "// Package mask hides.\npackage mask\n"},
		code("sleep in a test", "modules/gate/x_test.go", "func f() { time.Sleep(1) }",
			"func f() { synctest.Test(t, func(t *testing.T) { time.Sleep(1) }) }"),
		code("skipped test", "internal/mask/x_test.go", "func f() { t.Skip() }", "func f() { s.Skip() }"),
		code("interface guard", "modules/gate/x.go", "func (*T) CaddyModule() {}",
			"func (*T) CaddyModule() {}\nvar _ caddy.Module = (*T)(nil)"),
		code("interface guard", "modules/gate/x.go",
			"func (T) CaddyModule() {}\nfunc (*T) Provision() {}\nvar _ caddy.Module = (*T)(nil)",
			"func (T) CaddyModule() {}\nfunc (*T) Provision() {}\nvar (\n_ caddy.Module = T{}\n_ caddy.Provisioner = new(T)\n)"),
		code("interface guard", "modules/gate/x.go",
			"func (*T) CaddyModule() {}\nfunc (T) ServeHTTP(w, r, next int) {}\nvar _, a caddy.Module = (*T)(nil), 1",
			"func (*T) CaddyModule() {}\nfunc (T) ServeHTTP(w, r, next int) {}\nvar _ caddy.Module = &T{}\n"+
				"var _ caddyhttp.MiddlewareHandler = (*T)(nil)"),
		code("undocumented field", "modules/gate/x.go",
			"func (*T) CaddyModule() {}\nvar _ caddy.Module = (*T)(nil)\ntype T struct {\nA []*U `json:\"a\"` // says a\n}\ntype U struct{}",
			"func (*T) CaddyModule() {}\nvar _ caddy.Module = (*T)(nil)\ntype T struct {\n// A says a.\nA []*U `json:\"a\"`\nB int\n}\ntype U struct{}"),
		code("undocumented field", "modules/gate/x.go",
			"func (*T) CaddyModule() {}\nvar _ caddy.Module = (*T)(nil)\ntype T struct {\n// A.\nA []*U `json:\"a\"`\n}\ntype U struct{\nB int `json:\"b\"`\n}",
			"type Answer struct {\nB int `json:\"b\"`\n}"),
		code("size", "internal/mask/x.go", strings.Repeat("// long\n", 400), strings.Repeat("// long\n", 390)),
		code("size", "modules/gate/x.go", "func f() {"+strings.Repeat("f()\n", 62)+"}", "func f() {\n"+strings.Repeat("f()\n", 60)+"}"),
		code("size of main", "cmd/crmgate/main.go", strings.Repeat("var _ = 1\n", 15), strings.Repeat("// x\n", 30)),
	}
}

func TestEveryRuleCatchesItsBadSnippet(t *testing.T) {
	tried := map[string]bool{}
	for _, s := range snippets() {
		tried[s.rule] = true
		for src, want := range map[string][]string{s.bad: {s.rule}, s.good: nil} {
			tree, err := Parse(map[string]string{s.path: src})
			if err != nil {
				t.Fatalf("%s: %v", s.rule, err)
			}
			var got []string
			for _, f := range tree.Check(Rules()) {
				got = append(got, f.Rule)
			}
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Errorf("rules %q found, want %q, in %s:\n%s", got, want, s.path, src)
			}
		}
	}
	for _, rule := range Rules() {
		if !tried[rule.Name] {
			t.Errorf("rule %q has no bad snippet", rule.Name)
		}
		if rule.Remedy == "" {
			t.Errorf("rule %q names no remedy", rule.Name)
		}
	}
}

func TestTestsAndDemoAreExemptFromArrows(t *testing.T) {
	src := "// Package x is.\npackage x\nimport _ \"github.com/go-jose/go-jose/v4\"\nvar n int\n"
	tree, err := Parse(map[string]string{"internal/demo/x.go": src, "internal/session/x_test.go": src, "test/e2e/x.go": src})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tree.Check(Rules()) {
		t.Error(f)
	}
}

func TestExceptionThatIsNotNeededIsFound(t *testing.T) {
	tree, err := Parse(map[string]string{"internal/mask/x.go": "package mask\n" + strings.Repeat("//\n", 500)})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	report := func(_ token.Pos, format string, args ...any) { found = append(found, args[0].(string)) }
	checkSizes(tree, map[string]string{"internal/mask/x.go": "r", "internal/gone.go": "r"}, report)
	if !slices.Equal(found, []string{"internal/gone.go"}) {
		t.Errorf("found %q", found)
	}
}
