package archtest

import (
	"go/ast"
	"slices"
	"strconv"
	"strings"
)

// home is where a library may be imported, and nowhere else in what ships.
type home struct {
	name     string
	packages []string // import paths; whatever lies below them, too
	folders  []string
	remedy   string
}

func homes() []home {
	return []home{
		{
			"caddy",
			[]string{"github.com/caddyserver"},
			[]string{"modules", "cmd"},
			"Keep internal/ plain Go: hand the value in from modules/",
		},
		{
			"log and metrics",
			[]string{"go.uber.org/zap", "github.com/prometheus", "log", "log/slog", "expvar"},
			[]string{"modules"},
			"Return an error or a value; modules/ logs and counts it",
		},
		{
			"casbin",
			[]string{"github.com/casbin"},
			[]string{"internal/policy"},
			"Ask internal/policy for a decision or a plan",
		},
		{
			"oidc and jose",
			[]string{"github.com/coreos/go-oidc", "github.com/go-jose", "golang.org/x/oauth2", "github.com/zitadel"},
			[]string{"internal/oidc", "internal/signon"},
			"Let internal/oidc speak to the identity provider and check tokens, and internal/signon make the CRM's",
		},
		{
			"passkeys and one-time codes",
			[]string{"github.com/go-webauthn", "github.com/pquerna/otp"},
			[]string{"internal/factor", "internal/demo"},
			"Ask internal/factor to enrol and to prove",
		},
		{
			"wrapping of keys",
			[]string{"filippo.io/age", "github.com/tink-crypto", "github.com/hashicorp/vault"},
			[]string{"internal/keys"},
			"Wrap and unwrap the master keys by internal/keys",
		},
	}
}

// formatHomes are those of libraries that read what others wrote.
func formatHomes() []home {
	return []home{
		{
			"gjson",
			[]string{"github.com/tidwall/gjson", "github.com/tidwall/match"},
			[]string{"internal/profile", "internal/mask"},
			"Read JSON with the strict scanner: gjson takes malformed bytes without a word",
		},
		{
			"workbooks",
			[]string{"github.com/xuri"},
			[]string{"internal/doc/xlsx"},
			"Read workbooks with internal/doc/xlsx: excelize alone unpacks 16 GB, and into files",
		},
		{
			"graphql",
			[]string{"github.com/vektah"},
			[]string{"internal/profile/graphql"},
			"Read queries with internal/profile/graphql: it refuses what a parser without a schema lets through",
		},
		{
			"sql drivers",
			[]string{
				"modernc.org/sqlite", "github.com/jackc", "github.com/lib/pq", "github.com/mattn/go-sqlite3",
				"github.com/go-sql-driver",
			},
			[]string{"modules/store"},
			"Use database/sql; the driver registers in modules/store/*",
		},
	}
}

// docReaders are the internal packages that see documents as trees.
func docReaders() []string {
	return []string{"internal/doc", "internal/profile", "internal/mask", "internal/restore", "internal/consentfacts", "internal/demo"}
}

func arrowRules() []Rule {
	var rules []Rule
	for _, h := range append(homes(), formatHomes()...) {
		rules = append(rules, Rule{
			Name:   "home of " + h.name,
			Remedy: h.remedy,
			check: func(t *Tree, report reporter) {
				t.imports(product, func(f *File, spec *ast.ImportSpec, imported string) {
					in := func(dir string) bool { return under(f.Path, dir) }
					is := func(pkg string) bool { return under(imported, pkg) }
					if slices.ContainsFunc(h.packages, is) && !slices.ContainsFunc(h.folders, in) {
						report(spec.Pos(), "%s is imported outside %s", imported, strings.Join(h.folders, ", "))
					}
				})
			},
		})
	}
	return append(
		rules,
		Rule{
			"arrow", "Arrows go cmd → modules → internal → internal/access → standard library: " +
				"move the code down, or hand the value in from above", checkArrows,
		},
		Rule{
			"leaf", "internal/access imports the standard library alone, internal/doc that and internal/access, " +
				"its formats golang.org/x as well, its codings the decompressors, its workbooks excelize; policies only embed", checkLeaves,
		},
	)
}

// imports calls visit for every import of the files that keep says yes to; a
// package of this module is named without the module's path, as "./internal/x".
func (t *Tree) imports(keep func(*File) bool, visit func(f *File, spec *ast.ImportSpec, imported string)) {
	t.each(keep, func(f *File) {
		for _, spec := range f.AST.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue // the compiler says so
			}
			if rest, ok := strings.CutPrefix(imported, Module); ok && (rest == "" || rest[0] == '/') {
				imported = "." + rest
			}
			visit(f, spec, imported)
		}
	})
}

func checkArrows(t *Tree, report reporter) {
	t.imports(product, func(f *File, spec *ast.ImportSpec, imported string) {
		to, ours := strings.CutPrefix(imported, "./")
		if !ours {
			return
		}
		if why := forbiddenArrow(f.Dir(), to); why != "" {
			report(spec.Pos(), "%s imports %s: %s", f.Dir(), to, why)
		}
	})
}

// forbiddenArrow says why one package of ours may not import another, "" if it may.
func forbiddenArrow(from, to string) string {
	switch {
	case under(to, "cmd"), under(to, "test"), under(to, "internal/archtest"):
		return "nothing imports it"
	case under(from, "cmd") && !under(to, "modules"):
		return "cmd imports modules alone"
	case under(to, "modules") && under(from, "modules"):
		return forbiddenSibling(from, to)
	case under(to, "modules") && !under(from, "cmd"):
		return "what modules know is handed down as plain values"
	case under(to, "internal/demo") && !under(from, "modules/command"):
		return "the demo is for modules/command and tests"
	case under(from, "internal/mask") && under(to, "internal/policy"):
		return "mask is handed a plan"
	case under(to, "internal/doc") && under(from, "internal") &&
		!slices.ContainsFunc(docReaders(), func(dir string) bool { return under(from, dir) }):
		return "documents are read by profile, mask, restore and consentfacts"
	}
	return ""
}

// forbiddenSibling: modules meet in the app alone; standard is the list of them.
func forbiddenSibling(from, to string) string {
	if to == "modules/crmgate" || from == "modules/standard" || under(to, from) {
		return ""
	}
	return "a module imports no sibling but modules/crmgate"
}

func checkLeaves(t *Tree, report reporter) {
	t.imports(product, func(f *File, spec *ast.ImportSpec, imported string) {
		allowed := true
		switch {
		case under(f.Path, "internal/access"):
			allowed = standard(imported)
		case f.Dir() == "internal/doc":
			allowed = standard(imported) || imported == "./internal/access"
		case under(f.Path, "internal/doc/coding") && decompressor(imported):
		case under(f.Path, "internal/doc/xlsx") && under(imported, "github.com/xuri/excelize"):
		case under(f.Path, "internal/doc"): // the formats
			allowed = standard(imported) || under(imported, "golang.org/x") ||
				imported == "./internal/access" || under(imported, "./internal/doc")
		case under(f.Path, "policies"):
			allowed = imported == "embed"
		}
		if !allowed {
			report(spec.Pos(), "%s imports %s", f.Dir(), imported)
		}
	})
}

// decompressor reports whether a package is one of the content codings' libraries.
func decompressor(imported string) bool {
	return under(imported, "github.com/andybalholm/brotli") || under(imported, "github.com/klauspost/compress")
}

// standard reports whether a package belongs to the standard library: its path
// begins with no domain.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}
