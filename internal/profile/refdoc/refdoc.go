// Package refdoc makes the reference of the profile language of the comments of
// the types that YAML is decoded into.
package refdoc

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"strings"
)

// head is what stands before the tables. The syntax of patterns, paths and names
// is told here, for it belongs to no key.
const head = `# The profile language

The reference of every word of a profile, made of the comments in the source: don't edit this page, run
` + "`UPDATE=1 go test ./internal/profile/refdoc`" + `. How a profile is written, step by step, is told in
[profile-author.md](profile-author.md).

A profile is one YAML document. It is read strictly: an unknown key, a key that stands twice, an anchor that nothing
uses, a route or call that another one stands before, are errors when it is loaded, each with its line or its place.

**Routes** are a method and a path: ` + "`GET|PUT /api/{entity}/{id}`" + `. ` + "`*`" + ` stands for every method, and GET is HEAD as well.
` + "`{x}`" + ` takes one segment that isn't empty, ` + "`{x**}`" + ` the rest that isn't, ` + "`**`" + ` any rest, ` + "`(a|b)`" + ` one of the words; text may
stand around a variable (` + "`export.{type}.csv`" + `). Matching is exact in case and in the trailing slash.

**Names** of fields, types and calls are globs: ` + "`*`" + ` stands for any run of characters. Exact names go before globs.

**Paths** lead through a document: ` + "`.key`, `['a.b']`, `[n]`, `[*]`" + ` (every element), ` + "`.*`" + ` (every member), ` + "`.**`" + ` (any depth,
the place itself included), ` + "`.(a|b)`" + `.

**Expressions** say where something stands, a path behind its origin: ` + "`body…`" + ` the request's document, ` + "`query.name`" + ` a query
parameter, ` + "`{name}`" + ` a variable of the route or call, ` + "`name…`" + ` a named argument of the call, ` + "`$…`" + ` the answer's document, ` + "`@…`" + ` the
call's result in it.

**Selectors**, for HTML, are a small part of CSS: ` + "`td`, `*`, `.class`, `#id`, `[attr]`, `[attr=value]`, `[attr^=value]`, `[attr$=value]`" + `,
` + "`:nth-child(3)`, `a b`, `a > b` and `,`" + `. One selects the texts below its elements, comments and scripts among them; ` + "`input@value`" + ` an
attribute of theirs, and ` + "`@data-id`" + ` one of the record's own element.

**Categories** are those of [policies](administrator.md): name, email, phone, address, birthdate, bank, tax_id,
identity, special, credential, free_text, online, public and unclassified.
`

// kept are the fields that YAML keeps for later, and what they hold.
func kept() map[string]string {
	return map[string]string{"spec.Entities": "entitySpec", "entitySpec.Fields": "fieldSpec"}
}

// Page returns the page for the sources of the language's types. It fails on a
// key without a comment.
func Page(sources map[string][]byte) ([]byte, error) {
	p, err := read(sources)
	if err != nil {
		return nil, err
	}
	p.out.WriteString(head)
	if err := p.section("spec", "The profile"); err != nil {
		return nil, err
	}
	return []byte(p.out.String()), nil
}

// read finds the types and their comments.
func read(sources map[string][]byte) (*page, error) {
	types := map[string]*ast.TypeSpec{}
	docs := map[string]string{}
	for name, src := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		for _, decl := range file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE {
				continue
			}
			for _, s := range gen.Specs {
				if ts, ok := s.(*ast.TypeSpec); ok {
					types[ts.Name.Name], docs[ts.Name.Name] = ts, gen.Doc.Text()
				}
			}
		}
	}
	return &page{types: types, docs: docs, seen: map[string]string{}}, nil
}

type page struct {
	types map[string]*ast.TypeSpec
	docs  map[string]string
	seen  map[string]string // type → the place where it is described
	out   strings.Builder
}

// entry is one key.
type entry struct {
	key, field, doc, typ string
	owner                string // the type that has it
	expr                 ast.Expr
}

// section writes the table of one type, then those of the types in it.
func (p *page) section(typ, place string) error {
	p.seen[typ] = place
	entries, err := p.entries(typ)
	if err != nil {
		return err
	}
	fmt.Fprintf(&p.out, "\n## %s\n\n%s\n\n| key | |\n|---|---|\n", place, p.summary(typ))
	for _, e := range entries {
		fmt.Fprintf(&p.out, "| `%s` | %s |\n", e.key, cell(e, entries))
	}
	for _, e := range entries {
		if e.typ == "" || p.types[e.typ] == nil || p.seen[e.typ] != "" {
			continue
		}
		at := "`" + e.key + "`"
		if typ != "spec" {
			at = strings.TrimSuffix(place, "`") + "." + e.key + "`"
		}
		if err := p.section(e.typ, at); err != nil {
			return err
		}
	}
	return nil
}

// entries lists the keys of a type; those of an inlined type stand with it.
func (p *page) entries(typ string) ([]entry, error) {
	st, ok := p.types[typ].Type.(*ast.StructType)
	if !ok {
		return nil, fmt.Errorf("%s is no struct", typ)
	}
	var out []entry
	for _, f := range st.Fields.List {
		key, inline := tag(f)
		if inline {
			more, err := p.entries(inner(f.Type))
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
			continue
		}
		if len(f.Names) != 1 || key == "" {
			return nil, fmt.Errorf("%s: a field without a key of its own", typ)
		}
		e := entry{key: key, field: f.Names[0].Name, doc: f.Doc.Text(), typ: inner(f.Type), owner: typ, expr: f.Type}
		if e.doc == "" {
			return nil, fmt.Errorf("%s.%s (%s) has no comment: say what it means", typ, e.field, key)
		}
		if t := kept()[typ+"."+e.field]; t != "" {
			e.typ = t
		}
		out = append(out, e)
	}
	return out, nil
}

// summary is a type's comment without the type's name.
func (p *page) summary(typ string) string {
	text := oneLine(p.docs[typ])
	return sentence(strings.TrimPrefix(text, typ))
}

// sentence begins a comment without the name that it begins with: "is the
// path" is said as "The path".
func sentence(rest string) string {
	for _, verb := range []string{": ", " is ", " are ", " "} {
		if s, ok := strings.CutPrefix(rest, verb); ok {
			return strings.ToUpper(s[:1]) + s[1:]
		}
	}
	return rest
}

func tag(f *ast.Field) (key string, inline bool) {
	if f.Tag == nil {
		return "", false
	}
	key, opts, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml"), ",")
	return key, opts == "inline"
}

// inner is the name of the type that a field holds, whatever it is held in.
func inner(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.StarExpr:
		return inner(t.X)
	case *ast.ArrayType:
		return inner(t.Elt)
	case *ast.MapType:
		return inner(t.Value)
	}
	return ""
}

// cell is a comment with the keys in the place of the fields' names.
func cell(e entry, all []entry) string {
	text := oneLine(e.doc)
	for _, other := range all {
		word := regexp.MustCompile(`(^|[^\w` + "`" + `.])` + other.field + `\b`)
		if other.field != e.field && !strings.Contains(text, " "+other.field) {
			continue
		}
		text = word.ReplaceAllString(text, "${1}`"+other.key+"`")
	}
	return strings.ReplaceAll(sentence(strings.TrimPrefix(text, "`"+e.key+"`")), "|", `\|`)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
